package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"chartcode/internal/coding"
)

const sqlSignalChannel = `SELECT 'chartcode_items_' || 'items'::regclass::oid`

// listenCheck is how often the connection that signals come over is asked for a
// sign of life: one that died without a word is found by nothing else.
const listenCheck = 30 * time.Second

// Listen hands a signal to each for every item that changes, in any process,
// from the time when ready is called until ctx ends or the connection is lost. It
// has a connection of its own, which must not go through a pooler that changes
// sessions between statements. The error is never nil.
func (s *Store) Listen(ctx context.Context, ready func(), each func(coding.Signal)) error {
	const op = "listen for changes"
	cc := s.pool.Config().ConnConfig.Copy()
	// Waiting that ends is nothing that the server could cancel.
	cc.BuildContextWatcherHandler = func(pc *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: pc.Conn()}
	}
	conn, err := pgx.ConnectConfig(ctx, cc)
	if err != nil {
		return wrap(op, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var channel string
	if err := conn.QueryRow(ctx, sqlSignalChannel).Scan(&channel); err != nil {
		return wrap(op, err)
	}
	// A channel is a name, which cannot be bound.
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return wrap(op, err)
	}
	ready()
	for {
		wait, cancel := context.WithTimeout(ctx, listenCheck)
		n, err := conn.WaitForNotification(wait)
		expired := wait.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil:
			if sig, ok := readSignal(n.Payload); ok {
				each(sig)
			}
		case expired:
			if err := conn.Ping(ctx); err != nil {
				return wrap(op, err)
			}
		default:
			return wrap(op, err)
		}
	}
}

// readSignal reads "number kind", as the trigger on items writes it.
func readSignal(payload string) (coding.Signal, bool) {
	number, kind, _ := strings.Cut(payload, " ")
	id, err := strconv.ParseInt(number, 10, 64)
	return coding.Signal{Item: id, Kind: coding.SignalKind(kind)}, err == nil && kind != ""
}
