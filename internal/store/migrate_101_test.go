package store_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// Whoever enters events, and however many at once: each waits to be sealed, and the
// figures of its item, if it has one, are counted anew.
func TestEveryEventIsQueued(t *testing.T) {
	t.Parallel()
	conn := owner(t, storetest.MigratedURL(t))
	for _, sql := range []string{
		`INSERT INTO audit_events (at, actor, action, item_id, target, digest) VALUES (now(), 'hand', 'looked', 7, '', '')`,
		`INSERT INTO audit_events (at, actor, action, item_id, target, digest) SELECT now(), 'hand', 'looked', i % 3, '', '' FROM generate_series(1, 30) AS i`,
		`INSERT INTO audit_events (at, actor, action, item_id, target, digest) SELECT now(), 'hand', 'looked', 8, '', '' WHERE false`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	var unsealed, changes int
	var same bool
	if err := conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM audit_unsealed), (SELECT count(*) FROM throughput_changes WHERE item_id IN (1, 2, 7)),
		NOT EXISTS (SELECT FROM audit_events e WHERE NOT EXISTS (SELECT FROM audit_unsealed u WHERE u.event_id = e.id))`).Scan(&unsealed, &changes, &same); err != nil || unsealed != 31 || changes != 21 || !same {
		t.Errorf("%d events wait to be sealed and %d changes to be counted, %v; want 31 and 21", unsealed, changes, err)
	}
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM throughput_changes").Scan(&changes); err != nil || changes != 21 {
		t.Errorf("%d changes wait to be counted in all, %v; want 21", changes, err)
	}
}

// Events from before stay queued once; those that a session of the program copies in
// afterwards are queued as well.
func TestMigrateToEventTriggers(t *testing.T) {
	t.Parallel()
	url := storetest.EmptyURL(t)
	conn := owner(t, url)
	migrateBefore(t, conn, "101")
	if _, err := conn.Exec(t.Context(), `INSERT INTO audit_events (at, actor, action, item_id, target, digest) SELECT now(), 'casey', 'looked', i, '', '' FROM generate_series(1, 3) AS i`); err != nil {
		t.Fatal(err)
	}
	s := storetest.Open(t, url)
	if err := s.Migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	s = storetest.Open(t, url) // whose sessions have the role
	var rows [][]any
	for i := range 5 {
		rows = append(rows, []any{nine, "robin", "looked", int64(i), "", ""})
	}
	if _, err := store.Pool(s).CopyFrom(t.Context(), pgx.Identifier{"audit_events"}, []string{"at", "actor", "action", "item_id", "target", "digest"}, pgx.CopyFromRows(rows)); err != nil {
		t.Fatal(err)
	}
	var events, unsealed, changes int
	var role string
	if err := store.Pool(s).QueryRow(t.Context(), `SELECT current_user, (SELECT count(*) FROM audit_events), (SELECT count(*) FROM audit_events JOIN audit_unsealed ON event_id = id),
		(SELECT count(*) FROM throughput_changes)`).Scan(&role, &events, &unsealed, &changes); err != nil || role != "chartcode_app" || events != 8 || unsealed != 8 || changes != 7 {
		t.Errorf("as %s: %d events, of which %d wait to be sealed, %d changes to be counted, %v; want 8, 8 and 7", role, events, unsealed, changes, err)
	}
}
