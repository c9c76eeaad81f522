package store_test

import (
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/store/storetest"
)

// Cases drawn before are of the sample that drew them, and coders of cases can
// answer what is found about present on admission.
func TestMigrateToAuditDraws(t *testing.T) {
	t.Parallel()
	url := storetest.EmptyURL(t)
	conn := owner(t, url)
	migrateBefore(t, conn, "090")
	for _, sql := range []string{
		`INSERT INTO items (source, encounter_key, encounter_id, state, received_at, note_count) VALUES ('north', 'e:1', '1', 'finished', now(), 1), ('north', 'e:2', '2', 'finished', now(), 1)`,
		`INSERT INTO audit_samples (drawn_by, drawn_at, finished_from, finished_before, source, rate, at_least, seed, recodings, eligible)
			VALUES ('olga', now(), '2026-01-01', '2026-02-01', '', 1, 0, 7, 1, 1), ('olga', now(), '2026-02-01', '2026-03-01', '', 1, 0, 7, 1, 1)`,
		`INSERT INTO audit_cases (sample_id, item_id, finish_seq, coder, finished_at, setting, specialty, revisions, given)
			VALUES (1, 1, 1, 'ann', '2026-01-10', 'inpatient', '', '{1}', '[]'), (2, 2, 1, 'ann', '2026-02-10', 'inpatient', '', '{2}', '[]')`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%.60s: %v", sql, err)
		}
	}
	s := storetest.Open(t, url)
	if err := s.Migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for sample := range int64(3) {
		want := map[int64]int{0: 2, 1: 1, 2: 1}[sample]
		if cases, err := s.AuditCases(t.Context(), sample, ""); err != nil || len(cases) != want {
			t.Errorf("sample %d has the cases %+v, %v", sample, cases, err)
		}
	}
	samples, err := s.AuditSamples(t.Context())
	if err != nil || len(samples) != 2 || samples[0].Cases != 1 || samples[0].Earlier != 0 || len(samples[0].Coders) != 0 {
		t.Errorf("samples %+v, %v", samples, err)
	}
	a := coding.FindingAnswer{Case: 1, Coder: "ann", Kind: coding.FindingDetail, Code: coding.CodeKey{System: coding.ICD10CM, Code: "I10"}, Agrees: true, At: time.Now()}
	if err := s.AnswerFinding(t.Context(), a, coding.AuditEvent{At: time.Now(), Actor: "ann", Action: coding.AuditAnswered}); err != nil {
		t.Error(err)
	}
}
