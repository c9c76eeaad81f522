package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

func TestSubmitUsesTheSubjectOfSourceAndPriority(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	for p := 1; p <= 9; p++ {
		submit(t, b, p, fmt.Sprint(p))
	}
	var s seen
	start(t, b, quick(), func(_ context.Context, d Delivery) error { s.add(d); return nil })
	drained(t, b)
	for p := 1; p <= 9; p++ {
		want := "notes.submitted.north"
		if p >= 7 {
			want = "notes.urgent.north"
		}
		for _, d := range s.all() {
			if bytes.Equal(d.Body, body(fmt.Sprint(p))) && d.Subject != want {
				t.Errorf("priority %d came by %s", p, d.Subject)
			}
		}
	}
}

func TestSubmitDropsTheSameBytes(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	send := func(source, id string) bool {
		dup, err := b.Submit(t.Context(), Submission{Source: source, NoteID: id, Body: body(id)})
		if err != nil {
			t.Fatal(err)
		}
		return dup
	}
	if send("north", "a") || !send("north", "a") || send("south", "a") || send("north", "b") {
		t.Error("duplicates are not told right")
	}
	if n, _, err := b.Counts(t.Context()); err != nil || n != 3 {
		t.Errorf("%d notes, %v", n, err)
	}
}

func TestSubmitRefuses(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	if _, err := b.Submit(t.Context(), Submission{Source: "a.b", Body: body("a")}); !errors.Is(err, ErrInvalidSource) {
		t.Errorf("got %v", err)
	}
	if _, err := b.Submit(t.Context(), Submission{Source: "a", Body: make([]byte, MaxBody+1)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	if dup, err := b.Submit(t.Context(), Submission{Source: "a", Body: make([]byte, MaxBody)}); dup || err != nil {
		t.Errorf("a body of the largest size: %v", err)
	}
	// What could not be dead-lettered with its headers is refused by the stream.
	_, err := b.js.Publish(t.Context(), "notes.submitted.a", make([]byte, MaxPayload-headerRoom/2+1))
	if err == nil {
		t.Error("a body without room for headers was accepted")
	}
	if err := b.nc.Publish("notes.submitted.a", make([]byte, MaxPayload+1)); !errors.Is(err, nats.ErrMaxPayload) {
		t.Errorf("got %v", err)
	}
}

func TestSubmitterTellsOfEach(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	var mu sync.Mutex
	ends := map[int]string{}
	s, err := b.Submitter(SubmitterConfig{InFlight: 16, Done: func(n int, dup bool, err error) {
		mu.Lock()
		defer mu.Unlock()
		if ends[n] != "" {
			t.Errorf("told twice of %d", n)
		}
		ends[n] = fmt.Sprint(dup, err)
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		sub := Submission{Source: "north", NoteID: fmt.Sprint(i), Body: body(fmt.Sprint(i))}
		switch i {
		case 100:
			sub.Source = ""
		case 200:
			sub.Body = body("199")
		}
		if err := s.Submit(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
	}
	s.Wait()
	for i := range 500 {
		want := "false <nil>"
		switch i {
		case 100:
			want = "false " + ErrInvalidSource.Error()
		case 200:
			want = "true <nil>"
		}
		if ends[i] != want {
			t.Errorf("%d ended with %q", i, ends[i])
		}
	}
	if n, _, err := b.Counts(t.Context()); err != nil || n != 498 {
		t.Errorf("%d notes, %v", n, err)
	}
}

// Two bodies of one note arrive in the order in which they were submitted, and
// Seq tells it.
func TestSubmitterKeepsTheOrderOfOneNote(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	s, err := b.Submitter(SubmitterConfig{Done: func(_ int, _ bool, err error) {
		if err != nil {
			t.Error(err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	revision := func(i int) []byte { return body(fmt.Sprintf("%03d", i)) }
	for i := range 200 {
		if err := s.Submit(t.Context(), Submission{Source: "north", NoteID: "same", Body: revision(i)}); err != nil {
			t.Fatal(err)
		}
	}
	s.Wait()
	var got seen
	start(t, b, quick(), func(_ context.Context, d Delivery) error { got.add(d); return nil })
	drained(t, b)
	seq := map[string]uint64{}
	for _, d := range got.all() {
		seq[string(d.Body)] = d.Seq
	}
	for i := 1; i < 200; i++ {
		if seq[string(revision(i))] <= seq[string(revision(i-1))] {
			t.Fatalf("revision %d has place %d, its predecessor %d", i, seq[string(revision(i))], seq[string(revision(i-1))])
		}
	}
}

func TestPublishAnnouncesOnce(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	for range 3 {
		if err := b.Publish(t.Context(), SuggestionsSubject("north"), "set-1", []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Publish(t.Context(), ReviewsSubject("north"), "review-1", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if got := streamMsgs(t, b, StreamSuggestions).Msgs; got != 1 {
		t.Errorf("%d announcements", got)
	}
	if got := streamMsgs(t, b, StreamReviews).Msgs; got != 1 {
		t.Errorf("%d reviews", got)
	}
}

// The connection is cut while notes are submitted and worked on, and restored:
// each note is stored once and handled.
func TestACutConnectionLosesNothing(t *testing.T) {
	t.Parallel()
	e := startServer(t)
	watch := connect(t, e.URL())
	p := newProxy(t, e.URL()[len("nats://"):])
	b := connect(t, "nats://"+p.addr)

	const notes = 400
	var failed, confirmed sync.Map
	half := make(chan struct{})
	s, err := b.Submitter(SubmitterConfig{InFlight: 8, Done: func(n int, _ bool, err error) {
		if err != nil {
			failed.Store(n, err)
		}
		confirmed.Store(n, true)
		if n == notes/2 {
			close(half)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got seen
	cfg := quick()
	cfg.AckWait = 2 * time.Second
	start(t, b, cfg, func(_ context.Context, d Delivery) error { got.add(d); return nil })
	go func() {
		<-half
		p.cut()
		eventually(t, "the loss is noticed", func() bool { return !b.nc.IsConnected() })
		p.restore(t)
	}()
	for i := range notes {
		if err := s.Submit(t.Context(), Submission{Source: "north", NoteID: fmt.Sprint(i), Body: body(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	s.Wait()
	failed.Range(func(n, err any) bool { t.Errorf("note %v: %v", n, err); return true })
	drained(t, watch)
	for i := range notes {
		if got.times(body(fmt.Sprint(i))) == 0 {
			t.Errorf("note %d was never handled", i)
		}
	}
	if last := streamMsgs(t, watch, StreamNotes).LastSeq; last != notes {
		t.Errorf("%d messages were stored for %d notes", last, notes)
	}
}
