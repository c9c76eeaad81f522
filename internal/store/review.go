package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"chartcode/internal/coding"
)

const (
	// headOf gives what scanHead reads of i, which are items.
	headOf = ` SELECT i.id, i.state, i.source, i.encounter_id, i.setting, i.specialty, i.note_types, i.service_date,
			i.priority, i.received_at, i.due_at, i.updated_at, i.note_count, i.code_count, i.confidence, i.degraded,
			i.reopened_reason, i.version, i.content, i.invalid_count, i.edition, i.claimed_by, coalesce(u.name, ''), i.claimed_until, i.wait_reason,
			i.ranker, i.need, i.coder, i.sent_to, coalesce(v.name, ''), i.sent_by, i.open_queries, i.moved_at FROM `
	withNames = ` i LEFT JOIN users u ON u.login = i.claimed_by LEFT JOIN users v ON v.login = i.sent_to`

	itemColumns = headOf + `items` + withNames

	// Statements of one item and of several are not the same: of several PostgreSQL
	// does not know how many they are and plans anew each time, which takes longer than
	// to read an item.
	ofOne   = ` = $1`
	ofMany  = ` = ANY ($1)`
	isThere = ` AND i.note_count > 0`

	sqlItemHead   = itemColumns + ` WHERE i.id` + ofOne + isThere
	sqlItemHeads  = itemColumns + ` WHERE i.id` + ofMany + isThere
	sqlLockedItem = sqlItemHead + ` FOR NO KEY UPDATE OF i`

	// noteColumns are what scanNote reads before the trace and the suggestion set.
	noteColumns = `n.id, r.number, r.received_at, r.stored_at, n.note_id, n.source, r.encounter_id,
			r.patient_id, r.patient_sex, r.patient_birth, r.author_id, r.author_name, r.attending_id, r.attending_name,
			r.payer, r.setting, r.specialty, r.note_type, r.service_date, r.admit_date, r.due_at, r.priority, r.text`

	// Of what belongs to items, the first column says to which.
	recordNotes = `SELECT m.item_id, ` + noteColumns + `, r.traceparent, s.body
		FROM item_notes m JOIN notes n ON n.id = m.note_id JOIN note_revisions r ON r.id = n.current_revision_id
			LEFT JOIN suggestion_sets s ON s.note_id = n.id AND s.is_current
		WHERE m.item_id`
	inNoteOrder    = ` ORDER BY m.item_id, r.service_date NULLS LAST, r.received_at, n.id`
	sqlItemNotes   = recordNotes + ofOne + inNoteOrder
	sqlRecordNotes = recordNotes + ofMany + inNoteOrder

	recordDecisions = `SELECT item_id, seq, kind, coder, at, coalesce(key, ''), content, detail
		FROM decisions WHERE item_id`
	bySeq              = ` ORDER BY item_id, seq`
	sqlItemDecisions   = recordDecisions + ofOne + bySeq
	sqlRecordDecisions = recordDecisions + ofMany + bySeq

	// Decisions' events are left out: the decisions tell more.
	sqlItemEvents = `SELECT id, at, actor, action, item_id, target, digest, reason FROM (
			SELECT e.id, e.at, e.actor, e.action, e.item_id, e.target, e.digest, coalesce(w.reason, '') AS reason
			FROM audit_events e LEFT JOIN item_reasons w ON w.event_id = e.id
			WHERE e.item_id = $1 AND e.item_id <> 0 AND e.action NOT LIKE 'decision.%' ORDER BY e.id DESC LIMIT $2
		) AS latest ORDER BY id`

	recordQueries = `SELECT item_id, number, to_whom, person_id, person_name, note_id, template, question, asked_by, asked_at,
			status, answer, closed_by, closed_at
		FROM item_queries WHERE item_id`
	byNumber         = ` ORDER BY item_id, number`
	sqlItemQueries   = recordQueries + ofOne + byNumber
	sqlRecordQueries = recordQueries + ofMany + byNumber

	recordChecks = `SELECT item_id, at, edition, content, body FROM (
			SELECT item_id, seq, at, edition, content, body, row_number() OVER (PARTITION BY item_id ORDER BY seq DESC) AS place
			FROM release_checks WHERE item_id`
	latestChecks    = `) AS latest WHERE place <= 20 ORDER BY item_id, seq`
	sqlItemChecks   = recordChecks + ofOne + latestChecks
	sqlRecordChecks = recordChecks + ofMany + latestChecks

	sqlInsertDecision = `INSERT INTO decisions (item_id, seq, kind, coder, at, key, content, detail)
		VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7, $8)`

	// What an act ($1-$9 of updateArgs) makes of an item. A finished item is no longer
	// one that was reopened. What an act does not say (invalid and sent_to NULL, coder
	// empty) stays.
	setItem = `UPDATE items SET moved_at = CASE WHEN items.state <> a.state OR claimed_by <> a.login OR items.sent_to <> coalesce(a.sent_to, items.sent_to) THEN now() ELSE moved_at END,
			state = a.state, claimed_by = a.login, claimed_until = a.until, wait_reason = a.reason,
			invalid_count = coalesce(a.invalid, invalid_count),
			sent_to = coalesce(a.sent_to, items.sent_to), sent_by = CASE WHEN a.sent_to IS NULL THEN items.sent_by ELSE a.sent_by END,
			coder = CASE WHEN a.coder = '' THEN items.coder ELSE a.coder END,
			reopened_reason = CASE WHEN a.state = 'finished' THEN '' ELSE reopened_reason END,
			version = items.version + 1, updated_at = now()`
	countQueries = `, open_queries = (SELECT count(*) FROM item_queries q WHERE q.item_id = items.id AND q.status = 'open')`
	ofAct        = ` FROM (SELECT $1::bigint AS id, $2::text AS state, $3::text AS login, $4::timestamptz AS until, $5::text AS reason,
				$6::integer AS invalid, $7::text AS sent_to, $8::text AS sent_by, $9::text AS coder) AS a
		WHERE items.id = a.id`

	sqlUpdateItem        = setItem + ofAct
	sqlUpdateQueriedItem = setItem + countQueries + ofAct

	sqlInsertQuery = `INSERT INTO item_queries
			(item_id, number, to_whom, person_id, person_name, note_id, template, question, asked_by, asked_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

	sqlCloseQuery = `UPDATE item_queries SET status = $3, answer = $4, closed_by = $5, closed_at = $6
		WHERE item_id = $1 AND number = $2 AND status = 'open'`

	sqlSkipItem = `INSERT INTO item_skips (login, item_id, until) VALUES ($1, $2, $3)
		ON CONFLICT (login, item_id) DO UPDATE SET until = excluded.until`

	sqlActKey       = `SELECT login, key, item_id, digest FROM act_keys WHERE login = $1 AND key = $2`
	sqlInsertActKey = `INSERT INTO act_keys (login, key, item_id, digest) VALUES ($1, $2, $3, $4)`

	// What somebody said goes beside the event, not into it.
	sqlInsertReasoned = `WITH e AS (
			INSERT INTO audit_events (at, actor, action, item_id, target, digest)
			VALUES ($1, $2, $3, $4, $5, $6) RETURNING id, item_id)
		INSERT INTO item_reasons (event_id, item_id, reason) SELECT id, item_id, $7 FROM e`

	// Nothing else changes, so that a page that stays open does not make the item
	// look changed.
	sqlRenewClaim = `UPDATE items SET claimed_until = $3
		WHERE id = $1 AND state = 'claimed' AND claimed_by = $2 AND note_count > 0`

	// The release is the one that codeset.Releases.Pick takes: the latest that had
	// begun on the day, official tables before the starter set; before the first
	// release none holds and the first is used.
	sqlReportableCode = `SELECT c.code, c.title, c.short, c.billable, c.parent
		FROM codes c
		WHERE c.code = $2 AND c.billable AND c.release_id = (
			SELECT id FROM releases WHERE system = $1 AND kind IN ('order', 'hcpcs', 'table', 'starter')
			ORDER BY kind = 'starter', effective_from <= $3 DESC,
				CASE WHEN effective_from <= $3 THEN effective_from END DESC, effective_from, kind, id
			LIMIT 1)`
)

// ItemRecord gives everything about an item as of one moment. Ev, unless nil,
// is entered in the audit trail, and nothing is given unless that succeeded;
// the record's own events are those before it. An item whose notes all moved
// elsewhere counts as gone.
func (s *Store) ItemRecord(ctx context.Context, id int64, ev *coding.AuditEvent) (r coding.ItemRecord, found bool, err error) {
	err = s.inTrips(ctx, "read item", func(conn *pgxpool.Conn) error {
		// One snapshot for all reads: suggestions must go with the content's number.
		var b pgx.Batch
		b.Queue(sqlBeginSnapshot)
		read := queueItem(&b, sqlItemHead, id, viewEvents, coding.ActKey{})
		if ev == nil {
			queueCommit(&b)
		}
		if err := conn.SendBatch(ctx, &b).Close(); err != nil {
			return err
		}
		if r, found = read(); !found || ev == nil {
			return nil
		}
		// Nothing is shown that is not on record.
		b = pgx.Batch{}
		b.Queue(sqlInsertAudit, ev.At, ev.Actor, ev.Action, ev.Item, ev.Target, ev.Digest)
		queueCommit(&b)
		return conn.SendBatch(ctx, &b).Close()
	})
	if err != nil || !found {
		return coding.ItemRecord{}, false, err
	}
	s.recent.put(r)
	return r, true, nil
}

// ActOnItem locks an item, asks act what to change and writes that, in one
// transaction, and with it the key unless it was used before. An error of act changes
// nothing and comes back as it is; the record that act gets has no events.
func (s *Store) ActOnItem(ctx context.Context, id int64, key coding.ActKey, act func(coding.ItemRecord) (coding.ItemChange, error)) (found bool, err error) {
	var refused error
	var after *coding.ItemRecord
	err = s.inTrips(ctx, "change item", func(conn *pgxpool.Conn) error {
		var b pgx.Batch
		b.Queue(sqlBegin)
		read := queueItem(&b, sqlLockedItem, id, 0, key)
		if err := conn.SendBatch(ctx, &b).Close(); err != nil {
			return err
		}
		r, there := read()
		if !there {
			return nil
		}
		found = true
		var c coding.ItemChange
		if c, refused = act(r); refused != nil {
			return errRefused
		}
		if r.Done != nil {
			key.Key = ""
		}
		b = pgx.Batch{}
		var err error
		if after, err = queueChange(&b, r, c, key); err != nil {
			return err
		}
		queueCommit(&b)
		return conn.SendBatch(ctx, &b).Close()
	})
	if refused != nil {
		return true, refused
	}
	if err != nil {
		return false, err
	}
	if after == nil {
		s.recent.drop(id)
	} else {
		s.recent.put(*after)
	}
	return found, nil
}

// errRefused rolls a transaction back without being an error of the database.
var errRefused = plainf("refused")

// viewEvents is how many of an item's events are read with it.
const viewEvents = 500

// queueItem has a batch read an item, with up to so many of its latest events and
// what a key was used for; read gives it once the batch was sent.
func queueItem(b *pgx.Batch, headSQL string, id int64, events int, key coding.ActKey) (read func() (r coding.ItemRecord, found bool)) {
	records := queueRecords(b, id, headSQL, sqlItemNotes, sqlItemDecisions, sqlItemChecks, sqlItemQueries)
	var latest []coding.AuditEvent
	if events > 0 {
		b.Queue(sqlItemEvents, id, events).Query(func(rows pgx.Rows) (err error) {
			latest, err = pgx.CollectRows(rows, scanEvent)
			return err
		})
	}
	var done *coding.ActKey
	if key.Key != "" {
		b.Queue(sqlActKey, key.Login, key.Key).Query(func(rows pgx.Rows) (err error) {
			done, err = collectActKey(rows)
			return err
		})
	}
	return func() (r coding.ItemRecord, found bool) {
		if records[id] == nil {
			return r, false
		}
		r = *records[id]
		r.Events, r.Done = latest, done
		return r, true
	}
}

func collectActKey(rows pgx.Rows) (*coding.ActKey, error) {
	k, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (k coding.ActKey, err error) {
		return k, row.Scan(&k.Login, &k.Key, &k.Item, &k.Digest)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return &k, err
}

// updateArgs are what an act makes of an item, for setItem.
func updateArgs(id int64, c coding.ItemChange) []any {
	var login, coder, by string
	var until *time.Time
	if c.Claim != nil {
		login, until = c.Claim.Login, &c.Claim.Until
	}
	var to *string
	switch {
	case c.Sent != nil:
		to, by = &c.Sent.Login, c.Sent.By
	case c.State != coding.ItemOpen: // only an open item waits for somebody
		to = new(string)
	}
	if n := len(c.Decisions); n > 0 {
		coder = c.Decisions[n-1].Coder
	}
	return []any{id, string(c.State), login, until, c.Reason, c.Invalid, to, by, coder}
}

// queueChange has a batch write a change of an item that is locked and as r says.
// Once the batch was sent, after is the record as it is then, or nil where that is not
// known.
func queueChange(b *pgx.Batch, r coding.ItemRecord, c coding.ItemChange, key coding.ActKey) (after *coding.ItemRecord, err error) {
	id := r.Head.ID
	if key.Key != "" {
		b.Queue(sqlInsertActKey, key.Login, key.Key, id, key.Digest)
	}
	if onlyDecides(r, c) {
		d, err := newDeciding(r, c)
		if err != nil {
			return nil, err
		}
		after = &coding.ItemRecord{}
		b.Queue(sqlDecide, decideArgs([]*deciding{d})...).QueryRow(func(row pgx.Row) error {
			var place int
			var moved, updated time.Time
			err := row.Scan(&place, &moved, &updated)
			*after = afterDecision(r, c, moved, updated)
			return err
		})
		return after, nil
	}
	for _, d := range c.Decisions {
		detail, err := json.Marshal(d.DecisionDetail)
		if err != nil {
			return nil, plainf("a decision cannot be written as JSON")
		}
		b.Queue(sqlInsertDecision, id, d.Seq, string(d.Kind), d.Coder, d.At, d.Key, d.Content, detail)
	}
	if q := c.Asked; q != nil {
		b.Queue(sqlInsertQuery, id, q.Number, string(q.To), q.Person.ID, q.Person.Name, q.NoteID, q.Template, q.Text, q.AskedBy, q.AskedAt)
	}
	for _, q := range c.Closed {
		b.Queue(sqlCloseQuery, id, q.Number, string(q.Status), q.Answer, q.ClosedBy, q.ClosedAt)
	}
	switch {
	case c.Asked != nil || len(c.Closed) > 0:
		b.Queue(sqlUpdateQueriedItem, updateArgs(id, c)...)
	case c.State != "":
		b.Queue(sqlUpdateItem, updateArgs(id, c)...)
	}
	if k := c.Skipped; k != nil {
		b.Queue(sqlSkipItem, k.Login, id, k.Until)
	}
	if c.Outbox != nil {
		b.Queue(sqlInsertOutbox, c.Outbox.Subject, c.Outbox.MessageID, c.Outbox.Payload, c.Outbox.Traceparent)
	}
	for _, ev := range c.Events {
		if ev.Reason != "" {
			b.Queue(sqlInsertReasoned, ev.At, ev.Actor, ev.Action, ev.Item, ev.Target, ev.Digest, ev.Reason)
			continue
		}
		b.Queue(sqlInsertAudit, ev.At, ev.Actor, ev.Action, ev.Item, ev.Target, ev.Digest)
	}
	return nil, nil
}

// ItemEvents gives all events of an item but those of decisions, oldest first.
func (s *Store) ItemEvents(ctx context.Context, id int64) ([]coding.AuditEvent, error) {
	rows, err := s.pool.Query(ctx, sqlItemEvents, id, nil) // no limit
	if err != nil {
		return nil, wrap("read an item's events", err)
	}
	events, err := pgx.CollectRows(rows, scanEvent)
	return events, wrap("read an item's events", err)
}

// RenewClaim lets a claim of a user last until another time, also one that ran
// out, as long as nobody else took the item. It tells whether there was one.
func (s *Store) RenewClaim(ctx context.Context, id int64, claim coding.Claim) (renewed bool, err error) {
	tag, err := s.pool.Exec(ctx, sqlRenewClaim, id, claim.Login, claim.Until)
	return tag.RowsAffected() == 1, wrap("renew claim", err)
}

func scanHead(row pgx.CollectableRow) (h coding.ItemHead, err error) {
	var service, due, until *time.Time
	var login, name, sentTo, sentName, sentBy string
	err = row.Scan(&h.ID, &h.State, &h.Source, &h.EncounterID, &h.Setting, &h.Specialty, &h.NoteTypes, &service,
		&h.Priority, &h.ReceivedAt, &due, &h.UpdatedAt, &h.Notes, &h.Codes, &h.Confidence, &h.Degraded,
		&h.ReopenedReason, &h.Version, &h.Content, &h.Invalid, &h.Edition, &login, &name, &until, &h.Reason,
		&h.Ranker, &h.Need, &h.Coder, &sentTo, &sentName, &sentBy, &h.OpenQueries, &h.MovedAt)
	h.ServiceDate, h.DueAt = dateFrom(service), timeFrom(due)
	h.ReceivedAt, h.UpdatedAt, h.MovedAt = h.ReceivedAt.UTC(), h.UpdatedAt.UTC(), h.MovedAt.UTC()
	if login != "" {
		if name == "" {
			name = login
		}
		h.Claim = &coding.Claim{Login: login, Name: name, Until: timeFrom(until)}
	}
	if sentTo != "" {
		if sentName == "" {
			sentName = sentTo
		}
		h.SentTo = &coding.Sent{Login: sentTo, Name: sentName, By: sentBy}
	}
	return h, err
}

func scanNote(row pgx.CollectableRow) (n coding.ItemNote, err error) {
	var birth, service, admit, due *time.Time
	var body []byte
	f := &n.Note
	err = row.Scan(&n.ID, &n.Revision, &n.ReceivedAt, &n.StoredAt, &f.NoteID, &f.Source, &f.EncounterID,
		&f.Patient.ID, &f.Patient.Sex, &birth, &f.Author.ID, &f.Author.Name, &f.Attending.ID, &f.Attending.Name,
		&f.Payer, &f.Setting, &f.Specialty, &f.NoteType, &service, &admit, &due, &f.Priority, &f.Text, &n.Traceparent, &body)
	if err != nil {
		return n, err
	}
	n.ReceivedAt, n.StoredAt = n.ReceivedAt.UTC(), n.StoredAt.UTC()
	f.Patient.BirthDate, f.ServiceDate, f.AdmitDate, f.DueAt = dateFrom(birth), dateFrom(service), dateFrom(admit), timeFrom(due)
	if body != nil {
		set, err := readSet(body)
		if err != nil {
			return n, err
		}
		n.Set = &set
	}
	return n, nil
}

func scanQuery(row pgx.CollectableRow) (q coding.Query, err error) {
	var closed *time.Time
	err = row.Scan(&q.Number, &q.To, &q.Person.ID, &q.Person.Name, &q.NoteID, &q.Template, &q.Text, &q.AskedBy, &q.AskedAt,
		&q.Status, &q.Answer, &q.ClosedBy, &closed)
	q.AskedAt, q.ClosedAt = q.AskedAt.UTC(), timeFrom(closed)
	return q, err
}

func scanEvent(row pgx.CollectableRow) (ev coding.AuditEvent, err error) {
	err = row.Scan(&ev.ID, &ev.At, &ev.Actor, &ev.Action, &ev.Item, &ev.Target, &ev.Digest, &ev.Reason)
	ev.At = ev.At.UTC()
	return ev, err
}

func scanDecision(row pgx.CollectableRow) (d coding.Decision, err error) {
	var detail []byte
	if err = row.Scan(&d.Seq, &d.Kind, &d.Coder, &d.At, &d.Key, &d.Content, &detail); err != nil {
		return d, err
	}
	d.At = d.At.UTC()
	if json.Unmarshal(detail, &d.DecisionDetail) != nil {
		return d, plainf("a decision in the database cannot be read")
	}
	return d, nil
}

// ReportableCode gives a code that may be reported on a day; without a day the
// newest release counts.
func (s *Store) ReportableCode(ctx context.Context, key coding.CodeKey, on coding.Date) (c coding.Code, found bool, err error) {
	day := on.Time()
	if on.IsZero() {
		day = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	}
	c.System = key.System
	err = s.pool.QueryRow(ctx, sqlReportableCode, string(key.System), key.Code, day).Scan(
		&c.Code, &c.Title, &c.Short, &c.Billable, &c.Parent)
	if errors.Is(err, pgx.ErrNoRows) {
		return coding.Code{}, false, nil
	}
	if err != nil {
		return coding.Code{}, false, wrap("look up a code", err)
	}
	return c, true, nil
}
