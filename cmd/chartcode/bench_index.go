package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"chartcode/internal/coding"
	"chartcode/pipeline/retrieve"
	"chartcode/pipeline/segment"
)

// indexBench says what `bench index` measures.
type indexBench struct {
	notes       string
	mentions, k int
	seed        uint64
	json        bool
}

// indexFigures is what `bench index --json` gives.
type indexFigures struct {
	Model    string  `json:"model"`
	Vectors  int     `json:"vectors"`
	Mentions int     `json:"mentions"`
	K        int     `json:"k"`
	Recall   float64 `json:"recall"`      // neighbours found that are as near as the exact scan's k-th
	Same     float64 `json:"recall_same"` // of the very texts of the exact scan, ties decided by id
	IndexMS  float64 `json:"index_ms"`    // mean time of one question
	ExactMS  float64 `json:"exact_ms"`
}

func benchNotes() string { return filepath.Join(testdataDir(), "notes", "mtsamples.jsonl") }

func benchIndexCommand(o *options) *cobra.Command {
	var b indexBench
	cmd := &cobra.Command{
		Use:   "index",
		Short: "Measure the recall and time of the vectors' index",
		Long: `Draws mentions (noun phrases, as retrieval asks the vectors for them) from notes and
asks for the nearest terms of each through the index and by an exact scan, one at a
time. Recall is the share of the exact scan's k neighbours that the index gives;
one that is as near as the k-th counts as found, since many texts are equally near.`,
		Example: "  chartcode bench index --notes notes.jsonl --mentions 1000 --k 50",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if b.mentions < 1 || b.k < 1 || b.k > 1000 {
				return usagef("--mentions is at least 1 and --k from 1 to 1000")
			}
			return b.run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&b.notes, "notes", benchNotes(), "notes as JSON lines")
	cmd.Flags().IntVar(&b.mentions, "mentions", 1000, "how many mentions to ask for")
	cmd.Flags().IntVar(&b.k, "k", 50, "how many neighbours to ask for")
	cmd.Flags().Uint64Var(&b.seed, "seed", 1, "of the draw")
	cmd.Flags().BoolVar(&b.json, "json", false, "as JSON")
	return cmd
}

func (b indexBench) run(ctx context.Context, o *options) error {
	a, err := o.newApp(true)
	if err != nil {
		return err
	}
	defer a.close(false)
	notes, err := readNotes(b.notes)
	if err != nil {
		return err
	}
	_, terms, err := a.newestTable(ctx)
	if err != nil {
		return err
	}
	embedder, err := a.embedder(ctx)
	if err != nil {
		return err
	}
	a.progress.Step("Reading the notes")
	r, err := retrieve.New(retrieve.Config{Terms: terms, Embedder: embedder, Searcher: a.store})
	if err != nil {
		return err
	}
	texts := b.draw(r, notes)
	if len(texts) == 0 {
		return errors.New("the notes hold no mention")
	}
	vecs, err := embedder.Embed(ctx, texts)
	if err != nil {
		return err
	}
	f := indexFigures{Model: embedder.Name(), Mentions: len(texts), K: b.k}
	models, err := a.store.EmbeddingModels(ctx)
	if err != nil {
		return databaseError(err)
	}
	for _, m := range models {
		if m.Name == f.Model {
			f.Vectors = m.Vectors
		}
	}
	if err := a.measureIndex(ctx, &f, vecs); err != nil {
		return databaseError(err)
	}
	a.progress.done()
	return f.print(b.json)
}

// draw gives distinct mentions of all notes, in a random order that the seed decides.
func (b indexBench) draw(r *retrieve.Retriever, notes []suggestInput) []string {
	var all []string
	seen := map[string]bool{}
	for _, n := range notes {
		if n.err != nil {
			continue
		}
		for _, m := range r.Mentions(segment.Segment(n.note)) {
			if !seen[m] {
				seen[m] = true
				all = append(all, m)
			}
		}
	}
	rng := rand.New(rand.NewPCG(b.seed, 1))
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(len(all), b.mentions)]
}

type searchFunc func(ctx context.Context, model string, vecs [][]float32, k int) ([][]coding.VectorHit, error)

func (a *app) measureIndex(ctx context.Context, f *indexFigures, vecs [][]float32) error {
	ask := func(what string, search searchFunc) (hits [][]coding.VectorHit, ms float64, err error) {
		a.progress.Step(what)
		// What is asked first is read from disk; it does not count.
		if _, err := search(ctx, f.Model, vecs[:1], f.K); err != nil {
			return nil, 0, err
		}
		started := time.Now()
		for i := range vecs {
			found, err := search(ctx, f.Model, vecs[i:i+1], f.K)
			if err != nil {
				return nil, 0, err
			}
			hits = append(hits, found[0])
			a.progress.Update(i+1, len(vecs))
		}
		return hits, float64(time.Since(started).Microseconds()) / 1000 / float64(len(vecs)), nil
	}
	near, ms, err := ask("Asking the index", a.store.SearchVectors)
	if err != nil {
		return err
	}
	f.IndexMS = ms
	exact, ms, err := ask("Reading every vector", a.store.SearchVectorsExact)
	if err != nil {
		return err
	}
	f.ExactMS = ms
	f.Recall, f.Same = recallOf(near, exact)
	return nil
}

// equallyNear is how far two computations of one similarity may lie apart.
const equallyNear = 1e-6

// recallOf gives the share of the exact neighbours that were found: counting
// those that are as near as the last exact one, and only the very same.
func recallOf(near, exact [][]coding.VectorHit) (recall, same float64) {
	var of, found, equal int
	for i, want := range exact {
		if len(want) == 0 {
			continue
		}
		last := want[len(want)-1].Similarity - equallyNear
		ids := map[int64]bool{}
		for _, h := range want {
			ids[h.TextID] = true
		}
		of += len(want)
		for _, h := range near[i] {
			if h.Similarity >= last {
				found++
			}
			if ids[h.TextID] {
				equal++
			}
		}
	}
	if of == 0 {
		return 0, 0
	}
	return float64(found) / float64(of), float64(equal) / float64(of)
}

func (f indexFigures) print(asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(f)
	}
	fmt.Printf("%d mentions, %d neighbours each, among %s vectors of %s\n", f.Mentions, f.K, coding.Thousands(f.Vectors), f.Model)
	fmt.Printf("recall at %d: %.4f (%.4f where only the very same texts count)\n", f.K, f.Recall, f.Same)
	fmt.Printf("index: %.2f ms a question\nexact: %.2f ms a question\n", f.IndexMS, f.ExactMS)
	fmt.Printf("on %s/%s, %d processors\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	return nil
}
