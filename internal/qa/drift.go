package qa

import (
	"context"
	"slices"
	"time"

	"chartcode/eval/measure"
	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// replaced is the reason of a suggestion in whose place another code was put.
const replaced = "replaced by another code"

// Drift is what has changed in what coders do with suggestions.
type Drift struct {
	From    time.Time `json:"from"`
	Before  time.Time `json:"before"`
	PerWeek int       `json:"per_week"` // items drawn of each week at most; 0: all
	Items   int       `json:"items"`
	measure.Drifting
}

// Drift reads the items finished within a period, and compares each week with the
// first reference weeks.
func (s *Service) Drift(ctx context.Context, from, before time.Time, perWeek, reference int) (Drift, error) {
	out := Drift{From: from, Before: before, PerWeek: perWeek}
	var events []measure.Event
	for r, err := range s.store.SampledReviews(ctx, from, before, perWeek) {
		if err != nil {
			return out, failed("read finished items", err)
		}
		out.Items++
		events = append(events, decided(r)...)
	}
	out.Drifting = measure.Drift(events, reference, measure.Options{Seed: 1})
	return out, nil
}

// decided gives what became of each suggestion of a finished item. Undecided ones
// are left out, and items that were sent back.
func decided(r coding.ItemRecord) []measure.Event {
	rev, ok := review.Final(r)
	if !ok || rev.Disposition == coding.DispositionReturned {
		return nil
	}
	var out []measure.Event
	for _, c := range review.CodesOf(r) {
		if !c.Suggested || c.State == review.Undecided {
			continue
		}
		e := measure.Event{At: rev.FinishedAt, Accepted: c.Listed(), Confidence: c.Confidence, Depth: depth(r, c)}
		switch {
		case e.Accepted:
		case c.State == review.Modified:
			e.Reason = replaced
		default:
			e.Reason = string(c.ReasonCode)
		}
		out = append(out, e)
	}
	return out
}

// depth is the best rank at which retrieval had a code; 0: not known.
func depth(r coding.ItemRecord, c review.Code) int {
	best := 0
	for _, n := range r.Notes {
		if n.Set == nil || !slices.Contains(c.NoteIDs, n.Note.NoteID) {
			continue
		}
		for _, g := range n.Set.Suggestions {
			if g.System == c.System && g.Code == c.Code && g.RetrievalRank > 0 && (best == 0 || g.RetrievalRank < best) {
				best = g.RetrievalRank
			}
		}
	}
	return best
}

// What pages show of drift: so many items of each week, compared with the first
// weeks, and kept for a while because reading them takes seconds.
const (
	driftPerWeek   = 200
	driftReference = 4
	driftKept      = 15 * time.Minute
)

type keptDrift struct {
	at    time.Time
	drift Drift
}

// RecentDrift gives drift over the last whole weeks and the present one, of at most
// 200 items of each week; it may be a quarter of an hour old, and older while
// somebody else waits for a new one.
func (s *Service) RecentDrift(ctx context.Context, weeks int) (Drift, error) {
	now := s.moment()
	fresh := func(k keptDrift) bool { return now.Sub(k.at) < driftKept && !now.Before(k.at) }
	k, err := s.drift.get(ctx, weeks, fresh, true, func(ctx context.Context) (keptDrift, error) {
		monday := now.Truncate(24*time.Hour).AddDate(0, 0, -(int(now.Weekday())+6)%7)
		d, err := s.Drift(ctx, monday.AddDate(0, 0, -7*(weeks-1)), now, driftPerWeek, driftReference)
		return keptDrift{now, d}, err
	})
	return k.drift, err
}
