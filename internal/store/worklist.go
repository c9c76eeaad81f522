package store

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"chartcode/internal/coding"
)

// planned makes PostgreSQL plan a statement for the values at hand. A prepared
// statement would after a few uses be planned for any values, which for lists
// with filters means to look through all items.
const planned = pgx.QueryExecModeCacheDescribe

// place is where a page of the worklist ended.
type place struct {
	Sort     coding.WorklistSort `json:"s"`
	Priority int                 `json:"p"`
	Need     float64             `json:"n"`
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
	statement, args, ok := listStatement(q, now)
	if !ok {
		return coding.WorklistPage{}, wrap("read worklist", plainf("an order and a limit are needed"))
	}
	rows, err := s.pool.Query(ctx, statement, append([]any{planned}, args...)...)
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

func startOf(q coding.WorklistQuery) place {
	if b, err := base64.RawURLEncoding.DecodeString(q.Cursor); err == nil && q.Cursor != "" {
		var at place
		if json.Unmarshal(b, &at) == nil && at.Sort == q.Sort &&
			at.Micros >= earliest.UnixMicro() && at.Micros <= latest.UnixMicro() && at.Priority >= 0 && at.Priority <= 10 && !math.IsNaN(at.Need) {
			return at
		}
	}
	switch q.Sort {
	case coding.SortNewest, coding.SortUpdated:
		return place{Priority: 10, Micros: latest.UnixMicro()}
	}
	return place{Priority: 10, Need: math.MaxFloat64, Micros: earliest.UnixMicro()}
}

func placeOf(h coding.ItemHead, sort coding.WorklistSort) string {
	at := place{Sort: sort, Priority: h.Priority, Need: h.Need, Micros: h.ReceivedAt.UnixMicro(), ID: h.ID}
	if sort == coding.SortUpdated {
		at.Micros = h.MovedAt.UnixMicro()
	}
	b, err := json.Marshal(at)
	if err != nil {
		return "" // five plain values: cannot happen
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// TakeNext claims the first free item that fits, except those named, and
// enters ev for it, in one transaction. Items that wait for the claim's holder
// come first; those that wait for somebody else, or that the holder skipped for
// now, are passed over. Many may do it at once: each gets another item, and
// nobody waits for anybody. Id is 0 when there is none. With a key that was used
// before nothing is changed, and done is what it was used for.
func (s *Store) TakeNext(ctx context.Context, q coding.WorklistQuery, except []int64, claim coding.Claim, now time.Time, ev coding.AuditEvent, key coding.ActKey) (id int64, done *coding.ActKey, err error) {
	if _, ok := takeNextSQL[q.Sort]; !ok {
		return 0, nil, wrap("take next item", plainf("an order is needed"))
	}
	if except == nil {
		except = []int64{}
	}
	err = s.inTrips(ctx, "take next item", func(conn *pgxpool.Conn) error {
		var b pgx.Batch
		b.Queue(sqlBegin)
		used := queueActKey(&b, key)
		var mine bool
		b.Queue(sqlWaitsForMe, claim.Login).QueryRow(func(row pgx.Row) error { return row.Scan(&mine) })
		if err := conn.SendBatch(ctx, &b).Close(); err != nil {
			return err
		}
		if done = used(); done != nil {
			return nil
		}
		var before string
		take := func(q coding.WorklistQuery, waitsFor string) error {
			sql, args := takeStatement(q, now, waitsFor, except, claim.Login)
			err := conn.QueryRow(ctx, sql, args...).Scan(&id, &before)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			return err
		}
		if mine {
			if err := take(q, claim.Login); err != nil {
				return err
			}
		}
		parts := []coding.WorklistQuery{q}
		if id == 0 {
			var err error
			if parts, err = s.byFirst(ctx, conn, q, now); err != nil {
				return err
			}
		}
		for i := 0; i < len(parts) && id == 0; i++ {
			if err := take(parts[i], ""); err != nil {
				return err
			}
		}
		if id == 0 {
			return nil
		}
		ev.Item = id
		if before != "" && before != claim.Login {
			ev.Action = string(coding.EventTaken)
		}
		b = pgx.Batch{}
		c := coding.ItemChange{State: coding.ItemClaimed, Claim: &claim, Events: []coding.AuditEvent{ev}}
		if _, err := queueChange(&b, coding.ItemRecord{Head: coding.ItemHead{ID: id}}, c, key); err != nil {
			return err
		}
		queueCommit(&b)
		return conn.SendBatch(ctx, &b).Close()
	})
	if err != nil {
		return 0, nil, err
	}
	return id, done, nil
}

// byFirst splits a query for several specialties into one for each, in the order
// of the first item of each: along the index of one specialty the next item is a
// few rows away, whereas nothing gives the items of several in order, and to look
// through all others for them takes seconds where they are rare.
func (s *Store) byFirst(ctx context.Context, conn *pgxpool.Conn, q coding.WorklistQuery, now time.Time) ([]coding.WorklistQuery, error) {
	if len(q.Specialties) < 2 {
		return []coding.WorklistQuery{q}, nil
	}
	type part struct {
		query coding.WorklistQuery
		first coding.ItemHead
	}
	var parts []part
	for _, specialty := range q.Specialties {
		one := q
		one.Specialties, one.States, one.Limit, one.Cursor = []string{specialty}, []coding.ItemState{coding.ItemOpen}, 1, ""
		statement, args, _ := listStatement(one, now)
		args[len(args)-1] = 1
		rows, err := conn.Query(ctx, statement, append([]any{planned}, args...)...)
		if err != nil {
			return nil, err
		}
		heads, err := pgx.CollectRows(rows, scanHead)
		if err != nil {
			return nil, err
		}
		if len(heads) > 0 {
			parts = append(parts, part{one, heads[0]})
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int { return inOrder(q.Sort, a.first, b.first) })
	out := make([]coding.WorklistQuery, len(parts))
	for i, p := range parts {
		out[i] = p.query
	}
	return out, nil
}

// inOrder compares two items as the statements of an order do.
func inOrder(sort coding.WorklistSort, a, b coding.ItemHead) int {
	older := cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), cmp.Compare(a.ID, b.ID))
	switch sort {
	case coding.SortPriority:
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), older)
	case coding.SortNeed:
		return cmp.Or(cmp.Compare(b.Need, a.Need), older)
	case coding.SortNewest:
		return -older
	case coding.SortUpdated:
		return cmp.Or(b.MovedAt.Compare(a.MovedAt), cmp.Compare(b.ID, a.ID))
	}
	return older
}
