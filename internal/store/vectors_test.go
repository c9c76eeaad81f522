package store_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/pgvector/pgvector-go"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// vectorCount is how many vectors the benchmarks search; ICD-10-CM with its
// index has about 170,000 texts.
var vectorCount = flag.Int("vectors", 10_000, "vectors in the benchmarks")

const testDims = 256

// testVectors gives unit vectors that lie, as those of texts do, near a space
// of fewer dimensions.
func testVectors(n int, seed uint64) [][]float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	basis := rand.New(rand.NewPCG(7, 7))
	const latent = 24
	axes := make([][]float64, latent)
	for i := range axes {
		axes[i] = make([]float64, testDims)
		for j := range axes[i] {
			axes[i][j] = basis.NormFloat64()
		}
	}
	out := make([][]float32, n)
	for i := range out {
		v := make([]float64, testDims)
		for _, axis := range axes {
			w := r.NormFloat64()
			for j, x := range axis {
				v[j] += w * x
			}
		}
		norm := 0.0
		for j := range v {
			v[j] += r.NormFloat64()
			norm += v[j] * v[j]
		}
		norm = math.Sqrt(norm)
		out[i] = make([]float32, testDims)
		for j := range v {
			out[i][j] = float32(v[j] / norm)
		}
	}
	return out
}

func cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return dot / math.Sqrt(aa*bb)
}

// loadVectors imports n texts and stores their vectors for each model; it gives
// the vectors by text id.
func loadVectors(t testing.TB, s *store.Store, n int, models ...string) map[int64][]float32 {
	t.Helper()
	in := store.ReleaseImport{
		Release: coding.Release{ID: "r", System: coding.ICD10CM, Kind: "index", EffectiveFrom: coding.NewDate(2025, 10, 1)},
		SHA256:  sha("vectors"),
	}
	for i := range n {
		in.Terms = append(in.Terms, coding.Term{Text: fmt.Sprintf("text %d", i), Kind: coding.TermIndex, System: coding.ICD10CM, Code: "A00"})
	}
	mustImport(t, s, in, true)
	byID := make(map[int64][]float32, n)
	for m, model := range models {
		vecs := testVectors(n, uint64(m+1))
		var rows []store.TextVector
		for i, term := range in.Terms {
			id := store.TextID(term.Text)
			rows = append(rows, store.TextVector{TextID: id, Embedding: vecs[i]})
			if m == 0 {
				byID[id] = vecs[i]
			}
		}
		for chunk := range slices.Chunk(rows, 10_000) {
			if err := s.PutVectors(t.Context(), model, chunk); err != nil {
				t.Fatal(err)
			}
		}
	}
	return byID
}

// nearest is the right answer, computed here.
func nearest(byID map[int64][]float32, q []float32, k int) []coding.VectorHit {
	hits := make([]coding.VectorHit, 0, len(byID))
	for id, v := range byID {
		hits = append(hits, coding.VectorHit{TextID: id, Similarity: cosine(q, v)})
	}
	slices.SortFunc(hits, func(a, b coding.VectorHit) int {
		return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), cmp.Compare(a.TextID, b.TextID))
	})
	return hits[:min(k, len(hits))]
}

func TestSearchVectors(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := storetest.New(t)
	byID := loadVectors(t, s, 3000, "local@1", "other@1")
	for _, model := range []string{"local@1", "other@1"} {
		if err := s.EnsureVectorIndex(ctx, model, testDims, nil); err != nil {
			t.Fatal(err)
		}
	}
	queries := testVectors(20, 99)
	const k = 30
	exact, err := s.SearchVectorsExact(ctx, "local@1", queries, k)
	if err != nil {
		t.Fatal(err)
	}
	approximate, err := s.SearchVectors(ctx, "local@1", queries, k)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for i, q := range queries {
		want := nearest(byID, q, k)
		if len(exact[i]) != k || len(approximate[i]) != k {
			t.Fatalf("query %d: %d and %d hits, want %d", i, len(exact[i]), len(approximate[i]), k)
		}
		right := map[int64]bool{}
		for j, hit := range exact[i] {
			right[hit.TextID] = true
			// Half precision has 11 bits.
			if math.Abs(hit.Similarity-want[j].Similarity) > 2e-3 || math.Abs(hit.Similarity-cosine(q, byID[hit.TextID])) > 2e-3 {
				t.Errorf("query %d, hit %d: similarity %v, want %v", i, j, hit.Similarity, want[j].Similarity)
			}
		}
		for j, hit := range approximate[i] {
			if right[hit.TextID] {
				found++
			}
			if j > 0 && approximate[i][j-1].Similarity < hit.Similarity {
				t.Errorf("query %d: hit %d is out of order", i, j)
			}
		}
	}
	if recall := float64(found) / float64(k*len(queries)); recall < 0.95 {
		t.Errorf("the index finds %.3f of the nearest", recall)
	}

	// Another model's vectors are other vectors.
	other, err := s.SearchVectors(ctx, "other@1", queries[:1], 1)
	if err != nil || other[0][0] == approximate[0][0] {
		t.Errorf("the other model's nearest: %v, %v", other, err)
	}
	// More results than the index keeps by default.
	wide, err := s.SearchVectors(ctx, "local@1", queries[:1], 700)
	if err != nil || len(wide[0]) != 700 {
		t.Errorf("%d of 700 results: %v", len(wide[0]), err)
	}
	if none, err := s.SearchVectors(ctx, "local@1", nil, 5); err != nil || len(none) != 0 {
		t.Errorf("no vectors: %v, %v", none, err)
	}
}

// Equal similarities are ordered by text id.
// Nothing is similar to a vector of zeros, with and without the index.
func TestNothingIsNearToZero(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	loadVectors(t, s, 500, "m@1")
	if err := s.EnsureVectorIndex(t.Context(), "m@1", testDims, nil); err != nil {
		t.Fatal(err)
	}
	queries := append([][]float32{make([]float32, testDims)}, testVectors(1, 99)...)
	for name, search := range map[string]func(context.Context, string, [][]float32, int) ([][]coding.VectorHit, error){"index": s.SearchVectors, "exact": s.SearchVectorsExact} {
		hits, err := search(t.Context(), "m@1", queries, 10)
		if err != nil || len(hits[0]) != 0 || len(hits[1]) != 10 {
			t.Errorf("%s: %v: %v", name, hits, err)
		}
	}
}

func TestSearchVectorsTies(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	in := smallRelease("2026", coding.NewDate(2025, 10, 1))
	mustImport(t, s, in, true)
	var rows []store.TextVector
	var ids []int64
	for _, text := range []string{"high blood pressure", "Type 2 diabetes mellitus", "Essential (primary) hypertension"} {
		ids = append(ids, store.TextID(text))
		rows = append(rows, store.TextVector{TextID: store.TextID(text), Embedding: []float32{1, 0, 0, 0}})
	}
	if err := s.PutVectors(t.Context(), "m@1", rows); err != nil {
		t.Fatal(err)
	}
	if err := s.EnsureVectorIndex(t.Context(), "m@1", 4, nil); err != nil {
		t.Fatal(err)
	}
	hits, err := s.SearchVectors(t.Context(), "m@1", [][]float32{{1, 1, 0, 0}}, 3)
	if err != nil || len(hits[0]) != 3 {
		t.Fatal(hits, err)
	}
	slices.Sort(ids)
	for i, hit := range hits[0] {
		if hit.TextID != ids[i] {
			t.Errorf("hit %d is %d, want %d", i, hit.TextID, ids[i])
		}
	}
}

func TestSearchUsesTheIndex(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	loadVectors(t, s, 3000, "local@1", "other@1")
	if err := s.EnsureVectorIndex(t.Context(), "other@1", testDims, nil); err != nil {
		t.Fatal(err)
	}
	sql := fmt.Sprintf(store.SQLSearchVectors, 2, testDims)
	args := []pgvector.HalfVector{pgvector.NewHalfVector(testVectors(1, 5)[0])}
	rows, err := store.Pool(s).Query(t.Context(), "EXPLAIN (COSTS OFF) "+sql, args, 50)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if plan := strings.Join(lines, "\n"); !strings.Contains(plan, "Index Scan using term_vectors_hnsw_2") {
		t.Errorf("the plan does not use the index:\n%s", plan)
	}
}

func TestTextsWithoutVector(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := storetest.New(t)
	in := smallRelease("2026", coding.NewDate(2025, 10, 1))
	mustImport(t, s, in, true)
	const model = "m@1"
	var seen []string
	after := int64(0)
	for {
		texts, err := s.TextsWithoutVector(ctx, model, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(texts) == 0 {
			break
		}
		for _, text := range texts {
			if text.ID <= after || text.ID != store.TextID(text.Text) {
				t.Errorf("text %+v after %d", text, after)
			}
			after = text.ID
			seen = append(seen, text.Text)
		}
	}
	slices.Sort(seen)
	if want := []string{"Essential (primary) hypertension", "Type 2 diabetes mellitus", "high blood pressure"}; !slices.Equal(seen, want) {
		t.Errorf("texts %q, want %q", seen, want)
	}
	if n, err := s.CountTextsWithoutVector(ctx, model); err != nil || n != 3 {
		t.Errorf("%d texts without vector: %v", n, err)
	}
	putVectors(t, s, model, in.Terms[:2])
	rest, err := s.TextsWithoutVector(ctx, model, 0, 10)
	if err != nil || len(rest) != 1 || rest[0].Text != "Type 2 diabetes mellitus" {
		t.Errorf("left: %v, %v", rest, err)
	}
	if n, err := s.CountTextsWithoutVector(ctx, model); err != nil || n != 1 {
		t.Errorf("%d texts without vector: %v", n, err)
	}
	// A text keeps its vector; one that is unknown gets none.
	err = s.PutVectors(ctx, model, []store.TextVector{
		{TextID: store.TextID("high blood pressure"), Embedding: []float32{9, 9, 9, 9}},
		{TextID: 12345, Embedding: []float32{1, 1, 1, 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	hits, err := s.SearchVectorsExact(ctx, model, [][]float32{{1, 1, 0, 0}}, 5)
	if err != nil || len(hits[0]) != 2 || math.Abs(hits[0][0].Similarity-1) > 1e-3 {
		t.Errorf("hits %v: %v", hits, err)
	}
}

func TestIndexOfManyAtOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	loadVectors(t, s, 500, "m@1")
	models, err := s.EmbeddingModels(t.Context())
	if err != nil || len(models) != 1 || !models[0].ReadyAt.IsZero() || models[0].Vectors != 500 || models[0].Dims != testDims {
		t.Fatalf("models %+v: %v", models, err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := s.EnsureVectorIndex(t.Context(), "m@1", testDims, func(int64, int64) {}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	models, err = s.EmbeddingModels(t.Context())
	if err != nil || models[0].ReadyAt.IsZero() {
		t.Errorf("models %+v: %v", models, err)
	}
}

func TestVectorErrors(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := storetest.New(t)
	loadVectors(t, s, 10, "m@1")
	one := [][]float32{make([]float32, testDims)}
	one[0][0] = 1
	if _, err := s.SearchVectors(ctx, "none", one, 5); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown model: %v", err)
	}
	if err := s.EnsureVectorIndex(ctx, "none", testDims, nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("index of an unknown model: %v", err)
	}
	for _, k := range []int{0, 1001} {
		if _, err := s.SearchVectors(ctx, "m@1", one, k); err == nil {
			t.Errorf("k = %d is accepted", k)
		}
	}
	if _, err := s.SearchVectors(ctx, "m@1", [][]float32{{1, 2}}, 5); err == nil {
		t.Error("a vector of two dimensions is searched")
	}
	if err := s.PutVectors(ctx, "m@1", []store.TextVector{{TextID: 1, Embedding: []float32{1, 2}}}); err == nil {
		t.Error("a vector of two dimensions is stored")
	}
	if err := s.EnsureVectorIndex(ctx, "m@1", 2, nil); err == nil {
		t.Error("an index of two dimensions is made")
	}
}

// BenchmarkSearchVectors asks for the 50 nearest of the 20 vectors of a note,
// beside the same without our code: one statement for each vector, sent
// together or one after the other. It reports recall against the exact scan.
func BenchmarkSearchVectors(b *testing.B) {
	ctx := b.Context()
	s := storetest.New(b)
	loadVectors(b, s, *vectorCount, "local@1")
	if err := s.EnsureVectorIndex(ctx, "local@1", testDims, nil); err != nil {
		b.Fatal(err)
	}
	queries := testVectors(20, 99)
	const k = 50
	b.Run("store", func(b *testing.B) {
		var hits [][]coding.VectorHit
		var err error
		for b.Loop() {
			if hits, err = s.SearchVectors(ctx, "local@1", queries, k); err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		exact, err := s.SearchVectorsExact(ctx, "local@1", queries, k)
		if err != nil {
			b.Fatal(err)
		}
		found := 0
		for i := range exact {
			right := map[int64]bool{}
			for _, hit := range exact[i] {
				right[hit.TextID] = true
			}
			for _, hit := range hits[i] {
				if right[hit.TextID] {
					found++
				}
			}
		}
		b.ReportMetric(float64(found)/float64(k*len(queries)), "recall")
	})
	const raw = `SELECT text_id, 1 - (embedding::halfvec(256) <=> $1) FROM term_vectors WHERE model_id = 1
		ORDER BY embedding::halfvec(256) <=> $1 LIMIT 50`
	conn, err := store.Pool(s).Acquire(ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SET hnsw.ef_search = 100"); err != nil {
		b.Fatal(err)
	}
	read := func(rows pgx.Rows) error {
		var id int64
		var similarity float64
		tag, err := pgx.ForEachRow(rows, []any{&id, &similarity}, func() error { return nil })
		if err == nil && tag.RowsAffected() != k {
			err = fmt.Errorf("%d rows", tag.RowsAffected())
		}
		return err
	}
	b.Run("raw batch", func(b *testing.B) {
		for b.Loop() {
			batch := &pgx.Batch{}
			for _, q := range queries {
				batch.Queue(raw, pgvector.NewHalfVector(q)).Query(read)
			}
			if err := conn.SendBatch(ctx, batch).Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("raw one by one", func(b *testing.B) {
		for b.Loop() {
			for _, q := range queries {
				rows, err := conn.Query(ctx, raw, pgvector.NewHalfVector(q))
				if err != nil {
					b.Fatal(err)
				}
				if err := read(rows); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
