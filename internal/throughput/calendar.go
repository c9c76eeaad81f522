package throughput

import (
	"fmt"
	"strings"
	"time"

	"chartcode/internal/coding"
)

// Calendar is the site's: its time zone and on which days of the week people work.
type Calendar struct {
	Zone *time.Location
	Work [7]bool // by time.Weekday
}

// Weekdays is Monday to Friday.
func Weekdays() (work [7]bool) {
	for d := time.Monday; d <= time.Friday; d++ {
		work[d] = true
	}
	return work
}

// Day is the site's day of a moment.
func (c Calendar) Day(t time.Time) coding.Date { return coding.DateOf(t.In(c.Zone)) }

// Hour is the site's hour of the day of a moment.
func (c Calendar) Hour(t time.Time) int { return t.In(c.Zone).Hour() }

// Start is when a day begins.
func (c Calendar) Start(d coding.Date) time.Time {
	t := d.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, c.Zone)
}

// Works reports whether people work on a day.
func (c Calendar) Works(d coding.Date) bool { return c.Work[d.Time().Weekday()] }

// Between is the time from a to b that lies on working days; 0 if b is not after a.
func (c Calendar) Between(a, b time.Time) time.Duration {
	var sum time.Duration
	for a.Before(b) {
		day := c.Day(a)
		end := c.Start(day.AddDays(1))
		if !end.After(a) { // a zone that left out midnight
			end = a.Add(time.Hour)
		}
		if end.After(b) {
			end = b
		}
		if c.Works(day) {
			sum += end.Sub(a)
		}
		a = end
	}
	return sum
}

// Before is the moment from which a time of working days has passed until b: what
// began earlier lasts longer.
func (c Calendar) Before(b time.Time, d time.Duration) time.Time {
	for range 3660 { // a site that never works would look for ever
		if d <= 0 {
			break
		}
		start := c.Start(c.Day(b))
		if !start.Before(b) {
			start = c.Start(c.Day(b.Add(-time.Second)))
		}
		if c.Works(c.Day(start)) {
			if b.Sub(start) >= d {
				return b.Add(-d)
			}
			d -= b.Sub(start)
		}
		b = start
	}
	return b
}

// rules names what facts and cells are counted by: when it changes, they are
// counted anew.
func (c Calendar) rules() string {
	var days []string
	for d, works := range c.Work {
		if works {
			days = append(days, time.Weekday(d).String()[:3])
		}
	}
	return fmt.Sprintf("%d %s %s", definitions, c.Zone, strings.Join(days, ","))
}

// definitions is the version of how facts and cells follow from events.
const definitions = 2
