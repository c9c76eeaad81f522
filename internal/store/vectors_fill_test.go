package store_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// byLength embeds a text as its length and its first byte.
func byLength(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = []float32{float32(len(text)), float32(text[0]), 1}
	}
	return out, nil
}

func manyTexts(from, to int) store.ReleaseImport {
	in := store.ReleaseImport{
		Release: coding.Release{ID: fmt.Sprint("r-", from), System: coding.ICD10CM, Kind: "index", EffectiveFrom: coding.NewDate(2025, 10, 1)},
		SHA256:  sha(fmt.Sprint(from)),
	}
	for i := from; i < to; i++ {
		in.Terms = append(in.Terms, coding.Term{Text: fmt.Sprintf("%0*d", 1+i%40, i), Kind: coding.TermIndex, System: coding.ICD10CM, Code: "A00"})
	}
	return in
}

func TestFillVectors(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := storetest.New(t)
	mustImport(t, s, manyTexts(0, 300), true)
	seen := map[store.FillStage]int64{}
	cfg := store.FillConfig{Model: "m@1", Dims: 3, Embed: byLength, Progress: func(stage store.FillStage, done, total int64) {
		if done < seen[stage] || done > total {
			t.Errorf("%s goes from %d to %d of %d", stage, seen[stage], done, total)
		}
		seen[stage] = done
	}}
	added, err := s.FillVectors(ctx, cfg)
	if err != nil || added != 300 || seen[store.FillEmbedding] != 300 {
		t.Fatalf("added %d, told of %d: %v", added, seen[store.FillEmbedding], err)
	}
	ready(t, s, 300)

	// A few more go into the index, many lead to a new one; what is there stays.
	first := indexFile(t, s)
	clear(seen)
	mustImport(t, s, manyTexts(300, 400), true)
	if added, err := s.FillVectors(ctx, cfg); err != nil || added != 100 {
		t.Errorf("added %d: %v", added, err)
	}
	if got := indexFile(t, s); got != first {
		t.Error("the index was built anew for 100 vectors")
	}
	clear(seen)
	mustImport(t, s, manyTexts(400, 6000), true)
	if added, err := s.FillVectors(ctx, cfg); err != nil || added != 5600 {
		t.Errorf("added %d: %v", added, err)
	}
	if got := indexFile(t, s); got == first {
		t.Error("the index was not built anew for 5,600 vectors")
	}
	ready(t, s, 6000)
	want := "0000000000000000000000000005987"
	hits, err := s.SearchVectorsExact(ctx, "m@1", [][]float32{{float32(len(want)), '0', 1}}, 1)
	if err != nil || len(hits[0]) != 1 || math.Abs(hits[0][0].Similarity-1) > 1e-3 {
		t.Errorf("hits %v: %v", hits, err)
	}
}

func ready(t testing.TB, s *store.Store, vectors int) {
	t.Helper()
	models, err := s.EmbeddingModels(t.Context())
	if err != nil || len(models) != 1 || models[0].Vectors != vectors || models[0].ReadyAt.IsZero() {
		t.Errorf("models %+v: %v", models, err)
	}
}

// indexFile tells one build of the index from another.
func indexFile(t testing.TB, s *store.Store) int64 {
	t.Helper()
	var file int64
	if err := store.Pool(s).QueryRow(t.Context(), "SELECT pg_relation_filenode('term_vectors_hnsw_1')::bigint").Scan(&file); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFillVectorsAtOnce(t *testing.T) {
	t.Parallel()
	url := storetest.MigratedURL(t)
	mustImport(t, open(t, url), manyTexts(0, 500), true)
	var embedded, added atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		s := open(t, url)
		wg.Go(func() {
			n, err := s.FillVectors(t.Context(), store.FillConfig{Model: "m@1", Dims: 3, Embed: func(ctx context.Context, texts []string) ([][]float32, error) {
				embedded.Add(int64(len(texts)))
				return byLength(ctx, texts)
			}})
			if err != nil {
				t.Error(err)
			}
			added.Add(int64(n))
		})
	}
	wg.Wait()
	if embedded.Load() != 500 || added.Load() != 500 {
		t.Errorf("%d texts were embedded and %d added, want 500", embedded.Load(), added.Load())
	}
}

func TestFillVectorsFails(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	mustImport(t, s, manyTexts(0, 20), true)
	broken := errors.New("no answer")
	for name, embed := range map[string]func(context.Context, []string) ([][]float32, error){
		"error":   func(context.Context, []string) ([][]float32, error) { return nil, broken },
		"too few": func(context.Context, []string) ([][]float32, error) { return [][]float32{{1, 2, 3}}, nil },
		"other dimensions": func(_ context.Context, texts []string) ([][]float32, error) {
			return make([][]float32, len(texts)), nil
		},
	} {
		added, err := s.FillVectors(t.Context(), store.FillConfig{Model: "m@1", Dims: 3, Embed: embed})
		if err == nil || added != 0 || (name == "error") != errors.Is(err, broken) {
			t.Errorf("%s: added %d, %v", name, added, err)
		}
	}
	models, err := s.EmbeddingModels(t.Context())
	if err != nil || len(models) != 1 || !models[0].ReadyAt.IsZero() {
		t.Errorf("models %+v: %v", models, err)
	}
	if _, err := s.FillVectors(t.Context(), store.FillConfig{Model: "m@1", Dims: 3}); err == nil {
		t.Error("nothing to embed with")
	}
}
