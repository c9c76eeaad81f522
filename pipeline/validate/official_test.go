package validate_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/testdata"
	"chartcode/pipeline/validate"
)

// The official files, read once for all tests.
type knowledge struct {
	table     *codeset.Table
	validator *validate.Validator
}

var (
	officialOnce sync.Once
	officialData knowledge
	officialErr  error
)

func official(t testing.TB) knowledge {
	t.Helper()
	var paths []string
	for _, f := range []string{"icd10cm-2026.zip", "icd10cm-2021.zip", "cms-hcc-v28-2026.csv", "mce-v41.1-2024.csv", "poa-exempt-2026.zip"} {
		paths = append(paths, testdata.Path(t, "codesets/"+f))
	}
	officialOnce.Do(func() {
		var contents []*codeset.Content
		if contents, officialErr = codeset.ReadFiles(paths, codeset.ReadOptions{}); officialErr != nil {
			return
		}
		var cfg validate.Config
		for _, c := range contents {
			switch c.Release.Kind {
			case codeset.KindOrder:
				if c.Release.ID == "icd10cm-2026" {
					officialData.table = codeset.NewTable(c.Release, c.Codes)
				}
				continue
			case codeset.KindTabular:
				cfg.Tabular = c.Release
			case codeset.KindHCC:
				cfg.HCC = append(cfg.HCC, validate.HCCMapping{Release: c.Release, Lines: c.Lines})
			case codeset.KindMCE:
				cfg.MCE = c.Release
			case codeset.KindPOA:
				cfg.POA = c.Release
			}
			cfg.Lines = append(cfg.Lines, c.Lines...)
		}
		officialData.validator, officialErr = validate.New(cfg)
	})
	if officialErr != nil {
		t.Fatal(officialErr)
	}
	return officialData
}

// What professional coders gave together should seldom be an error. The share
// of pairs of gold codes that each error rule flags is printed. These coders
// coded every mention, so that a sign or an unspecified condition stands beside
// the diagnosis that says more ("pain" beside "abdominal pain", "hepatitis"
// beside "hepatitis C"): that is what Excludes1 is for, and such pairs are
// counted apart. Of the others under one in two hundred may be flagged.
func TestErrorsAmongWhatCodersDid(t *testing.T) {
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
