// Package storetest gives each test a store of its own: a migrated schema on the
// machine's test database that no other test uses meanwhile. Tests may run in
// parallel. Only tests may import it.
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
	schema := migrated(t)
	return inSchema(testpg.URL(t), schema)
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
		conn, err := pgx.Connect(ctx, base)
		if err != nil {
			t.Fatalf("cannot reach the test database: %v", err)
		}
		defer conn.Close(ctx)
		if err := drop(ctx, conn, schema); err != nil {
			t.Fatalf("drop schema %s: %v", schema, err)
		}
	})
	return inSchema(base, schema)
}

// inSchema gives the URL of a schema of the database at base.
func inSchema(base, schema string) string {
	u, err := url.Parse(base)
	if err != nil {
		panic("the test database's URL cannot be read")
	}
	q := u.Query()
	q.Set("search_path", schema+",public")
	u.RawQuery = q.Encode()
	return u.String()
}

// drop takes the locks of all of a schema's tables in an order of its own, which may
// meet those of an autovacuum or of another session that is just ending.
func drop(ctx context.Context, conn *pgx.Conn, schema string) error {
	for {
		_, err := conn.Exec(ctx, "SET client_min_messages = warning; DROP SCHEMA IF EXISTS "+schema+" CASCADE; RESET client_min_messages")
		var failed *pgconn.PgError
		if !errors.As(err, &failed) || failed.Code != "40P01" { // deadlock detected
			return err
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
