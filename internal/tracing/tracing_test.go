package tracing

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// recording gives a tracer and what it has recorded.
func recording() (*Tracer, *tracetest.InMemoryExporter) {
	kept := tracetest.NewInMemoryExporter()
	return NewTracer(sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept))), kept
}

// What is off allocates nothing, at any depth of contexts.
func TestOffCostsNoMemory(t *testing.T) {
	type key int
	ctx := context.Background()
	for i := range 10 {
		ctx = context.WithValue(ctx, key(i), i)
	}
	var off *Tracer
	failed := errors.New("failed")
	if n := testing.AllocsPerRun(100, func() {
		inside, span := off.Begin(From(ctx, ""), "root", Consumer)
		inside, child := Start(inside, "child")
		child.Set("a", "b")
		child.SetInt("n", 1)
		child.End(failed)
		span.Rename("other")
		span.Fail("code")
		span.End(nil)
		_, joined := Join(inside, "join", time.Time{}, nil)
		joined.End(nil)
		if Traceparent(inside) != "" || ID(inside) != "" {
			t.Error("there is a trace")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if err := off.Close(ctx); err != nil {
		t.Error(err)
	}
}

// BenchmarkOff is the cost of one step that nobody follows.
func BenchmarkOff(b *testing.B) {
	type key int
	ctx := context.Background()
	for i := range 10 {
		ctx = context.WithValue(ctx, key(i), i)
	}
	for b.Loop() {
		_, span := Start(ctx, "step")
		span.SetInt("n", 1)
		span.End(nil)
	}
}

// A trace goes through a text, as through headers and the database.
func TestTraceTravels(t *testing.T) {
	tracer, kept := recording()
	ctx, root := tracer.Begin(t.Context(), "submit", Producer)
	place := Traceparent(ctx)
	root.End(nil)
	if len(place) != 55 {
		t.Fatalf("the place is %q", place)
	}
	far, work := tracer.Begin(From(context.Background(), place), "work", Consumer)
	_, step := Start(far, "step")
	step.End(errors.New("a note's text"))
	work.End(nil)
	spans := kept.GetSpans()
	if len(spans) != 3 {
		t.Fatalf("%d spans", len(spans))
	}
	submit, inner, outer := spans[0], spans[1], spans[2]
	if outer.Parent.SpanID() != submit.SpanContext.SpanID() || inner.Parent.SpanID() != outer.SpanContext.SpanID() || inner.SpanContext.TraceID() != submit.SpanContext.TraceID() {
		t.Error("the spans are not one below the other")
	}
	if inner.Status.Code != codes.Error || inner.Status.Description != "failed" {
		t.Errorf("an error is told as %+v", inner.Status)
	}
	for _, bad := range []string{"", "00-0-0-0", strings.Repeat("x", 55), "00-" + strings.Repeat("0", 32) + "-" + strings.Repeat("0", 16) + "-01"} {
		if Traceparent(From(t.Context(), bad)) != "" {
			t.Errorf("%q names a place", bad)
		}
	}
}

// What people do joins the trace of the last note, and is linked to the others
// and to its request.
func TestJoin(t *testing.T) {
	tracer, kept := recording()
	place := func() string {
		ctx, s := tracer.Begin(context.Background(), "note", Consumer)
		s.End(nil)
		return Traceparent(ctx)
	}
	first, second := place(), place()
	request, r := tracer.Begin(t.Context(), "request", Server)
	began := time.Now().Add(-time.Second)
	inside, s := Join(request, "decide", began, []string{first, "", second, second})
	s.End(nil)
	r.End(nil)
	decide := kept.GetSpans()[2]
	if Traceparent(inside)[:35] != second[:35] || decide.SpanContext.TraceID().String() != second[3:35] || !decide.StartTime.Equal(began) {
		t.Error("the step is not in the last note's trace")
	}
	links := map[string]bool{}
	for _, l := range decide.Links {
		links[l.SpanContext.TraceID().String()] = true
	}
	if len(links) != 2 || !links[first[3:35]] || !links[ID(request)] {
		t.Errorf("links lead to %v", links)
	}
	if _, s := Join(request, "decide", began, []string{""}); s.On() {
		t.Error("a note without a trace has one")
	}
	if _, s := Join(t.Context(), "decide", began, []string{first}); s.On() {
		t.Error("without a request that is followed there is a step")
	}
}

type coded struct{ error }

func (coded) Reason() string { return "llm_timeout" }

func TestReason(t *testing.T) {
	for want, err := range map[string]error{"": nil, "failed": errors.New("secret"), "llm_timeout": coded{}, "canceled": context.Canceled, "deadline": context.DeadlineExceeded} {
		if got := Reason(err); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
}

func TestSetUp(t *testing.T) {
	for _, c := range []struct {
		name  string
		env   map[string]string
		on    bool
		wrong string
	}{
		{"nothing set", nil, false, ""},
		{"an endpoint", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, true, ""},
		{"one for traces", map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1"}, true, ""},
		{"the exporter by name", map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, true, ""},
		{"no exporter", map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, false, ""},
		{"disabled", map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, false, ""},
		{"another exporter", map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, false, "OTEL_TRACES_EXPORTER"},
		{"another protocol", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, false, "OTEL_EXPORTER_OTLP_PROTOCOL"},
		{"the protocol of traces counts", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}, true, ""},
	} {
		tracer, err := SetUp(t.Context(), Config{Getenv: func(n string) string { return c.env[n] }, Role: "test", Logger: slog.New(slog.DiscardHandler)})
		if (tracer != nil) != c.on || (err != nil) != (c.wrong != "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %v, %v", c.name, tracer != nil, err)
		}
		if err := tracer.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestLogHandler(t *testing.T) {
	tracer, _ := recording()
	var b bytes.Buffer
	log := slog.New(LogHandler(slog.NewTextHandler(&b, nil))).With("role", "work")
	ctx, s := tracer.Begin(t.Context(), "note", Consumer)
	log.InfoContext(ctx, "with")
	s.End(nil)
	log.InfoContext(t.Context(), "without")
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "trace_id="+ID(ctx)) || !strings.Contains(lines[0], "role=work") || strings.Contains(lines[1], "trace_id") {
		t.Errorf("the log is\n%s", b.String())
	}
}
