package bus

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"chartcode/internal/tracing"
)

// The interfaces by which a handler's error says what it is. Reason is a lower
// snake case code without anything of the note.
type (
	permanent interface {
		Reason() string
		Stage() string
	}
	outage interface{ Outage() bool }
)

// Reasons that the bus itself gives.
const (
	reasonSource    = "invalid_source"
	reasonAttempts  = "attempts_exhausted"
	reasonPanic     = "panic"
	reasonUnnamed   = "unnamed"
	stageDelivery   = "delivery"
	defaultSource   = "default"
	maxPanics       = 3
	settleTimeout   = 30 * time.Second
	outageReturn    = 5 * time.Second // before a note that met an outage comes back
	heartbeatsInAck = 3
)

// job is one delivery under way. Whoever claims it first settles it.
type job struct {
	Delivery
	msg     *nats.Msg
	urgent  bool
	valid   bool // the subject names a source
	began   time.Time
	settled atomic.Bool
	place   string          // in a trace, that the note came from
	ctx     context.Context // of the delivery: its trace
	span    tracing.Span
}

func (j *job) claim() bool { return j.settled.CompareAndSwap(false, true) }

// start takes over one of the reserved slots.
func (w *worker) start(hctx context.Context, msg *nats.Msg) {
	j := &job{msg: msg, began: time.Now()}
	j.Subject, j.Body = msg.Subject, msg.Data
	j.Source, j.urgent, j.valid = sourceOf(j.Subject)
	if !j.valid {
		j.Source = defaultSource
	}
	if meta, err := msg.Metadata(); err == nil {
		j.Seq, j.Received = meta.Sequence.Stream, meta.Timestamp
		j.Attempt = w.past.attempt(j.Seq, int(min(meta.NumDelivered, 1<<30)))
	}
	j.place = msg.Header.Get(tracing.Header)
	j.ctx, j.span = w.bus.trace.Begin(tracing.From(hctx, j.place), "work on note", tracing.Consumer)
	j.span.SetInt("messaging.message.seq", int64(j.Seq))
	j.span.SetInt("chartcode.attempt", int64(j.Attempt))
	w.mu.Lock()
	w.jobs[j] = struct{}{}
	w.mu.Unlock()
	w.wg.Add(1)
	go func() {
		defer func() {
			w.mu.Lock()
			delete(w.jobs, j)
			w.mu.Unlock()
			<-w.slots
			w.wg.Done()
		}()
		stopBeat := w.heartbeat(j)
		defer stopBeat()
		w.settle(j, w.attempt(j.ctx, j))
	}()
}

// heartbeat tells the server that work goes on, until the job is settled.
func (w *worker) heartbeat(j *job) (stop func()) {
	done := make(chan struct{})
	go func() {
		t := time.NewTicker(w.cfg.AckWait / heartbeatsInAck)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				if j.settled.Load() {
					return
				}
				_ = j.msg.InProgress() // without a connection there is nobody to tell
			}
		}
	}()
	return func() { close(done) }
}

// dead is the policy's own permanent error.
type dead struct{ reason string }

func (d dead) Error() string  { return d.reason }
func (d dead) Reason() string { return d.reason }
func (d dead) Stage() string  { return stageDelivery }

// attempt runs the handler and makes an error of a panic.
func (w *worker) attempt(ctx context.Context, j *job) (err error) {
	switch {
	case !j.valid:
		return dead{reasonSource}
	case j.Attempt > w.cfg.MaxAttempts:
		return dead{reasonAttempts}
	}
	defer func() {
		if v := recover(); v != nil {
			w.bus.log.ErrorContext(ctx, "a handler panicked", "seq", j.Seq, "attempt", j.Attempt, "kind", kindOf(v), "at", frames())
			if w.past.panicked(j.Seq) >= maxPanics {
				err = dead{reasonPanic}
				return
			}
			err = errPanic
		}
	}()
	return w.handle(ctx, j.Delivery)
}

var errPanic = errors.New("the handler panicked")

// kindOf describes a panic's value without it: it may hold text of the note.
// Messages of the runtime itself hold none.
func kindOf(v any) string {
	if re, ok := v.(runtime.Error); ok {
		return re.Error()
	}
	return fmt.Sprintf("%T", v)
}

// frames names the functions that led to a panic, without their arguments.
func frames() string {
	pcs := make([]uintptr, 32)
	n := runtime.Callers(3, pcs)
	list := runtime.CallersFrames(pcs[:n])
	var b strings.Builder
	for i := 0; i < 12; i++ {
		f, more := list.Next()
		if !strings.HasPrefix(f.Function, "runtime.") {
			fmt.Fprintf(&b, "%s:%d ", f.Function, f.Line)
		}
		if !more {
			break
		}
	}
	return strings.TrimSpace(b.String())
}

// settle is the acknowledgement policy.
func (w *worker) settle(j *job, err error) {
	took := time.Since(j.began)
	if !j.claim() {
		return // returned by a stop
	}
	out := Outcome{Urgent: j.urgent, Attempt: j.Attempt, Waited: j.began.Sub(j.Received), Took: took, Ctx: j.ctx}
	defer func() {
		j.end(out)
		w.cfg.Observe(out)
	}()

	var p permanent
	var o outage
	switch {
	case err == nil:
		out.Result = ResultDone
		w.success.Store(true)
		w.acknowledge(j)
	case errors.As(err, &o) && o.Outage():
		out.Result = ResultOutage
		w.past.excuse(j.Seq)
		w.outage.Store(true)
		w.giveBackLater(j, jitter(outageReturn))
		w.bus.log.WarnContext(j.ctx, "a note met an outage and waits", "seq", j.Seq, "attempt", j.Attempt, "cause", err.Error())
	case w.stopping.Load():
		out.Result = ResultReturned
		w.giveBackLater(j, 0)
	case errors.As(err, &p):
		out.Result, out.Reason = ResultDead, cleanCode(p.Reason())
		if !w.bury(j, out.Reason, cleanCode(p.Stage())) {
			out.Result = ResultRetry
			w.giveBackLater(j, w.delay(j.Attempt))
		}
	default:
		out.Result = ResultRetry
		delay := w.delay(j.Attempt)
		w.giveBackLater(j, delay)
		w.bus.log.WarnContext(j.ctx, "a note could not be handled and waits", "seq", j.Seq, "attempt", j.Attempt, "delay", delay.Round(time.Millisecond).String(), "cause", err.Error())
	}
}

// end ends the delivery's step in its trace.
func (j *job) end(out Outcome) {
	j.span.Set("chartcode.result", string(out.Result))
	if out.Reason != "" {
		j.span.Fail(out.Reason)
	}
	j.span.End(nil)
}

// delay before the next attempt: doubled each time, jittered.
func (w *worker) delay(attempt int) time.Duration {
	d := w.cfg.BackoffMin << min(max(attempt-1, 0), 20)
	if d <= 0 || d > w.cfg.BackoffMax {
		d = w.cfg.BackoffMax
	}
	return jitter(d)
}

func (w *worker) acknowledge(j *job) {
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	if err := j.msg.AckSync(nats.Context(ctx)); err != nil {
		w.bus.log.WarnContext(j.ctx, "an acknowledgement was not confirmed; the note may come again", "seq", j.Seq, "cause", err.Error())
	}
	w.past.forget(j.Seq)
}

func (w *worker) giveBackLater(j *job, delay time.Duration) {
	var err error
	if delay > 0 {
		err = j.msg.NakWithDelay(delay)
	} else {
		err = j.msg.Nak()
	}
	if err != nil { // it comes back after AckWait
		w.bus.log.WarnContext(j.ctx, "a note could not be returned; it comes back by itself", "seq", j.Seq, "cause", err.Error())
	}
}

// giveBack returns the note of a handler that outlived the grace period.
func (w *worker) giveBack(j *job) {
	if j.claim() {
		w.giveBackLater(j, 0)
		out := Outcome{Result: ResultReturned, Urgent: j.urgent, Attempt: j.Attempt, Waited: j.began.Sub(j.Received), Took: time.Since(j.began), Ctx: j.ctx}
		j.end(out)
		w.cfg.Observe(out)
	}
}

// bury dead-letters the note and acknowledges it once that is confirmed.
func (w *worker) bury(j *job, reason, stage string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	if err := w.bus.publishDead(ctx, j, reason, stage); err != nil {
		w.bus.log.ErrorContext(j.ctx, "a note could not be dead-lettered and waits", "seq", j.Seq, "reason", reason, "cause", err.Error())
		return false
	}
	w.bus.log.WarnContext(j.ctx, "dead-lettered a note", "seq", j.Seq, "attempt", j.Attempt, "reason", reason, "stage", stage)
	w.acknowledge(j)
	return true
}

// cleanCode guards headers and logs against anything but a code.
func cleanCode(s string) string {
	if s == "" || len(s) > 64 {
		return reasonUnnamed
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_') {
			return reasonUnnamed
		}
	}
	return s
}
