package store

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"chartcode/internal/coding"
)

const (
	// $1-$3 are the periods in which the same releases hold, $4 what holds for
	// items without a date.
	sqlDueItems = `SELECT i.id FROM unnest($1::date[], $2::date[], $3::text[]) AS p (first, last, edition)
			JOIN items i ON i.service_date >= coalesce(p.first, '-infinity') AND i.service_date <= coalesce(p.last, 'infinity')
				AND i.edition <> p.edition
			WHERE i.state <> 'finished' AND i.note_count > 0
		UNION ALL
		SELECT i.id FROM items i
			WHERE i.service_date IS NULL AND i.edition <> $4 AND i.state <> 'finished' AND i.note_count > 0
		ORDER BY id`

	sqlItemEdition = `SELECT edition, service_date FROM items WHERE id = $1 AND state <> 'finished' AND note_count > 0`

	sqlCheckedItems = `SELECT id, version, content, edition, service_date FROM items
		WHERE id = ANY ($1) AND state <> 'finished' AND note_count > 0 ORDER BY id`

	sqlCheckedSets = `SELECT m.item_id, r.service_date, s.body
		FROM item_notes m JOIN notes n ON n.id = m.note_id JOIN note_revisions r ON r.id = n.current_revision_id
			JOIN suggestion_sets s ON s.note_id = n.id AND s.is_current
		WHERE m.item_id = ANY ($1) ORDER BY m.item_id, r.service_date NULLS LAST, r.received_at, n.id`

	sqlCheckedDecisions = `SELECT item_id, seq, kind, coder, at, coalesce(key, ''), content, detail
		FROM decisions WHERE item_id = ANY ($1) ORDER BY item_id, seq`

	sqlLastChecks = `SELECT DISTINCT ON (item_id) item_id, at, edition, content, body
		FROM release_checks WHERE item_id = ANY ($1) ORDER BY item_id, seq DESC`

	sqlCodesNamed = `SELECT r.system, c.code, c.title, c.short, c.billable, c.parent
		FROM codes c JOIN releases r ON r.id = c.release_id
		WHERE c.release_id = $1 AND c.code = ANY ($2) ORDER BY c.code`

	// Codes compare by bytes, and chr(127) comes after every character of a code.
	sqlCodesBelow = `SELECT r.system, c.code, c.title, c.short, c.billable, c.parent
		FROM codes c JOIN releases r ON r.id = c.release_id
		WHERE c.release_id = $1 AND c.code >= $2 AND c.code < $2 || chr(127) ORDER BY c.code`

	sqlCodesTitled = `SELECT r.system, c.code, c.title, c.short, c.billable, c.parent
		FROM codes c JOIN releases r ON r.id = c.release_id
		WHERE c.release_id = $1 AND c.billable AND lower(c.title) = ANY ($2) ORDER BY c.code`

	// Nothing is written about an item that changed since it was read. One whose
	// codes are as they were counts as unchanged.
	sqlSaveEdition = `UPDATE items SET edition = $4, invalid_count = $5
		WHERE id = $1 AND version = $2 AND edition = $3 AND state <> 'finished'`

	sqlSaveCheck = `WITH checked AS (
			UPDATE items SET edition = $4, invalid_count = $5, version = version + 1, updated_at = now()
			WHERE id = $1 AND version = $2 AND edition = $3 AND state <> 'finished' RETURNING id)
		INSERT INTO release_checks (item_id, seq, edition, content, body)
		SELECT c.id, coalesce((SELECT max(k.seq) FROM release_checks k WHERE k.item_id = c.id), 0) + 1, $4, $6, $7
		FROM checked c`
)

// EditionPeriod is a stretch of days, both included, zero without a bound, on
// which the same releases hold, with their name.
type EditionPeriod struct {
	From, To coding.Date
	Edition  string
}

// DueItems gives the unfinished items whose codes were looked up in other
// releases than those that hold on their date of service: one of the periods',
// or undated. In order of id.
func (s *Store) DueItems(ctx context.Context, periods []EditionPeriod, undated string) ([]int64, error) {
	n := len(periods)
	from, to, edition := make([]*time.Time, n), make([]*time.Time, n), make([]string, n)
	for i, p := range periods {
		from[i], to[i], edition[i] = dateArg(p.From), dateArg(p.To), p.Edition
	}
	rows, err := s.pool.Query(ctx, sqlDueItems, from, to, edition, undated)
	if err != nil {
		return nil, wrap("find items to check", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	return ids, wrap("find items to check", err)
}

// ItemEdition gives the releases that an unfinished item's codes were looked up
// in, and its date of service; found is false for any other item.
func (s *Store) ItemEdition(ctx context.Context, id int64) (edition string, on coding.Date, found bool, err error) {
	var day *time.Time
	err = s.pool.QueryRow(ctx, sqlItemEdition, id).Scan(&edition, &day)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", coding.Date{}, false, nil
	}
	return edition, dateFrom(day), err == nil, wrap("read item", err)
}

// CheckView is the database at one moment, for a check.
type CheckView struct {
	tx       pgx.Tx
	Releases []coding.Release
	Items    []coding.CheckedItem // by id; finished ones and those without notes are left out
}

// CheckItems lets check look at items and at code tables as they were at one
// moment, and then writes what it gives, both in a transaction of their own.
// The first locks nothing, so that nobody waits for a check; the second writes
// nothing about an item that changed in between. Changed items are found again
// by DueItems. written counts those that were brought up to date.
func (s *Store) CheckItems(ctx context.Context, ids []int64, check func(ctx context.Context, v *CheckView) ([]coding.CheckResult, error)) (written int, err error) {
	const op = "check items"
	var results []coding.CheckResult
	var refused error
	err = s.transact(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		v := &CheckView{tx: tx}
		if err := v.read(ctx, ids); err != nil {
			return err
		}
		results, refused = check(ctx, v)
		return nil
	})
	if refused != nil {
		return 0, refused
	}
	if err != nil || len(results) == 0 {
		return 0, wrap(op, err)
	}
	err = s.inTx(ctx, op, func(tx pgx.Tx) error {
		written, err = saveChecks(ctx, tx, results)
		return err
	})
	if err != nil {
		return 0, err
	}
	return written, nil
}

func saveChecks(ctx context.Context, tx pgx.Tx, results []coding.CheckResult) (written int, err error) {
	var b pgx.Batch
	ids := make([]int64, len(results))
	for i, r := range results {
		ids[i] = r.Item
	}
	slices.Sort(ids)
	b.Queue(sqlLockItems, ids)
	for _, r := range results {
		if r.Body == nil {
			b.Queue(sqlSaveEdition, r.Item, r.Version, r.Was, r.Edition, r.Invalid)
			continue
		}
		body, err := json.Marshal(r.Body)
		if err != nil {
			return 0, plainf("a check cannot be written as JSON")
		}
		b.Queue(sqlSaveCheck, r.Item, r.Version, r.Was, r.Edition, r.Invalid, r.Content, json.RawMessage(body))
	}
	for i, q := range b.QueuedQueries {
		if i > 0 {
			q.Exec(func(tag pgconn.CommandTag) error {
				written += int(tag.RowsAffected())
				return nil
			})
		}
	}
	return written, tx.SendBatch(ctx, &b).Close()
}

// read gives the view its releases and items in one round trip.
func (v *CheckView) read(ctx context.Context, ids []int64) error {
	at := make(map[int64]int, len(ids))
	var b pgx.Batch
	b.Queue(sqlReleases).Query(func(rows pgx.Rows) (err error) {
		v.Releases, err = pgx.CollectRows(rows, scanRelease)
		return err
	})
	b.Queue(sqlCheckedItems, ids).Query(func(rows pgx.Rows) error {
		var it coding.CheckedItem
		var day *time.Time
		_, err := pgx.ForEachRow(rows, []any{&it.ID, &it.Version, &it.Content, &it.Edition, &day}, func() error {
			it.ServiceDate = dateFrom(day)
			at[it.ID] = len(v.Items)
			v.Items = append(v.Items, it)
			return nil
		})
		return err
	})
	b.Queue(sqlCheckedSets, ids).Query(func(rows pgx.Rows) error {
		var item int64
		var day *time.Time
		var body []byte
		_, err := pgx.ForEachRow(rows, []any{&item, &day, &body}, func() error {
			i, ok := at[item]
			if !ok {
				return nil
			}
			set, err := readSet(body)
			v.Items[i].Notes = append(v.Items[i].Notes, coding.CheckedNote{ServiceDate: dateFrom(day), Set: set})
			return err
		})
		return err
	})
	b.Queue(sqlCheckedDecisions, ids).Query(func(rows pgx.Rows) error {
		var item int64
		var d coding.Decision
		var detail []byte
		_, err := pgx.ForEachRow(rows, []any{&item, &d.Seq, &d.Kind, &d.Coder, &d.At, &d.Key, &d.Content, &detail}, func() error {
			i, ok := at[item]
			if !ok {
				return nil
			}
			d.DecisionDetail = coding.DecisionDetail{}
			if json.Unmarshal(detail, &d.DecisionDetail) != nil {
				return plainf("a decision in the database cannot be read")
			}
			v.Items[i].Decisions = append(v.Items[i].Decisions, d)
			return nil
		})
		return err
	})
	b.Queue(sqlLastChecks, ids).Query(func(rows pgx.Rows) error {
		_, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
			var item int64
			c, err := scanCheckAfter(row, &item)
			if i, ok := at[item]; ok && c.Content == v.Items[i].Content {
				v.Items[i].Last = &c
			}
			return struct{}{}, err
		})
		return err
	})
	return v.tx.SendBatch(ctx, &b).Close()
}

func scanCheck(row pgx.CollectableRow) (coding.ReleaseCheck, error) { return scanCheckAfter(row) }

// scanCheckAfter reads a check behind other columns.
func scanCheckAfter(row pgx.CollectableRow, before ...any) (c coding.ReleaseCheck, err error) {
	var body []byte
	if err = row.Scan(append(before, &c.At, &c.Edition, &c.Content, &body)...); err != nil {
		return c, err
	}
	c.At = c.At.UTC()
	if json.Unmarshal(body, &c.CheckBody) != nil {
		return c, plainf("a check in the database cannot be read")
	}
	return c, nil
}

// Codes gives those of the codes that a release has.
func (v *CheckView) Codes(ctx context.Context, releaseID string, codes []string) ([]coding.Code, error) {
	return v.codes(ctx, sqlCodesNamed, releaseID, codes)
}

// Below gives the codes of a release that begin with prefix.
func (v *CheckView) Below(ctx context.Context, releaseID, prefix string) ([]coding.Code, error) {
	return v.codes(ctx, sqlCodesBelow, releaseID, prefix)
}

// Titled gives the billable codes of a release that have one of the titles,
// which are in lower case.
func (v *CheckView) Titled(ctx context.Context, releaseID string, titles []string) ([]coding.Code, error) {
	return v.codes(ctx, sqlCodesTitled, releaseID, titles)
}

func (v *CheckView) codes(ctx context.Context, sql string, args ...any) ([]coding.Code, error) {
	rows, err := v.tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, wrap("read codes", err)
	}
	codes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c coding.Code, err error) {
		err = row.Scan(&c.System, &c.Code, &c.Title, &c.Short, &c.Billable, &c.Parent)
		return c, err
	})
	return codes, wrap("read codes", err)
}
