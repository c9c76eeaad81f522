package eval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
	"chartcode/pipeline/rank"
	"chartcode/pipeline/retrieve"
)

// Suggested gives what the local ranker with the given models suggests in a
// style for the notes for which use is true; the others' results are empty.
func (d *Data) Suggested(ctx context.Context, m *learned.Models, style coding.Style, use func(i int) bool) ([]Result, error) {
	r, err := d.Retriever.With(m)
	if err != nil {
		return nil, err
	}
	l, err := rank.NewLocal(rank.LocalConfig{Models: m})
	if err != nil {
		return nil, err
	}
	fit := FitConfig{Style: style}
	out := make([]Result, len(d.Notes))
	errs := make([]error, len(d.Notes))
	both(len(d.Notes), func(i int) {
		if !use(i) {
			return
		}
		cands, err := r.Retrieve(ctx, d.Docs[i], d.Table, d.options(fit))
		if err != nil {
			errs[i] = err
			return
		}
		got, err := l.Rank(ctx, rank.Input{Note: d.Notes[i].Note, Doc: d.Docs[i], Style: style, Candidates: cands, Table: d.Table})
		errs[i] = err
		out[i] = Result{Note: &d.Notes[i], Candidates: Codes(cands)}
		for _, s := range got.Suggestions {
			out[i].Shown = append(out[i].Shown, Shown{s.Code, s.Confidence})
		}
	})
	return out, errors.Join(errs...)
}

// ByNote lists, note by note, what was shown right, wrong and what was missed,
// with the rank at which retrieval had what was missed. It holds codes only.
func ByNote(results []Result, t Table) string {
	var b strings.Builder
	title := func(code string) string {
		c, _ := t.Lookup(code)
		return c.Title
	}
	for i := range results {
		r := &results[i]
		required, acceptable := r.Note.Gold()
		fmt.Fprintf(&b, "%s first %v\n", r.Note.NoteID, r.Note.First)
		shown := map[string]bool{}
		for _, s := range r.Shown {
			mark := "wrong"
			switch {
			case required[s.Code]:
				mark = "right"
			case acceptable[s.Code]:
				mark = "acceptable"
			}
			shown[s.Code] = true
			fmt.Fprintf(&b, "  %-10s %.2f %-8s %s\n", mark, s.Confidence, s.Code, title(s.Code))
		}
		for _, c := range r.Note.Codes {
			if required[c.Code] && !shown[c.Code] {
				at := "not retrieved"
				if k := slices.Index(r.Candidates, c.Code); k >= 0 {
					at = fmt.Sprintf("rank %d", k+1)
				}
				fmt.Fprintf(&b, "  missed          %-8s %s (%s)\n", c.Code, title(c.Code), at)
			}
		}
	}
	return b.String()
}

// PracticeConfig steers the training of the ranker for bills.
type PracticeConfig struct {
	Order *learned.Models // gives the candidates; it must not have seen the notes
	Rank  gbdt.Params
	Folds int
}

// DefaultPractice gives the parameters that the shipped ranker was made with.
func DefaultPractice() gbdt.Params {
	return gbdt.Params{Trees: 250, Leaves: 6, LearningRate: 0.04, Columns: 0.3, Sample: 0.7, L2: 10, MinRows: 30, Seed: 3}
}

// practiced are the labelled notes as the ranker for bills sees them.
type practiced struct {
	d        *Data
	inputs   []rank.Input
	accepted []map[string]bool // required or acceptable
}

// practiceOf retrieves the candidates of the notes.
func (d *Data) practiceOf(ctx context.Context, m *learned.Models) (*practiced, error) {
	r, err := d.Retriever.With(m)
	if err != nil {
		return nil, err
	}
	p := &practiced{d: d, inputs: make([]rank.Input, len(d.Notes)), accepted: make([]map[string]bool, len(d.Notes))}
	errs := make([]error, len(d.Notes))
	both(len(d.Notes), func(i int) {
		cands, err := r.Retrieve(ctx, d.Docs[i], d.Table, retrieve.Options{Style: coding.Billing})
		errs[i] = err
		p.inputs[i] = rank.Input{Note: d.Notes[i].Note, Doc: d.Docs[i], Style: coding.Billing, Candidates: cands, Table: d.Table}
		required, acceptable := d.Notes[i].Gold()
		p.accepted[i] = required
		for c := range acceptable {
			p.accepted[i][c] = true
		}
	})
	return p, errors.Join(errs...)
}

// counts is how the notes were coded.
func (p *practiced) counts(notes []int) *learned.Memory {
	ex := make([]learned.Example, len(notes))
	for k, i := range notes {
		required, _ := p.d.Notes[i].Gold()
		for c := range required {
			ex[k].Codes = append(ex[k].Codes, c)
		}
		slices.Sort(ex[k].Codes)
		ex[k].Found = p.d.found[i]
	}
	return learned.Learn(ex)
}

// fit trains the ranker on notes.
func (p *practiced) fit(ctx context.Context, notes []int, g gbdt.Params) (learned.StyleModels, error) {
	out := learned.StyleModels{Practice: p.counts(notes)}
	t := gbdt.Data{Features: rank.BillingFeatures()}
	var first []float32
	for _, i := range notes {
		required, _ := p.d.Notes[i].Gold()
		for _, b := range rank.BillingRows(p.inputs[i], out.Practice, required) {
			code := p.inputs[i].Candidates[b.Candidate].Code
			t.X = append(t.X, b.X...)
			t.Y = append(t.Y, truth(p.accepted[i][code]))
			first = append(first, truth(slices.Contains(p.d.Notes[i].First, code)))
		}
	}
	var err error
	if out.Rank, err = gbdt.Train(ctx, t, g); err != nil {
		return out, fmt.Errorf("train the ranker for bills: %w", err)
	}
	t.Y = first
	if out.First, err = gbdt.Train(ctx, t, g); err != nil {
		return out, fmt.Errorf("train which code is first: %w", err)
	}
	return out, nil
}

func truth(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

// Practice measures the ranker for bills by cross-validation by note: models,
// calibration and threshold of a fold come from the other folds.
func Practice(ctx context.Context, d *Data, c PracticeConfig) ([]Result, rank.Selection, error) {
	p, err := d.practiceOf(ctx, c.Order)
	if err != nil {
		return nil, rank.Selection{}, err
	}
	folds := NewFolds(d.Notes, c.Folds)
	rows := make([][]rank.Billed, len(d.Notes))
	for f := range c.Folds {
		var train []int
		for i := range d.Notes {
			if folds.Of(&d.Notes[i]) != f {
				train = append(train, i)
			}
		}
		m, err := p.fit(ctx, train, c.Rank)
		if err != nil {
			return nil, rank.Selection{}, err
		}
		both(len(d.Notes), func(i int) {
			if folds.Of(&d.Notes[i]) == f {
				rows[i] = rank.BillingRows(p.inputs[i], m.Practice, nil)
				rank.Judge(rows[i], &m)
			}
		})
	}
	out := make([]Result, len(d.Notes))
	for f := range c.Folds {
		sel := p.choose(rows, func(i int) bool { return folds.Of(&d.Notes[i]) != f })
		for i := range d.Notes {
			if folds.Of(&d.Notes[i]) == f {
				out[i] = p.billed(i, rows[i], sel)
			}
		}
	}
	return out, p.choose(rows, func(int) bool { return true }), nil
}

func (p *practiced) billed(i int, rows []rank.Billed, sel rank.Selection) Result {
	r := Result{Note: &p.d.Notes[i], Candidates: Codes(p.inputs[i].Candidates)}
	for _, s := range rank.Bill(p.inputs[i], rows, sel) {
		r.Shown = append(r.Shown, Shown{s.Code, s.Confidence})
	}
	return r
}

// choose fits calibration and threshold on held-out rows of the notes for which use
// is true: the threshold that gives the best micro-F1.
func (p *practiced) choose(rows [][]rank.Billed, use func(i int) bool) rank.Selection {
	var odds []float64
	var right []bool
	for i := range rows {
		if !use(i) {
			continue
		}
		for _, b := range rows[i] {
			odds = append(odds, b.Odds)
			right = append(right, p.accepted[i][p.inputs[i].Candidates[b.Candidate].Code])
		}
	}
	sel := rank.Selection{Calibration: learned.Calibrate(odds, right), First: true}
	best := -1.0
	threshold := 0.0
	for t := 0.20; t < 0.6; t += 0.02 {
		sel.Threshold = t
		var res []Result
		for i := range rows {
			if use(i) {
				res = append(res, p.billed(i, rows[i], sel))
			}
		}
		s := Score(res)
		if f := s.F1(); f > best {
			best, threshold = f, t
		}
	}
	sel.Threshold = threshold
	return sel
}
