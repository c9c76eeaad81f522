package store_test

import (
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// A database with items from before the checks is brought up to date with all
// that it holds, and its unfinished items are due.
func TestMigrateToReleaseChecks(t *testing.T) {
	t.Parallel()
	url := storetest.EmptyURL(t)
	conn := owner(t, url)
	migrateBefore(t, conn, "030")
	for _, state := range []string{"open", "finished"} {
		if _, err := conn.Exec(t.Context(), `INSERT INTO items (source, encounter_key, encounter_id, state, received_at, service_date, note_count)
			VALUES ('north', 'e:' || $1, $1, $1, now(), '2026-01-01', 1)`, state); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, url)
	var ran []string
	if err := s.Migrate(t.Context(), func(name string) { ran = append(ran, name) }); err != nil {
		t.Fatal(err)
	}
	if len(ran) == 0 || ran[0] != "030_release_checks.sql" {
		t.Errorf("ran %v", ran)
	}
	ids, err := s.DueItems(t.Context(), []store.EditionPeriod{{Edition: "icd10cm-2026@1"}}, "")
	if err != nil || len(ids) != 1 {
		t.Errorf("due are %v, %v; want the open item", ids, err)
	}
	mustImport(t, s, smallRelease("2026", coding.NewDate(2025, 10, 1)), true)
	save(t, s, result(note("D-1", ""), 1), store.Created)
}
