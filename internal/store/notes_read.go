package store

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

// Counts are the numbers that status and the page show.
type Counts struct {
	NotesReceived  int // different notes, not revisions
	Items          int // with at least one note
	SuggestionSets int // one for each stored revision and pipeline version
	Current        int // sets that are shown: one for each note
}

const (
	// The current set is made with its note, so there are as many as notes.
	sqlCounts = `SELECT (SELECT count(*) FROM notes),
		(SELECT count(*) FROM items WHERE note_count > 0),
		(SELECT count(*) FROM suggestion_sets),
		(SELECT count(*) FROM suggestion_sets WHERE is_current)`

	sqlSetForNote = `SELECT s.body FROM suggestion_sets s JOIN notes n ON n.id = s.note_id
		WHERE n.source = $1 AND n.note_id = $2 AND s.is_current`

	sqlItemOfNote = `SELECT m.item_id FROM notes n JOIN note_revisions r ON r.id = n.current_revision_id JOIN item_notes m ON m.note_id = n.id
		WHERE n.source = $1 AND n.note_id = $2 AND r.sha256 = $3`

	sqlItemHoldingNote = `SELECT m.item_id FROM notes n JOIN item_notes m ON m.note_id = n.id WHERE n.source = $1 AND n.note_id = $2`

	sqlNoteSHA = `SELECT r.sha256 FROM notes n JOIN note_revisions r ON r.id = n.current_revision_id
		WHERE n.source = $1 AND n.note_id = $2`
)

// Counts counts notes, items and suggestion sets.
func (s *Store) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	err := s.pool.QueryRow(ctx, sqlCounts).Scan(&c.NotesReceived, &c.Items, &c.SuggestionSets, &c.Current)
	return c, wrap("count", err)
}

// NoteSHA256 is the hash of a note's current body. The error is ErrNotFound
// when there is no such note.
func (s *Store) NoteSHA256(ctx context.Context, source, noteID string) (string, error) {
	var sha string
	err := s.pool.QueryRow(ctx, sqlNoteSHA, source, noteID).Scan(&sha)
	return sha, wrap("look a note up", err)
}

// ItemHoldingNote is the item that a note belongs to now. The error is ErrNotFound
// when there is no such note.
func (s *Store) ItemHoldingNote(ctx context.Context, source, noteID string) (id int64, err error) {
	err = s.pool.QueryRow(ctx, sqlItemHoldingNote, source, noteID).Scan(&id)
	return id, wrap("look a note's item up", err)
}

// SetForNote is the current suggestion set of a note. The error is ErrNotFound
// when there is no such note.
func (s *Store) SetForNote(ctx context.Context, source, noteID string) (coding.SuggestionSet, error) {
	var body []byte
	if err := s.pool.QueryRow(ctx, sqlSetForNote, source, noteID).Scan(&body); err != nil {
		return coding.SuggestionSet{}, wrap("read suggestions", err)
	}
	set, err := readSet(body)
	return set, wrap("read suggestions", err)
}

func readSet(body []byte) (coding.SuggestionSet, error) {
	var set coding.SuggestionSet
	if err := json.Unmarshal(body, &set); err != nil {
		return set, plainf("a stored suggestion set cannot be read")
	}
	return set, nil
}

// ItemOfNote gives the item of a note whose current body is this one.
func (s *Store) ItemOfNote(ctx context.Context, n coding.Note) (item int64, found bool, err error) {
	err = s.pool.QueryRow(ctx, sqlItemOfNote, n.Source, n.NoteID, n.SHA256()).Scan(&item)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	return item, err == nil, wrap("find a note's item", err)
}
