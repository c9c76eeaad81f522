package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Lag is what waits in the queue, and what the streams hold.
type Lag struct {
	Consumers []ConsumerState
	Streams   []StreamSize
	Oldest    time.Duration // that the oldest note which is not done has been in the queue; 0: there is none
}

// StreamSize is how much a stream holds.
type StreamSize struct {
	Name            string
	Messages, Bytes uint64
	Replicas        int
	Consumers       int
	First           time.Time // when its oldest message was stored; zero without one
}

// Oldest is how long the oldest note which is not done has been in the queue; 0
// where there is none. It is cheap.
func (b *Bus) Oldest(ctx context.Context) (time.Duration, error) {
	s, err := b.js.Stream(ctx, StreamNotes)
	if err != nil {
		return 0, fmt.Errorf("stream %s: %w", StreamNotes, err)
	}
	return oldest(s.CachedInfo().State), nil
}

// oldest is the age of a work queue's first message: a note leaves it when it is done.
func oldest(s jetstream.StreamState) time.Duration {
	if s.Msgs == 0 {
		return 0
	}
	return max(time.Since(s.FirstTime), 0)
}

// Lag asks the server. Consumers that no worker has made yet are left out.
func (b *Bus) Lag(ctx context.Context) (Lag, error) {
	var l Lag
	for _, want := range streams() {
		s, err := b.js.Stream(ctx, want.Name)
		if err != nil {
			return Lag{}, fmt.Errorf("stream %s: %w", want.Name, err)
		}
		info := s.CachedInfo()
		size := StreamSize{Name: want.Name, Messages: info.State.Msgs, Bytes: info.State.Bytes, Replicas: info.Config.Replicas, Consumers: info.State.Consumers}
		if size.Messages > 0 {
			size.First = info.State.FirstTime
			if want.Name == StreamNotes {
				l.Oldest = oldest(info.State)
			}
		}
		l.Streams = append(l.Streams, size)
	}
	for _, name := range []string{ConsumerOrdinary, ConsumerUrgent} {
		c, err := b.js.Consumer(ctx, StreamNotes, name)
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			continue
		}
		if err != nil {
			return Lag{}, fmt.Errorf("consumer %s: %w", name, err)
		}
		info := c.CachedInfo()
		l.Consumers = append(l.Consumers, ConsumerState{Name: name, Waiting: info.NumPending, UnderWay: info.NumAckPending})
	}
	return l, nil
}
