package validate_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/pipeline/validate"
)

// A table and tabular list small enough to see through; no file is needed.
func small(t testing.TB) knowledge {
	t.Helper()
	cm := func(code, title string, billable bool) coding.Code {
		return coding.Code{System: coding.ICD10CM, Code: code, Title: title, Billable: billable}
	}
	table := codeset.NewTable(coding.Release{ID: "icd10cm-2026", System: coding.ICD10CM, Version: "2026"}, []coding.Code{
		cm("E11", "Type 2 diabetes mellitus", false), cm("E11.9", "Type 2 diabetes mellitus without complications", true),
		cm("F02.80", "Dementia in other diseases classified elsewhere", true), cm("G30.9", "Alzheimer's disease, unspecified", true),
		cm("I10", "Essential (primary) hypertension", true), cm("I50.9", "Heart failure, unspecified", true),
		cm("J18.9", "Pneumonia, unspecified organism", true), cm("S52.501A", "Fracture of right radius, initial encounter", true),
		cm("W19.XXXA", "Unspecified fall, initial encounter", true), cm("Y92.009", "Place", true),
	})
	v, err := validate.New(validate.Config{
		Tabular: coding.Release{Version: "2021"},
		Lines: []codeset.Line{
			{Code: "F02", Kind: "codeFirst", Level: codeset.LevelDiag, Text: "Alzheimer's (G30.-)", Refs: []codeset.Ref{{From: "G30"}}},
			{Code: "E08-E13", Kind: "excludes1", Level: codeset.LevelSection, Text: "pneumonia, as a test (J18.-)", Refs: []codeset.Ref{{From: "J18"}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return knowledge{table, v}
}

func suggest(codes ...string) []coding.Suggestion {
	var out []coding.Suggestion
	for i, c := range codes {
		system := coding.ICD10CM
		if c == "A0021" {
			system = coding.HCPCS
		}
		out = append(out, coding.Suggestion{System: system, Code: c, Confidence: 1 - float64(i)/100, Rank: i + 1})
	}
	return out
}

func coded(codes ...string) []validate.Coded {
	var out []validate.Coded
	for _, s := range suggest(codes...) {
		out = append(out, validate.Coded{System: s.System, Code: s.Code})
	}
	return out
}

func shown(list []coding.Suggestion) string {
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, "%d %s %s; ", s.Rank, s.Code, s.Role)
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func TestValidateRemovesAndOrders(t *testing.T) {
	k := small(t)
	tests := []struct {
		name    string
		setting coding.Setting
		style   coding.Style
		in      []string
		want    string
		removed []validate.Removed
	}{
		{"what may not be reported goes", coding.Outpatient, coding.Billing, []string{"I10", "E11", "Z99.9", "I10", "A0021", "E11.9"},
			"1 I10 first_listed; 2 E11.9 secondary", []validate.Removed{
				{coding.ICD10CM, "E11", validate.RuleNotBillable}, {coding.ICD10CM, "Z99.9", validate.RuleNotValid},
				{coding.ICD10CM, "I10", validate.RuleDuplicate}, {coding.HCPCS, "A0021", validate.RuleNotValid},
			}},
		{"principal of a stay", coding.Inpatient, coding.Billing, []string{"I50.9", "I10"}, "1 I50.9 principal; 2 I10 secondary", nil},
		{"emergency is outpatient", coding.Emergency, coding.Billing, []string{"I50.9"}, "1 I50.9 first_listed", nil},
		{"an external cause gives way", coding.Outpatient, coding.Billing, []string{"W19.XXXA", "Y92.009", "S52.501A"},
			"1 S52.501A first_listed; 2 W19.XXXA secondary; 3 Y92.009 secondary", nil},
		{"external causes alone", coding.Outpatient, coding.Billing, []string{"W19.XXXA"}, "1 W19.XXXA secondary", nil},
		{"etiology before manifestation", coding.Outpatient, coding.Billing, []string{"I10", "F02.80", "E11.9", "G30.9"},
			"1 I10 first_listed; 2 G30.9 secondary; 3 F02.80 secondary; 4 E11.9 secondary", nil},
		{"a manifestation gives way", coding.Inpatient, coding.Billing, []string{"F02.80", "G30.9"}, "1 G30.9 principal; 2 F02.80 secondary", nil},
		{"mentions stay in order", coding.Outpatient, coding.Mentions, []string{"W19.XXXA", "F02.80", "S52.501A", "G30.9"},
			"1 W19.XXXA secondary; 2 F02.80 secondary; 3 S52.501A first_listed; 4 G30.9 secondary", nil},
		{"nothing", coding.Outpatient, coding.Billing, nil, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := suggest(tt.in...)
			before := slices.Clone(in)
			out := k.validator.Validate(validate.Input{Doc: &coding.Document{Setting: tt.setting}, Table: k.table, Style: tt.style, Suggestions: in})
			if got := shown(out.Suggestions); got != tt.want {
				t.Errorf("shown %q, want %q", got, tt.want)
			}
			if diff := cmp.Diff(tt.removed, out.Removed); diff != "" {
				t.Errorf("removed (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, in); diff != "" {
				t.Errorf("the input was changed:\n%s", diff)
			}
			for _, s := range out.Suggestions {
				if c, _ := k.table.Lookup(s.Code); s.Display != c.Title {
					t.Errorf("%s is shown as %q", s.Code, s.Display)
				}
			}
		})
	}
}

// A finding about two codes stands at both, with both codes in it.
func TestPairsCarryTheSameFinding(t *testing.T) {
	k := small(t)
	out := k.validator.Validate(validate.Input{Doc: &coding.Document{}, Table: k.table, Suggestions: suggest("E11.9", "I10", "J18.9")})
	want := coding.Finding{Rule: validate.RuleExcludes1, Severity: coding.SeverityError, Codes: []string{"E11.9", "J18.9"},
		Message: "E11.9 and J18.9 are not coded together, unless the note shows that the two conditions have nothing to do with each other.",
		Source:  "ICD-10-CM Tabular List 2021, Excludes1 at E08-E13: “pneumonia, as a test (J18.-)”"}
	for _, s := range out.Suggestions {
		found := slices.ContainsFunc(s.Warnings, func(f coding.Finding) bool { return cmp.Equal(f, want) })
		if found != (s.Code != "I10") {
			t.Errorf("%s has the findings %+v", s.Code, s.Warnings)
		}
	}
	list := k.validator.Check(validate.CheckInput{Table: k.table, Codes: coded("E11.9", "J18.9")})
	if diff := cmp.Diff([]coding.Finding{want}, list); diff != "" {
		t.Errorf("Check (-want +got):\n%s", diff)
	}
}

// For mentions, which code every mention, the rules of billing are silent.
func TestMentionsAreSparedBillingRules(t *testing.T) {
	k := small(t)
	doc := &coding.Document{Text: "no cough", Setting: coding.Outpatient, Scopes: []coding.Scope{{Span: coding.Span{Start: 0, End: 8}, Assertion: coding.Possible}}}
	in := suggest("I10", "I50.9", "F02.80")
	in[1].Evidence = []coding.Evidence{{Span: coding.Span{Start: 3, End: 8}, Text: "cough"}}
	rules := func(style coding.Style) string {
		var out []string
		for _, s := range k.validator.Validate(validate.Input{Doc: doc, Table: k.table, Style: style, Suggestions: in}).Suggestions {
			for _, f := range s.Warnings {
				if !slices.Contains(out, f.Rule) {
					out = append(out, f.Rule)
				}
			}
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	if got, want := rules(coding.Billing), "code_first combination_code uncertain_diagnosis"; got != want {
		t.Errorf("billing: %q, want %q", got, want)
	}
	if got := rules(coding.Mentions); got != "" {
		t.Errorf("mentions: %q", got)
	}
}

// Findings go to logs and other systems: they hold nothing of the note.
func TestFindingsHoldNoNoteText(t *testing.T) {
	k := small(t)
	const marker = "xyzzymarker"
	for _, a := range []coding.Assertion{coding.Possible, coding.Negated, coding.Family, coding.Hypothetical} {
		text := "left " + marker
		doc := &coding.Document{Text: text, Scopes: []coding.Scope{{Span: coding.Span{Start: 0, End: len(text)}, Assertion: a}},
			Clauses: []coding.Span{{Start: 0, End: len(text)}}, Facts: []coding.Fact{{Span: coding.Span{Start: 0, End: 4}, Kind: coding.FactLaterality, Word: "left"}}}
		in := suggest("J18.9", "S52.501A")
		for i := range in {
			in[i].Evidence = []coding.Evidence{{Span: coding.Span{Start: 5, End: len(text)}, Text: marker}}
		}
		note := coding.Note{NoteID: marker, Text: text, Patient: coding.Patient{ID: marker, Sex: marker}}
		n := 0
		for _, s := range k.validator.Validate(validate.Input{Note: note, Doc: doc, Table: k.table, Suggestions: in}).Suggestions {
			for _, f := range s.Warnings {
				n++
				if strings.Contains(fmt.Sprint(f), marker) {
					t.Errorf("%+v", f)
				}
			}
		}
		if n == 0 {
			t.Errorf("no finding for %s words", a)
		}
	}
}

func TestValidatorIsSafeForConcurrentUse(t *testing.T) {
	k := small(t)
	var wg sync.WaitGroup
	want := shown(k.validator.Validate(validate.Input{Doc: &coding.Document{}, Table: k.table, Suggestions: suggest("F02.80", "E11.9", "J18.9", "G30.9")}).Suggestions)
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got := shown(k.validator.Validate(validate.Input{Doc: &coding.Document{}, Table: k.table, Suggestions: suggest("F02.80", "E11.9", "J18.9", "G30.9")}).Suggestions); got != want {
					t.Errorf("%q, then %q", want, got)
				}
			}
		})
	}
	wg.Wait()
}

// Without rule data the rules of the program's own tables still hold.
func TestWithoutRuleData(t *testing.T) {
	v, err := validate.New(validate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	k := small(t)
	out := v.Check(validate.CheckInput{Table: k.table, Codes: coded("I10", "I50.9", "A0021")})
	var rules []string
	for _, f := range out {
		rules = append(rules, f.Rule)
	}
	if diff := cmp.Diff([]string{validate.RuleNotValid, validate.RuleCombination}, rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

// Thirty codes of a hospital stay, many of them in notes of each other.
func BenchmarkValidate30(b *testing.B) {
	k := official(b)
	codes := strings.Fields("A41.9 R65.20 J18.9 J96.01 I11.0 I50.23 N17.9 N18.32 E11.22 E11.65 E11.319 I48.91 I25.10 J44.0 D64.9 E87.1 E87.5 K21.9 G47.33 E66.01 Z79.4 Z79.01 " +
		"F32.A F17.210 M17.11 M17.12 S52.501A W19.XXXA Y92.009 R05.9")
	doc := &coding.Document{Text: strings.Repeat("left knee pain. ", 200), Setting: coding.Inpatient}
	for i := range 200 {
		doc.Clauses = append(doc.Clauses, coding.Span{Start: 16 * i, End: 16*i + 15})
		doc.Facts = append(doc.Facts, coding.Fact{Span: coding.Span{Start: 16 * i, End: 16*i + 4}, Kind: coding.FactLaterality, Word: "left"})
	}
	in := validate.Input{Doc: doc, Table: k.table, Style: coding.Billing, Suggestions: suggest(codes...)}
	for i := range in.Suggestions {
		in.Suggestions[i].Evidence = []coding.Evidence{{Span: coding.Span{Start: 16*i + 5, End: 16*i + 9}, Text: "knee"}}
	}
	if n := len(k.validator.Validate(in).Suggestions); n != 30 {
		b.Fatalf("%d codes", n)
	}
	b.ReportAllocs()
	for b.Loop() {
		k.validator.Validate(in)
	}
}
