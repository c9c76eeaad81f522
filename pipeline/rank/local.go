package rank

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
)

// LocalConfig says what the local ranker is made of.
type LocalConfig struct {
	Models *learned.Models
}

// Local ranks without an LLM. It is safe for concurrent use, and the same
// input gives the same output.
type Local struct{ models *learned.Models }

// ErrModels is returned for models that the local ranker cannot use.
var ErrModels = errors.New("the local ranker needs models that were trained on its features; train them again")

// NewLocal checks the models.
func NewLocal(c LocalConfig) (*Local, error) {
	if c.Models == nil {
		return nil, ErrModels
	}
	if !fitsMentions(c.Models.Style(coding.Mentions)) {
		return nil, ErrModels
	}
	b := c.Models.Style(coding.Billing)
	for _, m := range []*gbdt.Model{b.Rank, b.First} {
		if m != nil && !slices.Equal(m.Features, BillingFeatures()) {
			return nil, ErrModels
		}
	}
	if b.Lead != nil && !slices.Equal(b.Lead.Features, FirstFeatures()) {
		return nil, ErrModels
	}
	return &Local{c.Models}, nil
}

// Name is local@N, N the version of the models.
func (l *Local) Name() string { return fmt.Sprintf("local@%d", l.models.Version) }

// Rank gives the suggestions of the style asked for. It never fails but for
// an ended context.
func (l *Local) Rank(ctx context.Context, in Input) (Output, error) {
	if err := ctx.Err(); err != nil {
		return Output{}, err
	}
	if in.Style == coding.Mentions {
		return Output{Suggestions: l.mentions(in)}, nil
	}
	return Output{Suggestions: l.billing(in)}, nil
}

// Scores gives the log odds, before calibration, of the first Judged
// candidates in the style of mentions.
func (l *Local) Scores(in Input) []float64 { return l.scores(MentionRows(in)) }

func (l *Local) scores(rows [][]float32) []float64 {
	if m := l.models.Style(coding.Mentions).Rank; m != nil {
		return m.Scores(known(m, rows))
	}
	out := make([]float64, len(rows))
	for i, x := range rows {
		out[i] = float64(x[fRetrieval])
	}
	return out
}

// mentions shows every code that is worth it by its confidence and by how likely
// words of the note support it.
func (l *Local) mentions(in Input) []coding.Suggestion {
	s := l.models.Style(coding.Mentions)
	var out []coding.Suggestion
	rows := MentionRows(in)
	for i, odds := range l.scores(rows) {
		p := s.Calibration.Probability(odds)
		if (Shown{Support: 1}).Worth(p) < s.Threshold {
			continue
		}
		show := l.showing(in, i, rows[i])
		if show.Evidence == nil || show.Worth(p) < s.Threshold {
			continue
		}
		c := &in.Candidates[i]
		sg := coding.Suggestion{
			System: c.System, Code: c.Code, Display: c.Display, Role: coding.RoleSecondary, Confidence: p,
			Evidence: show.Evidence, Rationale: rationale(c),
		}
		if in.Explain {
			sg.Explanation = explain(effectsOf(s.Rank, known(s.Rank, rows)[i], odds), odds, s.Calibration)
		}
		out = append(out, sg)
	}
	slices.SortStableFunc(out, func(a, b coding.Suggestion) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.Code, b.Code))
	})
	number(in.Doc, out)
	return out
}

// number gives ranks, and the first code that may stand first its role.
func number(doc *coding.Document, out []coding.Suggestion) {
	first := coding.RoleFirstListed
	if doc.Setting.InpatientRules() {
		first = coding.RolePrincipal
	}
	for i := range out {
		out[i].Rank = i + 1
		out[i].Role = coding.RoleSecondary
	}
	for i := range out {
		if mayStandFirst(out[i].Code) {
			out[i].Role = first
			return
		}
	}
}

// mayStandFirst is false for external causes, which never do (guidelines
// I.C.20), for the causes of diseases classified elsewhere, and for the outcome
// of a delivery, the weeks of a pregnancy and the body mass index, which are
// only reported beside another code (I.C.15.b.5, I.C.21.c.11, I.B.14).
func mayStandFirst(code string) bool {
	switch code[0] {
	case 'V', 'W', 'X', 'Y':
		return false
	}
	switch coding.Category(code) {
	case "B95", "B96", "B97", "Z37", "Z3A", "Z68":
		return false
	}
	return true
}

// denied reports whether the note names the candidate only where it is denied,
// of the family or hypothetical, and states in the same sentences only words
// that go along with it: "denies fever but has a cough" is no fever.
func denied(doc *coding.Document, c *coding.Candidate) bool {
	var where []int // sentences that name it so
	for i := range c.Matches {
		if m := &c.Matches[i]; !stated(m.Assertion) && max(m.Lexical, m.Dense) >= namedFrom {
			where = append(where, doc.SentenceAt(m.Span.Start))
		}
	}
	if where == nil {
		return false
	}
	for i := range c.Matches {
		m := &c.Matches[i]
		if stated(m.Assertion) && (m.Lexical >= heldFrom || m.Dense >= denseHeldFrom || !slices.Contains(where, doc.SentenceAt(m.Span.Start))) {
			return false
		}
	}
	return true
}

// From which score a place names a candidate, and from which it speaks of it by
// itself. Words that only go along with a condition reach 0.1 to 0.5.
const namedFrom, heldFrom, denseHeldFrom = 0.9, 0.6, 0.85
