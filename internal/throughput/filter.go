package throughput

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"chartcode/internal/coding"
)

// Filter is what a page of figures is about.
type Filter struct {
	From, To  coding.Date // days of the site, both included
	Last      int         // the period was asked for as so many days up to today; 0: by its dates
	Source    string
	Setting   coding.Setting
	Specialty *string
	Coder     string // login
}

// maxDays is the longest period.
const maxDays = 366

// periods are numbers of days up to today that can be asked for.
var periods = []int{1, 7, usualPeriod, 90}

const usualPeriod = 30

// Periods are the numbers of days up to today that can be asked for.
func Periods() []int { return slices.Clone(periods) }

// FilterOf reads a filter from a URL's query. What cannot be read falls back to the
// last 30 days, and to no restriction.
//
// A form sends dates always, also where another number of days was chosen: dates
// count unless they are those that it showed before and a number of days is there.
func (c Calendar) FilterOf(v url.Values, now time.Time) Filter {
	today := c.Day(now)
	f := Filter{Source: v.Get("source"), Coder: v.Get("coder"), To: today}
	if s := coding.Setting(v.Get("setting")); s.Valid() {
		f.Setting = s
	}
	if v.Has("specialty") && v.Get("specialty") != "" {
		s := v.Get("specialty")
		if s == noSpecialty {
			s = ""
		}
		f.Specialty = &s
	}
	days, err := strconv.Atoi(v.Get("days"))
	asked := err == nil && slices.Contains(periods, days)
	if !asked {
		days = usualPeriod
	}
	f.Last, f.From = days, today.AddDays(1-days)
	from, err := coding.ParseDate(v.Get("from"))
	to, err2 := coding.ParseDate(v.Get("to"))
	if err == nil && err2 == nil && !from.IsZero() && !to.IsZero() && !to.Before(from) && !from.AddDays(maxDays).Before(to) {
		if dated := (Filter{From: from, To: to}); !asked || v.Get("shown") != dated.Shown() {
			f.Last, f.From, f.To = 0, from, to
		}
	}
	return f
}

// noSpecialty stands in URLs for notes without one.
const noSpecialty = "-"

// SpecialtyParam is a specialty as a URL's query has it.
func SpecialtyParam(name string) string {
	if name == "" {
		return noSpecialty
	}
	return name
}

// Values is the filter as a URL's query.
func (f Filter) Values() url.Values {
	v := url.Values{"from": {f.From.String()}, "to": {f.To.String()}}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("source", f.Source)
	set("setting", string(f.Setting))
	set("coder", f.Coder)
	if f.Specialty != nil {
		set("specialty", SpecialtyParam(*f.Specialty))
	}
	return v
}

// Shown is what a form tells of the dates in it, see FilterOf.
func (f Filter) Shown() string { return f.From.String() + "/" + f.To.String() }

// Days is how many days the period has.
func (f Filter) Days() int {
	return int(f.To.Time().Sub(f.From.Time()).Hours()/24) + 1
}

// before is the period of the same length before.
func (f Filter) before() Filter {
	f.From, f.To = f.From.AddDays(-f.Days()), f.From.AddDays(-1)
	return f
}

func (f Filter) query() coding.ThroughputQuery {
	return coding.ThroughputQuery{From: f.From, To: f.To.AddDays(1), Source: f.Source, Setting: f.Setting, Specialty: f.Specialty, Coder: f.Coder}
}
