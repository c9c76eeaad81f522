// Package tracing follows a note on its way with OpenTelemetry spans: from the
// process that submits it through the queue to a worker, into the database, and
// from there to the person who looks at it, decides and finishes it. All of them
// are one trace.
//
// SetUp reads the standard OTEL_* variables; without an address to export to
// there is no Tracer, and a nil *Tracer and the zero Span do nothing and cost
// next to nothing: no allocation, no clock.
//
// A trace begins, or comes in from elsewhere, at the few places that hold a
// Tracer (web, bus). Everything between takes the span from its context: Start
// makes a child of it. Between processes a trace travels as a W3C traceparent:
// in headers of HTTP and NATS, and in the database beside what it is about.
//
// Names of spans are constants, attributes hold numbers of the database, codes
// and names of stages: nothing of a note.
package tracing
