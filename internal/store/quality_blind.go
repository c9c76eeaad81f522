package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	sqlBlind = `SELECT EXISTS (SELECT FROM recodings r JOIN audit_cases c ON c.id = r.case_id
		WHERE r.coder = $1 AND r.finished_at IS NULL AND c.item_id = $2)`

	// The notes as they were drawn, and those that the item has by now.
	sqlBlindNotes = `SELECT n.source, n.note_id FROM notes n WHERE n.id IN (
		SELECT v.note_id FROM recodings r JOIN audit_cases c ON c.id = r.case_id JOIN note_revisions v ON v.id = ANY (c.revisions)
			WHERE r.coder = $1 AND r.finished_at IS NULL
		UNION SELECT m.note_id FROM recodings r JOIN audit_cases c ON c.id = r.case_id JOIN item_notes m ON m.item_id = c.item_id
			WHERE r.coder = $1 AND r.finished_at IS NULL)`
)

// Blind reports whether a login is coding an item again just now, and must not see
// what others gave.
func (s *Store) Blind(ctx context.Context, login string, item int64) (blind bool, err error) {
	err = s.pool.QueryRow(ctx, sqlBlind, login, item).Scan(&blind)
	return blind, wrap("look for a recoding", err)
}

// BlindNotes gives the notes of what a login is coding again just now, whatever
// their texts are by now.
func (s *Store) BlindNotes(ctx context.Context, login string) ([]coding.NoteName, error) {
	rows, err := s.pool.Query(ctx, sqlBlindNotes, login)
	if err != nil {
		return nil, wrap("read notes of recodings", err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[coding.NoteName])
	return out, wrap("read notes of recodings", err)
}
