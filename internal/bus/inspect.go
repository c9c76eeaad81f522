package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Inspection is what a server has of what this program needs.
type Inspection struct {
	Version    string // of the server
	MaxPayload int64
	Streams    []StreamState
	Consumers  []ConsumerState
}

// StreamState is a stream of ours. Missing ones are made at the next start.
type StreamState struct {
	Name     string
	Missing  bool
	Messages uint64
	Replicas int
	Wrong    error // an ErrStreamClash: it cannot serve
}

// ConsumerState is a durable consumer of NOTES. Missing ones are made by the first
// worker, and different ones changed by it.
type ConsumerState struct {
	Name      string
	Missing   bool
	Different bool // from what workers set
	Waiting   uint64
	UnderWay  int // delivered and not settled
}

// Inspect looks at the server and changes nothing. The error is ErrNoJetStream or
// that of a server that does not answer.
func (b *Bus) Inspect(ctx context.Context) (Inspection, error) {
	in := Inspection{Version: b.nc.ConnectedServerVersion(), MaxPayload: b.nc.MaxPayload()}
	if _, err := b.js.AccountInfo(ctx); err != nil {
		if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) || errors.Is(err, nats.ErrNoResponders) {
			return in, ErrNoJetStream
		}
		return in, fmt.Errorf("JetStream does not answer: %w", err)
	}
	for _, want := range streams() {
		state, err := b.inspectStream(ctx, want)
		if err != nil {
			return in, err
		}
		in.Streams = append(in.Streams, state)
	}
	var err error
	in.Consumers, err = b.consumers(ctx)
	return in, err
}

// consumers looks at those of NOTES.
func (b *Bus) consumers(ctx context.Context) ([]ConsumerState, error) {
	var list []ConsumerState
	for _, name := range []string{ConsumerOrdinary, ConsumerUrgent} {
		state, err := b.inspectConsumer(ctx, name)
		if err != nil {
			return list, err
		}
		list = append(list, state)
	}
	return list, nil
}

func (b *Bus) inspectStream(ctx context.Context, want jetstream.StreamConfig) (StreamState, error) {
	state := StreamState{Name: want.Name}
	info, err := b.stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		state.Missing = true
		return state, nil
	}
	if err != nil {
		return state, err
	}
	state.Messages, state.Replicas, state.Wrong = info.State.Msgs, info.Config.Replicas, unfit(want, info.Config)
	for _, subject := range want.Subjects {
		if state.Wrong == nil && !slices.Contains(info.Config.Subjects, subject) {
			state.Missing = true // of it a part: it is added at the next start
		}
	}
	return state, nil
}

func (b *Bus) inspectConsumer(ctx context.Context, name string) (ConsumerState, error) {
	state := ConsumerState{Name: name}
	c, err := b.js.Consumer(ctx, StreamNotes, name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		state.Missing = true
		return state, nil
	}
	if err != nil {
		return state, fmt.Errorf("consumer %s: %w", name, err)
	}
	info := c.CachedInfo()
	want, have := consumer(name, 0), info.Config
	state.Waiting, state.UnderWay = info.NumPending, info.NumAckPending
	state.Different = have.FilterSubject != want.FilterSubject || have.AckPolicy != want.AckPolicy ||
		have.MaxDeliver != want.MaxDeliver || have.MaxAckPending != want.MaxAckPending
	return state, nil
}
