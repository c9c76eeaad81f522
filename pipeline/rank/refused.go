package rank

import (
	"slices"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// Words that name a service do not say that it is given: who declines palliative
// care has none, and who is told of it has none yet. Where a code says what the
// encounter is for, places where the service is refused, only talked of, or made to
// depend on something are no places of it.

var (
	talkedOf  = wordSet(`discuss discussed discusses discussing discussion offer offered consider considering considered decline declines declined refuse refused refuses defer deferred cancelled canceled`)
	dependsOn = wordSet(`if unless should`)
)

// withoutRefused leaves such places out.
func (o *occasion) withoutRefused(in Input, rows *purposes) Input {
	cloned := false
	ofMatch := func(m coding.Match) bool { return o.onlyTalked(m.Span) }
	ofGround := func(g coding.Ground) bool { return o.onlyTalked(g.Span) }
	for i := range in.Candidates {
		c := &in.Candidates[i]
		if c.Code[0] != 'Z' || !rows.names(c.Code) {
			continue
		}
		matches, grounds := slices.DeleteFunc(slices.Clone(c.Matches), ofMatch), slices.DeleteFunc(slices.Clone(c.Grounds), ofGround)
		if len(matches) == len(c.Matches) && len(grounds) == len(c.Grounds) {
			continue
		}
		if !cloned {
			in.Candidates, cloned = slices.Clone(in.Candidates), true
			c = &in.Candidates[i]
		}
		c.Matches, c.Grounds = matches, grounds
	}
	return in
}

// onlyTalked reports whether the words at s are refused, talked of or conditional.
func (o *occasion) onlyTalked(s coding.Span) bool {
	i := o.in.Doc.SentenceAt(s.Start)
	if i < 0 {
		return false
	}
	toks := o.sentences[i]
	first := slices.IndexFunc(toks, func(t lexicon.Token) bool { return t.End > s.Start })
	if first < 0 {
		return false
	}
	last := first
	for last < len(toks) && toks[last].Start < s.End {
		last++
	}
	for k := max(0, first-beforeWords); k < min(len(toks), last+afterWords); k++ {
		if talkedOf[toks[k].Lower] || k >= last && dependsOn[toks[k].Lower] {
			return true
		}
	}
	return false
}
