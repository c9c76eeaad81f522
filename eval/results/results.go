// Package results reads evaluation runs together with the gold notes that they
// were made on: for commands and pages alike. It knows no stage of the pipeline and
// no database, and changes nothing but the kept figures of a run.
package results

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"chartcode/eval/dataset"
	"chartcode/eval/measure"
	"chartcode/eval/report"
	"chartcode/eval/runs"
)

// ErrNotes says that the notes of a run are not there any more as they were.
var ErrNotes = errors.New("its notes are not there any more as they were")

// Results reads runs. It is safe for use by several goroutines, and keeps a few
// runs and comparisons that were read last, since a finished run does not change.
type Results struct {
	Datasets dataset.Registry
	Runs     runs.Store

	mu   sync.Mutex
	kept []kept
}

type kept struct {
	key string
	in  report.Input
}

// New reads runs of a store, whose notes are in the registry or where they were.
func New(registry dataset.Registry, store runs.Store) *Results {
	return &Results{Datasets: registry, Runs: store}
}

// List gives all runs, newest first.
func (r *Results) List() ([]runs.Run, error) { return r.Runs.List() }

// Scores gives a run's figures where they were kept; ok is false where not.
func (r *Results) Scores(id string) (s measure.Scores, ok bool, err error) { return r.Runs.Scores(id) }

// Gold finds the notes of a run: at a place, or with an empty one under the
// dataset's name, or where they were; they must be the same.
func (r *Results) Gold(run *runs.Run, at string) (*dataset.Dataset, error) {
	places := []string{at}
	if at == "" {
		places = []string{run.Config.Dataset.Name, run.Path}
	}
	for _, place := range places {
		path, about, err := r.Datasets.Find(place)
		if errors.Is(err, dataset.ErrNone) || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if about.SHA256 == run.Config.Dataset.SHA256 {
			return dataset.Read(path)
		}
	}
	return nil, fmt.Errorf("run %s (dataset %s, sha256 %.12s): %w; --dataset says where they are", run.ID, run.Config.Dataset.Name, run.Config.Dataset.SHA256, ErrNotes)
}

// Load gives a run with its notes and predictions beside gold, without figures.
// notes is where the notes are, if they have moved.
func (r *Results) Load(id, notes string) (in report.Input, err error) {
	if in.Run, err = r.Runs.Get(id); err != nil {
		return in, err
	}
	gold, err := r.Gold(&in.Run, notes)
	if err != nil {
		return in, err
	}
	if in.Cases, err = r.Runs.Cases(id, gold); err != nil {
		return in, err
	}
	if in.Notes, err = runs.Notes(gold, in.Run.Config.NoteIDs); err != nil {
		return in, err
	}
	in.Titles, err = r.Runs.Titles(id)
	return in, err
}

// Run gives a run with its figures: those that were kept, or computed now.
func (r *Results) Run(id string) (report.Input, error) {
	return r.keep("run "+id, func() (report.Input, error) {
		in, err := r.Load(id, "")
		if err != nil {
			return in, err
		}
		s, ok, err := r.Runs.Scores(id)
		if err != nil || !ok || s.Notes != len(in.Cases) {
			s = measure.Score(in.Cases, measure.Options{Seed: 1, Slices: true})
		}
		in.Scores = s
		return in, nil
	})
}

// Compare gives run b compared with run a, over the same notes.
func (r *Results) Compare(a, b string) (report.Input, error) {
	first, err := r.Run(a)
	if err != nil {
		return report.Input{}, err
	}
	second, err := r.Run(b)
	if err != nil {
		return report.Input{}, err
	}
	return r.keep("compare "+a+" "+b, func() (report.Input, error) {
		c, err := measure.Compare(first.Cases, second.Cases, measure.Options{Seed: 1})
		second.Other, second.Comparison = &first.Run, &c
		return second, err
	})
}

// keptMost is how much is kept: pages are turned over one run, or two.
const keptMost = 6

func (r *Results) keep(key string, make func() (report.Input, error)) (report.Input, error) {
	r.mu.Lock()
	for i, k := range r.kept {
		if k.key == key {
			r.kept = append(append(r.kept[:i:i], r.kept[i+1:]...), k)
			r.mu.Unlock()
			return k.in, nil
		}
	}
	r.mu.Unlock()
	in, err := make()
	if err != nil {
		return in, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, kept{key, in})
	if len(r.kept) > keptMost {
		r.kept = r.kept[1:]
	}
	return in, nil
}
