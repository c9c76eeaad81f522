package main

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/store/storetest"
)

// The invented work is the same for the same seed, the trail and the decisions of it
// hold, and a database with notes is refused.
func TestSimulate(t *testing.T) {
	t.Parallel()
	flags := []string{"simulate", "--days", "12", "--coders", "4", "--notes", "300", "--until", "2026-03-11T15:00"}
	rows := map[string]string{}
	for _, name := range []string{"first", "second", "other"} {
		url := storetest.MigratedURL(t)
		s := newSite(t, "CHARTCODE_DATABASE_URL="+url, "CHARTCODE_TIMEZONE=America/Chicago")
		args := flags
		if name == "other" {
			args = append(args[:len(args):len(args)], "--seed", "2")
		}
		out, status := s.run(args...)
		if status != exitGood || !strings.Contains(out, "300 notes") || !strings.Contains(out, "the LLM is out from 2026-03-") || !strings.Contains(out, "sim-coder-03 accepts everything") {
			t.Fatalf("%s: status %d:\n%s", name, status, out)
		}
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		var sum string
		// Numbers are given by the database in the order of writing; all else is of the seed.
		if err := conn.QueryRow(t.Context(), `SELECT md5(string_agg(x, ',' ORDER BY x)) FROM (
				SELECT i.encounter_key || concat(d.seq, d.kind, d.coder, d.at, d.detail) AS x FROM decisions d JOIN items i ON i.id = d.item_id
				UNION ALL SELECT concat(note_id, r.received_at, r.sha256) FROM note_revisions r) AS all_rows`).Scan(&sum); err != nil {
			t.Fatal(err)
		}
		rows[name] = sum
		if name != "first" {
			continue
		}
		if _, status := s.run(args...); status != exitFailed {
			t.Errorf("a second time gave %d", status)
		}
		if out, status := s.run("audit", "verify"); status != exitGood {
			t.Errorf("the audit trail of it gave %d:\n%s", status, out)
		}
		if out, status := s.run("metrics", "rebuild"); status != exitGood || !strings.Contains(out, "the figures of ") {
			t.Errorf("counting anew gave %d:\n%s", status, out)
		}
		if out, status := s.run("status", "--json"); status != exitGood || !strings.Contains(out, `"received":300`) {
			t.Errorf("status gave %d:\n%s", status, out)
		}
	}
	if rows["first"] != rows["second"] || rows["first"] == rows["other"] {
		t.Errorf("the rows are %v", rows)
	}
	empty := newSite(t, "CHARTCODE_DATABASE_URL="+storetest.MigratedURL(t))
	if out, status := empty.run("simulate", "--days", "1", "--until", "2026-03-14T00:00"); status != exitUsage {
		t.Errorf("a month without any time gave %d:\n%s", status, out)
	}
	s := newSite(t)
	for _, bad := range [][]string{{"--days", "0"}, {"--coders", "1"}, {"--notes", "0"}, {"--until", "yesterday"}} {
		if _, status := s.run(append([]string{"simulate"}, bad...)...); status != exitUsage {
			t.Errorf("%v gave %d", bad, status)
		}
	}
}
