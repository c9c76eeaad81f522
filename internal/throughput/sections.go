package throughput

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"chartcode/internal/chart"
	"chartcode/internal/coding"
)

// compared is a figure of the period beside that of the period before.
func compared(id, label string, now, before Value, list *List) Figure {
	return Figure{ID: id, Label: label, Value: now, Before: &before, Definition: definition(id), List: list}
}

// present is a figure of now.
func present(id, label string, v Value, list *List) Figure {
	return Figure{ID: id, Label: label, Value: v, Definition: definition(id), List: list}
}

func (d *data) sectionNow() Section {
	var items, notes, late int64
	var oldest time.Time
	byAge := make([]int64, len(edges)+1)
	lateByAge := make([]int64, len(edges)+1)
	for _, b := range d.backlog {
		items, notes, late = items+b.Items, notes+b.Notes, late+b.Late
		byAge[b.Age] += b.Items
		lateByAge[b.Age] += b.Late
		if oldest.IsZero() || b.Oldest.Before(oldest) {
			oldest = b.Oldest
		}
	}
	age := duration(d.now.Sub(oldest), items > 0)
	s := Section{ID: "now", Title: "Backlog now"}
	s.Figures = []Figure{
		present("backlog", "Encounters waiting", number(items), d.list(coding.ListBacklog, openNow)),
		present("backlog_notes", "Notes waiting", number(notes), d.list(coding.ListBacklog, openNow)),
		present("backlog_late", "Beyond the service level", number(late), d.list(coding.ListLate, openNow)),
		present("backlog_oldest", "Oldest waits for", age, d.list(coding.ListBacklog, openNow)),
		present("clears", "Clears", d.forecast(items), nil),
		present("queries", "Queries unanswered", number(d.queries.Count), d.list(coding.ListQueries, openNow)),
		present("queries_oldest", "Oldest query waits for", duration(d.now.Sub(d.queries.Oldest), d.queries.Count > 0), d.list(coding.ListQueries, openNow)),
	}
	if d.Dead != nil {
		dead := number(int64(d.dead))
		dead.None = d.dead < 0
		s.Figures = append(s.Figures, present("dead", "Dead letters", dead, nil))
		if d.dead > 0 {
			s.Figures = append(s.Figures, present("dead_oldest", "Oldest dead letter", duration(d.now.Sub(d.deadOldest), true), nil))
		}
	}
	t := Table{ID: "ages", Title: "Backlog by age", Definition: definition("ages"), Columns: []string{"Waiting for", "Encounters", "Beyond the service level"}}
	c := newChart("ages", t.Title, chart.Stacked, t.ID, Number, "Within the service level", "Beyond it")
	for i := range byAge {
		name := ageName(i)
		t.Rows = append(t.Rows, []Cell{{Value: words(name)}, {Value: number(byAge[i])}, {Value: number(lateByAge[i])}})
		c.Labels = append(c.Labels, name)
		c.Series[0].Values = append(c.Series[0].Values, float64(byAge[i]-lateByAge[i]))
		c.Series[1].Values = append(c.Series[1].Values, float64(lateByAge[i]))
	}
	s.Charts, s.Tables = []Chart{c}, []Table{t}
	return s
}

func ageName(i int) string {
	switch i {
	case 0:
		return "up to " + DurationText(edges[0])
	case len(edges):
		return "over " + DurationText(edges[len(edges)-1])
	}
	return DurationText(edges[i-1]) + " to " + DurationText(edges[i])
}

func (d *data) sectionFlow() Section {
	now, before := sum(d.all), sum(d.before)
	counted := func(c coding.CellCount) (Value, Value) { return number(now.Counts[c]), number(before.Counts[c]) }
	figure := func(id, label string, c coding.CellCount, list coding.ThroughputList) Figure {
		n, b := counted(c)
		return compared(id, label, n, b, d.list(list))
	}
	s := Section{ID: "flow", Title: "In and out", Figures: []Figure{
		figure("items_in", "Encounters received", coding.ItemsIn, coding.ListReceived),
		figure("notes_in", "Notes received", coding.NotesIn, coding.ListNotes),
		figure("reopened", "Encounters reopened", coding.ReopenedCount, coding.ListReopened),
		figure("items_out", "Encounters finished", coding.ItemsOut, coding.ListFinished),
		figure("notes_out", "Notes finished", coding.NotesOut, coding.ListFinished),
		figure("returned", "Returned to the sender", coding.ReturnedCount, coding.ListReturned),
	}}
	days := Table{ID: "days", Title: "Days", Definition: definition("days"), Columns: []string{
		"Day", "Encounters received", "Notes received", "Reopened", "Encounters finished", "Notes finished", "In time", "Median time to finish", "Degraded", "Accepted", "Cost",
	}}
	drawn := newChart("days", "Encounters received and finished, by day", chart.Lines, days.ID, Number, "Received", "Finished")
	onDate := dayOf(d.all)
	inTime := map[coding.Date]int64{}
	for k, sums := range d.places {
		inTime[k.Day] += d.inTime(coding.Cells{k: sums})
	}
	for _, day := range d.f.days() {
		c := onDate(day)
		days.Rows = append(days.Rows, []Cell{
			{Value: Value{Kind: Day, Words: day.String()}},
			{Value: number(c.Counts[coding.ItemsIn]), List: d.list(coding.ListReceived, onDay(day))},
			{Value: number(c.Counts[coding.NotesIn]), List: d.list(coding.ListNotes, onDay(day))},
			{Value: number(c.Counts[coding.ReopenedCount]), List: d.list(coding.ListReopened, onDay(day))},
			{Value: number(c.Counts[coding.ItemsOut]), List: d.list(coding.ListFinished, onDay(day))},
			{Value: number(c.Counts[coding.NotesOut]), List: d.list(coding.ListFinished, onDay(day))},
			{Value: share(inTime[day], c.Counts[coding.ItemsOut]), List: d.list(coding.ListTooLate, onDay(day))},
			{Value: spreadValue(c.Spreads[coding.ToFinish], 0.5), List: d.list(coding.ListFinished, onDay(day))},
			{Value: share(c.Counts[coding.DegradedSets], c.Counts[coding.SuggestedSets]), List: d.list(coding.ListDegraded, onDay(day))},
			{Value: acceptedShare(c), List: d.list(coding.ListAccepted, onDay(day))},
			{Value: dollars(c.Counts[coding.NanoUSD]), List: d.list(coding.ListSuggested, onDay(day))},
		})
		drawn.Labels = append(drawn.Labels, day.String()[5:])
		drawn.Series[0].Values = append(drawn.Series[0].Values, float64(c.Counts[coding.ItemsIn]))
		drawn.Series[1].Values = append(drawn.Series[1].Values, float64(c.Counts[coding.ItemsOut]))
	}
	hours := Table{ID: "hours", Title: "Hours of the day", Definition: definition("hours"), Columns: []string{"Hour", "Encounters received", "Notes received", "Encounters finished", "Notes finished"}}
	hourly := newChart("hours", "Encounters received and finished, by hour of the day", chart.Bars, hours.ID, Number, "Received", "Finished")
	for h := range 24 {
		in, out := now.Spreads[coding.ItemsInHours][h], now.Spreads[coding.ItemsOutHours][h]
		hours.Rows = append(hours.Rows, []Cell{
			{Value: words(fmt.Sprintf("%02d:00", h))}, {Value: number(in)}, {Value: number(now.Spreads[coding.NotesInHours][h])},
			{Value: number(out)}, {Value: number(now.Spreads[coding.NotesOutHours][h])},
		})
		hourly.Labels = append(hourly.Labels, fmt.Sprintf("%02d", h))
		hourly.Series[0].Values = append(hourly.Series[0].Values, float64(in))
		hourly.Series[1].Values = append(hourly.Series[1].Values, float64(out))
	}
	s.Charts, s.Tables = []Chart{drawn, hourly}, []Table{days, hours}
	return s
}

// reaches are the ends of the classes of turnaround.
var reaches = []time.Duration{
	10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour,
	12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 72 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour,
}

func (d *data) sectionTurnaround() Section {
	now, before := sum(d.all), sum(d.before)
	spread := func(id, label string, of coding.CellSpread, p float64, list coding.ThroughputList) Figure {
		return compared(id, label, spreadValue(now.Spreads[of], p), spreadValue(before.Spreads[of], p), d.list(list))
	}
	s := Section{ID: "turnaround", Title: "Turnaround", Figures: []Figure{
		compared("in_time", "Finished in time", share(d.inTime(d.places), now.Counts[coding.ItemsOut]), share(d.inTime(d.placesBefore), before.Counts[coding.ItemsOut]), d.list(coding.ListTooLate)),
		spread("to_finish", "Receipt to finish, median", coding.ToFinish, 0.5, coding.ListFinished),
		spread("to_finish_p90", "Receipt to finish, 90 %", coding.ToFinish, 0.9, coding.ListFinished),
		spread("to_look", "Receipt to first look, median", coding.ToLook, 0.5, coding.ListFinished),
		spread("to_look_p90", "Receipt to first look, 90 %", coding.ToLook, 0.9, coding.ListFinished),
	}}
	if !d.own {
		s.Figures = append(s.Figures,
			spread("to_suggestion", "Receipt to suggestion, median", coding.ToSuggestion, 0.5, coding.ListSuggested),
			spread("to_suggestion_p90", "Receipt to suggestion, 90 %", coding.ToSuggestion, 0.9, coding.ListSuggested))
	}
	t := Table{ID: "turnaround", Title: "Turnaround: how long it took", Definition: definition("turnaround"), Columns: []string{"Up to", "To first look", "To finish"}}
	if !d.own {
		t.Columns = append(t.Columns, "To suggestion")
	}
	c := newChart("turnaround", "Encounters by time from receipt to finish", chart.Bars, t.ID, Number, "To first look", "To finish")
	var had [3]int64
	for i := range len(reaches) + 1 {
		name := "more"
		var row [3]int64
		for j, of := range []coding.CellSpread{coding.ToLook, coding.ToFinish, coding.ToSuggestion} {
			n := count(now.Spreads[of])
			if i < len(reaches) {
				n = within(now.Spreads[of], reaches[i])
			}
			row[j], had[j] = n-had[j], n
		}
		if i < len(reaches) {
			name = DurationText(reaches[i])
		}
		cells := []Cell{{Value: words(name)}, {Value: number(row[0])}, {Value: number(row[1])}}
		if !d.own {
			cells = append(cells, Cell{Value: number(row[2])})
		}
		t.Rows = append(t.Rows, cells)
		c.Labels = append(c.Labels, name)
		c.Series[0].Values = append(c.Series[0].Values, float64(row[0]))
		c.Series[1].Values = append(c.Series[1].Values, float64(row[1]))
	}
	s.Charts, s.Tables = []Chart{c}, []Table{t, d.service()}
	return s
}

// service is the table of service levels by source and setting.
func (d *data) service() Table {
	t := Table{ID: "service", Title: "Service levels", Definition: definition("service"), Columns: []string{"Source", "Setting", "Service level", "Finished", "In time", "Share in time", "Median time to finish", "90 %"}}
	if !d.own {
		t.Columns = append(t.Columns, "Waiting now", "Beyond the level now")
	}
	type place struct {
		source  string
		setting coding.Setting
	}
	waiting, late := map[place]int64{}, map[place]int64{}
	cells := groups(d.places, func(k coding.CellKey) place { return place{k.Source, k.Setting} })
	for _, b := range d.backlog {
		p := place{b.Source, b.Setting}
		waiting[p], late[p] = waiting[p]+b.Items, late[p]+b.Late
		if cells[p] == nil {
			cells[p] = new(coding.CellSums)
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(cells), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.setting, b.setting))
	}) {
		c, level := cells[p], d.Levels.Of(p.source, p.setting)
		in := within(c.Spreads[coding.ToFinishWork], level)
		row := []Cell{
			{Value: words(p.source)}, {Value: words(string(p.setting))}, {Value: duration(level, true)},
			{Value: number(c.Counts[coding.ItemsOut]), List: d.list(coding.ListFinished, at(p.source, p.setting))},
			{Value: number(in), List: d.list(coding.ListInTime, at(p.source, p.setting))},
			{Value: share(in, c.Counts[coding.ItemsOut]), List: d.list(coding.ListTooLate, at(p.source, p.setting))},
			{Value: spreadValue(c.Spreads[coding.ToFinish], 0.5), List: d.list(coding.ListFinished, at(p.source, p.setting))},
			{Value: spreadValue(c.Spreads[coding.ToFinish], 0.9), List: d.list(coding.ListFinished, at(p.source, p.setting))},
		}
		if !d.own {
			row = append(row, Cell{Value: number(waiting[p]), List: d.list(coding.ListBacklog, openNow, at(p.source, p.setting))},
				Cell{Value: number(late[p]), List: d.list(coding.ListLate, openNow, at(p.source, p.setting))})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// minutesEach is the active time for each note, in seconds.
func minutesEach(c *coding.CellSums) Value {
	return ratio(Duration, float64(c.Counts[coding.ActiveMicros])/1e6, float64(c.Counts[coding.NotesOut]))
}

func perHour(c *coding.CellSums) Value {
	return ratio(Rate, float64(c.Counts[coding.NotesOut]), float64(c.Counts[coding.ActiveMicros])/3.6e9)
}

func decided(c *coding.CellSums) int64 {
	return c.Counts[coding.AcceptedCount] + c.Counts[coding.ModifiedCount] + c.Counts[coding.RejectedCount]
}

func acceptedShare(c *coding.CellSums) Value {
	return share(c.Counts[coding.AcceptedCount], decided(c))
}

func (d *data) sectionWork() Section {
	now, before := sum(d.all), sum(d.before)
	s := Section{ID: "work", Title: "Where time goes"}
	list := func() *List { return d.list(coding.ListFinished) }
	s.Figures = []Figure{
		compared("active_each", "Active time for each note", minutesEach(now), minutesEach(before), list()),
		compared("active_median", "Active time, median", spreadValue(now.Spreads[coding.ActiveEach], 0.5), spreadValue(before.Spreads[coding.ActiveEach], 0.5), list()),
		compared("active_p90", "Active time, 90 %", spreadValue(now.Spreads[coding.ActiveEach], 0.9), spreadValue(before.Spreads[coding.ActiveEach], 0.9), list()),
		compared("per_hour", "Notes for each active hour", perHour(now), perHour(before), list()),
		compared("others", "Active time of others", duration(time.Duration(now.Counts[coding.OthersMicros])*time.Microsecond, true), duration(time.Duration(before.Counts[coding.OthersMicros])*time.Microsecond, true), nil),
	}
	if d.own {
		s.Figures = append([]Figure{
			compared("items_out", "Encounters finished", number(now.Counts[coding.ItemsOut]), number(before.Counts[coding.ItemsOut]), list()),
			compared("notes_out", "Notes finished", number(now.Counts[coding.NotesOut]), number(before.Counts[coding.NotesOut]), list()),
			compared("returned", "Returned to the sender", number(now.Counts[coding.ReturnedCount]), number(before.Counts[coding.ReturnedCount]), d.list(coding.ListReturned)),
			present("queries", "Queries unanswered", number(d.queries.Count), d.list(coding.ListQueries, openNow)),
		}, s.Figures...)
	}
	coders := Table{ID: "coders", Title: "Coders", Definition: definition("coders"), Columns: []string{
		"Coder", "Encounters finished", "Notes finished", "Active time", "For each note", "Median", "90 %", "Notes an active hour",
		"Suggestions decided", "Accepted", "Modified", "Rejected", "Added an encounter", "Returned",
	}}
	if !d.own {
		coders.Columns = append(coders.Columns, "Look at")
	}
	pace := newChart("pace", "Notes for each active hour, by coder", chart.Rows, coders.ID, Rate, "Notes an active hour")
	accept := newChart("acceptance", "Share of suggestions accepted, by coder", chart.Rows, coders.ID, Share, "Accepted")
	byCoder := groups(d.coders, func(k coding.CellKey) string { return k.Name })
	for _, login := range slices.SortedFunc(maps.Keys(byCoder), func(a, b string) int {
		return cmp.Or(cmp.Compare(byCoder[b].Counts[coding.NotesOut], byCoder[a].Counts[coding.NotesOut]), cmp.Compare(a, b))
	}) {
		c := byCoder[login]
		of := func(l *List) { l.Filter.Coder = login }
		row := []Cell{
			{Value: words(d.name(login)), List: d.list(coding.ListFinished, of)},
			{Value: number(c.Counts[coding.ItemsOut]), List: d.list(coding.ListFinished, of)},
			{Value: number(c.Counts[coding.NotesOut]), List: d.list(coding.ListFinished, of)},
			{Value: duration(time.Duration(c.Counts[coding.ActiveMicros])*time.Microsecond, true)},
			{Value: minutesEach(c)}, {Value: spreadValue(c.Spreads[coding.ActiveEach], 0.5)}, {Value: spreadValue(c.Spreads[coding.ActiveEach], 0.9)},
			{Value: perHour(c)}, {Value: number(decided(c))},
			{Value: acceptedShare(c), List: d.list(coding.ListAccepted, of)},
			{Value: share(c.Counts[coding.ModifiedCount], decided(c)), List: d.list(coding.ListModified, of)},
			{Value: share(c.Counts[coding.RejectedCount], decided(c)), List: d.list(coding.ListRejected, of)},
			{Value: ratio(Rate, float64(c.Counts[coding.AddedCount]), float64(c.Counts[coding.ItemsOut])), List: d.list(coding.ListAdded, of)},
			{Value: number(c.Counts[coding.ReturnedCount]), List: d.list(coding.ListReturned, of)},
		}
		if !d.own {
			row = append(row, Cell{Value: words(remarks(c, now))})
		}
		coders.Rows = append(coders.Rows, row)
		pace.Labels, accept.Labels = append(pace.Labels, d.name(login)), append(accept.Labels, d.name(login))
		pace.Series[0].Values = append(pace.Series[0].Values, orNaN(perHour(c)))
		accept.Series[0].Values = append(accept.Series[0].Values, orNaN(acceptedShare(c)))
	}
	s.Tables = []Table{coders, d.specialtyTable(), d.lengthTable()}
	if !d.own {
		s.Charts = []Chart{accept, pace}
	}
	return s
}

// remarks say what about a coder is worth a look, beside the team.
func remarks(c, team *coding.CellSums) string {
	var out []string
	if n := decided(c); n >= 100 && float64(c.Counts[coding.AcceptedCount]) >= 0.98*float64(n) {
		out = append(out, "accepts nearly everything")
	}
	if own, all := minutesEach(c), minutesEach(team); c.Counts[coding.NotesOut] >= 20 && !all.None {
		switch {
		case own.X >= 1.5*all.X:
			out = append(out, "takes longer than the team")
		case own.X <= all.X/2:
			out = append(out, "faster than the team")
		}
	}
	return strings.Join(out, ", ")
}

func orNaN(v Value) float64 {
	if v.None {
		return math.NaN()
	}
	return v.X
}

func (d *data) specialtyTable() Table {
	t := Table{ID: "specialties", Title: "Specialties", Definition: definition("specialties"), Columns: []string{"Specialty", "Encounters received", "Encounters finished", "Notes finished", "Active time for each note", "Median", "90 %", "Accepted"}}
	if d.own {
		t.Columns = slices.Delete(t.Columns, 1, 2)
	}
	by := groups(d.specialties, func(k coding.CellKey) string { return k.Specialty })
	for _, name := range slices.Sorted(maps.Keys(by)) {
		c := by[name]
		of := func(l *List) { l.Filter.Specialty = &name }
		row := []Cell{{Value: words(SpecialtyText(name))}}
		if !d.own {
			row = append(row, Cell{Value: number(c.Counts[coding.ItemsIn]), List: d.list(coding.ListReceived, of)})
		}
		t.Rows = append(t.Rows, append(row,
			Cell{Value: number(c.Counts[coding.ItemsOut]), List: d.list(coding.ListFinished, of)},
			Cell{Value: number(c.Counts[coding.NotesOut]), List: d.list(coding.ListFinished, of)},
			Cell{Value: minutesEach(c)}, Cell{Value: spreadValue(c.Spreads[coding.ActiveEach], 0.5)}, Cell{Value: spreadValue(c.Spreads[coding.ActiveEach], 0.9)},
			Cell{Value: acceptedShare(c), List: d.list(coding.ListAccepted, of)}))
	}
	return t
}

func (d *data) lengthTable() Table {
	t := Table{ID: "lengths", Title: "Length of the encounter's notes", Definition: definition("lengths"), Columns: []string{"Bytes of text", "Encounters finished", "Notes finished", "Active time for each note", "Median", "90 %", "Accepted"}}
	by := groups(d.lengths, func(k coding.CellKey) string { return k.Name })
	for _, l := range lengths {
		c := by[l.name]
		if c == nil {
			c = new(coding.CellSums)
		}
		of := func(x *List) { x.Length = l.name }
		t.Rows = append(t.Rows, []Cell{
			{Value: words(l.name)}, {Value: number(c.Counts[coding.ItemsOut]), List: d.list(coding.ListFinished, of)},
			{Value: number(c.Counts[coding.NotesOut]), List: d.list(coding.ListFinished, of)},
			{Value: minutesEach(c)}, {Value: spreadValue(c.Spreads[coding.ActiveEach], 0.5)}, {Value: spreadValue(c.Spreads[coding.ActiveEach], 0.9)},
			{Value: acceptedShare(c), List: d.list(coding.ListAccepted, of)},
		})
	}
	return t
}
