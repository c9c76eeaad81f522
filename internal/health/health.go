// Package health watches what a process needs and says at any time, without
// waiting, whether it is there.
//
// Each part is looked at every second by a goroutine of its own. A look that does
// not come back counts as a failure as soon as it is overdue, whatever it hangs
// on, so that a part which was lost is known to be within four seconds, and known
// to be back a second after it is.
package health

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Check is how one part is looked at. Run must end with its context; its error is
// a sentence for people, without addresses and secrets.
type Check struct {
	Name   string
	Silent string // what is said when a look hangs
	Run    func(ctx context.Context) error
}

// Part is how one part is.
type Part struct {
	Name   string
	OK     bool
	Reason string // a sentence when it is not
}

// Ready reports whether all parts are well, and if not, the reason of the first.
func Ready(parts []Part) (ok bool, reason string) {
	for _, p := range parts {
		if !p.OK {
			return false, p.Reason
		}
	}
	return true, ""
}

const (
	every   = time.Second
	overdue = 3 * time.Second
)

// Monitor watches parts.
type Monitor struct {
	checks []Check
	now    func() time.Time

	mu    sync.Mutex
	parts []state
}

type state struct {
	begun  time.Time // of the look under way; zero: none is
	looked bool
	err    error
}

// New makes a monitor that has not looked yet.
func New(checks []Check, now func() time.Time) (*Monitor, error) {
	if len(checks) == 0 {
		return nil, errors.New("health: there is nothing to watch")
	}
	if now == nil {
		now = time.Now
	}
	return &Monitor{checks: checks, now: now, parts: make([]state, len(checks))}, nil
}

// Look looks at all parts once, and returns when each was looked at or is overdue.
func (m *Monitor) Look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, overdue)
	defer cancel()
	var group sync.WaitGroup
	for i := range m.checks {
		group.Go(func() { m.look(ctx, i) })
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Run watches until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	var group sync.WaitGroup
	for i := range m.checks {
		group.Go(func() {
			tick := time.NewTicker(every)
			defer tick.Stop()
			for {
				bound, cancel := context.WithTimeout(ctx, overdue)
				m.look(bound, i)
				cancel()
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
	}
	group.Wait()
}

func (m *Monitor) look(ctx context.Context, i int) {
	m.mu.Lock()
	if m.parts[i].begun.IsZero() {
		m.parts[i].begun = m.now()
	}
	m.mu.Unlock()
	err := m.checks[i].Run(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parts[i] = state{looked: true, err: err}
}

// Parts says how all parts are.
func (m *Monitor) Parts() []Part {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	list := make([]Part, len(m.checks))
	for i, s := range m.parts {
		list[i].Name = m.checks[i].Name
		switch {
		case !s.begun.IsZero() && now.Sub(s.begun) >= overdue:
			list[i].Reason = m.checks[i].Silent
		case !s.looked:
			list[i].Reason = "it was not looked at yet"
		case s.err != nil:
			list[i].Reason = s.err.Error()
		default:
			list[i].OK = true
		}
	}
	return list
}

// Of says how one part is.
func (m *Monitor) Of(name string) Part {
	for _, p := range m.Parts() {
		if p.Name == name {
			return p
		}
	}
	return Part{Name: name, Reason: "it is not watched"}
}
