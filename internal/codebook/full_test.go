package codebook

import (
	"sync"
	"testing"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/testdata"
)

// contents are the official files, read once for all tests.
var contents = struct {
	once sync.Once
	all  map[string]*codeset.Content // by release id
	full *Index
	err  error
}{all: map[string]*codeset.Content{}}

// official gives the official files by release id.
func official(t testing.TB) map[string]*codeset.Content {
	t.Helper()
	var paths []string
	for _, name := range []string{"icd10cm-2026.zip", "icd10cm-2021.zip", "icd10cm-index-2025.zip", "icd10cm-tables-2026.zip"} {
		paths = append(paths, testdata.Path(t, "codesets/"+name))
	}
	contents.once.Do(func() {
		var list []*codeset.Content
		for _, path := range paths {
			read, err := codeset.ReadFile(path, codeset.ReadOptions{})
			if err != nil {
				contents.err = err
				return
			}
			list = append(list, read...)
		}
		codeset.Link(list, nil)
		starter, err := codeset.Starter()
		if err != nil {
			contents.err = err
			return
		}
		var terms []coding.Term
		for _, c := range append(list, starter) {
			contents.all[c.Release.ID] = c
			terms = append(terms, c.Terms...)
		}
		codes := contents.all["icd10cm-2026"]
		contents.full = NewIndex(codeset.NewTable(codes.Release, codes.Codes), terms)
	})
	if contents.err != nil {
		t.Fatal(contents.err)
	}
	return contents.all
}

// full is the index of ICD-10-CM 2026 with the terms of all official files.
func full(t testing.TB) *Index {
	t.Helper()
	official(t)
	return contents.full
}
