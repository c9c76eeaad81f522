package rank

import (
	"cmp"
	"slices"

	"chartcode/internal/coding"
)

// byWords adds to each part the candidates that the search for words found and
// no statement has, so that what the reading missed can still be chosen: what the
// local ranker suggests first, then the others as retrieval ordered them.
func (c *chain) byWords() {
	taken := map[string]bool{}
	for _, s := range c.statements {
		for _, f := range s.found {
			taken[f.Code] = true
		}
	}
	lists := make([]*statement, len(c.parts))
	for _, i := range c.likeliest() {
		k := &c.in.Candidates[i]
		m := bestMatch(k)
		if m == nil || taken[k.Code] || !(stated(m.Assertion) || familyCode(k.Code) && m.Assertion == coding.Family) || c.finder.toModel(m.Span) {
			continue
		}
		p := c.partAt(m.Span.Start)
		if lists[p] == nil {
			lists[p] = &statement{part: p, words: true, quotes: map[string]coding.Span{}}
		}
		if s := lists[p]; len(s.found) < c.cfg.ByWords {
			taken[k.Code] = true
			s.quotes[k.Code] = m.Span
			s.found = append(s.found, coding.Found{Candidate: *k, ByQuote: max(m.Lexical, m.Dense)})
		}
	}
	for _, s := range lists {
		if s != nil {
			c.statements = append(c.statements, s)
		}
	}
}

// likeliest are the candidates in the order in which they deserve to be seen.
func (c *chain) likeliest() []int {
	if c.known == nil {
		c.index()
	}
	var out []int
	seen := map[int]bool{}
	add := func(i int) {
		if !seen[i] {
			seen[i] = true
			out = append(out, i)
		}
	}
	for _, s := range c.in.Beside.Chosen {
		if i, ok := c.known[s.Code]; ok {
			add(i)
		}
	}
	for i := range c.in.Candidates {
		if purposeOf(&c.in.Candidates[i]) > 0 {
			add(i)
		}
	}
	for i := range c.in.Candidates[:min(len(c.in.Candidates), Judged)] {
		add(i)
	}
	return out
}

func (c *chain) partAt(at int) int {
	for i, p := range c.parts {
		if at < p.span().End {
			return i
		}
	}
	return len(c.parts) - 1
}

// wordsFound is the kind of a statement that is made of words alone.
const wordsFound = "words found"

// mostGroups bounds the statements that are made of words alone.
const mostGroups = 45

// fromWords makes statements of the candidates that the search for words found:
// those on the same words stand together.
func (c *chain) fromWords() {
	for _, i := range c.likeliest() {
		k := &c.in.Candidates[i]
		m := bestMatch(k)
		if m == nil || !(stated(m.Assertion) || familyCode(k.Code) && m.Assertion == coding.Family) || c.finder.toModel(m.Span) {
			continue
		}
		f := coding.Found{Candidate: *k, ByQuote: max(m.Lexical, m.Dense)}
		at := slices.IndexFunc(c.statements, func(s *statement) bool { return s.evidence[0].Overlaps(m.Span) && len(s.found) < c.cfg.PerItem })
		if at >= 0 {
			c.statements[at].found = append(c.statements[at].found, f)
		} else if len(c.statements) < mostGroups {
			c.statements = append(c.statements, &statement{
				part: c.partAt(m.Span.Start), description: oneLine(m.Term, longestDescription), kind: wordsFound, assertion: cmp.Or(m.Assertion, coding.Present),
				evidence: []coding.Span{m.Span}, found: []coding.Found{f},
			})
		}
	}
	slices.SortStableFunc(c.statements, func(a, b *statement) int { return cmp.Compare(a.evidence[0].Start, b.evidence[0].Start) })
	c.counts.Statements = len(c.statements)
}
