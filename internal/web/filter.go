package web

import (
	"net/url"
	"slices"
	"strconv"

	"chartcode/internal/coding"
)

// stateNames are the tabs of the worklist, in the order in which they stand.
var stateNames = []coding.ItemState{coding.ItemOpen, coding.ItemClaimed, coding.ItemHeld, coding.ItemQueried, coding.ItemFinished}

var sortNames = []choice{
	{Value: string(coding.SortPriority), Label: "by priority, oldest first"},
	{Value: string(coding.SortOldest), Label: "oldest first"},
	{Value: string(coding.SortNewest), Label: "newest first"},
	{Value: string(coding.SortUpdated), Label: "last changed first"},
}

// filterNames are the parameters that choose items whatever their state. Pages
// carry them along from worklist to item to the next item.
var filterNames = []string{"setting", "source", "specialty", "degraded", "invalid"}

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
	for _, x := range given(v, "sort") {
		if slices.ContainsFunc(sortNames, func(s choice) bool { return s.Value == x }) {
			q.Sort = coding.WorklistSort(x)
		} else {
			bad("sort")
		}
	}
	return q, wrong
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
