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
// nobody waits for anybody. A key that was used before gives the item that it was
// used for, and changes nothing.
func (s *Store) TakeNext(ctx context.Context, q coding.WorklistQuery, except []int64, claim coding.Claim, now time.Time, ev coding.AuditEvent, key coding.ActKey) (id int64, found bool, err error) {
	statement, ok := takeNextSQL[q.Sort]
	if !ok {
		return 0, false, wrap("take next item", plainf("an order is needed"))
	}
	if except == nil {
		except = []int64{}
	}
	err = s.inTx(ctx, "take next item", func(tx pgx.Tx) error {
		done, err := lockActKey(ctx, tx, key)
		if err != nil {
			return err
		}
		if done != nil {
			id, found = done.Item, true
			return nil
		}
		var before string
		take := func(q coding.WorklistQuery, waitsFor string) error {
			args := append([]any{planned}, filters(q, now)...)
			args[18] = waitsFor
			err := tx.QueryRow(ctx, statement, append(args, except, claim.Login)...).Scan(&id, &before)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			found = err == nil
			return err
		}
		var mine bool
		if err := tx.QueryRow(ctx, sqlWaitsForMe, claim.Login).Scan(&mine); err != nil {
			return err
		}
		if mine {
			if err := take(q, claim.Login); err != nil {
				return err
			}
		}
		parts := []coding.WorklistQuery{q}
		if !found {
			if parts, err = s.byFirst(ctx, tx, q, now); err != nil {
				return err
			}
		}
		for i := 0; i < len(parts) && !found; i++ {
			if err := take(parts[i], ""); err != nil {
				return err
			}
		}
		if !found {
			return nil
		}
		ev.Item = id
		if before != "" && before != claim.Login {
			ev.Action = string(coding.EventTaken)
		}
		return writeChange(ctx, tx, coding.ItemHead{ID: id}, coding.ItemChange{
			State: coding.ItemClaimed, Claim: &claim, Events: []coding.AuditEvent{ev},
		}, key)
	})
	if err != nil {
		return 0, false, err
	}
	return id, found, nil
}

// byFirst splits a query for several specialties into one for each, in the order
// of the first item of each: along the index of one specialty the next item is a
// few rows away, whereas nothing gives the items of several in order, and to look
// through all others for them takes seconds where they are rare.
func (s *Store) byFirst(ctx context.Context, tx pgx.Tx, q coding.WorklistQuery, now time.Time) ([]coding.WorklistQuery, error) {
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
		rows, err := tx.Query(ctx, statement, append([]any{planned}, args...)...)
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
