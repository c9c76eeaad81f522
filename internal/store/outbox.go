package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// OutboxRow is an announcement to be sent.
type OutboxRow struct {
	ID        int64
	Subject   string
	MessageID string // the receiving stream drops repetitions of it
	Payload   []byte
	CreatedAt time.Time
	// Traceparent is the place in a trace that it belongs to; empty without one.
	Traceparent string
}

const (
	sqlInsertOutbox = `INSERT INTO outbox (subject, message_id, payload, traceparent) VALUES ($1, $2, $3, $4)`

	// Rows that another relay is sending are left to it.
	sqlTakeOutbox = `SELECT id, subject, message_id, payload, created_at, traceparent FROM outbox
		WHERE sent_at IS NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED`

	sqlMarkSent = `UPDATE outbox SET sent_at = now() WHERE id = ANY ($1)`

	sqlCleanOutbox = `DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE sent_at < $1 ORDER BY sent_at LIMIT $2)`

	sqlOutboxWaiting = `SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8
		FROM outbox WHERE sent_at IS NULL`
)

// markSentTime is how long a relay that was told to stop may still take to
// note what it has sent; what it cannot note is sent again.
const markSentTime = 5 * time.Second

// RelayOutbox hands up to limit waiting announcements to publish, oldest
// first, and notes those that it accepted. It stops at the first error of
// publish and returns that. Each announcement is published at least once, by
// one relay at a time; publish must not take longer than a minute for all.
func (s *Store) RelayOutbox(ctx context.Context, limit int, publish func(ctx context.Context, row OutboxRow) error) (sent int, err error) {
	const op = "relay outbox"
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return 0, wrap(op, err)
	}
	end, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer func() { _ = tx.Rollback(end) }() // does nothing after Commit; else the lock ends with the connection

	rows, err := tx.Query(ctx, sqlTakeOutbox, limit)
	if err != nil {
		return 0, wrap(op, err)
	}
	waiting, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (OutboxRow, error) {
		var r OutboxRow
		err := row.Scan(&r.ID, &r.Subject, &r.MessageID, &r.Payload, &r.CreatedAt, &r.Traceparent)
		return r, err
	})
	if err != nil || len(waiting) == 0 {
		return 0, wrap(op, err)
	}
	var done []int64
	var failed error
	for _, row := range waiting {
		if failed = publish(ctx, row); failed != nil {
			break
		}
		done = append(done, row.ID)
	}
	if len(done) > 0 {
		time.AfterFunc(markSentTime, cancel)
		if _, err := tx.Exec(end, sqlMarkSent, done); err != nil {
			return 0, wrap(op, err)
		}
		if err := tx.Commit(end); err != nil {
			return 0, wrap(op, err)
		}
	}
	return len(done), failed
}

// CleanOutbox removes up to limit announcements that were sent before the time.
func (s *Store) CleanOutbox(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	tag, err := s.pool.Exec(ctx, sqlCleanOutbox, before, limit)
	return int(tag.RowsAffected()), wrap("clean outbox", err)
}

// OutboxAge is how many announcements wait, and for how long the oldest has.
func (s *Store) OutboxAge(ctx context.Context) (waiting int, oldest time.Duration, err error) {
	var seconds float64
	err = s.pool.QueryRow(ctx, sqlOutboxWaiting).Scan(&waiting, &seconds)
	return waiting, time.Duration(seconds * float64(time.Second)), wrap("look at the outbox", err)
}
