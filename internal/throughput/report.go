package throughput

import (
	"context"
	"fmt"
	"slices"
	"time"

	"chartcode/internal/chart"
	"chartcode/internal/coding"
)

// Report is everything that a page of figures shows.
type Report struct {
	Filter   Filter
	Own      bool // of one coder: what is of the team is left out
	State    coding.ThroughputState
	Values   coding.ThroughputValues
	Coders   []Person
	Sections []Section
}

// Person is somebody whose figures can be asked for.
type Person struct{ Login, Name string }

// Section is a part of the page.
type Section struct {
	ID, Title string
	Figures   []Figure
	Charts    []Chart
	Tables    []Table
}

// Figure is one number with what it means.
type Figure struct {
	ID, Label  string
	Value      Value
	Before     *Value // in the period before; nil: of now
	Definition string
	List       *List // what is behind it
}

// Chart is a drawing of a table's columns.
type Chart struct {
	chart.Chart
	ID    string
	Table string // the id of the table with the same numbers
	Unit  Kind
}

func newChart(id, title string, kind chart.Kind, table string, unit Kind, series ...string) Chart {
	c := Chart{Chart: chart.Chart{Title: title, Kind: kind}, ID: id, Table: table, Unit: unit}
	for _, name := range series {
		c.Series = append(c.Series, chart.Series{Name: name})
	}
	return c
}

// Table is rows of values, with a definition of what they are.
type Table struct {
	ID, Title, Definition string
	Columns               []string
	Rows                  [][]Cell
}

// Cell is a value of a table. The first of a row names it.
type Cell struct {
	Value
	List *List
}

// List asks for what is behind a figure.
type List struct {
	Of       coding.ThroughputList
	Filter   Filter
	Reason   *string
	Model    string
	Length   string
	EverOpen bool // whatever the period: what is open now
}

// data is what a report is made of.
type data struct {
	*Service
	f                                             Filter
	own                                           bool
	now                                           time.Time
	names                                         map[string]string
	all, before                                   coding.Cells
	places, placesBefore                          coding.Cells // of each source and setting
	coders, models, lengths, reasons, specialties coding.Cells
	recent                                        coding.Cells // the last two weeks, for the forecast
	backlog                                       []coding.BacklogRow
	queries                                       coding.OpenQueries
	spend                                         map[coding.Date]coding.LLMSpend
	dead                                          int
	deadOldest                                    time.Time
	open                                          []coding.Limit
}

// edges are the ages that the backlog is told apart by.
var edges = []time.Duration{
	time.Hour, 4 * time.Hour, 8 * time.Hour, 24 * time.Hour, 48 * time.Hour, 72 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour, 30 * 24 * time.Hour,
}

// Report reads the figures for a filter. Of a coder there are their own alone.
func (s *Service) Report(ctx context.Context, f Filter) (Report, error) {
	d := &data{Service: s, f: f, own: f.Coder != "", now: s.Now()}
	r := Report{Filter: f, Own: d.own}
	var err error
	if r.Coders, err = d.people(ctx); err == nil {
		err = s.Store.ReadThroughput(ctx, func(from coding.ThroughputReader) (err error) {
			if r.State, err = from.ThroughputState(ctx); err != nil {
				return err
			}
			if r.Values, err = from.ThroughputValues(ctx, f.before().From, f.To.AddDays(1)); err != nil {
				return err
			}
			d.open = r.Values.Places
			return d.read(ctx, from)
		})
	}
	if err != nil {
		return Report{}, fmt.Errorf("throughput: %w", err)
	}
	if !d.own {
		d.countDead(ctx)
		r.Sections = append(r.Sections, d.sectionNow(), d.sectionFlow())
	}
	r.Sections = append(r.Sections, d.sectionTurnaround(), d.sectionWork(), d.sectionSuggestions())
	if !d.own {
		r.Sections = append(r.Sections, d.sectionCost())
	}
	return r, nil
}

func (d *data) people(ctx context.Context) ([]Person, error) {
	users, err := d.Store.Users(ctx)
	if err != nil {
		return nil, err
	}
	var out []Person
	d.names = map[string]string{}
	for _, u := range users {
		d.names[u.Login] = u.Name
		if u.Role.MayReview() {
			out = append(out, Person{u.Login, u.Name})
		}
	}
	return out, nil
}

func (d *data) read(ctx context.Context, store coding.ThroughputReader) error {
	if d.own {
		return d.readOwn(ctx, store)
	}
	q, before := d.f.query(), d.f.before().query()
	today := d.Calendar.Day(d.now)
	recent := q
	recent.From, recent.To = today.AddDays(-14), today.AddDays(1)
	var err error
	for _, part := range []struct {
		into *coding.Cells
		q    coding.ThroughputQuery
	}{{&d.all, q}, {&d.before, before}, {&d.recent, recent}} {
		if *part.into, err = store.ThroughputCells(ctx, coding.ByAll, part.q); err != nil {
			return err
		}
	}
	if d.places, err = store.PlacedCells(ctx, q); err != nil {
		return err
	}
	if d.placesBefore, err = store.PlacedCells(ctx, before); err != nil {
		return err
	}
	for _, part := range []struct {
		into *coding.Cells
		by   coding.CellBy
	}{{&d.coders, coding.ByCoder}, {&d.models, coding.ByModel}, {&d.lengths, coding.ByLength}, {&d.reasons, coding.ByReason}, {&d.specialties, coding.ByAll}} {
		if part.by == coding.ByAll && q.Specialty != nil {
			d.specialties = d.all
		} else if *part.into, err = store.ThroughputTotals(ctx, part.by, q, part.by == coding.ByModel); err != nil {
			return err
		}
	}
	if d.backlog, err = store.Backlog(ctx, q, d.ages(), d.limits(), d.Calendar.Before(d.now, d.usual())); err != nil {
		return err
	}
	if d.spend, err = store.LLMSpendDays(ctx, q.From, q.To); err != nil {
		return err
	}
	if d.queries, err = store.OpenQueries(ctx, q); err != nil {
		return err
	}
	return nil
}

// countDead asks the queue. That it is away is no reason to show nothing.
func (d *data) countDead(ctx context.Context) {
	if d.Dead == nil {
		return
	}
	var err error
	if d.dead, d.deadOldest, err = d.Dead(ctx); err != nil {
		d.Logger.Warn("dead letters cannot be counted; the page shows none", "error", err)
		d.dead = -1
	}
}

// readOwn counts one coder's rounds; there are few enough.
func (d *data) readOwn(ctx context.Context, store coding.ThroughputReader) error {
	q := d.f.query()
	from := d.Calendar.Start(d.f.before().From)
	rounds, err := store.RoundsOfCoder(ctx, from, d.Calendar.Start(q.To), q)
	if err != nil {
		return err
	}
	d.all, d.before, d.places, d.placesBefore, d.specialties = coding.Cells{}, coding.Cells{}, coding.Cells{}, coding.Cells{}, coding.Cells{}
	d.coders, d.lengths, d.reasons = coding.Cells{}, coding.Cells{}, coding.Cells{}
	for k, sums := range d.Calendar.CellsOf(coding.ItemFacts{Rounds: rounds}) {
		var into coding.Cells
		switch before := k.Day.Before(q.From); {
		case k.By == coding.ByAll && k.Narrow && !k.Placed && !before:
			into = d.specialties
		case k.Narrow:
		case k.By == coding.ByAll && k.Placed && before:
			into = d.placesBefore
		case k.By == coding.ByAll && k.Placed:
			into = d.places
		case k.Placed:
		case k.By == coding.ByAll && before:
			into = d.before
		case k.By == coding.ByAll:
			into = d.all
		case !before:
			into = map[coding.CellBy]coding.Cells{coding.ByCoder: d.coders, coding.ByLength: d.lengths, coding.ByReason: d.reasons}[k.By]
		}
		if into != nil {
			into[k] = sums
		}
	}
	d.queries, err = store.OpenQueries(ctx, q)
	return err
}

// usual is the service level where nothing else is said.
func (s *Service) usual() time.Duration { return s.Levels.Of("", "") }

// limits gives the service level of each source and setting, and since when
// something may have waited there.
func (d *data) limits() []coding.Limit { return d.limitsOf(d.open, d.now) }

func (s *Service) limitsOf(places []coding.Limit, now time.Time) []coding.Limit {
	out := slices.Clone(places)
	for i := range out {
		out[i].Within = s.Levels.Of(out[i].Source, out[i].Setting)
		out[i].Since = s.Calendar.Before(now, out[i].Within)
	}
	return out
}

// ages are the edges as moments, the oldest first.
func (d *data) ages() []time.Time {
	out := make([]time.Time, len(edges))
	for i, e := range edges {
		out[len(edges)-1-i] = d.now.Add(-e)
	}
	return out
}

// sum adds up cells.
func sum(cells coding.Cells) *coding.CellSums {
	total := new(coding.CellSums)
	for _, s := range cells {
		total.Merge(s, 1)
	}
	return total
}

// groups adds up cells that have the same of something.
func groups[K comparable](cells coding.Cells, of func(coding.CellKey) K) map[K]*coding.CellSums {
	out := map[K]*coding.CellSums{}
	for k, s := range cells {
		g := of(k)
		if out[g] == nil {
			out[g] = new(coding.CellSums)
		}
		out[g].Merge(s, 1)
	}
	return out
}

// dayOf adds up cells by day; of a day that has none it gives nothing counted.
func dayOf(cells coding.Cells) func(coding.Date) *coding.CellSums {
	byDay := groups(cells, func(k coding.CellKey) coding.Date { return k.Day })
	return func(day coding.Date) *coding.CellSums {
		if c := byDay[day]; c != nil {
			return c
		}
		return new(coding.CellSums)
	}
}

func (f Filter) days() []coding.Date {
	var out []coding.Date
	for day := f.From; !f.To.Before(day); day = day.AddDays(1) {
		out = append(out, day)
	}
	return out
}

// inTime counts what was finished within its service level, from the cells of each
// source and setting.
func (s *Service) inTime(cells coding.Cells) (n int64) {
	for k, sums := range cells {
		n += within(sums.Spreads[coding.ToFinishWork], s.Levels.Of(k.Source, k.Setting))
	}
	return n
}

func (d *data) list(of coding.ThroughputList, change ...func(*List)) *List {
	l := &List{Of: of, Filter: d.f}
	for _, c := range change {
		c(l)
	}
	return l
}

func openNow(l *List) { l.EverOpen = true }
func onDay(day coding.Date) func(*List) {
	return func(l *List) { l.Filter.From, l.Filter.To = day, day }
}
func at(source string, setting coding.Setting) func(*List) {
	return func(l *List) { l.Filter.Source, l.Filter.Setting = source, setting }
}

func (d *data) name(login string) string {
	if n := d.names[login]; n != "" {
		return n
	}
	return login
}

// SpecialtyText is a specialty as pages show it.
func SpecialtyText(s string) string {
	if s == "" {
		return "none given"
	}
	return s
}
