package bus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Delivery is one attempt at one note.
type Delivery struct {
	Subject  string
	Source   string // the subject's token, always valid
	Body     []byte
	Seq      uint64    // place in the stream: orders the bodies of one note
	Received time.Time // when the server stored it
	Attempt  int       // from 1
}

// Handler works on one delivery. Its error decides what becomes of it; see the
// package comment. ctx ends when a stop has used up its grace period.
type Handler func(ctx context.Context, d Delivery) error

// Outcome tells what became of a delivery.
type Outcome struct {
	Result  Result
	Reason  string // of a dead letter
	Urgent  bool
	Attempt int
	Waited  time.Duration // from being stored by the server to being received here
	Took    time.Duration // of the handler
	// Ctx is that of the delivery: it may be in a trace.
	Ctx context.Context
}

// Result names an outcome.
type Result string

// The results.
const (
	ResultDone     Result = "done"     // acknowledged
	ResultRetry    Result = "retry"    // returned with a delay
	ResultOutage   Result = "outage"   // returned; fetching pauses
	ResultDead     Result = "dead"     // dead-lettered
	ResultReturned Result = "returned" // returned at a stop
)

// WorkConfig says how to work. The zero value of a field means its default.
type WorkConfig struct {
	Concurrency int           // notes worked on at once, 4
	AckWait     time.Duration // silence after which the server gives a note to another worker, 60s
	MaxAttempts int           // deliveries of one note, 25
	BackoffMin  time.Duration // delay after the first failure, 1s; doubled each time
	BackoffMax  time.Duration // 5m
	Grace       time.Duration // how long handlers may go on after a stop, 10s
	// Probe is asked during an outage; fetching goes on when it returns nil.
	// Without one, fetching goes on after a pause.
	Probe func(ctx context.Context) error
	// Paused, unless nil, is asked before notes are fetched: while it says so none
	// are. Those under way are finished.
	Paused func() bool
	// Observe hears of each outcome, from several goroutines.
	Observe func(Outcome)
}

func (c *WorkConfig) complete() error {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	if c.Concurrency == 0 {
		c.Concurrency = 4
	}
	if c.MaxAttempts == 0 {
		c.MaxAttempts = 25
	}
	def(&c.AckWait, time.Minute)
	def(&c.BackoffMin, time.Second)
	def(&c.BackoffMax, 5*time.Minute)
	def(&c.Grace, 10*time.Second)
	if c.Observe == nil {
		c.Observe = func(Outcome) {}
	}
	if c.Concurrency < 0 || c.MaxAttempts < 0 || c.AckWait < time.Second || c.BackoffMin < 0 || c.BackoffMax < c.BackoffMin || c.Grace < 0 {
		return errors.New("bus: Concurrency, MaxAttempts, delays and Grace must be positive, AckWait at least a second")
	}
	return nil
}

const (
	idleMin = 5 * time.Millisecond
	idleMax = 200 * time.Millisecond

	outageMin = time.Second
	outageMax = 30 * time.Second

	// pausedWait is how long a pause may have ended before notes are taken again.
	pausedWait = 200 * time.Millisecond

	// share is how often an ordinary note is taken while urgent ones wait: one in five.
	share = 5
)

// Work handles notes until ctx ends, then waits for running handlers at most
// for the grace period, returns the rest to the queue and returns nil. It fails
// only when it cannot start. Streams must be there (EnsureStreams).
func (b *Bus) Work(ctx context.Context, cfg WorkConfig, handle Handler) error {
	if err := cfg.complete(); err != nil {
		return err
	}
	w := &worker{bus: b, cfg: cfg, handle: handle, slots: make(chan struct{}, cfg.Concurrency), jobs: make(map[*job]struct{}), past: newHistory(),
		urgent: puller{b.nc, ConsumerUrgent, cfg.AckWait}, ordinary: puller{b.nc, ConsumerOrdinary, cfg.AckWait}}
	if err := w.open(ctx); err != nil {
		return err
	}
	hctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	w.run(ctx, hctx)
	w.stop(cancel)
	return nil
}

type worker struct {
	bus    *Bus
	cfg    WorkConfig
	handle Handler

	urgent, ordinary puller
	urgentRun        int // urgent notes taken since the last ordinary one, as far as that matters

	slots    chan struct{} // one token per note under way
	wg       sync.WaitGroup
	mu       sync.Mutex
	jobs     map[*job]struct{}
	past     *history
	outage   atomic.Bool
	outages  int // in a row, without a success in between; touched by run alone
	success  atomic.Bool
	stopping atomic.Bool
}

// consumer is how a durable consumer of NOTES must be.
func consumer(name string, ackWait time.Duration) jetstream.ConsumerConfig {
	filter := prefixSubmitted + ">"
	if name == ConsumerUrgent {
		filter = prefixUrgent + ">"
	}
	return jetstream.ConsumerConfig{
		Durable: name, FilterSubject: filter, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: ackWait, MaxDeliver: -1,
		// Notes that wait for their next attempt count as pending too: a
		// limit would let them block the others.
		MaxAckPending: -1,
	}
}

// open makes the consumers. Deliveries are counted here, not by the server, for
// on a work queue the server would keep a note that it no longer delivers.
func (w *worker) open(ctx context.Context) error {
	for _, name := range []string{ConsumerUrgent, ConsumerOrdinary} {
		if _, err := w.bus.js.CreateOrUpdateConsumer(ctx, StreamNotes, consumer(name, w.cfg.AckWait)); err != nil {
			return fmt.Errorf("consumer %s: %w", name, err)
		}
	}
	return nil
}

// run fetches until ctx ends. It asks for what is there, at most as many as
// there are free slots, and asks again a little later when nothing is: a pull
// that waits on one consumer would hold a slot that the other's note may need.
func (w *worker) run(ctx, hctx context.Context) {
	idle := idleMin
	var broken time.Duration
	for {
		if w.outage.Load() && !w.recover(ctx) {
			return
		}
		if w.cfg.Paused != nil && w.cfg.Paused() {
			if !sleep(ctx, pausedWait) {
				return
			}
			continue
		}
		free := w.reserve(ctx)
		if free == 0 {
			return
		}
		taken, err := w.fetch(ctx, hctx, free)
		for range free - taken {
			<-w.slots
		}
		switch {
		case err != nil:
			if broken == 0 {
				w.bus.log.Warn("notes cannot be fetched; trying again", "cause", err.Error())
			}
			broken = min(max(2*broken, 250*time.Millisecond), 5*time.Second)
			if !sleep(ctx, jitter(broken)) {
				return
			}
			// The stream or a consumer may have been deleted.
			if err := w.bus.EnsureStreams(ctx); err == nil {
				_ = w.open(ctx)
			}
		case taken > 0:
			idle, broken = idleMin, 0
		default:
			broken = 0
			if !sleep(ctx, idle) {
				return
			}
			idle = min(2*idle, idleMax)
		}
	}
}

// reserve waits for a free slot and takes all that are free; 0 means ctx ended.
func (w *worker) reserve(ctx context.Context) int {
	select {
	case w.slots <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	if ctx.Err() != nil {
		<-w.slots
		return 0
	}
	for n := 1; ; n++ {
		select {
		case w.slots <- struct{}{}:
		default:
			return n
		}
	}
}

// fetch takes up to free notes, urgent ones first, but of each five at least
// one from the others while there are any, and starts their handlers.
func (w *worker) fetch(ctx, hctx context.Context, free int) (taken int, err error) {
	pull := func(from puller, n int) (int, error) {
		return from.pull(ctx, n, func(m *nats.Msg) { w.start(hctx, m) })
	}
	due := min((w.urgentRun+free)/share, free)
	ordinary, err := pull(w.ordinary, due)
	taken += ordinary
	if err != nil {
		return taken, err
	}
	urgent, err := pull(w.urgent, free-taken)
	taken += urgent
	// What ordinary notes did not take up while there were none is not saved.
	w.urgentRun = min(max(w.urgentRun+urgent-(share-1)*ordinary, 0), share-1)
	if err != nil || ordinary < due {
		return taken, err
	}
	more, err := pull(w.ordinary, free-taken)
	if more > 0 {
		w.urgentRun = 0
	}
	return taken + more, err
}

// recover waits until the outage is over; false means that ctx ended first.
func (w *worker) recover(ctx context.Context) bool {
	if w.success.Swap(false) {
		w.outages = 0
	}
	w.bus.log.Warn("a service that notes need is away; no more notes are taken until it is back")
	for {
		pause := outageMin << min(w.outages, 10)
		w.outages++
		if !sleep(ctx, jitter(min(pause, outageMax))) {
			return false
		}
		if w.cfg.Probe == nil || w.cfg.Probe(ctx) == nil {
			w.outage.Store(false)
			w.bus.log.Info("notes are taken again")
			return true
		}
	}
}

// stop waits for the running handlers; what runs after the grace period is
// returned to the queue at once.
func (w *worker) stop(cancel context.CancelFunc) {
	w.finish(cancel)
	if err := w.bus.nc.FlushTimeout(time.Second); err != nil {
		w.bus.log.Warn("notes under way could not be returned; they come back by themselves", "after", w.cfg.AckWait.String())
	}
}

func (w *worker) finish(cancel context.CancelFunc) {
	finished := make(chan struct{})
	go func() {
		w.wg.Wait()
		close(finished)
	}()
	select {
	case <-finished:
		return
	case <-time.After(w.cfg.Grace):
	}
	w.stopping.Store(true)
	cancel()
	w.mu.Lock()
	left := make([]*job, 0, len(w.jobs))
	for j := range w.jobs {
		left = append(left, j)
	}
	w.mu.Unlock()
	for _, j := range left {
		w.giveBack(j)
	}
	// Handlers that heed their context end now; others cannot be waited for.
	select {
	case <-finished:
	case <-time.After(time.Second):
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// jitter spreads d over [d/2, 3d/2).
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d/2 + rand.N(d) // spreads load, guards nothing
}
