package review

import (
	"context"
	"slices"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/tracing"
)

// What people do with an item is part of the way of its notes: each step stands in
// the trace in which a worker stored the note that came last, and is linked to those
// of the item's other notes and to the request that it was done by.

// traces are where the item's notes were worked on, the last one stored last.
func traces(r coding.ItemRecord) []string {
	notes := slices.Clone(r.Notes)
	slices.SortStableFunc(notes, func(a, b coding.ItemNote) int { return a.StoredAt.Compare(b.StoredAt) })
	list := make([]string, len(notes))
	for i, n := range notes {
		list[i] = n.Traceparent
	}
	return list
}

// traceStep begins the step that a change of an item is; the announcement that
// goes with it is made in the same trace.
func traceStep(ctx context.Context, began time.Time, r coding.ItemRecord, c *coding.ItemChange) tracing.Span {
	var name string
	switch {
	case len(c.Decisions) > 0 && c.Decisions[0].Kind == coding.Finish:
		name = "finish"
	case len(c.Decisions) > 0:
		name = "decide " + string(c.Decisions[0].Kind)
	case len(c.Events) > 0:
		name = "item " + c.Events[0].Action
	default:
		return tracing.Span{}
	}
	ctx, span := tracing.Join(ctx, name, began, traces(r))
	span.SetInt("chartcode.item", r.Head.ID)
	if c.Outbox != nil && span.On() {
		c.Outbox.Traceparent = tracing.Traceparent(ctx)
	}
	return span
}

// traceFirstLook enters that somebody looked at an item whom nobody did before.
func traceFirstLook(ctx context.Context, began time.Time, r coding.ItemRecord) {
	if slices.ContainsFunc(r.Events, func(e coding.AuditEvent) bool { return e.Action == string(coding.EventLooked) }) {
		return
	}
	_, span := tracing.Join(ctx, "first look", began, traces(r))
	span.SetInt("chartcode.item", r.Head.ID)
	span.End(nil)
}
