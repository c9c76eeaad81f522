package bus

import (
	"errors"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

func TestInspectChangesNothing(t *testing.T) {
	t.Parallel()
	b := bare(t)
	in, err := b.Inspect(t.Context())
	if err != nil || in.Version == "" || in.MaxPayload != MaxPayload || len(in.Streams) != 4 || len(in.Consumers) != 2 {
		t.Fatalf("%+v: %v", in, err)
	}
	for _, s := range in.Streams {
		if !s.Missing || s.Wrong != nil {
			t.Errorf("%+v is not missing", s)
		}
	}
	if _, err := b.js.Stream(t.Context(), StreamNotes); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("a stream was made: %v", err)
	}

	if _, err := b.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: StreamDeadLetter, Subjects: []string{"notes.dead.>"}, Storage: jetstream.MemoryStorage}); err != nil {
		t.Fatal(err)
	}
	for _, s := range streams()[:3] {
		if _, err := b.js.CreateStream(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	cfg := consumer(ConsumerOrdinary, 0)
	for name, change := range map[string]func(*jetstream.ConsumerConfig){ConsumerOrdinary: func(*jetstream.ConsumerConfig) {}, ConsumerUrgent: func(c *jetstream.ConsumerConfig) { c.FilterSubject, c.MaxDeliver = "notes.urgent.>", 3 }} {
		c := cfg
		c.Durable = name
		change(&c)
		if _, err := b.js.CreateConsumer(t.Context(), StreamNotes, c); err != nil {
			t.Fatal(err)
		}
	}
	if in, err = b.Inspect(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range in.Streams {
		if s.Missing || (s.Name == StreamDeadLetter) != errors.Is(s.Wrong, ErrStreamClash) {
			t.Errorf("%+v", s)
		}
	}
	for _, c := range in.Consumers {
		if c.Missing || c.Different != (c.Name == ConsumerUrgent) {
			t.Errorf("%+v", c)
		}
	}
}

func TestInspectWithoutJetStream(t *testing.T) {
	t.Parallel()
	b, err := Connect(t.Context(), Config{URL: plain(t, server.Options{MaxPayload: MaxPayload}), Logger: newLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Inspect(t.Context()); !errors.Is(err, ErrNoJetStream) {
		t.Errorf("got %v", err)
	}
}
