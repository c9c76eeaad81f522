package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	sqlInsertPractice = `INSERT INTO practice_notes (run, sha256, rate, added_by, added_at, note, suggestions, gold)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (run, sha256) DO NOTHING`

	practiceFree    = ` FROM practice_notes p WHERE NOT EXISTS (SELECT FROM recodings r WHERE r.practice_id = p.id AND r.coder = $1)`
	sqlPracticeFree = `SELECT count(*)` + practiceFree
	sqlTakePractice = `INSERT INTO recodings (practice_id, coder, taken_at) SELECT p.id, $1, $2` + practiceFree + ` ORDER BY p.id LIMIT 1 RETURNING id`

	sqlPractised = `SELECT r.id, r.practice_id, r.coder, r.taken_at, r.finished_at, r.given, r.rejected, p.suggestions, p.gold
		FROM recodings r JOIN practice_notes p ON p.id = r.practice_id
		WHERE r.finished_at IS NOT NULL AND ($1 = '' OR r.coder = $1) ORDER BY r.id`

	sqlPracticeCounts = `SELECT count(*), coalesce((SELECT sum((SELECT count(*) FROM jsonb_array_elements(p.suggestions) g WHERE (g->>'seeded')::boolean)) FROM practice_notes p), 0)::bigint
		FROM practice_notes`
)

// AddPractice keeps practice notes and gives how many are new.
func (s *Store) AddPractice(ctx context.Context, notes []coding.PracticeNote, ev coding.AuditEvent) (added int, err error) {
	err = s.inTx(ctx, "add practice notes", func(tx pgx.Tx) error {
		for i := range notes {
			p := &notes[i]
			if p.Suggested == nil {
				p.Suggested = []coding.PracticeSuggestion{}
			}
			tag, err := tx.Exec(ctx, sqlInsertPractice, p.Run, p.Note.SHA256(), p.Rate, p.AddedBy, p.AddedAt, p.Note, p.Suggested, given(p.Gold))
			if err != nil {
				return err
			}
			added += int(tag.RowsAffected())
		}
		return insertAudit(ctx, tx, ev)
	})
	return added, err
}

// PracticeCounts says how many practice notes there are, with how many seeded
// suggestions.
func (s *Store) PracticeCounts(ctx context.Context) (notes, seeded int, err error) {
	err = s.pool.QueryRow(ctx, sqlPracticeCounts).Scan(&notes, &seeded)
	return notes, seeded, wrap("count practice notes", err)
}

// PracticeFree counts the practice notes that a login has not begun.
func (s *Store) PracticeFree(ctx context.Context, login string) (n int, err error) {
	err = s.pool.QueryRow(ctx, sqlPracticeFree, login).Scan(&n)
	return n, wrap("count practice notes", err)
}

// TakePractice gives the practice note that a login has begun, or begins the next;
// found is false where all are done.
func (s *Store) TakePractice(ctx context.Context, login string, ev coding.AuditEvent) (id int64, found bool, err error) {
	return s.take(ctx, login, true, sqlTakePractice, ev)
}

// Practised gives what was finished of practice notes by a login, or with an empty
// one by all, without the notes.
func (s *Store) Practised(ctx context.Context, login string) ([]coding.Recoding, error) {
	rows, err := s.pool.Query(ctx, sqlPractised, login)
	if err != nil {
		return nil, wrap("read practice", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r coding.Recoding, err error) {
		var finished *time.Time
		err = row.Scan(&r.ID, &r.Practice, &r.Coder, &r.TakenAt, &finished, &r.Given, &r.Rejected, &r.Suggested, &r.Gold)
		r.TakenAt, r.FinishedAt = r.TakenAt.UTC(), timeFrom(finished)
		return r, err
	})
	return out, wrap("read practice", err)
}
