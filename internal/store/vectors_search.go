package store

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"chartcode/internal/coding"
)

const (
	// pgvector's limit for hnsw.ef_search, and so for k.
	maxSearchResults = 1000

	// A search of the graph keeps so many candidates for each result asked for, and
	// not fewer than the least. Of the 50 terms nearest to a mention of a real note
	// `chartcode bench index` found 0.88 with 100 candidates, 0.97 with 600 and 0.99
	// with 1000, in time that grows with them.
	searchWidthFactor = 16
	searchWidthLeast  = 200

	// Local to the batch, which is one transaction.
	sqlSearchWidth = `SELECT set_config('hnsw.ef_search', $1, true)`

	// The model's id and dimensions are put in as numbers (%[1]d and %[2]d):
	// PostgreSQL uses an index only when its expression and condition are in the
	// statement word for word.
	sqlfSearchVectors = `SELECT q.n, h.text_id, h.similarity
		FROM unnest($1::halfvec[]) WITH ORDINALITY AS q (v, n)
		CROSS JOIN LATERAL (
			SELECT t.text_id, 1 - (t.embedding::halfvec(%[2]d) <=> q.v) AS similarity
			FROM term_vectors t WHERE t.model_id = %[1]d
			ORDER BY t.embedding::halfvec(%[2]d) <=> q.v LIMIT $2) h
		ORDER BY q.n, h.similarity DESC, h.text_id`

	sqlNoIndexScan = `SELECT set_config('enable_indexscan', 'off', true)`
)

// SearchVectors finds, for each vector, the k texts (1 to 1000) whose vectors
// of the model are most similar by cosine, through the HNSW index, which may
// miss some. All are asked in one round trip. Result i belongs to vecs[i] and
// is ordered by similarity, highest first, then by text id; it is empty for a
// vector of zeros. The error is ErrNotFound when the model has no vectors.
func (s *Store) SearchVectors(ctx context.Context, modelName string, vecs [][]float32, k int) ([][]coding.VectorHit, error) {
	return s.searchVectors(ctx, modelName, vecs, k, func(b *pgx.Batch) {
		b.Queue(sqlSearchWidth, strconv.Itoa(min(max(searchWidthFactor*k, searchWidthLeast), maxSearchResults)))
	})
}

// SearchVectorsExact is SearchVectors without the index: slow, and complete.
// It is what the index's recall is measured against.
func (s *Store) SearchVectorsExact(ctx context.Context, modelName string, vecs [][]float32, k int) ([][]coding.VectorHit, error) {
	return s.searchVectors(ctx, modelName, vecs, k, func(b *pgx.Batch) { b.Queue(sqlNoIndexScan) })
}

func (s *Store) searchVectors(ctx context.Context, modelName string, vecs [][]float32, k int, set func(*pgx.Batch)) ([][]coding.VectorHit, error) {
	const op = "search vectors"
	if k < 1 || k > maxSearchResults {
		return nil, wrap(op, plainf("%d results cannot be asked for, only 1 to %d", k, maxSearchResults))
	}
	m, err := s.model(ctx, modelName)
	if err != nil {
		return nil, wrap(op, err)
	}
	hits := make([][]coding.VectorHit, len(vecs))
	if len(vecs) == 0 {
		return hits, nil
	}
	args := make([]pgvector.HalfVector, len(vecs))
	for i, v := range vecs {
		if len(v) != m.dims {
			return nil, wrap(op, plainf("a vector of %d dimensions cannot be searched among those of %d", len(v), m.dims))
		}
		args[i] = pgvector.NewHalfVector(v)
	}
	batch := &pgx.Batch{}
	set(batch)
	batch.Queue(fmt.Sprintf(sqlfSearchVectors, m.id, m.dims), args, k)
	results := s.pool.SendBatch(ctx, batch)
	err = readHits(results, hits, k)
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, wrap(op, err)
	}
	return hits, nil
}

func readHits(results pgx.BatchResults, hits [][]coding.VectorHit, k int) error {
	if _, err := results.Exec(); err != nil {
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	// All lists together are one allocation.
	all := make([]coding.VectorHit, 0, len(hits)*k)
	var n, id int64
	var similarity float64
	var first, current int64 = 0, 0
	flush := func() {
		if current > 0 {
			hits[current-1] = all[first:len(all):len(all)]
		}
		first = int64(len(all))
	}
	_, err = pgx.ForEachRow(rows, []any{&n, &id, &similarity}, func() error {
		if n != current {
			flush()
			current = n
		}
		if math.IsNaN(similarity) { // to a vector of zeros nothing is similar
			return nil
		}
		all = append(all, coding.VectorHit{TextID: id, Similarity: similarity})
		return nil
	})
	flush()
	return err
}
