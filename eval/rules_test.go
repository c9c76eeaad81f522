package eval

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/pipeline/validate"
)

func TestRulesCountsPairsAndCodes(t *testing.T) {
	t.Parallel()
	code := func(code, title string) coding.Code {
		return coding.Code{System: coding.ICD10CM, Code: code, Title: title, Billable: title != ""}
	}
	table := codeset.NewTable(coding.Release{ID: "icd10cm-2026", System: coding.ICD10CM, Version: "2026"}, []coding.Code{
		code("E10.9", "Type 1 diabetes mellitus"), code("E11", ""), code("E11.9", "Type 2 diabetes mellitus"), code("R52", "Pain, unspecified"),
		code("R10.9", "Unspecified abdominal pain"), code("W19.XXXA", "Unspecified fall"), code("I10", "Hypertension"),
	})
	v, err := validate.New(validate.Config{
		Tabular: coding.Release{Version: "2021"},
		Lines: []codeset.Line{
			{Code: "E10", Kind: "excludes1", Level: codeset.LevelDiag, Text: "type 2 diabetes (E11.-)", Refs: []codeset.Ref{{From: "E11"}}},
			{Code: "R52", Kind: "excludes1", Level: codeset.LevelDiag, Text: "abdomen pain (R10.-)", Refs: []codeset.Ref{{From: "R10"}}},
		},
		HCC: []validate.HCCMapping{{Release: coding.Release{Version: "v28", EffectiveFrom: coding.NewDate(2025, 1, 1)}, Lines: []codeset.Line{{Code: "E11.9", Kind: codeset.LineHCC, Text: "38"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	note := func(codes ...string) GoldNote {
		n := GoldNote{}
		for _, c := range codes {
			n.Codes = append(n.Codes, GoldCode{System: coding.ICD10CM, Code: c})
		}
		return n
	}
	rep := Rules(&Dataset{Notes: []GoldNote{
		note("W19.XXXA", "E11.9", "E10.9", "E10.9"), // 3 codes, an external cause first, one code twice
		note("R52", "R10.9"),
		note("R10.9", "R52", "I10", "E11", "Z99.9"), // a header, and a code that is not there
	}}, table, v)
	if rep.Notes != 3 || rep.Codes != 8 || rep.Pairs != 3+1+3 {
		t.Errorf("%d notes, %d codes, %d pairs", rep.Notes, rep.Codes, rep.Pairs)
	}
	want := []RuleCount{
		{Rule: "excludes1", Severity: coding.SeverityError, Pair: true, Flagged: 3, Vague: 2, Which: map[string]int{"E10.9 E11.9": 1, "R10.9 R52": 2}},
		{Rule: "hcc", Severity: coding.SeverityInformation, Flagged: 1, Which: map[string]int{"E11.9": 1}},
	}
	if diff := cmp.Diff(want, rep.Rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	text := rep.Text(1)
	for _, part := range []string{"3 notes with 8 billable codes, 7 pairs", "42.86%", "12.50%", "2  R10.9 Unspecified abdominal pain | R52 Pain, unspecified"} {
		if !strings.Contains(text, part) {
			t.Errorf("the report lacks %q:\n%s", part, text)
		}
	}
	if strings.Contains(text, "E10.9 Type 1") {
		t.Errorf("more than one pair is named:\n%s", text)
	}
}
