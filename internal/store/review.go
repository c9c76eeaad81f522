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
	itemColumns = `SELECT i.id, i.state, i.source, i.encounter_id, i.setting, i.specialty, i.note_types, i.service_date,
			i.priority, i.received_at, i.due_at, i.updated_at, i.note_count, i.code_count, i.confidence, i.degraded,
			i.reopened_reason, i.version, i.content, i.invalid_count, i.edition, i.claimed_by, coalesce(u.name, ''), i.claimed_until, i.wait_reason
		FROM items i LEFT JOIN users u ON u.login = i.claimed_by`

	sqlItemHead   = itemColumns + ` WHERE i.id = $1 AND i.note_count > 0`
	sqlLockedItem = sqlItemHead + ` FOR NO KEY UPDATE OF i`

	sqlRecordNotes = `SELECT n.id, r.number, r.received_at, r.stored_at, n.note_id, n.source, r.encounter_id,
			r.patient_id, r.patient_sex, r.patient_birth, r.author_id, r.author_name, r.attending_id, r.attending_name,
			r.payer, r.setting, r.specialty, r.note_type, r.service_date, r.admit_date, r.due_at, r.priority, r.text, s.body
		FROM item_notes m JOIN notes n ON n.id = m.note_id JOIN note_revisions r ON r.id = n.current_revision_id
			LEFT JOIN suggestion_sets s ON s.note_id = n.id AND s.is_current
		WHERE m.item_id = $1 ORDER BY r.service_date NULLS LAST, r.received_at, n.id`

	sqlItemDecisions = `SELECT seq, kind, coder, at, coalesce(key, ''), content, detail
		FROM decisions WHERE item_id = $1 ORDER BY seq`

	// Decisions' events are left out: the decisions tell more.
	sqlItemEvents = `SELECT id, at, actor, action, item_id, target, digest FROM (
			SELECT id, at, actor, action, item_id, target, digest FROM audit_events
			WHERE item_id = $1 AND item_id <> 0 AND action NOT LIKE 'decision.%' ORDER BY id DESC LIMIT 500
		) AS latest ORDER BY id`

	sqlItemChecks = `SELECT at, edition, content, body FROM (
			SELECT seq, at, edition, content, body FROM release_checks WHERE item_id = $1 ORDER BY seq DESC LIMIT 20
		) AS latest ORDER BY seq`

	sqlInsertDecision = `INSERT INTO decisions (item_id, seq, kind, coder, at, key, content, detail)
		VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7, $8)`

	// A finished item is no longer one that was reopened.
	sqlUpdateItem = `UPDATE items SET state = $2, claimed_by = $3, claimed_until = $4, wait_reason = $5, invalid_count = coalesce($6, invalid_count),
			reopened_reason = CASE WHEN $2 = 'finished' THEN '' ELSE reopened_reason END,
			version = version + 1, updated_at = now()
		WHERE id = $1`

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
	// One snapshot for all reads: suggestions must go with the content's number.
	tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return r, false, wrap("read item", err)
	}
	defer func() {
		if rerr := tx.Rollback(context.WithoutCancel(ctx)); err == nil && rerr != nil && !errors.Is(rerr, pgx.ErrTxClosed) {
			err = wrap("read item", rerr)
		}
	}()
	if r, found, err = readItem(ctx, tx, sqlItemHead, id, true); err != nil || !found {
		return coding.ItemRecord{}, false, wrap("read item", err)
	}
	if ev == nil {
		return r, true, nil
	}
	if err := insertAudit(ctx, tx, *ev); err != nil {
		return coding.ItemRecord{}, false, wrap("read item", err)
	}
	// Nothing is shown that is not on record.
	if err := tx.Commit(ctx); err != nil {
		return coding.ItemRecord{}, false, wrap("read item", err)
	}
	return r, true, nil
}

// ActOnItem locks an item, asks act what to change and writes that, in one
// transaction. An error of act changes nothing and comes back as it is; the
// record that act gets has no events.
func (s *Store) ActOnItem(ctx context.Context, id int64, act func(coding.ItemRecord) (coding.ItemChange, error)) (found bool, err error) {
	var refused error
	err = s.inTx(ctx, "change item", func(tx pgx.Tx) error {
		r, there, err := readItem(ctx, tx, sqlLockedItem, id, false)
		if err != nil || !there {
			return err
		}
		found = true
		var c coding.ItemChange
		if c, refused = act(r); refused != nil {
			return errRefused
		}
		return writeChange(ctx, tx, r.Head, c)
	})
	if refused != nil {
		return true, refused
	}
	return found && err == nil, err
}

// errRefused rolls a transaction back without being an error of the database.
var errRefused = plainf("refused")

// readItem reads an item in one round trip. The head comes first: when it is
// locked, what is read after it is what the lock's last holder left.
func readItem(ctx context.Context, tx pgx.Tx, headSQL string, id int64, events bool) (r coding.ItemRecord, found bool, err error) {
	var b pgx.Batch
	b.Queue(headSQL, id).Query(func(rows pgx.Rows) error {
		heads, err := pgx.CollectRows(rows, scanHead)
		if len(heads) == 1 {
			r.Head, found = heads[0], true
		}
		return err
	})
	b.Queue(sqlRecordNotes, id).Query(func(rows pgx.Rows) (err error) {
		r.Notes, err = pgx.CollectRows(rows, scanNote)
		return err
	})
	b.Queue(sqlItemDecisions, id).Query(func(rows pgx.Rows) (err error) {
		r.Decisions, err = pgx.CollectRows(rows, scanDecision)
		return err
	})
	b.Queue(sqlItemChecks, id).Query(func(rows pgx.Rows) (err error) {
		r.Checks, err = pgx.CollectRows(rows, scanCheck)
		return err
	})
	if events {
		b.Queue(sqlItemEvents, id).Query(func(rows pgx.Rows) (err error) {
			r.Events, err = pgx.CollectRows(rows, scanAudit)
			return err
		})
	}
	err = tx.SendBatch(ctx, &b).Close()
	return r, found, err
}

func writeChange(ctx context.Context, tx pgx.Tx, h coding.ItemHead, c coding.ItemChange) error {
	var b pgx.Batch
	if d := c.Decision; d != nil {
		detail, err := json.Marshal(d.DecisionDetail)
		if err != nil {
			return plainf("a decision cannot be written as JSON")
		}
		b.Queue(sqlInsertDecision, h.ID, d.Seq, string(d.Kind), d.Coder, d.At, d.Key, d.Content, detail)
	}
	if c.State != "" {
		var login string
		var until *time.Time
		if c.Claim != nil {
			login, until = c.Claim.Login, &c.Claim.Until
		}
		b.Queue(sqlUpdateItem, h.ID, string(c.State), login, until, c.Reason, c.Invalid)
	}
	if c.Outbox != nil {
		b.Queue(sqlInsertOutbox, c.Outbox.Subject, c.Outbox.MessageID, c.Outbox.Payload)
	}
	for _, ev := range c.Events {
		b.Queue(sqlInsertAudit, ev.At, ev.Actor, ev.Action, ev.Item, ev.Target, ev.Digest)
	}
	if b.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, &b).Close()
}

func scanHead(row pgx.CollectableRow) (h coding.ItemHead, err error) {
	var service, due, until *time.Time
	var login, name string
	err = row.Scan(&h.ID, &h.State, &h.Source, &h.EncounterID, &h.Setting, &h.Specialty, &h.NoteTypes, &service,
		&h.Priority, &h.ReceivedAt, &due, &h.UpdatedAt, &h.Notes, &h.Codes, &h.Confidence, &h.Degraded,
		&h.ReopenedReason, &h.Version, &h.Content, &h.Invalid, &h.Edition, &login, &name, &until, &h.Reason)
	h.ServiceDate, h.DueAt = dateFrom(service), timeFrom(due)
	h.ReceivedAt, h.UpdatedAt = h.ReceivedAt.UTC(), h.UpdatedAt.UTC()
	if login != "" {
		if name == "" {
			name = login
		}
		h.Claim = &coding.Claim{Login: login, Name: name, Until: timeFrom(until)}
	}
	return h, err
}

func scanNote(row pgx.CollectableRow) (n coding.ItemNote, err error) {
	var birth, service, admit, due *time.Time
	var body []byte
	f := &n.Note
	err = row.Scan(&n.ID, &n.Revision, &n.ReceivedAt, &n.StoredAt, &f.NoteID, &f.Source, &f.EncounterID,
		&f.Patient.ID, &f.Patient.Sex, &birth, &f.Author.ID, &f.Author.Name, &f.Attending.ID, &f.Attending.Name,
		&f.Payer, &f.Setting, &f.Specialty, &f.NoteType, &service, &admit, &due, &f.Priority, &f.Text, &body)
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
