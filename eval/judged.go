package eval

import (
	"context"
	"slices"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// judgedReview is by what a judgement is known: the item, and the decision that
// finished it. A review that was finished anew is another.
type judgedReview struct {
	item int64
	seq  int
}

func judgements(ctx context.Context, src Reviews) (map[judgedReview]*coding.Judgement, error) {
	cases, err := src.AuditCases(ctx, 0, "")
	if err != nil {
		return nil, err
	}
	out := map[judgedReview]*coding.Judgement{}
	for i := range cases {
		if c := &cases[i]; c.Judgement != nil {
			out[judgedReview{c.Item, c.FinishSeq}] = c.Judgement
		}
	}
	return out, nil
}

// judgedRight reports whether a judgement has a code, be it acceptable only.
func judgedRight(j *coding.Judgement, key coding.CodeKey) bool {
	return slices.ContainsFunc(j.Codes, func(g coding.GivenCode) bool { return g.CodeKey == key })
}

// enterJudged gives the codes of a judgement to an item's notes in place of those
// that its coder gave, codes. What was suggested and is not among them was rejected,
// whatever the coder did with it.
func (counts *ReviewCounts) enterJudged(item []GoldNote, codes []review.Code, j *coding.Judgement) {
	const weight = AuditorWeight * DecidedWeight // judged without regard to what was suggested
	lead := j.Lead()
	for _, g := range j.Codes {
		if g.System != coding.ICD10CM {
			continue
		}
		own := GoldCode{System: g.System, Code: g.Code, Origin: coding.OriginAdded, Weight: weight}
		if i := slices.IndexFunc(codes, func(c review.Code) bool { return c.CodeKey == g.CodeKey && c.Listed() }); i >= 0 {
			own.Origin = codes[i].Origin
		}
		if g.Acceptable {
			own.Tier = TierAcceptable
		}
		counts.Codes[own.Origin]++
		place(item, own, standing(item, g.Evidence), g.CodeKey == lead)
	}
	for _, c := range codes {
		if c.Suggested && !judgedRight(j, c.CodeKey) {
			counts.reject(item, GoldCode{System: c.System, Code: c.Code, Origin: c.Origin, Weight: weight}, c.NoteIDs)
		}
	}
}

// standing gives the evidence whose words still stand where they did: a case keeps
// its notes as they were when it was drawn.
func standing(item []GoldNote, evidence []coding.Evidence) []coding.Evidence {
	return slices.DeleteFunc(slices.Clone(evidence), func(e coding.Evidence) bool {
		return !slices.ContainsFunc(item, func(n GoldNote) bool {
			return n.NoteID == e.NoteID && e.Start >= 0 && e.Start < e.End && e.End <= len(n.Text) && n.Text[e.Start:e.End] == e.Text
		})
	})
}
