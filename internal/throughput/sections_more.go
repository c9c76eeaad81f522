package throughput

import (
	"cmp"
	"maps"
	"slices"

	"chartcode/internal/chart"
	"chartcode/internal/coding"
)

func (d *data) sectionSuggestions() Section {
	now, before := sum(d.all), sum(d.before)
	part := func(id, label string, c coding.CellCount, list coding.ThroughputList) Figure {
		return compared(id, label, share(now.Counts[c], decided(now)), share(before.Counts[c], decided(before)), d.list(list))
	}
	added := func(c *coding.CellSums) Value {
		return ratio(Rate, float64(c.Counts[coding.AddedCount]), float64(c.Counts[coding.ItemsOut]))
	}
	s := Section{ID: "suggestions", Title: "What became of suggestions", Figures: []Figure{
		part("accepted", "Accepted", coding.AcceptedCount, coding.ListAccepted),
		part("modified", "Modified", coding.ModifiedCount, coding.ListModified),
		part("rejected", "Rejected", coding.RejectedCount, coding.ListRejected),
		compared("added", "Codes added for each encounter", added(now), added(before), d.list(coding.ListAdded)),
	}}
	days := Table{ID: "outcomes", Title: "Suggestions by day", Definition: definition("outcomes"), Columns: []string{"Day", "Decided", "Accepted", "Modified", "Rejected", "Added"}}
	drawn := newChart("outcomes", "Share of suggestions accepted, modified and rejected, by day", chart.Lines, days.ID, Share, "Accepted", "Modified", "Rejected")
	onDate := dayOf(d.all)
	for _, day := range d.f.days() {
		c := onDate(day)
		days.Rows = append(days.Rows, []Cell{
			{Value: Value{Kind: Day, Words: day.String()}},
			{Value: number(decided(c)), List: d.list(coding.ListFinished, onDay(day))},
			{Value: number(c.Counts[coding.AcceptedCount]), List: d.list(coding.ListAccepted, onDay(day))},
			{Value: number(c.Counts[coding.ModifiedCount]), List: d.list(coding.ListModified, onDay(day))},
			{Value: number(c.Counts[coding.RejectedCount]), List: d.list(coding.ListRejected, onDay(day))},
			{Value: number(c.Counts[coding.AddedCount]), List: d.list(coding.ListAdded, onDay(day))},
		})
		drawn.Labels = append(drawn.Labels, day.String()[5:])
		for i, n := range []coding.CellCount{coding.AcceptedCount, coding.ModifiedCount, coding.RejectedCount} {
			drawn.Series[i].Values = append(drawn.Series[i].Values, orNaN(share(c.Counts[n], decided(c))))
		}
	}
	s.Charts, s.Tables = []Chart{drawn}, []Table{d.reasonTable(now.Counts[coding.RejectedCount]), days}
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
