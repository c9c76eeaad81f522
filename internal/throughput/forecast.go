package throughput

import (
	"time"

	"chartcode/internal/coding"
)

// forecast is the day on which nothing will wait any more.
func (d *data) forecast(waiting int64) Value {
	day, ok := d.Calendar.clears(d.now, float64(waiting), d.recent)
	if !ok {
		return Value{Kind: Day, Words: "not at this pace"}
	}
	return Value{Kind: Day, Words: day.String()}
}

// paceHours is over how many working hours of the day today's pace is measured;
// paceDays over how many days what comes in.
const (
	paceHours = 24
	paceDays  = 7
)

// clears finds the day on which a backlog comes to its end; see the definition
// "clears". Cells are of the last two weeks.
func (c Calendar) clears(now time.Time, waiting float64, cells coding.Cells) (coding.Date, bool) {
	today := c.Day(now)
	onDate := dayOf(cells)
	out, left := 0.0, paceHours
	for day, hour := today, c.Hour(now)-1; left > 0 && !day.Before(today.AddDays(-14)); day, hour = day.AddDays(-1), 23 {
		if !c.Works(day) {
			continue
		}
		for ; hour >= 0 && left > 0; hour, left = hour-1, left-1 {
			out += float64(onDate(day).Spreads[coding.ItemsOutHours][hour])
		}
	}
	var in, days [2]float64 // of working days and others
	kind := func(day coding.Date) int {
		if c.Works(day) {
			return 0
		}
		return 1
	}
	for i := 1; i <= paceDays; i++ {
		day := today.AddDays(-i)
		days[kind(day)]++
		s := onDate(day)
		in[kind(day)] += float64(s.Counts[coding.ItemsIn] + s.Counts[coding.ReopenedCount])
	}
	// What is left of today counts for its part.
	start, end := c.Start(today), c.Start(today.AddDays(1))
	part := float64(end.Sub(now)) / float64(end.Sub(start))
	for day := today; waiting > 0; day, part = day.AddDays(1), 1 {
		if today.AddDays(365).Before(day) {
			return coding.Date{}, false
		}
		k := kind(day)
		if days[k] > 0 {
			waiting += part * in[k] / days[k]
		}
		if k == 0 {
			waiting -= part * out
		}
		if waiting <= 0 {
			return day, true
		}
	}
	return today, true
}
