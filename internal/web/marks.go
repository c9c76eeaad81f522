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
	On      bool     // evidence of the selected code
	Names   []string // of the codes
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
func cut(text string, marks []mark, headings []coding.Span) []piece {
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
	slices.Sort(borders)
	borders = slices.Compact(borders)
	byStart := func(a, b coding.Span) int { return a.Start - b.Start }
	slices.SortStableFunc(good, func(a, b mark) int { return byStart(a.Span, b.Span) })
	slices.SortStableFunc(heads, byStart)

	var out []piece
	var open []mark // those that reach into the present piece
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
		out = append(out, p)
	}
	return out
}

// boundary reports whether a character begins at byte i, or the text ends.
func boundary(text string, i int) bool {
	return i == len(text) || text[i]&0xC0 != 0x80
}
