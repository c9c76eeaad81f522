package qa

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"chartcode/eval/measure"
	"chartcode/internal/coding"
)

// QualityBar is the agreement with an auditor that is usually asked of coders.
const QualityBar = 0.95

// The two codings that are compared over all cases.
const (
	asReviewed = "reviews"
	asRecoded  = "blind codings"
)

// CoderFigures are one person's codes against judgements: of reviews, or of blind
// recodings, in which there were no suggestions.
type CoderFigures struct {
	Coder  string         `json:"coder"`
	Blind  bool           `json:"blind"`
	Cases  int            `json:"cases"`
	Scores measure.Scores `json:"scores"`
	Hints  []measure.Hint `json:"hints"`
	// Of the right codes whose present-on-admission indicator or units were judged,
	// the share that states them so; the zero Figure without any.
	Stated measure.Figure `json:"stated"`
}

// Figure is a figure by its name; ok is false where it is not defined.
func (f *CoderFigures) Figure(name string) measure.Figure {
	x, _ := f.Scores.Figure(name)
	return x
}

// Below reports whether the figures say that somebody is below the bar: the whole
// interval of F1 is.
func (f *CoderFigures) Below() bool {
	x, ok := f.Scores.Figure("micro_f1")
	return ok && x.High < QualityBar
}

// People is what audits say of coders.
type People struct {
	Cases    int                `json:"cases"`
	Recoded  int                `json:"recoded"`
	Judged   int                `json:"judged"`
	Together *measure.Agreement `json:"together"` // reviews and first blind recodings; nil: none
	Persons  *measure.Agreement `json:"persons"`  // each two people; nil: none
	Coders   []CoderFigures     `json:"coders"`
}

// keptPeople are figures with what there was when they were computed.
type keptPeople struct {
	of     coding.QualityCounts
	people People
}

// People gives agreement and accuracy over the audits of a sample, or with 0 of all.
// Agreement needs a case that was coded again; accuracy a judged one. What it gives
// is kept and given again as long as nothing is added: it is not to be changed.
// ErrNotFound where there is no such sample.
func (s *Service) People(ctx context.Context, sample int64) (People, error) {
	// Counted first: what is added while the figures are computed makes them old.
	now, err := s.store.QualityCounts(ctx)
	if err != nil {
		return People{}, failed("count audits", err)
	}
	k, err := s.people.get(ctx, sample, func(k keptPeople) bool { return k.of == now }, false, func(ctx context.Context) (keptPeople, error) {
		p, err := s.computePeople(ctx, sample)
		return keptPeople{now, p}, err
	})
	return k.people, err
}

func (s *Service) computePeople(ctx context.Context, sample int64) (People, error) {
	cases, err := s.store.AuditCases(ctx, sample, "")
	if err != nil {
		return People{}, failed("read cases", err)
	}
	if sample != 0 && len(cases) == 0 { // a sample has cases
		return People{}, ErrNotFound
	}
	out := People{Cases: len(cases), Coders: []CoderFigures{}}
	together, persons := map[string][]measure.Coding{}, map[string][]measure.Coding{}
	type who struct {
		login string
		blind bool
	}
	judged, beside := map[who][]measure.Case{}, map[who]*Taken{}
	for i := range cases {
		c := &cases[i]
		blind := 0
		for _, k := range append([]Coded{{By: c.Coder, First: true, Codes: c.Given}}, finished(c)...) {
			m := codingOf(c, k.Codes)
			switch {
			case k.First:
				together[asReviewed] = append(together[asReviewed], m)
			case blind == 0:
				together[asRecoded] = append(together[asRecoded], m)
				blind++
			}
			persons[k.By] = append(persons[k.By], m)
			if c.Judgement != nil {
				w := who{k.By, !k.First}
				judged[w] = append(judged[w], judgedCase(c, k.Codes))
				if beside[w] == nil {
					beside[w] = &Taken{}
				}
				countStated(beside[w], k.Codes, c.Judgement)
			}
		}
		out.Recoded += btoi(c.Recoded())
		out.Judged += btoi(c.Judgement != nil)
	}
	o := measure.Options{Seed: 1, Slices: true}
	if out.Together, err = agree([]string{asReviewed, asRecoded}, together, o); err != nil {
		return out, err
	}
	if out.Persons, err = agree(keys(persons), persons, o); err != nil {
		return out, err
	}
	for w, list := range judged {
		f := CoderFigures{Coder: w.login, Blind: w.blind, Cases: len(list), Scores: measure.Score(list, o)}
		f.Hints = measure.Hints(list, &f.Scores)
		beside[w].share()
		f.Stated = beside[w].Share
		measure.Few(f.Scores.Figures, f.Scores.Level)
		for i := range f.Hints {
			if h := f.Hints[i].Figure; h != nil {
				few := []measure.Figure{*h}
				measure.Few(few, f.Scores.Level)
				*h = few[0]
			}
		}
		out.Coders = append(out.Coders, f)
	}
	slices.SortFunc(out.Coders, func(a, b CoderFigures) int {
		return cmp.Or(btoi(a.Blind)-btoi(b.Blind), cmp.Compare(a.Coder, b.Coder))
	})
	return out, nil
}

func keys[T any](m map[string]T) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func agree(who []string, codings map[string][]measure.Coding, o measure.Options) (*measure.Agreement, error) {
	a, err := measure.Agree(who, codings, o)
	if errors.Is(err, measure.ErrAgreement) {
		return nil, nil //nolint:nilnil // nothing was coded by two: there is no agreement, and no error
	}
	if err != nil {
		return nil, failed("measure agreement", err)
	}
	for _, p := range a.Pairs {
		if p.Identical != nil { // few notes, as in measure.Few
			w := measure.Proportion(int(math.Round(p.Identical.Value*float64(p.Notes))), p.Notes, 0.95)
			p.Identical.Low, p.Identical.High = min(p.Identical.Low, w.Low), max(p.Identical.High, w.High)
		}
	}
	a.Pairs = slices.DeleteFunc(a.Pairs, func(p measure.PairFigures) bool { return p.Notes == 0 })
	return &a, nil
}

func finished(c *coding.AuditCase) []Coded {
	var out []Coded
	for i := range c.Recodings {
		if r := &c.Recodings[i]; !r.FinishedAt.IsZero() {
			out = append(out, Coded{By: r.Coder, Codes: r.Given})
		}
	}
	return out
}

func codingOf(c *coding.AuditCase, codes []coding.GivenCode) measure.Coding {
	m := measure.Coding{NoteID: fmt.Sprint(c.ID), Cluster: c.Patient, First: leading(codes).Code}
	for _, g := range codes {
		m.Codes = append(m.Codes, g.Code)
	}
	return m
}

// judgedCase puts somebody's codes where suggestions stand, and the judgement where
// gold does.
func judgedCase(c *coding.AuditCase, codes []coding.GivenCode) measure.Case {
	out := measure.Case{NoteID: fmt.Sprint(c.ID), Setting: string(c.Setting), Specialty: c.Specialty}
	if c.Patient != "" {
		out.Cluster = "patient " + c.Patient
	}
	for _, g := range c.Judgement.Codes {
		if g.Acceptable {
			out.Acceptable = append(out.Acceptable, g.Code)
		} else {
			out.Required = append(out.Required, g.Code)
		}
	}
	if first := c.Judgement.Lead().Code; first != "" {
		out.First = []string{first}
	}
	first := leading(codes).Code
	if first != "" {
		out.Shown = append(out.Shown, measure.Shown{Code: first})
	}
	for _, g := range codes {
		if g.Code != first {
			out.Shown = append(out.Shown, measure.Shown{Code: g.Code})
		}
	}
	return out
}
