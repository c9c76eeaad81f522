//go:build long

package codeset_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/testdata"
)

// The totals were counted by a script that shares nothing with the readers;
// they stand beside the files.
func TestLongTotalsOfTheOfficialFiles(t *testing.T) {
	type total struct {
		id             string
		system         coding.System
		kind           string
		from           string
		rows, billable int
		details        map[string]int
	}
	tests := map[string][]total{
		"icd10cm-2026.zip": {{id: "icd10cm-2026", system: coding.ICD10CM, kind: "order", from: "2025-10-01", rows: 98185, billable: 74719}},
		"icd10cm-2025.zip": {{id: "icd10cm-2025", system: coding.ICD10CM, kind: "order", from: "2024-10-01", rows: 97584, billable: 74260}},
		"icd10cm-2021.zip": {
			{id: "icd10cm-2021", system: coding.ICD10CM, kind: "order", from: "2020-10-01", rows: 95358, billable: 72621},
			{id: "icd10cm-tabular-2021", system: coding.ICD10CM, kind: "tabular", from: "2020-10-01", rows: 45017, details: map[string]int{
				"chapters": 22, "sections": 296, "diag": 45017, "inclusionTerm": 11612, "excludes1": 5278, "excludes2": 1922, "codeFirst": 672,
				"useAdditionalCode": 1304, "codeAlso": 349, "includes": 912, "sevenChrDef": 507, "extension": 1787,
			}},
		},
		"icd10cm-index-2025.zip": {{id: "icd10cm-index-2025", system: coding.ICD10CM, kind: "index", from: "2024-10-01", rows: 81024,
			details: map[string]int{"main_terms": 8100, "nested_terms": 72924, "see": 12136, "see_also": 2057}}},
		"icd10cm-tables-2026.zip": {
			{id: "icd10cm-eindex-2026", system: coding.ICD10CM, kind: "eindex", from: "2025-10-01", rows: 8090, details: map[string]int{"main_terms": 314, "nested_terms": 7776}},
			{id: "icd10cm-neoplasm-2026", system: coding.ICD10CM, kind: "neoplasm", from: "2025-10-01", rows: 1940,
				details: map[string]int{"main_terms": 1, "nested_terms": 1939, "cells": 10922, "cells_with_code": 9020}},
			{id: "icd10cm-drug-2026", system: coding.ICD10CM, kind: "drug", from: "2025-10-01", rows: 7430,
				details: map[string]int{"main_terms": 5179, "nested_terms": 2251, "cells": 43224, "cells_with_code": 40036}},
		},
		"icd10pcs-2026.zip":        {{id: "icd10pcs-2026", system: coding.ICD10PCS, kind: "order", from: "2025-10-01", rows: 80110, billable: 79193}},
		"hcpcs-level2-2024-07.csv": {{id: "hcpcs-2024-07", system: coding.HCPCS, kind: "hcpcs", from: "2024-07-01", rows: 8033, billable: 8033}},
		"cms-hcc-v28-2026.csv":     {{id: "cms-hcc-v28-2026", system: coding.ICD10CM, kind: "hcc", from: "2025-01-01", rows: 8183, details: map[string]int{"codes": 7903}}},
		"mce-v41.1-2024.csv":       {{id: "mce-v41.1-2024", system: coding.ICD10CM, kind: "mce", from: "2024-04-01", rows: 7946, details: map[string]int{"codes": 5343}}},
		"poa-exempt-2026.zip":      {{id: "poa-exempt-2026", system: coding.ICD10CM, kind: "poa", from: "2025-10-01", rows: 38349, details: map[string]int{"codes": 38349}}},
	}
	for file, want := range tests {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			path := testdata.Path(t, "codesets/"+file)
			got := codeset.Official(t, file)
			if len(got) != len(want) {
				t.Fatalf("read %d releases, want %d", len(got), len(want))
			}
			for i, w := range want {
				r := got[i].Release
				is := total{r.ID, r.System, r.Kind, r.EffectiveFrom.String(), r.Rows, r.Billable, w.details}
				if w.details != nil {
					is.details = map[string]int{}
					for k := range w.details {
						is.details[k], _ = r.Details[k].(int)
					}
				}
				if diff := cmp.Diff(w, is, cmp.AllowUnexported(total{})); diff != "" {
					t.Errorf("totals (-want +got):\n%s", diff)
				}
			}
			described, err := codeset.Describe(path)
			if err != nil || len(described) != len(got) {
				t.Fatalf("Describe gives %d releases, %v; want %d", len(described), err, len(got))
			}
			for i, r := range described {
				if r.ID != got[i].Release.ID || r.EffectiveFrom != got[i].Release.EffectiveFrom || r.System != got[i].Release.System {
					t.Errorf("Describe says %s from %s, the file is %s from %s", r.ID, r.EffectiveFrom, got[i].Release.ID, got[i].Release.EffectiveFrom)
				}
			}
		})
	}
}

// Of the references of the index at least nine in ten that name a main term
// are followed, and all that name a row of the neoplasm or drug table.
func TestLongReferencesOfTheIndexAreFollowed(t *testing.T) {
	contents := officialTerms(t)
	for _, c := range contents {
		if c.Release.Kind != codeset.KindIndex && c.Release.Kind != codeset.KindEIndex {
			continue
		}
		n := func(name string) int { v, _ := c.Release.Details[name].(int); return v }
		if sum := n("see_followed") + n("see_table") + n("see_guidance") + n("see_unresolved"); sum != n("see") {
			t.Errorf("%s: the outcomes sum up to %d of %d references", c.Release.ID, sum, n("see"))
		}
		if n("table_followed")+n("table_unresolved") < n("see_table") {
			t.Errorf("%s: not every reference to a table was looked up", c.Release.ID)
		}
		named := n("see") - n("see_guidance") - n("see_table")
		t.Logf("%s: %d of %d references to main terms followed, %d of %d to tables", c.Release.ID, n("see_followed"), named, n("table_followed"), n("table_followed")+n("table_unresolved"))
		if 10*n("see_followed") < 9*named {
			t.Errorf("%s: only %d of %d references to main terms followed", c.Release.ID, n("see_followed"), named)
		}
		if n("table_unresolved") > 0 || n("table_followed") == 0 {
			t.Errorf("%s: %d references to tables were not followed", c.Release.ID, n("table_unresolved"))
		}
		for _, term := range c.Terms {
			if tellsHowToCode(term.Text) {
				t.Errorf("%s: guidance became a term: %+v", c.Release.ID, term)
			}
		}
	}
}

// tellsHowToCode reports words that stand in directions to coders, and in no
// phrase for a condition.
func tellsHowToCode(text string) bool {
	return slices.ContainsFunc([]string{"omit code", "see also", " code by ", " code to "}, func(w string) bool { return strings.Contains(text, w) })
}

var readOfficialTerms = sync.OnceValues(func() ([]*codeset.Content, error) {
	return codeset.ReadFiles(termFiles.paths, codeset.ReadOptions{})
})

var termFiles struct {
	sync.Mutex
	paths []string
}

// officialTerms reads the files that terms come from, linked, once for all
// tests, which do not change them.
func officialTerms(t testing.TB) []*codeset.Content {
	t.Helper()
	var paths []string
	for _, f := range []string{"icd10cm-2026.zip", "icd10cm-2021.zip", "icd10cm-index-2025.zip", "icd10cm-tables-2026.zip"} {
		paths = append(paths, testdata.Path(t, "codesets/"+f))
	}
	termFiles.Lock()
	defer termFiles.Unlock()
	termFiles.paths = paths
	contents, err := readOfficialTerms()
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

// Phrases whose way to a code a coder can check in the books.
func TestLongTermsOfTheOfficialFilesLeadToTheirCodes(t *testing.T) {
	leads := map[string]map[string]bool{}
	var table *codeset.Table
	codes := map[string]bool{}
	contents := officialTerms(t)
	for _, c := range contents {
		for _, code := range c.Codes {
			codes[code.Code] = true
		}
		if c.Release.ID == "icd10cm-2026" {
			table = codeset.NewTable(c.Release, c.Codes)
		}
		for _, term := range c.Terms {
			if leads[term.Text] == nil {
				leads[term.Text] = map[string]bool{}
			}
			leads[term.Text][term.Code] = true
			if term.Text == "" || term.Release != c.Release.ID || term.System != coding.ICD10CM {
				t.Fatalf("%s has a term without text, release or system: %+v", c.Release.ID, term)
			}
		}
	}
	for text, code := range map[string]string{
		"Diabetes, diabetic, type 2 with chronic kidney disease": "E11.22",
		"Abdominalgia":                         "R10.9",
		"Abasia":                               "F44.4",
		"Abasia -astasia hysterical":           "F44.4",
		"Classical cholera":                    "A00.0",
		"Chondroma":                            "D16.9",
		"Carcinoma, bronchial or bronchogenic": "C34.9",
		"malignant neoplasm of breast, upper-outer quadrant":            "C50.4",
		"upper-outer quadrant breast cancer":                            "C50.4",
		"metastasis to liver":                                           "C78.7",
		"poisoning by Acetaminophen, accidental":                        "T39.1X1",
		"adverse effect of Penicillin":                                  "T36.0X5",
		"underdosing of Warfarin":                                       "T45.516",
		"Fracture of unspecified part of neck of right femur":           "S72.001",
		"Accident, transport, car occupant":                             "V49.9",
		"Type 2 diabetes mellitus with diabetic chronic kidney disease": "E11.22",
	} {
		if !leads[text][code] {
			t.Errorf("%q leads to %v, want %s", text, keys(leads[text]), code)
		}
	}
	missing := 0
	for _, c := range contents {
		if c.Release.Kind == codeset.KindDrug || c.Release.Kind == codeset.KindNeoplasm || c.Release.Kind == codeset.KindEIndex {
			for _, term := range c.Terms {
				if len(table.BillableUnder(term.Code)) == 0 {
					missing++
				}
			}
		}
	}
	if missing > 100 {
		t.Errorf("%d terms of the tables of 2026 lead to no billable code of 2026", missing)
	}
}

func keys(m map[string]bool) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}
