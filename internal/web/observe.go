package web

import (
	"context"
	"net/http"
	"time"

	"chartcode/internal/tracing"
)

// Observer hears of requests, from several goroutines; metrics.HTTP does.
type Observer interface {
	Began()
	// Ended tells of a request by its route, which is a pattern, never a path. Stream
	// says that it was one of server-sent events.
	Ended(ctx context.Context, route string, status int, took time.Duration, stream bool)
	Streams(change int)
}

// deaf hears nothing.
type deaf struct{}

func (deaf) Began()                                                  {}
func (deaf) Ended(context.Context, string, int, time.Duration, bool) {}
func (deaf) Streams(int)                                             {}

const streamRoute = "GET /events"

// traced begins a request's trace, or for the API goes on in the one that a
// program sends along. Pages' own upkeep and what the platform asks are left out:
// they are many, and nobody asks how they went.
func (s *server) traced(r *http.Request) (*http.Request, tracing.Span) {
	if s.Tracer == nil {
		return r, tracing.Span{}
	}
	switch r.URL.Path {
	case "/healthz", "/readyz", "/metrics", "/events", "/session":
		return r, tracing.Span{}
	}
	ctx := r.Context()
	if isAPI(r) {
		ctx = tracing.From(ctx, r.Header.Get(tracing.Header))
	}
	ctx, span := s.Tracer.Begin(ctx, "request", tracing.Server)
	return r.WithContext(ctx), span
}

// ended tells of a request, whose route is known only now.
func (s *server) ended(r *http.Request, span tracing.Span, status int, took time.Duration) {
	route := r.Pattern
	if route == "" {
		route = "none"
	}
	if status == 0 {
		status = http.StatusOK // nothing was written
	}
	s.Observe.Ended(r.Context(), route, status, took, route == streamRoute)
	if !span.On() {
		return
	}
	span.Rename(route)
	span.Set("http.route", route)
	span.SetInt("http.response.status_code", int64(status))
	if status >= 500 {
		span.Fail("failed")
	}
	span.End(nil)
}
