// Package bus moves notes, suggestion sets and reviews through NATS JetStream.
// It is the only package that speaks NATS, and it alone decides what becomes of
// a delivery.
//
// Streams (names and subjects are a public contract):
//
//	NOTES        work queue: notes.submitted.<source>, notes.urgent.<source> (priority 7-9)
//	SUGGESTIONS  suggestions.ready.<source>, kept 30 days
//	REVIEWS      reviews.completed.<source>, kept 90 days
//	DEADLETTER   notes.dead.<source>: the original bytes, the reason in headers, kept until replayed
//
// The acknowledgement policy, in settle.go and nowhere else:
//
//   - nil from the handler: acknowledged, and the server's confirmation awaited;
//   - an outage (an error with Outage() true: the database is away): returned to
//     the queue; no more is fetched until the probe says that all is well; the
//     attempt is not counted by the worker that saw it;
//   - a permanent error (one with Reason() and Stage()): published to DEADLETTER,
//     acknowledged only when that is confirmed;
//   - any other error: returned with a growing, jittered delay;
//   - a panic: as any other error, and dead-lettered the third time;
//   - a note received more often than MaxAttempts: dead-lettered;
//   - a stop: handlers have a grace period, then their notes are returned at once.
//
// Deliveries are at least once. A message id makes the server drop what is
// published twice within its duplicate window; beyond that the handler must be
// idempotent. No more is pulled than can be worked on at once, and a handler may
// take as long as it likes: the server is told that work is in progress.
//
// No log line, error, header or message id holds anything of a note's body.
package bus
