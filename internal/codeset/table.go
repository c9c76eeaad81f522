package codeset

import (
	"slices"
	"strings"

	"chartcode/internal/coding"
)

// Table is the code table of one release in memory. It is read only and safe
// for concurrent use.
//
// Texts lie in one string, so that 98,000 codes take about 15 MB and the
// garbage collector has nothing to look at in them.
type Table struct {
	release coding.Release
	text    string // codes, titles and short titles, one after the other
	rows    []row  // by code
	at      map[string]int32
}

// row is one code. Its code, title and short title follow each other in
// Table.text from start; a short title that begins the title is not repeated.
type row struct {
	start    uint32
	title    uint16 // length in bytes
	short    uint16
	parent   int32 // place of the parent, or -1
	code     uint8
	billable bool
	repeats  bool // the short title begins the title
}

// NewTable makes a table of a release's codes, in any order. A title is cut at
// 65,535 bytes, which none comes near.
func NewTable(rel coding.Release, codes []coding.Code) *Table {
	if !slices.IsSortedFunc(codes, compareCodes) {
		codes = slices.Clone(codes)
		slices.SortStableFunc(codes, compareCodes)
	}
	t := &Table{release: rel, rows: make([]row, 0, len(codes)), at: make(map[string]int32, len(codes))}
	size := 0
	for _, c := range codes {
		size += len(c.Code) + len(c.Title) + len(c.Short)
	}
	var text strings.Builder
	text.Grow(size)
	for _, c := range codes {
		short, title := c.Short[:min(len(c.Short), 1<<16-1)], c.Title[:min(len(c.Title), 1<<16-1)]
		r := row{
			start: uint32(text.Len()), code: uint8(min(len(c.Code), 255)), title: uint16(len(title)), short: uint16(len(short)),
			billable: c.Billable, repeats: strings.HasPrefix(title, short), parent: -1,
		}
		text.WriteString(c.Code[:r.code])
		text.WriteString(title)
		if !r.repeats {
			text.WriteString(short)
		}
		t.rows = append(t.rows, r)
	}
	t.text = text.String()
	for i := range t.rows {
		t.at[t.codeAt(i)] = int32(i)
	}
	for i, c := range codes {
		if p, ok := t.at[c.Parent]; ok && c.Parent != "" {
			t.rows[i].parent = p
		}
	}
	return t
}

func (t *Table) codeAt(i int) string {
	r := &t.rows[i]
	return t.text[r.start : r.start+uint32(r.code)]
}

func (t *Table) row(i int) coding.Code {
	r := &t.rows[i]
	title := r.start + uint32(r.code)
	end := title + uint32(r.title)
	c := coding.Code{System: t.release.System, Code: t.text[r.start:title], Title: t.text[title:end], Billable: r.billable}
	if r.repeats {
		c.Short = c.Title[:r.short]
	} else {
		c.Short = t.text[end : end+uint32(r.short)]
	}
	if r.parent >= 0 {
		c.Parent = t.codeAt(int(r.parent))
	}
	return c
}

// Release is the release that the table is of.
func (t *Table) Release() coding.Release { return t.release }

// Len is the number of codes, headers included.
func (t *Table) Len() int { return len(t.rows) }

// All gives every code in code order.
func (t *Table) All(yield func(coding.Code) bool) {
	for i := range t.rows {
		if !yield(t.row(i)) {
			return
		}
	}
}

// Lookup gives a code, written with the dot where its system has one.
func (t *Table) Lookup(code string) (coding.Code, bool) {
	i, ok := t.at[code]
	if !ok {
		return coding.Code{}, false
	}
	return t.row(int(i)), true
}

// Billable reports whether the code is there and may be reported.
func (t *Table) Billable(code string) bool {
	i, ok := t.at[code]
	return ok && t.rows[i].billable
}

// Parent gives the code directly above: its longest prefix that is a code.
func (t *Table) Parent(code string) (coding.Code, bool) {
	i, ok := t.at[code]
	if !ok || t.rows[i].parent < 0 {
		return coding.Code{}, false
	}
	return t.row(int(t.rows[i].parent)), true
}

// below gives the rows of the codes that start with code, itself included.
func (t *Table) below(code string) (from, to int) {
	at, ok := t.at[code]
	if !ok {
		return 0, 0
	}
	from = int(at)
	for to = from; to < len(t.rows) && strings.HasPrefix(t.codeAt(to), code); to++ {
	}
	return from, to
}

// BillableUnder gives the billable descendants of a header in code order; of a
// billable code, the code itself; nothing of a code that is not there.
func (t *Table) BillableUnder(code string) []string {
	if t.Billable(code) {
		return []string{code}
	}
	from, to := t.below(code)
	var out []string
	for i := from; i < to; i++ {
		if t.rows[i].billable {
			out = append(out, t.codeAt(i))
		}
	}
	return out
}

// Children gives the codes directly under code, in code order.
func (t *Table) Children(code string) []coding.Code {
	from, to := t.below(code)
	var out []coding.Code
	for i := from; i < to; i++ {
		if int(t.rows[i].parent) == from {
			out = append(out, t.row(i))
		}
	}
	return out
}

// Siblings gives the codes that share code's parent, itself included.
func (t *Table) Siblings(code string) []coding.Code {
	p, ok := t.Parent(code)
	if !ok {
		return nil
	}
	return t.Children(p.Code)
}
