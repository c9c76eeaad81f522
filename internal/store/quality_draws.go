package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"chartcode/internal/coding"
)

const (
	// Items that were sent back are left out.
	sqlFinishedReviews = `SELECT d.item_id, d.seq, d.coder, d.at,
			EXISTS (SELECT FROM audit_cases c WHERE c.item_id = d.item_id AND c.finish_seq = d.seq)
		FROM decisions d JOIN items i ON i.id = d.item_id
		WHERE d.kind = 'finish' AND d.at >= $1 AND d.at < $2 AND d.coder <> 'pipeline'
			AND i.state = 'finished' AND i.note_count > 0 AND ($3 = '' OR i.source = $3)
			AND ($4::text[] IS NULL OR d.coder = ANY ($4))
			AND coalesce(d.detail->>'disposition', '') <> 'returned'
			AND NOT EXISTS (SELECT FROM decisions l WHERE l.item_id = d.item_id AND l.kind = 'finish' AND l.seq > d.seq)
		ORDER BY d.at, d.item_id`

	sqlInsertSample = `INSERT INTO audit_samples (drawn_by, drawn_at, finished_from, finished_before, source, rate, at_least, seed, recodings, eligible, coders)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, coalesce($11::text[], '{}')) RETURNING id`

	// What was reopened since it was read is left out. What is a case already is the
	// same one in this sample.
	sqlInsertCase = `WITH made AS (INSERT INTO audit_cases (sample_id, item_id, finish_seq, coder, finished_at, setting, specialty, revisions, given)
		SELECT $1, i.id, $3, $4, $5, i.setting, i.specialty,
			(SELECT array_agg(r.id ORDER BY r.service_date NULLS LAST, r.received_at, n.id)
			 FROM item_notes m JOIN notes n ON n.id = m.note_id JOIN note_revisions r ON r.id = n.current_revision_id WHERE m.item_id = i.id),
			$6
		FROM items i WHERE i.id = $2 AND i.state = 'finished' AND i.note_count > 0
			AND $3 = (SELECT max(seq) FROM decisions d WHERE d.item_id = i.id AND d.kind = 'finish')
		ON CONFLICT (item_id, finish_seq) DO NOTHING RETURNING id)
		INSERT INTO audit_sample_cases (sample_id, case_id)
		SELECT $1, id FROM made UNION SELECT $1, id FROM audit_cases WHERE item_id = $2 AND finish_seq = $3`

	sqlSamples = `WITH cases AS (
			SELECT m.sample_id, c.sample_id <> m.sample_id AS earlier, o.recodings <= coalesce(r.n, 0) AS recoded, j.case_id IS NOT NULL AS judged
			FROM audit_sample_cases m JOIN audit_cases c ON c.id = m.case_id JOIN audit_samples o ON o.id = c.sample_id
				LEFT JOIN (SELECT case_id, count(*) AS n FROM recodings WHERE finished_at IS NOT NULL GROUP BY case_id) r ON r.case_id = c.id
				LEFT JOIN judgements j ON j.case_id = c.id)
		SELECT s.id, s.drawn_by, s.drawn_at, s.finished_from, s.finished_before, s.source, s.coders, s.rate, s.at_least, s.seed, s.recodings, s.eligible,
			count(c.sample_id), count(*) FILTER (WHERE c.earlier), count(*) FILTER (WHERE c.recoded), count(*) FILTER (WHERE c.judged),
			count(*) FILTER (WHERE c.recoded AND NOT c.judged AND NOT c.earlier)
		FROM audit_samples s LEFT JOIN cases c ON c.sample_id = s.id
		GROUP BY s.id ORDER BY s.id DESC`
)

// FinishedReviews gives the reviews that were finished as coded within a period
// (to exclusive) and still stand: of one source or with an empty one of all, of some
// coders or with none of all.
func (s *Store) FinishedReviews(ctx context.Context, from, to time.Time, source string, coders []string) ([]coding.FinishedReview, error) {
	rows, err := s.pool.Query(ctx, sqlFinishedReviews, from, to, source, texts(coders))
	if err != nil {
		return nil, wrap("read finished reviews", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f coding.FinishedReview, err error) {
		err = row.Scan(&f.Item, &f.Seq, &f.Coder, &f.At, &f.Drawn)
		f.At = f.At.UTC()
		return f, err
	})
	return out, wrap("read finished reviews", err)
}

// AddAuditSample keeps a sample with its cases and gives its number, and how many
// cases it has: reviews that were reopened meanwhile are left out. A review that is a
// case already stays as it was drawn.
func (s *Store) AddAuditSample(ctx context.Context, a coding.AuditSample, cases []coding.AuditCase, ev coding.AuditEvent) (id int64, n int, err error) {
	err = s.inTx(ctx, "keep a sample", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlQualityLock, qualityLock); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, sqlInsertSample, a.DrawnBy, a.DrawnAt, a.From, a.Before, a.Source, a.Rate, a.AtLeast, a.Seed, a.Recodings, a.Eligible, texts(a.Coders)).Scan(&id); err != nil {
			return err
		}
		var b pgx.Batch
		for i := range cases {
			c := &cases[i]
			b.Queue(sqlInsertCase, id, c.Item, c.FinishSeq, c.Coder, c.FinishedAt, given(c.Given)).Exec(func(tag pgconn.CommandTag) error {
				n += int(tag.RowsAffected())
				return nil
			})
		}
		if err := tx.SendBatch(ctx, &b).Close(); err != nil {
			return err
		}
		return insertAudit(ctx, tx, ev)
	})
	return id, n, err
}

// given is a list of codes as the database keeps it: never null.
func given(list []coding.GivenCode) []coding.GivenCode {
	if list == nil {
		return []coding.GivenCode{}
	}
	return list
}

// AuditSamples gives all samples, the newest first.
func (s *Store) AuditSamples(ctx context.Context) ([]coding.AuditSample, error) {
	rows, err := s.pool.Query(ctx, sqlSamples)
	if err != nil {
		return nil, wrap("read samples", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a coding.AuditSample, err error) {
		err = row.Scan(&a.ID, &a.DrawnBy, &a.DrawnAt, &a.From, &a.Before, &a.Source, &a.Coders, &a.Rate, &a.AtLeast, &a.Seed, &a.Recodings, &a.Eligible,
			&a.Cases, &a.Earlier, &a.Recoded, &a.Judged, &a.ToJudge)
		a.DrawnAt, a.From, a.Before = a.DrawnAt.UTC(), a.From.UTC(), a.Before.UTC()
		return a, err
	})
	return out, wrap("read samples", err)
}
