//go:build long

package validate_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/testdata"
	"chartcode/pipeline/validate"
)

// What professional coders gave together should seldom be an error. The share
// of pairs of gold codes that each error rule flags is printed. These coders
// coded every mention, so that a sign or an unspecified condition stands beside
// the diagnosis that says more ("pain" beside "abdominal pain", "hepatitis"
// beside "hepatitis C"): that is what Excludes1 is for, and such pairs are
// counted apart. Of the others under one in two hundred may be flagged.
func TestLongErrorsAmongWhatCodersDid(t *testing.T) {
	f, err := os.Open(testdata.Path(t, "eval/codiesp-train.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	k := official(t)
	pairs, notes := 0, 0
	flagged, vague := map[string]int{}, map[string]int{}
	dec := json.NewDecoder(f)
	for dec.More() {
		var note struct {
			Codes []struct {
				Code string `json:"code"`
				In   string `json:"in_fy2026"`
			} `json:"codes"`
		}
		if err := dec.Decode(&note); err != nil {
			t.Fatal(err)
		}
		in := validate.CheckInput{Table: k.table, Setting: coding.Inpatient, Date: coding.NewDate(2026, 1, 15), Unordered: true}
		for _, c := range note.Codes {
			if c.In == "billable" {
				in.Codes = append(in.Codes, validate.Coded{System: coding.ICD10CM, Code: c.Code})
			}
		}
		notes++
		pairs += len(in.Codes) * (len(in.Codes) - 1) / 2
		for _, f := range k.validator.Check(in) {
			if f.Severity != coding.SeverityError {
				continue
			}
			flagged[f.Rule]++
			if slices.ContainsFunc(f.Codes, func(code string) bool {
				c, _ := k.table.Lookup(code)
				return code[0] == 'R' || strings.Contains(c.Title, "nspecified")
			}) {
				vague[f.Rule]++
			}
		}
	}
	if pairs < 20000 || notes != 500 {
		t.Fatalf("only %d pairs in %d notes", pairs, notes)
	}
	percent := func(n int) float64 { return 100 * float64(n) / float64(pairs) }
	for rule, n := range flagged {
		other := n - vague[rule]
		t.Logf("%s: %d of %d pairs of gold codes (%.2f%%) in %d notes; %d of them with a sign or an unspecified condition, %d others (%.2f%%)",
			rule, n, pairs, percent(n), notes, vague[rule], other, percent(other))
		if percent(n) > 1.5 || percent(other) > 0.5 {
			t.Errorf("%s flags too much of what coders did", rule)
		}
	}
}

// Each set of codes that an Excludes1 note names is flagged beside a code at which
// the note stands, whichever comes first; as an error, unless the notes of the
// two codes disagree or one is of the left and one of the right.
func TestLongEachExcludes1NoteIsEnforced(t *testing.T) {
	k := official(t)
	contents, err := codeset.ReadFile(testdata.Path(t, "codesets/icd10cm-2021.zip"), codeset.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	severities := map[coding.Severity]int{}
	total := 0
	for _, c := range contents {
		for _, l := range c.Lines {
			at := k.table.BillableUnder(coding.Category(l.Code)) // of a section its first category
			if l.Level == codeset.LevelDiag {
				at = k.table.BillableUnder(l.Code)
			}
			if l.Kind != "excludes1" || len(at) == 0 {
				continue
			}
			for _, r := range l.Refs {
				named := k.table.BillableUnder(r.From)
				if len(named) == 0 || !r.Match(named[len(named)-1]) || named[len(named)-1] == at[0] {
					continue
				}
				for _, pair := range [][]string{{at[0], named[len(named)-1]}, {named[len(named)-1], at[0]}} {
					total++
					found := slices.IndexFunc(k.validator.Check(validate.CheckInput{Table: k.table, Codes: coded(pair...)}), func(f coding.Finding) bool {
						if f.Rule == validate.RuleExcludes1 {
							severities[f.Severity]++
						}
						return f.Rule == validate.RuleExcludes1 && len(f.Codes) == 2 && f.Source != ""
					})
					if found < 0 {
						t.Errorf("%s, %q: %v is not flagged", l.Code, l.Text, pair)
					}
				}
			}
		}
	}
	t.Logf("%d pairs: %v", total, severities)
	if total < 10000 || severities[coding.SeverityError] < total*97/100 {
		t.Errorf("of %d pairs %v", total, severities)
	}
}
