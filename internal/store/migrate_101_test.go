package store_test

import (
	"testing"

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
