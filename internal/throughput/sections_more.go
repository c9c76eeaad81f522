package throughput

import (
	"cmp"
	"maps"
	"slices"

	"chartcode/internal/coding"
)

func (d *data) sectionSuggestions() Section {
	now, before := sum(d.all), sum(d.before)
	part := func(id, label string, c coding.CellCount, list coding.ThroughputList) Figure {
		return compared(id, label, share(now.Counts[c], decided(now)), share(before.Counts[c], decided(before)), d.list(list))
	}
	added := func(c *coding.CellSums) Value {
		return ratio(Rate, float64(c.Counts[coding.AddedCount]), float64(c.Counts[coding.ItemsOut]), c.Counts[coding.ItemsOut])
	}
	s := Section{ID: "suggestions", Title: "What became of suggestions", Figures: []Figure{
		part("accepted", "Accepted", coding.AcceptedCount, coding.ListAccepted),
		part("modified", "Modified", coding.ModifiedCount, coding.ListModified),
		part("rejected", "Rejected", coding.RejectedCount, coding.ListRejected),
		compared("added", "Codes added for each encounter", added(now), added(before), d.list(coding.ListAdded)),
	}}
	days := Table{ID: "outcomes", Title: "Suggestions by day", Definition: definition("outcomes"), Columns: []string{"Day", "Decided", "Accepted", "Modified", "Rejected", "Added"}}
	chart := Chart{ID: "outcomes", Title: "Share of suggestions accepted, modified and rejected, by day", Kind: Lines, Table: days.ID, Unit: Share, Series: []Series{{Name: "Accepted"}, {Name: "Modified"}, {Name: "Rejected"}}}
	byDay := groups(d.all, func(k coding.CellKey) coding.Date { return k.Day })
	for _, day := range d.f.days() {
		c := byDay[day]
		if c == nil {
			c = new(coding.CellSums)
		}
		days.Rows = append(days.Rows, []Cell{
			{Value: Value{Kind: Day, Words: day.String()}},
			{Value: number(decided(c)), List: d.list(coding.ListFinished, onDay(day))},
			{Value: number(c.Counts[coding.AcceptedCount]), List: d.list(coding.ListAccepted, onDay(day))},
			{Value: number(c.Counts[coding.ModifiedCount]), List: d.list(coding.ListModified, onDay(day))},
			{Value: number(c.Counts[coding.RejectedCount]), List: d.list(coding.ListRejected, onDay(day))},
			{Value: number(c.Counts[coding.AddedCount]), List: d.list(coding.ListAdded, onDay(day))},
		})
		chart.Labels = append(chart.Labels, day.String()[5:])
		for i, n := range []coding.CellCount{coding.AcceptedCount, coding.ModifiedCount, coding.RejectedCount} {
			chart.Series[i].Values = append(chart.Series[i].Values, orNaN(share(c.Counts[n], decided(c))))
		}
	}
	s.Charts, s.Tables = []Chart{chart}, []Table{d.reasonTable(now.Counts[coding.RejectedCount]), days}
	return s
}

func (d *data) reasonTable(all int64) Table {
	t := Table{ID: "reasons", Title: "Why suggestions were rejected", Definition: definition("reasons"), Columns: []string{"Reason", "Suggestions", "Share"}}
	label := map[string]string{"": "no reason given"}
	for _, c := range coding.RejectReasons() {
		label[string(c.Code)] = c.Label
	}
	by := groups(d.reasons, func(k coding.CellKey) string { return k.Name })
	for _, name := range slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		return cmp.Or(cmp.Compare(by[b].Counts[coding.RejectedCount], by[a].Counts[coding.RejectedCount]), cmp.Compare(a, b))
	}) {
		n := by[name].Counts[coding.RejectedCount]
		text := label[name]
		if text == "" {
			text = name
		}
		of := func(l *List) { l.Reason = &name }
		t.Rows = append(t.Rows, []Cell{{Value: words(text)}, {Value: number(n), List: d.list(coding.ListRejected, of)}, {Value: share(n, all)}})
	}
	return t
}

func (d *data) sectionCost() Section {
	now, before := sum(d.all), sum(d.before)
	each := func(c *coding.CellSums) Value {
		return ratio(Money, float64(c.Counts[coding.NanoUSD])/1e9, float64(c.Counts[coding.SuggestedSets]), c.Counts[coding.SuggestedSets])
	}
	var spent int64
	for _, u := range d.spend {
		spent += u.NanoUSD
	}
	s := Section{ID: "cost", Title: "The assistant and its cost", Figures: []Figure{
		compared("suggested", "Notes suggested for", number(now.Counts[coding.SuggestedSets]), number(before.Counts[coding.SuggestedSets]), d.list(coding.ListSuggested)),
		compared("degraded", "Degraded", share(now.Counts[coding.DegradedSets], now.Counts[coding.SuggestedSets]), share(before.Counts[coding.DegradedSets], before.Counts[coding.SuggestedSets]), d.list(coding.ListDegraded)),
		compared("cost_each", "Cost for each note", each(now), each(before), d.list(coding.ListSuggested)),
		compared("cost", "Cost of suggestions", dollars(now.Counts[coding.NanoUSD]), dollars(before.Counts[coding.NanoUSD]), d.list(coding.ListSuggested)),
		present("spent", "LLM spending of the whole site", dollars(spent), nil),
	}}
	models := Table{ID: "models", Title: "Models", Definition: definition("models"), Columns: []string{"Model", "Notes suggested for", "Degraded", "Cost", "Cost for each note"}}
	by := groups(d.models, func(k coding.CellKey) string { return k.Name })
	names := slices.Sorted(maps.Keys(by))
	for _, name := range names {
		c := by[name]
		of := func(l *List) { l.Model = name }
		models.Rows = append(models.Rows, []Cell{
			{Value: words(name)}, {Value: number(c.Counts[coding.SuggestedSets]), List: d.list(coding.ListSuggested, of)},
			{Value: share(c.Counts[coding.DegradedSets], c.Counts[coding.SuggestedSets]), List: d.list(coding.ListDegraded, of)},
			{Value: dollars(c.Counts[coding.NanoUSD])}, {Value: each(c)},
		})
	}
	costs := Table{ID: "costs", Title: "Cost by day and model", Definition: definition("costs"), Columns: append(append([]string{"Day", "Degraded"}, names...), "Whole site")}
	chart := Chart{ID: "costs", Title: "Cost of suggestions by day and model, US dollars", Kind: Stacked, Table: costs.ID, Unit: Money}
	degraded := Chart{ID: "degraded", Title: "Share of degraded suggestions, by day", Kind: Bars, Table: costs.ID, Unit: Share, Series: []Series{{Name: "Degraded"}}}
	for _, name := range names {
		if by[name].Counts[coding.NanoUSD] > 0 {
			chart.Series = append(chart.Series, Series{Name: name})
		}
	}
	type dayModel struct {
		day  coding.Date
		name string
	}
	byDay := groups(d.models, func(k coding.CellKey) dayModel { return dayModel{k.Day, k.Name} })
	allDay := groups(d.all, func(k coding.CellKey) coding.Date { return k.Day })
	nano := func(day coding.Date, name string) int64 {
		if c := byDay[dayModel{day, name}]; c != nil {
			return c.Counts[coding.NanoUSD]
		}
		return 0
	}
	for _, day := range d.f.days() {
		c := allDay[day]
		if c == nil {
			c = new(coding.CellSums)
		}
		down := share(c.Counts[coding.DegradedSets], c.Counts[coding.SuggestedSets])
		row := []Cell{{Value: Value{Kind: Day, Words: day.String()}}, {Value: down, List: d.list(coding.ListDegraded, onDay(day))}}
		for _, name := range names {
			of := func(l *List) { l.Model = name }
			row = append(row, Cell{Value: dollars(nano(day, name)), List: d.list(coding.ListSuggested, onDay(day), of)})
		}
		costs.Rows = append(costs.Rows, append(row, Cell{Value: dollars(d.spend[day].NanoUSD)}))
		chart.Labels, degraded.Labels = append(chart.Labels, day.String()[5:]), append(degraded.Labels, day.String()[5:])
		degraded.Series[0].Values = append(degraded.Series[0].Values, down.X)
		for i := range chart.Series {
			chart.Series[i].Values = append(chart.Series[i].Values, float64(nano(day, chart.Series[i].Name))/1e9)
		}
	}
	s.Charts, s.Tables = []Chart{degraded}, []Table{models, costs}
	if len(chart.Series) > 0 {
		s.Charts = append(s.Charts, chart)
	}
	return s
}
