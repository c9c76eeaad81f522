package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

// Result is what the pipeline made of one body of a note.
type Result struct {
	Note       coding.Note
	SHA256     string    // Note.SHA256()
	ReceivedAt time.Time // by the stream; kept to the microsecond
	StreamSeq  uint64    // 0 when it came another way
	Set        coding.SuggestionSet
	// Traceparent is the place in a trace where the note is worked on; empty without one.
	Traceparent string
}

// Saved is what SaveNote did, and the numbers in the database of what it was
// about; they are 0 for a Duplicate.
type Saved struct {
	Outcome Outcome
	Note    int64
	Item    int64
}

// Outcome is what SaveResult did.
type Outcome string

// The outcomes.
const (
	Created    Outcome = "created"    // the note's first body
	Revised    Outcome = "revised"    // a changed body, current from now on
	Superseded Outcome = "superseded" // a body received before the current one: kept, shown to nobody
	Duplicate  Outcome = "duplicate"  // this body was stored before: nothing was done
)

// readySubject and the note's source are where a new set is announced.
const readySubject = "suggestions.ready."

const (
	sqlSeen = `SELECT EXISTS (SELECT FROM note_revisions r JOIN notes n ON n.id = r.note_id
		WHERE n.source = $1 AND n.note_id = $2 AND r.sha256 = $3)`

	sqlNoteForSave = `SELECT n.id, c.received_at, c.stream_seq, i.item_id,
			EXISTS (SELECT FROM note_revisions r WHERE r.note_id = n.id AND r.sha256 = $3),
			(SELECT max(r.number) FROM note_revisions r WHERE r.note_id = n.id)
		FROM notes n
		JOIN note_revisions c ON c.id = n.current_revision_id
		JOIN item_notes i ON i.note_id = n.id
		WHERE n.source = $1 AND n.note_id = $2`

	sqlInsertNote = `INSERT INTO notes (source, note_id) VALUES ($1, $2) RETURNING id`

	sqlInsertRevision = `INSERT INTO note_revisions
		(note_id, number, sha256, received_at, stream_seq, encounter_id, patient_id, patient_sex, patient_birth,
		 author_id, author_name, attending_id, attending_name, payer, setting, specialty, note_type,
		 service_date, admit_date, due_at, priority, text, traceparent)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
		RETURNING id`

	sqlSetNoteRevision = `UPDATE notes SET current_revision_id = $2 WHERE id = $1`

	// Gives no row when another transaction is making the item: then ask again.
	sqlFindOrMakeItem = `WITH found AS (SELECT id FROM items WHERE source = $1 AND encounter_key = $2),
		made AS (
			INSERT INTO items (source, encounter_key, encounter_id, received_at, edition)
			SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT FROM found)
			ON CONFLICT (source, encounter_key) DO NOTHING RETURNING id)
		SELECT id, false FROM found UNION ALL SELECT id, true FROM made`

	// In the order of ids, so that two transactions cannot wait for each other.
	sqlLockItems = `SELECT id FROM items WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE`

	sqlPutNoteInItem = `INSERT INTO item_notes (note_id, item_id) VALUES ($1, $2)
		ON CONFLICT (note_id) DO UPDATE SET item_id = excluded.item_id, added_at = now()
		WHERE item_notes.item_id <> excluded.item_id`

	sqlRetireSets = `UPDATE suggestion_sets SET is_current = false WHERE note_id = $1 AND is_current`

	sqlInsertSet = `INSERT INTO suggestion_sets
		(set_id, note_id, revision_id, pipeline, is_current, setting, coding_style, ranker, model,
		 degraded, degraded_reason, cost_usd, created_at, body, need)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, set_need($14)) RETURNING id`

	sqlInsertSuggestions = `INSERT INTO suggestions (set_id, rank, system, code, role, confidence)
		SELECT $1, s.rank, s.system, s.code, s.role, s.confidence
		FROM unnest($2::smallint[], $3::text[], $4::text[], $5::text[], $6::double precision[])
			AS s (rank, system, code, role, confidence)`
)

// Seen reports whether this body of the note was stored before.
func (s *Store) Seen(ctx context.Context, source, noteID, sha256 string) (bool, error) {
	var seen bool
	err := s.pool.QueryRow(ctx, sqlSeen, source, noteID, sha256).Scan(&seen)
	return seen, wrap("look a note up", err)
}

// SaveResult stores a note's body with what the pipeline found, puts it into
// the worklist item of its encounter and announces it, all in one transaction,
// or does nothing because the body was stored before.
//
// Bodies may come in any order and several times at once. Current is the one
// received last; one received before it is kept but changes nothing. An open
// item gets the new suggestions and says why (changed_reason), a finished one
// is reopened by a decision of coding.ByPipeline. A note that names another
// encounter than before moves to that one's item.
//
// ErrUnavailable means that the same call may succeed later.
func (s *Store) SaveResult(ctx context.Context, r Result) (Outcome, error) {
	saved, err := s.SaveNote(ctx, r)
	return saved.Outcome, err
}

// SaveNote is SaveResult, and says where the note was put.
func (s *Store) SaveNote(ctx context.Context, r Result) (Saved, error) {
	const op = "save result"
	if err := r.check(); err != nil {
		return Saved{}, wrap(op, err)
	}
	body, err := json.Marshal(r.Set)
	if err != nil {
		// Not wrapped: the message can quote the value.
		return Saved{}, wrap(op, plainf("the suggestion set cannot be written as JSON"))
	}
	var out Saved
	err = s.inTx(ctx, op, func(tx pgx.Tx) error {
		sv := saver{tx: tx, Result: r, body: body}
		sv.ReceivedAt = r.ReceivedAt.Truncate(time.Microsecond)
		outcome, err := sv.save(ctx)
		out = Saved{Outcome: outcome, Note: sv.noteID, Item: sv.itemID}
		return err
	})
	if err != nil {
		return Saved{}, err
	}
	return out, nil
}

func (r Result) check() error {
	switch {
	case r.Note.NoteID == "" || r.Note.Source == "" || r.SHA256 == "" || r.ReceivedAt.IsZero():
		return plainf("a result needs the note's id and source, its hash and when it was received")
	case r.Set.SetID == "" || r.Set.Pipeline == "":
		return plainf("a result needs a suggestion set with its id and the pipeline's version")
	case r.Set.NoteID != r.Note.NoteID || r.Set.Source != r.Note.Source || r.Set.NoteSHA256 != r.SHA256:
		return plainf("the suggestion set is of another note")
	}
	return nil
}

// saver is one SaveResult under way.
type saver struct {
	Result
	tx   pgx.Tx
	body []byte // the set as JSON

	noteID   int64
	revision int64
	itemID   int64
	made     bool   // the item is new
	oldItem  *int64 // the item that the note was in; nil for a new note
}

func (sv *saver) save(ctx context.Context) (Outcome, error) {
	// The note may have no row yet, so its lock is one by name. It is always
	// taken first, and items only after it.
	if _, err := sv.tx.Exec(ctx, sqlLockTx, noteLock(sv.Note.Source, sv.Note.NoteID)); err != nil {
		return "", err
	}
	out := Revised
	number := 0
	var current time.Time
	var seq int64
	var seen bool
	switch err := sv.tx.QueryRow(ctx, sqlNoteForSave, sv.Note.Source, sv.Note.NoteID, sv.SHA256).
		Scan(&sv.noteID, &current, &seq, &sv.oldItem, &seen, &number); {
	case errors.Is(err, pgx.ErrNoRows):
		out = Created
		if err := sv.tx.QueryRow(ctx, sqlInsertNote, sv.Note.Source, sv.Note.NoteID).Scan(&sv.noteID); err != nil {
			return "", err
		}
	case err != nil:
		return "", err
	case seen:
		return Duplicate, nil
	case sv.ReceivedAt.Before(current) || (sv.ReceivedAt.Equal(current) && int64(sv.StreamSeq) < seq):
		out = Superseded
	}
	if err := sv.insertRevision(ctx, number+1); err != nil {
		return "", err
	}
	if out == Superseded {
		if err := sv.insertSet(ctx, false); err != nil {
			return "", err
		}
		return out, sv.exec(ctx, statement{sqlReceivedEarlier, []any{*sv.oldItem, sv.ReceivedAt}})
	}
	if err := sv.lockItems(ctx); err != nil {
		return "", err
	}
	if err := sv.exec(ctx,
		statement{sqlSetNoteRevision, []any{sv.noteID, sv.revision}},
		statement{sqlPutNoteInItem, []any{sv.noteID, sv.itemID}},
		statement{sqlRetireSets, []any{sv.noteID}},
	); err != nil {
		return "", err
	}
	if err := sv.insertSet(ctx, true); err != nil {
		return "", err
	}
	return out, sv.exec(ctx, append(sv.itemChanges(),
		statement{sqlInsertOutbox, []any{readySubject + sv.Note.Source, sv.Set.SetID, sv.body, sv.Traceparent}})...)
}

// noteLock is the number of the lock that SaveResult holds on a note.
func noteLock(source, noteID string) int64 {
	sum := sha256.Sum256([]byte("note\x00" + source + "\x00" + noteID))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

func (sv *saver) insertRevision(ctx context.Context, number int) error {
	n := sv.Note
	return sv.tx.QueryRow(ctx, sqlInsertRevision,
		sv.noteID, number, sv.SHA256, sv.ReceivedAt, int64(sv.StreamSeq), n.EncounterID,
		n.Patient.ID, n.Patient.Sex, dateArg(n.Patient.BirthDate), n.Author.ID, n.Author.Name, n.Attending.ID, n.Attending.Name,
		n.Payer, string(n.Setting), n.Specialty, n.NoteType, dateArg(n.ServiceDate), dateArg(n.AdmitDate), timeArg(n.DueAt),
		n.Priority, n.Text, sv.Traceparent).Scan(&sv.revision)
}

// lockItems finds or makes the item that the note belongs to and locks it,
// together with the one that it was in.
func (sv *saver) lockItems(ctx context.Context) error {
	for sv.itemID == 0 {
		err := sv.tx.QueryRow(ctx, sqlFindOrMakeItem, sv.Note.Source, encounterKey(sv.Note), sv.Note.EncounterID, sv.ReceivedAt, sv.Set.Edition).Scan(&sv.itemID, &sv.made)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
	}
	ids := []int64{sv.itemID}
	if sv.oldItem != nil && *sv.oldItem != sv.itemID {
		ids = append(ids, *sv.oldItem)
	}
	_, err := sv.tx.Exec(ctx, sqlLockItems, ids)
	return err
}

func (sv *saver) insertSet(ctx context.Context, current bool) error {
	set := sv.Set
	var id int64
	err := sv.tx.QueryRow(ctx, sqlInsertSet, set.SetID, sv.noteID, sv.revision, set.Pipeline, current,
		string(set.Setting), string(set.CodingStyle), set.Ranker, orEmpty(set.Model), set.Degraded, orEmpty(set.DegradedReason),
		set.Usage.CostUSD, set.CreatedAt, json.RawMessage(sv.body)).Scan(&id)
	if err != nil {
		return err
	}
	n := len(set.Suggestions)
	ranks, systems, codes := make([]int16, n), make([]string, n), make([]string, n)
	roles, confidences := make([]string, n), make([]float64, n)
	for i, g := range set.Suggestions {
		ranks[i], systems[i], codes[i], roles[i], confidences[i] = int16(g.Rank), string(g.System), g.Code, string(g.Role), g.Confidence
	}
	_, err = sv.tx.Exec(ctx, sqlInsertSuggestions, id, ranks, systems, codes, roles, confidences)
	return err
}

// itemChanges are the statements that bring the items up to date with their notes.
func (sv *saver) itemChanges() []statement {
	moved := sv.oldItem != nil && *sv.oldItem != sv.itemID
	reason := coding.ReopenedNoteChanged
	switch {
	case sv.made:
		reason = ""
	case sv.oldItem == nil || moved:
		reason = coding.ReopenedNewNote
	}
	changes := []statement{
		{sqlRefreshItem, []any{sv.itemID, reason}},
		{sqlReopenItem, []any{sv.itemID, reason, coding.ByPipeline}},
	}
	if moved {
		changes = append(changes,
			statement{sqlRefreshItem, []any{*sv.oldItem, coding.ReopenedNoteChanged}},
			statement{sqlReopenItem, []any{*sv.oldItem, coding.ReopenedNoteChanged, coding.ByPipeline}})
	}
	return changes
}

// statement is SQL with its arguments.
type statement struct {
	sql  string
	args []any
}

// exec runs statements in one round trip.
func (sv *saver) exec(ctx context.Context, statements ...statement) error {
	batch := &pgx.Batch{}
	for _, st := range statements {
		batch.Queue(st.sql, st.args...)
	}
	return sv.tx.SendBatch(ctx, batch).Close()
}
