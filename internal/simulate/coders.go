package simulate

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"chartcode/internal/coding"
)

// coder is somebody of the team.
type coder struct {
	Coder
	index  int
	zone   *time.Location
	starts time.Duration // of the day
	speed  float64       // of the usual time
	strict float64       // added to the chance that a suggestion is rejected
	eager  bool          // accepts everything at once
	away   map[int]bool  // days of the year
	r      *rand.Rand
}

// shift is how long a working day lasts, with lunch in its middle.
const (
	shift = 8*time.Hour + 30*time.Minute
	lunch = 30 * time.Minute
)

func (s *simulation) team() {
	for i := range s.Coders {
		r := rand.New(rand.NewPCG(s.Seed^0x636f646572, uint64(i)))
		c := &coder{
			index: i, zone: s.Zone, starts: 7*time.Hour + time.Duration(r.IntN(9))*15*time.Minute, speed: around(r, 1, 0.2), strict: 0.04 * r.NormFloat64(),
			eager: i == 1+s.Coders/4, away: map[int]bool{}, r: r,
			Coder: Coder{fmt.Sprintf("sim-coder-%02d", i+1), firstNames[i%len(firstNames)] + " " + lastNames[(i*7+i/20)%len(lastNames)]},
		}
		for d := range 366 {
			c.away[d] = r.Float64() < 0.04
		}
		if c.eager {
			s.result.Eager = c.Login
		}
		s.coders, s.result.Coders = append(s.coders, c), append(s.result.Coders, c.Coder)
	}
}

// next is the first moment from t on at which the coder works.
func (c *coder) next(t time.Time) time.Time {
	for {
		t = t.In(c.zone)
		day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, c.zone)
		start := day.Add(c.starts)
		pause := start.Add(shift/2 - lunch/2)
		switch w := day.Weekday(); {
		case w == time.Saturday, w == time.Sunday, c.away[day.YearDay()%366], !t.Before(start.Add(shift)):
			t = day.AddDate(0, 0, 1)
		case t.Before(start):
			return start
		case !t.Before(pause) && t.Before(pause.Add(lunch)):
			return pause.Add(lunch)
		default:
			return t
		}
	}
}

// session is one coder's work at one encounter.
type session struct {
	s   *simulation
	c   *coder
	e   *encounter
	now time.Time
	cut bool // the end of the simulation came
}

// code lets a coder work at an encounter and gives when they are free again.
func (s *simulation) code(c *coder, e *encounter, at time.Time) time.Time {
	s.begin(e, at)
	w := &session{s: s, c: c, e: e, now: at.Truncate(time.Microsecond)}
	st := e.story
	if st.State == coding.ItemHeld {
		w.event(string(coding.EventResumed), "", "")
	}
	if st.State == coding.ItemQueried { // the answer has come
		q := &st.Queries[len(st.Queries)-1]
		q.Status, q.Answer, q.ClosedBy, q.ClosedAt = coding.QueryAnswered, "Yes, as stated.", c.Login, w.now
		w.event(string(coding.EventAnswered), strconv.Itoa(q.Number), "")
		w.now = w.now.Add(seconds(2))
	}
	st.State, st.Reason = coding.ItemClaimed, ""
	w.event(string(coding.EventClaimed), "", "")
	w.wait(0.3 + c.r.Float64())
	w.event(string(coding.EventLooked), "", "")

	total := around(c.r, 60*minutes[e.setting]*c.speed, 0.45)
	codes := w.undecided()
	if c.eager {
		total = 25 + 2.5*float64(len(codes))*around(c.r, 1, 0.2)
	}
	switch what := c.r.Float64(); {
	case c.eager:
	case what < 0.008:
		w.read(total / 2)
		w.aside(coding.ItemHeld, coding.EventHeld, "Waiting for a result")
		w.later(0.9, 20)
		return w.now
	case what < 0.02:
		w.read(total / 2)
		w.ask()
		return w.now
	case what < 0.03:
		w.read(total / 2)
		w.finish(coding.DispositionReturned)
		return w.now
	}
	if c.eager {
		w.wait(total * 0.3)
	} else {
		w.read(total * 0.5)
		if c.r.Float64() < 0.03 { // somebody calls
			w.wait(60 * (5 + 15*c.r.Float64()))
		}
	}
	each := total * 0.5 / float64(len(codes)+1)
	for _, g := range codes {
		w.wait(min(240, around(c.r, each, 0.4)))
		w.judge(g)
	}
	if !c.eager {
		for c.r.Float64() < 0.28 {
			w.wait(min(240, around(c.r, each*1.5, 0.4)))
			w.add()
		}
	}
	w.wait(min(240, around(c.r, each, 0.4)))
	w.finish(coding.DispositionCompleted)
	if c.eager { // and is soon done with the day's share
		w.wait(60 + 240*c.r.Float64())
	}
	return w.now
}

func (w *session) wait(s float64) { w.now = w.now.Add(seconds(s)) }

// read goes through the notes, opening them again now and then.
func (w *session) read(s float64) {
	for ; s > 150; s -= 150 {
		w.wait(150)
		w.event(string(coding.EventLooked), "", "")
	}
	w.wait(s)
}

// event enters an act, unless the end has come.
func (w *session) event(action, target, digest string) {
	if w.cut = w.cut || !w.now.Before(w.s.Until); w.cut {
		return
	}
	w.e.story.MovedAt = w.now
	w.e.story.Events = append(w.e.story.Events, coding.AuditEvent{At: w.now, Actor: w.c.Login, Action: action, Target: target, Digest: digest})
	if w.e.story.State == coding.ItemClaimed {
		w.e.story.ClaimedBy, w.e.story.ClaimedUntil = w.c.Login, w.now.Add(10*time.Minute)
	}
}

// decide adds a decision and its event, unless the end has come.
func (w *session) decide(d coding.Decision) {
	if w.cut = w.cut || !w.now.Before(w.s.Until); w.cut {
		return
	}
	st := w.e.story
	d.Seq, d.Content, d.Coder, d.At = len(st.Decisions)+1, int64(len(st.Notes)), w.c.Login, w.now.UTC()
	w.event(coding.AuditDecision+string(d.Kind), strconv.Itoa(d.Seq), d.Digest())
	st.Decisions = append(st.Decisions, d)
}

// undecided are the suggestions that nobody has decided on, each code once.
func (w *session) undecided() []coding.Suggestion {
	known := map[string]bool{}
	for _, d := range w.e.story.Decisions {
		known[d.Code] = true
		if d.To != nil {
			known[d.To.Code] = true
		}
	}
	var out []coding.Suggestion
	for _, n := range w.e.story.Notes {
		for _, g := range n.Set.Suggestions {
			if !known[g.Code] {
				known[g.Code] = true
				g.Evidence = []coding.Evidence{{NoteID: n.Note.NoteID, Span: g.Evidence[0].Span, Text: g.Evidence[0].Text}}
				if n.Set.Degraded {
					g.Confidence *= 0.75 // the local ranker errs more often than it says
				}
				out = append(out, g)
			}
		}
	}
	return out
}

func (w *session) judge(g coding.Suggestion) {
	d := coding.Decision{Kind: coding.Accept, DecisionDetail: coding.DecisionDetail{System: g.System, Code: g.Code, Display: g.Display, Evidence: g.Evidence}}
	if !w.c.eager && w.c.r.Float64() > g.Confidence+0.04-w.c.strict {
		if other, ok := w.other(); ok && w.c.r.Float64() < 0.25 {
			d.Kind, d.To, d.ToDisplay = coding.Modify, &coding.CodeKey{System: coding.ICD10CM, Code: other.code}, other.title
		} else {
			d.Kind, d.Evidence, d.ReasonCode = coding.Reject, nil, pick(w.c.r, reasons)
		}
	}
	w.decide(d)
	if w.c.r.Float64() < 0.01 && !w.c.eager { // a slip
		w.wait(2)
		w.decide(coding.Decision{Kind: coding.Undo, DecisionDetail: coding.DecisionDetail{System: g.System, Code: g.Code, Display: g.Display}})
		w.wait(2)
		w.decide(d)
	}
}

// other is a condition that is neither suggested nor decided on.
func (w *session) other() (condition, bool) {
	c := conditions[w.c.r.IntN(len(conditions))]
	for _, n := range w.e.story.Notes {
		for _, g := range n.Set.Suggestions {
			if g.Code == c.code {
				return c, false
			}
		}
	}
	return c, !slices.ContainsFunc(w.e.story.Decisions, func(d coding.Decision) bool {
		return d.Code == c.code || d.To != nil && d.To.Code == c.code
	})
}

func (w *session) add() {
	c, ok := w.other()
	if !ok {
		return
	}
	w.decide(coding.Decision{Kind: coding.Add, DecisionDetail: coding.DecisionDetail{
		System: coding.ICD10CM, Code: c.code, Display: c.title, Origin: coding.OriginAdded,
	}})
}

func (w *session) finish(disposition string) {
	d := coding.Decision{Kind: coding.Finish, DecisionDetail: coding.DecisionDetail{
		Disposition: disposition, ReviewID: fmt.Sprintf("simulated-%d-%d-%d", w.s.Seed, w.e.number, len(w.e.story.Decisions)),
	}}
	if disposition == coding.DispositionReturned {
		d.Reason = "Cannot be coded as it is"
	}
	if w.decide(d); w.cut {
		return
	}
	st := w.e.story
	st.State, st.ClaimedBy, st.ClaimedUntil, st.Reopened = coding.ItemFinished, "", time.Time{}, ""
	w.s.result.Finished++
	// Notes that come later reopen the encounter.
	if w.e.seen < len(w.e.arrivals) {
		late := &w.e.arrivals[w.e.seen]
		if !late.ready.After(w.now) {
			late.ready = w.now.Add(time.Minute)
		}
		if late.ready.Before(w.s.Until) {
			heap.Push(&w.s.coming, entry{late.ready, w.e})
		} else {
			w.e.arrivals = w.e.arrivals[:w.e.seen]
		}
	}
}

// aside puts the encounter away with a reason.
func (w *session) aside(state coding.ItemState, kind coding.ItemEventKind, reason string) {
	w.event(string(kind), "", "")
	if w.cut {
		return
	}
	st := w.e.story
	st.State, st.Reason, st.ClaimedBy, st.ClaimedUntil = state, reason, "", time.Time{}
}

// ask asks who wrote the note; most answers come.
func (w *session) ask() {
	if w.aside(coding.ItemQueried, coding.EventQueried, "Query"); w.cut {
		return
	}
	st := w.e.story
	n := st.Notes[0].Note
	st.Queries = append(st.Queries, coding.Query{
		Number: len(st.Queries) + 1, To: coding.ToAuthor, Person: n.Author, NoteID: n.NoteID, Template: "specificity",
		Text: "Please state type, cause, severity and stage, if known.", AskedBy: w.c.Login, AskedAt: w.now, Status: coding.QueryOpen,
	})
	w.later(0.93, 30)
}

// later lets the encounter, which was put away, be taken up after about so many
// hours, if it ever is.
func (w *session) later(chance, hours float64) {
	if back := w.now.Add(seconds(3600 * around(w.c.r, hours, 0.6))); !w.cut && w.c.r.Float64() < chance {
		heap.Push(&w.s.coming, entry{back, w.e})
	}
}
