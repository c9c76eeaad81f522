package web

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"chartcode/internal/coding"
)

// stateNames are the tabs of the worklist, in the order in which they stand.
var stateNames = []coding.ItemState{coding.ItemOpen, coding.ItemClaimed, coding.ItemHeld, coding.ItemQueried, coding.ItemFinished}

var sortNames = []choice{
	{Value: string(coding.SortPriority), Label: "by priority, oldest first"},
	{Value: string(coding.SortNeed), Label: "what most needs a person first"},
	{Value: string(coding.SortOldest), Label: "oldest first"},
	{Value: string(coding.SortNewest), Label: "newest first"},
	{Value: string(coding.SortUpdated), Label: "last changed first"},
}

// filterNames are the parameters that choose items whatever their state. Pages
// carry them along from worklist to item to the next item.
var filterNames = []string{"setting", "source", "specialty", "ranker", "coder", "degraded", "invalid",
	"priority_from", "priority_to", "confidence_from", "confidence_below", "older_hours", "younger_hours"}

// listNames are the others, which choose within the list alone.
var listNames = []string{"state", "sort", "holder", "sent_to"}

// filterQuery reads the parameters of a list of items. Wrong names the first
// that has a value which cannot be; that one then restricts nothing. A source
// or specialty that no item has finds nothing, which is right.
func filterQuery(v url.Values) (q coding.WorklistQuery, wrong string) {
	q = coding.WorklistQuery{Cursor: v.Get("cursor"), Sort: coding.SortPriority}
	bad := func(name string) {
		if wrong == "" {
			wrong = name
		}
	}
	for _, x := range given(v, "state") {
		if slices.Contains(stateNames, coding.ItemState(x)) {
			q.States = append(q.States, coding.ItemState(x))
		} else {
			bad("state")
		}
	}
	for _, x := range given(v, "setting") {
		if coding.Setting(x).Valid() {
			q.Settings = append(q.Settings, coding.Setting(x))
		} else {
			bad("setting")
		}
	}
	q.Sources = append(q.Sources, given(v, "source")...)
	q.Specialties = append(q.Specialties, given(v, "specialty")...)
	q.Rankers = append(q.Rankers, given(v, "ranker")...)
	q.Coders = append(q.Coders, given(v, "coder")...)
	q.Holder, q.SentTo = v.Get("holder"), v.Get("sent_to")
	yesOrNo := func(name string, to **bool) {
		for _, x := range given(v, name) {
			if yes, err := strconv.ParseBool(x); err == nil {
				*to = &yes
			} else {
				bad(name)
			}
		}
	}
	yesOrNo("degraded", &q.Degraded)
	yesOrNo("invalid", &q.Invalid)
	for name, to := range map[string]*int{"priority_from": &q.PriorityFrom, "priority_to": &q.PriorityTo} {
		for _, x := range given(v, name) {
			if n := number(x); n >= coding.PriorityMin && n <= coding.PriorityMax {
				*to = n
			} else {
				bad(name)
			}
		}
	}
	for name, to := range map[string]*float64{"confidence_from": &q.ConfidenceFrom, "confidence_below": &q.ConfidenceBelow, "older_hours": &q.OlderHours, "younger_hours": &q.YoungerHours} {
		for _, x := range given(v, name) {
			n, err := strconv.ParseFloat(x, 64)
			if err != nil || n < 0 || math.IsNaN(n) || math.IsInf(n, 0) || (strings.HasPrefix(name, "confidence") && n > 1) {
				bad(name)
				continue
			}
			*to = n
		}
	}
	for _, x := range given(v, "sort") {
		if slices.ContainsFunc(sortNames, func(s choice) bool { return s.Value == x }) {
			q.Sort = coding.WorklistSort(x)
		} else {
			bad("sort")
		}
	}
	return q, wrong
}

// filterValues is what filterQuery reads, of a query that somebody saved.
func filterValues(q coding.WorklistQuery) url.Values {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" && value != "0" {
			v.Set(name, value)
		}
	}
	first := func(list []string) string {
		if len(list) == 0 {
			return ""
		}
		return list[0]
	}
	if len(q.States) > 0 {
		set("state", string(q.States[0]))
	}
	if len(q.Settings) > 0 {
		set("setting", string(q.Settings[0]))
	}
	set("source", first(q.Sources))
	set("specialty", first(q.Specialties))
	set("ranker", first(q.Rankers))
	set("coder", first(q.Coders))
	set("holder", q.Holder)
	set("sent_to", q.SentTo)
	if q.Degraded != nil {
		set("degraded", strconv.FormatBool(*q.Degraded))
	}
	if q.Invalid != nil {
		set("invalid", strconv.FormatBool(*q.Invalid))
	}
	set("priority_from", strconv.Itoa(q.PriorityFrom))
	set("priority_to", strconv.Itoa(q.PriorityTo))
	decimal := func(name string, n float64) { set(name, strconv.FormatFloat(n, 'f', -1, 64)) }
	decimal("confidence_from", q.ConfidenceFrom)
	decimal("confidence_below", q.ConfidenceBelow)
	decimal("older_hours", q.OlderHours)
	decimal("younger_hours", q.YoungerHours)
	if q.Sort != coding.SortPriority {
		set("sort", string(q.Sort))
	}
	return v
}

func given(v url.Values, name string) []string {
	var out []string
	for _, x := range v[name] {
		if x != "" {
			out = append(out, x)
		}
	}
	return out
}

// kept gives the named parameters that are set, each once.
func kept(v url.Values, names ...string) url.Values {
	out := url.Values{}
	for _, name := range names {
		if x := v.Get(name); x != "" {
			out.Set(name, x)
		}
	}
	return out
}

// scopeOf is the part of a list's parameters within which somebody works from
// item to item.
func scopeOf(v url.Values) url.Values { return kept(v, filterNames...) }
