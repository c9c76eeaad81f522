package storetest

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// A template with a name is filled by the first that needs it, also in another test
// binary, and anew when what it is filled from changes.
func TestTemplateWithAName(t *testing.T) {
	t.Parallel()
	name := randomName()
	filled := 0
	fill := func(u string) {
		filled++
		execute(t.Context(), t, u, "CREATE TABLE filled (n int)")
	}
	holds := func(u string) {
		t.Helper()
		execute(t.Context(), t, u, "INSERT INTO filled VALUES (1)")
	}
	first := &Template{Name: name, From: []string{"internal/filelock"}}
	holds(first.URL(t, fill))
	second := &Template{Name: name, From: []string{"internal/filelock"}}
	holds(second.URL(t, fill))
	if filled != 1 {
		t.Errorf("filled %d times, want once", filled)
	}
	one := second.Shared(t, fill)
	holds(one)
	if other := second.Shared(t, fill); other != one {
		t.Error("tests that share have two databases")
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if conn, err := pgx.Connect(t.Context(), one); err == nil {
		_ = conn.Close(t.Context())
		t.Error("what was shared is still there")
	}

	changed := &Template{Name: name, From: []string{"internal/testdata"}}
	holds(changed.URL(t, fill))
	if filled != 2 {
		t.Errorf("filled %d times after a change, want twice", filled)
	}
	var kept []string
	conn, err := pgx.Connect(t.Context(), changed.base)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, _ := conn.Query(t.Context(), "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", "kept_"+name)
	if kept, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || len(kept) != 1 {
		t.Errorf("kept are %d databases of one name, %v", len(kept), err)
	}
	if err := changed.drop(changed.name); err != nil {
		t.Error(err)
	}
}
