package review

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/tracing"
)

// moment is now as the database keeps it.
func (s *Service) moment() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

func (s *Service) planner(u coding.User) planner {
	return planner{user: u, now: s.moment(), lease: s.lease, allFrom: s.allFrom}
}

// maySee refuses who may not see an item's notes and codes.
func (s *Service) maySee(ctx context.Context, u coding.User, id int64) error {
	if !u.Role.MayRead() {
		return ErrForbidden
	}
	return s.notBlind(ctx, u, id)
}

// notBlind refuses who is coding an item again.
func (s *Service) notBlind(ctx context.Context, u coding.User, id int64) error {
	blind, err := s.blind(ctx, u.Login, id)
	if err != nil {
		return fmt.Errorf("review: look for a recoding: %w", err)
	}
	if blind {
		return ErrBlind
	}
	return nil
}

// Item gives an item with the text of its notes to a user, and enters the look
// in the audit trail.
func (s *Service) Item(ctx context.Context, u coding.User, id int64) (Item, error) {
	if err := s.maySee(ctx, u, id); err != nil {
		return Item{}, err
	}
	if err := s.check(ctx, id); err != nil {
		return Item{}, fmt.Errorf("review: check an item against the releases: %w", err)
	}
	began, now := time.Now(), s.moment()
	ev := itemEvent(now, u, coding.EventLooked, id)
	r, found, err := s.store.ItemRecord(ctx, id, &ev)
	if err != nil {
		return Item{}, fmt.Errorf("review: read an item: %w", err)
	}
	if !found {
		return Item{}, ErrNotFound
	}
	traceFirstLook(ctx, began, r)
	rules, err := s.rulesOf(ctx, r)
	if err != nil {
		return Item{}, err
	}
	return s.view(r, u, now, rules), nil
}

// Record gives all that is kept of an item to a user, to be exported, and enters
// that in the audit trail.
func (s *Service) Record(ctx context.Context, u coding.User, id int64) (coding.ItemRecord, error) {
	if err := s.maySee(ctx, u, id); err != nil {
		return coding.ItemRecord{}, err
	}
	ev := itemEvent(s.moment(), u, coding.EventExported, id)
	r, found, err := s.store.ItemRecord(ctx, id, &ev)
	switch {
	case err != nil:
		return coding.ItemRecord{}, fmt.Errorf("review: read an item: %w", err)
	case !found:
		return coding.ItemRecord{}, ErrNotFound
	}
	return r, nil
}

// Decide does one act on an item; see Act. Deciding on a free item claims it,
// on one's own renews the claim. Errors that the user can mend: ErrNotFound,
// ErrForbidden, ErrChanged, ErrFinished, ErrState, ErrInput, ErrNoCode,
// ErrAlready, ErrNothing, ErrKeyReused, ErrUnknown, ErrBlind, *ClaimedError and
// *UnreadyError.
func (s *Service) Decide(ctx context.Context, u coding.User, id int64, a Act) (Outcome, error) {
	if err := a.checkForm(); err != nil {
		return Outcome{}, err
	}
	if err := s.notBlind(ctx, u, id); err != nil {
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

// errTried says that an act was tried on an item as it is, and is not one for ActOnRecent.
var errTried = errors.New("tried before")

// errEdition says that a code was looked up in releases that have changed.
var errEdition = errors.New("the releases changed meanwhile")

// decide does an act in one transaction. Named is the code that it names, as
// looked up when the item's codes had been looked up in edition: if that has
// changed, a check may have missed the code, and it must be looked up again.
func (s *Service) decide(ctx context.Context, u coding.User, id int64, a Act, named coding.Code, edition string) (Outcome, error) {
	p := s.planner(u)
	var out Outcome
	do := func(r coding.ItemRecord) (coding.ItemChange, error) {
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
	}
	// What is not known here, or no longer so, is read and tried once more: that holds
	// no lock, and it takes no longer than an act on a locked item. What is still so has
	// been tried.
	var tried coding.ItemHead
	for tries := range 2 {
		if tries > 0 {
			if err := s.store.Know(ctx, id); err != nil {
				return Outcome{}, fmt.Errorf("review: read an item: %w", err)
			}
		}
		done, err := s.actOnRecent(ctx, id, func(r coding.ItemRecord) (c coding.ItemChange, err error) {
			if r.Head.Version == tried.Version && r.Head.UpdatedAt.Equal(tried.UpdatedAt) {
				return c, errTried
			}
			tried = r.Head
			if p.rules, err = s.rulesOf(ctx, r, a.Code, a.To); err != nil {
				return c, err
			}
			return do(r)
		})
		if err != nil {
			return Outcome{}, err
		}
		if done {
			return out, nil
		}
	}
	rules, err := s.rulesAhead(ctx, id, a)
	if err != nil {
		return Outcome{}, err
	}
	p.rules = rules
	if err := s.act(ctx, coding.ActKey{Item: id}, do); err != nil {
		return Outcome{}, err
	}
	return out, nil
}

// actOnRecent does an act on an item as it was last seen here. Whether it may not be
// done is for act to say, of the item as it is.
func (s *Service) actOnRecent(ctx context.Context, id int64, do func(coding.ItemRecord) (coding.ItemChange, error)) (done bool, err error) {
	began := time.Now()
	var span tracing.Span
	done, err = s.store.ActOnRecent(ctx, id, func(r coding.ItemRecord) (coding.ItemChange, error) {
		c, err := do(r)
		if err == nil {
			span = traceStep(ctx, began, r, &c)
		}
		return c, err
	})
	if done || err != nil {
		span.End(err) // else act makes one
	}
	if err != nil {
		return false, fmt.Errorf("review: change an item: %w", err)
	}
	return done, nil
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
	r.Decisions = append(r.Decisions[:len(r.Decisions):len(r.Decisions)], c.Decisions...)
	r.Head.State, r.Head.Claim, r.Head.Reason, r.Head.UpdatedAt = c.State, c.Claim, c.Reason, now
	r.Head.Coder, r.Head.SentTo = c.Decisions[0].Coder, nil
	r.Head.Version++
	if c.Invalid != nil {
		r.Head.Invalid = *c.Invalid
	}
	if c.State == coding.ItemFinished {
		r.Head.ReopenedReason = ""
	}
	return r
}

// act does an act on an item in one transaction. Done before with the same key, it
// does nothing.
func (s *Service) act(ctx context.Context, key coding.ActKey, do func(coding.ItemRecord) (coding.ItemChange, error)) error {
	began := time.Now()
	var refused error
	var span tracing.Span
	found, err := s.store.ActOnItem(ctx, key.Item, key, func(r coding.ItemRecord) (coding.ItemChange, error) {
		if r.Done != nil {
			if *r.Done != key {
				refused = ErrKeyReused
			}
			return coding.ItemChange{}, refused
		}
		var c coding.ItemChange
		if c, refused = do(r); refused == nil {
			span = traceStep(ctx, began, r, &c)
		}
		return c, refused
	})
	span.End(err)
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
