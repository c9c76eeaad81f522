package bus

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// silence is longer than anything that takes an answer for lost would wait.
const silence = 3 * time.Second

// What a server, or the machine, is too busy to hand over at once is handed over
// later: AckWait is an hour, so a note that went to a listener who had gone would
// not come again within the test.
func TestNotesThatComeLateAreWorkedOn(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	direct := connect(t, server.URL())
	between := newProxy(t, server.URL()[len("nats://"):])
	b := connect(t, "nats://"+between.addr)
	cfg := quick()
	cfg.AckWait, cfg.Concurrency = time.Hour, 8
	var s seen
	start(t, b, cfg, func(_ context.Context, d Delivery) error { s.add(d); return nil })
	submit(t, direct, 5, "before")
	drained(t, direct)

	between.gate.Lock()
	ids := []string{"a", "b", "c", "d", "e"}
	submit(t, direct, 5, ids...)
	time.Sleep(silence) // of the server, not a wait for something
	between.gate.Unlock()

	drained(t, direct)
	for _, id := range ids {
		if n := s.times(body(id)); n != 1 {
			t.Errorf("%s was handled %d times", id, n)
		}
	}
	for _, d := range s.all() {
		if d.Attempt != 1 {
			t.Errorf("attempt %d", d.Attempt)
		}
	}
}

// A worker that is told to stop does not wait for a server that says nothing.
func TestStopDoesNotWaitForASilentServer(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	direct := connect(t, server.URL())
	between := newProxy(t, server.URL()[len("nats://"):])
	b := connect(t, "nats://"+between.addr)
	cfg := quick()
	cfg.AckWait = time.Hour
	stop := start(t, b, cfg, func(context.Context, Delivery) error { return nil })
	submit(t, direct, 5, "before")
	drained(t, direct)
	between.gate.Lock()
	stop() // fails when it takes too long
	between.gate.Unlock()
}

// Statuses of the server end a pull; those that are failures are told.
func TestEndOfAnAnswer(t *testing.T) {
	t.Parallel()
	message := func(status, data string) *nats.Msg {
		m := nats.NewMsg("x")
		if status != "" {
			m.Header.Set("Status", status)
		}
		m.Data = []byte(data)
		return m
	}
	for _, c := range []struct {
		m   *nats.Msg
		end bool
		err error
	}{
		{message("", ""), false, nil},
		{message("", "{}"), false, nil},
		{message("404", "{}"), false, nil}, // a header of who submitted it
		{message("404", ""), true, nil},
		{message("408", ""), true, nil},
		{message("503", ""), true, nats.ErrNoResponders},
	} {
		end, err := ended(c.m)
		if end != c.end || !errors.Is(err, c.err) {
			t.Errorf("%v: %v %v", c.m.Header, end, err)
		}
	}
	if end, err := ended(message("409", "")); !end || err == nil {
		t.Errorf("409: %v %v", end, err)
	}
}
