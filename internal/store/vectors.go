package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"
)

// EmbeddingModel is a model whose vectors the store holds. ReadyAt is zero
// until every text had a vector and the index stood.
type EmbeddingModel struct {
	Name    string
	Dims    int
	ReadyAt time.Time
	Vectors int // how many texts have one
}

// Text is a term's text with its id.
type Text struct {
	ID   int64
	Text string
}

// TextVector is the vector of one text.
type TextVector struct {
	TextID    int64
	Embedding []float32
}

// model is what the store remembers of an embedding model.
type model struct {
	id   int16
	dims int
}

const (
	sqlModel = `SELECT id, dims FROM embedding_models WHERE name = $1`

	sqlInsertModel = `INSERT INTO embedding_models (name, dims) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`

	sqlModels = `SELECT m.name, m.dims, m.ready_at, (SELECT count(*) FROM term_vectors v WHERE v.model_id = m.id)
		FROM embedding_models m ORDER BY m.name`

	sqlVectorsReady = `SELECT EXISTS (SELECT FROM embedding_models WHERE name = $1 AND ready_at IS NOT NULL)`

	// No vectors, no index: only then may the dimensions change.
	// A new id: an index over the old one would still meet the old vectors, of
	// another length, where some snapshot sees them.
	sqlChangeDims = `UPDATE embedding_models SET id = DEFAULT, dims = $2, ready_at = NULL
		WHERE id = $1 AND NOT EXISTS (SELECT FROM term_vectors WHERE model_id = $1) RETURNING id`

	sqlTextsWithoutVector = `SELECT x.id, x.text FROM term_texts x
		WHERE x.id > $2 AND x.needs_vector AND NOT EXISTS (SELECT FROM term_vectors v WHERE v.model_id = $1 AND v.text_id = x.id)
		ORDER BY x.id LIMIT $3`

	sqlCountWithoutVector = `SELECT count(*) FROM term_texts x
		WHERE x.needs_vector AND NOT EXISTS (SELECT FROM term_vectors v WHERE v.model_id = $1 AND v.text_id = x.id)`

	sqlLockTxShared = `SELECT pg_advisory_xact_lock_shared($1)`

	sqlMakeImportVectors = `CREATE TEMPORARY TABLE import_vectors (text_id bigint, embedding halfvec) ON COMMIT DROP`

	// Texts that went away meanwhile are left out.
	sqlInsertVectors = `INSERT INTO term_vectors (model_id, text_id, embedding)
		SELECT $1, i.text_id, i.embedding FROM import_vectors i
		WHERE EXISTS (SELECT FROM term_texts x WHERE x.id = i.text_id)
		ON CONFLICT (model_id, text_id) DO NOTHING`
)

// EmbeddingModels lists the models, by name.
func (s *Store) EmbeddingModels(ctx context.Context) ([]EmbeddingModel, error) {
	rows, err := s.pool.Query(ctx, sqlModels)
	if err != nil {
		return nil, wrap("list embedding models", err)
	}
	models, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (EmbeddingModel, error) {
		var m EmbeddingModel
		var ready *time.Time
		err := row.Scan(&m.Name, &m.Dims, &ready, &m.Vectors)
		m.ReadyAt = timeFrom(ready)
		return m, err
	})
	return models, wrap("list embedding models", err)
}

// VectorsReady reports whether a model's vectors and their index stand. It is
// cheap enough to be asked for a health check.
func (s *Store) VectorsReady(ctx context.Context, name string) (bool, error) {
	var ready bool
	err := s.pool.QueryRow(ctx, sqlVectorsReady, name).Scan(&ready)
	return ready, wrap("look at an embedding model", err)
}

// model finds a model by name; the error is ErrNotFound when it has no vectors yet.
func (s *Store) model(ctx context.Context, name string) (model, error) {
	if m, ok := s.models.Load(name); ok {
		return m.(model), nil
	}
	var m model
	err := s.pool.QueryRow(ctx, sqlModel, name).Scan(&m.id, &m.dims)
	if errors.Is(err, pgx.ErrNoRows) {
		return model{}, ErrNotFound
	}
	if err != nil {
		return model{}, err
	}
	s.models.Store(name, m)
	return m, nil
}

// ensureModel finds a model by name, entering it when it is new.
func (s *Store) ensureModel(ctx context.Context, name string, dims int) (model, error) {
	m, err := s.model(ctx, name)
	if errors.Is(err, ErrNotFound) {
		if _, err := s.pool.Exec(ctx, sqlInsertModel, name, dims); err != nil {
			return model{}, err
		}
		m, err = s.model(ctx, name)
	}
	if err != nil || m.dims == dims {
		return m, err
	}
	// A model without vectors, as after RemoveVectors, may come back with others.
	err = s.pool.QueryRow(ctx, sqlChangeDims, m.id, dims).Scan(&m.id)
	if errors.Is(err, pgx.ErrNoRows) {
		return model{}, plainf("embedding model %q has %d dimensions here, not %d; a changed model needs a new name, or its vectors removed", name, m.dims, dims)
	}
	if err != nil {
		return model{}, err
	}
	m.dims = dims
	s.models.Store(name, m)
	return m, nil
}

// TextsWithoutVector gives up to limit texts that need a vector of the model
// and have none, with ids above afterID, in the order of ids. A model that the store does not
// know has vectors of none.
func (s *Store) TextsWithoutVector(ctx context.Context, modelName string, afterID int64, limit int) ([]Text, error) {
	const op = "find texts without vector"
	m, err := s.model(ctx, modelName)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, wrap(op, err)
	}
	rows, err := s.pool.Query(ctx, sqlTextsWithoutVector, m.id, afterID, limit)
	if err != nil {
		return nil, wrap(op, err)
	}
	texts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Text, error) {
		var t Text
		err := row.Scan(&t.ID, &t.Text)
		return t, err
	})
	return texts, wrap(op, err)
}

// CountTextsWithoutVector counts the texts that need a vector of the model and
// have none.
func (s *Store) CountTextsWithoutVector(ctx context.Context, modelName string) (int, error) {
	const op = "count texts without vector"
	m, err := s.model(ctx, modelName)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, wrap(op, err)
	}
	var n int
	err = s.pool.QueryRow(ctx, sqlCountWithoutVector, m.id).Scan(&n)
	return n, wrap(op, err)
}

// PutVectors stores vectors of texts, all of the same number of dimensions,
// 1 to 4000, kept in half precision. A text that has a vector of the model
// keeps it. Some ten thousand rows at once are a good size; load them before
// EnsureVectorIndex, since adding to an index is slow.
func (s *Store) PutVectors(ctx context.Context, modelName string, rows []TextVector) error {
	const op = "store vectors"
	if len(rows) == 0 {
		return nil
	}
	dims := len(rows[0].Embedding)
	for _, r := range rows {
		if len(r.Embedding) != dims {
			return wrap(op, plainf("vectors of %d and %d dimensions cannot be stored together", dims, len(r.Embedding)))
		}
	}
	m, err := s.ensureModel(ctx, modelName, dims)
	if err != nil {
		return wrap(op, err)
	}
	return s.inTx(ctx, op, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockTxShared, importLock); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlMakeImportVectors); err != nil {
			return err
		}
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"import_vectors"}, []string{"text_id", "embedding"},
			pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
				return []any{rows[i].TextID, pgvector.NewHalfVector(rows[i].Embedding)}, nil
			}))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, sqlInsertVectors, m.id)
		return err
	})
}
