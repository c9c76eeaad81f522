package simulate

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"time"

	"chartcode/internal/coding"
)

// Config says what to invent. All but Progress must be given.
type Config struct {
	Until  time.Time // the end; nothing happens later
	Days   int       // until then, the first from midnight
	Coders int
	Notes  int
	Seed   uint64
	Zone   *time.Location // of days and shifts

	// Write gets stories that have come to their end, many at a time.
	Write func(context.Context, []coding.Story) error
	// Progress is told how many notes of how many are written.
	Progress func(n, total int)
}

// Result is what was invented.
type Result struct {
	From                 time.Time
	Notes, Items         int
	Finished             int // encounters, each time
	Coders               []Coder
	OutageFrom, OutageTo time.Time                  // the LLM was out
	Eager                string                     // login of who accepts everything
	Spending             map[string]coding.LLMSpend // by day YYYY-MM-DD
}

// Coder is an invented coder.
type Coder struct{ Login, Name string }

type simulation struct {
	Config
	from                 time.Time
	outageFrom, outageTo time.Time
	coders               []*coder
	coming               queue // by time: what will be waiting
	waiting              queue // by priority, then time
	done                 []coding.Story
	result               Result
}

// batch is how many stories are written at once.
const batch = 2000

// ErrNoTime says that the last day has no time before the end, and is the only one.
var ErrNoTime = errors.New("simulate: nothing can happen between midnight and an end at midnight; a later end, or another day, is needed")

// Run invents the work and hands it to Write.
func Run(ctx context.Context, cfg Config) (Result, error) {
	if cfg.Days < 1 || cfg.Coders < 2 || cfg.Notes < 1 || cfg.Zone == nil || cfg.Write == nil || cfg.Until.IsZero() {
		return Result{}, errors.New("simulate: at least a day, two coders and a note are needed, an end and a time zone")
	}
	s := &simulation{Config: cfg}
	end := cfg.Until.In(cfg.Zone)
	s.from = time.Date(end.Year(), end.Month(), end.Day()-cfg.Days+1, 0, 0, 0, 0, cfg.Zone)
	if !s.from.Before(cfg.Until) {
		return Result{}, ErrNoTime
	}
	s.plan()
	s.result = Result{From: s.from, OutageFrom: s.outageFrom, OutageTo: s.outageTo, Spending: map[string]coding.LLMSpend{}}
	s.team()
	encounters, err := s.invent(ctx)
	if err != nil {
		return Result{}, err
	}
	s.result.Items = len(encounters)
	s.coming = queue{before: func(a, b entry) bool { return a.at.Before(b.at) }}
	s.waiting = queue{before: func(a, b entry) bool {
		if a.e.priority != b.e.priority {
			return a.e.priority > b.e.priority
		}
		return a.at.Before(b.at)
	}}
	for _, e := range encounters {
		heap.Push(&s.coming, entry{e.arrivals[0].ready, e})
	}
	if err := s.work(ctx); err != nil {
		return Result{}, err
	}
	// What is not finished, or was reopened, is written as it stands.
	for _, e := range encounters {
		if e.seen < 0 {
			continue
		}
		if err := s.end(ctx, e); err != nil {
			return Result{}, err
		}
	}
	return s.result, s.flush(ctx)
}

// plan chooses when the LLM is out: half a working day in the middle.
func (s *simulation) plan() {
	day := s.from.AddDate(0, 0, s.Days/2)
	for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday || day.Weekday() == time.Monday {
		day = day.AddDate(0, 0, 1)
	}
	s.outageFrom, s.outageTo = day.Add(7*time.Hour), day.Add(17*time.Hour)
}

// work lets coders take what waits, in order of time, until the end.
func (s *simulation) work(ctx context.Context) error {
	shifts := queue{before: func(a, b entry) bool { return a.at.Before(b.at) }}
	for _, c := range s.coders {
		heap.Push(&shifts, entry{c.next(s.from), &encounter{number: c.index}})
	}
	for shifts.Len() > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		turn := heap.Pop(&shifts).(entry) //nolint:forcetypeassert // queue holds nothing else
		now, c := turn.at, s.coders[turn.e.number]
		if !now.Before(s.Until) {
			continue
		}
		for s.coming.Len() > 0 && !s.coming.entries[0].at.After(now) {
			heap.Push(&s.waiting, heap.Pop(&s.coming))
		}
		then := now.Add(90 * time.Second)
		if s.waiting.Len() > 0 {
			e := heap.Pop(&s.waiting).(entry).e //nolint:forcetypeassert // as above
			then = s.code(c, e, now)
			if e.story.State == coding.ItemFinished && e.seen == len(e.arrivals) {
				if err := s.end(ctx, e); err != nil {
					return err
				}
			}
		} else if s.coming.Len() > 0 && s.coming.entries[0].at.After(then) {
			then = s.coming.entries[0].at
		}
		heap.Push(&shifts, entry{c.next(then), turn.e})
	}
	return nil
}

// end writes an encounter for good; seen is -1 from then on.
func (s *simulation) end(ctx context.Context, e *encounter) error {
	s.begin(e, s.Until)
	if len(e.story.Notes) == 0 { // its first note is not ready yet
		s.result.Items--
		e.seen = -1
		return nil
	}
	s.result.Notes += len(e.story.Notes)
	s.done = append(s.done, *e.story)
	e.story, e.seen = nil, -1
	if len(s.done) < batch {
		return nil
	}
	return s.flush(ctx)
}

func (s *simulation) flush(ctx context.Context) error {
	if len(s.done) == 0 {
		return nil
	}
	if err := s.Write(ctx, s.done); err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	s.done = nil
	if s.Progress != nil {
		s.Progress(s.result.Notes, s.Notes)
	}
	return nil
}

// entry is something that is due at a time.
type entry struct {
	at time.Time
	e  *encounter
}

// queue is a heap of entries.
type queue struct {
	entries []entry
	before  func(a, b entry) bool
}

func (q *queue) Len() int           { return len(q.entries) }
func (q *queue) Less(i, j int) bool { return q.before(q.entries[i], q.entries[j]) }
func (q *queue) Swap(i, j int)      { q.entries[i], q.entries[j] = q.entries[j], q.entries[i] }
func (q *queue) Push(x any)         { q.entries = append(q.entries, x.(entry)) } //nolint:forcetypeassert // nothing else is pushed
func (q *queue) Pop() any {
	last := q.entries[len(q.entries)-1]
	q.entries = q.entries[:len(q.entries)-1]
	return last
}
