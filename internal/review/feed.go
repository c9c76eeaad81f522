package review

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"chartcode/internal/coding"
)

// Changes tells what changes while somebody looks.
type Changes interface {
	// Subscribe gives a signal for each item that changes in any process, until ctx
	// ends and the channel is closed. The first is SignalAll. Who reads too slowly
	// misses signals and gets SignalAll in their place.
	Subscribe(ctx context.Context) <-chan coding.Signal
}

// Listener is where the signals come from; store.Store has the method.
type Listener interface {
	// Listen calls ready once each further change will be told, then each for every
	// one, until ctx ends or it fails. The error is never nil.
	Listen(ctx context.Context, ready func(), each func(coding.Signal)) error
}

const (
	feedBuffer = 256 // signals that a subscriber may be behind
	feedRetry  = time.Second
	feedLonger = 30 * time.Second // longest time between attempts
)

// Feed hands signals that come over one connection to all subscribers of a
// process. It is safe for use by several goroutines.
type Feed struct {
	from Listener
	log  *slog.Logger

	mu   sync.Mutex
	subs map[*subscriber]struct{}
}

type subscriber struct {
	ch     chan coding.Signal // with room for one more than feedBuffer: SignalAll
	missed bool               // SignalAll is the last in the channel and stands for all that came since
}

// NewFeed gives a feed, which tells of nothing until it runs.
func NewFeed(from Listener, log *slog.Logger) (*Feed, error) {
	if from == nil || log == nil {
		return nil, errors.New("review: a feed needs a listener and a logger")
	}
	return &Feed{from: from, log: log, subs: make(map[*subscriber]struct{})}, nil
}

// Run listens until ctx ends. When the connection is lost it tries again, and
// tells all subscribers once it is back that they may have missed something.
func (f *Feed) Run(ctx context.Context) {
	wait := feedRetry
	for ctx.Err() == nil {
		err := f.from.Listen(ctx, func() {
			wait = feedRetry
			f.tell(coding.Signal{Kind: coding.SignalAll})
		}, f.tell)
		if ctx.Err() != nil {
			return
		}
		f.log.Warn("changes of items are not told for the moment; trying again", "error", err, "in", wait.String())
		select {
		case <-ctx.Done():
		case <-time.After(wait):
			wait = min(2*wait, feedLonger)
		}
	}
}

// Subscribe gives signals; see Changes.
func (f *Feed) Subscribe(ctx context.Context) <-chan coding.Signal {
	s := &subscriber{ch: make(chan coding.Signal, feedBuffer+1)}
	s.ch <- coding.Signal{Kind: coding.SignalAll}
	f.mu.Lock()
	f.subs[s] = struct{}{}
	f.mu.Unlock()
	context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.subs, s)
		close(s.ch)
	})
	return s.ch
}

// tell hands a signal to all without waiting for any.
func (f *Feed) tell(sig coding.Signal) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.subs {
		// Only here is sent, so a channel can get emptier meanwhile, not fuller.
		switch n := len(s.ch); {
		case n == 0 || (!s.missed && n < feedBuffer):
			s.missed = false
			s.ch <- sig
		case !s.missed:
			s.missed = true
			s.ch <- coding.Signal{Kind: coding.SignalAll}
		}
	}
}
