package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

type choice struct {
	Value, Label string
	Count        int
	Current      bool
}

type stateChoice struct {
	choice
	Href string
}

type worklistView struct {
	Message                               string
	MayReview, Filtered                   bool
	Notes, Total                          int
	State                                 string
	States                                []stateChoice
	Settings, Sources, Specialties, Sorts []choice
	SortLabel                             string
	Items                                 []coding.ItemHead
	Next                                  string
}

// stateNames are the tabs of the worklist, in the order in which they stand.
var stateNames = []coding.ItemState{coding.ItemOpen, coding.ItemClaimed, coding.ItemHeld, coding.ItemQueried, coding.ItemFinished}

var sortNames = []choice{
	{Value: string(coding.SortPriority), Label: "by priority, oldest first"},
	{Value: string(coding.SortOldest), Label: "oldest first"},
	{Value: string(coding.SortNewest), Label: "newest first"},
	{Value: string(coding.SortUpdated), Label: "last changed first"},
}

// worklistQuery reads the filters of a worklist's address. The values of
// filters that no item has find nothing, which is right.
func worklistQuery(v url.Values) coding.WorklistQuery {
	q := coding.WorklistQuery{Cursor: v.Get("cursor"), Sort: coding.SortPriority}
	state := coding.ItemState(v.Get("state"))
	if !slices.Contains(stateNames, state) {
		state = coding.ItemOpen
	}
	q.States = []coding.ItemState{state}
	if x := coding.Setting(v.Get("setting")); x.Valid() {
		q.Settings = []coding.Setting{x}
	}
	if x := v.Get("source"); x != "" {
		q.Sources = []string{x}
	}
	if x := v.Get("specialty"); x != "" {
		q.Specialties = []string{x}
	}
	for _, s := range sortNames {
		if s.Value == v.Get("sort") {
			q.Sort = coding.WorklistSort(s.Value)
		}
	}
	return q
}

func (s *server) worklist(w http.ResponseWriter, r *http.Request, u coding.User) {
	values := r.URL.Query()
	q := worklistQuery(values)
	page, err := s.Review.Worklist(r.Context(), q)
	if errors.Is(err, review.ErrInput) {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	counts, err := s.Review.Counts(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v := worklistView{
		MayReview: u.Role.MayReview(), State: string(q.States[0]), Items: page.Items, Notes: counts.Notes,
		Settings: choices(counts.Settings, values.Get("setting")), Sources: choices(counts.Sources, values.Get("source")),
		Specialties: choices(counts.Specialties, values.Get("specialty")),
		Filtered:    len(q.Settings)+len(q.Sources)+len(q.Specialties) > 0,
	}
	for _, name := range stateNames {
		href := cloneValues(values)
		href.Del("cursor")
		href.Set("state", string(name))
		v.States = append(v.States, stateChoice{choice{Label: string(name), Count: counts.States[name], Current: name == q.States[0]}, "/?" + href.Encode()})
		v.Total += counts.States[name]
	}
	for _, c := range sortNames {
		c.Current = c.Value == string(q.Sort)
		if c.Current {
			v.SortLabel = c.Label
		}
		v.Sorts = append(v.Sorts, c)
	}
	if page.Next != "" {
		next := cloneValues(values)
		next.Set("cursor", page.Next)
		v.Next = "/?" + next.Encode()
	}
	if values.Get("done") == "all" {
		v.Message = "No open item is left. Well done."
	}
	s.render(w, withUser(r, u), http.StatusOK, "worklist", v)
}

// choices offers the values that items have, the chosen one marked.
func choices(values []coding.ValueCount, chosen string) []choice {
	var out []choice
	for _, c := range values {
		if c.Value != "" {
			out = append(out, choice{Value: c.Value, Label: c.Value, Count: c.Count, Current: c.Value == chosen})
		}
	}
	return out
}

func cloneValues(v url.Values) url.Values {
	out := url.Values{}
	for _, name := range []string{"state", "setting", "source", "specialty", "sort"} {
		if x := v.Get(name); x != "" {
			out.Set(name, x)
		}
	}
	return out
}

// next takes the next open item for the user and goes there.
func (s *server) next(w http.ResponseWriter, r *http.Request, u coding.User) {
	s.goNext(w, r, u)
}

func (s *server) goNext(w http.ResponseWriter, r *http.Request, u coding.User, except ...int64) {
	id, err := s.Review.Next(r.Context(), u, coding.WorklistQuery{Sort: coding.SortPriority}, except...)
	switch {
	case errors.Is(err, review.ErrNoneLeft):
		http.Redirect(w, r, "/?done=all", http.StatusSeeOther)
	case errors.Is(err, review.ErrForbidden):
		s.refuse(w, r, u)
	case err != nil:
		s.fail(w, r, err)
	default:
		http.Redirect(w, r, "/items/"+strconv.FormatInt(id, 10), http.StatusSeeOther)
	}
}

func (s *server) refuse(w http.ResponseWriter, r *http.Request, u coding.User) {
	s.render(w, withUser(r, u), http.StatusForbidden, "message", messageView{
		Title: "Not with your role", Text: "Coders and administrators review items. Ask an administrator if you should be one of them.",
	})
}
