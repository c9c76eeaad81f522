package store_test

import (
	"errors"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// What was drawn, finished or judged stays, whoever asks; the program's role may
// not even try.
func TestQualityOnlyGrows(t *testing.T) {
	t.Parallel()
	url := storetest.MigratedURL(t)
	s := storetest.Open(t, url)
	ctx := t.Context()
	ev := coding.AuditEvent{At: noon, Actor: "ann", Action: coding.AuditPracticeAdded}
	n, err := s.AddPractice(ctx, []coding.PracticeNote{{Run: "r", AddedBy: "console", AddedAt: noon, Note: note("P-1", "")}}, ev)
	if err != nil || n != 1 {
		t.Fatalf("added %d, %v", n, err)
	}
	id, found, err := s.TakePractice(ctx, "ann", ev)
	if err != nil || !found {
		t.Fatalf("taken: %v, %v", found, err)
	}
	code := coding.CodeKey{System: coding.ICD10CM, Code: "I10"}
	refused := errors.New("no")
	if found, err := s.ChangeRecoding(ctx, id, func(r *coding.Recoding) (*coding.AuditEvent, error) {
		r.Given = append(r.Given, coding.GivenCode{CodeKey: code})
		return nil, refused
	}); !found || !errors.Is(err, refused) {
		t.Errorf("refused: %v, %v", found, err)
	}
	if r, _, err := s.Recoding(ctx, id, nil); err != nil || len(r.Given) != 0 || r.Notes[0].Note.Text != note("P-1", "").Text {
		t.Errorf("after a refusal: %+v, %v", r, err)
	}
	if _, err := s.ChangeRecoding(ctx, id, func(r *coding.Recoding) (*coding.AuditEvent, error) {
		r.Given, r.Rejected, r.FinishedAt = []coding.GivenCode{{CodeKey: code, Display: "Hypertension"}}, []coding.CodeKey{{System: coding.ICD10CM, Code: "E78.5"}}, noon
		return &ev, nil
	}); err != nil {
		t.Fatal(err)
	}
	if r, _, err := s.Recoding(ctx, id, &ev); err != nil || len(r.Given) != 1 || r.Given[0].Display != "Hypertension" || len(r.Rejected) != 1 || !r.FinishedAt.Equal(noon) {
		t.Errorf("kept: %+v, %v", r, err)
	}
	owner := storetest.Open(t, asUser(t, url, "chartcode_app"))
	for _, sql := range []string{
		"UPDATE recodings SET given = '[]'", "DELETE FROM recodings", "UPDATE practice_notes SET run = 'x'", "DELETE FROM audit_cases", "DELETE FROM audit_sample_cases", "DELETE FROM judgements", "UPDATE finding_answers SET agrees = true",
		"TRUNCATE audit_samples CASCADE",
	} {
		for who, x := range map[string]*store.Store{"program": s, "role": owner} {
			if _, err := store.Pool(x).Exec(ctx, sql); err == nil {
				t.Errorf("%s: %q was carried out", who, sql)
			}
		}
	}
	if ok, err := s.Blind(ctx, "ann", 1); err != nil || ok {
		t.Errorf("practice makes blind: %v, %v", ok, err)
	}
	if ok, err := s.ReturnRecoding(ctx, id, "", ev); err != nil || ok {
		t.Errorf("a finished recoding was returned: %v, %v", ok, err)
	}
	if out, err := s.Practised(ctx, "ann"); err != nil || len(out) != 1 || len(out[0].Given) != 1 {
		t.Errorf("practised: %+v, %v", out, err)
	}
}
