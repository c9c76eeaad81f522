package codeset

import (
	"sort"
	"strings"

	"chartcode/internal/coding"
)

// At gives the code at a place, 0 <= i < Len, in code order.
func (t *Table) At(i int) coding.Code { return t.row(i) }

// Place is where a code stands in code order.
func (t *Table) Place(code string) (i int, ok bool) {
	at, ok := t.at[code]
	return int(at), ok
}

// Beginning gives the places from <= i < to of the codes that begin with
// prefix, written with the dot where the system has one.
func (t *Table) Beginning(prefix string) (from, to int) {
	from = sort.Search(len(t.rows), func(i int) bool { return t.codeAt(i) >= prefix })
	to = from + sort.Search(len(t.rows)-from, func(i int) bool { return !strings.HasPrefix(t.codeAt(from+i), prefix) })
	return from, to
}
