package eval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
	"chartcode/pipeline/rank"
	"chartcode/pipeline/retrieve"
)

// BillingConfig steers training and measuring of the ranker for bills.
type BillingConfig struct {
	Data     *Data           // notes coded as for a bill, with First
	Order    *learned.Models // gives the candidates; it must not have seen the notes; nil: phrases and order are learned from the notes
	Fit      FitConfig       // of that order; zero: DefaultFit with phrases
	Rank     gbdt.Params     // zero: DefaultBilling
	Folds    int             // 0: 5
	Progress func(done, of int, what string)
}

// DefaultBilling gives the parameters that the shipped ranker was made with.
// The notes are few, so trees are small and see part of rows and columns.
func DefaultBilling() gbdt.Params {
	return gbdt.Params{Trees: 250, Leaves: 6, LearningRate: 0.04, Columns: 0.3, Sample: 0.7, L2: 10, MinRows: 30, Seed: 3}
}

// billingModels is of how many models the rankers for bills are the mean.
const billingModels = 3

// BillingReport is what Billing measured.
type BillingReport struct {
	Folds   int
	Scores  Scores         // every note by models that did not see it
	Results []Result       // the same, note by note
	Select  rank.Selection // calibration and threshold over all held-out notes, for the shipped models
}

// bills are coded notes as the ranker for bills sees them.
type bills struct {
	BillingConfig
	inputs   []rank.Input
	required []map[string]bool
	accepted []map[string]bool // required or acceptable
}

// newBills retrieves the candidates of the notes.
func newBills(ctx context.Context, c BillingConfig) (*bills, error) {
	if c.Rank == (gbdt.Params{}) {
		c.Rank = DefaultBilling()
	}
	if c.Folds == 0 {
		c.Folds = 5
	}
	if c.Progress == nil {
		c.Progress = func(int, int, string) {}
	}
	if c.Fit.Style == "" {
		c.Fit = DefaultFit(coding.Billing)
		c.Fit.NoMemory = false
	}
	if c.Order != nil {
		c.Fit.Counted = 0
	}
	d := c.Data
	n := len(d.Notes)
	b := &bills{c, make([]rank.Input, n), make([]map[string]bool, n), make([]map[string]bool, n)}
	for i := range n {
		b.inputs[i] = rank.Input{Note: d.Notes[i].Note, Doc: d.Docs[i], Style: coding.Billing, Table: d.Table}
		var acceptable map[string]bool
		b.required[i], acceptable = d.Notes[i].Gold()
		b.accepted[i] = acceptable
		for c := range b.required[i] {
			acceptable[c] = true
		}
	}
	if c.Order == nil {
		return b, nil
	}
	return b, b.retrieve(ctx, c.Order, func(int) bool { return true })
}

// retrieve enters the candidates of the notes for which use is true.
func (b *bills) retrieve(ctx context.Context, m *learned.Models, use func(i int) bool) error {
	r, err := b.Data.Retriever.With(m)
	if err != nil {
		return err
	}
	errs := make([]error, len(b.inputs))
	both(len(b.inputs), func(i int) {
		if use(i) {
			in := &b.inputs[i]
			in.Candidates, errs[i] = r.Retrieve(ctx, b.Data.Docs[i], b.Data.Table, retrieve.Options{Style: coding.Billing})
			*in = rank.WithPurposes(*in)
		}
	})
	return errors.Join(errs...)
}

// innerFolds are the folds within training notes by which the model of the
// first code gets lists that were not made by models that saw their note.
const innerFolds = 3

// leadParams are those of the model of the first code: its rows are few.
func leadParams() gbdt.Params {
	return gbdt.Params{Trees: 120, Leaves: 4, LearningRate: 0.05, Columns: 0.5, Sample: 0.8, L2: 5, MinRows: 15, Seed: 4}
}

// leadThreshold is how likely a code must be to be on the lists that the model
// of the first code learns from. The less likely ones among which it looks for
// the code too (rank.LeadFrom) taught it no better: 229 of 422 were right with either.
const leadThreshold = 0.3

// fit trains on the notes with the given numbers: which codes are accepted,
// acceptable ones included, and which of them is first.
func (b *bills) fit(ctx context.Context, notes []int) (learned.StyleModels, error) {
	var out learned.StyleModels
	d := b.Data
	of := func(i int) rank.Input { return b.inputs[i] }
	var practice counted
	if b.Order == nil {
		m, rows, counts, err := d.fitOrder(ctx, notes, b.Fit)
		if err != nil {
			return out, err
		}
		cands, err := d.heldOut(ctx, notes, rows, counts, b.Fit)
		if err != nil {
			return out, err
		}
		out.Order, out.Memory, practice = m.Order, m.Memory, counts
		by := make(map[int][]coding.Candidate, len(notes))
		for k, i := range notes {
			by[i] = cands[k]
		}
		of = func(i int) rank.Input {
			in := b.inputs[i]
			in.Candidates = by[i]
			return rank.WithPurposes(in)
		}
	}
	notes = d.coded(notes)
	if practice.all == nil {
		practice = d.count(notes, b.Fit.Counted)
	}
	m, err := b.fitRows(ctx, notes, of, practice)
	if err != nil {
		return out, err
	}
	out.Rank, out.First, out.Practice = m.Rank, m.First, m.Practice
	out.Lead, err = b.fitLead(ctx, notes, of)
	return out, err
}

// fitLead trains which code of a list is first, on lists that were not made by
// models that saw their note; nil where no note says which is.
func (b *bills) fitLead(ctx context.Context, notes []int, of func(i int) rank.Input) (*gbdt.Model, error) {
	d := b.Data
	t := gbdt.Data{Features: rank.FirstFeatures()}
	var own []GoldNote
	for _, i := range notes {
		own = append(own, d.Notes[i])
	}
	folds := NewFolds(own, innerFolds)
	for f := range innerFolds {
		var in, held []int
		for k, i := range notes {
			if folds.Of(&own[k]) == f {
				held = append(held, i)
			} else {
				in = append(in, i)
			}
		}
		m, err := b.fitRows(ctx, in, of, d.count(in, b.Fit.Counted))
		if err != nil {
			return nil, err
		}
		for _, i := range held {
			if len(d.Notes[i].First) == 0 {
				continue
			}
			rows := rank.BillingRows(of(i), m.Practice, nil)
			rank.Judge(rows, &m)
			input, chosen := rank.Chosen(of(i), rows, rank.Selection{Calibration: learned.Calibration{Slope: 1}, Threshold: leadThreshold, First: true})
			for k, x := range rank.FirstRows(input, chosen) {
				t.X = append(t.X, x...)
				t.Y = append(t.Y, truth(slices.Contains(d.Notes[i].First, input.Candidates[chosen[k].Candidate].Code)))
				t.Weight = append(t.Weight, float32(max(d.Notes[i].Weight, 1)))
			}
		}
	}
	return whichFirst(gbdt.TrainSeveral(ctx, t, leadParams(), billingModels))
}

// whichFirst passes a model on that says which code is first. Notes that do not
// tell, or tell it of each code alike, give none: the ranker's own rules do it.
func whichFirst(m *gbdt.Model, err error) (*gbdt.Model, error) {
	if errors.Is(err, gbdt.ErrData) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("train which code is first: %w", err)
	}
	return m, nil
}

// fitRows trains what judges each candidate by itself; of gives the candidates
// of a note.
func (b *bills) fitRows(ctx context.Context, notes []int, of func(i int) rank.Input, practice counted) (learned.StyleModels, error) {
	out := learned.StyleModels{Practice: practice.all.WithoutPhrases()}
	d := b.Data
	t := gbdt.Data{Features: rank.BillingFeatures()}
	var first []float32
	for _, i := range notes {
		in := of(i)
		counts, own := practice.of(i)
		for _, row := range rank.BillingRows(in, counts, own) {
			code := in.Candidates[row.Candidate].Code
			if !b.accepted[i][code] && d.Notes[i].Dropped(code) {
				continue
			}
			t.X = append(t.X, row.X...)
			t.Weight = append(t.Weight, d.Notes[i].TrainingWeight(code))
			t.Y = append(t.Y, truth(b.accepted[i][code]))
			first = append(first, truth(slices.Contains(b.Data.Notes[i].First, code)))
		}
	}
	var err error
	if out.Rank, err = gbdt.TrainSeveral(ctx, t, b.Rank, billingModels); err != nil {
		return out, fmt.Errorf("train the ranker for bills: %w", err)
	}
	t.Y = first
	out.First, err = whichFirst(gbdt.TrainSeveral(ctx, t, b.Rank, billingModels))
	return out, err
}

func truth(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

// Billing measures the ranker for bills by cross-validation by note: models,
// calibration and threshold of a fold come from the other folds.
func Billing(ctx context.Context, c BillingConfig) (BillingReport, error) {
	b, err := newBills(ctx, c)
	if err != nil {
		return BillingReport{}, err
	}
	return b.cross(ctx)
}

func (b *bills) cross(ctx context.Context) (BillingReport, error) {
	d := b.Data
	folds := d.folds(b.Folds)
	rows := make([][]rank.Billed, len(d.Notes))
	leads := make([]*gbdt.Model, b.Folds)
	for f := range b.Folds {
		b.Progress(f, b.Folds, "train and measure bills")
		var train []int
		for i := range d.Notes {
			if folds.Of(&d.Notes[i]) != f {
				train = append(train, i)
			}
		}
		m, err := b.fit(ctx, train)
		if err != nil {
			return BillingReport{}, err
		}
		leads[f] = m.Lead
		held := func(i int) bool { return folds.Of(&d.Notes[i]) == f }
		if b.Order == nil {
			if err := b.retrieve(ctx, models(coding.Billing, m), held); err != nil {
				return BillingReport{}, err
			}
		}
		both(d.held, func(i int) {
			if held(i) {
				rows[i] = rank.BillingRows(b.inputs[i], m.Practice, nil)
				rank.Judge(rows[i], &m)
			}
		})
	}
	rep := BillingReport{Folds: b.Folds, Results: make([]Result, d.held)}
	for f := range b.Folds {
		sel := b.choose(rows, func(i int) bool { return folds.heldOutside(&d.Notes[i], f) })
		sel.Lead = leads[f]
		for i := range d.held {
			if folds.Of(&d.Notes[i]) == f {
				rep.Results[i] = b.bill(i, rows[i], sel)
			}
		}
	}
	rep.Scores = Score(rep.Results)
	rep.Select = b.choose(rows, func(i int) bool { return i < d.held })
	return rep, nil
}

// TrainBilling measures, and trains on all notes.
func TrainBilling(ctx context.Context, c BillingConfig) (learned.StyleModels, BillingReport, error) {
	b, err := newBills(ctx, c)
	if err != nil {
		return learned.StyleModels{}, BillingReport{}, err
	}
	rep, err := b.cross(ctx)
	if err != nil {
		return learned.StyleModels{}, rep, err
	}
	m, err := b.train(ctx, rep.Select)
	return m, rep, err
}

// train makes the models of all notes, with what cross-validation chose.
func (b *bills) train(ctx context.Context, sel rank.Selection) (learned.StyleModels, error) {
	m, err := b.fit(ctx, everyNote(b.Data))
	if b.Order != nil {
		m.Order = b.Order.Style(coding.Billing).Order
	}
	m.Calibration, m.Threshold = sel.Calibration, sel.Threshold
	return m, err
}

func everyNote(d *Data) []int {
	all := make([]int, len(d.Notes))
	for i := range all {
		all[i] = i
	}
	return all
}

func (b *bills) bill(i int, rows []rank.Billed, sel rank.Selection) Result {
	r := Result{Note: &b.Data.Notes[i], Candidates: Codes(b.inputs[i].Candidates)}
	for _, s := range rank.Bill(b.inputs[i], rows, sel) {
		r.Shown = append(r.Shown, Shown{s.Code, s.Confidence, s.Evidence})
	}
	return r
}

// Thresholds that are tried.
const (
	leastThreshold = 0.20
	mostThreshold  = 0.60
	thresholdStep  = 0.02
)

// choose fits calibration and threshold on the held-out rows of the notes for
// which use is true: the threshold that gives the best micro-F1.
func (b *bills) choose(rows [][]rank.Billed, use func(i int) bool) rank.Selection {
	var odds []float64
	var right []bool
	for i := range b.Data.held {
		if !use(i) {
			continue
		}
		for _, row := range rows[i] {
			odds = append(odds, row.Odds)
			right = append(right, b.accepted[i][b.inputs[i].Candidates[row.Candidate].Code])
		}
	}
	sel := rank.Selection{Calibration: learned.Calibrate(odds, right), First: true}
	best, threshold := -1.0, 0.0
	for t := leastThreshold; t < mostThreshold; t += thresholdStep {
		sel.Threshold = t
		var res []Result
		for i := range b.Data.held {
			if use(i) {
				res = append(res, b.bill(i, rows[i], sel))
			}
		}
		s := Score(res)
		if f := s.F1(); f > best {
			best, threshold = f, t
		}
	}
	sel.Threshold = threshold
	return b.recalibrate(rows, use, sel)
}

// recalibrate fits the confidence again on what is shown: choosing one code for
// each condition, and putting combination codes in place of their parts, makes
// what remains likelier than its row alone was. The same codes are shown.
func (b *bills) recalibrate(rows [][]rank.Billed, use func(i int) bool, sel rank.Selection) rank.Selection {
	var odds []float64
	var right []bool
	for i := range b.Data.held {
		if !use(i) {
			continue
		}
		for _, s := range b.bill(i, rows[i], sel).Shown {
			odds = append(odds, logit(s.Confidence))
			right = append(right, b.accepted[i][s.Code])
		}
	}
	again := learned.Calibrate(odds, right)
	sel.Threshold = again.Probability(logit(sel.Threshold))
	sel.Calibration = learned.Calibration{Slope: again.Slope * sel.Calibration.Slope, Offset: again.Slope*sel.Calibration.Offset + again.Offset}
	return sel
}

func logit(p float64) float64 {
	p = min(max(p, 1e-9), 1-1e-9)
	return math.Log(p / (1 - p))
}
