package measure

import (
	"slices"
	"strings"

	"chartcode/internal/coding"
)

// Case is one note: what people coded and what was suggested. Codes are
// distinct in each list, ICD-10-CM with the dot.
type Case struct {
	NoteID    string
	Cluster   string // notes of one patient have one; empty: the note stands alone
	Setting   string
	Specialty string
	Bytes     int // length of the text

	Required   []string
	Acceptable []string
	Unscored   []string                 // undotted beginnings: a suggestion under one counts neither way
	First      []string                 // right as first-listed; empty: not labelled
	Evidence   map[string][]coding.Span // of gold codes; nil: not labelled
	Silent     map[string]bool          // required codes that no word of the note names, where that is known

	Shown      []Shown  // in the order shown
	Candidates []string // in retrieval's order
	Judged     int      // how many candidates the ranker looked at; 0: all
	Removed    []string // by a coding rule after ranking

	CostUSD float64
	Tokens  float64
	Millis  float64 // 0: not measured
}

// Shown is one suggestion as a coder is shown it.
type Shown struct {
	Code       string
	Confidence float64
	Evidence   []coding.Span
	Invalid    bool // not billable in the release that holds
}

// Verdict says what a suggestion is, measured by gold.
type Verdict string

// The verdicts.
const (
	Right    Verdict = "right"
	Allowed  Verdict = "acceptable"
	Wrong    Verdict = "wrong"
	Unscored Verdict = "unscored"
)

// Loss says at which stage a required code was lost.
type Loss string

// The stages, in the order of the pipeline. A code is not mentioned where no
// word of its title or of its labelled evidence stands in the note; ranked low
// where it was retrieved behind the candidates that the ranker looks at; below
// the threshold where the ranker saw it and did not choose it; removed where a
// coding rule took it out afterwards.
const (
	NotMentioned   Loss = "not mentioned"
	NotRetrieved   Loss = "not retrieved"
	RankedLow      Loss = "ranked low"
	BelowThreshold Loss = "below threshold"
	RemovedByRule  Loss = "removed by a rule"
)

// Losses gives the stages in order.
func Losses() []Loss {
	return []Loss{NotMentioned, NotRetrieved, RankedLow, BelowThreshold, RemovedByRule}
}

// Missed is a required code that is not shown.
type Missed struct {
	Code string
	Loss Loss
	Rank int // by retrieval, from 1; 0: not retrieved
}

// Outcome is what became of one note.
type Outcome struct {
	Verdicts []Verdict // of Case.Shown
	Missed   []Missed

	Right, Acceptable, Wrong int
}

// Outcome compares suggestions with gold.
func (c *Case) Outcome() Outcome {
	out := Outcome{Verdicts: make([]Verdict, len(c.Shown))}
	for i := range c.Shown {
		code := c.Shown[i].Code
		switch {
		case slices.Contains(c.Required, code):
			out.Verdicts[i] = Right
			out.Right++
		case slices.Contains(c.Acceptable, code):
			out.Verdicts[i] = Allowed
			out.Acceptable++
		case c.unscored(code):
			out.Verdicts[i] = Unscored
		default:
			out.Verdicts[i] = Wrong
			out.Wrong++
		}
	}
	for _, code := range c.Required {
		if !slices.ContainsFunc(c.Shown, func(s Shown) bool { return s.Code == code }) {
			out.Missed = append(out.Missed, c.lost(code))
		}
	}
	return out
}

func (c *Case) unscored(code string) bool {
	bare := coding.UndotCode(code)
	return slices.ContainsFunc(c.Unscored, func(stem string) bool { return strings.HasPrefix(bare, stem) })
}

func (c *Case) lost(code string) Missed {
	m := Missed{Code: code, Rank: slices.Index(c.Candidates, code) + 1}
	switch {
	case slices.Contains(c.Removed, code):
		m.Loss = RemovedByRule
	case m.Rank == 0 && c.Silent[code]:
		m.Loss = NotMentioned
	case m.Rank == 0:
		m.Loss = NotRetrieved
	case c.Judged > 0 && m.Rank > c.Judged:
		m.Loss = RankedLow
	default:
		m.Loss = BelowThreshold
	}
	return m
}

// F1 of the note's codes: 1 where there is nothing to code and nothing wrong is
// shown, 0 where something is due or shown and nothing is right.
func (o *Outcome) F1() float64 {
	if o.Wrong+len(o.Missed) == 0 {
		return 1
	}
	return f1(float64(o.Right), float64(o.Acceptable), float64(o.Wrong), float64(len(o.Missed)))
}

// AllRight reports whether every required code is shown and nothing wrong is.
func (o *Outcome) AllRight() bool { return o.Wrong+len(o.Missed) == 0 }

// f1 is the harmonic mean of precision (right and acceptable over shown) and
// recall (right over required); 0 where nothing is right.
func f1(right, acceptable, wrong, missed float64) float64 {
	p, r := ratio(right+acceptable, right+acceptable+wrong), ratio(right, right+missed)
	return harmonic(p, r)
}

func ratio(num, den float64) float64 {
	if den == 0 {
		return 0
	}
	return num / den
}

func harmonic(p, r float64) float64 {
	if p+r == 0 {
		return 0
	}
	return 2 * p * r / (p + r)
}
