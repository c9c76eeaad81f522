package review

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"chartcode/internal/coding"
)

// moment is now as the database keeps it.
func (s *Service) moment() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

func (s *Service) planner(u coding.User) planner {
	return planner{user: u, now: s.moment(), lease: s.lease}
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

// Counts says how many items there are in each state, and what the filters can
// be set to.
func (s *Service) Counts(ctx context.Context) (coding.WorklistCounts, error) {
	c, err := s.store.WorklistCounts(ctx, s.moment())
	if err != nil {
		return c, fmt.Errorf("review: count the worklist: %w", err)
	}
	return c, nil
}

// Item gives an item with the text of its notes to a user, and enters the look
// in the audit trail.
func (s *Service) Item(ctx context.Context, u coding.User, id int64) (Item, error) {
	if !u.Role.MayRead() {
		return Item{}, ErrForbidden
	}
	if err := s.check(ctx, id); err != nil {
		return Item{}, fmt.Errorf("review: check an item against the releases: %w", err)
	}
	now := s.moment()
	ev := itemEvent(now, u, coding.EventLooked, id)
	r, found, err := s.store.ItemRecord(ctx, id, &ev)
	if err != nil {
		return Item{}, fmt.Errorf("review: read an item: %w", err)
	}
	if !found {
		return Item{}, ErrNotFound
	}
	rules, err := s.rulesOf(ctx, r)
	if err != nil {
		return Item{}, err
	}
	return s.view(r, u, now, rules), nil
}

// Decide does one act on an item; see Act. Deciding on a free item claims it,
// on one's own renews the claim. Errors that the user can mend: ErrNotFound,
// ErrForbidden, ErrChanged, ErrFinished, ErrState, ErrInput, ErrNoCode,
// ErrAlready, ErrNothing, ErrKeyReused, ErrUnknown, *ClaimedError and
// *UnreadyError.
func (s *Service) Decide(ctx context.Context, u coding.User, id int64, a Act) (Outcome, error) {
	if err := a.checkForm(); err != nil {
		return Outcome{}, err
	}
	if a.Kind == coding.Finish {
		if err := s.check(ctx, id); err != nil {
			return Outcome{}, fmt.Errorf("review: check an item against the releases: %w", err)
		}
	}
	for {
		named, edition, err := s.named(ctx, id, a)
		if err != nil {
			return Outcome{}, err
		}
		out, err := s.decide(ctx, u, id, a, named, edition)
		if !errors.Is(err, errEdition) {
			return out, err
		}
	}
}

// errEdition says that a code was looked up in releases that have changed.
var errEdition = errors.New("the releases changed meanwhile")

// decide does an act in one transaction. Named is the code that it names, as
// looked up when the item's codes had been looked up in edition: if that has
// changed, a check may have missed the code, and it must be looked up again.
func (s *Service) decide(ctx context.Context, u coding.User, id int64, a Act, named coding.Code, edition string) (Outcome, error) {
	p := s.planner(u)
	var err error
	if p.rules, err = s.rulesAhead(ctx, id, a); err != nil {
		return Outcome{}, err
	}
	var out Outcome
	err = s.act(ctx, id, func(r coding.ItemRecord) (coding.ItemChange, error) {
		if (a.Kind == coding.Add || a.Kind == coding.Modify) && r.Head.Edition != edition {
			return coding.ItemChange{}, errEdition
		}
		c, d, repeated, err := p.plan(r, a, named)
		if err != nil {
			return coding.ItemChange{}, err
		}
		if !repeated {
			r = after(r, c, p.now)
		}
		out = Outcome{Decision: d, Repeated: repeated, Item: s.view(r, u, p.now, p.rules)}
		return c, nil
	})
	if err != nil {
		return Outcome{}, err
	}
	return out, nil
}

// named looks up the code that an add or modify names, on the item's date of
// service. The zero code means that there is none. It is done ahead of the
// act's transaction, so that this holds no second connection; edition is what
// the item's codes were looked up in before that.
func (s *Service) named(ctx context.Context, id int64, a Act) (c coding.Code, edition string, err error) {
	key := a.Code
	switch a.Kind {
	case coding.Add:
	case coding.Modify:
		key = a.To
	default:
		return coding.Code{}, "", nil
	}
	if !key.System.Valid() || key.Code == "" {
		return coding.Code{}, "", ErrInput
	}
	r, found, err := s.store.ItemRecord(ctx, id, nil)
	if err != nil {
		return coding.Code{}, "", fmt.Errorf("review: read an item: %w", err)
	}
	if !found {
		return coding.Code{}, "", ErrNotFound
	}
	c, found, err = s.store.ReportableCode(ctx, key, r.Head.ServiceDate)
	if err != nil {
		return coding.Code{}, "", fmt.Errorf("review: look up a code: %w", err)
	}
	if !found {
		c = coding.Code{}
	}
	return c, r.Head.Edition, nil
}

// after is the record as the change will have made it.
func after(r coding.ItemRecord, c coding.ItemChange, now time.Time) coding.ItemRecord {
	r.Decisions = append(r.Decisions[:len(r.Decisions):len(r.Decisions)], *c.Decision)
	r.Head.State, r.Head.Claim, r.Head.Reason, r.Head.UpdatedAt = c.State, c.Claim, c.Reason, now
	r.Head.Version++
	if c.Invalid != nil {
		r.Head.Invalid = *c.Invalid
	}
	if c.State == coding.ItemFinished {
		r.Head.ReopenedReason = ""
	}
	return r
}

// Claim takes an item for a user, or renews their claim.
func (s *Service) Claim(ctx context.Context, u coding.User, id int64) (coding.Claim, error) {
	p := s.planner(u)
	claim := p.claim()
	err := s.act(ctx, id, func(r coding.ItemRecord) (coding.ItemChange, error) {
		if err := p.mayWork(r.Head); err != nil {
			return coding.ItemChange{}, err
		}
		c := coding.ItemChange{State: coding.ItemClaimed, Claim: claim}
		switch had := r.Head.Claim; {
		case had == nil:
			c.Events = p.events(coding.EventClaimed, id)
		case had.Login != u.Login:
			c.Events = p.events(coding.EventTaken, id)
		}
		return c, nil
	})
	return *claim, err
}

// Release gives an item back to the list. It does nothing to an item that the
// user does not hold.
func (s *Service) Release(ctx context.Context, u coding.User, id int64) error {
	p := s.planner(u)
	return s.act(ctx, id, func(r coding.ItemRecord) (coding.ItemChange, error) {
		if r.Head.State != coding.ItemClaimed || r.Head.Claim.Login != u.Login {
			return coding.ItemChange{}, nil
		}
		return coding.ItemChange{State: coding.ItemOpen, Events: p.events(coding.EventReleased, id)}, nil
	})
}

// Hold puts an item aside with a reason; it is nobody's until resumed.
func (s *Service) Hold(ctx context.Context, u coding.User, id int64, reason string) error {
	return s.wait(ctx, u, id, coding.ItemHeld, coding.EventHeld, reason)
}

// Query puts an item aside until its author or attending has answered what the
// reason says.
func (s *Service) Query(ctx context.Context, u coding.User, id int64, reason string) error {
	return s.wait(ctx, u, id, coding.ItemQueried, coding.EventQueried, reason)
}

func (s *Service) wait(ctx context.Context, u coding.User, id int64, state coding.ItemState, kind coding.ItemEventKind, reason string) error {
	reason = strings.TrimSpace(reason)
	if (Act{Reason: reason}).checkForm() != nil || reason == "" || !utf8.ValidString(reason) {
		return ErrInput
	}
	p := s.planner(u)
	return s.act(ctx, id, func(r coding.ItemRecord) (coding.ItemChange, error) {
		if err := p.mayWork(r.Head); err != nil {
			return coding.ItemChange{}, err
		}
		return coding.ItemChange{State: state, Reason: reason, Events: p.events(kind, id)}, nil
	})
}

// Resume takes up a held or queried item again: the user holds it from then on.
func (s *Service) Resume(ctx context.Context, u coding.User, id int64) error {
	p := s.planner(u)
	return s.act(ctx, id, func(r coding.ItemRecord) (coding.ItemChange, error) {
		switch {
		case !u.Role.MayReview():
			return coding.ItemChange{}, ErrForbidden
		case r.Head.State != coding.ItemHeld && r.Head.State != coding.ItemQueried:
			return coding.ItemChange{}, ErrState
		}
		return coding.ItemChange{State: coding.ItemClaimed, Claim: p.claim(), Events: p.events(coding.EventResumed, id)}, nil
	})
}

// Next takes the first free item that fits q for a user, in one step, so that
// many can do it at once; items in except are passed over. States, Holder and
// Cursor of q are not used. The error is ErrNoneLeft when nothing fits.
func (s *Service) Next(ctx context.Context, u coding.User, q coding.WorklistQuery, except ...int64) (int64, error) {
	if !u.Role.MayReview() {
		return 0, ErrForbidden
	}
	q.States, q.Holder, q.Cursor = nil, "", ""
	if err := checkQuery(&q); err != nil {
		return 0, err
	}
	p := s.planner(u)
	id, found, err := s.store.TakeNext(ctx, q, except, *p.claim(), p.now, itemEvent(p.now, u, coding.EventClaimed, 0))
	if err != nil {
		return 0, fmt.Errorf("review: take the next item: %w", err)
	}
	if !found {
		return 0, ErrNoneLeft
	}
	return id, nil
}

func (s *Service) act(ctx context.Context, id int64, do func(coding.ItemRecord) (coding.ItemChange, error)) error {
	var refused error
	found, err := s.store.ActOnItem(ctx, id, func(r coding.ItemRecord) (coding.ItemChange, error) {
		var c coding.ItemChange
		c, refused = do(r)
		return c, refused
	})
	switch {
	case refused != nil:
		return refused
	case err != nil:
		return fmt.Errorf("review: change an item: %w", err)
	case !found:
		return ErrNotFound
	}
	return nil
}

func (p planner) events(kind coding.ItemEventKind, id int64) []coding.AuditEvent {
	return []coding.AuditEvent{itemEvent(p.now, p.user, kind, id)}
}

func itemEvent(now time.Time, u coding.User, kind coding.ItemEventKind, id int64) coding.AuditEvent {
	return coding.AuditEvent{At: now, Actor: u.Login, Action: string(kind), Item: id}
}

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
	case coding.SortPriority, coding.SortOldest, coding.SortNewest, coding.SortUpdated:
	default:
		return ErrInput
	}
	return nil
}
