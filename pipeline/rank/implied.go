package rank

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"sync"

	"chartcode/internal/codeset"
)

//go:embed tables/implied.csv
var impliedTable []byte

// impliedRow is a row of the table; the head of the file explains it.
type impliedRow struct {
	words []string
	codes []codeset.Ref
}

var impliedRows = sync.OnceValue(func() []impliedRow {
	out, err := readImplied(impliedTable)
	if err != nil {
		panic(err) // a test reads the table
	}
	return out
})

var errImplied = errors.New("rank: implied: a row needs words and codes")

func readImplied(table []byte) ([]impliedRow, error) {
	r := csv.NewReader(bytes.NewReader(table))
	r.Comment = '#'
	r.FieldsPerRecord = 2
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("rank: implied: %w", err)
	}
	var out []impliedRow
	for _, f := range rows[1:] {
		row := impliedRow{words: strings.Split(f[0], "|"), codes: refs(f[1])}
		if f[0] == "" || len(row.codes) == 0 {
			return nil, errImplied
		}
		out = append(out, row)
	}
	return out, nil
}

// implies reports whether words of a text may be evidence of a code whose titles
// do not have them.
func implies(text, code string) bool {
	for _, r := range impliedRows() {
		if !anyRef(r.codes, code) {
			continue
		}
		for _, w := range r.words {
			if i := indexFold(text, w); i >= 0 && wholeWords(text, i, i+len(w)) {
				return true
			}
		}
	}
	return false
}
