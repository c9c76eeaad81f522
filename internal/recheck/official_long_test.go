//go:build long

package recheck_test

import (
	"fmt"
	"testing"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/testdata"
)

// The official order files of 2025 and 2026: every code that was deleted or
// became a header is found, each header is answered by codes below it, and no
// code that stayed is touched. All codes that this pair deleted have a successor
// in their category, so each is answered.
func TestLongOfficialReleases(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	read := func(version string) (store.ReleaseImport, *codeset.Table) {
		t.Helper()
		contents, err := codeset.ReadFile(testdata.Path(t, "codesets/icd10cm-"+version+".zip"), codeset.ReadOptions{})
		if err != nil || len(contents) != 1 {
			t.Fatal(err)
		}
		c := contents[0]
		return store.ReleaseImport{Release: c.Release, SHA256: c.SHA256, Codes: c.Codes}, codeset.NewTable(c.Release, c.Codes)
	}
	load := func(in store.ReleaseImport) {
		t.Helper()
		if _, err := f.store.ImportRelease(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	in2025, old := read("2025")
	in2026, now := read("2026")
	load(in2025)
	day := coding.NewDate(2025, 10, 1)
	gone := map[string]bool{} // billable in 2025, not in 2026
	categories := map[string][]string{}
	for c := range old.All {
		if c.Billable && !now.Billable(c.Code) {
			gone[c.Code] = true
			categories[coding.Category(c.Code)] = nil
		}
	}
	for c := range old.All {
		category := coding.Category(c.Code)
		if list, ok := categories[category]; ok && c.Billable && (gone[c.Code] || len(list) < 20) {
			categories[category] = append(list, c.Code)
		}
	}
	if len(gone) == 0 {
		t.Fatal("no code went from 2025 to 2026")
	}
	n := 0
	for category, codes := range categories {
		f.save("N-"+category, category, day, "", codes...)
		n++
	}
	load(in2026)
	if got := f.due(); got != n {
		t.Errorf("%d items were checked, want %d", got, n)
	}
	deletedCodes, answered, headers := 0, 0, 0
	for category := range categories {
		it := f.item(category)
		for _, c := range it.Codes {
			key := c.CodeKey.Code
			if c.Invalid() != gone[key] {
				t.Errorf("%s is marked %v", key, c.Invalid())
				continue
			}
			if !gone[key] {
				continue
			}
			for _, r := range c.Check.Replacements {
				if !now.Billable(r.Code) {
					t.Errorf("%s is answered with %s, which is not billable", key, r.Code)
				}
			}
			row, there := now.Lookup(key)
			switch {
			case there && !row.Billable:
				headers++
				if len(c.Check.Replacements) == 0 || len(c.Check.Replacements)+c.Check.More != len(now.BillableUnder(key)) {
					t.Errorf("%s is answered with %d and %d more of %d codes below it", key, len(c.Check.Replacements), c.Check.More, len(now.BillableUnder(key)))
				}
			default:
				deletedCodes++
				line := "look it up"
				if len(c.Check.Replacements) > 0 {
					answered++
					line = ""
					for _, r := range c.Check.Replacements {
						line += fmt.Sprintf("\n\t%s %s", r.Code, r.Title)
					}
				}
				t.Logf("%s %s: %s", key, c.Title, line)
			}
		}
	}
	if headers == 0 || deletedCodes == 0 || answered != deletedCodes {
		t.Errorf("of %d deleted codes %d are answered; %d codes became headers", deletedCodes, answered, headers)
	}
	t.Logf("%d codes became headers; of %d deleted, %d are answered", headers, deletedCodes, answered)
}
