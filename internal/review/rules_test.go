package review_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"chartcode/internal/catalog"
	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/review"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// setUpRules is a review service with the real coding rules, on a code set small
// enough to see through.
func setUpRules(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, store: storetest.New(t)}
	knowledge, err := catalog.New(catalog.Config{Source: f.store})
	if err != nil {
		t.Fatal(err)
	}
	f.Service, err = review.New(review.Config{Store: f.store, Logger: slog.New(slog.DiscardHandler), Now: f.now, Lease: lease, Rules: knowledge.RulesOn})
	if err != nil {
		t.Fatal(err)
	}
	order := store.ReleaseImport{SHA256: strings.Repeat("a", 64), Release: coding.Release{
		ID: "icd10cm-2026", System: coding.ICD10CM, Kind: codeset.KindOrder, Version: "2026", EffectiveFrom: coding.NewDate(2025, 10, 1)}}
	parent := map[string]string{}
	for _, c := range []struct{ code, title string }{
		{"E10", ""}, {"E10.9", "Type 1 diabetes mellitus without complications"}, {"E11", ""}, {"E11.9", "Type 2 diabetes mellitus without complications"},
		{"F02", ""}, {"F02.80", "Dementia in other diseases classified elsewhere"}, {"G30", ""}, {"G30.9", "Alzheimer's disease, unspecified"},
		{"I10", "Essential (primary) hypertension"}, {"M17", ""}, {"M17.1", ""}, {"M17.10", "Unilateral primary osteoarthritis, unspecified knee"},
		{"M17.11", "Unilateral primary osteoarthritis, right knee"}, {"M17.12", "Unilateral primary osteoarthritis, left knee"},
		{"S52", ""}, {"S52.501A", "Fracture of right radius, initial encounter"}, {"W19", ""}, {"W19.XXXA", "Unspecified fall, initial encounter"},
	} {
		out := coding.Code{System: coding.ICD10CM, Code: c.code, Title: c.title, Short: c.title, Billable: c.title != ""}
		if !out.Billable {
			out.Title, out.Short = "Header "+c.code, "Header "+c.code
		}
		for end := len(c.code) - 1; end >= 3 && out.Parent == ""; end-- {
			if _, ok := parent[c.code[:end]]; ok {
				out.Parent = c.code[:end]
			}
		}
		parent[c.code] = c.title
		order.Codes = append(order.Codes, out)
	}
	tabular := store.ReleaseImport{SHA256: strings.Repeat("b", 64), Release: coding.Release{
		ID: "icd10cm-tabular-2021", System: coding.ICD10CM, Kind: codeset.KindTabular, Version: "2021", EffectiveFrom: coding.NewDate(2020, 10, 1)}}
	for _, l := range []codeset.Line{
		{Code: "E10", Kind: "excludes1", Level: codeset.LevelDiag, Text: "type 2 diabetes mellitus (E11.-)", Refs: []codeset.Ref{{From: "E11"}}},
		{Code: "F02", Kind: "codeFirst", Level: codeset.LevelDiag, Text: "the underlying physiological condition, such as:"},
		{Code: "F02", Kind: "codeFirst", Level: codeset.LevelDiag, Text: "Alzheimer's (G30.-)", Refs: []codeset.Ref{{From: "G30"}}},
	} {
		b, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		tabular.Lines = append(tabular.Lines, b)
	}
	for _, in := range []store.ReleaseImport{order, tabular} {
		if _, err := f.store.ImportRelease(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

const knees = "Type 1 diabetes. Hypertension. Arthrosis of the left knee."

// found writes what the rules say of each code: rule, and an exclamation mark
// for an error.
func found(it review.Item) string {
	var out []string
	for _, c := range it.Codes {
		for _, w := range c.Warnings {
			mark := ""
			if w.Severity == coding.SeverityError {
				mark = "!"
			}
			out = append(out, c.Code+" "+w.Rule+mark)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func blocked(it review.Item) string {
	var out []string
	for _, b := range it.Blockers {
		s := fmt.Sprint(b.Rule, b.Codes)
		if b.Overridden {
			s += " overridden"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

// The rules look at the codes after each decision: what is added, modified,
// accepted, taken back or put in another order.
func TestRulesOnEachDecision(t *testing.T) {
	t.Parallel()
	f := setUpRules(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	f.save(note("D-1", "E-1", knees),
		sug{code: "E10.9", words: "Type 1 diabetes", confidence: 0.9},
		sug{code: "I10", words: "Hypertension", confidence: 0.8},
		sug{code: "M17.10", words: "Arthrosis of the left knee", confidence: 0.7})
	id := f.only()
	add := func(code string) review.Act { return review.Act{Kind: coding.Add, Code: key(code)} }
	const side = "M17.10 unspecified_side"
	for _, step := range []struct {
		act             review.Act
		findings, stops string
	}{
		{accept("E10.9"), side, ""},
		{accept("I10"), side, ""},
		{add("E11.9"), "E10.9 excludes1!, E11.9 excludes1!, " + side, "excludes1[E10.9 E11.9]"},
		{review.Act{Kind: coding.Undo}, side, ""},
		{review.Act{Kind: coding.Redo}, "E10.9 excludes1!, E11.9 excludes1!, " + side, "excludes1[E10.9 E11.9]"},
		{reject("E11.9"), side, ""},
		// of a code that a coder chose, the side is checked against the words of the one it replaced
		{review.Act{Kind: coding.Modify, Code: key("M17.10"), To: key("M17.11")}, "M17.11 laterality", ""},
		{review.Act{Kind: coding.Modify, Code: key("M17.11"), To: key("M17.12")}, "", ""},
		{review.Act{Kind: coding.Modify, Code: key("E10.9"), To: key("E11.9")}, "", ""},
		{accept("E10.9"), "", ""}, // takes back what came in its place
		{add("F02.80"), "F02.80 code_first", ""},
		{add("G30.9"), "F02.80 code_first!, G30.9 code_first!", "code_first[F02.80 G30.9]"},
		{review.Act{Kind: coding.Reorder, Order: []coding.CodeKey{key("E10.9"), key("G30.9"), key("F02.80")}}, "", ""},
		{review.Act{Kind: coding.Reorder, Order: []coding.CodeKey{key("F02.80"), key("E10.9"), key("G30.9")}},
			"F02.80 code_first!, F02.80 manifestation_first!, G30.9 code_first!", "manifestation_first[F02.80], code_first[F02.80 G30.9]"},
		{review.Act{Kind: coding.Undo}, "", ""},
	} {
		out := f.do(casey, id, step.act)
		it := f.item(casey, id)
		what := fmt.Sprintf("after %s %s", step.act.Kind, step.act.Code.Code)
		if got := found(it); got != step.findings {
			t.Errorf("%s: findings %q, want %q", what, got, step.findings)
		}
		if got := blocked(it); got != step.stops {
			t.Errorf("%s: blockers %q, want %q", what, got, step.stops)
		}
		if got := blocked(out.Item); got != step.stops {
			t.Errorf("%s: the outcome's blockers are %q, want %q", what, got, step.stops)
		}
	}
	for _, c := range f.item(casey, id).Codes {
		for _, w := range c.Warnings {
			if len(w.Spans) > 0 && w.NoteID != "D-1" {
				t.Errorf("the spans of %s name the note %q", w.Rule, w.NoteID)
			}
		}
	}
}

// An error among codes that only a coder named blocks finishing until it is
// overridden with a reason; the review tells of the codes then.
func TestOverrideOfAnErrorAmongAddedCodes(t *testing.T) {
	t.Parallel()
	f := setUpRules(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	f.save(note("D-1", "E-1", knees), sug{code: "E10.9", words: "Type 1 diabetes", confidence: 0.9})
	id := f.only()
	f.do(casey, id, accept("E10.9"))
	f.do(casey, id, review.Act{Kind: coding.Add, Code: key("E11.9")})
	finish := review.Act{Kind: coding.Finish, Confirm: true}
	var unready *review.UnreadyError
	_, err := f.Decide(t.Context(), casey, id, finish)
	if !errors.As(err, &unready) || len(unready.Blockers) != 1 {
		t.Fatalf("finishing with an error gave %v", err)
	}
	b := unready.Blockers[0]
	if b.Rule != "excludes1" || !strings.Contains(b.Source, "ICD-10-CM Tabular List 2021, Excludes1 at E10: “type 2 diabetes mellitus (E11.-)”") {
		t.Errorf("the blocker is %+v", b)
	}
	override := review.Act{Kind: coding.Override, Rule: b.Rule, Codes: b.Codes}
	_, err = f.Decide(t.Context(), casey, id, override)
	wantErr(t, "overriding without a reason", err, review.ErrInput)
	override.Reason = "two patients' values were mixed; both diseases confirmed by endocrinology"
	f.do(casey, id, override)
	if got := blocked(f.item(casey, id)); got != "excludes1[E10.9 E11.9] overridden" {
		t.Errorf("blockers %q", got)
	}
	f.do(casey, id, review.Act{Kind: coding.Undo})
	if _, err = f.Decide(t.Context(), casey, id, finish); !errors.As(err, &unready) {
		t.Errorf("finishing after the override was undone gave %v", err)
	}
	f.do(casey, id, review.Act{Kind: coding.Redo})
	f.do(casey, id, finish)
	got := f.announced()
	if len(got) != 1 || len(got[0].Codes) != 2 {
		t.Errorf("announced %+v", got)
	}
}

// Where no code set is loaded, and where none is asked, the findings made with
// the suggestions stand.
func TestWithoutRulesTheSuggestionsStand(t *testing.T) {
	t.Parallel()
	f := &fixture{t: t, store: storetest.New(t)}
	asked := false
	none := func(context.Context, coding.Date, []coding.System) (review.Rules, error) {
		asked = true
		return nil, nil
	}
	var err error
	f.Service, err = review.New(review.Config{Store: f.store, Logger: slog.New(slog.DiscardHandler), Now: f.now, Lease: lease, Rules: none})
	if err != nil {
		t.Fatal(err)
	}
	f.save(note("D-1", "E-1", knees), sug{code: "M17.10", words: "left knee", confidence: 0.7, warnings: []coding.Finding{
		{Rule: "unspecified_side", Severity: coding.SeverityWarning, Codes: []string{"M17.10"}, Message: "m", Source: "s", Spans: []coding.Span{{Start: 48, End: 52}}}}})
	casey := f.users(coding.RoleCoder, "casey")[0]
	it := f.item(casey, f.only())
	if got := found(it); got != "M17.10 unspecified_side" || !asked {
		t.Errorf("findings %q, asked %v", got, asked)
	}
	if w := it.Codes[0].Warnings[0]; w.NoteID != "D-1" {
		t.Errorf("the span names the note %q", w.NoteID)
	}
}

// An error of loading the rules is told, not taken for their silence.
func TestRulesThatCannotBeLoaded(t *testing.T) {
	t.Parallel()
	f := &fixture{t: t, store: storetest.New(t)}
	broken := errors.New("the database does not answer")
	fail := func(context.Context, coding.Date, []coding.System) (review.Rules, error) { return nil, broken }
	var err error
	f.Service, err = review.New(review.Config{Store: f.store, Logger: slog.New(slog.DiscardHandler), Now: f.now, Lease: lease, Rules: fail})
	if err != nil {
		t.Fatal(err)
	}
	id := f.one()
	casey := f.users(coding.RoleCoder, "casey")[0]
	if _, err := f.Item(t.Context(), casey, id); !errors.Is(err, broken) {
		t.Errorf("showing gave %v", err)
	}
	if _, err := f.Decide(t.Context(), casey, id, accept("I10")); !errors.Is(err, broken) {
		t.Errorf("deciding gave %v", err)
	}
}
