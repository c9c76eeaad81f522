package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"
)

// VectorState says how far the vectors of a model are.
type VectorState struct {
	Texts   int  // that need a vector
	Missing int  // of these, without one of the model
	Ready   bool // marked as ready to be searched
	Index   bool // the index stands
}

// StoredVector is a text with its vector.
type StoredVector struct {
	Text   string
	Vector []float32 // in half precision
}

const lockNotAvailable = "55P03"

const (
	sqlReadyModels = `SELECT name FROM embedding_models WHERE ready_at IS NOT NULL ORDER BY ready_at DESC, name`

	sqlCountTexts = `SELECT count(*) FROM term_texts WHERE needs_vector`

	// The ids of texts are hashes: the first ones are no special ones.
	sqlSomeVectors = `SELECT x.text, v.embedding FROM term_vectors v JOIN term_texts x ON x.id = v.text_id
		WHERE v.model_id = $1 ORDER BY v.text_id LIMIT $2`

	// Local to the transaction; waits for advisory locks end too.
	sqlLockPatience = `SELECT set_config('lock_timeout', '60s', true)`

	sqlDeleteVectors = `DELETE FROM term_vectors WHERE model_id = $1`
)

// ReadyModels names the embedding models whose vectors can be searched, the one
// that became ready last first. It is cheap.
func (s *Store) ReadyModels(ctx context.Context) ([]string, error) {
	const op = "list ready embedding models"
	rows, err := s.pool.Query(ctx, sqlReadyModels)
	if err != nil {
		return nil, wrap(op, err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return names, wrap(op, err)
}

// VectorState counts the vectors of a model; of one that the store does not know
// all are missing.
func (s *Store) VectorState(ctx context.Context, name string) (VectorState, error) {
	const op = "look at the vectors of a model"
	var v VectorState
	m, err := s.model(ctx, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return v, wrap(op, err)
	}
	if err := s.pool.QueryRow(ctx, sqlCountTexts).Scan(&v.Texts); err != nil {
		return v, wrap(op, err)
	}
	if v.Missing, err = s.CountTextsWithoutVector(ctx, name); err != nil {
		return v, err
	}
	if v.Ready, err = s.VectorsReady(ctx, name); err != nil {
		return v, err
	}
	err = s.pool.QueryRow(ctx, sqlVectorIndexStands, vectorIndexName(m)).Scan(&v.Index)
	return v, wrap(op, err)
}

// SomeVectors gives up to n texts with their vectors of the model, always the
// same ones while the code sets stay.
func (s *Store) SomeVectors(ctx context.Context, name string, n int) ([]StoredVector, error) {
	const op = "read some vectors"
	m, err := s.model(ctx, name)
	if err != nil {
		return nil, wrap(op, err)
	}
	rows, err := s.pool.Query(ctx, sqlSomeVectors, m.id, n)
	if err != nil {
		return nil, wrap(op, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (StoredVector, error) {
		var v StoredVector
		var half pgvector.HalfVector
		err := row.Scan(&v.Text, &half)
		v.Vector = half.Slice()
		return v, err
	})
	return list, wrap(op, err)
}

// RemoveVectors takes the vectors of a model and their index away, and gives
// their number; whoever searches by the model finds nothing from then on. It
// waits a minute while vectors are made by anybody, and then refuses.
func (s *Store) RemoveVectors(ctx context.Context, name string) (removed int, err error) {
	const op = "remove vectors"
	m, err := s.model(ctx, name)
	if err != nil {
		return 0, wrap(op, err)
	}
	err = s.inTx(ctx, op, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockPatience); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, sqlLockTx, fillLock)
		if pg := pgError(err); pg != nil && pg.Code == lockNotAvailable {
			return plainf("vectors are being made at this moment; remove some when that is done")
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlLockTx, vectorIndexLock); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlModelNotReady, m.id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlDropVectorIndex, m.id); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, sqlDeleteVectors, m.id)
		removed = int(tag.RowsAffected())
		return err
	})
	return removed, err
}
