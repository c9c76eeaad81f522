package runs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"chartcode/eval/dataset"
	"chartcode/internal/coding"
	"chartcode/internal/inorder"
)

// Suggester is the pipeline.
type Suggester interface {
	Process(ctx context.Context, note coding.Note) (coding.SuggestionSet, error)
}

// Codes tells of codes on a date of service.
type Codes interface {
	dataset.Codes
	// Title gives what a code is called.
	Title(code string) (Title, bool)
}

// Work is what a run needs to be done.
type Work struct {
	Store     Store
	Notes     []dataset.Note // those of Run.Config.NoteIDs, in that order
	Suggester Suggester
	Codes     Codes
	Workers   int // notes at once
	Progress  func(done, of int, costUSD float64)
	Now       func() time.Time
}

// Do works a run off to its end, from the first note that has no line yet. When
// ctx ends it stops between two notes, and the run can go on later.
func (w Work) Do(ctx context.Context, r *Run) error {
	path, err := w.Store.Path(r.ID)
	if err != nil {
		return err
	}
	l, err := lock(path)
	if err != nil {
		return err
	}
	defer l.Release()
	predictions, took, done, cost, err := open(path, r)
	if err != nil {
		return err
	}
	defer predictions.Close()
	defer took.Close()
	if done > 0 {
		r.Resumed++
		if err := w.Store.put(r); err != nil {
			return err
		}
	}
	if err := w.suggest(ctx, done, cost, predictions, took); err != nil {
		return err
	}
	if err := errors.Join(predictions.Close(), took.Close()); err != nil {
		return fmt.Errorf("write a run: %w", err)
	}
	r.Finished = w.Now().UTC()
	if err := w.titles(path); err != nil {
		return err
	}
	return w.Store.put(r)
}

// open gives the two files, cut off behind the last note that both have a whole
// line of, with their number and what these cost.
func open(path string, r *Run) (predictions, took *os.File, done int, cost float64, err error) {
	good := [2][]int64{} // where each good line ends
	var costs []float64
	for k, name := range []string{predictionFile, tookFile} {
		good[k], err = goodLines(filepath.Join(path, name), r.Config.NoteIDs, func(b []byte) {
			if k == 1 {
				var t Took
				if json.Unmarshal(b, &t) == nil {
					costs = append(costs, t.Usage.CostUSD)
				}
			}
		})
		if err != nil {
			return nil, nil, 0, 0, err
		}
	}
	done = min(len(good[0]), len(good[1]))
	for _, c := range costs[:done] {
		cost += c
	}
	var files [2]*os.File
	for k, name := range []string{predictionFile, tookFile} {
		end := int64(0)
		if done > 0 {
			end = good[k][done-1]
		}
		f, err := os.OpenFile(filepath.Join(path, name), os.O_CREATE|os.O_RDWR, 0o600)
		if err == nil {
			err = f.Truncate(end)
		}
		if err == nil {
			_, err = f.Seek(end, io.SeekStart)
		}
		if err != nil {
			return nil, nil, 0, 0, fmt.Errorf("open a run: %w", err)
		}
		files[k] = f
	}
	return files[0], files[1], done, cost, nil
}

// goodLines gives the ends of the lines that are whole and of the notes in order.
func goodLines(path string, ids []string, use func([]byte)) ([]int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open a run: %w", err)
	}
	defer f.Close()
	var ends []int64
	end := int64(0)
	r := bufio.NewReader(f)
	for len(ends) < len(ids) {
		b, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("open a run: %w", err)
		}
		var line struct {
			NoteID string `json:"note_id"`
		}
		if json.Unmarshal(b, &line) != nil || line.NoteID != ids[len(ends)] {
			break
		}
		end += int64(len(b))
		ends = append(ends, end)
		use(b)
	}
	return ends, nil
}

// suggest works on several notes at once and writes their lines in order.
func (w Work) suggest(ctx context.Context, done int, cost float64, predictions, took *os.File) error {
	type answer struct {
		set coding.SuggestionSet
		ms  float64
	}
	return inorder.Each(ctx, done, len(w.Notes), w.Workers, func(ctx context.Context, i int) (answer, error) {
		began := time.Now()
		set, err := w.Suggester.Process(ctx, w.Notes[i].Note)
		return answer{set, float64(time.Since(began).Microseconds()) / 1000}, err
	}, func(i int, a answer) error {
		p, t := w.lines(&w.Notes[i], &a.set, a.ms)
		if err := errors.Join(writeLine(predictions, p), writeLine(took, t)); err != nil {
			return err
		}
		cost += t.Usage.CostUSD
		w.Progress(i+1, len(w.Notes), cost)
		return nil
	})
}

func writeLine(f *os.File, v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = f.Write(append(b, '\n'))
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return fmt.Errorf("write a run: %w", err)
	}
	return nil
}

func (w Work) lines(n *dataset.Note, set *coding.SuggestionSet, ms float64) (Prediction, Took) {
	p := Prediction{NoteID: n.NoteID, NoteSHA256: set.NoteSHA256, Setting: set.Setting, Ranker: set.Ranker, Pipeline: set.Pipeline,
		Suggestions: []Suggested{}, Candidates: []string{}, Removed: append([]string{}, set.Removed...)}
	if set.DegradedReason != nil {
		p.Degraded = *set.DegradedReason
	}
	if set.Model != nil {
		p.Model = *set.Model
	}
	if set.PromptSHA256 != nil {
		p.Prompt = *set.PromptSHA256
	}
	for _, s := range set.Suggestions {
		x := Suggested{Code: s.Code, Confidence: s.Confidence, Role: s.Role, Evidence: []coding.Span{}}
		_, billable := w.Codes.Known(s.Code, n.ServiceDate)
		x.Invalid = !billable
		for _, e := range s.Evidence {
			x.Evidence = append(x.Evidence, e.Span)
		}
		for _, f := range s.Warnings {
			x.Findings = append(x.Findings, string(f.Severity)+" "+f.Rule)
		}
		p.Suggestions = append(p.Suggestions, x)
	}
	for _, c := range set.Candidates {
		p.Candidates = append(p.Candidates, c.Code)
	}
	return p, Took{NoteID: n.NoteID, Millis: ms, Timings: set.Timings, Usage: set.Usage}
}

// titles keeps what the gold codes and the suggested codes are called.
func (w Work) titles(path string) error {
	predictions, err := readLines[Prediction](filepath.Join(path, predictionFile))
	if err != nil {
		return err
	}
	out := map[string]Title{}
	enter := func(code string) {
		if t, ok := w.Codes.Title(code); ok {
			out[code] = t
		}
	}
	for i := range predictions {
		for _, s := range predictions[i].Suggestions {
			enter(s.Code)
		}
		for _, c := range w.Notes[i].Codes {
			enter(c.Code)
		}
	}
	return writeJSON(filepath.Join(path, codesFile), out)
}
