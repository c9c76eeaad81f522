package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	// One decision with its event and what it makes of the item, if that is still as it
	// was ($10-$14): else nothing is done, and there is no row. Whatever may change an
	// item changes one of these; updated_at tells apart versions of two histories, one of
	// which a restored database lost.
	decide = `WITH c AS (` + updateItem + `
			WHERE id = $1 AND version = $10 AND updated_at = $11 AND edition = $12 AND received_at = $13
				AND claimed_until IS NOT DISTINCT FROM $14::timestamptz
			RETURNING id, moved_at, updated_at),
		d AS (
			INSERT INTO decisions (item_id, seq, kind, coder, at, key, content, detail)
			SELECT id, $15, $16, $17, $18, nullif($19, ''), $20, $21 FROM c),
		e AS (
			INSERT INTO audit_events (at, actor, action, item_id, target, digest)
			SELECT $22, $23, $24, id, $25, $26 FROM c)`
	announce = `,
		o AS (
			INSERT INTO outbox (subject, message_id, payload, traceparent)
			SELECT $27, $28, $29, $30 FROM c)`
	decided = ` SELECT moved_at, updated_at FROM c`

	sqlDecide            = decide + decided
	sqlDecideAndAnnounce = decide + announce + decided
)

// ActOnRecent does what ActOnItem does, in one round trip, with an item that this
// process knows already: if act has decisions to write, and the item is still as it is
// known here. Else nothing is done, whatever act said, and done is false: then
// ActOnItem is to be asked.
func (s *Store) ActOnRecent(ctx context.Context, id int64, act func(coding.ItemRecord) (coding.ItemChange, error)) (done bool, err error) {
	r, known := s.recent.get(id)
	if !known {
		return false, nil
	}
	c, refused := act(r)
	if refused != nil {
		c = coding.ItemChange{} // ActOnItem will say so, if it is still so
	}
	if !onlyDecides(r, c) {
		return false, nil
	}
	sql, args, err := decideStatement(r, c)
	if err != nil {
		return false, wrap("change item", err)
	}
	var moved, updated time.Time
	switch err := s.pool.QueryRow(ctx, sql, args...).Scan(&moved, &updated); {
	case errors.Is(err, pgx.ErrNoRows) || unserializable(err):
		s.recent.drop(id)
		return false, nil
	case err != nil:
		return false, wrap("change item", err)
	}
	s.recent.put(afterDecision(r, c, moved, updated))
	return true, nil
}

// unserializable reports whether somebody changed a row meanwhile, which is an error
// only where the database's default is another isolation than READ COMMITTED.
func unserializable(err error) bool {
	pg := pgError(err)
	return pg != nil && pg.Code == "40001"
}

// onlyDecides reports whether a change is one decision with its event and what it
// makes of the item, which sqlDecide writes.
func onlyDecides(r coding.ItemRecord, c coding.ItemChange) bool {
	return len(c.Decisions) == 1 && len(c.Events) == 1 && c.Events[0].Item == r.Head.ID && c.Events[0].Reason == "" &&
		c.State != "" && c.Sent == nil && c.Asked == nil && len(c.Closed) == 0 && c.Skipped == nil
}

// decideStatement writes a change of an item that onlyDecides, if the item is as r says.
func decideStatement(r coding.ItemRecord, c coding.ItemChange) (sql string, args []any, err error) {
	d, ev, h := c.Decisions[0], c.Events[0], r.Head
	detail, err := json.Marshal(d.DecisionDetail)
	if err != nil {
		return "", nil, plainf("a decision cannot be written as JSON")
	}
	var until *time.Time
	if h.Claim != nil {
		until = &h.Claim.Until
	}
	args = append(updateArgs(h.ID, c), h.Version, h.UpdatedAt, h.Edition, h.ReceivedAt, until,
		d.Seq, string(d.Kind), d.Coder, d.At, d.Key, d.Content, detail, ev.At, ev.Actor, ev.Action, ev.Target, ev.Digest)
	if o := c.Outbox; o != nil {
		return sqlDecideAndAnnounce, append(args, o.Subject, o.MessageID, o.Payload, o.Traceparent), nil
	}
	return sqlDecide, args, nil
}

// afterDecision is the record of an item as a change that onlyDecides left it.
func afterDecision(r coding.ItemRecord, c coding.ItemChange, moved, updated time.Time) coding.ItemRecord {
	h := &r.Head
	h.State, h.Claim, h.Reason, h.Coder = c.State, c.Claim, c.Reason, c.Decisions[0].Coder
	h.Version, h.MovedAt, h.UpdatedAt = h.Version+1, moved.UTC(), updated.UTC()
	if c.Invalid != nil {
		h.Invalid = *c.Invalid
	}
	if c.State != coding.ItemOpen {
		h.SentTo = nil
	}
	if c.State == coding.ItemFinished {
		h.ReopenedReason = ""
	}
	r.Decisions = append(r.Decisions[:len(r.Decisions):len(r.Decisions)], c.Decisions...)
	return r
}
