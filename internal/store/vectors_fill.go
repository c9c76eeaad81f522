package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// FillStage is a part of FillVectors' work.
type FillStage string

// The stages.
const (
	FillEmbedding FillStage = "embedding" // texts that have their vector
	FillIndexing  FillStage = "indexing"  // vectors that are in the index
)

// FillConfig says with which model FillVectors works.
type FillConfig struct {
	Model string
	Dims  int
	// Embed gives the vectors of texts, of Dims dimensions each, in their order.
	Embed func(ctx context.Context, texts []string) ([][]float32, error)
	// Progress, which may be nil, is told how far a stage is; never by two at once.
	Progress func(stage FillStage, done, total int64)
}

const (
	// fillLock is held in the database while one process fills in vectors.
	fillLock = int64(0x636861727466696c) // "chartfil"

	// fillBatch is how many texts are embedded and stored together: what is lost
	// when a server that embeds fails, or the program is stopped.
	fillBatch = 2500

	// Adding a vector to an index takes about ten times as long as its share of
	// building one: beyond both limits the index is built anew.
	rebuildFrom  = 5000
	rebuildShare = 10 // a tenth of the vectors that are there
)

// FillVectors gives every text that has none a vector of the model and sees to
// it that the index stands and the model is marked ready. It can be stopped at
// any time and goes on where it was. Of several processes one works; the others
// wait and find it done. added counts the vectors that were missing.
func (s *Store) FillVectors(ctx context.Context, cfg FillConfig) (added int, err error) {
	const op = "fill vectors"
	if cfg.Model == "" || cfg.Dims < 1 || cfg.Embed == nil {
		return 0, wrap(op, plainf("an embedding model needs a name, dimensions and a way to embed"))
	}
	progress := cfg.Progress
	if progress == nil {
		progress = func(FillStage, int64, int64) {}
	}
	// A connection of its own, outside the pool: it is held for long.
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig.Copy())
	if err != nil {
		return 0, wrap(op, err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) // gives up the lock
	if _, err := conn.Exec(ctx, sqlLockSession, fillLock); err != nil {
		return 0, wrap(op, err)
	}

	m, err := s.ensureModel(ctx, cfg.Model, cfg.Dims)
	if err != nil {
		return 0, wrap(op, err)
	}
	missing, err := s.CountTextsWithoutVector(ctx, cfg.Model)
	if err != nil {
		return 0, err
	}
	if missing > 0 {
		var have int
		if err := s.pool.QueryRow(ctx, sqlCountVectors, m.id).Scan(&have); err != nil {
			return 0, wrap(op, err)
		}
		if missing > rebuildFrom && missing > have/rebuildShare {
			if err := s.dropVectorIndex(ctx, op, m); err != nil {
				return 0, err
			}
		}
		if added, err = s.embedMissing(ctx, cfg, int64(missing), progress); err != nil {
			return added, err
		}
	}
	return added, s.EnsureVectorIndex(ctx, cfg.Model, cfg.Dims, func(done, total int64) { progress(FillIndexing, done, total) })
}

func (s *Store) embedMissing(ctx context.Context, cfg FillConfig, missing int64, progress func(FillStage, int64, int64)) (added int, err error) {
	progress(FillEmbedding, 0, missing)
	after := int64(0)
	for {
		texts, err := s.TextsWithoutVector(ctx, cfg.Model, after, fillBatch)
		if err != nil || len(texts) == 0 {
			return added, err
		}
		plain := make([]string, len(texts))
		for i, t := range texts {
			plain[i] = t.Text
		}
		vecs, err := cfg.Embed(ctx, plain)
		if err != nil {
			return added, err
		}
		if len(vecs) != len(texts) {
			return added, errors.New("store: fill vectors: the embedding model gave another number of vectors than texts")
		}
		rows := make([]TextVector, len(texts))
		for i := range texts {
			rows[i] = TextVector{TextID: texts[i].ID, Embedding: vecs[i]}
		}
		if err := s.PutVectors(ctx, cfg.Model, rows); err != nil {
			return added, err
		}
		added += len(rows)
		after = texts[len(texts)-1].ID
		progress(FillEmbedding, min(int64(added), missing), missing)
	}
}
