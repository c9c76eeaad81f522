package store_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

func open(t testing.TB, url string) *store.Store {
	t.Helper()
	return storetest.Open(t, url)
}

// owner connects as the schema's owner, past the store.
func owner(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func TestMigrateByManyAtOnce(t *testing.T) {
	t.Parallel()
	url := storetest.EmptyURL(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	ran := map[string]int{}
	stores := make([]*store.Store, 4)
	for i := range stores {
		stores[i] = open(t, url)
		s := stores[i]
		if err := s.CheckMigrated(t.Context()); !errors.Is(err, store.ErrNotMigrated) {
			t.Fatalf("an empty schema: %v, want ErrNotMigrated", err)
		}
	}
	for _, s := range stores {
		wg.Go(func() {
			if err := s.Migrate(t.Context(), func(name string) {
				mu.Lock()
				defer mu.Unlock()
				ran[name]++
			}); err != nil {
				t.Error(err)
			}
			if err := s.CheckMigrated(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	files, err := fs.Glob(store.MigrationFiles, "migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d migration files: %v", len(files), err)
	}
	for _, f := range files {
		if name := strings.TrimPrefix(f, "migrations/"); ran[name] != 1 {
			t.Errorf("%s ran %d times", name, ran[name])
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	url := storetest.MigratedURL(t)
	if _, err := owner(t, url).Exec(t.Context(), "UPDATE schema_version SET version = version + 1"); err != nil {
		t.Fatal(err)
	}
	s := open(t, url)
	if err := s.CheckMigrated(t.Context()); !errors.Is(err, store.ErrNotMigrated) || !strings.Contains(err.Error(), "newer") {
		t.Errorf("CheckMigrated: %v", err)
	}
	if err := s.Migrate(t.Context(), nil); !errors.Is(err, store.ErrNotMigrated) {
		t.Errorf("Migrate: %v", err)
	}
}

var rightOnColumns = regexp.MustCompile(`(, )?[A-Z]+ \([^)]*\)`)

// Every table says what the program may do with it, and the rights in force
// are those and no others.
func TestRightsOfTheRole(t *testing.T) {
	t.Parallel()
	conn := owner(t, storetest.MigratedURL(t))
	rows, err := conn.Query(t.Context(), `
		SELECT c.relname, coalesce(r.rights, ''),
			coalesce((SELECT string_agg(p.privilege_type, ', ' ORDER BY p.privilege_type)
				FROM aclexplode(c.relacl) p JOIN pg_roles o ON o.oid = p.grantee WHERE o.rolname = 'chartcode_app'), ''),
			EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgname = 'append_only')
		FROM pg_class c LEFT JOIN app_rights r ON r.object = 'TABLE ' || c.relname
		WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace ORDER BY c.relname`)
	if err != nil {
		t.Fatal(err)
	}
	tables := 0
	var table, listed, granted string
	var appendOnly bool
	_, err = pgx.ForEachRow(rows, []any{&table, &listed, &granted, &appendOnly}, func() error {
		tables++
		if listed == "" {
			t.Errorf("table %s is not in app_rights", table)
		}
		whole := map[string]bool{}
		for _, right := range strings.Split(rightOnColumns.ReplaceAllString(listed, ""), ", ") {
			if right != "" {
				whole[right] = true
			}
		}
		for _, right := range strings.Split(granted, ", ") {
			if !whole[right] {
				t.Errorf("table %s: right %s is not listed", table, right)
			}
			delete(whole, right)
		}
		if len(whole) > 0 {
			t.Errorf("table %s: rights %v are not granted", table, whole)
		}
		if appendOnly && (strings.Contains(listed, "UPDATE") || strings.Contains(listed, "DELETE")) {
			t.Errorf("table %s only grows, but app_rights has %s", table, listed)
		}
		return nil
	})
	if err != nil || tables < 10 {
		t.Fatalf("%d tables: %v", tables, err)
	}
}

func TestTheProgramWorksAsItsRole(t *testing.T) {
	t.Parallel()
	url := storetest.EmptyURL(t)
	s := open(t, url)
	if err := s.Migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	var user string
	if err := store.Pool(s).QueryRow(t.Context(), "SELECT current_user").Scan(&user); err != nil || user != "chartcode_app" {
		t.Errorf("works as %q: %v", user, err)
	}
	_, err := store.Pool(s).Exec(t.Context(), "UPDATE schema_version SET version = 0")
	if pg := (*pgconn.PgError)(nil); !errors.As(err, &pg) || pg.Code != "42501" {
		t.Errorf("changing the schema's version: %v, want permission denied", err)
	}
}

// A user without the right to make roles or to take this one still gets a
// working schema, and the log says what to do.
func TestMigrateWithoutTheRole(t *testing.T) {
	t.Parallel()
	url := storetest.EmptyURL(t)
	admin := owner(t, url)
	schema := admin.Config().RuntimeParams["search_path"]
	schema = schema[:strings.IndexByte(schema, ',')]
	user := "u_" + schema
	for _, sql := range []string{
		"CREATE ROLE " + user + " NOLOGIN",
		"GRANT ALL ON SCHEMA " + schema + " TO " + user,
	} {
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, sql := range []string{"DROP OWNED BY " + user + " CASCADE", "DROP ROLE " + user} {
			if _, err := admin.Exec(context.Background(), sql); err != nil {
				t.Error(err)
			}
		}
	})
	var log strings.Builder
	s, err := store.Open(t.Context(), store.Config{URL: asUser(t, url, user), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "GRANT chartcode_app TO "+user) {
		t.Errorf("the log does not say what to do: %s", log.String())
	}
	if _, err := s.Releases(t.Context()); err != nil {
		t.Errorf("reading as the owner: %v", err)
	}
	// What happened stays, whoever works: the triggers do not ask for the role.
	save(t, s, result(note("D-1", ""), 1), store.Created)
	_, err = store.Pool(s).Exec(t.Context(), "DELETE FROM note_revisions")
	if pg := (*pgconn.PgError)(nil); !errors.As(err, &pg) || pg.Code != "23001" {
		t.Errorf("removing revisions as the owner: %v", err)
	}

	// Without the right to make tables at all, one sentence says so.
	stranger, err := store.Open(t.Context(), store.Config{
		URL: asUser(t, storetest.EmptyURL(t), user), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if err := stranger.Migrate(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "may not make tables") {
		t.Errorf("migrating somebody else's schema: %v", err)
	}
}
