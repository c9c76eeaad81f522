package storetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/store"
	"chartcode/internal/testpg"
)

// Migrating a schema and dropping it takes PostgreSQL longer than most tests take
// it. So migrated schemas stay when a test ends, for the next one, also of another
// test binary: they are numbered, whoever has one holds its advisory lock, and it is
// emptied before it is given out. One that a test altered is made anew.

// firstLock comes before the numbers of the advisory locks: "testpool".
const firstLock = int64(0x74657374706f6f6c)

const (
	// sqlShape is what a schema consists of, and who may do what with it.
	sqlShape = `SELECT md5(string_agg(part, E'\n' ORDER BY part)) FROM (
			SELECT concat_ws(' ', 'schema', nspacl) FROM pg_namespace WHERE nspname = $1
			UNION ALL SELECT concat_ws(' ', relname, relkind, relpersistence, reloptions, relacl) FROM pg_class WHERE relnamespace = $1::regnamespace
			UNION ALL SELECT concat_ws(' ', relname, attname, atttypid, attnotnull, atthasdef, attisdropped, attacl)
				FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = $1::regnamespace AND attnum > 0
			UNION ALL SELECT concat_ws(' ', conname, contype, conrelid::regclass, convalidated) FROM pg_constraint WHERE connamespace = $1::regnamespace
			UNION ALL SELECT concat_ws(' ', tgname, relname, tgenabled) FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
				WHERE relnamespace = $1::regnamespace AND NOT tgisinternal
			UNION ALL SELECT concat_ws(' ', proname, prosrc, proacl) FROM pg_proc WHERE pronamespace = $1::regnamespace
		) AS parts (part)`

	sqlKeepShape = `SELECT format('COMMENT ON SCHEMA %I IS %L', $1::text, $2::text)`
	sqlKeptShape = `SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace WHERE nspname = $1`

	// What the migrations themselves fill stays; a table that takes no room on disk
	// holds nothing and never did.
	sqlFilled = `SELECT 'TRUNCATE ' || string_agg(oid::regclass::text, ', ') || ' RESTART IDENTITY CASCADE' FROM pg_class
		WHERE relnamespace = $1::regnamespace AND relkind = 'r' AND relname NOT IN ('app_rights', 'schema_version') AND pg_relation_size(oid) > 0`
	sqlRestart = `SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
		FROM pg_sequences WHERE schemaname = $1 AND last_value IS NOT NULL`
	sqlForgetStatistics = `DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM pg_class WHERE relnamespace = $1::regnamespace)`
)

// held is a schema that this process has the lock of.
type held struct {
	conn   *pgx.Conn // its session has the lock
	schema string
}

// idle are those that no test uses at the moment; the server gives up their locks when
// the process ends.
var idle struct {
	sync.Mutex
	held []held
}

// migrated gives the name of an empty, migrated schema that nobody else uses until
// the test ends.
func migrated(t testing.TB) string {
	t.Helper()
	base := testpg.URL(t)
	h, err := hold(t.Context(), base)
	if err != nil {
		t.Fatalf("find a schema: %v", err)
	}
	if empty(t.Context(), h.conn, h.schema) != nil {
		err = remake(t.Context(), h.conn, base, h.schema)
	}
	if err != nil || h.conn.IsClosed() {
		_ = h.conn.Close(context.Background())
		t.Fatalf("make a migrated schema: %v", err)
	}
	t.Cleanup(func() {
		idle.Lock()
		defer idle.Unlock()
		idle.held = append(idle.held, h)
	})
	return h.schema
}

// hold takes an idle schema, or locks the first that no other process has.
func hold(ctx context.Context, base string) (held, error) {
	idle.Lock()
	defer idle.Unlock()
	if last := len(idle.held) - 1; last >= 0 {
		h := idle.held[last]
		idle.held = idle.held[:last]
		return h, nil
	}
	conn, err := pgx.Connect(ctx, base)
	if err != nil {
		return held{}, err
	}
	for n := int64(1); ; n++ {
		var free bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", firstLock+n).Scan(&free); err != nil {
			_ = conn.Close(ctx)
			return held{}, err
		}
		if free {
			return held{conn, fmt.Sprintf("m%d_%.12s", n, store.MigrationsDigest())}, nil
		}
	}
}

var errAltered = errors.New("a test altered the schema, or it was never made")

// empty makes a schema as it was when it was made.
func empty(ctx context.Context, conn *pgx.Conn, schema string) error {
	var kept string
	if err := conn.QueryRow(ctx, sqlKeptShape, schema).Scan(&kept); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		// Replicas' sessions fire no triggers: those that refuse to empty a table. What a
		// process that was killed still locks is not waited for.
		if _, err := tx.Exec(ctx, "SET LOCAL session_replication_role = replica; SET LOCAL lock_timeout = '2s'; SET LOCAL client_min_messages = warning"); err != nil {
			return err
		}
		var truncate *string
		if err := tx.QueryRow(ctx, sqlFilled, schema).Scan(&truncate); err != nil {
			return err
		}
		if truncate != nil {
			if _, err := tx.Exec(ctx, *truncate); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, sqlForgetStatistics, schema); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, sqlRestart, schema); err != nil {
			return err
		}
		var shape string
		if err := tx.QueryRow(ctx, sqlShape, schema).Scan(&shape); err != nil {
			return err
		}
		if shape != kept {
			return errAltered
		}
		return nil
	})
}

// remake makes a schema, in place of one that may be there.
func remake(ctx context.Context, conn *pgx.Conn, base, schema string) error {
	if err := drop(ctx, conn, schema); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "CREATE SCHEMA "+schema); err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Config{URL: inSchema(base, schema), Logger: slog.New(slog.DiscardHandler), MaxConns: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Migrate(ctx, nil); err != nil {
		return err
	}
	var shape, keep string
	if err := conn.QueryRow(ctx, sqlShape, schema).Scan(&shape); err != nil {
		return err
	}
	if err := conn.QueryRow(ctx, sqlKeepShape, schema, shape).Scan(&keep); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, keep)
	return err
}
