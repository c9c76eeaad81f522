package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

// sqlDecide writes decisions on items, each with its event and what it makes of its
// item, if that is still as it was (version, updated_at, edition, received_at and
// known_until): else nothing of it is done, and there is no row. Whatever may change an
// item changes one of these; updated_at tells apart versions of two histories, one of
// which a restored database lost. An item that somebody is at work on is not waited
// for and counts as changed, so that none waits for what another one waits for, and
// no two such statements wait for each other.
//
// PostgreSQL plans for the length that it knows of arrays; the first is hidden from
// it, or it would plan for few each time anew, which takes longer than to write them.
const sqlDecide = `WITH a AS (
		SELECT a.* FROM unnest((SELECT $1::bigint[]), $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::integer[], $7::text[], $8::text[], $9::text[],
				$10::bigint[], $11::timestamptz[], $12::text[], $13::timestamptz[], $14::timestamptz[],
				$15::integer[], $16::text[], $17::timestamptz[], $18::text[], $19::bigint[], $20::text[],
				$21::timestamptz[], $22::text[], $23::text[], $24::text[], $25::text[],
				$26::text[], $27::text[], $28::bytea[], $29::text[])
			WITH ORDINALITY AS a (id, state, login, until, reason, invalid, sent_to, sent_by, coder,
				version, updated_at, edition, received_at, known_until,
				seq, kind, decided_at, key, content, detail,
				at, actor, action, target, digest,
				subject, message_id, payload, traceparent, place),
			LATERAL (SELECT i.id FROM items i
				WHERE i.id = a.id AND i.version = a.version AND i.updated_at = a.updated_at AND i.edition = a.edition
					AND i.received_at = a.received_at AND i.claimed_until IS NOT DISTINCT FROM a.known_until
				FOR NO KEY UPDATE SKIP LOCKED) AS unchanged),
	c AS (` + setItem + ` FROM a WHERE items.id = a.id
		RETURNING items.id, items.moved_at, items.updated_at, a.seq, a.kind, a.coder, a.decided_at, a.key, a.content, a.detail,
			a.at, a.actor, a.action, a.target, a.digest, a.subject, a.message_id, a.payload, a.traceparent, a.place),
	d AS (
		INSERT INTO decisions (item_id, seq, kind, coder, at, key, content, detail)
		SELECT id, seq, kind, coder, decided_at, nullif(key, ''), content, detail::jsonb FROM c),
	e AS (
		INSERT INTO audit_events (at, actor, action, item_id, target, digest)
		SELECT at, actor, action, id, target, digest FROM c ORDER BY place),
	o AS (
		INSERT INTO outbox (subject, message_id, payload, traceparent)
		SELECT subject, message_id, payload, traceparent FROM c WHERE subject IS NOT NULL ORDER BY place)
	SELECT place, moved_at, updated_at FROM c`

// deciding is a decision that waits to be written.
type deciding struct {
	record coding.ItemRecord // of the item as it is known
	change coding.ItemChange // that onlyDecides
	detail string            // of the decision, as JSON

	done bool  // it is written; else the item was no longer so
	err  error // why it is not known to be written
}

func newDeciding(r coding.ItemRecord, c coding.ItemChange) (*deciding, error) {
	detail, err := json.Marshal(c.Decisions[0].DecisionDetail)
	if err != nil {
		return nil, plainf("a decision cannot be written as JSON")
	}
	return &deciding{record: r, change: c, detail: string(detail)}, nil
}

// ActOnRecent does what ActOnItem does, in one round trip, with an item that this
// process knows already: if act has decisions to write, and the item is still as it is
// known here. Else nothing is done, whatever act said, and done is false: then
// ActOnItem is to be asked. What several do at once is written together.
func (s *Store) ActOnRecent(ctx context.Context, id int64, act func(coding.ItemRecord) (coding.ItemChange, error)) (done bool, err error) {
	r, known := s.recent.get(id)
	if !known {
		return false, nil
	}
	c, no := act(r)
	if no != nil {
		c = coding.ItemChange{} // ActOnItem will say so, if it is still so
	}
	if !onlyDecides(r, c) {
		return false, nil
	}
	d, err := newDeciding(r, c)
	if err == nil {
		if err = s.decisions.wait(ctx, d); err == nil {
			done, err = d.done, d.err
		}
	}
	return done, wrap("change item", err)
}

// decideTogether writes decisions in one transaction. Where the server refuses that,
// each is written alone, so that one which cannot be written harms no other, until one
// fails for what would make the others fail too.
func (s *Store) decideTogether(ctx context.Context, all []*deciding) {
	var first []*deciding
	items := make(map[int64]bool, len(all))
	for _, d := range all {
		// What comes after the first on an item rests on what is no longer so.
		if id := d.record.Head.ID; !items[id] {
			items[id] = true
			first = append(first, d)
		}
	}
	err := s.writeDecisions(ctx, first)
	alone := refused(err) && len(first) > 1
	for _, d := range first {
		if alone {
			err = s.writeDecisions(ctx, []*deciding{d})
			alone = !failsAll(err)
		}
		if d.err = late(err); unserializable(err) {
			d.err = nil
		}
		if !d.done && d.err == nil {
			s.recent.drop(d.record.Head.ID)
		}
	}
}

func (s *Store) writeDecisions(ctx context.Context, some []*deciding) error {
	rows, err := s.pool.Query(ctx, sqlDecide, decideArgs(some)...)
	if err != nil {
		return err
	}
	after := make([]*coding.ItemRecord, len(some))
	var place int
	var moved, updated time.Time
	if _, err := pgx.ForEachRow(rows, []any{&place, &moved, &updated}, func() error {
		d := some[place-1]
		r := afterDecision(d.record, d.change, moved, updated)
		after[place-1] = &r
		return nil
	}); err != nil {
		return err
	}
	for i, r := range after {
		if r != nil {
			some[i].done = true
			s.recent.put(*r)
		}
	}
	return nil
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

// decideArgs are those of sqlDecide.
func decideArgs(some []*deciding) []any { return columns(some, (*deciding).args) }

// columns gives what rows are, a column each.
func columns[T any](rows []T, values func(T) []any) []any {
	var columns []any
	for i, row := range rows {
		for j, v := range values(row) {
			if i == 0 {
				columns = append(columns, make([]any, len(rows)))
			}
			columns[j].([]any)[i] = v
		}
	}
	return columns
}

func (d *deciding) args() []any {
	h, c := d.record.Head, d.change
	dec, ev := c.Decisions[0], c.Events[0]
	var until *time.Time
	if h.Claim != nil {
		until = &h.Claim.Until
	}
	args := append(updateArgs(h.ID, c), h.Version, h.UpdatedAt, h.Edition, h.ReceivedAt, until,
		dec.Seq, string(dec.Kind), dec.At, dec.Key, dec.Content, d.detail, ev.At, ev.Actor, ev.Action, ev.Target, ev.Digest)
	if o := c.Outbox; o != nil {
		return append(args, o.Subject, o.MessageID, o.Payload, o.Traceparent)
	}
	return append(args, nil, nil, nil, nil)
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
