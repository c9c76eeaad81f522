package throughput

import (
	"slices"
	"strings"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// idleAfter is how long a pause between two acts counts at most as active time.
const idleAfter = 5 * time.Minute

// leaves are acts with which somebody puts an item out of hand.
var leaves = map[string]bool{
	string(coding.EventReleased): true, string(coding.EventHeld): true, string(coding.EventQueried): true,
	string(coding.EventSkipped): true, string(coding.EventSent): true,
	string(coding.AuditDecision + coding.Finish): true,
}

// acts reports whether an event is work at an item: reading it, taking it or
// deciding on it, or giving it away.
func acts(a coding.HistoryAct) bool {
	return a.Actor != coding.ByPipeline && a.Action != string(coding.EventExported)
}

// looks reports whether whoever did it had the item before them. An answer to a
// query, or sending the item to somebody, needs no look at it.
func looks(a coding.HistoryAct) bool {
	switch coding.ItemEventKind(a.Action) {
	case coding.EventLooked, coding.EventClaimed, coding.EventTaken, coding.EventResumed:
		return true
	}
	return strings.HasPrefix(a.Action, coding.AuditDecision)
}

// FactsOf counts what happened to one item.
func (c Calendar) FactsOf(h coding.ItemHistory) coding.ItemFacts {
	return coding.ItemFacts{Rounds: c.rounds(h), Notes: noteFacts(h)}
}

func noteFacts(h coding.ItemHistory) []coding.NoteFact {
	first := map[int64]int{} // note -> index of the set of its first body
	for i, s := range h.Sets {
		j, known := first[s.NoteID]
		if !known || s.ReceivedAt.Before(h.Sets[j].ReceivedAt) || s.ReceivedAt.Equal(h.Sets[j].ReceivedAt) && s.ID < h.Sets[j].ID {
			first[s.NoteID] = i
		}
	}
	out := make([]coding.NoteFact, len(h.Sets))
	for i, s := range h.Sets {
		out[i] = coding.NoteFact{
			Set: s.ID, Item: h.ID, Note: s.NoteID, Source: h.Source, Setting: h.Setting, Specialty: h.Specialty,
			First: first[s.NoteID] == i, ReceivedAt: s.ReceivedAt, SuggestedAt: s.CreatedAt, Model: s.Model, Degraded: s.Degraded, NanoUSD: s.NanoUSD,
		}
	}
	return out
}

func (c Calendar) rounds(h coding.ItemHistory) []coding.Round {
	bytes := int64(0)
	for _, n := range h.Notes {
		bytes += n.Bytes
	}
	begin := func(number int, at time.Time) coding.Round {
		return coding.Round{Item: h.ID, Number: number, Source: h.Source, Setting: h.Setting, Specialty: h.Specialty, State: h.State, Bytes: bytes, StartedAt: at}
	}
	r := begin(1, h.ReceivedAt)
	var out []coding.Round
	open, before, counted := true, 0, 0
	for i, d := range h.Decisions {
		switch {
		case d.Kind == coding.Finish && open:
			r.FinishedAt, r.Coder, r.Returned = d.At, d.Coder, d.Disposition == coding.DispositionReturned
			r.Work = c.Between(r.StartedAt, r.FinishedAt)
			had := 0
			for _, n := range h.Notes {
				if !n.AddedAt.After(r.FinishedAt) {
					had++
				}
			}
			r.Notes, counted = max(0, had-counted), max(had, counted)
			outcomes(&r, h.Decisions[:i+1], before)
			times(&r, h.Acts)
			before, open = d.Seq, false
			out = append(out, r)
		case d.Kind == coding.Reopen && !open:
			r, open = begin(len(out)+1, d.At), true
		}
	}
	if open && h.NoteCount > 0 {
		times(&r, h.Acts)
		r.Active, r.Others = 0, 0 // counted when the round ends
		r.Notes = max(0, len(h.Notes)-counted)
		out = append(out, r)
	}
	return out
}

// outcomes counts what became of codes by decisions after the Seq of before.
func outcomes(r *coding.Round, decisions []coding.Decision, before int) {
	for _, d := range review.Replay(decisions).Decided() {
		switch {
		case d.By.Seq <= before:
		case d.State == review.Accepted:
			r.Accepted++
		case d.State == review.Modified:
			r.Modified++
		case d.State == review.Rejected && !d.Added:
			r.Rejected = append(r.Rejected, d.By.ReasonCode)
		case d.State == review.Added && d.Origin != coding.OriginModified:
			r.Added++
		}
	}
	slices.Sort(r.Rejected)
}

// times finds the first look and the active times of a round.
func times(r *coding.Round, all []coding.HistoryAct) {
	last := map[string]coding.HistoryAct{}
	for _, a := range all {
		if !acts(a) {
			continue
		}
		inside := !a.At.Before(r.StartedAt) && (r.FinishedAt.IsZero() || !a.At.After(r.FinishedAt))
		if inside && r.LookedAt.IsZero() && looks(a) {
			r.LookedAt = a.At
		}
		had, known := last[a.Actor]
		last[a.Actor] = a
		if !inside || !known || leaves[had.Action] || had.At.Before(r.StartedAt) {
			continue
		}
		pause := min(a.At.Sub(had.At), idleAfter)
		if a.Actor == r.Coder {
			r.Active += pause
		} else {
			r.Others += pause
		}
	}
}

// lengthOf names the class of length that a number of bytes belongs to.
func lengthOf(bytes int64) string {
	for _, c := range lengths {
		if bytes < c.below {
			return c.name
		}
	}
	return lengths[len(lengths)-1].name
}

var lengths = []struct {
	name  string
	below int64
}{{"under 1,000", 1000}, {"1,000 to 2,999", 3000}, {"3,000 to 9,999", 10000}, {"10,000 and more", 1 << 62}}

// CellsOf gives the sums that facts belong to.
func (c Calendar) CellsOf(f coding.ItemFacts) coding.Cells {
	cells := coding.Cells{}
	for _, n := range f.Notes {
		c.countNote(cells, n)
	}
	for _, r := range f.Rounds {
		c.countRound(cells, r)
	}
	return cells
}

// each adds to the cells of all specialties and of one, of all places and of one.
// The key that it gets is of one of both.
func each(cells coding.Cells, k coding.CellKey, add func(*coding.CellSums)) {
	for _, narrow := range []bool{false, true} {
		for _, placed := range []bool{false, true} {
			to := k
			if to.Narrow = narrow; !narrow {
				to.Specialty = ""
			}
			if to.Placed = placed; !placed {
				to.Source, to.Setting = "", ""
			}
			add(cells.At(to))
		}
	}
}

func (c Calendar) countNote(cells coding.Cells, n coding.NoteFact) {
	k := coding.CellKey{By: coding.ByAll, Source: n.Source, Setting: n.Setting, Specialty: n.Specialty}
	if n.First {
		k.Day = c.Day(n.ReceivedAt)
		each(cells, k, func(s *coding.CellSums) {
			s.Add(coding.NotesIn, 1)
			s.Step(coding.NotesInHours, c.Hour(n.ReceivedAt), 1)
		})
	}
	k.Day = c.Day(n.SuggestedAt)
	suggested := func(s *coding.CellSums) {
		s.Add(coding.SuggestedSets, 1)
		s.Add(coding.NanoUSD, n.NanoUSD)
		if n.Degraded {
			s.Add(coding.DegradedSets, 1)
		}
		s.Step(coding.ToSuggestion, StepOf(n.SuggestedAt.Sub(n.ReceivedAt)), 1)
	}
	each(cells, k, suggested)
	k.By, k.Name = coding.ByModel, n.Model
	each(cells, k, suggested)
}

func (c Calendar) countRound(cells coding.Cells, r coding.Round) {
	k := coding.CellKey{By: coding.ByAll, Source: r.Source, Setting: r.Setting, Specialty: r.Specialty, Day: c.Day(r.StartedAt)}
	each(cells, k, func(s *coding.CellSums) {
		if r.Number > 1 {
			s.Add(coding.ReopenedCount, 1)
			return
		}
		s.Add(coding.ItemsIn, 1)
		s.Step(coding.ItemsInHours, c.Hour(r.StartedAt), 1)
	})
	if r.FinishedAt.IsZero() {
		return
	}
	k.Day = c.Day(r.FinishedAt)
	each(cells, k, func(s *coding.CellSums) {
		finished(s, r)
		hour := c.Hour(r.FinishedAt)
		s.Step(coding.ItemsOutHours, hour, 1)
		if r.Notes > 0 {
			s.Step(coding.NotesOutHours, hour, int64(r.Notes))
		}
	})
	k.By, k.Name = coding.ByCoder, r.Coder
	each(cells, k, func(s *coding.CellSums) { finished(s, r) })
	k.By, k.Name = coding.ByLength, lengthOf(r.Bytes)
	each(cells, k, func(s *coding.CellSums) { finished(s, r) })
	k.By = coding.ByReason
	for _, reason := range r.Rejected {
		k.Name = string(reason)
		each(cells, k, func(s *coding.CellSums) { s.Add(coding.RejectedCount, 1) })
	}
}

func finished(s *coding.CellSums, r coding.Round) {
	s.Add(coding.ItemsOut, 1)
	s.Add(coding.NotesOut, int64(r.Notes))
	if r.Returned {
		s.Add(coding.ReturnedCount, 1)
	}
	s.Add(coding.ActiveMicros, r.Active.Microseconds())
	s.Add(coding.OthersMicros, r.Others.Microseconds())
	s.Add(coding.AcceptedCount, int64(r.Accepted))
	s.Add(coding.ModifiedCount, int64(r.Modified))
	s.Add(coding.RejectedCount, int64(len(r.Rejected)))
	s.Add(coding.AddedCount, int64(r.Added))
	if !r.LookedAt.IsZero() {
		s.Step(coding.ToLook, StepOf(r.LookedAt.Sub(r.StartedAt)), 1)
	}
	s.Step(coding.ToFinish, StepOf(r.FinishedAt.Sub(r.StartedAt)), 1)
	s.Step(coding.ToFinishWork, StepOf(r.Work), 1)
	s.Step(coding.ActiveEach, StepOf(r.Active/time.Duration(max(1, r.Notes))), 1)
}
