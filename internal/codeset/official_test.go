package codeset

import (
	"sync"
	"testing"

	"chartcode/internal/testdata"
)

var officialFiles sync.Map // by path, functions that read it once

// Official gives the releases of an official file, which is read once for all
// tests: with the race detector that takes seconds. They do not change them.
func Official(t testing.TB, file string) []*Content {
	t.Helper()
	path := testdata.Path(t, "codesets/"+file)
	read, _ := officialFiles.LoadOrStore(path, sync.OnceValues(func() ([]*Content, error) { return ReadFile(path, ReadOptions{}) }))
	contents, err := read.(func() ([]*Content, error))()
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

// official gives the first release of an official file.
func official(t testing.TB, file string) *Content {
	t.Helper()
	return Official(t, file)[0]
}
