// Package booktest gives tests a little code set of every kind of file: three
// releases of ICD-10-CM with what changes between them, its tabular list,
// Medicare files and index entries, and two codes of HCPCS.
package booktest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"testing"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/store"
)

// rows are the codes, in the releases given.
var rows = []struct {
	code, parent, title string
	header              bool
	versions            []string // all when nil
}{
	{"E11", "", "Type 2 diabetes mellitus", true, nil},
	{"E11.2", "E11", "Type 2 diabetes mellitus with kidney complications", true, nil},
	{"E11.21", "E11.2", "Type 2 diabetes mellitus with diabetic nephropathy", false, nil},
	{"E11.22", "E11.2", "Type 2 diabetes mellitus with diabetic chronic kidney disease", false, nil},
	{"E11.9", "E11", "Type 2 diabetes mellitus without complications", false, nil},
	{"E11.A", "E11", "Type 2 diabetes mellitus without complications in remission", false, []string{"2026"}},
	{"E66", "", "Overweight and obesity", true, nil},
	{"E66.8", "E66", "Other obesity", false, []string{"2021"}},
	{"E66.8", "E66", "Other obesity", true, []string{"2025", "2026"}},
	{"E66.81", "E66.8", "Obesity class", true, []string{"2025", "2026"}},
	{"E66.811", "E66.81", "Obesity, class 1", false, []string{"2025", "2026"}},
	{"I21", "", "Acute myocardial infarction", true, nil},
	{"I21.9", "I21", "Acute myocardial infarction, unspecified", false, nil},
	{"I10", "", "Essential hypertension", false, []string{"2021"}},
	{"I10", "", "Essential (primary) hypertension", false, []string{"2025", "2026"}},
	{"J44", "", "Old chronic lung disease", false, []string{"2021", "2025"}},
	{"S52", "", "Fracture of forearm", true, nil},
	{"S52.5", "S52", "Fracture of lower end of radius", true, nil},
	{"S52.50", "S52.5", "Unspecified fracture of the lower end of radius", true, nil},
	{"S52.501", "S52.50", "Unspecified fracture of the lower end of right radius", true, nil},
	{"S52.501A", "S52.501", "Unspecified fracture of the lower end of right radius, initial encounter for closed fracture", false, nil},
	{"S52.501D", "S52.501", "Unspecified fracture of the lower end of right radius, subsequent encounter for closed fracture with routine healing", false, nil},
	{"S52.502", "S52.50", "Unspecified fracture of the lower end of left radius", true, nil},
	{"S52.502A", "S52.502", "Unspecified fracture of the lower end of left radius, initial encounter for closed fracture", false, nil},
}

var starts = map[string]coding.Date{
	"2021": coding.NewDate(2020, 10, 1), "2025": coding.NewDate(2024, 10, 1), "2026": coding.NewDate(2025, 10, 1),
}

var lines = []codeset.Line{
	{Code: "E00-E89", Kind: codeset.LineTitle, Level: codeset.LevelChapter, Text: "Endocrine, nutritional and metabolic diseases"},
	{Code: "E00-E89", Kind: "excludes1", Level: codeset.LevelChapter, Text: "transitory endocrine disorders specific to newborn (P70-P74)", Refs: []codeset.Ref{{From: "P70", To: "P74"}}},
	{Code: "E08-E13", Kind: codeset.LineTitle, Level: codeset.LevelSection, Text: "Diabetes mellitus"},
	{Code: "E11", Kind: "includes", Level: codeset.LevelDiag, Text: "diabetes NOS"},
	{Code: "E11", Kind: "useAdditionalCode", Level: codeset.LevelDiag, Text: "code to identify control using insulin (Z79.4)", Refs: []codeset.Ref{{From: "Z79.4"}}},
	{Code: "E11.22", Kind: "useAdditionalCode", Level: codeset.LevelDiag, Text: "code to identify stage of chronic kidney disease (N18.1-N18.6)", Refs: []codeset.Ref{{From: "N18.1", To: "N18.6"}}},
	{Code: "S52", Kind: codeset.LineSevenChr, Level: codeset.LevelDiag, Char: "A", Text: "initial encounter for closed fracture"},
	{Code: "S52", Kind: codeset.LineSevenChr, Level: codeset.LevelDiag, Char: "D", Text: "subsequent encounter for closed fracture with routine healing"},
	{Code: "S52", Kind: codeset.LineSevenChr, Level: codeset.LevelDiag, Char: "S", Text: "sequela"},
}

var terms = []coding.Term{
	{Kind: coding.TermIndex, Code: "E11.22", Text: "Diabetes, diabetic, type 2, with chronic kidney disease"},
	{Kind: coding.TermIndex, Code: "E11.9", Text: "Diabetes, diabetic mellitus sugar"},
	{Kind: coding.TermIndex, Code: "S52.50", Text: "Fracture, traumatic, radius, lower end"},
	{Kind: coding.TermIndex, Code: "I21.9", Text: "Infarct, myocardium"},
}

// Load stores the code set in a migrated database.
func Load(t testing.TB, s *store.Store) {
	t.Helper()
	for version, from := range starts {
		in := store.ReleaseImport{Release: coding.Release{ID: "icd10cm-" + version, System: coding.ICD10CM, Kind: codeset.KindOrder, Version: version, EffectiveFrom: from}}
		for _, r := range rows {
			if r.versions != nil && !slices.Contains(r.versions, version) {
				continue
			}
			in.Codes = append(in.Codes, coding.Code{System: coding.ICD10CM, Code: r.code, Title: r.title, Short: r.title, Billable: !r.header, Parent: r.parent})
			in.Release.Rows++
			if !r.header {
				in.Release.Billable++
			}
		}
		importOne(t, s, in)
	}
	file := func(id, kind, version string, lines []codeset.Line, terms []coding.Term) {
		in := store.ReleaseImport{Release: coding.Release{ID: id, System: coding.ICD10CM, Kind: kind, Version: version, EffectiveFrom: starts["2021"]}}
		for _, l := range lines {
			b, err := json.Marshal(l)
			if err != nil {
				t.Fatal(err)
			}
			in.Lines = append(in.Lines, b)
		}
		for _, term := range terms {
			term.System = coding.ICD10CM
			in.Terms = append(in.Terms, term)
		}
		in.Release.Rows = len(lines) + len(terms)
		importOne(t, s, in)
	}
	file("icd10cm-tabular-2021", codeset.KindTabular, "2021", lines, []coding.Term{{Kind: coding.TermInclusion, Code: "S52.50", Text: "Fracture of distal end of radius"}})
	file("icd10cm-index-2025", codeset.KindIndex, "2025", nil, terms)
	file("cms-hcc-v28-2026", codeset.KindHCC, "v28-2026", []codeset.Line{{Code: "E11.22", Kind: codeset.LineHCC, Text: "37"}}, nil)
	file("mce-v41.1-2024", codeset.KindMCE, "v41.1-2024", []codeset.Line{{Code: "E11.22", Kind: codeset.LineMCE, Group: "Age", Text: "Adult (Ages 15-124)"}}, nil)
	file("poa-exempt-2026", codeset.KindPOA, "2026", []codeset.Line{{Code: "S52.501D", Kind: codeset.LinePOAExempt}}, nil)
	importOne(t, s, store.ReleaseImport{
		Release: coding.Release{ID: "hcpcs-2024-07", System: coding.HCPCS, Kind: codeset.KindHCPCS, Version: "2024-07", EffectiveFrom: coding.NewDate(2024, 7, 1), Rows: 2, Billable: 2},
		Codes: []coding.Code{
			{System: coding.HCPCS, Code: "J1885", Title: "Injection, ketorolac tromethamine, per 15 mg", Billable: true},
			{System: coding.HCPCS, Code: "K0001", Title: "Standard wheelchair", Billable: true},
		},
	})
}

func importOne(t testing.TB, s *store.Store, in store.ReleaseImport) {
	t.Helper()
	sum := sha256.Sum256([]byte(in.Release.ID))
	in.SHA256 = hex.EncodeToString(sum[:])
	if _, err := s.ImportRelease(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}
