package review

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"chartcode/internal/coding"
)

// Timeline gives all that ever happened to an item, the latest last: every look,
// claim and decision, who and when. Asking for it is a look too.
func (s *Service) Timeline(ctx context.Context, u coding.User, id int64) ([]Event, error) {
	if err := s.maySee(ctx, u, id); err != nil {
		return nil, err
	}
	ev := itemEvent(s.moment(), u, coding.EventLooked, id)
	r, found, err := s.store.ItemRecord(ctx, id, &ev)
	if err != nil {
		return nil, fmt.Errorf("review: read an item: %w", err)
	}
	if !found {
		return nil, ErrNotFound
	}
	// The record has the latest events only.
	if r.Events, err = s.store.ItemEvents(ctx, id); err != nil {
		return nil, fmt.Errorf("review: read an item's events: %w", err)
	}
	return timeline(r), nil
}

// timeline joins decisions and events in order of time.
func timeline(r coding.ItemRecord) []Event {
	out := []Event{}
	for _, d := range r.Decisions {
		e := Event{At: d.At, Actor: d.Coder, Action: string(d.Kind), Code: d.Code, Detail: d.Reason}
		switch {
		case d.Kind == coding.Modify && d.To != nil:
			e.Detail = d.To.Code
		case d.Kind == coding.Finish && d.Reason == "":
			e.Detail = d.Disposition
		case d.Kind == coding.Override:
			e.Code = strings.Join(d.Codes, " ")
		case d.Kind == coding.Reject && d.Reason == "":
			e.Detail = rejectText(d.ReasonCode)
		case d.Kind == coding.Detail:
			e.Detail = detailText(d)
		case d.Kind == coding.Remark && d.Remark != nil:
			e.Detail = *d.Remark
		}
		out = append(out, e)
	}
	for _, ev := range r.Events {
		if !strings.HasPrefix(ev.Action, coding.AuditDecision) {
			out = append(out, Event{At: ev.At, Actor: ev.Actor, Action: ev.Action, Target: ev.Target, Detail: said(r, ev)})
		}
	}
	for _, c := range r.Checks {
		out = append(out, Event{At: c.At, Actor: coding.ByPipeline, Action: ActionChecked, Detail: checkedAgainst(c)})
	}
	slices.SortStableFunc(out, func(a, b Event) int { return a.At.Compare(b.At) })
	return out
}

// folded leaves of several looks of the same person in a row the first.
func folded(events []Event) []Event {
	return slices.CompactFunc(events, func(a, b Event) bool {
		return a.Action == string(coding.EventLooked) && b.Action == a.Action && a.Actor == b.Actor
	})
}

// said is what somebody said with an event: the reason, or the text of the query.
func said(r coding.ItemRecord, ev coding.AuditEvent) string {
	number, err := strconv.Atoi(ev.Target)
	if err != nil || number < 1 || number > len(r.Queries) {
		return ev.Reason
	}
	switch q := r.Queries[number-1]; coding.ItemEventKind(ev.Action) {
	case coding.EventQueried:
		return q.Text
	case coding.EventAnswered, coding.EventWithdrew:
		return q.Answer
	}
	return ev.Reason
}

func rejectText(why coding.ReasonCode) string {
	for _, c := range coding.RejectReasons() {
		if c.Code == why {
			return c.Label
		}
	}
	return ""
}

// detailText writes what a decision says of a code beside the code itself.
func detailText(d coding.Decision) string {
	var parts []string
	if d.Role != "" {
		parts = append(parts, strings.ReplaceAll(string(d.Role), "_", " "))
	}
	switch {
	case d.POA == coding.POAClear:
		parts = append(parts, "present on admission: none")
	case d.POA != "":
		parts = append(parts, "present on admission: "+string(d.POA))
	}
	if d.Units != nil {
		parts = append(parts, "units: "+strconv.Itoa(*d.Units))
	}
	if d.Modifiers != nil {
		parts = append(parts, "modifiers: "+strings.Join(*d.Modifiers, " "))
	}
	if d.Pointers != nil {
		var codes []string
		for _, key := range *d.Pointers {
			codes = append(codes, key.Code)
		}
		parts = append(parts, "for: "+strings.Join(codes, " "))
	}
	return strings.Join(parts, "; ")
}
