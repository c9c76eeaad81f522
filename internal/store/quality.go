package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	// qualityLock is held by the one who draws a sample or takes a case, so that no
	// review is drawn twice and no case is taken by more than it wants.
	qualityLock = int32(0x7175616c) // "qual"

	sqlQualityLock = `SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))`

	// With $1 false codes and patients are left out, which are most of what there is to
	// read.
	caseColumns = `SELECT c.id, c.sample_id, c.item_id, c.finish_seq, c.coder, c.finished_at, c.setting, c.specialty, s.recodings,
			CASE WHEN $1 THEN c.given ELSE '[]' END, CASE WHEN NOT $1 THEN '' ELSE coalesce((SELECT max(r.source || ' ' || r.patient_id) FROM (SELECT n.source, r.patient_id FROM note_revisions r JOIN notes n ON n.id = r.note_id
				WHERE r.id = ANY (c.revisions) AND r.patient_id <> '') r), '') END
		FROM audit_cases c JOIN audit_samples s ON s.id = c.sample_id`
	sqlCases = caseColumns + ` WHERE ($2::bigint = 0 OR c.id IN (SELECT case_id FROM audit_sample_cases WHERE sample_id = $2))
			AND ($3 = '' OR c.id IN (SELECT id FROM audit_cases WHERE coder = $3 UNION SELECT case_id FROM recodings WHERE coder = $3)) ORDER BY c.id`
	sqlCase = caseColumns + ` WHERE c.id = $2`

	sqlRecodingsOf = `SELECT r.id, r.case_id, r.coder, r.taken_at, r.finished_at, CASE WHEN $1 THEN r.given ELSE '[]' END
		FROM recodings r WHERE r.case_id = ANY ($2) ORDER BY r.case_id, r.taken_at, r.id`

	sqlJudgementsOf = `SELECT case_id, judge, at, CASE WHEN $1 THEN codes ELSE '[]' END, remark FROM judgements WHERE case_id = ANY ($2)`

	sqlCaseNotes = `SELECT c.id, ` + noteColumns + `, '' AS traceparent, NULL::json
		FROM audit_cases c, unnest(c.revisions) WITH ORDINALITY AS v (id, place)
			JOIN note_revisions r ON r.id = v.id JOIN notes n ON n.id = r.note_id
		WHERE c.id = ANY ($1) ORDER BY c.id, v.place`

	// Who gave the codes, decided on the item, coded it again before or looked at it is
	// not blind.
	caseFree = ` FROM audit_cases c JOIN audit_samples s ON s.id = c.sample_id
		WHERE c.coder <> $1
			AND (SELECT count(*) FROM recodings r WHERE r.case_id = c.id) < s.recodings
			AND NOT EXISTS (SELECT FROM recodings r JOIN audit_cases o ON o.id = r.case_id WHERE o.item_id = c.item_id AND r.coder = $1)
			AND NOT EXISTS (SELECT FROM judgements j WHERE j.case_id = c.id)
			AND NOT EXISTS (SELECT FROM decisions d WHERE d.item_id = c.item_id AND d.coder = $1)
			AND NOT EXISTS (SELECT FROM audit_events e WHERE e.item_id = c.item_id AND e.item_id <> 0 AND e.actor = $1)`
	sqlCasesFree  = `SELECT count(*)` + caseFree
	sqlTakeCase   = `INSERT INTO recodings (case_id, coder, taken_at) SELECT c.id, $1, $2` + caseFree + ` ORDER BY c.id LIMIT 1 RETURNING id`
	sqlOpenCoding = `SELECT id FROM recodings WHERE coder = $1 AND finished_at IS NULL AND (practice_id IS NOT NULL) = $2`

	sqlOpenCodings = `SELECT coalesce(max(id) FILTER (WHERE case_id IS NOT NULL), 0), coalesce(max(id) FILTER (WHERE practice_id IS NOT NULL), 0)
		FROM recodings WHERE coder = $1 AND finished_at IS NULL`

	recodingColumns = `SELECT r.id, coalesce(r.case_id, 0), coalesce(c.item_id, 0), coalesce(r.practice_id, 0), r.coder, r.taken_at, r.finished_at,
			coalesce(c.setting, p.note->>'setting', ''), r.given, r.rejected, coalesce(p.note, '{}'), coalesce(p.suggestions, '[]'), coalesce(p.gold, '[]')
		FROM recodings r LEFT JOIN audit_cases c ON c.id = r.case_id LEFT JOIN practice_notes p ON p.id = r.practice_id`
	sqlRecoding       = recodingColumns + ` WHERE r.id = $1`
	sqlLockedRecoding = sqlRecoding + ` FOR NO KEY UPDATE OF r`

	sqlSetRecoding    = `UPDATE recodings SET given = $2, rejected = $3, finished_at = $4 WHERE id = $1`
	sqlDeleteRecoding = `DELETE FROM recodings WHERE id = $1 AND finished_at IS NULL AND ($2 = '' OR coder = $2)`

	sqlQualityCounts = `SELECT (SELECT count(*) FROM audit_sample_cases), (SELECT count(*) FROM judgements),
			(SELECT count(*) FROM recodings WHERE case_id IS NOT NULL AND finished_at IS NOT NULL)`

	sqlInsertJudgement = `INSERT INTO judgements (case_id, judge, at, codes, remark) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (case_id) DO NOTHING`

	sqlInsertAnswer = `INSERT INTO finding_answers (case_id, coder, kind, system, code, agrees, text, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`

	sqlAnswers = `SELECT DISTINCT ON (case_id, coder, kind, system, code) case_id, coder, kind, system, code, agrees, text, at
		FROM finding_answers WHERE case_id = ANY ($1) ORDER BY case_id, coder, kind, system, code, id DESC`
)

// AuditCases gives the cases of a sample, or with 0 of all, that a login coded the
// first time or again, or with an empty one all: with recodings and judgements,
// without notes.
func (s *Store) AuditCases(ctx context.Context, sample int64, login string) ([]coding.AuditCase, error) {
	return s.cases(ctx, sqlCases, true, sample, login)
}

// AuditCaseLines gives the cases of a sample, or with 0 of all, for a list: without
// notes, codes and patients.
func (s *Store) AuditCaseLines(ctx context.Context, sample int64) ([]coding.AuditCase, error) {
	return s.cases(ctx, sqlCases, false, sample, "")
}

// QualityCounts counts what AuditCases gives.
func (s *Store) QualityCounts(ctx context.Context) (n coding.QualityCounts, err error) {
	err = s.pool.QueryRow(ctx, sqlQualityCounts).Scan(&n.Cases, &n.Judgements, &n.Recodings)
	return n, wrap("count audits", err)
}

// AuditCase gives one case with its notes, as they were when it was drawn.
func (s *Store) AuditCase(ctx context.Context, id int64) (c coding.AuditCase, found bool, err error) {
	list, err := s.cases(ctx, sqlCase, true, id)
	if err != nil || len(list) == 0 {
		return c, false, err
	}
	c = list[0]
	notes, err := caseNotes(ctx, s.pool, id)
	c.Notes = notes[id]
	return c, err == nil, err
}

func (s *Store) cases(ctx context.Context, sql string, codes bool, args ...any) ([]coding.AuditCase, error) {
	const op = "read cases"
	rows, err := s.pool.Query(ctx, sql, append([]any{codes}, args...)...)
	if err != nil {
		return nil, wrap(op, err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c coding.AuditCase, err error) {
		err = row.Scan(&c.ID, &c.Sample, &c.Item, &c.FinishSeq, &c.Coder, &c.FinishedAt, &c.Setting, &c.Specialty, &c.Wanted, &c.Given, &c.Patient)
		c.FinishedAt = c.FinishedAt.UTC()
		return c, err
	})
	if err != nil {
		return nil, wrap(op, err)
	}
	at, ids := map[int64]int{}, []int64{}
	for i := range out {
		at[out[i].ID] = i
		ids = append(ids, out[i].ID)
	}
	var r coding.Recoding
	var finished *time.Time
	if rows, err = s.pool.Query(ctx, sqlRecodingsOf, codes, ids); err != nil {
		return nil, wrap(op, err)
	}
	if _, err = pgx.ForEachRow(rows, []any{&r.ID, &r.Case, &r.Coder, &r.TakenAt, &finished, &r.Given}, func() error {
		c := &out[at[r.Case]]
		r.Item, r.Setting, r.TakenAt, r.FinishedAt = c.Item, c.Setting, r.TakenAt.UTC(), timeFrom(finished)
		c.Recodings = append(c.Recodings, r)
		r.Given = nil
		return nil
	}); err != nil {
		return nil, wrap(op, err)
	}
	var j coding.Judgement
	if rows, err = s.pool.Query(ctx, sqlJudgementsOf, codes, ids); err != nil {
		return nil, wrap(op, err)
	}
	_, err = pgx.ForEachRow(rows, []any{&j.Case, &j.By, &j.At, &j.Codes, &j.Remark}, func() error {
		one := j
		one.At = one.At.UTC()
		out[at[j.Case]].Judgement = &one
		j.Codes = nil
		return nil
	})
	return out, wrap(op, err)
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// CaseNotes gives the notes of cases as they were when they were drawn, by case.
func (s *Store) CaseNotes(ctx context.Context, cases []int64) (map[int64][]coding.ItemNote, error) {
	return caseNotes(ctx, s.pool, cases...)
}

func caseNotes(ctx context.Context, q querier, cases ...int64) (map[int64][]coding.ItemNote, error) {
	of := make(map[int64]*[]coding.ItemNote, len(cases))
	for _, id := range cases {
		of[id] = new([]coding.ItemNote)
	}
	rows, err := q.Query(ctx, sqlCaseNotes, cases)
	if err == nil {
		err = collectOf(rows, of, scanNote, func(list *[]coding.ItemNote, n coding.ItemNote) { *list = append(*list, n) })
	}
	if err != nil {
		return nil, wrap("read the notes of cases", err)
	}
	out := make(map[int64][]coding.ItemNote, len(cases))
	for id, list := range of {
		out[id] = *list
	}
	return out, nil
}

// CasesFree counts the cases that a login could code again blind: who gave the
// codes, or ever looked at the item, cannot.
func (s *Store) CasesFree(ctx context.Context, login string) (n int, err error) {
	err = s.pool.QueryRow(ctx, sqlCasesFree, login).Scan(&n)
	return n, wrap("count cases", err)
}

// OpenRecodings gives the numbers of the recodings that a login has begun: of a
// case and of a practice note; 0: none.
func (s *Store) OpenRecodings(ctx context.Context, login string) (ofCase, practice int64, err error) {
	err = s.pool.QueryRow(ctx, sqlOpenCodings, login).Scan(&ofCase, &practice)
	return ofCase, practice, wrap("read recodings", err)
}

// TakeCase gives the recoding that a login has begun, or begins the oldest that is
// free for it; found is false where there is none.
func (s *Store) TakeCase(ctx context.Context, login string, ev coding.AuditEvent) (id int64, found bool, err error) {
	return s.take(ctx, login, false, sqlTakeCase, ev)
}

func (s *Store) take(ctx context.Context, login string, practice bool, sql string, ev coding.AuditEvent) (id int64, found bool, err error) {
	err = s.inTx(ctx, "take a case", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlQualityLock, qualityLock); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, sqlOpenCoding, login, practice).Scan(&id)
		if err == nil {
			found = true
			return nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		err = tx.QueryRow(ctx, sql, login, ev.At).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		found = true
		return insertAudit(ctx, tx, ev)
	})
	return id, found && err == nil, err
}

// Recoding gives a recoding with its notes. Ev, unless nil, is entered in the audit
// trail, and nothing is given unless that succeeded.
func (s *Store) Recoding(ctx context.Context, id int64, ev *coding.AuditEvent) (r coding.Recoding, found bool, err error) {
	err = s.inTx(ctx, "read a recoding", func(tx pgx.Tx) error {
		var err error
		if r, found, err = s.recoding(ctx, tx, sqlRecoding, id); err != nil || !found || ev == nil {
			return err
		}
		return insertAudit(ctx, tx, *ev)
	})
	return r, found && err == nil, err
}

func (s *Store) recoding(ctx context.Context, tx pgx.Tx, sql string, id int64) (r coding.Recoding, found bool, err error) {
	var finished *time.Time
	var note coding.Note
	err = tx.QueryRow(ctx, sql, id).Scan(&r.ID, &r.Case, &r.Item, &r.Practice, &r.Coder, &r.TakenAt, &finished, &r.Setting, &r.Given, &r.Rejected, &note, &r.Suggested, &r.Gold)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, false, nil
	}
	if err != nil {
		return r, false, err
	}
	r.TakenAt, r.FinishedAt = r.TakenAt.UTC(), timeFrom(finished)
	if r.Practice != 0 {
		r.Notes = []coding.ItemNote{{ID: r.Practice, Note: note, Revision: 1, ReceivedAt: r.TakenAt, StoredAt: r.TakenAt}}
		return r, true, nil
	}
	notes, err := caseNotes(ctx, tx, r.Case)
	r.Notes = notes[r.Case]
	return r, true, err
}

// ChangeRecoding locks a recoding, lets change alter what was given, rejected and
// whether it is finished, and writes that. An error of change alters nothing and
// comes back as it is; ev, unless nil, is entered with it.
func (s *Store) ChangeRecoding(ctx context.Context, id int64, change func(r *coding.Recoding) (*coding.AuditEvent, error)) (found bool, err error) {
	var refused error
	err = s.inTx(ctx, "change a recoding", func(tx pgx.Tx) error {
		r, there, err := s.recoding(ctx, tx, sqlLockedRecoding, id)
		if err != nil || !there {
			return err
		}
		found = true
		finished := !r.FinishedAt.IsZero()
		var ev *coding.AuditEvent
		if ev, refused = change(&r); refused != nil {
			return errRefused
		}
		if finished { // stays as it is
			return nil
		}
		if r.Rejected == nil {
			r.Rejected = []coding.CodeKey{}
		}
		if _, err := tx.Exec(ctx, sqlSetRecoding, id, given(r.Given), r.Rejected, timeArg(r.FinishedAt)); err != nil || ev == nil {
			return err
		}
		return insertAudit(ctx, tx, *ev)
	})
	if refused != nil {
		return true, refused
	}
	return found && err == nil, err
}

// ReturnRecoding takes back a recoding that is not finished, of a login or with an
// empty one of anybody, so that somebody else can take its case.
func (s *Store) ReturnRecoding(ctx context.Context, id int64, login string, ev coding.AuditEvent) (found bool, err error) {
	err = s.inTx(ctx, "return a case", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sqlDeleteRecoding, id, login)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		found = true
		return insertAudit(ctx, tx, ev)
	})
	return found && err == nil, err
}

// Judge keeps a judgement; ok is false where the case has one.
func (s *Store) Judge(ctx context.Context, j coding.Judgement, ev coding.AuditEvent) (ok bool, err error) {
	err = s.inTx(ctx, "judge a case", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sqlInsertJudgement, j.Case, j.By, j.At, given(j.Codes), j.Remark)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		ok = true
		return insertAudit(ctx, tx, ev)
	})
	return ok && err == nil, err
}

// AnswerFinding keeps what a coder says to a finding.
func (s *Store) AnswerFinding(ctx context.Context, a coding.FindingAnswer, ev coding.AuditEvent) error {
	return s.inTx(ctx, "answer a finding", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlInsertAnswer, a.Case, a.Coder, string(a.Kind), string(a.Code.System), a.Code.Code, a.Agrees, a.Text, a.At); err != nil {
			return err
		}
		return insertAudit(ctx, tx, ev)
	})
}

// FindingAnswers gives the last answer to each finding of cases.
func (s *Store) FindingAnswers(ctx context.Context, cases []int64) ([]coding.FindingAnswer, error) {
	rows, err := s.pool.Query(ctx, sqlAnswers, cases)
	if err != nil {
		return nil, wrap("read answers", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a coding.FindingAnswer, err error) {
		err = row.Scan(&a.Case, &a.Coder, &a.Kind, &a.Code.System, &a.Code.Code, &a.Agrees, &a.Text, &a.At)
		a.At = a.At.UTC()
		return a, err
	})
	return out, wrap("read answers", err)
}
