package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

// The worklist's statements are put together from these constants: one for
// each order, with and without finished items, so that each has an index that
// gives its rows in order. $1-$5 are the filters, NULL where they do not
// restrict, $6 the moment; then come states and holder, the place to go on
// from, and the limit.
const (
	worklistFilter = ` WHERE i.note_count > 0
		AND ($1::text[] IS NULL OR i.setting = ANY ($1))
		AND ($2::text[] IS NULL OR i.source = ANY ($2))
		AND ($3::text[] IS NULL OR i.specialty = ANY ($3))
		AND ($4::boolean IS NULL OR i.degraded = $4)
		AND ($5::boolean IS NULL OR (i.invalid_count > 0) = $5)`

	worklistState = ` AND ($7::text[] IS NULL OR CASE WHEN i.state = 'claimed' AND i.claimed_until <= $6 THEN 'open' ELSE i.state END = ANY ($7))
		AND ($8 = '' OR (i.claimed_by = $8 AND i.claimed_until > $6))`
	worklistActive = ` AND i.state <> 'finished'`

	byPriority = ` AND i.priority <= $9 AND (i.priority < $9 OR (i.received_at, i.id) > ($10, $11))
		ORDER BY i.priority DESC, i.received_at, i.id LIMIT $12`
	byOldest = ` AND $9::int IS NOT NULL AND (i.received_at, i.id) > ($10, $11)
		ORDER BY i.received_at, i.id LIMIT $12`
	byNewest = ` AND $9::int IS NOT NULL AND (i.received_at, i.id) < ($10, $11)
		ORDER BY i.received_at DESC, i.id DESC LIMIT $12`
	byUpdated = ` AND $9::int IS NOT NULL AND (i.updated_at, i.id) < ($10, $11)
		ORDER BY i.updated_at DESC, i.id DESC LIMIT $12`

	sqlWorklistPriority       = itemColumns + worklistFilter + worklistState + byPriority
	sqlWorklistOldest         = itemColumns + worklistFilter + worklistState + byOldest
	sqlWorklistNewest         = itemColumns + worklistFilter + worklistState + byNewest
	sqlWorklistUpdated        = itemColumns + worklistFilter + worklistState + byUpdated
	sqlWorklistActivePriority = itemColumns + worklistFilter + worklistState + worklistActive + byPriority
	sqlWorklistActiveOldest   = itemColumns + worklistFilter + worklistState + worklistActive + byOldest
	sqlWorklistActiveNewest   = itemColumns + worklistFilter + worklistState + worklistActive + byNewest
	sqlWorklistActiveUpdated  = itemColumns + worklistFilter + worklistState + worklistActive + byUpdated

	takeNext = `SELECT i.id, i.claimed_by FROM items i` + worklistFilter + worklistActive + `
		AND (i.state = 'open' OR (i.state = 'claimed' AND i.claimed_until <= $6)) AND i.id <> ALL ($7::bigint[])`
	takeLock = ` LIMIT 1 FOR NO KEY UPDATE OF i SKIP LOCKED`

	sqlTakeNextPriority = takeNext + ` ORDER BY i.priority DESC, i.received_at, i.id` + takeLock
	sqlTakeNextOldest   = takeNext + ` ORDER BY i.received_at, i.id` + takeLock
	sqlTakeNextNewest   = takeNext + ` ORDER BY i.received_at DESC, i.id DESC` + takeLock
	sqlTakeNextUpdated  = takeNext + ` ORDER BY i.updated_at DESC, i.id DESC` + takeLock

	// One pass; dimension 1 is the state, 2 setting, 3 source, 4 specialty.
	sqlWorklistCounts = `SELECT CASE WHEN grouping(st) = 0 THEN 1 WHEN grouping(setting) = 0 THEN 2
				WHEN grouping(source) = 0 THEN 3 ELSE 4 END,
			coalesce(st, setting, source, specialty), count(*), count(*) FILTER (WHERE state <> 'finished'),
			coalesce(sum(note_count), 0)
		FROM (SELECT CASE WHEN state = 'claimed' AND claimed_until <= $1 THEN 'open' ELSE state END AS st,
				state, setting, source, specialty, note_count FROM items WHERE note_count > 0) AS i
		GROUP BY GROUPING SETS ((st), (setting), (source), (specialty)) ORDER BY 1, 2`
)

var worklistSQL = map[coding.WorklistSort][2]string{
	coding.SortPriority: {sqlWorklistPriority, sqlWorklistActivePriority},
	coding.SortOldest:   {sqlWorklistOldest, sqlWorklistActiveOldest},
	coding.SortNewest:   {sqlWorklistNewest, sqlWorklistActiveNewest},
	coding.SortUpdated:  {sqlWorklistUpdated, sqlWorklistActiveUpdated},
}

var takeNextSQL = map[coding.WorklistSort]string{
	coding.SortPriority: sqlTakeNextPriority,
	coding.SortOldest:   sqlTakeNextOldest,
	coding.SortNewest:   sqlTakeNextNewest,
	coding.SortUpdated:  sqlTakeNextUpdated,
}

// place is where a page of the worklist ended.
type place struct {
	Sort     coding.WorklistSort `json:"s"`
	Priority int                 `json:"p"`
	Micros   int64               `json:"t"` // of the time that the order goes by
	ID       int64               `json:"i"`
}

// The moments before and after all others that the worklist can hold.
var (
	earliest = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
)

// Worklist gives one page of items. Claims that ran out before now count as
// none. A cursor that is not one of this order starts at the beginning.
func (s *Store) Worklist(ctx context.Context, q coding.WorklistQuery, now time.Time) (coding.WorklistPage, error) {
	sql, ok := worklistSQL[q.Sort]
	if !ok || q.Limit < 1 {
		return coding.WorklistPage{}, wrap("read worklist", plainf("an order and a limit are needed"))
	}
	finished := len(q.States) == 0
	for _, st := range q.States {
		finished = finished || st == coding.ItemFinished
	}
	statement := sql[1]
	if finished {
		statement = sql[0]
	}
	at := startOf(q)
	args := append(filters(q, now), texts(q.States), q.Holder, at.Priority, time.UnixMicro(at.Micros), at.ID, q.Limit+1)
	rows, err := s.pool.Query(ctx, statement, args...)
	if err != nil {
		return coding.WorklistPage{}, wrap("read worklist", err)
	}
	heads, err := pgx.CollectRows(rows, scanHead)
	if err != nil {
		return coding.WorklistPage{}, wrap("read worklist", err)
	}
	page := coding.WorklistPage{Items: heads}
	if len(heads) > q.Limit {
		page.Items = heads[:q.Limit]
		page.Next = placeOf(heads[q.Limit-1], q.Sort)
	}
	return page, nil
}

// filters are the arguments $1-$6.
func filters(q coding.WorklistQuery, now time.Time) []any {
	return []any{texts(q.Settings), texts(q.Sources), texts(q.Specialties), q.Degraded, q.Invalid, now}
}

// texts gives NULL for no values: no restriction.
func texts[T ~string](values []T) []string {
	var out []string
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}

func startOf(q coding.WorklistQuery) place {
	if b, err := base64.RawURLEncoding.DecodeString(q.Cursor); err == nil && q.Cursor != "" {
		var at place
		if json.Unmarshal(b, &at) == nil && at.Sort == q.Sort &&
			at.Micros >= earliest.UnixMicro() && at.Micros <= latest.UnixMicro() && at.Priority >= 0 && at.Priority <= 10 {
			return at
		}
	}
	switch q.Sort {
	case coding.SortNewest, coding.SortUpdated:
		return place{Priority: 10, Micros: latest.UnixMicro()}
	}
	return place{Priority: 10, Micros: earliest.UnixMicro()}
}

func placeOf(h coding.ItemHead, sort coding.WorklistSort) string {
	at := place{Sort: sort, Priority: h.Priority, Micros: h.ReceivedAt.UnixMicro(), ID: h.ID}
	if sort == coding.SortUpdated {
		at.Micros = h.UpdatedAt.UnixMicro()
	}
	b, err := json.Marshal(at)
	if err != nil {
		return "" // four plain values: cannot happen
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// TakeNext claims the first free item that fits, except those named, and
// enters ev for it, in one transaction. Many may do it at once: each gets
// another item, and nobody waits for anybody.
func (s *Store) TakeNext(ctx context.Context, q coding.WorklistQuery, except []int64, claim coding.Claim, now time.Time, ev coding.AuditEvent) (id int64, found bool, err error) {
	statement, ok := takeNextSQL[q.Sort]
	if !ok {
		return 0, false, wrap("take next item", plainf("an order is needed"))
	}
	if except == nil {
		except = []int64{}
	}
	err = s.inTx(ctx, "take next item", func(tx pgx.Tx) error {
		var before string
		err := tx.QueryRow(ctx, statement, append(filters(q, now), except)...).Scan(&id, &before)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		found = true
		ev.Item = id
		if before != "" && before != claim.Login {
			ev.Action = string(coding.EventTaken)
		}
		return writeChange(ctx, tx, coding.ItemHead{ID: id}, coding.ItemChange{
			State: coding.ItemClaimed, Claim: &claim, Events: []coding.AuditEvent{ev},
		})
	})
	if err != nil {
		return 0, false, err
	}
	return id, found, nil
}

// WorklistCounts counts items by state, and unfinished ones by what lists are
// filtered by. Values without unfinished items are left out.
func (s *Store) WorklistCounts(ctx context.Context, now time.Time) (coding.WorklistCounts, error) {
	c := coding.WorklistCounts{States: make(map[coding.ItemState]int)}
	rows, err := s.pool.Query(ctx, sqlWorklistCounts, now)
	if err != nil {
		return c, wrap("count worklist", err)
	}
	var dimension, all, unfinished, notes int
	var value string
	_, err = pgx.ForEachRow(rows, []any{&dimension, &value, &all, &unfinished, &notes}, func() error {
		v := coding.ValueCount{Value: value, Count: unfinished}
		switch {
		case dimension == 1:
			c.States[coding.ItemState(value)] = all
			c.Notes += notes
		case unfinished == 0 || value == "":
		case dimension == 2:
			c.Settings = append(c.Settings, v)
		case dimension == 3:
			c.Sources = append(c.Sources, v)
		default:
			c.Specialties = append(c.Specialties, v)
		}
		return nil
	})
	return c, wrap("count worklist", err)
}
