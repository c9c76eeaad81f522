package store_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// No error repeats what was to be stored.
func TestErrorsHoldNoValues(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	const marker = "xylophonitis"
	spoil := map[string]func(*store.Result){
		"NUL in the text":           func(r *store.Result) { r.Note.Text = marker + "\x00" },
		"invalid UTF-8":             func(r *store.Result) { r.Note.Text = marker + "\xff" },
		"priority 0":                func(r *store.Result) { r.Note.Priority = 0 },
		"hash that is none":         func(r *store.Result) { r.SHA256, r.Set.NoteSHA256 = marker, marker },
		"two suggestions of a code": func(r *store.Result) { r.Set.Suggestions = append(r.Set.Suggestions, suggestion("I10", 2, 0.3)) },
		"confidence over 1":         func(r *store.Result) { r.Set.Suggestions[0].Confidence = 1.5 },
		"rank 0":                    func(r *store.Result) { r.Set.Suggestions[0].Rank = 0 },
	}
	for name, spoil := range spoil {
		n := note(marker, "")
		n.Text = marker
		n.Patient.ID = marker
		r := result(n, 1, suggestion("I10", 1, 0.9))
		spoil(&r)
		_, err := s.SaveResult(t.Context(), r)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), marker) {
				t.Errorf("%s: the error repeats the value: %v", name, e)
			}
			if pg := (*pgconn.PgError)(nil); errors.As(e, &pg) {
				t.Errorf("%s: PostgreSQL's own error leaves the package", name)
			}
		}
	}
}

func TestErrorKinds(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]error{
		"08006": store.ErrUnavailable, "53300": store.ErrUnavailable, "57P01": store.ErrUnavailable, "57P03": store.ErrUnavailable,
		"40P01": store.ErrUnavailable, "40001": store.ErrUnavailable, "53100": store.ErrUnavailable, "57014": store.ErrUnavailable,
		"23505": store.ErrConflict, "23514": nil, "42P01": nil, "22021": nil,
	} {
		err := store.Wrap("test", &pgconn.PgError{Code: code, Message: "secret", Detail: "secret", ConstraintName: "c_pkey"})
		for _, kind := range []error{store.ErrUnavailable, store.ErrConflict, store.ErrNotFound} {
			if errors.Is(err, kind) != errors.Is(want, kind) {
				t.Errorf("code %s is %v: %v, want %v", code, kind, errors.Is(err, kind), want)
			}
		}
		if msg := err.Error(); !strings.Contains(msg, code) || !strings.Contains(msg, "c_pkey") || strings.Contains(msg, "secret") {
			t.Errorf("code %s: %s", code, msg)
		}
	}
	if err := store.Wrap("test", pgx.ErrNoRows); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no rows: %v", err)
	}
	if err := store.Wrap("test", errors.New("cannot encode secret")); strings.Contains(err.Error(), "secret") {
		t.Errorf("unknown error: %v", err)
	}
	if err := store.Wrap("test", context.Canceled); !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnavailable) {
		t.Errorf("cancelled: %v", err)
	}
}

// A worker that loses the database must learn that it may try again.
func TestLostConnectionIsUnavailable(t *testing.T) {
	t.Parallel()
	url := storetest.MigratedURL(t)
	s := open(t, url)
	admin := owner(t, url)
	err := pgx.BeginFunc(t.Context(), store.Pool(s), func(tx pgx.Tx) error {
		var pid int
		if err := tx.QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&pid); err != nil {
			return err
		}
		if _, err := admin.Exec(t.Context(), "SELECT pg_terminate_backend($1)", pid); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), "SELECT 1")
		return err
	})
	if got := store.Wrap("test", err); !errors.Is(got, store.ErrUnavailable) {
		t.Errorf("terminated connection: %v", got)
	}
	// The next call gets a new connection.
	if _, err := s.Counts(t.Context()); err != nil {
		t.Errorf("after the loss: %v", err)
	}
	closed := storetest.Open(t, url)
	closed.Close()
	if _, err := closed.Counts(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("closed store: %v", err)
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := store.Open(ctx, store.Config{URL: "postgres:///x?host=" + t.TempDir(), Logger: log}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("no server: %v", err)
	}
	if _, err := store.Open(ctx, store.Config{URL: "postgres://u:secret@h:port/x", Logger: log}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("broken URL: %v", err)
	}
	for name, cfg := range map[string]store.Config{
		"no URL":      {Logger: log},
		"no logger":   {URL: "postgres:///x"},
		"connections": {URL: "postgres:///x", Logger: log, MaxConns: -1},
	} {
		if _, err := store.Open(ctx, cfg); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

// Nobody changes or removes what happened, the owner included.
func TestAppendOnlyTables(t *testing.T) {
	t.Parallel()
	url := storetest.MigratedURL(t)
	s := open(t, url)
	save(t, s, result(note("D-1", ""), 1), store.Created)
	finish(t, s, items(t, s)["n:D-1"].ID)
	admin := owner(t, url)
	rows, err := admin.Query(t.Context(), `SELECT c.relname FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
		WHERE g.tgname = 'append_only' AND c.relnamespace = current_schema()::regnamespace`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, must := range []string{"note_revisions", "decisions"} {
		found := false
		for _, table := range tables {
			found = found || table == must
		}
		if !found {
			t.Errorf("%s is not guarded", must)
		}
	}
	for _, table := range tables {
		var column string
		if err := admin.QueryRow(t.Context(), `SELECT attname FROM pg_attribute
			WHERE attrelid = $1::regclass AND attnum > 0 AND attidentity = '' LIMIT 1`, table).Scan(&column); err != nil {
			t.Fatal(err)
		}
		for _, sql := range []string{
			"UPDATE " + table + " SET " + column + " = " + column, "DELETE FROM " + table, "TRUNCATE " + table + " CASCADE",
		} {
			for who, exec := range map[string]func(context.Context, string, ...any) (pgconn.CommandTag, error){
				"the owner": admin.Exec, "the program": store.Pool(s).Exec,
			} {
				_, err := exec(t.Context(), sql)
				if pg := (*pgconn.PgError)(nil); !errors.As(err, &pg) || (pg.Code != "23001" && pg.Code != "42501") {
					t.Errorf("%s by %s: %v", sql, who, err)
				}
			}
		}
	}
	if got := decisions(t, s, items(t, s)["n:D-1"].ID); len(got) != 1 {
		t.Errorf("decisions %q", got)
	}
}

// Who gives up while the server works is told that, and not that there is no database.
// The request to end the statement of somebody who gave up may reach the server late: a statement of somebody else
// on the same connection would be ended instead, and he would be told that the database did not answer.
func TestConnectionOfWhoGaveUpIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Config{URL: storetest.MigratedURL(t), Logger: slog.New(slog.DiscardHandler), MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	process := func() (pid int) {
		t.Helper()
		err := store.InTx(s, t.Context(), "test", func(tx pgx.Tx) error {
			return tx.QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&pid)
		})
		if err != nil {
			t.Fatal(err)
		}
		return pid
	}
	before := process()
	if again := process(); again != before {
		t.Fatal("the connection is not kept where nobody gave up")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := store.Pool(s).Exec(ctx, "SELECT pg_sleep(60)"); err == nil {
		t.Fatal("nobody gave up")
	}
	if process() == before {
		t.Error("the connection is used again")
	}
}

func TestGivenUpInAStatement(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := store.InTx(s, ctx, "test", func(tx pgx.Tx) error {
		time.AfterFunc(50*time.Millisecond, cancel)
		_, err := tx.Exec(ctx, "SELECT pg_sleep(60)")
		return err
	})
	if !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
