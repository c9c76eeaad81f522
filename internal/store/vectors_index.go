package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// vectorIndexLock is held in the database while one process builds an index.
	vectorIndexLock = int64(0x6368617274766563) // "chartvec"

	// indexMemoryPerVector is what an element takes while the graph is built,
	// beside its vector: its neighbors (m = 24, so 48 on the lowest layer and 24
	// on those above), their distances, and the element itself. With m = 16, 40,000
	// vectors of 256 dimensions were measured to take 1,300 bytes each, the
	// vector's 512 included; a graph that does not fit takes twice as long to build.
	indexMemoryPerVector = 1400
	indexMemoryLeast     = 64 << 20
	indexMemoryMost      = 2 << 30

	sqlVectorIndexStands = `SELECT EXISTS (SELECT FROM pg_index
		WHERE indexrelid = to_regclass($1) AND indisvalid AND indisready)`

	sqlCountVectors = `SELECT count(*) FROM term_vectors WHERE model_id = $1`

	// Local to the transaction; memory in kB.
	sqlIndexSettings = `SELECT set_config('maintenance_work_mem', $1, true),
		set_config('max_parallel_maintenance_workers', $2, true)`

	sqlBuildVectorIndex = `SELECT build_vector_index($1)`

	sqlDropVectorIndex = `SELECT drop_vector_index($1)`

	sqlModelNotReady = `UPDATE embedding_models SET ready_at = NULL WHERE id = $1`

	sqlModelReady = `UPDATE embedding_models SET ready_at = now() WHERE id = $1 AND ready_at IS NULL`

	// Seen only with the rights of the user who builds.
	sqlResetRole = `SET LOCAL ROLE NONE`

	sqlIndexProgress = `SELECT tuples_done FROM pg_stat_progress_create_index
		WHERE relid = 'term_vectors'::regclass AND datname = current_database()`
)

func vectorIndexName(m model) string { return fmt.Sprintf("term_vectors_hnsw_%d", m.id) }

// EnsureVectorIndex builds the HNSW index (cosine) over the vectors of a
// model, unless it stands, and marks the model ready. Of several processes one
// builds and the others wait. progress, which may be nil, is told from time to
// time how many of the vectors are in; it is called from another goroutine, but
// not after the return. The error is ErrNotFound when the model has no vectors.
//
// It takes 2.5 kB of the server's memory for each vector of 256 dimensions, as
// shared memory where it works on two cores; with too little of it (containers
// have 64 MB unless told otherwise) it builds on one.
func (s *Store) EnsureVectorIndex(ctx context.Context, modelName string, dims int, progress func(done, total int64)) error {
	const op = "build vector index"
	m, err := s.model(ctx, modelName)
	if err != nil {
		return wrap(op, err)
	}
	if m.dims != dims {
		return wrap(op, plainf("embedding model %q has %d dimensions here, not %d", modelName, m.dims, dims))
	}
	err = s.buildVectorIndex(ctx, op, m, 2, progress)
	var failed *Error
	if errors.As(err, &failed) && (failed.Code == "53100" || failed.Code == "53200") {
		s.log.Warn("too little shared memory to build the vector index in parallel; building it on one core")
		err = s.buildVectorIndex(ctx, op, m, 0, progress)
	}
	return err
}

func (s *Store) buildVectorIndex(ctx context.Context, op string, m model, workers int, progress func(done, total int64)) error {
	return s.inTx(ctx, op, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockTx, vectorIndexLock); err != nil {
			return err
		}
		var stands bool
		if err := tx.QueryRow(ctx, sqlVectorIndexStands, vectorIndexName(m)).Scan(&stands); err != nil {
			return err
		}
		if !stands {
			var total int64
			if err := tx.QueryRow(ctx, sqlCountVectors, m.id).Scan(&total); err != nil {
				return err
			}
			memory := min(max(total*int64(indexMemoryPerVector+2*m.dims)*5/4, indexMemoryLeast), indexMemoryMost)
			if _, err := tx.Exec(ctx, sqlIndexSettings, fmt.Sprint(memory>>10), fmt.Sprint(workers)); err != nil {
				return err
			}
			stop := s.reportIndexProgress(ctx, total, progress)
			_, err := tx.Exec(ctx, sqlBuildVectorIndex, m.id)
			stop()
			if err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, sqlModelReady, m.id)
		return err
	})
}

// reportIndexProgress calls progress twice a second until the returned
// function is called, which waits for a call under way.
func (s *Store) reportIndexProgress(ctx context.Context, total int64, progress func(done, total int64)) (stop func()) {
	if progress == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			// Progress is a courtesy: what fails here does not concern the build.
			if done, err := s.indexProgress(ctx); err == nil && ctx.Err() == nil {
				progress(min(done, total), total)
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

func (s *Store) indexProgress(ctx context.Context) (done int64, err error) {
	err = s.inTx(ctx, "read index progress", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlResetRole); err != nil {
			return err
		}
		return tx.QueryRow(ctx, sqlIndexProgress).Scan(&done)
	})
	return done, err
}

// dropVectorIndex takes the index of a model away; until it is built again,
// searches read every vector.
func (s *Store) dropVectorIndex(ctx context.Context, op string, m model) error {
	return s.inTx(ctx, op, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockTx, vectorIndexLock); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlModelNotReady, m.id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, sqlDropVectorIndex, m.id)
		return err
	})
}
