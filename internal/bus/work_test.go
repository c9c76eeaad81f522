package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

type refusal struct{ reason, stage string }

func (r refusal) Error() string  { return "refused" }
func (r refusal) Reason() string { return r.reason }
func (r refusal) Stage() string  { return r.stage }

type away struct{}

func (away) Error() string { return "the database is away" }
func (away) Outage() bool  { return true }

var errTemporary = errors.New("temporary")

// quick is a configuration whose retries come at once.
func quick() WorkConfig {
	return WorkConfig{BackoffMin: time.Millisecond, BackoffMax: 5 * time.Millisecond, AckWait: 30 * time.Second}
}

func TestWorkAcknowledgesWhatSucceeds(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	before := time.Now().Add(-time.Minute)
	submit(t, b, 5, "a", "b", "c")
	submit(t, b, 9, "u")
	var s seen
	stop := start(t, b, quick(), func(_ context.Context, d Delivery) error { s.add(d); return nil })
	if dead := drained(t, b); dead != 0 {
		t.Errorf("%d dead letters", dead)
	}
	stop()
	for _, id := range []string{"a", "b", "c", "u"} {
		if n := s.times(body(id)); n != 1 {
			t.Errorf("%s was handled %d times", id, n)
		}
	}
	for _, d := range s.all() {
		urgent := bytes.Equal(d.Body, body("u"))
		if d.Source != "north" || d.Attempt != 1 || d.Seq == 0 || d.Received.Before(before) || urgent != (d.Subject == "notes.urgent.north") {
			t.Errorf("delivery %s %s %d %d %v", d.Subject, d.Source, d.Attempt, d.Seq, d.Received)
		}
	}
}

func TestWorkRetriesWhatMaySucceedLater(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	submit(t, b, 5, "a")
	var s seen
	start(t, b, quick(), func(_ context.Context, d Delivery) error {
		s.add(d)
		if d.Attempt < 4 {
			return errTemporary
		}
		return nil
	})
	if dead := drained(t, b); dead != 0 {
		t.Errorf("%d dead letters", dead)
	}
	all := s.all()
	if len(all) != 4 {
		t.Fatalf("%d attempts", len(all))
	}
	for i, d := range all {
		if d.Attempt != i+1 || d.Seq != all[0].Seq || !d.Received.Equal(all[0].Received) {
			t.Errorf("attempt %d: %d, place %d, received %v", i+1, d.Attempt, d.Seq, d.Received)
		}
	}
}

func TestPermanentErrorsAreDeadLettered(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	bodies := [][]byte{
		[]byte("\xff\xfe" + marker + "\x00binary"),
		[]byte(" "),
		[]byte(`{"text":"` + strings.Repeat("x", MaxBody-20) + `"}`),
	}
	for _, data := range bodies {
		raw(t, b, "notes.submitted.north", data)
	}
	start(t, b, quick(), func(context.Context, Delivery) error {
		return fmt.Errorf("wrapped: %w", refusal{"invalid_utf8", "intake"})
	})
	if dead := drained(t, b); dead != 3 {
		t.Fatalf("%d dead letters", dead)
	}
	list, err := b.ListDead(t.Context(), 10, 0)
	if err != nil || len(list) != 3 {
		t.Fatal(len(list), err)
	}
	found := 0
	for _, l := range list {
		var d DeadLetter
		eventually(t, "the dead letter is read", func() bool { // a megabyte, on a machine that may be busy
			d, err = b.GetDead(t.Context(), l.Seq)
			return !errors.Is(err, context.DeadlineExceeded)
		})
		if err != nil {
			t.Fatal(err)
		}
		if d.Reason != "invalid_utf8" || d.Stage != "intake" || d.Attempts != 1 || d.Source != "north" || d.Received.IsZero() || d.Received.After(d.Died) {
			t.Errorf("dead letter %+v", l)
		}
		for _, data := range bodies {
			if bytes.Equal(d.Body, data) && l.Size == len(data) && l.Body == nil {
				found++
			}
		}
	}
	if found != 3 {
		t.Errorf("only %d dead letters hold the original bytes", found)
	}
}

func TestReasonsThatAreNoCodesDoNotGetOut(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	submit(t, b, 5, "a")
	start(t, b, quick(), func(context.Context, Delivery) error {
		return refusal{marker + " has a fever", "rank\r\nX: y"}
	})
	drained(t, b)
	list, err := b.ListDead(t.Context(), 10, 0)
	if err != nil || len(list) != 1 || list[0].Reason != "unnamed" || list[0].Stage != "unnamed" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestSubjectsWithoutAValidSourceAreDeadLettered(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	for _, subject := range []string{"notes.submitted.a.b", "notes.urgent.nörd", "notes.submitted." + strings.Repeat("x", 65)} {
		raw(t, b, subject, body(subject))
	}
	start(t, b, quick(), func(context.Context, Delivery) error {
		t.Error("the handler saw it")
		return nil
	})
	drained(t, b)
	list, err := b.ListDead(t.Context(), 10, 0)
	if err != nil || len(list) != 3 {
		t.Fatal(len(list), err)
	}
	for _, d := range list {
		if d.Reason != "invalid_source" || d.Source != "default" {
			t.Errorf("%+v", d)
		}
	}
}

func TestAttemptsRunOut(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	submit(t, b, 5, "bad")
	cfg := quick()
	cfg.MaxAttempts = 3
	var s seen
	start(t, b, cfg, func(_ context.Context, d Delivery) error { s.add(d); return errTemporary })
	if dead := drained(t, b); dead != 1 {
		t.Fatalf("%d dead letters", dead)
	}
	list, err := b.ListDead(t.Context(), 10, 0)
	if err != nil || len(list) != 1 || list[0].Reason != "attempts_exhausted" || list[0].Attempts != 4 || len(s.all()) != 3 {
		t.Errorf("%+v, %v; handled %d times", list, err, len(s.all()))
	}
}

// Who counts while notes become dead letters misses none of them.
func TestCountsMissNothing(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	const notes = 60
	for i := range notes {
		submit(t, b, 5, fmt.Sprint("bad", i))
	}
	cfg := quick()
	cfg.MaxAttempts = 1
	start(t, b, cfg, func(context.Context, Delivery) error { return errTemporary })
	eventually(t, "all are dead letters", func() bool {
		inFlight, dead, err := b.Counts(t.Context())
		if err != nil || inFlight+dead < notes {
			t.Errorf("%d under way and %d dead letters of %d notes, %v", inFlight, dead, notes, err)
			return true
		}
		return inFlight == 0 && dead == notes
	})
}

func TestPanicsAreTriedThreeTimes(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	submit(t, b, 5, "bad", "good")
	var s seen
	start(t, b, quick(), func(_ context.Context, d Delivery) error {
		s.add(d)
		if bytes.Equal(d.Body, body("bad")) {
			panic("value " + string(d.Body))
		}
		return nil
	})
	if dead := drained(t, b); dead != 1 {
		t.Fatalf("%d dead letters", dead)
	}
	list, err := b.ListDead(t.Context(), 10, 0)
	if err != nil || list[0].Reason != "panic" || s.times(body("bad")) != 3 || s.times(body("good")) != 1 {
		t.Errorf("%+v, %v; handled %d and %d times", list, err, s.times(body("bad")), s.times(body("good")))
	}
}

// Notes that fail again and again take no place from the others, even when
// there are many more of them than are worked on at once.
func TestFailingNotesDoNotBlockOthers(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	var good []string
	for i := range 60 {
		submit(t, b, 5, fmt.Sprint("bad", i))
		good = append(good, fmt.Sprint("good", i))
	}
	submit(t, b, 5, good...)
	var done atomic.Int64
	cfg := WorkConfig{Concurrency: 2, BackoffMin: time.Hour, BackoffMax: time.Hour}
	start(t, b, cfg, func(_ context.Context, d Delivery) error {
		if bytes.Contains(d.Body, []byte(`"bad`)) {
			return errTemporary
		}
		done.Add(1)
		return nil
	})
	eventually(t, "all good notes are done", func() bool { return done.Load() == 60 })
	eventually(t, "only failing notes are left", func() bool {
		n, _, err := b.Counts(t.Context())
		return err == nil && n == 60
	})
}

func TestUrgentFirstButOneInFive(t *testing.T) {
	t.Parallel()
	for _, concurrency := range []int{1, 8} {
		t.Run(fmt.Sprint(concurrency), func(t *testing.T) {
			t.Parallel()
			b := newBus(t)
			for i := range 80 {
				submit(t, b, 5, fmt.Sprint("o", i))
				submit(t, b, 8, fmt.Sprint("u", i))
			}
			var s seen
			cfg := quick()
			cfg.Concurrency = concurrency
			start(t, b, cfg, func(_ context.Context, d Delivery) error { s.add(d); return nil })
			drained(t, b)
			urgent := 0
			for _, d := range s.all()[:80] {
				if strings.HasPrefix(d.Subject, prefixUrgent) {
					urgent++
				}
			}
			// 64 of 80 by the rule; handlers that run side by side blur the edge.
			if urgent > 64+concurrency || urgent < 64-concurrency {
				t.Errorf("%d of the first 80 were urgent, want 64", urgent)
			}
		})
	}
}

// A handler may take much longer than AckWait while other workers are idle.
func TestSlowWorkIsNotRedelivered(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	submit(t, b, 5, "slow")
	cfg := quick()
	cfg.AckWait = time.Second
	var s seen
	h := func(_ context.Context, d Delivery) error {
		s.add(d)
		time.Sleep(3 * cfg.AckWait) // the work itself, not a wait for something
		return nil
	}
	start(t, b, cfg, h)
	start(t, b, cfg, h)
	drained(t, b)
	if n := len(s.all()); n != 1 {
		t.Errorf("delivered %d times", n)
	}
}

// Nothing is fetched that cannot be worked on at once.
func TestNothingIsPrefetched(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	for i := range 20 {
		submit(t, b, 5, fmt.Sprint(i))
		submit(t, b, 9, fmt.Sprint("u", i))
	}
	release := make(chan struct{})
	var running atomic.Int64
	cfg := quick()
	cfg.Concurrency = 3
	start(t, b, cfg, func(context.Context, Delivery) error {
		running.Add(1)
		<-release
		return nil
	})
	eventually(t, "three run", func() bool { return running.Load() == 3 })
	pending := 0
	for _, name := range []string{ConsumerOrdinary, ConsumerUrgent} {
		c, err := b.js.Consumer(t.Context(), StreamNotes, name)
		if err != nil {
			t.Fatal(err)
		}
		pending += c.CachedInfo().NumAckPending
	}
	if pending != 3 {
		t.Errorf("%d notes are fetched, 3 are worked on", pending)
	}
	close(release)
	drained(t, b)
}

func TestOutagePausesAndCostsNoAttempts(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	for i := range 12 {
		submit(t, b, 5, fmt.Sprint(i))
	}
	var back atomic.Bool
	var refused, probed, done atomic.Int64
	cfg := quick()
	cfg.Concurrency, cfg.MaxAttempts = 4, 1
	cfg.Probe = func(context.Context) error {
		if probed.Add(1) > 2 {
			back.Store(true)
			return nil
		}
		return errTemporary
	}
	start(t, b, cfg, func(context.Context, Delivery) error {
		if !back.Load() {
			refused.Add(1)
			return fmt.Errorf("store: %w", away{})
		}
		done.Add(1)
		return nil
	})
	if dead := drained(t, b); dead != 0 {
		t.Errorf("the outage dead-lettered %d notes", dead)
	}
	// Each slot may have taken one more before the first outage was known.
	if done.Load() != 12 || refused.Load() > 8 {
		t.Errorf("%d done, %d taken during the outage", done.Load(), refused.Load())
	}
}

func TestStopLetsHandlersFinish(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	submit(t, b, 5, "a", "b")
	running, release := make(chan struct{}, 2), make(chan struct{})
	cfg := quick()
	cfg.Concurrency, cfg.Grace = 1, patience
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- b.Work(ctx, cfg, func(hctx context.Context, _ Delivery) error {
			running <- struct{}{}
			<-release
			return hctx.Err()
		})
	}()
	<-running
	cancel()
	close(release)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if n, _, err := b.Counts(t.Context()); err != nil || n != 1 {
		t.Errorf("%d notes are left (%v), want the one that was not begun", n, err)
	}
}

func TestStopReturnsWhatDoesNotFinish(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	submit(t, b, 5, "heeds", "deaf")
	cfg := quick()
	cfg.Grace, cfg.AckWait = time.Millisecond, time.Hour
	running, release := make(chan struct{}, 2), make(chan struct{})
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- b.Work(ctx, cfg, func(hctx context.Context, d Delivery) error {
			running <- struct{}{}
			if bytes.Equal(d.Body, body("heeds")) {
				<-hctx.Done()
				return hctx.Err()
			}
			<-release
			return nil
		})
	}()
	<-running
	<-running
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	// AckWait is an hour: only what was returned comes to the next worker.
	var s seen
	start(t, b, cfg, func(_ context.Context, d Delivery) error { s.add(d); return nil })
	drained(t, b)
	if s.times(body("heeds")) != 1 || s.times(body("deaf")) != 1 {
		t.Errorf("the next worker saw %d and %d", s.times(body("heeds")), s.times(body("deaf")))
	}
}

func TestWorkGoesOnWhenItsConsumerIsDeleted(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	var s seen
	start(t, b, quick(), func(_ context.Context, d Delivery) error { s.add(d); return nil })
	submit(t, b, 5, "a")
	drained(t, b)
	for _, name := range []string{ConsumerOrdinary, ConsumerUrgent} {
		if err := b.js.DeleteConsumer(t.Context(), StreamNotes, name); err != nil {
			t.Fatal(err)
		}
	}
	submit(t, b, 5, "b")
	drained(t, b)
	if s.times(body("b")) != 1 {
		t.Error("the note was not handled")
	}
}

func TestOutcomesAreObserved(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	submit(t, b, 5, "good", "retry", "dead")
	got := make(chan Outcome, 10)
	cfg := quick()
	cfg.Observe = func(o Outcome) { got <- o }
	start(t, b, cfg, func(_ context.Context, d Delivery) error {
		switch {
		case bytes.Equal(d.Body, body("retry")) && d.Attempt == 1:
			return errTemporary
		case bytes.Equal(d.Body, body("dead")):
			return refusal{"empty_text", "intake"}
		}
		return nil
	})
	count := map[Result]int{}
	for range 4 {
		o := <-got
		count[o.Result]++
		if o.Waited < 0 || o.Took < 0 || (o.Reason == "empty_text") != (o.Result == ResultDead) {
			t.Errorf("%+v", o)
		}
	}
	if count[ResultDone] != 2 || count[ResultRetry] != 1 || count[ResultDead] != 1 {
		t.Errorf("%v", count)
	}
}
