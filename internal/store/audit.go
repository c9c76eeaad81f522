package store

import (
	"context"
	"encoding/json"
	"errors"
	"iter"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"chartcode/internal/coding"
)

const (
	// auditLock is held by the one who links events into the chain of a schema;
	// another schema of the same database has a chain of its own.
	auditLock = int32(0x61756474) // "audt"

	sqlInsertAudit = `INSERT INTO audit_events (at, actor, action, item_id, target, digest)
		VALUES ($1, $2, $3, $4, $5, $6)`

	sqlTryLockTx = `SELECT pg_try_advisory_xact_lock($1, hashtext(current_schema()))`

	sqlChainHead = `SELECT seq, hash FROM audit_chain ORDER BY seq DESC LIMIT 1`

	sqlUnsealed = `SELECT e.id, e.at, e.actor, e.action, e.item_id, e.target, e.digest
		FROM audit_unsealed q JOIN audit_events e ON e.id = q.event_id ORDER BY e.id LIMIT $1`

	sqlInsertChain = `INSERT INTO audit_chain (seq, event_id, hash)
		SELECT seq, event_id, hash FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS c (seq, event_id, hash)`

	sqlDequeue = `DELETE FROM audit_unsealed WHERE event_id = ANY ($1)`

	sqlChainFrom = `SELECT c.seq, c.hash, e.id, e.at, e.actor, e.action, e.item_id, e.target, e.digest
		FROM audit_chain c JOIN audit_events e ON e.id = c.event_id
		WHERE c.seq > $1 ORDER BY c.seq LIMIT $2`

	// The pipeline's own reopenings have no event.
	sqlAuditedDecisions = `SELECT coalesce(d.item_id, e.item_id), coalesce(d.seq, 0), coalesce(d.kind, ''), coalesce(d.coder, ''),
			coalesce(d.at, '-infinity'), coalesce(d.key, ''), coalesce(d.content, 0), coalesce(d.detail, '{}'), coalesce(e.digest, '')
		FROM decisions d
		FULL JOIN (SELECT item_id, target, action, digest FROM audit_events WHERE action LIKE 'decision.%') e
			ON e.item_id = d.item_id AND e.target = d.seq::text AND e.action = 'decision.' || d.kind
		WHERE d.coder IS DISTINCT FROM 'pipeline' ORDER BY 1, 2`

	sqlAuditCounts = `SELECT
			(SELECT count(*) FROM audit_events),
			(SELECT count(*) FROM audit_chain),
			(SELECT count(*) FROM audit_unsealed),
			(SELECT count(*) FROM audit_events e
			 WHERE NOT EXISTS (SELECT FROM audit_chain c WHERE c.event_id = e.id)
			   AND NOT EXISTS (SELECT FROM audit_unsealed q WHERE q.event_id = e.id))`
)

// AppendAudit enters an event that goes with no other change.
func (s *Store) AppendAudit(ctx context.Context, ev coding.AuditEvent) error {
	return s.inTx(ctx, "write audit event", func(tx pgx.Tx) error { return insertAudit(ctx, tx, ev) })
}

func insertAudit(ctx context.Context, tx pgx.Tx, ev coding.AuditEvent) error {
	_, err := tx.Exec(ctx, sqlInsertAudit, ev.At, ev.Actor, ev.Action, ev.Item, ev.Target, ev.Digest)
	return err
}

// SealAudit appends up to limit waiting events to the chain and gives their
// number. Link makes an event's hash from the one before, which is zero for the
// first. When another process is at it, nothing is done.
func (s *Store) SealAudit(ctx context.Context, limit int, link func(before [32]byte, ev coding.AuditEvent) [32]byte) (sealed int, err error) {
	err = s.inTx(ctx, "seal audit trail", func(tx pgx.Tx) error {
		var mine bool
		if err := tx.QueryRow(ctx, sqlTryLockTx, auditLock).Scan(&mine); err != nil || !mine {
			return err
		}
		var seq int64
		var hash [32]byte
		var b []byte
		err := tx.QueryRow(ctx, sqlChainHead).Scan(&seq, &b)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		copy(hash[:], b) // nothing: the first link's
		rows, err := tx.Query(ctx, sqlUnsealed, limit)
		if err != nil {
			return err
		}
		events, err := pgx.CollectRows(rows, scanAudit)
		if err != nil || len(events) == 0 {
			return err
		}
		seqs, ids, hashes := make([]int64, len(events)), make([]int64, len(events)), make([][]byte, len(events))
		for i, ev := range events {
			seq++
			hash = link(hash, ev)
			seqs[i], ids[i], hashes[i] = seq, ev.ID, append([]byte(nil), hash[:]...)
		}
		if _, err := tx.Exec(ctx, sqlInsertChain, seqs, ids, hashes); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlDequeue, ids); err != nil {
			return err
		}
		sealed = len(events)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return sealed, nil
}

func scanAudit(row pgx.CollectableRow) (ev coding.AuditEvent, err error) {
	err = row.Scan(&ev.ID, &ev.At, &ev.Actor, &ev.Action, &ev.Item, &ev.Target, &ev.Digest)
	ev.At = ev.At.UTC()
	return ev, err
}

// AuditChain gives the chain in order, a thousand links at a time. After an
// error it ends.
func (s *Store) AuditChain(ctx context.Context) iter.Seq2[coding.AuditLink, error] {
	const page = 1000
	return func(yield func(coding.AuditLink, error) bool) {
		after := int64(0)
		for {
			rows, err := s.pool.Query(ctx, sqlChainFrom, after, page)
			var links []coding.AuditLink
			if err == nil {
				links, err = pgx.CollectRows(rows, scanLink)
			}
			if err != nil {
				yield(coding.AuditLink{}, wrap("read audit chain", err))
				return
			}
			for _, l := range links {
				if !yield(l, nil) {
					return
				}
				after = l.Seq
			}
			if len(links) < page {
				return
			}
		}
	}
}

func scanLink(row pgx.CollectableRow) (l coding.AuditLink, err error) {
	var b []byte
	ev := &l.Event
	err = row.Scan(&l.Seq, &b, &ev.ID, &ev.At, &ev.Actor, &ev.Action, &ev.Item, &ev.Target, &ev.Digest)
	ev.At = ev.At.UTC()
	copy(l.Hash[:], b)
	return l, err
}

// AuditedDecisions gives every decision of a person beside the digest of its
// event, by item. After an error it ends.
func (s *Store) AuditedDecisions(ctx context.Context) iter.Seq2[coding.AuditedDecision, error] {
	const op = "compare decisions with the audit trail"
	return func(yield func(coding.AuditedDecision, error) bool) {
		rows, err := s.pool.Query(ctx, sqlAuditedDecisions)
		if err != nil {
			yield(coding.AuditedDecision{}, wrap(op, err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			a, err := scanAudited(rows)
			if err != nil {
				yield(coding.AuditedDecision{}, wrap(op, err))
				return
			}
			if !yield(a, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(coding.AuditedDecision{}, wrap(op, err))
		}
	}
}

func scanAudited(row pgx.CollectableRow) (a coding.AuditedDecision, err error) {
	var detail []byte
	var at pgtype.Timestamptz // -infinity where there is no decision
	d := &a.Decision
	if err = row.Scan(&a.Item, &d.Seq, &d.Kind, &d.Coder, &at, &d.Key, &d.Content, &detail, &a.Digest); err != nil {
		return a, err
	}
	d.At = at.Time.UTC()
	if json.Unmarshal(detail, &d.DecisionDetail) != nil {
		return a, plainf("a decision in the database cannot be read")
	}
	return a, nil
}

// AuditCounts counts the audit trail.
func (s *Store) AuditCounts(ctx context.Context) (c coding.AuditCounts, err error) {
	err = s.pool.QueryRow(ctx, sqlAuditCounts).Scan(&c.Events, &c.Sealed, &c.Waiting, &c.Lost)
	return c, wrap("count audit trail", err)
}
