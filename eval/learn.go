package eval

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
)

// LearnConfig steers learning from finished reviews.
type LearnConfig struct {
	Style   coding.Style
	Present *learned.Models // that are used now
	Seen    map[int64]bool  // items that Present was learned from
	Site    *Data           // notes of finished reviews
	Given   *Data           // further notes coded in the style, which only teach; nil: none
	// Mentions are notes with every mention coded. In the style of billing they
	// teach which words mean which code, and nothing about bills; nil: none.
	Mentions *Data

	Margin float64 // least gain of micro-F1
	Least  int     // notes to compare on

	Fit      FitConfig   // zero: DefaultFit with phrases
	Rank     gbdt.Params // of bills; zero: DefaultBilling
	Progress func(done, of int, what string)
}

// DefaultMargin and DefaultLeast are what a new model must gain, and on how
// many notes it must be seen.
const (
	DefaultMargin = 0.01
	DefaultLeast  = 200
)

// learnFolds is how many parts of the notes are held out in turn.
const learnFolds = 5

// Learner makes new models from reviews and compares them with the present ones.
type Learner struct {
	LearnConfig
	data  *Data
	bills *bills // in the style of billing

	chosen func(m *learned.StyleModels) // enters calibration and threshold that cross-validation chose
}

// LearnReport compares new models with the present ones on the same notes.
type LearnReport struct {
	Site     int // notes of finished reviews
	Compared int // of them, neither they nor others of their group taught the present models
	Enough   bool

	Present, New Scores
	Auditors     struct{ Present, New Scores } // on the compared notes that auditors finished or judged
	Gain         float64                       // of micro-F1
	Low, High    float64                       // its 95% interval
	Margin       float64
	Changes      []Change // of the compared notes
}

// Better reports whether the new models replace the present ones.
func (r *LearnReport) Better() bool { return r.Enough && r.Gain >= r.Margin && r.Low > 0 }

// Change is what would be shown otherwise for a note.
type Change struct {
	Item       int64
	Appear     []string
	Disappear  []string
	Right, Bad int // of both: changes that the review agrees with, and the others
}

// ErrFewNotes is returned when there are not five groups of notes to hold out.
var ErrFewNotes = errors.New("too few finished reviews to learn from: notes of at least five patients or encounters are needed")

// ErrAlike is returned for reviews that give no note a code that was found for
// it, or every code.
var ErrAlike = errors.New("the finished reviews tell nothing apart: none, or all, of the codes found in their notes were given")

// NewLearner checks the configuration.
func NewLearner(c LearnConfig) (*Learner, error) {
	if c.Present == nil || c.Site == nil {
		return nil, ErrData
	}
	if c.Fit.Style == "" {
		c.Fit = DefaultFit(c.Style)
		c.Fit.NoMemory, c.Fit.Counted = false, learnFolds
	}
	if c.Progress == nil {
		c.Progress = func(int, int, string) {}
	}
	l := &Learner{LearnConfig: c}
	groups := map[string]bool{}
	for i := range c.Site.Notes {
		groups[c.Site.Notes[i].Article()] = true
	}
	if len(groups) < learnFolds {
		return nil, ErrFewNotes
	}
	if c.Style == coding.Mentions {
		l.data, l.Fit.Kept = c.Site.join(c.Given, nil), c.Present.Style(coding.Mentions).Evidence
	} else {
		l.data = c.Site.join(c.Given, c.Mentions)
	}
	return l, nil
}

// Compare measures new models by cross-validation, and the present models on
// the same notes: those of which neither they nor another of their patient or
// encounter taught the present ones.
func (l *Learner) Compare(ctx context.Context) (LearnReport, error) {
	rep := LearnReport{Site: len(l.Site.Notes), Margin: l.Margin}
	seen := map[string]bool{}
	for i := range l.Site.Notes {
		if n := &l.Site.Notes[i]; l.Seen[n.Item] {
			seen[n.Article()] = true
		}
	}
	var compared []int
	for i := range l.Site.Notes {
		if !seen[l.Site.Notes[i].Article()] {
			compared = append(compared, i)
		}
	}
	rep.Compared = len(compared)
	if rep.Enough = rep.Compared >= max(l.Least, 1); !rep.Enough {
		return rep, nil
	}
	present, err := l.Site.Suggested(ctx, l.Present, l.Style)
	if err != nil {
		return rep, err
	}
	results, err := l.cross(ctx)
	if errors.Is(err, gbdt.ErrData) {
		return rep, ErrAlike
	}
	if err != nil {
		return rep, err
	}
	var was, is, auditedWas, auditedIs []Result
	for _, i := range compared {
		was, is = append(was, present[i]), append(is, results[i])
		if l.Site.Notes[i].Weight == AuditorWeight {
			auditedWas, auditedIs = append(auditedWas, present[i]), append(auditedIs, results[i])
		}
		if c := changeOf(present[i], results[i]); len(c.Appear)+len(c.Disappear) > 0 {
			rep.Changes = append(rep.Changes, c)
		}
	}
	rep.Present, rep.New = Score(was), Score(is)
	rep.Auditors.Present, rep.Auditors.New = Score(auditedWas), Score(auditedIs)
	rep.Gain = rep.New.F1() - rep.Present.F1()
	rep.Low, rep.High = gainInterval(was, is)
	return rep, nil
}

// cross gives what models show that did not see the note.
func (l *Learner) cross(ctx context.Context) ([]Result, error) {
	if l.Style == coding.Mentions {
		folds := l.data.folds(learnFolds)
		x, err := l.data.cross(ctx, folds, l.Fit, l.Progress)
		if err != nil {
			return nil, err
		}
		l.chosen = func(m *learned.StyleModels) {
			m.Calibration, m.Threshold = x.choose(l.data, func(int) bool { return true })
		}
		res, _ := x.results(l.data, folds)
		return res, nil
	}
	var err error
	l.bills, err = newBills(ctx, BillingConfig{Data: l.data, Fit: l.Fit, Rank: l.Rank, Folds: learnFolds, Progress: l.Progress})
	if err != nil {
		return nil, err
	}
	rep, err := l.bills.cross(ctx)
	l.chosen = func(m *learned.StyleModels) {
		m.Calibration, m.Threshold = rep.Select.Calibration, rep.Select.Threshold
	}
	return rep.Results, err
}

// Train makes the new models from all notes, after Compare found enough of
// them. The other style stays as it is. Version and record are the caller's.
func (l *Learner) Train(ctx context.Context) (*learned.Models, error) {
	if l.chosen == nil {
		return nil, errors.New("compare before training: it chooses what is shown")
	}
	var m learned.StyleModels
	var err error
	if l.Style == coding.Mentions {
		m, err = l.data.Fit(ctx, everyNote(l.data), l.Fit)
	} else {
		m, err = l.bills.fit(ctx, everyNote(l.data))
	}
	if err != nil {
		return nil, err
	}
	l.chosen(&m)
	out := &learned.Models{LLM: l.Present.LLM, Styles: map[coding.Style]*learned.StyleModels{}}
	for s, have := range l.Present.Styles {
		out.Styles[s] = have
	}
	out.Styles[l.Style] = &m
	return out, nil
}

func changeOf(was, is Result) Change {
	c := Change{Item: is.Note.Item}
	required, acceptable := is.Note.Gold()
	good := func(code string) bool { return required[code] || acceptable[code] }
	has := func(list []Shown, code string) bool {
		return slices.ContainsFunc(list, func(s Shown) bool { return s.Code == code })
	}
	judge := func(ok bool) {
		if ok {
			c.Right++
		} else {
			c.Bad++
		}
	}
	for _, s := range is.Shown {
		if !has(was.Shown, s.Code) {
			c.Appear = append(c.Appear, s.Code)
			judge(good(s.Code))
		}
	}
	for _, s := range was.Shown {
		if !has(is.Shown, s.Code) {
			c.Disappear = append(c.Disappear, s.Code)
			judge(!good(s.Code))
		}
	}
	slices.Sort(c.Appear)
	slices.Sort(c.Disappear)
	return c
}

// resamples of the notes' groups, for the interval.
const (
	resamples    = 2000
	resampleSeed = 20260102
)

// gainInterval is the 95% interval of the gain of micro-F1 by the percentile
// bootstrap, paired (Efron and Tibshirani 1993, chapter 13): groups of notes are
// drawn with replacement, and each gives what both models show for it.
func gainInterval(was, is []Result) (low, high float64) {
	at := map[string]int{}
	var groups [][2]Scores
	for i := range was {
		a := was[i].Note.Article()
		k, ok := at[a]
		if !ok {
			k = len(groups)
			at[a], groups = k, append(groups, [2]Scores{})
		}
		groups[k][0].count(Score(was[i : i+1]))
		groups[k][1].count(Score(is[i : i+1]))
	}
	rng := rand.New(rand.NewPCG(resampleSeed, resampleSeed))
	gains := make([]float64, resamples)
	for r := range gains {
		var a, b Scores
		for range groups {
			k := rng.IntN(len(groups))
			a.count(groups[k][0])
			b.count(groups[k][1])
		}
		gains[r] = b.F1() - a.F1()
	}
	slices.Sort(gains)
	return gains[resamples*25/1000], gains[resamples*975/1000]
}

// count adds the counts that F1 is made of.
func (s *Scores) count(o Scores) {
	s.Right += o.Right
	s.Acceptable += o.Acceptable
	s.Wrong += o.Wrong
	s.Missed += o.Missed
}

// SelectionText says who coded the notes and how, and what that does to the
// comparison.
func (counts *ReviewCounts) SelectionText() string {
	var b strings.Builder
	fmt.Fprintf(&b, "finished reviews: %d items with %d notes; items finished by auditors: %d (%.0f%%); notes judged by auditors: %d (%.0f%%)\n",
		counts.Items, counts.Notes, counts.ByAuditors, 100*float64(counts.ByAuditors)/float64(max(counts.Items, 1)), counts.Judged, 100*float64(counts.Judged)/float64(max(counts.Notes, 1)))
	fmt.Fprintf(&b, "  codes accepted as shown: %d, changed: %d, added: %d, added though suggested: %d; suggestions rejected or changed: %d, left undecided: %d\n",
		counts.Codes[coding.OriginAccepted], counts.Codes[coding.OriginModified], counts.Codes[coding.OriginAdded], counts.Codes[coding.OriginAddedThoughProposed], counts.Rejected, counts.Undecided)
	if counts.Returned+counts.OtherStyle > 0 {
		fmt.Fprintf(&b, "  left out: %d items that were sent back, %d notes with suggestions of another coding style\n", counts.Returned, counts.OtherStyle)
	}
	names := make([]string, 0, len(counts.Rankers))
	for name := range counts.Rankers {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprint(&b, "  suggestions that the coders saw were made by")
	for i, name := range names {
		if i > 0 {
			fmt.Fprint(&b, ",")
		}
		fmt.Fprintf(&b, " %s (%d notes)", name, counts.Rankers[name])
	}
	fmt.Fprintf(&b, `
how selection was handled:
  Only finished items teach, so what is easy to finish is overrepresented. Coders saw
  suggestions before they decided and may have followed them: accepted is not the same as
  correct. In training a code that was changed, added or rejected therefore counts %d times
  as much as one that was accepted, and what an auditor decided %d times as much as what
  others did. Where an auditor judged a review, the judgement's codes stand in place of the
  coder's. In the comparison every note counts once. What the coders saw came from the
  models named above, which favours these over new ones; codes that were never shown count
  as wrong only as far as nobody added them. A random sample that is coded without
  suggestions and judged comes from: chartcode audit sample
`, DecidedWeight, AuditorWeight)
	return b.String()
}

// Text is the comparison for people.
func (r *LearnReport) Text() string {
	var b strings.Builder
	if !r.Enough {
		return fmt.Sprintf("%d notes can be compared on: of %d notes of finished reviews, the present models were learned from the others, or from notes of the same patients\n", r.Compared, r.Site)
	}
	fmt.Fprintf(&b, "compared on %d of %d notes, %d folds by patient, or encounter where no patient is named; the new models did not see the note that they are measured on, nor its patient\n", r.Compared, r.Site, learnFolds)
	for _, l := range []struct {
		name string
		s    *Scores
	}{{"present", &r.Present}, {"new", &r.New}, {"present, of auditors", &r.Auditors.Present}, {"new, of auditors", &r.Auditors.New}} {
		if l.s.Notes > 0 {
			fmt.Fprintf(&b, "  %-28s micro-precision %.3f (%d of %d), micro-recall %.3f (%d of %d), micro-F1 %.3f\n", l.name,
				l.s.Precision(), l.s.Right+l.s.Acceptable, l.s.Right+l.s.Acceptable+l.s.Wrong, l.s.ShownRecall(), l.s.Right, l.s.Right+l.s.Missed, l.s.F1())
		}
	}
	fmt.Fprintf(&b, "gain of micro-F1: %+.3f, 95%% interval %+.3f to %+.3f (%d paired resamples of patients); asked for: %.3f, and an interval above 0\n", r.Gain, r.Low, r.High, resamples, r.Margin)
	return b.String()
}

// ChangesText lists for up to limit notes which codes would appear and
// disappear: codes and numbers of items, nothing else.
func (r *LearnReport) ChangesText(limit int) string {
	var b strings.Builder
	right, bad := 0, 0
	for _, c := range r.Changes {
		right, bad = right+c.Right, bad+c.Bad
	}
	fmt.Fprintf(&b, "codes would change in %d of %d notes: %d changes agree with the reviews, %d do not\n", len(r.Changes), r.Compared, right, bad)
	for _, c := range r.Changes[:min(limit, len(r.Changes))] {
		fmt.Fprintf(&b, "  item %d:", c.Item)
		for _, code := range c.Appear {
			fmt.Fprintf(&b, " +%s", code)
		}
		for _, code := range c.Disappear {
			fmt.Fprintf(&b, " -%s", code)
		}
		fmt.Fprintln(&b)
	}
	return b.String()
}
