package codeset

import (
	"slices"
	"strings"

	"chartcode/internal/coding"
)

// Table is the code table of one release in memory. It is read only.
type Table struct {
	release coding.Release
	codes   []coding.Code // by code
	at      map[string]int32
}

// NewTable makes a table of a release's codes.
func NewTable(rel coding.Release, codes []coding.Code) *Table {
	t := &Table{release: rel, codes: slices.Clone(codes), at: make(map[string]int32, len(codes))}
	slices.SortFunc(t.codes, func(a, b coding.Code) int { return strings.Compare(a.Code, b.Code) })
	for i, c := range t.codes {
		t.at[c.Code] = int32(i)
	}
	return t
}

// Release is the release that the table is of.
func (t *Table) Release() coding.Release { return t.release }

// Len is the number of codes, headers included.
func (t *Table) Len() int { return len(t.codes) }

// Lookup gives a code, with the dot where its system has one.
func (t *Table) Lookup(code string) (coding.Code, bool) {
	i, ok := t.at[code]
	if !ok {
		return coding.Code{}, false
	}
	return t.codes[i], true
}

// Billable reports whether the code is there and may be reported.
func (t *Table) Billable(code string) bool {
	i, ok := t.at[code]
	return ok && t.codes[i].Billable
}

// below gives the codes that start with code, itself included.
func (t *Table) below(code string) []coding.Code {
	i, _ := slices.BinarySearchFunc(t.codes, code, func(c coding.Code, s string) int { return strings.Compare(c.Code, s) })
	j := i
	for j < len(t.codes) && strings.HasPrefix(t.codes[j].Code, code) {
		j++
	}
	return t.codes[i:j]
}

// BillableUnder gives the billable descendants of a header in code order; of a
// billable code, the code itself; nothing of a code that is not there.
func (t *Table) BillableUnder(code string) []string {
	if _, ok := t.at[code]; !ok {
		return nil
	}
	var out []string
	for _, c := range t.below(code) {
		if c.Billable {
			out = append(out, c.Code)
		}
	}
	return out
}

// Children gives the codes directly under code, in code order.
func (t *Table) Children(code string) []coding.Code {
	var out []coding.Code
	for _, c := range t.below(code) {
		if c.Parent == code {
			out = append(out, c)
		}
	}
	return out
}

// Siblings gives the codes that share code's parent, itself included.
func (t *Table) Siblings(code string) []coding.Code {
	c, ok := t.Lookup(code)
	if !ok || c.Parent == "" {
		return nil
	}
	return t.Children(c.Parent)
}
