package bus

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Lag is what waits in the queue, and what the streams hold.
type Lag struct {
	Consumers []ConsumerState
	Streams   []StreamSize
	Oldest    time.Duration // that the oldest note which is not done has been in the queue; 0: there is none
	Notes     uint64        // that wait or are under way
	Dead      uint64        // dead letters
}

// StreamSize is how much a stream holds.
type StreamSize struct {
	Name            string
	Messages, Bytes uint64
}

// Oldest is how long the oldest note which is not done has been in the queue; 0
// where there is none. It is cheap.
func (b *Bus) Oldest(ctx context.Context) (time.Duration, error) {
	info, err := b.stream(ctx, StreamNotes)
	if err != nil {
		return 0, err
	}
	return oldest(info.State), nil
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
		info, err := b.stream(ctx, want.Name)
		if err != nil {
			return Lag{}, err
		}
		switch want.Name {
		case StreamNotes:
			l.Notes, l.Oldest = info.State.Msgs, oldest(info.State)
		case StreamDeadLetter:
			l.Dead = info.State.Msgs
		}
		l.Streams = append(l.Streams, StreamSize{Name: want.Name, Messages: info.State.Msgs, Bytes: info.State.Bytes})
	}
	var err error
	l.Consumers, err = b.consumers(ctx)
	l.Consumers = slices.DeleteFunc(l.Consumers, func(c ConsumerState) bool { return c.Missing })
	return l, err
}

// Counts gives how many notes wait or are under way, and how many are dead letters. A note that becomes a dead
// letter meanwhile may be counted as both, never as neither: it is put there before it is taken from here, and here is
// counted first.
func (b *Bus) Counts(ctx context.Context) (inFlight, dead uint64, err error) {
	notes, err := b.stream(ctx, StreamNotes)
	if err != nil {
		return 0, 0, err
	}
	letters, err := b.stream(ctx, StreamDeadLetter)
	if err != nil {
		return 0, 0, err
	}
	return notes.State.Msgs, letters.State.Msgs, nil
}

// stream asks the server for one.
func (b *Bus) stream(ctx context.Context, name string) (*jetstream.StreamInfo, error) {
	s, err := b.js.Stream(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", name, err)
	}
	return s.CachedInfo(), nil
}
