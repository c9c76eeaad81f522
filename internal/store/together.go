package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// togetherMost is how much is done together at most.
	togetherMost = 64

	// togetherWithin is how long that may take: what never ends, on a connection that
	// died in silence, would keep all that comes after it waiting.
	togetherWithin = 30 * time.Second
)

// together does as one what came while something of its kind was under way, so that
// many share what takes as long for one as for many: a round trip, a transaction. What
// comes while nothing is under way is done at once and does not wait for company. All
// is done in the order in which it came.
type together[T any] struct {
	// do does some, at least one. What each came to it leaves in the T itself. Its
	// context is in the trace of the first and ends once nobody waits any more, and
	// after within.
	do     func(ctx context.Context, some []T)
	within time.Duration

	mu      sync.Mutex
	idle    sync.Cond // nothing is under way
	busy    bool
	waiting []*waiter[T]
}

type waiter[T any] struct {
	gone context.Context // ends when its caller goes
	what T
	done chan struct{}
}

func newTogether[T any](do func(ctx context.Context, some []T)) *together[T] {
	g := &together[T]{do: do, within: togetherWithin}
	g.idle.L = &g.mu
	return g
}

// wait has something done and returns when it is. The error is that of a context that
// ended before: then it may be done or not, now or later, and the T is not to be
// touched.
func (g *together[T]) wait(ctx context.Context, what T) error {
	w := &waiter[T]{gone: ctx, what: what, done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	if !g.busy {
		g.busy = true
		go g.work()
	}
	g.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// work does what waits, until nothing does.
func (g *together[T]) work() {
	for {
		g.mu.Lock()
		n := min(len(g.waiting), togetherMost)
		if n == 0 {
			g.busy, g.waiting = false, nil
			g.idle.Broadcast()
			g.mu.Unlock()
			return
		}
		some := g.waiting[:n]
		g.waiting = g.waiting[n:]
		g.mu.Unlock()
		g.doSome(some)
	}
}

// doSome does what waiters ask for who are still there.
func (g *together[T]) doSome(some []*waiter[T]) {
	var first context.Context
	what := make([]T, 0, len(some))
	for _, w := range some {
		if w.gone.Err() != nil {
			continue
		}
		if first == nil {
			first = w.gone
		}
		what = append(what, w.what)
	}
	if len(what) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(first), g.within)
	defer cancel()
	var there atomic.Int64
	there.Store(int64(len(some)))
	for _, w := range some {
		stop := context.AfterFunc(w.gone, func() {
			if there.Add(-1) == 0 {
				cancel()
			}
		})
		defer stop()
	}
	g.do(ctx, what)
	for _, w := range some {
		close(w.done)
	}
}

// end waits until nothing is under way.
func (g *together[T]) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.busy {
		g.idle.Wait()
	}
}

// late makes of the error of what took too long together what it is to each: their own
// contexts did not end.
func late(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return ErrUnavailable
	}
	return err
}
