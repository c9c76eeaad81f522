package results

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"chartcode/eval/dataset"
	"chartcode/eval/measure"
	"chartcode/eval/runs"
)

// stored is the repository's baseline in a folder of its own, with its notes where
// at says.
func stored(t *testing.T) (r *Results, notes string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "runs", "a"), os.DirFS("../datasets/baseline/sample-notes")); err != nil {
		t.Fatal(err)
	}
	notes = filepath.Join(dir, "moved.jsonl")
	b, err := os.ReadFile("../datasets/sample-notes.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(notes, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return New(dataset.NewRegistry(filepath.Join(dir, "datasets")), runs.NewStore(filepath.Join(dir, "runs"))), notes
}

func TestRunFindsItsNotes(t *testing.T) {
	t.Parallel()
	r, notes := stored(t)
	in, err := r.Load("a", notes)
	if err != nil || len(in.Cases) != len(in.Notes) || len(in.Cases) == 0 || len(in.Titles) == 0 {
		t.Fatalf("%d cases, %d notes, %v", len(in.Cases), len(in.Notes), err)
	}
	if _, err := r.Run("a"); !errors.Is(err, ErrNotes) {
		t.Errorf("without the notes: %v", err)
	}
	if _, err := r.Load("a", "../results/results.go"); !errors.Is(err, ErrNotes) {
		t.Errorf("with other notes: %v", err)
	}
	b, err := os.ReadFile(notes)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Datasets.Add(b, dataset.About{Name: in.Run.Config.Dataset.Name}); err != nil {
		t.Fatal(err)
	}
	in, err = r.Run("a")
	if err != nil {
		t.Fatal(err)
	}
	want := measure.Score(in.Cases, measure.Options{Seed: 1, Slices: true})
	got, _ := in.Scores.Figure("micro_f1")
	if f, _ := want.Figure("micro_f1"); got != f {
		t.Errorf("micro F1 %+v, want %+v", got, f)
	}
	same, err := r.Compare("a", "a")
	if err != nil || same.Comparison.Same != len(in.Cases) || same.Other.ID != in.Run.ID {
		t.Errorf("with itself: %+v, %v", same.Comparison, err)
	}
	if _, err := r.Run("none"); !errors.Is(err, runs.ErrNone) {
		t.Errorf("no such run: %v", err)
	}
}
