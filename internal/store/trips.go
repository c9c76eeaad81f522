package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	sqlBegin         = `BEGIN ISOLATION LEVEL READ COMMITTED`
	sqlBeginSnapshot = `BEGIN ISOLATION LEVEL REPEATABLE READ`
	sqlCommit        = `COMMIT`
	sqlRollback      = `ROLLBACK`
)

const rollbackWithin = 5 * time.Second

// inTrips lets do work on one connection in a transaction that its first batch
// begins with (sqlBegin) and its last one ends with (queueCommit): each batch is one
// round trip, and an act has few. What is not committed at the end is rolled back.
func (s *Store) inTrips(ctx context.Context, op string, do func(conn *pgxpool.Conn) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return wrap(op, err)
	}
	defer conn.Release()
	err = do(conn)
	if conn.Conn().PgConn().TxStatus() != 'I' {
		// A connection that cannot do that is closed by Release, and a server that is
		// gone is not waited for.
		rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackWithin)
		defer cancel()
		if _, rerr := conn.Exec(rctx, sqlRollback); err == nil {
			err = rerr
		}
	}
	return wrap(op, givenUp(ctx, err))
}

func queueCommit(b *pgx.Batch) {
	b.Queue(sqlCommit).Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != sqlCommit {
			return plainf("a transaction was not committed")
		}
		return nil
	})
}
