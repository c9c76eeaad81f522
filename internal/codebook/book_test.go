package codebook_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/codebook"
	"chartcode/internal/codebook/booktest"
	"chartcode/internal/coding"
	"chartcode/internal/store/storetest"
)

func newBook(t *testing.T) *codebook.Book {
	t.Helper()
	s := storetest.New(t)
	booktest.Load(t, s)
	b, err := codebook.New(codebook.Config{Source: s})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func codesOf(hits []codebook.Hit) string {
	var list []string
	for _, h := range hits {
		list = append(list, h.Code.Code)
	}
	return strings.Join(list, " ")
}

func TestSearchChoosesTheRelease(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	for _, test := range []struct {
		q       codebook.Query
		version string
		first   string // codes that come first
		notice  string
	}{
		{codebook.Query{Text: "E1122"}, "2026", "E11.22", ""},
		{codebook.Query{Text: "e11.2"}, "2026", "E11.2 E11.21 E11.22", ""},
		{codebook.Query{Text: "E1"}, "2026", "E11", ""},
		{codebook.Query{Text: "fx distal radius right"}, "2026", "S52.501A S52.501", ""},
		{codebook.Query{Text: "left lower end radius init"}, "2026", "S52.502A", ""},
		{codebook.Query{Text: "lower end right radius routine healing"}, "2026", "S52.501D", ""},
		{codebook.Query{Text: "heart attack"}, "2026", "I21.9", ""},
		{codebook.Query{Text: "sugar diabetes with kidney disease"}, "2026", "E11.22", ""},
		{codebook.Query{Text: "diabetes remission"}, "2026", "E11.A", ""},
		{codebook.Query{Text: "diabetes remission", Date: coding.NewDate(2024, 12, 1)}, "2025", "E11.9", ""},
		{codebook.Query{Text: "old chronic lung", Date: coding.NewDate(2021, 1, 1)}, "2021", "J44", ""},
		{codebook.Query{Text: "hypertension", Date: coding.NewDate(2019, 1, 1)}, "2021", "I10", coding.NoticeNoRelease},
		{codebook.Query{Text: "wheelchairs", System: coding.HCPCS}, "2024-07", "K0001", ""},
		{codebook.Query{Text: "j18", System: coding.HCPCS}, "2024-07", "J1885", ""},
		{codebook.Query{Text: "!!"}, "2026", "", ""},
	} {
		test.q.Limit = 10
		r, err := b.Search(t.Context(), test.q)
		if err != nil {
			t.Fatal(err)
		}
		notice := ""
		for _, n := range r.Notices {
			notice = n.Code
		}
		if got := codesOf(r.Codes); !strings.HasPrefix(got+" ", test.first+" ") || r.Release.Version != test.version || notice != test.notice {
			t.Errorf("%+v gives %s of %s with the notice %q", test.q, got, r.Release.Version, notice)
		}
	}
	if _, err := b.Search(t.Context(), codebook.Query{Text: "x", System: coding.CPT, Limit: 1}); !errors.Is(err, codebook.ErrNotLoaded) {
		t.Errorf("a system without a table gives %v", err)
	}
	if r, err := b.Search(t.Context(), codebook.Query{Text: "diabetes", Limit: 2}); err != nil || len(r.Codes) != 2 {
		t.Errorf("the limit of 2 gives %s, %v", codesOf(r.Codes), err)
	}
}

func TestHits(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	r, err := b.Search(t.Context(), codebook.Query{Text: "S52501", Limit: 1})
	if err != nil || len(r.Codes) != 1 {
		t.Fatal(r, err)
	}
	h := r.Codes[0]
	want := []codebook.Seventh{
		{Char: "A", Meaning: "initial encounter for closed fracture", Code: "S52.501A"},
		{Char: "D", Meaning: "subsequent encounter for closed fracture with routine healing", Code: "S52.501D"},
	}
	if diff := cmp.Diff(want, h.Seventh); diff != "" || h.Billable || h.Under != 2 || h.Matched != nil {
		t.Errorf("%+v, 7th characters (-want +got):\n%s", h, diff)
	}
	r, err = b.Search(t.Context(), codebook.Query{Text: "diabetic type 2 with chronic kidney disease", Limit: 1})
	if err != nil || r.Codes[0].Matched == nil || r.Codes[0].Matched.Text == "" {
		t.Errorf("what matched is not said: %+v, %v", r.Codes, err)
	}
}

func TestImportsReachTheBook(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	now := time.Now()
	b, err := codebook.New(codebook.Config{Source: s, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Code(t.Context(), "", "I10", coding.Date{}); !errors.Is(err, codebook.ErrNotLoaded) {
		t.Fatalf("an empty database gives %v", err)
	}
	booktest.Load(t, s)
	now = now.Add(time.Minute)
	if e, err := b.Code(t.Context(), "", "I10", coding.Date{}); err != nil || e.Title != "Essential (primary) hypertension" {
		t.Errorf("after an import: %+v, %v", e, err)
	}
}

func TestEntry(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	e, err := b.Code(t.Context(), "", "e1122", coding.Date{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	add := func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) }
	add("%s %s %v %v", e.Code.Code, e.Release.Version, e.Billable, e.Valid)
	for _, l := range e.Place {
		add("place %s %s %s", l.Level, l.Code, l.Title)
	}
	for _, n := range e.Notes {
		add("note %s %s %s %v", n.Kind, n.Level, n.At, n.Inherited)
	}
	for _, c := range e.Siblings {
		add("beside %s", c.Code)
	}
	for _, x := range e.Terms {
		add("term %s %s %s", x.At, x.Kind, x.Text)
	}
	add("hcc %v mce %v poa %v", e.HCC, e.Edits, e.POAExempt)
	for _, r := range e.Releases {
		add("release %s %v", r.Version, r.Valid)
	}
	got = slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, "everyday") }) // of the starter set, which may grow
	want := []string{
		"E11.22 2026 true true",
		"place chapter E00-E89 Endocrine, nutritional and metabolic diseases",
		"place section E08-E13 Diabetes mellitus",
		"place code E11 Type 2 diabetes mellitus",
		"place code E11.2 Type 2 diabetes mellitus with kidney complications",
		"note useAdditionalCode code E11.22 false",
		"note includes code E11 true",
		"note useAdditionalCode code E11 true",
		"note excludes1 chapter E00-E89 true",
		"beside E11.21", "beside E11.22",
		"term E11.22 index Diabetes, diabetic, type 2, with chronic kidney disease",
		"hcc [37] mce [{Age Adult (Ages 15-124)}] poa false",
		"release 2026 true", "release 2025 true", "release 2021 true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}

	e, err = b.Code(t.Context(), "", "S52.501D", coding.Date{})
	if err != nil {
		t.Fatal(err)
	}
	seventh := []codebook.Seventh{
		{Char: "A", Meaning: "initial encounter for closed fracture", Code: "S52.501A"},
		{Char: "D", Meaning: "subsequent encounter for closed fracture with routine healing", Code: "S52.501D"},
		{Char: "S", Meaning: "sequela"},
	}
	if diff := cmp.Diff(seventh, e.Seventh); diff != "" || !e.POAExempt {
		t.Errorf("POA-exempt %v, 7th characters (-want +got):\n%s", e.POAExempt, diff)
	}
	if i := slices.IndexFunc(e.Notes, func(n codebook.Note) bool { return n.Kind == "inclusionTerm" }); i < 0 || e.Notes[i].At != "S52.50" || !e.Notes[i].Inherited {
		t.Errorf("the inclusion term is missing: %+v", e.Notes)
	}
	if !slices.ContainsFunc(e.Terms, func(x codebook.Leading) bool { return x.At == "S52.50" && x.Kind == coding.TermIndex }) {
		t.Errorf("the index entry of a header above is missing: %+v", e.Terms)
	}
	e, err = b.Code(t.Context(), coding.HCPCS, "j1885", coding.Date{})
	if err != nil || e.Title == "" || len(e.Place)+len(e.Notes)+len(e.Siblings)+len(e.HCC) != 0 {
		t.Errorf("HCPCS: %+v, %v", e, err)
	}
}

func TestChangesBetweenReleases(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	for code, want := range map[string]string{
		"E11.9":   "",
		"E11.A":   "new in 2026 (not in 2025)",
		"E66.811": "new in 2025 (not in 2021)",
		"E66.8":   "a header from 2025 on (billable in 2021)",
		"I10":     `retitled in 2025: was "Essential hypertension" in 2021`,
		"J44":     "deleted by 2026 (last in 2025)",
	} {
		e, err := b.Code(t.Context(), "", code, coding.Date{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range e.Changes {
			got = append(got, codebook.ChangeText(c))
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
		if deleted := code == "J44"; e.Valid == deleted || deleted && (e.Release.Version != "2025" || e.Asked != "2026" || e.Title != "Old chronic lung disease") {
			t.Errorf("%s is shown as of %s, asked for %s, valid %v", code, e.Release.Version, e.Asked, e.Valid)
		}
	}
	if e, err := b.Code(t.Context(), "", "E11.A", coding.NewDate(2021, 1, 1)); err != nil || e.Valid || e.Asked != "2021" || e.Release.Version != "2026" {
		t.Errorf("a code of later: %+v, %v", e, err)
	}
}

func TestCodesThatAreNot(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	for code, near := range map[string]string{
		"E11.223": "E11.22 E11.21", "E1112": "E11.2 E11.21 E11.22", "S52.501B": "S52.501A S52.501D", "E66.99": "E66.8",
		"XYZ": "", "": "", "E": "", "\x00": "", "E\x00\xff": "", strings.Repeat("é", 40): "",
	} {
		_, err := b.Code(t.Context(), "", code, coding.Date{})
		var missing *codebook.NotFoundError
		if !errors.As(err, &missing) {
			t.Errorf("%q gives %v", code, err)
			continue
		}
		var got []string
		for _, c := range missing.Near {
			got = append(got, c.Code)
		}
		for want := range strings.FieldsSeq(near) {
			if !slices.Contains(got, want) {
				t.Errorf("near %q are %v, without %s", code, got, want)
			}
		}
		if near == "" && code != "E" && len(got) > 0 {
			t.Errorf("near %q are %v", code, got)
		}
	}
}
