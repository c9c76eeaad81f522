//go:build long

package pipeline_test

import (
	"path/filepath"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/testdata"
)

// TestLongTwoDatabases builds two databases from the same official files. On
// each of them the number of workers changes nothing; between the two, whose
// vector graphs differ as chance enters their building, at most one suggestion
// in two hundred differs.
func TestLongTwoDatabases(t *testing.T) {
	paths := []string{}
	for _, name := range []string{"icd10cm-2026.zip", "icd10cm-index-2025.zip", "icd10cm-tables-2026.zip"} {
		paths = append(paths, filepath.FromSlash(testdata.Path(t, "codesets/"+name)))
	}
	notes := realNotes(t, 300)
	first, second := loadedFrom(t, paths...), loadedFrom(t, paths...)
	for _, style := range []coding.Style{coding.Billing, coding.Mentions} {
		a := compareWorkers(t, first, notes, style)
		b := worked(t, localPipeline(t, knowledgeOf(t, second), style), notes, 2)
		var d difference
		for i := range a {
			d.add(t, &a[i], &b[i])
		}
		d.report(t, style, len(notes))
	}
}

// difference counts the suggestions of two answers to the same notes.
type difference struct {
	all    int // in either
	apart  int // code in one alone
	any    int // the same, and with another rank, confidence or evidence
	cands  int // candidates in either
	candsX int // candidates in one alone
}

func (d *difference) add(t *testing.T, a, b *coding.SuggestionSet) {
	was := map[string]string{}
	for _, s := range a.Suggestions {
		was[s.Code] = asJSON(t, s)
	}
	d.all += len(was)
	for _, s := range b.Suggestions {
		old, ok := was[s.Code]
		delete(was, s.Code)
		switch {
		case !ok:
			d.all++
			d.apart++
			d.any++
		case old != asJSON(t, s):
			d.any++
		}
	}
	d.apart += len(was)
	d.any += len(was)
	cands := map[string]bool{}
	for _, c := range a.Candidates {
		cands[c.Code] = true
	}
	d.cands += len(cands)
	for _, c := range b.Candidates {
		if !cands[c.Code] {
			d.cands++
			d.candsX++
		}
		delete(cands, c.Code)
	}
	d.candsX += len(cands)
}

func (d *difference) report(t *testing.T, style coding.Style, notes int) {
	share := func(n, of int) float64 { return 100 * float64(n) / float64(of) }
	t.Logf("%s, %d notes: of %d suggestions %d (%.2f%%) are in one database's answer alone, %d (%.2f%%) differ in anything; of %d candidates %d (%.2f%%)",
		style, notes, d.all, d.apart, share(d.apart, d.all), d.any, share(d.any, d.all), d.cands, d.candsX, share(d.candsX, d.cands))
	if share(d.apart, d.all) > 0.5 {
		t.Errorf("%s: %.2f%% of the suggestions differ between two databases, want at most 0.5%%", style, share(d.apart, d.all))
	}
}
