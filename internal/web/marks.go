package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"chartcode/internal/coding"
)

// mark says that a stretch of a note's text is evidence for a code of the list.
type mark struct {
	coding.Span
	code   int    // number of the code in the list, from 0
	anchor string // id of the place in the page
}

// piece is a stretch of text with the codes that rest on it: none for plain
// text. Pieces follow one another without gaps.
type piece struct {
	Text    string
	Codes   []int
	Anchors []string // of the evidence that begins here
	Heading bool
	Section string           // id of the place of a heading
	Said    coding.Assertion // of what is denied or said of the family; else empty
	On      bool             // evidence of the selected code
	Names   []string         // of the codes
}

// SaidClass and SaidHint are for what is denied or said of the family.
func (p piece) SaidClass() string {
	switch p.Said {
	case coding.Negated:
		return "said-no"
	case coding.Family:
		return "said-family"
	}
	return ""
}

// SaidHint says it in words.
func (p piece) SaidHint() string {
	switch p.Said {
	case coding.Negated:
		return "Denied, or of another person"
	case coding.Family:
		return "Said of the family"
	}
	return ""
}

// Class is for the style sheet.
func (p piece) Class() string {
	c := "ev"
	if len(p.Codes) > 1 {
		c += " many"
	}
	if p.On {
		c += " on"
	}
	return c
}

// Spans lists the codes' numbers for the script.
func (p piece) Spans() string {
	s := make([]string, len(p.Codes))
	for i, c := range p.Codes {
		s[i] = strconv.Itoa(c)
	}
	return strings.Join(s, " ")
}

// Hint names the codes that rest on the piece.
func (p piece) Hint() string { return "Evidence for " + strings.Join(p.Names, ", ") }

// evidenceAnchor is the id of the n-th evidence of a code in the page.
func evidenceAnchor(code, n int) string { return fmt.Sprintf("ev-%d-%d", code, n) }

// cut divides text at the borders of marks and headings, so that overlapping
// evidence of several codes is told apart. Spans that lie outside the text or
// split a character are left out: a page must not fail for one bad offset.
//
// Scopes say where something is denied or said of the family; of several the
// stronger counts. Other scopes are left out.
func cut(text string, marks []mark, headings []coding.Span, scopes []coding.Scope) []piece {
	fits := func(s coding.Span) bool {
		return s.Start >= 0 && s.Start < s.End && s.End <= len(text) && boundary(text, s.Start) && boundary(text, s.End)
	}
	borders := []int{0, len(text)}
	good := make([]mark, 0, len(marks))
	for _, m := range marks {
		if fits(m.Span) {
			good = append(good, m)
			borders = append(borders, m.Start, m.End)
		}
	}
	heads := make([]coding.Span, 0, len(headings))
	for _, h := range headings {
		if fits(h) {
			heads = append(heads, h)
			borders = append(borders, h.Start, h.End)
		}
	}
	said := make([]coding.Scope, 0, len(scopes))
	for _, sc := range scopes {
		if (sc.Assertion == coding.Negated || sc.Assertion == coding.Family) && fits(sc.Span) {
			said = append(said, sc)
			borders = append(borders, sc.Start, sc.End)
		}
	}
	slices.Sort(borders)
	borders = slices.Compact(borders)
	byStart := func(a, b coding.Span) int { return a.Start - b.Start }
	slices.SortStableFunc(good, func(a, b mark) int { return byStart(a.Span, b.Span) })
	slices.SortStableFunc(heads, byStart)
	slices.SortStableFunc(said, func(a, b coding.Scope) int { return byStart(a.Span, b.Span) })

	var out []piece
	var open []mark // those that reach into the present piece
	var in []coding.Scope
	for i := 1; i < len(borders); i++ {
		from, to := borders[i-1], borders[i]
		p := piece{Text: text[from:to]}
		open = slices.DeleteFunc(open, func(m mark) bool { return m.End <= from })
		for len(good) > 0 && good[0].Start <= from {
			p.Anchors = append(p.Anchors, good[0].anchor)
			open = append(open, good[0])
			good = good[1:]
		}
		for _, m := range open {
			p.Codes = append(p.Codes, m.code)
		}
		slices.Sort(p.Codes)
		p.Codes = slices.Compact(p.Codes)
		for len(heads) > 0 && heads[0].End <= from {
			heads = heads[1:]
		}
		p.Heading = len(heads) > 0 && heads[0].Start <= from
		in = slices.DeleteFunc(in, func(sc coding.Scope) bool { return sc.End <= from })
		for len(said) > 0 && said[0].Start <= from {
			in = append(in, said[0])
			said = said[1:]
		}
		for i, sc := range in {
			if i == 0 || coding.Stronger(sc.Assertion, p.Said) == sc.Assertion {
				p.Said = sc.Assertion
			}
		}
		out = append(out, p)
	}
	return out
}

// boundary reports whether a character begins at byte i, or the text ends.
func boundary(text string, i int) bool {
	return i == len(text) || text[i]&0xC0 != 0x80
}
