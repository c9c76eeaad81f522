package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxvector "github.com/pgvector/pgvector-go/pgx"
)

// appRole is the role without login that the program works as.
const appRole = "chartcode_app"

// oldestServer is PostgreSQL 15, as server_version_num writes it.
const oldestServer = 150000

const defaultMaxConns = 10

// Config says how to reach the database.
type Config struct {
	// URL is a PostgreSQL URL or keyword/value text. A search_path in it
	// chooses the schema; pgvector's schema must be on it.
	URL      string
	Logger   *slog.Logger
	MaxConns int      // 10 when 0
	Observer Observer // hears of statements; may be nil
}

// Store is the database. It is safe for use by several goroutines.
type Store struct {
	pool   *pgxpool.Pool
	log    *slog.Logger
	models sync.Map // name of an embedding model -> model; a name's id never changes
	recent *recentItems

	// What people do at once and would wait for one after the other.
	decisions *together[*deciding]
	takes     *together[*taking]
	reads     *together[*reading]
}

const (
	sqlServerVersion = `SELECT current_setting('server_version_num')::int`

	// The user may be unable to take the role (a managed server); Migrate says
	// so. From PostgreSQL 16 on a member may be one without the right to that.
	sqlTakeRole = `SELECT set_config('role', rolname, false) FROM pg_roles
		WHERE rolname = $1 AND pg_has_role(current_user, oid,
			CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)`

	sqlHasVector = `SELECT to_regtype('halfvec') IS NOT NULL`
)

// Open connects to the database and checks that it answers. It needs no
// schema; see Migrate and CheckMigrated. The error is ErrUnavailable when
// there is no answer.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.URL == "" {
		return nil, errors.New("store: no database URL given")
	}
	if cfg.Logger == nil {
		return nil, errors.New("store: no logger given")
	}
	if cfg.MaxConns < 0 {
		return nil, fmt.Errorf("store: %d connections cannot be opened", cfg.MaxConns)
	}
	pc, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		// pgx's message repeats the URL, which may hold a password.
		return nil, errors.New("store: the database URL cannot be read; it must look like postgres://USER:PASSWORD@HOST:PORT/DATABASE")
	}
	pc.MaxConns = defaultMaxConns
	if cfg.MaxConns > 0 {
		pc.MaxConns = int32(cfg.MaxConns)
	}
	prepareConn(pc.ConnConfig)
	pc.AfterConnect = afterConnect
	pc.PrepareConn = func(_ context.Context, conn *pgx.Conn) (bool, error) { return !gaveUp(conn), nil }
	pc.ConnConfig.Tracer = &watcher{to: cfg.Observer}

	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, wrap("open", err)
	}
	s := &Store{pool: pool, log: cfg.Logger, recent: newRecentItems()}
	s.decisions, s.takes, s.reads = newTogether(s.decideTogether), newTogether(s.takeTogether), newTogether(s.readTogether)
	var version int
	if err := pool.QueryRow(ctx, sqlServerVersion).Scan(&version); err != nil {
		pool.Close()
		return nil, wrap("open", err)
	}
	if version < oldestServer {
		pool.Close()
		return nil, fmt.Errorf("store: PostgreSQL %d is too old; version %d or later is needed", version/10000, oldestServer/10000)
	}
	return s, nil
}

// prepareConn sets what every connection has.
func prepareConn(cc *pgx.ConnConfig) {
	if cc.ConnectTimeout == 0 {
		cc.ConnectTimeout = 10 * time.Second
	}
	defaults := map[string]string{
		"application_name": "chartcode",
		// A client that lost its network must not hold locks for hours.
		"idle_in_transaction_session_timeout": "120s",
		// Compiling costs more than it saves on queries of milliseconds.
		"jit": "off",
		// Joins of 240,000 terms stay in memory.
		"work_mem": "32MB",
	}
	for name, value := range defaults {
		if _, set := cc.RuntimeParams[name]; !set {
			cc.RuntimeParams[name] = value
		}
	}
	// When the caller gives up, the server stops working too.
	cc.BuildContextWatcherHandler = func(pc *pgconn.PgConn) ctxwatch.Handler {
		h := &cancelling{CancelRequestContextWatcherHandler: pgconn.CancelRequestContextWatcherHandler{Conn: pc, DeadlineDelay: 2 * time.Second}}
		pc.CustomData()[cancellingKey] = h
		return h
	}
}

// cancelling asks the server to end a statement whose caller gave up. On a busy machine the request may
// come when its connection is at another caller's statement already, and end that: so the connection is not
// used again (see gaveUp).
type cancelling struct {
	pgconn.CancelRequestContextWatcherHandler
	asked atomic.Bool
}

const cancellingKey = "chartcode.cancelling"

// HandleCancel is called when the caller gives up.
func (c *cancelling) HandleCancel(ctx context.Context) {
	c.asked.Store(true)
	c.CancelRequestContextWatcherHandler.HandleCancel(ctx)
}

// gaveUp reports whether a caller gave up while a connection worked for him.
func gaveUp(conn *pgx.Conn) bool {
	c, ok := conn.PgConn().CustomData()[cancellingKey].(*cancelling)
	return ok && c.asked.Load()
}

// afterConnect takes the role and learns pgvector's types, as far as a
// database that is not migrated has them.
func afterConnect(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, sqlTakeRole, appRole); err != nil {
		return err
	}
	var vector bool
	if err := conn.QueryRow(ctx, sqlHasVector).Scan(&vector); err != nil || !vector {
		return err
	}
	return pgxvector.RegisterTypes(ctx, conn)
}

// Close ends all connections; it waits for those in use.
func (s *Store) Close() {
	s.pool.Close()
	s.decisions.end()
	s.takes.end()
	s.reads.end()
	s.recent.close()
}

// Ping asks the database for a sign of life.
func (s *Store) Ping(ctx context.Context) error { return wrap("ping", s.pool.Ping(ctx)) }

// PoolStat is how many connections there are, in use, and at most.
type PoolStat struct {
	Total, InUse, Max int
	Waits             int64         // times that no connection was free
	Waited            time.Duration // for connections, in all
}

// PoolStat tells how busy the connections are.
func (s *Store) PoolStat() PoolStat {
	st := s.pool.Stat()
	return PoolStat{Total: int(st.TotalConns()), InUse: int(st.AcquiredConns()), Max: int(st.MaxConns()),
		Waits: st.EmptyAcquireCount(), Waited: st.EmptyAcquireWaitTime()}
}

// inTx runs do in one transaction at READ COMMITTED, whatever the database's
// default, because waiting for a lock and then seeing what its holder wrote is
// what the writers here rest on.
func (s *Store) inTx(ctx context.Context, op string, do func(tx pgx.Tx) error) error {
	return wrap(op, s.transact(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, do))
}

// transact lets do work in a transaction.
func (s *Store) transact(ctx context.Context, options pgx.TxOptions, do func(tx pgx.Tx) error) error {
	return givenUp(ctx, pgx.BeginTxFunc(ctx, s.pool, options, do))
}
