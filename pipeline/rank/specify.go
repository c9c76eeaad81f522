package rank

import (
	"slices"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// twoSides reports whether two codes name the two sides of one condition, both
// of them stated by the note: where no code stands for both, each is billed
// (guideline I.B.13, paraphrased).
func twoSides(in Input, a, b *coding.Candidate) bool {
	if a.Support.Side != 1 || b.Support.Side != 1 || forBoth(in, a.Code) {
		return false
	}
	x, y := strings.Fields(strings.ToLower(a.Display)), strings.Fields(strings.ToLower(b.Display))
	if len(x) != len(y) {
		return false
	}
	apart := 0
	for i := range x {
		if x[i] == y[i] {
			continue
		}
		pair := []string{strings.Trim(x[i], ",;"), strings.Trim(y[i], ",;")}
		slices.Sort(pair)
		if pair[0] != "left" || pair[1] != "right" {
			return false
		}
		apart++
	}
	return apart > 0
}

// forBoth reports whether a candidate beside the code stands for both sides.
func forBoth(in Input, code string) bool {
	n := min(5, len(code))
	return slices.ContainsFunc(in.Candidates, func(c coding.Candidate) bool {
		return strings.HasPrefix(c.Code, code[:n]) && strings.Contains(strings.ToLower(c.Display), "bilateral")
	})
}

// exacter gives, for a candidate whose title says unspecified, the best
// of its category that says more and is stated: whose term has the words of the
// candidate's term and others, nearly all found in the note. "Melanoma of the
// back" in the history says which of the melanomas the assessment means. The
// exact code answers for the candidate's odds. j itself where there is none.
func exacter(in Input, list []Billed, j Billed) Billed {
	c := &in.Candidates[j.Candidate]
	if !unspecified(c.Display) || signLike(c.Code) || !bySite(c.Code) {
		return j
	}
	have := words(j.match.Term)
	best := j
	found := false
	for _, o := range list {
		oc := &in.Candidates[o.Candidate]
		if o.Candidate == j.Candidate || unspecified(oc.Display) || coding.Category(oc.Code) != coding.Category(c.Code) || oc.Support.Side < 0 {
			continue
		}
		if logOdds(oc.RetrievalScore) < logOdds(c.RetrievalScore)-exactWithin || (found && o.Odds <= best.Odds) || !saysMore(in, oc, have) {
			continue
		}
		best, found = o, true
	}
	if found {
		best.Odds = max(best.Odds, j.Odds)
		best.First = max(best.First, j.First)
	}
	return best
}

func unspecified(title string) bool {
	return strings.Contains(strings.ToLower(title), "unspecified")
}

// exactWithin is how much less likely, in log odds, retrieval may have the exact
// code; what is said of sections must not count, as it stands in another.
const exactWithin = 2.5

// saysMore reports whether the note states the candidate by a term that has all
// the words given and more.
func saysMore(in Input, c *coding.Candidate, have map[string]bool) bool {
	for i := range c.Matches {
		m := &c.Matches[i]
		if m.Assertion != coding.Present || m.Lexical < exactShare || m.Kind == coding.TermLearned {
			continue
		}
		if looseWords(in.Doc.Text[m.Span.Start:m.Span.End], m.Term) > 2 {
			continue
		}
		n := 0
		more := words(m.Term)
		for w := range have {
			if more[w] {
				n++
			}
		}
		if n == len(have) && len(more) > n {
			return true
		}
	}
	return false
}

// exactShare is the share of the exact term's words that must be found.
const exactShare = 0.99

// bySite reports whether the codes of a category tell sites apart: neoplasms,
// the digestive and the musculoskeletal system, and injuries. Elsewhere further
// words as often name another condition (mixed hyperlipidemia, persistent atrial
// fibrillation).
func bySite(code string) bool {
	switch code[0] {
	case 'C', 'K', 'M', 'S':
		return true
	}
	return code[0] == 'D' && code[1] < '5'
}

// words are the norms of a term's words of meaning.
func words(term string) map[string]bool {
	out := map[string]bool{}
	for _, n := range lexicon.Norms(term) {
		if !lexicon.IsStop(n) {
			out[n] = true
		}
	}
	for _, w := range []string{"unspecified", "other", "nos", "specified", "site"} {
		for _, n := range lexicon.Norms(w) {
			delete(out, n)
		}
	}
	return out
}
