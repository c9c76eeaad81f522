package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"chartcode/internal/coding"
)

// taking is a wish for the next item.
type taking struct {
	sql       string
	args      []any
	forValues bool // the statement is planned for its arguments
	key       coding.ActKey

	taken
	err error
}

// taken is what became of a wish.
type taken struct {
	id   int64          // 0: no item
	mine bool           // because some wait for who asks
	done *coding.ActKey // because of what the key was used for
}

// TakeNext claims the first free item that fits, except those named, and
// enters ev for it, in one transaction. Items that wait for the claim's holder
// come first; those that wait for somebody else, or that the holder skipped for
// now, are passed over. Many may do it at once: each gets another item, and
// nobody waits for anybody but for who is served together. Id is 0 when there is none. With a key that was used
// before nothing is changed, and done is what it was used for.
func (s *Store) TakeNext(ctx context.Context, q coding.WorklistQuery, except []int64, claim coding.Claim, now time.Time, ev coding.AuditEvent, key coding.ActKey) (id int64, done *coding.ActKey, err error) {
	if _, ok := takeNextSQL[q.Sort]; !ok {
		return 0, nil, wrap("take next item", plainf("an order is needed"))
	}
	if except == nil {
		except = []int64{}
	}
	got, err := s.takeNext(ctx, q, func(q coding.WorklistQuery, waitsFor string, mineFirst bool) *taking {
		t := &taking{key: key}
		t.sql, t.args, t.forValues = takeStatement(q, waitsFor, mineFirst, except, claim, now, ev, key)
		return t
	}, claim.Login, now)
	if err != nil {
		return 0, nil, wrap("take next item", err)
	}
	return got.id, got.done, nil
}

func (s *Store) takeNext(ctx context.Context, q coding.WorklistQuery, wish func(q coding.WorklistQuery, waitsFor string, mineFirst bool) *taking, login string, now time.Time) (got taken, err error) {
	parts := []coding.WorklistQuery{q}
	several := len(q.Specialties) > 1
	if several {
		got, err = s.takeOne(ctx, wish(q, login, false))
		if err != nil || got.id != 0 || got.done != nil {
			return got, err
		}
		if parts, err = s.byFirst(ctx, q, now); err != nil {
			return got, err
		}
	}
	for _, part := range parts {
		got, err = s.takeOne(ctx, wish(part, "", !several))
		if err == nil && got.mine {
			got, err = s.takeOne(ctx, wish(q, login, false))
			if err == nil && got.id == 0 && got.done == nil {
				got, err = s.takeOne(ctx, wish(part, "", false))
			}
		}
		if err != nil || got.id != 0 || got.done != nil {
			return got, err
		}
	}
	return got, nil
}

// takeOne takes an item, together with others who ask for any: what asks for few may take long to find one.
func (s *Store) takeOne(ctx context.Context, t *taking) (taken, error) {
	if t.forValues {
		err := s.writeTakes(ctx, []*taking{t})
		return t.taken, err
	}
	if err := s.takes.wait(ctx, t); err != nil {
		return taken{}, err
	}
	return t.taken, t.err
}

// takeTogether takes items in one transaction, or where the server refuses that each
// in one of its own.
func (s *Store) takeTogether(ctx context.Context, some []*taking) {
	err := s.writeTakes(ctx, some)
	for _, t := range some {
		if t.err = err; refused(err) && len(some) > 1 {
			t.err = s.writeTakes(ctx, []*taking{t})
		}
	}
}

// writeTakes takes items in one round trip.
func (s *Store) writeTakes(ctx context.Context, some []*taking) error {
	got := make([]taken, len(some))
	err := s.inTrips(ctx, "take next item", func(conn *pgxpool.Conn) error {
		var b pgx.Batch
		b.Queue(sqlBegin)
		var done []func() *coding.ActKey
		for i, t := range some {
			if t.forValues {
				b.Queue(sqlPlanForValues)
			}
			done = append(done, queueActKey(&b, t.key))
			b.Queue(t.sql, t.args...).QueryRow(func(row pgx.Row) error {
				return row.Scan(&got[i].id, &got[i].mine)
			})
		}
		queueCommit(&b)
		err := conn.SendBatch(ctx, &b).Close()
		for i := range got {
			got[i].done = done[i]()
		}
		return err
	})
	if err != nil {
		return err
	}
	for i, t := range some {
		t.taken = got[i]
	}
	return nil
}

// byFirst splits a query for several specialties into one for each, in the order
// of the first item of each: along the index of one specialty the next item is a
// few rows away, whereas nothing gives the items of several in order, and to look
// through all others for them takes seconds where they are rare.
func (s *Store) byFirst(ctx context.Context, q coding.WorklistQuery, now time.Time) ([]coding.WorklistQuery, error) {
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
		rows, err := s.pool.Query(ctx, statement, append([]any{planned}, args...)...)
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
