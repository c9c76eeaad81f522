package rank

import (
	"strings"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// What the conventions ask of a note: whether it names a condition, says a phrase,
// or says that two conditions have nothing to do with each other.

// betterNamed reports whether words of a match name another code of its category
// more fully: "CKD 3" is a part of "CKD 3b".
func betterNamed(in Input, c *coding.Candidate, m *coding.Match) bool {
	for i := range in.Candidates {
		o := &in.Candidates[i]
		if o.Code == c.Code || coding.Category(o.Code) != coding.Category(c.Code) {
			continue
		}
		for k := range o.Matches {
			om := &o.Matches[k]
			fuller := om.Lexical > m.Lexical+0.01 || om.Lexical >= m.Lexical && om.Span != m.Span && om.Span.Contains(m.Span)
			if fuller && om.Span.Overlaps(m.Span) && stated(om.Assertion) {
				return true
			}
		}
	}
	return false
}

// named is the best candidate of a set that the note names as being there: by its
// own terms, not by those of a header ("CKD" is not its end stage), unless it is
// what the header is without more detail.
func named(in Input, set []codeset.Ref) (*coding.Candidate, *coding.Match) {
	for i := range in.Candidates {
		c := &in.Candidates[i]
		if !anyRef(set, c.Code) {
			continue
		}
		for k := range c.Matches {
			m := &c.Matches[k]
			if m.Lexical >= thinFrom && (m.TermCode == c.Code || vague(c.Display)) && m.Assertion == coding.Present && m.Kind != termConvention && tells(m.Section) &&
				!generic(in.Doc.Text[m.Span.Start:m.Span.End]) && !prevented(in.Doc.Text[m.Span.End:]) && !betterNamed(in, c, m) {
				return c, m
			}
		}
	}
	return nil, nil
}

// tells reports whether a section speaks of the patient's conditions.
func tells(s coding.SectionKind) bool {
	return sectionPoints[s] > sectionPoints[coding.SectionAllergies]
}

func matchAt(doc *coding.Document, s coding.Span) coding.Match {
	return coding.Match{Span: s, Lexical: 1, Assertion: doc.AssertionOf(s), Section: doc.SectionAt(s.Start)}
}

// said finds the first place at which the note says one of the phrases of the
// patient; near: within the sentences of the spans.
func said(doc *coding.Document, phrases []string, spans []coding.Span, near bool) (coding.Span, bool) {
	best := coding.Span{Start: -1}
	look := func(from, to int) {
		for _, p := range phrases {
			for at := from; ; {
				n := indexFold(doc.Text[at:to], p)
				if n < 0 {
					break
				}
				s := coding.Span{Start: at + n, End: at + n + len(p)}
				at = s.End
				if !wholeWords(doc.Text, s.Start, s.End) || doc.AssertionOf(s) != coding.Present || !tells(doc.SectionAt(s.Start)) {
					continue
				}
				if best.Start < 0 || s.Start < best.Start {
					best = s
				}
				break
			}
		}
	}
	if !near {
		look(0, len(doc.Text))
		return best, best.Start >= 0
	}
	for _, s := range spans {
		if i := doc.SentenceAt(s.Start); i >= 0 {
			look(doc.Sentences[i].Start, doc.Sentences[i].End)
		}
	}
	return best, best.Start >= 0
}

// indexFold is the place of an ASCII phrase, whatever the case of its letters.
func indexFold(text, phrase string) int {
	for i := 0; i+len(phrase) <= len(text); i++ {
		if strings.EqualFold(text[i:i+len(phrase)], phrase) {
			return i
		}
	}
	return -1
}

// unrelatedWords say that two conditions are not linked, anotherCause that the
// one before them has another cause. Source: guidelines I.A.15 and I.C.9.a,
// paraphrased: what the classification links is coded as linked unless the
// note clearly says that it is not.
var (
	unrelatedWords = []string{"unrelated to", "not related to", "not due to", "not caused by", "not secondary to", "non-diabetic",
		"nondiabetic", "not diabetic", "non-hypertensive", "nonhypertensive", "idiopathic", "not attributed to"}
	anotherCause = []string{"due to", "secondary to", "caused by", "related to", "because of"}
)

// unrelated reports whether the sentence of b, the condition that a is said to
// bring with it, says that it has another cause.
func unrelated(doc *coding.Document, a, b coding.Span) bool {
	i := doc.SentenceAt(b.Start)
	if i < 0 {
		return false
	}
	s := doc.Sentences[i].Span
	text := strings.ToLower(doc.Text[s.Start:s.End])
	for _, w := range unrelatedWords {
		if strings.Contains(text, w) {
			return true
		}
	}
	if b.End > s.End {
		return false
	}
	after := strings.TrimLeft(text[b.End-s.Start:], " ,")
	for _, w := range anotherCause {
		if rest, ok := strings.CutPrefix(after, w+" "); ok {
			return !strings.Contains(rest, "diabet") && !strings.Contains(rest, "hypertens") && !strings.Contains(rest, "htn") &&
				!strings.Contains(rest, strings.ToLower(doc.Text[a.Start:a.End]))
		}
	}
	return false
}

// otherSide reports whether two titles name different sides.
func otherSide(a, b string) bool {
	side := func(t string) string {
		t = strings.ToLower(t)
		l, r := strings.Contains(t, "left"), strings.Contains(t, "right")
		switch {
		case l && !r:
			return "left"
		case r && !l:
			return "right"
		}
		return ""
	}
	x, y := side(a), side(b)
	return x != "" && y != "" && x != y
}
