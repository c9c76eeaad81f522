package bus

import (
	"context"
	"sync/atomic"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"chartcode/internal/tracing"
)

// TestTraceOutlivesDeath: a note that was dead-lettered and replayed is worked on
// in the trace that it was submitted in; so is what is announced of it.
func TestTraceOutlivesDeath(t *testing.T) {
	t.Parallel()
	kept := tracetest.NewInMemoryExporter()
	tracer := tracing.NewTracer(sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept)))
	b, err := Connect(t.Context(), Config{URL: startServer(t).URL(), Logger: newLogger(t), Tracer: tracer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	if err := b.EnsureStreams(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, root := tracer.Begin(t.Context(), "test", tracing.Server)
	if _, err := b.Submit(ctx, Submission{Source: "north", Priority: 5, NoteID: "a", Body: body("a")}); err != nil {
		t.Fatal(err)
	}
	root.End(nil)
	var dies atomic.Bool
	dies.Store(true)
	traces := make(chan string, 2)
	ends := make(chan Outcome, 2)
	cfg := quick()
	cfg.Observe = func(o Outcome) { ends <- o }
	start(t, b, cfg, func(ctx context.Context, _ Delivery) error {
		traces <- tracing.ID(ctx)
		if dies.Load() {
			return refusal{"empty_text", "intake"}
		}
		return b.Publish(ctx, ReviewsSubject("north"), "review-1", []byte("{}"))
	})
	want := tracing.ID(ctx)
	if got := <-traces; got != want || want == "" {
		t.Fatalf("the note is worked on in the trace %q, submitted in %q", got, want)
	}
	if o := <-ends; o.Result != ResultDead || tracing.ID(o.Ctx) != want {
		t.Fatalf("%+v", o)
	}
	dies.Store(false)
	if err := b.ReplayDead(t.Context(), 1, nil); err != nil {
		t.Fatal(err)
	}
	if got := <-traces; got != want {
		t.Errorf("the replayed note is worked on in the trace %q, want %q", got, want)
	}
	<-ends
	s, err := b.js.Stream(t.Context(), StreamReviews)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.GetMsg(t.Context(), 1)
	if err != nil || len(m.Header.Get(tracing.Header)) != 55 || m.Header.Get(tracing.Header)[3:35] != want {
		t.Errorf("what is announced has the headers %v, %v", m.Header, err)
	}
	names := map[string]int{}
	for _, s := range kept.GetSpans() {
		if s.SpanContext.TraceID().String() == want {
			names[s.Name]++
		}
	}
	for name, n := range map[string]int{"submit note": 1, "work on note": 2, "replay dead letter": 1, "announce review": 1} {
		if names[name] != n {
			t.Errorf("the trace has %v", names)
			break
		}
	}
}

// TestPaused: while the intake is paused no note is taken; afterwards all are.
func TestPaused(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	var paused atomic.Bool
	var asked atomic.Int64
	paused.Store(true)
	cfg := quick()
	cfg.Paused = func() bool { asked.Add(1); return paused.Load() }
	handled := make(chan struct{}, 10)
	start(t, b, cfg, func(context.Context, Delivery) error {
		if paused.Load() {
			t.Error("a note was taken during the pause")
		}
		handled <- struct{}{}
		return nil
	})
	submit(t, b, 5, "a", "b")
	submit(t, b, 8, "c")
	for before := asked.Load(); asked.Load() < before+3; { // it goes on asking
	}
	paused.Store(false)
	for range 3 {
		<-handled
	}
	drained(t, b)
	lag, err := b.Lag(t.Context())
	if err != nil || lag.Oldest != 0 || len(lag.Consumers) != 2 || len(lag.Streams) != 4 {
		t.Errorf("%+v, %v", lag, err)
	}
}

// TestLag: what waits is told, and for how long.
func TestLag(t *testing.T) {
	t.Parallel()
	b := newBus(t)
	submit(t, b, 5, "a", "b")
	lag, err := b.Lag(t.Context())
	if err != nil || lag.Oldest <= 0 || lag.Streams[0].Messages != 2 || lag.Streams[0].Bytes == 0 || lag.Notes != 2 || lag.Dead != 0 {
		t.Errorf("%+v, %v", lag, err)
	}
	if age, err := b.Oldest(t.Context()); err != nil || age < lag.Oldest {
		t.Errorf("%v, %v", age, err)
	}
}
