package pipeline_test

import (
	"slices"
	"testing"

	"chartcode/internal/catalog"
	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/embedding"
	"chartcode/internal/learned"
	"chartcode/internal/store/storetest"
	"chartcode/pipeline"
)

// The rules look at what the ranker chose: a code for each condition of the
// note, a finding for the two that belong together, and the words behind it.
func TestRulesRunAfterRanking(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	starter, err := codeset.Starter()
	if err != nil {
		t.Fatal(err)
	}
	embedder, err := embedding.NewLocal()
	if err != nil {
		t.Fatal(err)
	}
	models, err := learned.Default()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&catalog.Loader{DB: db, Embedder: embedder}).Import(t.Context(), starter); err != nil {
		t.Fatal(err)
	}
	knowledge, err := catalog.New(catalog.Config{Source: db, Models: models})
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.New(pipeline.Config{Knowledge: knowledge})
	if err != nil {
		t.Fatal(err)
	}
	set, err := p.Process(t.Context(), coding.Note{NoteID: "D-1", Source: "north", Setting: coding.Outpatient, ServiceDate: coding.NewDate(2026, 3, 14), Priority: 5,
		Text: "ASSESSMENT:\n1. Essential hypertension.\n2. Congestive heart failure, not due to hypertension.\n"})
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, s := range set.Suggestions {
		codes = append(codes, s.Code)
	}
	for _, code := range []string{"I10", "I50.9"} {
		i := slices.Index(codes, code)
		if i < 0 {
			t.Fatalf("the suggestions are %v", codes)
		}
		found := slices.ContainsFunc(set.Suggestions[i].Warnings, func(f coding.Finding) bool {
			return f.Rule == "combination_code" && f.Severity == coding.SeverityWarning && slices.Contains(f.Codes, "I10") && slices.Contains(f.Codes, "I50.9") &&
				f.Source == "ICD-10-CM Official Guidelines FY"+set.Releases[coding.ICD10CM]+", I.C.9.a.1 (paraphrased)"
		})
		if !found {
			t.Errorf("%s has the findings %+v", code, set.Suggestions[i].Warnings)
		}
	}
	if set.Suggestions[0].Role != coding.RoleFirstListed {
		t.Errorf("the first code is %s", set.Suggestions[0].Role)
	}
}
