package simulate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"chartcode/internal/coding"
)

// encounter is what comes in: its notes are written out when a coder takes it, or
// at the end.
type encounter struct {
	number    int
	source    string
	setting   coding.Setting
	specialty string
	priority  int
	arrivals  []arrival // the last may come late, when the encounter is long finished

	story *coding.Story // nil: nobody has taken it
	seen  int           // notes that are in the story
}

type arrival struct {
	received, ready time.Time
	bytes           int
	degraded        bool
}

// busy says how much comes in on a day of the week, and in an hour of the day.
var (
	busyDay  = [7]float64{0.25, 1.5, 1.05, 1, 1, 0.95, 0.3}
	busyHour = [24]float64{.2, .1, .1, .1, .1, .2, .4, 1, 2.2, 3, 3.2, 3, 2.4, 2.6, 3, 3, 2.6, 2, 1.2, .8, .6, .5, .4, .3}
)

// daysOfHours are the hours before the end, by day, each with how much comes in.
func (s *simulation) daysOfHours(r *rand.Rand) []weighted[[]weighted[time.Time]] {
	var out []weighted[[]weighted[time.Time]]
	for i := range s.Days {
		day := s.from.AddDate(0, 0, i)
		busy := busyDay[day.Weekday()] * (0.93 + 0.14*r.Float64())
		var hours []weighted[time.Time]
		sum := 0.0
		for h, share := range busyHour {
			at := day.Add(time.Duration(h) * time.Hour)
			if part := min(time.Hour, s.Until.Sub(at)); part > 0 {
				share *= part.Hours()
				sum += share
				hours = append(hours, weighted[time.Time]{at, share})
			}
		}
		if len(hours) > 0 {
			out = append(out, weighted[[]weighted[time.Time]]{hours, busy * sum})
		}
	}
	return out
}

// invent gives all encounters in order of their first note.
func (s *simulation) invent(ctx context.Context) ([]*encounter, error) {
	r := rand.New(rand.NewPCG(s.Seed, 1))
	days := s.daysOfHours(r)
	var out []*encounter
	for notes := 0; notes < s.Notes; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e := &encounter{
			source: pick(r, sources), setting: pick(r, settings), specialty: pick(r, specialties), priority: coding.PriorityUsual,
		}
		if e.setting == coding.Emergency {
			e.specialty = "Emergency Medicine"
		}
		if r.Float64() < 0.06 {
			e.priority = coding.PriorityUrgent + r.IntN(3)
		}
		hour := pick(r, pick(r, days))
		at := hour.Add(time.Duration(r.Float64() * float64(min(time.Hour, s.Until.Sub(hour)))))
		n := 1
		if more := r.Float64(); more < 0.12 {
			n = 2
		} else if e.setting == coding.Inpatient && more < 0.7 {
			n = 2 + r.IntN(3)
		}
		for k := range min(n, s.Notes-notes) {
			received := at
			if k > 0 {
				received = at.Add(seconds(20 + 400*r.Float64()))
				if k == n-1 && r.Float64() < 0.12 { // late
					received = at.Add(seconds(3600 * (3 + 60*r.Float64())))
				}
			}
			if !received.Before(s.Until) {
				received = at.Add(time.Second)
			}
			a := arrival{received: received.Truncate(time.Microsecond), bytes: int(max(120, around(r, sizes[e.setting], 0.6)))}
			a.degraded = !a.received.Before(s.outageFrom) && a.received.Before(s.outageTo) || r.Float64() < 0.004
			wait := around(r, 7, 0.5)
			if a.degraded {
				wait = around(r, 75, 0.4) // the LLM is waited for in vain
			}
			a.ready = a.received.Add(seconds(wait))
			e.arrivals = append(e.arrivals, a)
			notes++
		}
		slices.SortFunc(e.arrivals, func(a, b arrival) int { return a.received.Compare(b.received) })
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(a, b *encounter) int { return a.arrivals[0].ready.Compare(b.arrivals[0].ready) })
	for i, e := range out {
		e.number = i + 1
	}
	return out, nil
}

// begin writes down the encounter's first notes: those that are ready.
func (s *simulation) begin(e *encounter, at time.Time) {
	if e.story == nil {
		e.story = &coding.Story{
			Source: e.source, EncounterID: fmt.Sprintf("SE%07d", e.number), Setting: e.setting, Specialty: e.specialty,
			State: coding.ItemOpen, MovedAt: e.arrivals[0].ready,
		}
	}
	for e.seen < len(e.arrivals) && !e.arrivals[e.seen].ready.After(at) {
		a := e.arrivals[e.seen]
		s.write(e, a)
		e.seen++
		if st := e.story; st.State == coding.ItemFinished {
			st.State, st.Reopened, st.MovedAt = coding.ItemOpen, coding.ReopenedNewNote, a.ready
			st.Decisions = append(st.Decisions, coding.Decision{
				Seq: len(st.Decisions) + 1, Kind: coding.Reopen, Coder: coding.ByPipeline, At: a.ready.UTC(), Content: int64(len(st.Notes)),
				DecisionDetail: coding.DecisionDetail{Reason: coding.ReopenedNewNote},
			})
		}
	}
}

// write adds a note with its suggestions to the story.
func (s *simulation) write(e *encounter, a arrival) {
	n := len(e.story.Notes) + 1
	r := rand.New(rand.NewPCG(s.Seed^0x6e6f7465, uint64(e.number)<<8|uint64(n)))
	day := coding.DateOf(a.received.In(s.Zone))
	note := coding.Note{
		NoteID: fmt.Sprintf("SN%07d-%d", e.number, n), Source: e.source, EncounterID: e.story.EncounterID, Setting: e.setting, Specialty: e.specialty,
		NoteType: noteTypes[e.setting], ServiceDate: day, Priority: e.priority,
		Patient: coding.Patient{ID: fmt.Sprintf("SP%07d", e.number), Sex: []string{"female", "male"}[e.number%2], BirthDate: coding.NewDate(1940+e.number%60, time.Month(1+e.number%12), 1+e.number%28)},
		Author:  coding.Person{ID: fmt.Sprintf("SA%03d", e.number%120), Name: "Dr. " + lastNames[e.number%len(lastNames)]},
	}
	note.Attending = note.Author
	set := coding.SuggestionSet{
		Schema: 1, SetID: fmt.Sprintf("simulated-%d-%d-%d", s.Seed, e.number, n), NoteID: note.NoteID, Source: note.Source, Setting: e.setting, CodingStyle: coding.Billing,
		Releases: map[coding.System]string{}, Ranker: "llm@1", Pipeline: "simulated", CreatedAt: a.ready, Notices: []coding.Notice{},
		Suggestions: []coding.Suggestion{}, Candidates: []coding.Candidate{},
	}
	usual := 2 + r.IntN(4)
	if e.setting == coding.Inpatient {
		usual = 5 + r.IntN(7)
	}
	var text strings.Builder
	for i, k := range r.Perm(len(conditions))[:usual] {
		c := conditions[k]
		at := text.Len()
		text.WriteString(c.words + ", addressed today. ")
		confidence := math.Round(1000*min(0.98, max(0.2, 0.8+0.16*r.NormFloat64()))) / 1000
		if a.degraded {
			confidence = math.Round(1000*confidence*0.8) / 1000
		}
		role := coding.RoleSecondary
		if i == 0 {
			role = coding.RoleFirstListed
			if e.setting == coding.Inpatient {
				role = coding.RolePrincipal
			}
		}
		set.Suggestions = append(set.Suggestions, coding.Suggestion{
			System: coding.ICD10CM, Code: c.code, Display: c.title, Rank: i + 1, Role: role, Confidence: confidence,
			Evidence: []coding.Evidence{{Span: coding.Span{Start: at, End: at + len(c.words)}, Text: c.words}}, Rationale: "Stated and addressed.", Warnings: []coding.Finding{},
		})
		for range 1 + r.IntN(2) {
			text.WriteString(filler[r.IntN(len(filler))] + " ")
		}
	}
	for text.Len() < a.bytes {
		text.WriteString(filler[r.IntN(len(filler))] + " ")
	}
	note.Text = text.String()
	set.NoteSHA256 = note.SHA256()
	if a.degraded {
		set.Ranker, set.Degraded, set.DegradedReason = "local@3", true, new("llm_unavailable")
	} else {
		model, price := "example-large", 2.0
		if r.Float64() < 0.2 {
			model, price = "example-small", 0.3
		}
		set.Model = &model
		set.Usage = coding.Usage{Calls: 1, PromptTokens: 900 + a.bytes/4, CompletionTokens: 60 * usual}
		// Whole billionths of a dollar, as spending is kept.
		set.Usage.CostUSD = math.Round((float64(set.Usage.PromptTokens)*price+float64(set.Usage.CompletionTokens)*4*price)*1000) / 1e9
	}
	if !set.Degraded {
		s.spend(day, set.Usage)
	}
	e.story.Notes = append(e.story.Notes, coding.StoryNote{Note: note, ReceivedAt: a.received, StoredAt: a.ready, Set: set})
}

// spend enters what a set has cost.
func (s *simulation) spend(day coding.Date, u coding.Usage) {
	d := s.result.Spending[day.String()]
	d.Calls += u.Calls
	d.PromptTokens += u.PromptTokens
	d.CompletionTokens += u.CompletionTokens
	d.NanoUSD += int64(math.Round(u.CostUSD * 1e9))
	s.result.Spending[day.String()] = d
}
