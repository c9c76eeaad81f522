package store

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"chartcode/internal/coding"
)

// Few items are read so often that it matters how long planning takes, and their plan
// is the same for all: PostgreSQL would make another for each number of items.
const sqlPlanOnce = `SET LOCAL plan_cache_mode = force_generic_plan`

// recordsAtOnce is how many items are read at once, notes and all.
const recordsAtOnce = 100

// ItemRecords gives everything about items, without events, in the order of their
// ids as given. Items that are not there are left out. Each hundred is read in one
// round trip, as of one moment. After an error it ends.
func (s *Store) ItemRecords(ctx context.Context, ids []int64) iter.Seq2[coding.ItemRecord, error] {
	return func(yield func(coding.ItemRecord, error) bool) {
		for some := range slices.Chunk(ids, recordsAtOnce) {
			records, err := s.readItems(ctx, some)
			if err != nil {
				yield(coding.ItemRecord{}, wrap("read items", err))
				return
			}
			for _, id := range some {
				if r := records[id]; r != nil && !yield(*r, nil) {
					return
				}
			}
		}
	}
}

func (s *Store) readItems(ctx context.Context, ids []int64) (records map[int64]*coding.ItemRecord, err error) {
	err = s.transact(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		var b pgx.Batch
		records = queueRecords(&b, ids, sqlItemHeads, sqlRecordNotes, sqlRecordDecisions, sqlRecordChecks, sqlRecordQueries)
		return tx.SendBatch(ctx, &b).Close()
	})
	return records, err
}

// queueRecords has a batch read what one item or several are by statements for that,
// without events; who are not there are not in the map after it. The heads come first:
// when they are locked, what is read after them is what the locks' last holders left.
func queueRecords(b *pgx.Batch, which any, heads, notes, decisions, checks, queries string) map[int64]*coding.ItemRecord {
	records := map[int64]*coding.ItemRecord{}
	b.Queue(heads, which).Query(func(rows pgx.Rows) error {
		heads, err := pgx.CollectRows(rows, scanHead)
		for _, h := range heads {
			records[h.ID] = &coding.ItemRecord{Head: h}
		}
		return err
	})
	queueOf(b, notes, which, records, scanNote, func(r *coding.ItemRecord, n coding.ItemNote) { r.Notes = append(r.Notes, n) })
	queueOf(b, decisions, which, records, scanDecision, func(r *coding.ItemRecord, d coding.Decision) { r.Decisions = append(r.Decisions, d) })
	queueOf(b, checks, which, records, scanCheck, func(r *coding.ItemRecord, c coding.ReleaseCheck) { r.Checks = append(r.Checks, c) })
	queueOf(b, queries, which, records, scanQuery, func(r *coding.ItemRecord, q coding.Query) { r.Queries = append(r.Queries, q) })
	return records
}

// queueOf has a batch read what belongs to one thing or several; the statement's first column
// says to which.
func queueOf[R, T any](b *pgx.Batch, sql string, which any, records map[int64]*R, scan func(pgx.CollectableRow) (T, error), add func(*R, T)) {
	b.Queue(sql, which).Query(func(rows pgx.Rows) error {
		return collectOf(rows, records, scan, add)
	})
}

func collectOf[R, T any](rows pgx.Rows, records map[int64]*R, scan func(pgx.CollectableRow) (T, error), add func(*R, T)) error {
	defer rows.Close()
	for rows.Next() {
		var id int64
		v, err := scan(belonging{rows, &id})
		if err != nil {
			return err
		}
		if r := records[id]; r != nil {
			add(r, v)
		}
	}
	return rows.Err()
}

// belonging is a row whose first column says to what it belongs.
type belonging struct {
	pgx.CollectableRow
	to *int64
}

// Scan reads the other columns.
func (b belonging) Scan(dest ...any) error {
	return b.CollectableRow.Scan(append([]any{b.to}, dest...)...)
}

// reading is an item that somebody wants to know.
type reading struct {
	id  int64
	err error
}

// Know reads an item unless this process knows it, together with those that others
// want to know, so that an act on it may be one for ActOnRecent.
func (s *Store) Know(ctx context.Context, id int64) error {
	if _, known := s.recent.get(id); known {
		return nil
	}
	r := &reading{id: id}
	if err := s.reads.wait(ctx, r); err != nil {
		return wrap("read item", err)
	}
	return wrap("read item", r.err)
}

// readTogether reads items in one round trip, as of one moment. Where that cannot be
// done, each is read alone, so that one which cannot be read harms no other.
func (s *Store) readTogether(ctx context.Context, some []*reading) {
	var ids []int64
	for _, r := range some {
		ids = append(ids, r.id)
	}
	var records map[int64]*coding.ItemRecord
	err := s.inTrips(ctx, "read item", func(conn *pgxpool.Conn) error {
		var b pgx.Batch
		b.Queue(sqlBeginSnapshot)
		b.Queue(sqlPlanOnce)
		records = queueRecords(&b, ids, sqlItemHeads, sqlRecordNotes, sqlRecordDecisions, sqlRecordChecks, sqlRecordQueries)
		queueCommit(&b)
		return conn.SendBatch(ctx, &b).Close()
	})
	if err != nil && !errors.Is(err, ErrUnavailable) && ctx.Err() == nil && len(some) > 1 {
		for _, r := range some {
			s.readTogether(ctx, []*reading{r})
		}
		return
	}
	for _, r := range some {
		r.err = late(err)
	}
	if err != nil {
		return
	}
	for _, r := range records {
		s.recent.put(*r)
	}
}
