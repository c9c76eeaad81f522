package web

import (
	"sort"
	"strconv"
	"strings"

	"chartcode/internal/coding"
)

// mark says that a stretch of a note's text is evidence for a code of the list.
type mark struct {
	coding.Span
	code int // number of the code in the list, from 0
}

// piece is a stretch of text with the codes that rest on it: none for plain
// text. Pieces follow one another without gaps.
type piece struct {
	Text  string
	Codes []int
	First bool // an evidence span begins here: the place to scroll to
	Start int
}

// Class names the codes for the style sheet and the script, as c0 c3.
func (p piece) Class() string {
	if len(p.Codes) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("ev")
	for _, c := range p.Codes {
		b.WriteString(" c")
		b.WriteString(strconv.Itoa(c))
	}
	if len(p.Codes) > 1 {
		b.WriteString(" many")
	}
	return b.String()
}

// Spans lists the codes' numbers for a data attribute.
func (p piece) Spans() string {
	s := make([]string, len(p.Codes))
	for i, c := range p.Codes {
		s[i] = strconv.Itoa(c)
	}
	return strings.Join(s, " ")
}

// cut divides text at the borders of the marks, so that overlapping evidence
// of several codes is told apart. Marks outside the text are left out: a page
// must not fail for one bad offset.
func cut(text string, marks []mark) []piece {
	borders := []int{0, len(text)}
	var good []mark
	for _, m := range marks {
		if m.Start < 0 || m.End > len(text) || m.Start >= m.End {
			continue
		}
		good = append(good, m)
		borders = append(borders, m.Start, m.End)
	}
	sort.Ints(borders)
	sort.SliceStable(good, func(i, j int) bool { return good[i].Start < good[j].Start })
	var out []piece
	for i := 1; i < len(borders); i++ {
		from, to := borders[i-1], borders[i]
		if from == to {
			continue
		}
		p := piece{Text: text[from:to], Start: from}
		for _, m := range good {
			if m.Start >= to {
				break
			}
			if m.Start <= from && to <= m.End {
				if !containsInt(p.Codes, m.code) {
					p.Codes = append(p.Codes, m.code)
				}
				p.First = p.First || m.Start == from
			}
		}
		sort.Ints(p.Codes)
		out = append(out, p)
	}
	return out
}

func containsInt(list []int, v int) bool {
	for _, w := range list {
		if v == w {
			return true
		}
	}
	return false
}
