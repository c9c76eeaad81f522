package health

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// clock is one that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// TestMonitor: a part is as its last look said, and not well while a look hangs.
func TestMonitor(t *testing.T) {
	t.Parallel()
	c := &clock{at: time.Now()}
	var failure error
	hang, looking := make(chan struct{}), make(chan struct{})
	m, err := New([]Check{
		{Name: "well", Run: func(context.Context) error { return nil }},
		{Name: "fails", Run: func(context.Context) error { return failure }},
		{Name: "hangs", Silent: "it is silent", Run: func(context.Context) error {
			looking <- struct{}{}
			<-hang
			return nil
		}},
	}, c.now)
	if err != nil {
		t.Fatal(err)
	}
	is := func(name string, ok bool, reason string) {
		t.Helper()
		if p := m.Of(name); p.OK != ok || p.Reason != reason {
			t.Errorf("%+v, want %v, %q", p, ok, reason)
		}
	}
	is("well", false, "it was not looked at yet")
	is("none", false, "it is not watched")
	look := func() {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); m.Look(ctx) }()
		<-looking
		for m.Of("well").Reason != "" { // until it was looked at
		}
		cancel()
		<-done
	}
	look()
	is("well", true, "")
	is("hangs", false, "it was not looked at yet")
	c.move(overdue)
	is("hangs", false, "it is silent")
	hang <- struct{}{}
	for !m.Of("hangs").OK {
	}
	failure = errors.New("it is broken")
	look()
	for m.Of("fails").OK {
	}
	is("fails", false, "it is broken")
	is("hangs", true, "") // as it was, until the look is overdue
	c.move(overdue)
	is("hangs", false, "it is silent")
	hang <- struct{}{}
	if _, err := New(nil, nil); err == nil {
		t.Error("a monitor of nothing is made")
	}
}

// TestRun: it looks again and again, and ends.
func TestRun(t *testing.T) {
	t.Parallel()
	looks := make(chan struct{})
	m, err := New([]Check{{Name: "a", Run: func(ctx context.Context) error {
		select {
		case looks <- struct{}{}:
		case <-ctx.Done():
		}
		return nil
	}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); m.Run(ctx) }()
	<-looks
	<-looks
	stop()
	<-done
}
