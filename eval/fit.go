package eval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
	"chartcode/pipeline/rank"
	"chartcode/pipeline/retrieve"
)

// Data is what training and measuring work on: gold notes, segmented, with the
// retriever (whose own models are not used) and the table to code by.
type Data struct {
	Retriever *retrieve.Retriever
	Table     Table
	Notes     []GoldNote
	Docs      []*coding.Document

	gold       []map[string]bool
	acceptable []map[string]bool // allowed without being asked for
	phrases    [][]string
	found      [][]string // codes whose words stand in the note

	judged map[string][]Places // by note: places of which people said whether they support a code

	held   int // the first notes, which are held out in turn; those after them only teach
	orders int // from here on they teach the order of candidates alone, coded in another style
}

// join gives the notes of several, of which those of d are held out in turn.
// What orders holds teaches the order of candidates alone. Both may be nil.
func (d *Data) join(teach, orders *Data) *Data {
	out := *d
	for i, more := range []*Data{teach, orders} {
		if i == 1 {
			out.orders = len(out.Notes)
		}
		if more == nil {
			continue
		}
		out.Notes, out.Docs = slices.Concat(out.Notes, more.Notes), slices.Concat(out.Docs, more.Docs)
		out.gold, out.phrases = slices.Concat(out.gold, more.gold), slices.Concat(out.phrases, more.phrases)
		out.acceptable, out.found = slices.Concat(out.acceptable, more.acceptable), slices.Concat(out.found, more.found)
	}
	return &out
}

// folds deals the notes that are held out into k folds; see Folds.Of.
func (d *Data) folds(k int) Folds {
	f := NewFolds(d.Notes[:d.held], k)
	for i := d.held; i < len(d.Notes); i++ {
		if a := d.Notes[i].Article(); !f.has(a) {
			f.of[a] = never
		}
	}
	return f
}

// ownOf gives the codes of a note that Memory learned from.
func (d *Data) ownOf(i int) *learned.Without {
	if i >= d.orders {
		return nil
	}
	return &learned.Without{Codes: d.gold[i], Weight: d.Notes[i].Weight}
}

// coded gives those of the notes that are coded in the style that is trained.
func (d *Data) coded(notes []int) []int {
	var out []int
	for _, i := range notes {
		if i < d.orders {
			out = append(out, i)
		}
	}
	return out
}

// Table is what is asked of a code table.
type Table interface {
	Lookup(code string) (coding.Code, bool)
	Billable(code string) bool
	BillableUnder(code string) []string
}

// ErrData is returned when there is nothing to train on or measure.
var ErrData = errors.New("measuring needs a dataset with codes, a retriever, a table and a segmenter")

// NewData segments the notes. note_type is blanked: it may give the answer away.
func NewData(r *retrieve.Retriever, t Table, d *Dataset, segment func(coding.Note) *coding.Document) (*Data, error) {
	if r == nil || t == nil || d == nil || len(d.Notes) == 0 || segment == nil {
		return nil, ErrData
	}
	out := &Data{Retriever: r, Table: t, Notes: d.Notes, Docs: make([]*coding.Document, len(d.Notes)),
		gold: make([]map[string]bool, len(d.Notes)), acceptable: make([]map[string]bool, len(d.Notes)), held: len(d.Notes), orders: len(d.Notes), phrases: make([][]string, len(d.Notes)), found: make([][]string, len(d.Notes))}
	plain, err := r.With(nil)
	if err != nil {
		return nil, err
	}
	errs := make([]error, len(d.Notes))
	both(len(d.Notes), func(i int) {
		n := d.Notes[i].Note
		n.NoteType = ""
		out.Docs[i] = segment(n)
		out.gold[i], out.acceptable[i] = d.Notes[i].Gold()
		out.phrases[i] = r.Phrases(out.Docs[i])
		out.found[i], errs[i] = plain.Found(context.Background(), out.Docs[i], t)
	})
	return out, errors.Join(errs...)
}

// both runs f for 0..n-1 on two goroutines: the machines that this is measured
// on have two cores.
func both(n int, f func(int)) {
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := w; i < n; i += 2 {
				f(i)
			}
		})
	}
	wg.Wait()
}

// FitConfig steers the training of one style.
type FitConfig struct {
	Style     coding.Style
	Order     gbdt.Params
	Rank      gbdt.Params
	Evidence  gbdt.Params
	Kept      *gbdt.Model // model of evidence where no places of the notes were judged
	Inner     int         // folds within the training notes by which the ranker's rows are made
	Counted   int         // folds within them of which each sees what the others count; 0: each note is left out of its own counts
	NoDense   bool        // parts left out, for ablation
	NoLexical bool
	NoMemory  bool
}

// DefaultFit gives the parameters that the shipped models were made with.
func DefaultFit(s coding.Style) FitConfig {
	return FitConfig{
		Style: s, Inner: 2, NoMemory: s != coding.Mentions,
		Order: gbdt.Params{Trees: 300, Leaves: 16, LearningRate: 0.05, Columns: 0.4, Sample: 0.8, L2: 10, MinRows: 60, Seed: 1},
		Rank:  gbdt.Params{Trees: 200, Leaves: 8, LearningRate: 0.05, Columns: 0.4, Sample: 0.8, L2: 10, MinRows: 60, Seed: 2},

		Evidence: gbdt.Params{Trees: 100, Leaves: 6, LearningRate: 0.05, Columns: 0.4, Sample: 0.8, L2: 10, MinRows: 20, Seed: 3},
	}
}

// Negatives far down the list are many and alike: beyond sparseFrom only one
// of sparse is kept, with its weight.
const (
	sparseFrom = 100
	sparse     = 6
)

func (d *Data) options(c FitConfig) retrieve.Options {
	return retrieve.Options{Style: c.Style, NoDense: c.NoDense, NoLexical: c.NoLexical}
}

// memory counts codes and phrases over the notes.
func (d *Data) memory(notes []int) *learned.Memory {
	ex := make([]learned.Example, len(notes))
	for k, i := range notes {
		ex[k].Phrases = d.phrases[i]
		for c := range d.gold[i] {
			ex[k].Codes = append(ex[k].Codes, c)
		}
		slices.Sort(ex[k].Codes)
		ex[k].Found, ex[k].Weight, ex[k].Group = d.found[i], d.Notes[i].Weight, d.Notes[i].Group
	}
	return learned.Learn(ex)
}

func models(s coding.Style, m learned.StyleModels) *learned.Models {
	return &learned.Models{Version: 1, Styles: map[coding.Style]*learned.StyleModels{s: &m}}
}

// Fit trains order and ranker of a style on the notes with the given numbers.
// Calibration and threshold are left to Calibrated.
func (d *Data) Fit(ctx context.Context, notes []int, c FitConfig) (learned.StyleModels, error) {
	out, rows, m, err := d.fitOrder(ctx, notes, c)
	if err != nil {
		return out, err
	}
	if c.Style == coding.Mentions && c.Rank.Trees >= 0 {
		out.Rank, out.Evidence, err = d.ranker(ctx, notes, rows, m, c)
	}
	return out, err
}

// counted is what was counted in notes, as each of them may see it in training.
type counted struct {
	all   *learned.Memory   // nil: nothing may be used
	parts []*learned.Memory // of the notes outside of each fold; empty: leave the note itself out
	folds Folds
	data  *Data
}

// count counts in the notes. That a note is left out of its own counts tells a
// little of how it was coded, the more the more it counts; counts of other folds
// do not.
func (d *Data) count(notes []int, folds int) counted {
	coded := d.coded(notes)
	m := counted{all: d.memory(coded), data: d}
	if folds == 0 {
		return m
	}
	var own []GoldNote
	for _, i := range coded {
		own = append(own, d.Notes[i])
	}
	m.folds = NewFolds(own, folds)
	for f := range folds {
		m.parts = append(m.parts, d.memory(slices.DeleteFunc(slices.Clone(coded), func(i int) bool { return m.folds.Of(&d.Notes[i]) == f })))
	}
	return m
}

// of gives what note i may see.
func (m *counted) of(i int) (*learned.Memory, *learned.Without) {
	switch {
	case m.all == nil || i >= m.data.orders:
		return m.all, nil
	case len(m.parts) > 0:
		return m.parts[m.folds.Of(&m.data.Notes[i])], nil
	}
	return m.all, m.data.ownOf(i)
}

// retrievers gives one for each part of what was counted, with the order model.
func (m *counted) retrievers(style coding.Style, order *gbdt.Model) (map[*learned.Memory]*retrieve.Retriever, error) {
	out := map[*learned.Memory]*retrieve.Retriever{}
	for _, part := range append([]*learned.Memory{m.all}, m.parts...) {
		r, err := m.data.Retriever.With(models(style, learned.StyleModels{Order: order, Memory: part}))
		if err != nil {
			return nil, err
		}
		out[part] = r
	}
	return out, nil
}

// fitOrder trains phrases and order, and gives the rows that it did it from and
// what they saw.
func (d *Data) fitOrder(ctx context.Context, notes []int, c FitConfig) (out learned.StyleModels, rows [][]retrieve.Row, m counted, err error) {
	m = counted{data: d}
	if !c.NoMemory {
		m = d.count(notes, c.Counted)
		out.Memory = m.all
	}
	rs, err := m.retrievers(c.Style, nil)
	if err != nil {
		return out, nil, m, err
	}
	rows = make([][]retrieve.Row, len(notes))
	errs := make([]error, len(notes))
	both(len(notes), func(k int) {
		o := d.options(c)
		memory, own := m.of(notes[k])
		o.LeaveOut = own
		rows[k], errs[k] = rs[memory].Rows(ctx, d.Docs[notes[k]], d.Table, o)
	})
	if err := errors.Join(errs...); err != nil {
		return out, nil, m, err
	}
	out.Order, err = d.order(ctx, notes, rows, func(int) bool { return true }, c)
	return out, rows, m, err
}

func (d *Data) order(ctx context.Context, notes []int, rows [][]retrieve.Row, use func(k int) bool, c FitConfig) (*gbdt.Model, error) {
	t := gbdt.Data{Features: retrieve.Features()}
	for k, i := range notes {
		if !use(k) {
			continue
		}
		for j, row := range rows[k] {
			y, w := float32(0), d.Notes[i].TrainingWeight(row.Code)
			switch {
			case d.gold[i][row.Code]:
				y = 1
			case d.acceptable[i][row.Code], d.Notes[i].Dropped(row.Code):
				continue
			case j > sparseFrom:
				if (j+k)%sparse != 0 {
					continue
				}
				w *= sparse
			}
			t.X = append(t.X, row.X...)
			t.Y = append(t.Y, y)
			t.Weight = append(t.Weight, w)
		}
	}
	m, err := gbdt.Train(ctx, t, c.Order)
	if err != nil {
		return nil, fmt.Errorf("train the order of candidates: %w", err)
	}
	return m, nil
}

// heldOut gives the candidates of each note, ordered by a model that did not
// see the note.
func (d *Data) heldOut(ctx context.Context, notes []int, rows [][]retrieve.Row, m counted, c FitConfig) ([][]coding.Candidate, error) {
	var own []GoldNote
	for _, i := range notes {
		own = append(own, d.Notes[i])
	}
	folds := NewFolds(own, c.Inner)
	cands := make([][]coding.Candidate, len(notes))
	for f := range c.Inner {
		order, err := d.order(ctx, notes, rows, func(k int) bool { return folds.Of(&own[k]) != f }, c)
		if err != nil {
			return nil, err
		}
		rs, err := m.retrievers(c.Style, order)
		if err != nil {
			return nil, err
		}
		errs := make([]error, len(notes))
		both(len(notes), func(k int) {
			if folds.Of(&own[k]) != f {
				return
			}
			o := d.options(c)
			memory, own := m.of(notes[k])
			o.LeaveOut = own
			cands[k], errs[k] = rs[memory].Retrieve(ctx, d.Docs[notes[k]], d.Table, o)
		})
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
	}
	return cands, nil
}

// ranker trains the ranker, and where places of the notes were judged the model of
// evidence, on candidates ordered by models that did not see their note.
func (d *Data) ranker(ctx context.Context, notes []int, rows [][]retrieve.Row, m counted, c FitConfig) (ranker, evidence *gbdt.Model, err error) {
	cands, err := d.heldOut(ctx, notes, rows, m, c)
	if err != nil {
		return nil, nil, err
	}
	x := make([][][]float32, len(notes))
	both(len(notes), func(k int) {
		x[k] = rank.MentionRows(rank.Input{Doc: d.Docs[notes[k]], Style: c.Style, Candidates: cands[k], Table: d.Table})
	})
	t := gbdt.Data{Features: rank.MentionFeatures()}
	places := gbdt.Data{Features: rank.MentionFeatures()}
	for k, i := range notes {
		for j := range x[k] {
			code := cands[k][j].Code
			d.addPlaces(&places, i, &cands[k][j], x[k][j])
			right := d.gold[i][code]
			if !right && (d.acceptable[i][code] || d.Notes[i].Dropped(code)) {
				continue
			}
			t.X = append(t.X, x[k][j]...)
			t.Y = append(t.Y, truth(right))
			t.Weight = append(t.Weight, d.Notes[i].TrainingWeight(code))
		}
	}
	if ranker, err = gbdt.Train(ctx, t, c.Rank); err != nil {
		return nil, nil, fmt.Errorf("train the ranker: %w", err)
	}
	if evidence = c.Kept; len(places.Y) >= leastPlaces {
		if evidence, err = gbdt.TrainSeveral(ctx, places, c.Evidence, evidenceModels); err != nil {
			return nil, nil, fmt.Errorf("train the model of evidence: %w", err)
		}
	}
	return ranker, evidence, nil
}

const (
	leastPlaces    = 200 // judged places to learn from
	evidenceModels = 3   // of which the mean is taken: the places are few
)

// addPlaces adds the candidate's places that were judged.
func (d *Data) addPlaces(t *gbdt.Data, note int, c *coding.Candidate, row []float32) {
	for _, p := range d.judged[d.Notes[note].NoteID] {
		if p.Code != c.Code {
			continue
		}
		for k := range c.Grounds {
			if supports, ok := p.judgement(c.Grounds[k].Span); ok {
				t.X = append(t.X, rank.PlaceRow(row, c, k)...)
				t.Y = append(t.Y, truth(supports))
				t.Weight = append(t.Weight, 1)
			}
		}
	}
}

// Judge enters the places of notes that were judged by reading, from which a model
// of evidence is trained.
func (d *Data) Judge(list []Places) {
	d.judged = map[string][]Places{}
	for _, p := range list {
		d.judged[p.NoteID] = append(d.judged[p.NoteID], p)
	}
}
