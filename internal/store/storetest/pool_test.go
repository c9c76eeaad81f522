package storetest

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// A schema that another test used is as one that was just made, also where that test
// altered it.
func TestSchemaIsAsNew(t *testing.T) {
	t.Parallel()
	const event = `INSERT INTO audit_events (at, actor, action, item_id, target, digest) VALUES (now(), 'a', 'b', 7, '', '') RETURNING id`
	seen := map[string]int{}
	for _, alter := range []string{
		``,
		`ANALYZE audit_events`,
		`ALTER TABLE audit_events ADD note text`,
		`DROP INDEX audit_events_item`,
		`GRANT DELETE ON audit_events TO PUBLIC`,
		`DROP TRIGGER append_only ON audit_events`,
		`CREATE TABLE left_behind (n int)`,
		`SELECT nextval('audit_events_id_seq')`,
		``,
	} {
		t.Run("", func(t *testing.T) {
			u := MigratedURL(t)
			conn, err := pgx.Connect(t.Context(), u)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(t.Context())
			var id, events, rights, triggers, columns, statistics int
			var others, index, deletes bool
			if err := conn.QueryRow(t.Context(), event).Scan(&id); err != nil {
				t.Fatal(err)
			}
			if err := conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM audit_events), (SELECT count(*) FROM app_rights),
				(SELECT count(*) FROM pg_trigger WHERE tgrelid = 'audit_events'::regclass), (SELECT relnatts FROM pg_class WHERE oid = 'audit_events'::regclass),
				(SELECT count(*) FROM pg_statistic WHERE starelid = 'audit_events'::regclass),
				to_regclass('left_behind') IS NOT NULL, to_regclass('audit_events_item') IS NOT NULL,
				(SELECT relacl::text LIKE '%,=d/%' FROM pg_class WHERE oid = 'audit_events'::regclass)`).
				Scan(&events, &rights, &triggers, &columns, &statistics, &others, &index, &deletes); err != nil {
				t.Fatal(err)
			}
			if id != 1 || events != 1 || rights == 0 || triggers != 6 || columns != 7 || statistics != 0 || others || !index || deletes {
				t.Errorf("event %d of %d, %d rights, %d triggers, %d columns, %d statistics, others %v, index %v, all may delete %v",
					id, events, rights, triggers, columns, statistics, others, index, deletes)
			}
			if _, err := conn.Exec(t.Context(), alter); err != nil {
				t.Fatal(err)
			}
			seen[u]++
		})
	}
	if len(seen) == 9 {
		t.Error("no schema was used twice")
	}
}

// No two tests have one schema at once.
func TestSchemasAreApart(t *testing.T) {
	t.Parallel()
	if a, b := MigratedURL(t), MigratedURL(t); a == b {
		t.Error("one schema was given twice")
	}
}
