package store_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/simulate"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// Invented items are as the pipeline would have left them: refreshing one changes
// nothing of it.
func TestInventedItemsAreFresh(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	if _, err := simulate.Run(t.Context(), simulate.Config{
		Until: time.Date(2026, 3, 11, 15, 20, 0, 0, time.UTC), Days: 12, Coders: 3, Notes: 600, Seed: 7, Zone: time.UTC, Write: s.WriteStories,
	}); err != nil {
		t.Fatal(err)
	}
	pool := store.Pool(s)
	fresh := func() map[int64]string {
		t.Helper()
		// When it was refreshed is all that may change.
		rows, err := pool.Query(t.Context(), `SELECT id, (to_jsonb(i) - 'moved_at' - 'updated_at')::text FROM items i`)
		if err != nil {
			t.Fatal(err)
		}
		out := map[int64]string{}
		var id int64
		var text string
		if _, err := pgx.ForEachRow(rows, []any{&id, &text}, func() error { out[id] = text; return nil }); err != nil {
			t.Fatal(err)
		}
		return out
	}
	before := fresh()
	var batch pgx.Batch
	for id := range before {
		batch.Queue(store.SQLRefreshItem, id, "")
	}
	if err := pool.SendBatch(t.Context(), &batch).Close(); err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for id, after := range fresh() {
		if after != before[id] {
			if wrong++; wrong < 4 {
				t.Errorf("an invented item was\n%s\nand refreshed is\n%s", before[id], after)
			}
		}
	}
	if wrong > 0 || len(before) < 100 {
		t.Errorf("%d of %d items change", wrong, len(before))
	}
	var needy int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM suggestion_sets WHERE need = set_need(body) AND need > 0`).Scan(&needy); err != nil || needy < 500 {
		t.Errorf("%d sets say how much they need a person: %v", needy, err)
	}
}
