package runs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chartcode/eval/dataset"
	"chartcode/eval/measure"
	"chartcode/internal/coding"
)

// words suggests R05.9 where a note says cough and retrieves I10 always.
type words struct {
	calls atomic.Int32
	stop  func(call int32) error
}

func (w *words) Process(ctx context.Context, n coding.Note) (coding.SuggestionSet, error) {
	if err := ctx.Err(); err != nil {
		return coding.SuggestionSet{}, err
	}
	if call := w.calls.Add(1); w.stop != nil {
		if err := w.stop(call); err != nil {
			return coding.SuggestionSet{}, err
		}
	}
	set := coding.SuggestionSet{NoteID: n.NoteID, NoteSHA256: n.SHA256(), Setting: coding.Outpatient, Ranker: "words@1", Removed: []string{"A00.9"},
		Usage: coding.Usage{PromptTokens: 10, CostUSD: 0.01}, CreatedAt: time.Now()}
	set.Candidates = []coding.Candidate{{Code: "I10"}, {Code: "R05.9"}}
	if i := strings.Index(n.Text, "cough"); i >= 0 {
		set.Suggestions = []coding.Suggestion{{Code: "R05.9", Confidence: 0.8, Evidence: []coding.Evidence{{Span: coding.Span{Start: i, End: i + 5}, Text: "cough"}}}}
	}
	return set, nil
}

type codes struct{}

func (codes) Known(code string, _ coding.Date) (bool, bool) { return true, code != "R05" }
func (codes) Title(code string) (Title, bool) {
	return Title{Title: map[string]string{"R05.9": "Cough, unspecified", "I10": "Essential (primary) hypertension", "R05": "Cough", "A00.9": "Cholera"}[code], Billable: code != "R05"}, true
}

func someNotes() []dataset.Note {
	var out []dataset.Note
	for i := range 12 {
		n := dataset.Note{Note: coding.Note{NoteID: fmt.Sprintf("n%02d", i), Source: "test", Text: fmt.Sprintf("Note %d: a cough.", i)}}
		n.Codes = []dataset.Code{{System: coding.ICD10CM, Code: "R05.9"}}
		if i%3 == 0 {
			n.Text = fmt.Sprintf("Note %d: well.", i)
			n.Codes = []dataset.Code{{System: coding.ICD10CM, Code: "A00.9"}, {System: coding.ICD10CM, Code: "R05", InFY2026: "header"}}
		}
		n.Patient.ID = fmt.Sprint("p", i/2)
		out = append(out, n)
	}
	return out
}

func newWork(t *testing.T, s Suggester) (Work, Run) {
	t.Helper()
	w := Work{Store: NewStore(filepath.Join(t.TempDir(), "runs")), Notes: someNotes(), Suggester: s, Codes: codes{}, Workers: 3,
		Progress: func(int, int, float64) {}, Now: time.Now}
	c := Config{Dataset: DatasetRef{Name: "test notes", SHA256: "x"}, Ranker: "local", Judged: 1}
	for _, n := range w.Notes {
		c.NoteIDs = append(c.NoteIDs, n.NoteID)
	}
	r, err := w.Store.Create(c, "notes.jsonl", time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	return w, r
}

func predictionsOf(t *testing.T, w Work, r Run) []byte {
	t.Helper()
	path, err := w.Store.Path(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(path, predictionFile))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRunIsKeptAndScored(t *testing.T) {
	t.Parallel()
	w, r := newWork(t, &words{})
	last := 0.0
	w.Progress = func(_, _ int, cost float64) { last = cost }
	if err := w.Do(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if last < 0.1199 || last > 0.1201 {
		t.Errorf("cost so far %v, want 0.12", last)
	}
	if got, err := w.Store.Get(r.ID); err != nil || !got.Done() || got.ID != "20010909T014640Z-test-notes-local" {
		t.Fatalf("run %+v, %v", got, err)
	}
	cases, err := w.Store.Cases(r.ID, &dataset.Dataset{Notes: someNotes()})
	if err != nil {
		t.Fatal(err)
	}
	// A00.9 is removed by a rule; the header R05 makes a suggestion below it count neither way.
	if o := cases[0].Outcome(); len(o.Missed) != 1 || o.Missed[0].Loss != measure.RemovedByRule || cases[0].Unscored[0] != "R05" {
		t.Errorf("note 0: %+v, %+v", o, cases[0])
	}
	if o := cases[1].Outcome(); !o.AllRight() || cases[1].Cluster != cases[0].Cluster || cases[1].Millis <= 0 || cases[1].Tokens != 10 {
		t.Errorf("note 1: %+v, %+v", o, cases[1])
	}
	s := measure.Score(cases, measure.Options{Samples: 10})
	if s.Clusters != 6 {
		t.Errorf("%d patients, want 6", s.Clusters)
	}
	if err := w.Store.PutScores(r.ID, &s); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := w.Store.Scores(r.ID); err != nil || !ok || got.Notes != 12 {
		t.Errorf("scores %+v, %v, %v", got, ok, err)
	}
	changed := someNotes()
	changed[3].Text += " More."
	if _, err := w.Store.Cases(r.ID, &dataset.Dataset{Notes: changed}); !errors.Is(err, ErrBroken) {
		t.Errorf("scored against changed notes: %v", err)
	}
	if b := predictionsOf(t, w, r); bytes.Contains(b, []byte("cough")) {
		t.Error("the text of a note is in the predictions")
	}
}

// A run that ends anywhere, and whose last line is cut off anywhere, goes on to
// the same bytes as one that did not.
func TestRunGoesOn(t *testing.T) {
	t.Parallel()
	w, whole := newWork(t, &words{})
	if err := w.Do(t.Context(), &whole); err != nil {
		t.Fatal(err)
	}
	want := predictionsOf(t, w, whole)
	broken := errors.New("killed")
	for _, cut := range []int{0, 1, 30, 200} {
		w, r := newWork(t, &words{stop: func(call int32) error {
			if call > 7 {
				return broken
			}
			return nil
		}})
		w.Workers = 1 // so that the first seven notes are those that are done
		if err := w.Do(t.Context(), &r); !errors.Is(err, broken) {
			t.Fatalf("the run ended with %v", err)
		}
		if _, _, err := w.Store.Predictions(r.ID); !errors.Is(err, ErrUnfinished) {
			t.Errorf("an unfinished run was read: %v", err)
		}
		path, _ := w.Store.Path(r.ID)
		for _, name := range []string{predictionFile, tookFile} {
			b, err := os.ReadFile(filepath.Join(path, name))
			if err != nil || len(b) < cut {
				t.Fatal(len(b), err)
			}
			if err := os.WriteFile(filepath.Join(path, name), append(b[:len(b)-cut], `{"note`...), 0o600); err != nil {
				t.Fatal(err)
			}
			cut /= 2 // the two files end at different notes
		}
		again, ok, err := w.Store.Unfinished(&r.Config)
		if err != nil || !ok || again.ID != r.ID {
			t.Fatalf("the unfinished run is not found: %v, %v", ok, err)
		}
		later := &words{}
		w.Suggester = later
		if err := w.Do(t.Context(), &again); err != nil {
			t.Fatal(err)
		}
		if got := predictionsOf(t, w, again); !bytes.Equal(got, want) {
			t.Errorf("the resumed run differs:\n%s\nwant\n%s", got, want)
		}
		if n := later.calls.Load(); n >= 12 || again.Resumed != 1 {
			t.Errorf("%d notes were run again, resumed %d times", n, again.Resumed)
		}
		if _, took, err := w.Store.Predictions(again.ID); err != nil || len(took) != 12 {
			t.Errorf("%d notes took something: %v", len(took), err)
		}
		if _, ok, _ := w.Store.Unfinished(&r.Config); ok {
			t.Error("a finished run is taken as unfinished")
		}
	}
}

func TestRunIsWorkedOnByOne(t *testing.T) {
	t.Parallel()
	inside, let := make(chan struct{}), make(chan struct{})
	w, r := newWork(t, &words{stop: func(call int32) error {
		if call == 1 {
			close(inside)
			<-let
		}
		return nil
	}})
	ended := make(chan error)
	mine := r
	go func() { ended <- w.Do(context.Background(), &mine) }()
	<-inside
	if err := w.Do(t.Context(), &r); !errors.Is(err, ErrBusy) {
		t.Errorf("a second process on the run: %v", err)
	}
	close(let)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	a := Config{Dataset: DatasetRef{SHA256: "x"}, NoteIDs: []string{"1"}}
	b := a
	b.Build.Dirty = true
	ia, _ := a.Identity()
	ib, _ := b.Identity()
	if ia == ib || len(ia) != 64 {
		t.Error("runs of different programs have one identity")
	}
	if got := ThisBuild("2026.1-3-g9f3c1ab-dirty"); got.Commit != "9f3c1ab" || !got.Dirty { // tests are built without a commit
		t.Errorf("build %+v", got)
	}
}

func TestStoreErrors(t *testing.T) {
	t.Parallel()
	s := NewStore(filepath.Join(t.TempDir(), "none"))
	if all, err := s.List(); err != nil || len(all) != 0 {
		t.Errorf("no runs: %v, %v", all, err)
	}
	for _, id := range []string{"x", "../../etc", ""} {
		if _, err := s.Get(id); !errors.Is(err, ErrNone) {
			t.Errorf("run %q: %v", id, err)
		}
	}
}

func FuzzGoodLines(f *testing.F) {
	f.Add([]byte("{\"note_id\":\"a\"}\n{\"note_id\":\"b\"}\n"))
	f.Add([]byte("{\"note_id\":\"a\"}\n{\"note"))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "p.jsonl")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		ends, err := goodLines(path, []string{"a", "b"}, func([]byte) {})
		if err != nil || len(ends) > 2 {
			t.Fatalf("%v, %v", ends, err)
		}
		for _, end := range ends {
			if end < 1 || end > int64(len(b)) || b[end-1] != '\n' {
				t.Errorf("a line ends at %d of %d", end, len(b))
			}
		}
	})
}
