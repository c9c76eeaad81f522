package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"chartcode/internal/coding"
)

// taking is a wish for the next item.
type taking struct {
	query  coding.WorklistQuery
	except []int64
	claim  coding.Claim
	now    time.Time
	event  coding.AuditEvent
	key    coding.ActKey

	taken
	alone bool // it was not served together with others
	err   error
}

// taken is what became of a wish.
type taken struct {
	id   int64          // 0: no item
	mine bool           // because some wait for who asks
	done *coding.ActKey // because of what the key was used for
}

func (t taken) isAnswer() bool { return t.id != 0 || t.done != nil }

// TakeNext claims the first free item that fits, except those named, and
// enters ev for it, in one transaction. Items that wait for the claim's holder
// come first; those that wait for somebody else, or that the holder skipped for
// now, are passed over. Many may do it at once, and are served together: each gets
// another item. Id is 0 when there is none. With a key that was used before nothing is
// changed, and done is what it was used for.
func (s *Store) TakeNext(ctx context.Context, q coding.WorklistQuery, except []int64, claim coding.Claim, now time.Time, ev coding.AuditEvent, key coding.ActKey) (id int64, done *coding.ActKey, err error) {
	if _, ok := takeNextSQL[q.Sort]; !ok {
		return 0, nil, wrap("take next item", plainf("an order is needed"))
	}
	if except == nil {
		except = []int64{}
	}
	t := &taking{query: q, except: except, claim: claim, now: now, event: ev, key: key}
	if isPlain(q) && len(except) == 0 {
		err = s.takes.wait(ctx, t)
		if err == nil {
			err = t.err
		}
		if err != nil {
			return 0, nil, wrap("take next item", err)
		}
		if !t.alone {
			return t.id, t.done, nil
		}
	}
	got, err := s.takeAlone(ctx, t)
	if err != nil {
		return 0, nil, wrap("take next item", err)
	}
	return got.id, got.done, nil
}

// takeTogether takes items for some in one round trip. Who is not served by that goes
// on alone, which is everybody where the server refuses it.
func (s *Store) takeTogether(ctx context.Context, all []*taking) {
	if len(all) == 1 {
		t := all[0]
		t.taken, t.err = s.takeOne(ctx, t, t.query, "", true)
		t.alone, t.err = t.mine, late(t.err)
		return
	}
	bySort := map[coding.WorklistSort][]*taking{}
	for _, t := range all {
		bySort[t.query.Sort] = append(bySort[t.query.Sort], t)
	}
	ids := map[*taking]int64{}
	err := s.inTrips(ctx, "take next item", func(conn *pgxpool.Conn) error {
		var b pgx.Batch
		b.Queue(sqlBegin)
		for _, some := range bySort {
			sql, args := takeSeveralStatement(some)
			b.Queue(sql, args...).Query(func(rows pgx.Rows) error {
				var place int
				var id int64
				_, err := pgx.ForEachRow(rows, []any{&place, &id}, func() error {
					ids[some[place-1]] = id
					return nil
				})
				return err
			})
		}
		queueCommit(&b)
		return conn.SendBatch(ctx, &b).Close()
	})
	for _, t := range all {
		switch {
		case err == nil:
			t.id = ids[t]
			t.alone = t.id == 0
		case refused(err):
			t.alone = true
		default:
			t.err = late(err)
		}
	}
}

// takeAlone takes an item in one round trip, or in a few where some wait for who asks
// or the filter has several specialties.
func (s *Store) takeAlone(ctx context.Context, t *taking) (got taken, err error) {
	parts := []coding.WorklistQuery{t.query}
	several := len(t.query.Specialties) > 1
	if several {
		got, err = s.takeOne(ctx, t, t.query, t.claim.Login, false)
		if err != nil || got.isAnswer() {
			return got, err
		}
		if parts, err = s.byFirst(ctx, t.query, t.now); err != nil {
			return got, err
		}
	}
	for _, part := range parts {
		got, err = s.takeOne(ctx, t, part, "", !several)
		if err == nil && got.mine {
			got, err = s.takeOne(ctx, t, t.query, t.claim.Login, false)
			if err == nil && !got.isAnswer() {
				got, err = s.takeOne(ctx, t, part, "", false)
			}
		}
		if err != nil || got.isAnswer() {
			return got, err
		}
	}
	return got, nil
}

// takeOne takes an item of those that wait for somebody, or for nobody: in one round
// trip and one transaction.
func (s *Store) takeOne(ctx context.Context, t *taking, q coding.WorklistQuery, waitsFor string, mineFirst bool) (taken, error) {
	sql, args, forValues := t.statement(q, waitsFor, mineFirst)
	for tries := 1; ; tries++ {
		var got taken
		err := s.inTrips(ctx, "take next item", func(conn *pgxpool.Conn) error {
			var b pgx.Batch
			b.Queue(sqlBegin)
			if forValues {
				b.Queue(sqlPlanForValues)
			}
			b.Queue(sql, args...).QueryRow(func(row pgx.Row) error { return row.Scan(&got.id, &got.mine) })
			if t.key.Key != "" {
				// After it: a key that was free before and is used now stands for what was
				// taken here or, where nothing was, elsewhere meanwhile.
				b.Queue(sqlActKey, t.key.Login, t.key.Key).Query(func(rows pgx.Rows) (err error) {
					got.done, err = collectActKey(rows)
					return err
				})
			}
			queueCommit(&b)
			return conn.SendBatch(ctx, &b).Close()
		})
		if tries == 1 && t.key.Key != "" && errors.Is(err, ErrConflict) {
			continue // the key was used at the same time, and stands for that by now
		}
		if err != nil {
			return taken{}, err
		}
		if got.id != 0 {
			got.done = nil
		}
		return got, nil
	}
}

// byFirst splits a query for several specialties into one for each, in the order
// of the first item of each: along the index of one specialty the next item is a
// few rows away, whereas nothing gives the items of several in order, and to look
// through all others for them takes seconds where they are rare.
func (s *Store) byFirst(ctx context.Context, q coding.WorklistQuery, now time.Time) ([]coding.WorklistQuery, error) {
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
