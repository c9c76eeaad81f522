package review

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartcode/internal/coding"
)

// once does an act that is no decision. What is all that it asks for, its name first.
func (s *Service) once(ctx context.Context, u coding.User, id int64, key string, what []string, do func(coding.ItemRecord) (coding.ItemChange, error)) error {
	k, err := actKey(u, key, what...)
	if err != nil {
		return err
	}
	k.Item = id
	return s.act(ctx, k, do)
}

// actKey marks an act that is no decision with an idempotency key; without one it
// gives the zero value.
func actKey(u coding.User, key string, what ...string) (coding.ActKey, error) {
	if key == "" {
		return coding.ActKey{}, nil
	}
	if err := (Act{Key: key}).checkForm(); err != nil {
		return coding.ActKey{}, err
	}
	h := sha256.New()
	for _, w := range what {
		fmt.Fprintf(h, "%d %s ", len(w), w)
	}
	return coding.ActKey{Login: u.Login, Key: key, Digest: hex.EncodeToString(h.Sum(nil))}, nil
}

// Claim takes an item for a user, or renews their claim.
func (s *Service) Claim(ctx context.Context, u coding.User, id int64) (coding.Claim, error) {
	p := s.planner(u)
	claim := p.claim()
	err := s.act(ctx, coding.ActKey{Item: id}, func(r coding.ItemRecord) (coding.ItemChange, error) {
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
func (s *Service) Release(ctx context.Context, u coding.User, id int64, key string) error {
	p := s.planner(u)
	return s.once(ctx, u, id, key, []string{"release"}, func(r coding.ItemRecord) (coding.ItemChange, error) {
		if r.Head.State != coding.ItemClaimed || r.Head.Claim.Login != u.Login {
			return coding.ItemChange{}, nil
		}
		return coding.ItemChange{State: coding.ItemOpen, Events: p.events(coding.EventReleased, id)}, nil
	})
}

// Hold puts an item aside with a reason; it is nobody's until resumed.
func (s *Service) Hold(ctx context.Context, u coding.User, id int64, reason, key string) error {
	return s.aside(ctx, u, id, "hold", reason, key, func(p planner, reason string) coding.ItemChange {
		return coding.ItemChange{State: coding.ItemHeld, Reason: reason, Events: p.said(coding.EventHeld, id, "", reason)}
	})
}

// aside makes a change that needs a reason of an item that the user may work on.
func (s *Service) aside(ctx context.Context, u coding.User, id int64, name, reason, key string, change func(p planner, reason string) coding.ItemChange) error {
	reason, err := reasoned(reason, true)
	if err != nil {
		return err
	}
	p := s.planner(u)
	return s.once(ctx, u, id, key, []string{name, reason}, func(r coding.ItemRecord) (coding.ItemChange, error) {
		if err := p.mayWork(r.Head); err != nil {
			return coding.ItemChange{}, err
		}
		return change(p, reason), nil
	})
}

// Renew lets the user's claim last longer while they work, without any other
// change of the item: also one that ran out, if nobody took the item meanwhile.
// The error is *ClaimedError if somebody did, ErrFinished or ErrState where there
// is no claim to renew.
func (s *Service) Renew(ctx context.Context, u coding.User, id int64) (coding.Claim, error) {
	if !u.Role.MayReview() {
		return coding.Claim{}, ErrForbidden
	}
	p := s.planner(u)
	claim := *p.claim()
	renewed, err := s.store.RenewClaim(ctx, id, claim)
	if err != nil {
		return coding.Claim{}, fmt.Errorf("review: renew a claim: %w", err)
	}
	if renewed {
		return claim, nil
	}
	r, found, err := s.store.ItemRecord(ctx, id, nil)
	switch {
	case err != nil:
		return coding.Claim{}, fmt.Errorf("review: read an item: %w", err)
	case !found:
		return coding.Claim{}, ErrNotFound
	}
	if err := p.mayWork(r.Head); err != nil {
		return coding.Claim{}, err
	}
	return coding.Claim{}, ErrState
}

// SkipReasons and HoldReasons are offered when somebody skips or holds an item;
// any other text does as well.
func SkipReasons() []string {
	return []string{"Not my specialty", "Needs a more experienced coder", "I know the patient", "Too long for the time that I have", "Documents are missing"}
}

// HoldReasons are the reasons offered to hold an item.
func HoldReasons() []string {
	return []string{"Waiting for a result", "Waiting for an operative note", "Waiting for a discharge summary", "Waiting for a supervisor", "Registration is to be corrected"}
}

// Skip gives an item back with a reason; Next does not give it to the user again
// for a while.
func (s *Service) Skip(ctx context.Context, u coding.User, id int64, reason, key string) error {
	return s.aside(ctx, u, id, "skip", reason, key, func(p planner, reason string) coding.ItemChange {
		return coding.ItemChange{
			State: coding.ItemOpen, Skipped: &coding.Skip{Login: u.Login, Until: p.now.Add(s.skipFor)},
			Events: p.said(coding.EventSkipped, id, "", reason),
		}
	})
}

// Send lets an item wait for somebody: a colleague, or a supervisor, who can look
// at it and send it on. It needs an item that the user may work on, that is held,
// or that waits for them. The error is ErrInput when there is nobody of that login
// to send to; Colleagues gives those.
func (s *Service) Send(ctx context.Context, u coding.User, id int64, to, reason, key string) error {
	reason, err := reasoned(reason, false)
	if err != nil {
		return err
	}
	people, err := s.Colleagues(ctx, u)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(people, func(p Colleague) bool { return p.Login == to })
	if i < 0 {
		return ErrInput
	}
	p := s.planner(u)
	return s.once(ctx, u, id, key, []string{"send", to, reason}, func(r coding.ItemRecord) (coding.ItemChange, error) {
		mine := r.Head.SentTo != nil && r.Head.SentTo.Login == u.Login
		held := r.Head.State == coding.ItemHeld && u.Role.MayReview()
		if !mine && !held {
			if err := p.mayWork(r.Head); err != nil {
				return coding.ItemChange{}, err
			}
		}
		return coding.ItemChange{
			State: coding.ItemOpen, Sent: &coding.Sent{Login: to, Name: people[i].Name, By: u.Login},
			Events: p.said(coding.EventSent, id, to, reason),
		}, nil
	})
}

// Return lets an item wait for nobody in particular any more. Those may do it for
// whom it waits, who sent it, managers and administrators. An item that the user
// holds goes back to the list, as with Release.
func (s *Service) Return(ctx context.Context, u coding.User, id int64, reason, key string) error {
	reason, err := reasoned(reason, false)
	if err != nil {
		return err
	}
	p := s.planner(u)
	return s.once(ctx, u, id, key, []string{"return", reason}, func(r coding.ItemRecord) (coding.ItemChange, error) {
		sent := r.Head.SentTo
		switch {
		case r.Head.State == coding.ItemClaimed && r.Head.Claim.Login == u.Login:
			return coding.ItemChange{State: coding.ItemOpen, Events: p.said(coding.EventReleased, id, "", reason)}, nil
		case sent == nil:
			return coding.ItemChange{}, ErrState
		case sent.Login != u.Login && sent.By != u.Login && u.Role != coding.RoleManager && u.Role != coding.RoleAdmin:
			return coding.ItemChange{}, ErrForbidden
		}
		return coding.ItemChange{State: coding.ItemOpen, Sent: &coding.Sent{}, Events: p.said(coding.EventUnsent, id, "", reason)}, nil
	})
}

// Colleague is somebody to whom items can be sent.
type Colleague struct {
	Login string          `json:"login"`
	Name  string          `json:"name"`
	Role  coding.UserRole `json:"role"`
}

// Colleagues gives those to whom a user can send items, by name.
func (s *Service) Colleagues(ctx context.Context, u coding.User) ([]Colleague, error) {
	users, err := s.store.Users(ctx)
	if err != nil {
		return nil, fmt.Errorf("review: read the users: %w", err)
	}
	out := []Colleague{}
	for _, c := range users {
		if !c.Disabled && c.Role != coding.RoleService && c.Login != u.Login {
			out = append(out, Colleague{c.Login, c.Name, c.Role})
		}
	}
	slices.SortFunc(out, func(a, b Colleague) int { return strings.Compare(a.Name+"\x00"+a.Login, b.Name+"\x00"+b.Login) })
	return out, nil
}

// reasoned checks what somebody said with an act.
func reasoned(reason string, needed bool) (string, error) {
	reason = strings.TrimSpace(reason)
	if (Act{Reason: reason}).checkForm() != nil || (needed && reason == "") {
		return "", ErrInput
	}
	return reason, nil
}

func (p planner) events(kind coding.ItemEventKind, id int64) []coding.AuditEvent {
	return p.said(kind, id, "", "")
}

// said is an event with what the user said.
func (p planner) said(kind coding.ItemEventKind, id int64, target, reason string) []coding.AuditEvent {
	ev := itemEvent(p.now, p.user, kind, id)
	ev.Target, ev.Reason = target, reason
	return []coding.AuditEvent{ev}
}

func itemEvent(now time.Time, u coding.User, kind coding.ItemEventKind, id int64) coding.AuditEvent {
	return coding.AuditEvent{At: now, Actor: u.Login, Action: string(kind), Item: id}
}
