package review

import (
	"context"
	"fmt"
	"math"

	"chartcode/internal/coding"
)

const (
	usualPage = 50
	maxPage   = 200
)

func checkQuery(q *coding.WorklistQuery) error {
	switch {
	case q.Limit < 0:
		return ErrInput
	case q.Limit == 0:
		q.Limit = usualPage
	case q.Limit > maxPage:
		q.Limit = maxPage
	}
	switch q.Sort {
	case "":
		q.Sort = coding.SortPriority
	case coding.SortPriority, coding.SortOldest, coding.SortNewest, coding.SortUpdated, coding.SortNeed:
	default:
		return ErrInput
	}
	for _, n := range []float64{q.ConfidenceFrom, q.ConfidenceBelow, q.OlderHours, q.YoungerHours} {
		if n < 0 || math.IsNaN(n) || math.IsInf(n, 0) {
			return ErrInput
		}
	}
	if q.PriorityFrom < 0 || q.PriorityTo < 0 || q.PriorityFrom > coding.PriorityMax || q.PriorityTo > coding.PriorityMax {
		return ErrInput
	}
	return nil
}

// Worklist gives one page of the worklist. An item whose claim has run out
// counts as open. The error is ErrInput for a cursor that is none.
func (s *Service) Worklist(ctx context.Context, q coding.WorklistQuery) (coding.WorklistPage, error) {
	if err := checkQuery(&q); err != nil {
		return coding.WorklistPage{}, err
	}
	now := s.moment()
	page, err := s.store.Worklist(ctx, q, now)
	if err != nil {
		return coding.WorklistPage{}, fmt.Errorf("review: read the worklist: %w", err)
	}
	for i := range page.Items {
		h := &page.Items[i]
		h.State = stateAt(*h, now)
		if !h.Claim.Held(now) {
			h.Claim = nil
		}
	}
	return page, nil
}

// Counts says how many items there are in each state and for the user, and what
// the filters can be set to.
func (s *Service) Counts(ctx context.Context, u coding.User) (coding.WorklistCounts, error) {
	c, err := s.store.WorklistCounts(ctx, u.Login, s.moment())
	if err != nil {
		return c, fmt.Errorf("review: count the worklist: %w", err)
	}
	return c, nil
}

// Next takes the first free item that fits q for a user, in one step, so that
// many can do it at once; items in except are passed over, and so are those that the user
// skipped lately. Items that were sent to the user come first, those that wait for
// others not at all. States, Holder, SentTo and Cursor of q are not used. With a key,
// which may be empty, it gives the same item when it is asked again. The error is
// ErrNoneLeft when nothing fits, and ErrKeyReused for a key of another act.
func (s *Service) Next(ctx context.Context, u coding.User, q coding.WorklistQuery, key string, except ...int64) (int64, error) {
	if !u.Role.MayReview() {
		return 0, ErrForbidden
	}
	q.States, q.Holder, q.SentTo, q.Cursor = nil, "", "", ""
	if err := checkQuery(&q); err != nil {
		return 0, err
	}
	k, err := actKey(u, key, "next")
	if err != nil {
		return 0, err
	}
	p := s.planner(u)
	id, done, err := s.store.TakeNext(ctx, q, except, *p.claim(), p.now, itemEvent(p.now, u, coding.EventClaimed, 0), k)
	switch {
	case err != nil:
		return 0, fmt.Errorf("review: take the next item: %w", err)
	case done != nil && done.Digest != k.Digest:
		return 0, ErrKeyReused
	case done != nil:
		return done.Item, nil
	case id == 0:
		return 0, ErrNoneLeft
	}
	return id, nil
}
