package store_test

import (
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// TestProcessesAreForgotten: one that was killed says no good-bye. It is shown for
// an hour, and forgotten when another one starts.
func TestProcessesAreForgotten(t *testing.T) {
	t.Parallel()
	s, ctx := storetest.New(t), t.Context()
	beat := func(id string) {
		t.Helper()
		p := coding.Process{ID: id, Role: "work", Host: "h", Version: "1", StartedAt: time.Now(), Concurrency: 1,
			Jobs: []coding.ProcessJob{{Seq: 1, Stage: "retrieve", Lasted: 90 * time.Second, Attempt: 1}}}
		if _, err := s.Beat(ctx, p, nil); err != nil {
			t.Fatal(err)
		}
	}
	seen := func(id, ago string) {
		t.Helper()
		if _, err := store.Pool(s).Exec(ctx, `UPDATE processes SET started_at = now() - interval '1 day', seen_at = now() - $2::text::interval WHERE id = $1`, id, ago); err != nil {
			t.Fatal(err)
		}
	}
	wants := func(kept int, ids ...string) {
		t.Helper()
		list, _, err := s.Processes(ctx)
		if err != nil || len(list) != len(ids) {
			t.Fatalf("%+v, %v, want %v", list, err, ids)
		}
		for i, id := range ids {
			if p := list[i]; p.ID != id || len(p.Jobs) != 1 || p.Jobs[0].Lasted != 90*time.Second {
				t.Errorf("%+v, want %s", p, id)
			}
		}
		var n int
		if err := store.Pool(s).QueryRow(ctx, `SELECT count(*) FROM processes`).Scan(&n); err != nil || n != kept {
			t.Errorf("%d are kept, want %d; %v", n, kept, err)
		}
	}
	beat("killed")
	seen("killed", "59 minutes")
	beat("worker")
	wants(2, "killed", "worker")
	seen("killed", "61 minutes")
	wants(2, "worker")
	beat("worker") // not its first
	wants(2, "worker")
	beat("next")
	wants(2, "worker", "next")
}
