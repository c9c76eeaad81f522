package tracing

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Header is the header that a trace travels in. Names of NATS headers are told
// apart by case: it is this one.
const Header = "traceparent"

// Traceparent is the place in a trace that ctx is at; "" where nobody follows it.
// Its form is that of W3C Trace Context, level 1.
func Traceparent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[Header]
}

// From puts ctx at the place that a traceparent names. One that cannot be read
// names none.
func From(ctx context.Context, traceparent string) context.Context {
	if sc := read(traceparent); sc.IsValid() {
		return trace.ContextWithRemoteSpanContext(ctx, sc)
	}
	return ctx
}

// ID is the id of the trace that ctx is in and that is kept; "" without one.
func ID(ctx context.Context) string {
	if sc := trace.SpanContextFromContext(ctx); sc.IsSampled() {
		return sc.TraceID().String()
	}
	return ""
}

func read(traceparent string) trace.SpanContext {
	if traceparent == "" {
		return trace.SpanContext{}
	}
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{Header: traceparent})
	return trace.SpanContextFromContext(ctx)
}
