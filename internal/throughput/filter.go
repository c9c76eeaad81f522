package throughput

import (
	"net/url"
	"time"

	"chartcode/internal/coding"
)

// Filter is what a page of figures is about.
type Filter struct {
	From, To  coding.Date // days of the site, both included
	Source    string
	Setting   coding.Setting
	Specialty *string
	Coder     string // login
}

// maxDays is the longest period.
const maxDays = 366

// FilterOf reads a filter from a URL's query. What cannot be read falls back to the
// last 30 days, and to no restriction.
func (c Calendar) FilterOf(v url.Values, now time.Time) Filter {
	today := c.Day(now)
	f := Filter{Source: v.Get("source"), Coder: v.Get("coder"), From: today.AddDays(-29), To: today}
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
	switch v.Get("days") {
	case "1":
		f.From = today
	case "7":
		f.From = today.AddDays(-6)
	case "90":
		f.From = today.AddDays(-89)
	case "30":
	default:
		from, err := coding.ParseDate(v.Get("from"))
		to, err2 := coding.ParseDate(v.Get("to"))
		if err == nil && err2 == nil && !from.IsZero() && !to.IsZero() && !to.Before(from) && !from.AddDays(maxDays).Before(to) {
			f.From, f.To = from, to
		}
	}
	return f
}

// noSpecialty stands in URLs for notes without one.
const noSpecialty = "-"

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
		if set("specialty", *f.Specialty); *f.Specialty == "" {
			v.Set("specialty", noSpecialty)
		}
	}
	return v
}

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
