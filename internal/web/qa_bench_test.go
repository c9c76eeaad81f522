package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

// manyCases are 4,000 reviews by twenty coders, all drawn, coded again and judged:
// with four codes of ninety each, of which one in about seven is another one the
// second time, and one in nine is judged wrong.
var manyCases = []string{
	`INSERT INTO items (source, encounter_key, encounter_id, state, received_at, setting, specialty, note_count)
		SELECT 'north', 'e:' || i, i, 'finished', now(), 'outpatient', 'Specialty ' || i % 8, 1 FROM generate_series(1, 4000) i`,
	`INSERT INTO notes (source, note_id) SELECT 'north', 'N-' || i FROM generate_series(1, 4000) i`,
	`INSERT INTO note_revisions (note_id, number, sha256, received_at, stream_seq, encounter_id, patient_id, patient_sex, author_id, author_name,
			attending_id, attending_name, payer, setting, specialty, note_type, priority, text)
		SELECT id, 1, repeat('a', 64), now(), id, note_id, 'P' || id % 3000, '', '', '', '', '', '', 'outpatient', '', '', 5, 'Seen.' FROM notes`,
	`INSERT INTO audit_samples (drawn_by, drawn_at, finished_from, finished_before, source, rate, at_least, seed, recodings, eligible)
		VALUES ('console', now(), '2026-01-01', '2027-01-01', '', 1, 0, 1, 1, 4000)`,
	`CREATE TEMPORARY TABLE given AS SELECT i, which, jsonb_agg(jsonb_build_object('system', 'ICD-10-CM', 'code',
			substr('ABCDEFGHIJKLMNOPQR', 1 + n % 18, 1) || 10 + n % 5 || '.9', 'display', 'Title of a code that is as long as titles are',
			'evidence', jsonb_build_array(jsonb_build_object('note_id', 'N-' || i, 'start', 0, 'end', 5, 'text', 'Seen.'))) ORDER BY k) AS codes
		FROM generate_series(1, 4000) i, generate_series(0, 2) which, generate_series(0, 3) k,
			LATERAL (SELECT (i * 7 + k * 11 + CASE WHEN (i + k) % (7 + 2 * which) = which THEN which ELSE 0 END) AS n) x GROUP BY i, which`,
	`INSERT INTO audit_cases (sample_id, item_id, finish_seq, coder, finished_at, setting, specialty, revisions, given)
		SELECT 1, i.id, 1, 'coder' || i.id % 20, now(), i.setting, i.specialty, ARRAY[r.id], g.codes
		FROM items i JOIN note_revisions r ON r.note_id = i.id JOIN given g ON g.i = i.id AND g.which = 0 ORDER BY i.id`,
	`INSERT INTO audit_sample_cases SELECT sample_id, id FROM audit_cases`,
	`INSERT INTO recodings (case_id, coder, taken_at, finished_at, given)
		SELECT c.id, 'coder' || (c.id + 1 + c.id / 20 % 19) % 20, now(), now(), g.codes FROM audit_cases c JOIN given g ON g.i = c.item_id AND g.which = 1`,
	`INSERT INTO judgements (case_id, judge, at, codes, remark)
		SELECT c.id, 'olga', now(), g.codes, '' FROM audit_cases c JOIN given g ON g.i = c.item_id AND g.which = 2`,
	`VACUUM (ANALYZE) items, notes, note_revisions, audit_cases, audit_sample_cases, recodings, judgements`,
}

// BenchmarkQualityPages is the time of pages about quality as a browser waits for
// them, database included, over 4,000 judged cases: again, and for People also after
// something was added.
func BenchmarkQualityPages(b *testing.B) {
	s := newSite(b)
	owner, err := pgx.Connect(b.Context(), s.url)
	if err != nil {
		b.Fatal(err)
	}
	defer owner.Close(b.Context())
	for _, sql := range manyCases {
		if _, err := owner.Exec(b.Context(), sql); err != nil {
			b.Fatalf("%.60s: %v", sql, err)
		}
	}
	auditor := s.as(coding.RoleAuditor)
	open := func(path, part string) {
		auditor.get(path).wants(b, http.StatusOK, part)
	}
	b.Run("people, something added", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			if _, err := owner.Exec(b.Context(), `INSERT INTO recodings (case_id, coder, taken_at, finished_at)
				SELECT c.id, 'late', now(), now() FROM audit_cases c WHERE NOT EXISTS (SELECT FROM recodings r WHERE r.case_id = c.id AND r.coder = 'late') LIMIT 1`); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			open("/qa/people", "4000 judged")
		}
	})
	for name, part := range map[string]string{"people": "4000 judged", "audits": "Cases", "": "Quality"} {
		b.Run("again: "+name, func(b *testing.B) {
			for b.Loop() {
				open(strings.TrimSuffix("/qa/"+name, "/"), part)
			}
		})
	}
}
