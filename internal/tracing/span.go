package tracing

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

const scope = "chartcode"

// Span is one step. The zero Span is that of a trace that nobody follows.
type Span struct{ s trace.Span }

// Start begins a child of the span in ctx, if that is followed.
func Start(ctx context.Context, name string) (context.Context, Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, Span{}
	}
	ctx, s := parent.TracerProvider().Tracer(scope).Start(ctx, name)
	return ctx, Span{s}
}

// Join begins a span in the traces that the parents name: as a child of the last
// one that names a trace, with links to the others and to the span in ctx, whose
// request it is part of. It began at a time that has passed. Without a span in
// ctx, or a parent, it does nothing.
func Join(ctx context.Context, name string, began time.Time, parents []string) (context.Context, Span) {
	here := trace.SpanFromContext(ctx)
	if !here.IsRecording() {
		return ctx, Span{}
	}
	var into trace.SpanContext
	links := []trace.Link{{SpanContext: here.SpanContext()}}
	for _, p := range parents {
		sc := read(p)
		if !sc.IsValid() || sc.Equal(into) {
			continue
		}
		if into.IsValid() {
			links = append(links, trace.Link{SpanContext: into})
		}
		into = sc
	}
	if !into.IsValid() {
		return ctx, Span{}
	}
	ctx, s := here.TracerProvider().Tracer(scope).Start(trace.ContextWithRemoteSpanContext(ctx, into), name,
		trace.WithTimestamp(began), trace.WithLinks(links...))
	return ctx, Span{s}
}

// On reports whether the span is followed: whether it is worth the trouble to
// work out what only it is told.
func (s Span) On() bool { return s.s != nil }

// Set says something about the step: a code or the name of a part.
func (s Span) Set(key, value string) {
	if s.s != nil {
		s.s.SetAttributes(attribute.String(key, value))
	}
}

// SetInt says a number about the step.
func (s Span) SetInt(key string, value int64) {
	if s.s != nil {
		s.s.SetAttributes(attribute.Int64(key, value))
	}
}

// Rename gives the step another name, where it is known only at its end.
func (s Span) Rename(name string) {
	if s.s != nil {
		s.s.SetName(name)
	}
}

// End ends the step. Of an error no more is told than its code (its Reason),
// or that it was one: messages may quote.
func (s Span) End(err error) {
	if s.s == nil {
		return
	}
	if err != nil {
		s.s.SetStatus(codes.Error, Reason(err))
	}
	s.s.End()
}

// Fail marks the step as failed, for a reason that is a code.
func (s Span) Fail(reason string) {
	if s.s != nil {
		s.s.SetStatus(codes.Error, reason)
	}
}

// Reason is the code of an error, for spans and metrics: its Reason, or a word for
// errors that have none.
func Reason(err error) string {
	var coded interface{ Reason() string }
	var outage interface{ Outage() bool }
	switch {
	case err == nil:
		return ""
	case errors.As(err, &coded):
		return coded.Reason()
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline"
	case errors.As(err, &outage) && outage.Outage():
		return "outage"
	}
	return "failed"
}
