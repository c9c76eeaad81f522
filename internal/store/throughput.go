package store

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	// One process counts at a time. The lock's second number is the table's, so that
	// schemas of one database keep apart.
	sqlTryThroughput  = `SELECT pg_try_advisory_xact_lock(1952999, 'throughput_changes'::regclass::oid::int)`
	sqlLockThroughput = `SELECT pg_advisory_xact_lock(1952999, 'throughput_changes'::regclass::oid::int)`

	sqlThroughputRules    = `SELECT rules FROM throughput_state`
	sqlSetThroughputRules = `INSERT INTO throughput_state (rules, counted_at) VALUES ($1, now())
		ON CONFLICT (only_row) DO UPDATE SET rules = excluded.rules, counted_at = excluded.counted_at`

	sqlTakeThroughputChanges = `DELETE FROM throughput_changes
		WHERE id IN (SELECT id FROM throughput_changes ORDER BY id LIMIT $1) RETURNING item_id`
	sqlClearThroughputChanges = `DELETE FROM throughput_changes`
	sqlClearThroughputRounds  = `DELETE FROM throughput_rounds`
	sqlClearThroughputNotes   = `DELETE FROM throughput_notes`
	sqlClearThroughputCells   = `DELETE FROM throughput_cells`

	sqlCountItems  = `SELECT count(*) FROM items`
	sqlItemsBehind = `SELECT id FROM items WHERE id > $1 ORDER BY id LIMIT $2`

	sqlHistoryItems = `SELECT id, source, setting, specialty, state, received_at, note_count FROM items WHERE id = ANY ($1) ORDER BY id`

	// The length of a text is known without reading it.
	sqlHistoryNotes = `SELECT m.item_id, m.added_at, octet_length(r.text)
		FROM item_notes m JOIN notes n ON n.id = m.note_id JOIN note_revisions r ON r.id = n.current_revision_id
		WHERE m.item_id = ANY ($1) ORDER BY m.item_id, m.note_id`

	sqlHistorySets = `SELECT m.item_id, s.id, s.note_id, r.received_at, s.created_at,
			CASE WHEN s.model = '' THEN s.ranker ELSE s.model END, s.degraded, round(s.cost_usd * 1e9)::bigint
		FROM item_notes m JOIN suggestion_sets s ON s.note_id = m.note_id JOIN note_revisions r ON r.id = s.revision_id
		WHERE m.item_id = ANY ($1) ORDER BY m.item_id, s.id`

	sqlHistoryActs = `SELECT item_id, at, actor, action FROM audit_events
		WHERE item_id = ANY ($1) AND item_id <> 0 ORDER BY item_id, at, id`

	sqlHistoryDecisions = `SELECT item_id, seq, kind, coder, at, coalesce(detail->>'system', ''), coalesce(detail->>'code', ''),
			coalesce(detail->'to'->>'system', ''), coalesce(detail->'to'->>'code', ''), coalesce(detail->>'origin', ''),
			coalesce(detail->>'reason_code', ''), coalesce(detail->>'disposition', ''), coalesce((detail->>'batch')::int, 0)
		FROM decisions WHERE item_id = ANY ($1) ORDER BY item_id, seq`

	roundColumns = `item_id, number, source, setting, specialty, state, started_at, looked_at, finished_at, coder, returned,
		notes, bytes, active_us, others_us, work_us, accepted, modified, added, reasons`
	noteFactColumns = `set_id, item_id, note_id, source, setting, specialty, is_first, received_at, suggested_at, model, degraded, nano_usd`

	sqlRoundsOf          = `SELECT ` + roundColumns + ` FROM throughput_rounds WHERE item_id = ANY ($1) ORDER BY item_id, number`
	sqlNoteFactsOf       = `SELECT ` + noteFactColumns + ` FROM throughput_notes WHERE item_id = ANY ($1) ORDER BY item_id, set_id`
	sqlDeleteRoundsOf    = `DELETE FROM throughput_rounds WHERE item_id = ANY ($1)`
	sqlDeleteNoteFactsOf = `DELETE FROM throughput_notes WHERE item_id = ANY ($1)`
)

// rebuildBatch is how many items are counted at once; rebuildCells how many sums
// are kept in memory meanwhile.
const (
	rebuildBatch = 1000
	rebuildCells = 50_000
)

// RefreshThroughput counts up to limit changes of items. It gives how many it took;
// none when another process is counting. Where the figures were counted by other
// rules, or never, current is false and it does nothing.
func (s *Store) RefreshThroughput(ctx context.Context, rules coding.ThroughputRules, limit int) (taken int, current bool, err error) {
	err = s.inTx(ctx, "count changed items", func(tx pgx.Tx) error {
		var mine bool
		if err := tx.QueryRow(ctx, sqlTryThroughput).Scan(&mine); err != nil || !mine {
			current = true
			return err
		}
		var name string
		if err := tx.QueryRow(ctx, sqlThroughputRules).Scan(&name); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if current = name == rules.Name; !current {
			return nil
		}
		// What is read after this statement is at least as new as what it took out.
		rows, err := tx.Query(ctx, sqlTakeThroughputChanges, limit)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		taken = len(ids)
		slices.Sort(ids)
		c := counting{tx: tx, rules: rules, cells: coding.Cells{}}
		if taken > 0 {
			if err := c.recount(ctx, slices.Compact(ids)); err != nil {
				return err
			}
			if err := c.writeCells(ctx); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, sqlSetThroughputRules, rules.Name)
		return err
	})
	if err != nil {
		return 0, false, err
	}
	return taken, current, nil
}

// RebuildThroughput counts all items anew, in one transaction: until it ends the
// figures of before are there. Progress, which may be nil, is told how far it is.
func (s *Store) RebuildThroughput(ctx context.Context, rules coding.ThroughputRules, progress func(n, total int)) (items int, err error) {
	err = s.inTx(ctx, "count all items", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockThroughput); err != nil {
			return err
		}
		for _, sql := range []string{sqlClearThroughputChanges, sqlClearThroughputRounds, sqlClearThroughputNotes, sqlClearThroughputCells} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		var total int
		if err := tx.QueryRow(ctx, sqlCountItems).Scan(&total); err != nil {
			return err
		}
		c := counting{tx: tx, rules: rules, cells: coding.Cells{}}
		for last := int64(0); ; {
			rows, err := tx.Query(ctx, sqlItemsBehind, last, rebuildBatch)
			if err != nil {
				return err
			}
			ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				break
			}
			if err := c.recount(ctx, ids); err != nil {
				return err
			}
			if len(c.cells) > rebuildCells {
				if err := c.writeCells(ctx); err != nil {
					return err
				}
			}
			items, last = items+len(ids), ids[len(ids)-1]
			if progress != nil {
				progress(items, max(total, items))
			}
		}
		if err := c.writeCells(ctx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, sqlSetThroughputRules, rules.Name)
		return err
	})
	return items, err
}

// counting is a transaction that counts items: cells are what it will add.
type counting struct {
	tx    pgx.Tx
	rules coding.ThroughputRules
	cells coding.Cells
}

// recount replaces the facts of items, in order of their ids.
func (c *counting) recount(ctx context.Context, ids []int64) error {
	old, err := c.facts(ctx, ids)
	if err != nil {
		return err
	}
	histories, err := c.histories(ctx, ids)
	if err != nil {
		return err
	}
	var changed []int64
	var rounds, notes [][]any
	for _, id := range ids {
		var now coding.ItemFacts
		if h := histories[id]; h != nil {
			now = c.rules.Facts(*h)
		}
		before := old[id]
		if before == nil {
			before = new(coding.ItemFacts)
		}
		if sameFacts(*before, now) {
			continue
		}
		changed = append(changed, id)
		for k, sums := range c.rules.Cells(*before) {
			c.cells.At(k).Merge(sums, -1)
		}
		for k, sums := range c.rules.Cells(now) {
			c.cells.At(k).Merge(sums, 1)
		}
		for _, r := range now.Rounds {
			rounds = append(rounds, roundRow(r))
		}
		for _, n := range now.Notes {
			notes = append(notes, noteFactRow(n))
		}
	}
	if len(changed) == 0 {
		return nil
	}
	// A note that moved took its sets from an item of another batch.
	for _, sql := range []string{sqlDeleteRoundsOf, sqlDeleteNoteFactsOf} {
		if _, err := c.tx.Exec(ctx, sql, changed); err != nil {
			return err
		}
	}
	if err := c.releaseSets(ctx, notes); err != nil {
		return err
	}
	if err := copyRows(ctx, c.tx, "throughput_rounds", roundColumns, rounds); err != nil {
		return err
	}
	return copyRows(ctx, c.tx, "throughput_notes", noteFactColumns, notes)
}

// sqlTakeSets gives the facts of sets that another item, not counted anew yet, still has.
const sqlTakeSets = `DELETE FROM throughput_notes WHERE set_id = ANY ($1) RETURNING ` + noteFactColumns

// releaseSets takes sets out of the item in which they were counted before their
// note moved, which will be counted in its turn.
func (c *counting) releaseSets(ctx context.Context, notes [][]any) error {
	ids := make([]int64, len(notes))
	for i, row := range notes {
		ids[i] = row[0].(int64) //nolint:forcetypeassert // noteFactRow puts it there
	}
	rows, err := c.tx.Query(ctx, sqlTakeSets, ids)
	if err != nil {
		return err
	}
	taken, err := pgx.CollectRows(rows, scanNoteFact)
	for _, n := range taken {
		for k, sums := range c.rules.Cells(coding.ItemFacts{Notes: []coding.NoteFact{n}}) {
			c.cells.At(k).Merge(sums, -1)
		}
	}
	return err
}

func sameFacts(a, b coding.ItemFacts) bool {
	return reflect.DeepEqual(a.Rounds, b.Rounds) && slices.Equal(a.Notes, b.Notes)
}

// facts gives what was counted of items so far.
func (c *counting) facts(ctx context.Context, ids []int64) (map[int64]*coding.ItemFacts, error) {
	out := map[int64]*coding.ItemFacts{}
	at := func(id int64) *coding.ItemFacts {
		if out[id] == nil {
			out[id] = new(coding.ItemFacts)
		}
		return out[id]
	}
	var b pgx.Batch
	b.Queue(sqlRoundsOf, ids).Query(func(rows pgx.Rows) error {
		all, err := pgx.CollectRows(rows, scanRound)
		for _, r := range all {
			at(r.Item).Rounds = append(at(r.Item).Rounds, r)
		}
		return err
	})
	b.Queue(sqlNoteFactsOf, ids).Query(func(rows pgx.Rows) error {
		all, err := pgx.CollectRows(rows, scanNoteFact)
		for _, n := range all {
			at(n.Item).Notes = append(at(n.Item).Notes, n)
		}
		return err
	})
	return out, c.tx.SendBatch(ctx, &b).Close()
}

// histories gives what happened to items.
func (c *counting) histories(ctx context.Context, ids []int64) (map[int64]*coding.ItemHistory, error) {
	out := map[int64]*coding.ItemHistory{}
	var b pgx.Batch
	each := func(sql string, scan func(rows pgx.Rows) error) {
		b.Queue(sql, ids).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				if err := scan(rows); err != nil {
					return err
				}
			}
			return rows.Err()
		})
	}
	each(sqlHistoryItems, func(rows pgx.Rows) error {
		h := new(coding.ItemHistory)
		err := rows.Scan(&h.ID, &h.Source, &h.Setting, &h.Specialty, &h.State, &h.ReceivedAt, &h.NoteCount)
		h.ReceivedAt = h.ReceivedAt.UTC()
		out[h.ID] = h
		return err
	})
	// An item that came into being since the first statement is counted in its turn.
	var item int64
	stray := new(coding.ItemHistory)
	of := func() *coding.ItemHistory {
		if h := out[item]; h != nil {
			return h
		}
		return stray
	}
	each(sqlHistoryNotes, func(rows pgx.Rows) error {
		var n coding.HistoryNote
		err := rows.Scan(&item, &n.AddedAt, &n.Bytes)
		n.AddedAt = n.AddedAt.UTC()
		of().Notes = append(of().Notes, n)
		return err
	})
	each(sqlHistorySets, func(rows pgx.Rows) error {
		var h coding.HistorySet
		err := rows.Scan(&item, &h.ID, &h.NoteID, &h.ReceivedAt, &h.CreatedAt, &h.Model, &h.Degraded, &h.NanoUSD)
		h.ReceivedAt, h.CreatedAt = h.ReceivedAt.UTC(), h.CreatedAt.UTC()
		of().Sets = append(of().Sets, h)
		return err
	})
	each(sqlHistoryActs, func(rows pgx.Rows) error {
		var a coding.HistoryAct
		err := rows.Scan(&item, &a.At, &a.Actor, &a.Action)
		a.At = a.At.UTC()
		of().Acts = append(of().Acts, a)
		return err
	})
	each(sqlHistoryDecisions, func(rows pgx.Rows) error {
		var d coding.Decision
		var to coding.CodeKey
		err := rows.Scan(&item, &d.Seq, &d.Kind, &d.Coder, &d.At, &d.System, &d.Code, &to.System, &to.Code, &d.Origin, &d.ReasonCode, &d.Disposition, &d.Batch)
		d.At = d.At.UTC()
		if to.Code != "" {
			d.To = &to
		}
		of().Decisions = append(of().Decisions, d)
		return err
	})
	return out, c.tx.SendBatch(ctx, &b).Close()
}

func roundRow(r coding.Round) []any {
	reasons := make([]string, len(r.Rejected))
	for i, code := range r.Rejected {
		reasons[i] = string(code)
	}
	return []any{
		r.Item, r.Number, r.Source, string(r.Setting), r.Specialty, string(r.State), r.StartedAt, timeArg(r.LookedAt), timeArg(r.FinishedAt),
		r.Coder, r.Returned, r.Notes, r.Bytes, r.Active.Microseconds(), r.Others.Microseconds(), r.Work.Microseconds(),
		r.Accepted, r.Modified, r.Added, reasons,
	}
}

func scanRound(row pgx.CollectableRow) (r coding.Round, err error) {
	var looked, finished *time.Time
	var active, others, work int64
	var reasons []string
	err = row.Scan(&r.Item, &r.Number, &r.Source, &r.Setting, &r.Specialty, &r.State, &r.StartedAt, &looked, &finished,
		&r.Coder, &r.Returned, &r.Notes, &r.Bytes, &active, &others, &work, &r.Accepted, &r.Modified, &r.Added, &reasons)
	r.StartedAt, r.LookedAt, r.FinishedAt = r.StartedAt.UTC(), timeFrom(looked), timeFrom(finished)
	r.Active, r.Others, r.Work = micros(active), micros(others), micros(work)
	for _, code := range reasons {
		r.Rejected = append(r.Rejected, coding.ReasonCode(code))
	}
	return r, err
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

func noteFactRow(n coding.NoteFact) []any {
	return []any{n.Set, n.Item, n.Note, n.Source, string(n.Setting), n.Specialty, n.First, n.ReceivedAt, n.SuggestedAt, n.Model, n.Degraded, n.NanoUSD}
}

func scanNoteFact(row pgx.CollectableRow) (n coding.NoteFact, err error) {
	err = row.Scan(&n.Set, &n.Item, &n.Note, &n.Source, &n.Setting, &n.Specialty, &n.First, &n.ReceivedAt, &n.SuggestedAt, &n.Model, &n.Degraded, &n.NanoUSD)
	n.ReceivedAt, n.SuggestedAt = n.ReceivedAt.UTC(), n.SuggestedAt.UTC()
	return n, err
}
