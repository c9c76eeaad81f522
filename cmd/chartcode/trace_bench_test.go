package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"chartcode/internal/bus"
	"chartcode/internal/tracing"
	"chartcode/internal/worker"
)

// BenchmarkTracing is a worker's time for a note, from its bytes to the commit, by
// the local ranker: with nothing exported, and with all spans recorded. The figure
// off-%-of-note is what the steps of a note cost when nobody follows them, as a
// share of the note's time: their number, as recorded, times the cost of one.
//
//	go test ./cmd/chartcode -run '^$' -bench Tracing
func BenchmarkTracing(b *testing.B) {
	l := newLab(b)
	p, err := l.app.newPipeline(l.knowledge, pipelineOptions{ranker: "local"})
	if err != nil {
		b.Fatal(err)
	}
	handle := worker.Handler(worker.Config{Processor: p, Store: l.app.store, Logger: slog.New(slog.DiscardHandler)})
	seq := uint64(0)
	note := func(ctx context.Context) {
		seq++
		line, err := json.Marshal(map[string]any{"note_id": fmt.Sprintf("%s-bench-%d", marker, seq), "service_date": "2026-03-14", "text": strings.Repeat(
			fmt.Sprintf("ASSESSMENT: %s %d. Type 2 diabetes mellitus, essential hypertension, acute bronchitis. No fever, chills or cough.\n", marker, seq), 10)})
		if err != nil {
			b.Fatal(err)
		}
		if err := handle(ctx, bus.Delivery{Source: "default", Body: line, Seq: seq, Received: time.Now(), Attempt: 1}); err != nil {
			b.Fatal(err)
		}
	}
	kept := tracetest.NewInMemoryExporter()
	tracer := tracing.NewTracer(sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept)))
	recorded := func() {
		ctx, span := tracer.Begin(context.Background(), "work on note", tracing.Consumer)
		note(ctx)
		span.End(nil)
	}
	for range 20 { // what is read once
		note(context.Background())
	}
	kept.Reset()
	recorded()
	steps := len(kept.GetSpans())
	const times = 1_000_000
	began := time.Now()
	for range times {
		_, span := tracing.Start(context.Background(), "step")
		span.SetInt("n", 1)
		span.End(nil)
	}
	one := float64(time.Since(began).Nanoseconds()) / times
	b.Run("off", func(b *testing.B) {
		for b.Loop() {
			note(context.Background())
		}
		perNote := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
		b.ReportMetric(float64(steps), "steps/note")
		b.ReportMetric(100*float64(steps)*one/perNote, "off-%-of-note")
	})
	b.Run("on", func(b *testing.B) {
		for b.Loop() {
			recorded()
		}
		kept.Reset()
	})
}
