package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/semaphore"

	"chartcode/internal/tracing"
)

// SubmitterConfig is for Bus.Submitter.
type SubmitterConfig struct {
	InFlight int // notes sent and not yet confirmed, 512 by default
	// Done is told of each submission's end, from several goroutines, in no
	// particular order; n counts the calls of Submit from 0.
	Done func(n int, duplicate bool, err error)
}

// inFlightBytes bounds the memory of large notes on their way.
const inFlightBytes = 64 << 20

// Submitter publishes many notes without waiting for each confirmation. Use it
// from one goroutine: the order of its calls is the order in which the server
// receives two bodies of one note.
type Submitter struct {
	bus   *Bus
	done  func(n int, duplicate bool, err error)
	slots chan struct{}
	bytes *semaphore.Weighted
	wg    sync.WaitGroup
	n     int

	mu   sync.Mutex
	busy map[string]chan struct{} // by source and note: closed when confirmed
}

// Submitter makes a bulk publisher.
func (b *Bus) Submitter(cfg SubmitterConfig) (*Submitter, error) {
	if cfg.Done == nil {
		return nil, errors.New("bus: a submitter needs Done, which hears of errors")
	}
	if cfg.InFlight <= 0 {
		cfg.InFlight = 512
	}
	return &Submitter{bus: b, done: cfg.Done, slots: make(chan struct{}, cfg.InFlight), bytes: semaphore.NewWeighted(inFlightBytes), busy: make(map[string]chan struct{})}, nil
}

// Submit sends the note as soon as there is room. It fails only when ctx ends;
// what becomes of the note is told to Done. The body must not be changed until then.
func (s *Submitter) Submit(ctx context.Context, sub Submission) error {
	n := s.n
	s.n++
	msg, err := sub.message()
	if err != nil {
		s.done(n, false, err)
		return nil //nolint:nilerr // Done has heard of it
	}
	key := sub.Source + "\x00" + sub.NoteID
	s.mu.Lock()
	earlier := s.busy[key]
	s.mu.Unlock()
	if earlier != nil {
		select {
		case <-earlier:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	size := int64(len(sub.Body))
	if err := s.bytes.Acquire(ctx, size); err != nil {
		<-s.slots
		return err
	}
	mine := make(chan struct{})
	s.mu.Lock()
	s.busy[key] = mine
	s.mu.Unlock()

	followed, span := s.bus.trace.Begin(ctx, "submit note", tracing.Producer)
	traced(followed, msg)
	future, err := s.bus.js.PublishMsgAsync(msg)
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		ack, err := s.confirm(ctx, msg, future, err)
		span.End(err)
		s.mu.Lock()
		delete(s.busy, key)
		s.mu.Unlock()
		close(mine)
		s.bytes.Release(size)
		<-s.slots
		s.done(n, err == nil && ack.Duplicate, err)
	}()
	return nil
}

// confirm waits for the acknowledgement; a lost one is a reason to publish
// again under the same message id.
func (s *Submitter) confirm(ctx context.Context, msg *nats.Msg, future jetstream.PubAckFuture, err error) (*jetstream.PubAck, error) {
	if err == nil {
		select {
		case ack := <-future.Ok():
			return ack, nil
		case err = <-future.Err():
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if hopeless(err) {
		return nil, fmt.Errorf("submit: %w", err)
	}
	again := nats.NewMsg(msg.Subject)
	again.Header.Set(jetstream.MsgIDHeader, msg.Header.Get(jetstream.MsgIDHeader))
	again.Data = msg.Data
	if place := msg.Header.Get(tracing.Header); place != "" {
		again.Header.Set(tracing.Header, place)
	}
	ack, err := s.bus.publishPatiently(ctx, again)
	if err != nil {
		return nil, fmt.Errorf("submit: %w", err)
	}
	// The server may have stored the first attempt, whose confirmation was lost:
	// that is not what Done calls a duplicate.
	ack.Duplicate = false
	return ack, nil
}

// Wait returns when each submission was confirmed or has failed.
func (s *Submitter) Wait() { s.wg.Wait() }
