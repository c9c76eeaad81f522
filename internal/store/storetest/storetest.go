// Package storetest gives each test a store of its own: a schema on the
// machine's test database, migrated, and dropped when the test ends. Tests may
// run in parallel. Only tests may import it.
package storetest

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"chartcode/internal/store"
	"chartcode/internal/testpg"
)

// New gives an empty, migrated store.
func New(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, MigratedURL(t))
}

// Open opens the store at url, for a test that needs a second one on the same
// schema. It is closed when the test ends.
func Open(t testing.TB, databaseURL string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{URL: databaseURL, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("cannot open the test's store: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// MigratedURL gives the URL of an empty, migrated schema.
func MigratedURL(t testing.TB) string {
	t.Helper()
	u := EmptyURL(t)
	s, err := store.Open(t.Context(), store.Config{URL: u, Logger: slog.New(slog.DiscardHandler), MaxConns: 1})
	if err != nil {
		t.Fatalf("cannot open the test's store: %v", err)
	}
	defer s.Close()
	if err := s.Migrate(t.Context(), nil); err != nil {
		t.Fatalf("cannot migrate the test's schema: %v", err)
	}
	return u
}

// EmptyURL gives the URL of an empty schema.
func EmptyURL(t testing.TB) string {
	t.Helper()
	base := testpg.URL(t)
	schema := randomName()
	execute(t.Context(), t, base, "CREATE SCHEMA "+schema)
	t.Cleanup(func() {
		// The test's own context has ended by now.
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		dropSchema(ctx, t, base, schema)
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal("the test database's URL cannot be read")
	}
	q := u.Query()
	q.Set("search_path", schema+",public")
	u.RawQuery = q.Encode()
	return u.String()
}

// dropSchema takes the locks of all its tables in an order of its own, which may
// meet those of an autovacuum or of another session that is just ending.
func dropSchema(ctx context.Context, t testing.TB, base, schema string) {
	t.Helper()
	conn, err := pgx.Connect(ctx, base)
	if err != nil {
		t.Fatalf("cannot reach the test database: %v", err)
	}
	defer conn.Close(ctx)
	for {
		_, err := conn.Exec(ctx, "SET client_min_messages = warning; DROP SCHEMA "+schema+" CASCADE")
		var failed *pgconn.PgError
		switch {
		case err == nil:
			return
		case !errors.As(err, &failed) || failed.Code != "40P01" || ctx.Err() != nil: // deadlock detected
			t.Fatalf("drop schema %s: %v", schema, err)
		}
	}
}

func execute(ctx context.Context, t testing.TB, databaseURL, sql string) {
	t.Helper()
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		t.Fatalf("cannot reach the test database: %v", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
