//go:build long

package codebook

import (
	_ "embed"
	"strings"
	"testing"
)

// TestLongSearchFindsWhatCodersMean is the measure of the search: go test -v shows
// the rates and each query whose code is not first.
func TestLongSearchFindsWhatCodersMean(t *testing.T) {
	t.Parallel()
	x := full(t)
	first, three := 0, 0
	list := expectations(t)
	for i, e := range list {
		for _, code := range e.codes {
			stem, below := strings.CutSuffix(code, "-")
			if from, to := x.table.Beginning(stem); from == to || !below && x.table.At(from).Code != stem {
				t.Errorf("%s: %s is no code of the table", e.query, code)
			}
		}
		hits := x.Search(e.query, 20)
		rank := e.rank(hits)
		switch {
		case rank == 1:
			first++
			three++
		case rank == 2 || rank == 3:
			three++
		case i < 5:
			t.Errorf("%s: none of %v is among the first three", e.query, e.codes)
		}
		if rank != 1 {
			t.Logf("rank %d: %s, expected %v, got %s", rank, e.query, e.codes, written(hits))
		}
	}
	if three*100 < len(list)*95 {
		t.Errorf("a right code is among the first three for only %d of %d queries", three, len(list))
	}
	t.Logf("%d queries: a right code is first for %d (%.1f%%), among the first three for %d (%.1f%%)",
		len(list), first, 100*float64(first)/float64(len(list)), three, 100*float64(three)/float64(len(list)))
}

// TestLongThousandQueries looks for the codes of the queries that the benchmark
// runs. A text may lead to several codes, and a header to those below it.
func TestLongThousandQueries(t *testing.T) {
	t.Parallel()
	x := full(t)
	found, list := 0, derived(t, x)
	for _, e := range list {
		hits := x.Search(e.query, 20)
		seen := map[string]bool{}
		right := false
		for _, h := range hits {
			if c, ok := x.table.Lookup(h.Code.Code); !ok || c != h.Code || seen[h.Code.Code] {
				t.Fatalf("%q gives %s, which is twice there or not in the table", e.query, h.Code.Code)
			}
			seen[h.Code.Code] = true
			right = right || strings.HasPrefix(h.Code.Code, e.codes[0]) || strings.HasPrefix(e.codes[0], h.Code.Code)
		}
		if len(hits) > 20 {
			t.Fatalf("%q gives %d codes", e.query, len(hits))
		}
		if right {
			found++
		}
	}
	t.Logf("the code of %d of %d queries is among the first 20", found, len(list))
	if found < 950 {
		t.Errorf("the code of only %d of %d queries is among the first 20", found, len(list))
	}
}
