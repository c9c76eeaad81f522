package throughput

import (
	"cmp"
	"maps"
	"slices"

	"chartcode/internal/chart"
	"chartcode/internal/coding"
)

func (d *data) sectionCost() Section {
	now, before := sum(d.all), sum(d.before)
	each := func(c *coding.CellSums) Value {
		return ratio(Money, float64(c.Counts[coding.NanoUSD])/1e9, float64(c.Counts[coding.SuggestedSets]))
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
	drawn := newChart("costs", "Cost of suggestions by day and model, US dollars", chart.Stacked, costs.ID, Money)
	degraded := newChart("degraded", "Share of degraded suggestions, by day", chart.Bars, costs.ID, Share, "Degraded")
	dear, rest := dearest(by)
	for _, name := range dear {
		drawn.Series = append(drawn.Series, chart.Series{Name: name})
	}
	if len(rest) > 0 {
		drawn.Series = append(drawn.Series, chart.Series{Name: "others"})
	}
	type dayModel struct {
		day  coding.Date
		name string
	}
	byDay := groups(d.models, func(k coding.CellKey) dayModel { return dayModel{k.Day, k.Name} })
	onDate := dayOf(d.all)
	nano := func(day coding.Date, name string) int64 {
		if c := byDay[dayModel{day, name}]; c != nil {
			return c.Counts[coding.NanoUSD]
		}
		return 0
	}
	for _, day := range d.f.days() {
		c := onDate(day)
		down := share(c.Counts[coding.DegradedSets], c.Counts[coding.SuggestedSets])
		row := []Cell{{Value: Value{Kind: Day, Words: day.String()}}, {Value: down, List: d.list(coding.ListDegraded, onDay(day))}}
		for _, name := range names {
			of := func(l *List) { l.Model = name }
			row = append(row, Cell{Value: dollars(nano(day, name)), List: d.list(coding.ListSuggested, onDay(day), of)})
		}
		costs.Rows = append(costs.Rows, append(row, Cell{Value: dollars(d.spend[day].NanoUSD)}))
		drawn.Labels, degraded.Labels = append(drawn.Labels, day.String()[5:]), append(degraded.Labels, day.String()[5:])
		degraded.Series[0].Values = append(degraded.Series[0].Values, down.X)
		for i, name := range dear {
			drawn.Series[i].Values = append(drawn.Series[i].Values, float64(nano(day, name))/1e9)
		}
		if len(rest) > 0 {
			others := int64(0)
			for _, name := range rest {
				others += nano(day, name)
			}
			s := &drawn.Series[len(dear)]
			s.Values = append(s.Values, float64(others)/1e9)
		}
	}
	s.Charts, s.Tables = []Chart{degraded}, []Table{models, costs}
	if len(drawn.Series) > 0 {
		s.Charts = append(s.Charts, drawn)
	}
	return s
}

// dearest tells the models that cost something and are drawn alone, by name, from
// the rest: a chart has chart.MaxSeries, of which one is for what the rest cost.
func dearest(by map[string]*coding.CellSums) (alone, rest []string) {
	for _, name := range slices.Sorted(maps.Keys(by)) {
		if by[name].Counts[coding.NanoUSD] > 0 {
			alone = append(alone, name)
		}
	}
	if len(alone) <= chart.MaxSeries {
		return alone, nil
	}
	slices.SortStableFunc(alone, func(a, b string) int {
		return cmp.Compare(by[b].Counts[coding.NanoUSD], by[a].Counts[coding.NanoUSD])
	})
	alone, rest = alone[:chart.MaxSeries-1], alone[chart.MaxSeries-1:]
	slices.Sort(alone)
	return alone, rest
}
