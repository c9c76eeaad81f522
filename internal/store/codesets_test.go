package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

func sha(s string) string { return coding.Note{Text: s}.SHA256() }

var sameDate = cmp.Comparer(func(a, b coding.Date) bool { return a == b })

// smallRelease is a release of three codes whose terms share a text.
func smallRelease(version string, from coding.Date) store.ReleaseImport {
	term := func(text string, kind coding.TermKind, code string) coding.Term {
		return coding.Term{Text: text, Kind: kind, System: coding.ICD10CM, Code: code}
	}
	return store.ReleaseImport{
		Release: coding.Release{
			ID: "icd10cm-" + version, System: coding.ICD10CM, Kind: "order", Version: version,
			EffectiveFrom: from, Rows: 3, Billable: 2, Details: map[string]any{"headers": 1.0},
		},
		SHA256: sha(version),
		Codes: []coding.Code{
			{System: coding.ICD10CM, Code: "I10", Title: "Essential (primary) hypertension", Short: "Hypertension", Billable: true},
			{System: coding.ICD10CM, Code: "E11.22", Title: "Type 2 diabetes with CKD", Short: "T2DM CKD", Billable: true, Parent: "E11"},
			{System: coding.ICD10CM, Code: "E11", Title: "Type 2 diabetes mellitus", Short: "T2DM"},
		},
		Terms: []coding.Term{
			term("Essential (primary) hypertension", coding.TermTitle, "I10"),
			term("high blood pressure", coding.TermInclusion, "I10"),
			term("high blood pressure", coding.TermIndex, "I10"),
			term("high blood pressure", coding.TermIndex, "I10"),
			term("Type 2 diabetes mellitus", coding.TermTitle, "E11"),
		},
		Lines: [][]byte{[]byte(`{"code":"I10","kind":"excludes1"}`), []byte(`["b"]`)},
	}
}

func TestImportRelease(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := storetest.New(t)
	in := smallRelease("2026", coding.NewDate(2025, 10, 1))
	mustImport(t, s, in, true)
	mustImport(t, s, in, false)

	codes, err := s.Codes(ctx, "icd10cm-2026")
	if err != nil {
		t.Fatal(err)
	}
	want := []coding.Code{in.Codes[2], in.Codes[1], in.Codes[0]}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}

	terms, err := s.Terms(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, term := range terms {
		if term.TextID != store.TextID(term.Text) || term.Release != "icd10cm-2026" || term.System != coding.ICD10CM {
			t.Errorf("term %+v", term)
		}
		got = append(got, fmt.Sprintf("%s %s %s", term.Code, term.Kind, term.Text))
	}
	wantTerms := []string{
		"E11 title Type 2 diabetes mellitus",
		"I10 inclusion high blood pressure",
		"I10 index high blood pressure",
		"I10 title Essential (primary) hypertension",
	}
	if diff := cmp.Diff(wantTerms, got); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
	if none, err := s.Terms(ctx, coding.HCPCS); err != nil || len(none) != 0 {
		t.Errorf("terms of another system: %v, %v", none, err)
	}

	lines, err := s.Lines(ctx, "icd10cm-2026")
	if err != nil || len(lines) != 2 || string(lines[0]) != string(in.Lines[0]) || string(lines[1]) != string(in.Lines[1]) {
		t.Errorf("lines %s: %v", lines, err)
	}
	if _, err := s.Lines(ctx, "none"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("lines of no release: %v", err)
	}
	if _, err := s.Codes(ctx, "none"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("codes of no release: %v", err)
	}
}

// A text gets a vector when any of its terms needs one, in whatever order they come.
func TestOneCodeInEveryRelease(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := storetest.New(t)
	first, second := smallRelease("2025", coding.NewDate(2024, 10, 1)), smallRelease("2026", coding.NewDate(2025, 10, 1))
	second.Codes[0].Title = "Hypertension"
	second.Terms = append(second.Terms, coding.Term{Text: "HTN", Kind: coding.TermIndex, System: coding.ICD10CM, Code: "I10"})
	mustImport(t, s, first, true)
	mustImport(t, s, second, true)

	found, err := s.CodeInReleases(ctx, coding.ICD10CM, "I10")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]coding.Code{"icd10cm-2025": first.Codes[0], "icd10cm-2026": second.Codes[0]}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("releases (-want +got):\n%s", diff)
	}
	if found, err = s.CodeInReleases(ctx, coding.HCPCS, "I10"); err != nil || len(found) != 0 {
		t.Errorf("another system has %v, %v", found, err)
	}

	terms, err := s.TermsOfCodes(ctx, coding.ICD10CM, []string{"I10", "E11", "none"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, term := range terms {
		got = append(got, fmt.Sprintf("%s %s %s %s", term.Code, term.Kind, term.Text, term.Release))
	}
	wantTerms := []string{
		"E11 title Type 2 diabetes mellitus icd10cm-2026",
		"I10 inclusion high blood pressure icd10cm-2026",
		"I10 index HTN icd10cm-2026",
		"I10 index high blood pressure icd10cm-2026",
		"I10 title Essential (primary) hypertension icd10cm-2026",
	}
	if diff := cmp.Diff(wantTerms, got); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
}

func TestWordsOnlyTermsNeedNoVector(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	in := smallRelease("2025", coding.NewDate(2024, 10, 1))
	for i := range in.Terms {
		in.Terms[i].WordsOnly = i != 2 // only one of those of high blood pressure has a vector
	}
	mustImport(t, s, in, true)
	without := func() (texts []string) {
		list, err := s.TextsWithoutVector(t.Context(), "m@1", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := s.CountTextsWithoutVector(t.Context(), "m@1"); err != nil || n != len(list) {
			t.Errorf("counted %d of %d: %v", n, len(list), err)
		}
		for _, text := range list {
			texts = append(texts, text.Text)
		}
		slices.Sort(texts)
		return texts
	}
	if got, want := without(), []string{"high blood pressure"}; !slices.Equal(got, want) {
		t.Errorf("texts %q, want %q", got, want)
	}
	terms, err := s.Terms(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, term := range terms {
		if term.WordsOnly != (term.Text != "high blood pressure") {
			t.Errorf("term %+v", term)
		}
	}
	in = smallRelease("2026", coding.NewDate(2025, 10, 1))
	in.Terms[4].WordsOnly = true
	mustImport(t, s, in, true)
	if got, want := without(), []string{"Essential (primary) hypertension", "high blood pressure"}; !slices.Equal(got, want) {
		t.Errorf("texts %q, want %q", got, want)
	}
}

func TestCorrectedReleaseReplaces(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := storetest.New(t)
	in := smallRelease("2026", coding.NewDate(2025, 10, 1))
	mustImport(t, s, in, true)
	putVectors(t, s, "m@1", in.Terms)

	in.SHA256 = sha("corrected")
	in.Codes = in.Codes[:1]
	in.Terms = in.Terms[:1]
	in.Release.Rows = 1
	mustImport(t, s, in, true)

	codes, err := s.Codes(ctx, in.Release.ID)
	if err != nil || len(codes) != 1 {
		t.Errorf("%d codes: %v", len(codes), err)
	}
	if terms, err := s.Terms(ctx); err != nil || len(terms) != 1 {
		t.Errorf("terms %v: %v", terms, err)
	}
	models, err := s.EmbeddingModels(ctx)
	if err != nil || len(models) != 1 || models[0].Vectors != 1 {
		t.Errorf("models %+v: %v; vectors of texts that are gone must go", models, err)
	}
	if got, err := s.ReleaseSHA256(ctx, in.Release.ID); err != nil || got != in.SHA256 {
		t.Errorf("hash %s: %v", got, err)
	}
	if err := s.RemoveRelease(ctx, in.Release.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveRelease(ctx, in.Release.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("removing it twice: %v", err)
	}
	if terms, err := s.Terms(ctx); err != nil || len(terms) != 0 {
		t.Errorf("terms %v: %v", terms, err)
	}
}

func TestFailedImportChangesNothing(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	good := smallRelease("2026", coding.NewDate(2025, 10, 1))
	mustImport(t, s, good, true)
	for name, spoil := range map[string]func(*store.ReleaseImport){
		"code twice":          func(in *store.ReleaseImport) { in.Codes = append(in.Codes, in.Codes[0]) },
		"empty code":          func(in *store.ReleaseImport) { in.Codes[1].Code = "" },
		"other system":        func(in *store.ReleaseImport) { in.Codes[1].System = coding.HCPCS },
		"line is not JSON":    func(in *store.ReleaseImport) { in.Lines[1] = []byte("{") },
		"term without a text": func(in *store.ReleaseImport) { in.Terms[0].Text = "" },
		"NUL in a title":      func(in *store.ReleaseImport) { in.Codes[0].Title = "a\x00b" },
		"hash is none":        func(in *store.ReleaseImport) { in.SHA256 = "x" },
	} {
		in := smallRelease("2026", coding.NewDate(2025, 10, 1))
		in.SHA256 = sha("another")
		spoil(&in)
		if changed, err := s.ImportRelease(t.Context(), in); err == nil || changed {
			t.Errorf("%s: changed %v, %v", name, changed, err)
		}
	}
	codes, err := s.Codes(t.Context(), "icd10cm-2026")
	if err != nil || len(codes) != 3 {
		t.Errorf("%d codes: %v", len(codes), err)
	}
	if got, err := s.ReleaseSHA256(t.Context(), "icd10cm-2026"); err != nil || got != good.SHA256 {
		t.Errorf("hash %s: %v", got, err)
	}
}

func TestReleaseEndsWhereItsSuccessorStarts(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	day := coding.NewDate
	mustImport(t, s, smallRelease("2026", day(2025, 10, 1)), true)
	mustImport(t, s, smallRelease("2021", day(2020, 10, 1)), true)
	mustImport(t, s, smallRelease("2025", day(2024, 10, 1)), true)
	other := smallRelease("index-2024", day(2023, 10, 1))
	other.Release.Kind = "index"
	other.Codes = nil
	mustImport(t, s, other, true)

	releases, err := s.Releases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range releases {
		got = append(got, fmt.Sprintf("%s %s %s..%s", r.Kind, r.ID, r.EffectiveFrom, r.EffectiveTo))
	}
	want := []string{
		"index icd10cm-index-2024 2023-10-01..",
		"order icd10cm-2021 2020-10-01..2024-09-30",
		"order icd10cm-2025 2024-10-01..2025-09-30",
		"order icd10cm-2026 2025-10-01..",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("releases (-want +got):\n%s", diff)
	}
	first, in := releases[1], smallRelease("2021", day(2020, 10, 1))
	first.EffectiveTo = coding.Date{}
	in.Release.SHA256 = in.SHA256
	if diff := cmp.Diff(in.Release, first, sameDate); diff != "" {
		t.Errorf("release (-want +got):\n%s", diff)
	}
	terms, err := s.Terms(t.Context(), coding.ICD10CM)
	if err != nil || len(terms) != 4 {
		t.Fatalf("%d terms: %v; equal ones of several releases are given once", len(terms), err)
	}
	for _, term := range terms {
		if term.Release != "icd10cm-2026" {
			t.Errorf("term of %s, want the newest release", term.Release)
		}
	}
}

func TestImportsAtOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	errs := make(chan error)
	changes := make(chan bool, 8)
	for i := range 8 {
		go func() {
			changed, err := s.ImportRelease(t.Context(), smallRelease(fmt.Sprint(2020+i%2), coding.NewDate(2019+i%2, time.October, 1)))
			changes <- changed
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	changed := 0
	for range 8 {
		if <-changes {
			changed++
		}
	}
	if changed != 2 {
		t.Errorf("%d imports changed something, want 2", changed)
	}
}

func mustImport(t testing.TB, s *store.Store, in store.ReleaseImport, want bool) {
	t.Helper()
	changed, err := s.ImportRelease(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if changed != want {
		t.Fatalf("import of %s changed something: %v, want %v", in.Release.ID, changed, want)
	}
}

// largeRelease has as many codes and terms as ICD-10-CM with its index.
func largeRelease() store.ReleaseImport {
	in := store.ReleaseImport{
		Release: coding.Release{ID: "icd10cm-2026", System: coding.ICD10CM, Kind: "order", Version: "2026", EffectiveFrom: coding.NewDate(2025, 10, 1)},
		SHA256:  sha("large"),
	}
	for i := range 98_000 {
		code := fmt.Sprintf("A%06d", i)
		in.Codes = append(in.Codes, coding.Code{System: coding.ICD10CM, Code: code, Title: largeText(i), Short: largeText(i)[:40], Billable: i%4 != 0})
		in.Terms = append(in.Terms, coding.Term{Text: largeText(i), Kind: coding.TermTitle, System: coding.ICD10CM, Code: code})
	}
	for i := range 142_000 {
		in.Terms = append(in.Terms, coding.Term{Text: largeText(98_000 + i/2), Kind: coding.TermIndex, System: coding.ICD10CM, Code: fmt.Sprintf("A%06d", i%98_000)})
	}
	in.Release.Rows, in.Release.Billable = len(in.Codes), 73_500
	return in
}

func largeText(i int) string {
	return fmt.Sprintf("Displaced fracture of shaft of %d, right arm, subsequent encounter for closed fracture, %d", i%977, i)
}

func BenchmarkImportRelease(b *testing.B) {
	s := storetest.New(b)
	in := largeRelease()
	for b.Loop() {
		if changed, err := s.ImportRelease(b.Context(), in); err != nil || !changed {
			b.Fatal(changed, err)
		}
		b.StopTimer()
		if err := s.RemoveRelease(b.Context(), in.Release.ID); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkReadCodesAndTerms(b *testing.B) {
	s := storetest.New(b)
	in := largeRelease()
	mustImport(b, s, in, true)
	b.Run("codes", func(b *testing.B) {
		for b.Loop() {
			if codes, err := s.Codes(b.Context(), in.Release.ID); err != nil || len(codes) != len(in.Codes) {
				b.Fatal(len(codes), err)
			}
		}
	})
	b.Run("terms", func(b *testing.B) {
		for b.Loop() {
			if terms, err := s.Terms(b.Context(), coding.ICD10CM); err != nil || len(terms) != len(in.Terms) {
				b.Fatal(len(terms), err)
			}
		}
	})
}

func TestLargeTextsDiffer(t *testing.T) {
	if a, b := largeText(1), largeText(978); a == b || !strings.Contains(a, "of 1,") {
		t.Errorf("%q, %q", a, b)
	}
}
