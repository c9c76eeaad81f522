package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// kill makes dead letters of the notes.
func kill(t *testing.T, b *Bus) {
	t.Helper()
	stop := start(t, b, quick(), func(context.Context, Delivery) error { return refusal{"empty_text", "intake"} })
	drained(t, b)
	stop()
}

func TestListDeadInPages(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	if list, err := b.ListDead(t.Context(), 10, 0); err != nil || len(list) != 0 {
		t.Fatal(list, err)
	}
	for i := range 7 {
		submit(t, b, 5, fmt.Sprint(i))
	}
	kill(t, b)
	var all []uint64
	after := uint64(0)
	for {
		list, err := b.ListDead(t.Context(), 3, after)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, d := range list {
			if d.Seq <= after {
				t.Errorf("number %d after %d", d.Seq, after)
			}
			after = d.Seq
			all = append(all, d.Seq)
		}
	}
	if len(all) != 7 {
		t.Errorf("%d dead letters in pages", len(all))
	}
}

func TestReplayTheOriginalBytes(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	submit(t, b, 9, "a")
	kill(t, b)
	list, err := b.ListDead(t.Context(), 1, 0)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if err := b.ReplayDead(t.Context(), list[0].Seq, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.ReplayDead(t.Context(), list[0].Seq, nil); !errors.Is(err, ErrNoDeadLetter) {
		t.Errorf("replayed again: %v", err)
	}
	if inFlight, dead, err := b.Counts(t.Context()); err != nil || inFlight != 1 || dead != 0 {
		t.Errorf("%d in flight, %d dead, %v", inFlight, dead, err)
	}
	var s seen
	start(t, b, quick(), func(_ context.Context, d Delivery) error { s.add(d); return nil })
	drained(t, b)
	if all := s.all(); len(all) != 1 || !bytes.Equal(all[0].Body, body("a")) || all[0].Subject != "notes.urgent.north" || all[0].Attempt != 1 {
		t.Errorf("%+v", all)
	}
}

func TestReplayRepaired(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	raw(t, b, "notes.submitted.a.b", []byte("not JSON"))
	kill(t, b)
	if err := b.ReplayDead(t.Context(), 1, &Submission{Source: "south", Priority: 5, Body: body("mended")}); err != nil {
		t.Fatal(err)
	}
	var s seen
	start(t, b, quick(), func(_ context.Context, d Delivery) error { s.add(d); return nil })
	if dead := drained(t, b); dead != 0 {
		t.Errorf("%d dead letters are left", dead)
	}
	if all := s.all(); len(all) != 1 || !bytes.Equal(all[0].Body, body("mended")) || all[0].Source != "south" {
		t.Errorf("%+v", all)
	}
}

// A replay that died before it removed the dead letter is done again: the queue
// holds the note once.
func TestReplayInterrupted(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	submit(t, b, 5, "a")
	kill(t, b)
	before := streamMsgs(t, b, StreamNotes).LastSeq
	d, err := b.GetDead(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.republish(t.Context(), d, nil); err != nil { // and no more: it died here
		t.Fatal(err)
	}
	if err := b.ReplayDead(t.Context(), 1, nil); err != nil {
		t.Fatal(err)
	}
	if after := streamMsgs(t, b, StreamNotes).LastSeq; after != before+1 {
		t.Errorf("%d messages were added", after-before)
	}
}

// A worker that died between dead-lettering and acknowledging: the next one
// dead-letters the same delivery and adds nothing.
func TestDeadLetteringTwiceAddsOne(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	submit(t, b, 5, "a")
	for attempt := 1; attempt <= 3; attempt++ {
		j := &job{Delivery: Delivery{Source: "north", Body: body("a"), Seq: 1, Attempt: attempt, Received: time.Now()}}
		if err := b.publishDead(t.Context(), j, "empty_text", "intake"); err != nil {
			t.Fatal(err)
		}
	}
	kill(t, b)
	if _, dead, err := b.Counts(t.Context()); err != nil || dead != 1 {
		t.Errorf("%d dead letters, %v", dead, err)
	}
}
