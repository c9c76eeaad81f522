package web

import (
	"errors"
	"net/http"
	"net/url"

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
	DegradedOnly, InvalidOnly             bool
	Notes, Total, Waiting                 int
	State                                 string
	States                                []stateChoice
	Settings, Sources, Specialties, Sorts []choice
	SortLabel                             string
	Items                                 []coding.ItemHead
	Mine                                  []coding.ItemHead // what the user holds
	Scope                                 string            // goes with a link or form to an item or the next one
	First, Next                           string            // links to other pages of the list; empty: none
}

// Query is the scope as a query to append to a path.
func (v worklistView) Query() string { return asQuery(v.Scope) }

func asQuery(encoded string) string {
	if encoded == "" {
		return ""
	}
	return "?" + encoded
}

// minePage is how many items a user can hold before the list is cut.
const minePage = 10

func (s *server) worklist(w http.ResponseWriter, r *http.Request, u coding.User) {
	values := r.URL.Query()
	q, _ := filterQuery(values) // what cannot be restricts nothing
	if len(q.States) != 1 {
		q.States = []coding.ItemState{coding.ItemOpen}
	}
	page, err := s.Review.Worklist(r.Context(), q)
	if errors.Is(err, review.ErrInput) {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	counts, err := s.Review.Counts(r.Context(), u)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	scope := scopeOf(values)
	v := worklistView{
		MayReview: u.Role.MayReview(), State: string(q.States[0]), Items: page.Items, Notes: counts.Notes,
		Settings: choices(counts.Settings, values.Get("setting")), Sources: choices(counts.Sources, values.Get("source")),
		Specialties: choices(counts.Specialties, values.Get("specialty")), DegradedOnly: q.Degraded != nil && *q.Degraded, InvalidOnly: q.Invalid != nil && *q.Invalid,
		Filtered: len(scope) > 0, Scope: scope.Encode(), Waiting: counts.States[coding.ItemOpen],
	}
	if v.MayReview {
		mine, err := s.Review.Worklist(r.Context(), coding.WorklistQuery{States: []coding.ItemState{coding.ItemClaimed}, Holder: u.Login, Limit: minePage})
		if err != nil {
			s.fail(w, r, err)
			return
		}
		v.Mine = mine.Items
	}
	link := func(name, value string) string {
		to := kept(values, append([]string{"state", "sort"}, filterNames...)...)
		if value != "" {
			to.Set(name, value)
		}
		return "/" + asQuery(to.Encode())
	}
	for _, name := range stateNames {
		v.States = append(v.States, stateChoice{choice{Label: string(name), Count: counts.States[name], Current: name == q.States[0]}, link("state", string(name))})
		v.Total += counts.States[name]
	}
	for _, c := range sortNames {
		c.Current = c.Value == string(q.Sort)
		if c.Current {
			v.SortLabel = c.Label
		}
		v.Sorts = append(v.Sorts, c)
	}
	if q.Cursor != "" {
		v.First = link("cursor", "")
	}
	if page.Next != "" {
		v.Next = link("cursor", page.Next)
	}
	v.Message = doneText(values.Get("done"), v.Filtered)
	s.render(w, withUser(r, u), http.StatusOK, "worklist", v)
}

// doneText is said to somebody whom going on led back to the worklist.
func doneText(done string, filtered bool) string {
	where := "No open item is left."
	if filtered {
		where = "No open item is left that fits your filters."
	}
	switch done {
	case "last":
		return "That was the last one. " + where
	case "none":
		return where
	case "released":
		return "The item is back in the list."
	}
	return ""
}

// choices offers the values that items have, the chosen one marked, even when
// no unfinished item has it.
func choices(values []coding.ValueCount, chosen string) []choice {
	var out []choice
	found := chosen == ""
	for _, c := range values {
		if c.Value != "" {
			out = append(out, choice{Value: c.Value, Label: plain(c.Value), Count: c.Count, Current: c.Value == chosen})
			found = found || c.Value == chosen
		}
	}
	if !found {
		out = append(out, choice{Value: chosen, Label: plain(chosen), Current: true})
	}
	return out
}

// next takes the next open item for the user and goes there.
func (s *server) next(w http.ResponseWriter, r *http.Request, u coding.User) {
	s.goNext(w, r, u, 0, "")
}

// goNext goes to the next item within the scope of the request. Left is the
// item that the user comes from, 0 for none, and how says what became of it.
func (s *server) goNext(w http.ResponseWriter, r *http.Request, u coding.User, left int64, how string) {
	scope := scopeOf(r.URL.Query())
	q, _ := filterQuery(scope)
	id, err := s.Review.Next(r.Context(), u, q)
	to := url.Values{}
	for name, values := range scope {
		to[name] = values
	}
	switch {
	case errors.Is(err, review.ErrNoneLeft):
		to.Set("done", "none")
		if left != 0 {
			to.Set("done", "last")
		}
		http.Redirect(w, r, "/?"+to.Encode(), http.StatusSeeOther)
	case errors.Is(err, review.ErrForbidden):
		s.refuse(w, r, u)
	case err != nil:
		s.fail(w, r, err)
	default:
		if left != 0 {
			to.Set(how, formatID(left))
		}
		http.Redirect(w, r, itemPath(id, to), http.StatusSeeOther)
	}
}

func (s *server) refuse(w http.ResponseWriter, r *http.Request, u coding.User) {
	s.render(w, withUser(r, u), http.StatusForbidden, "message", messageView{
		Title: "Not with your role", Text: "Coders and administrators review items. Ask an administrator if you should be one of them.",
	})
}
