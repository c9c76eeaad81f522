package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

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
	Rankers, Coders                       []choice
	Priorities, Ages, Confidences         []choice
	More                                  bool // a filter that is folded away is set
	Saved                                 []savedView
	Listed                                string // all that chooses the list, to be saved
	ForMe, ForMeHere                      int    // items that wait for the user; ForMeHere: 1 when the list is of those
	ForMeHref                             string
	OpenQueries                           int
	Problem                               string
	SortLabel                             string
	Items                                 []coding.ItemHead
	Mine                                  []coding.ItemHead // what the user holds
	Scope                                 string            // goes with a link or form to an item or the next one
	First, Next                           string            // links to other pages of the list; empty: none
}

// savedView is a list that somebody saved.
type savedView struct {
	coding.SavedFilter
	Href    string
	Current bool
	Mine    bool // the user may remove it
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
	saved, err := s.Review.Filters(r.Context(), u)
	if err != nil {
		s.fail(w, r, err)
		return
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
		Filtered: len(scope) > 0 || q.SentTo != "", Scope: scope.Encode(), Waiting: counts.States[coding.ItemOpen],
		ForMe: counts.ForMe, ForMeHref: "/?" + url.Values{"sent_to": {u.Login}}.Encode(), OpenQueries: counts.OpenQueries,
		Rankers:    choices(counts.Rankers, values.Get("ranker")),
		Priorities: pickFrom(values.Get("priority_from"), choice{Value: "7", Label: "7 to 9, urgent"}, choice{Value: "5", Label: "5 or higher"}),
		Ages: pickFrom(values.Get("older_hours"), choice{Value: "4", Label: "over 4 hours"}, choice{Value: "24", Label: "over a day"},
			choice{Value: "72", Label: "over 3 days"}, choice{Value: "168", Label: "over a week"}),
		Confidences: pickFrom(values.Get("confidence_below"), choice{Value: "0.35", Label: "unsure"}, choice{Value: "0.6", Label: "possible or less"},
			choice{Value: "0.85", Label: "likely or less"}),
		Listed: kept(values, append(slices.Clone(listNames), filterNames...)...).Encode(),
	}
	if q.SentTo == u.Login {
		v.ForMeHere = 1
	}
	for _, name := range []string{"ranker", "coder", "degraded", "invalid", "priority_from", "older_hours", "confidence_below"} {
		v.More = v.More || values.Get(name) != ""
	}
	if v.Coders, err = s.coders(r, u, values.Get("coder")); err != nil {
		s.fail(w, r, err)
		return
	}
	for _, f := range saved {
		to := filterValues(f.Query).Encode()
		v.Saved = append(v.Saved, savedView{SavedFilter: f, Href: "/" + asQuery(to), Current: to != "" && to == v.Listed,
			Mine: f.Owner == u.Login || f.Shared && (u.Role == coding.RoleManager || u.Role == coding.RoleAdmin)})
	}
	switch values.Get("problem") {
	case "filter":
		v.Problem = "The list was not saved: give it a name of at most 80 characters."
	case "gone":
		v.Problem = "This saved list is not there any more, or is not yours to remove."
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
		to := kept(values, append(slices.Clone(listNames), filterNames...)...)
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

// pickFrom marks the chosen one of fixed choices; another value is offered too.
func pickFrom(chosen string, from ...choice) []choice {
	known := chosen == ""
	for i := range from {
		from[i].Current = from[i].Value == chosen
		known = known || from[i].Current
	}
	if !known {
		from = append(from, choice{Value: chosen, Label: plain(chosen), Current: true})
	}
	return from
}

// coders are those by whom items can have been decided on: all that may review.
func (s *server) coders(r *http.Request, u coding.User, chosen string) ([]choice, error) {
	people, err := s.Review.Colleagues(r.Context(), u)
	if err != nil {
		return nil, err
	}
	out := []choice{{Value: u.Login, Label: plain(u.Name)}}
	for _, p := range people {
		if p.Role.MayReview() {
			out = append(out, choice{Value: p.Login, Label: plain(p.Name)})
		}
	}
	return pickFrom(chosen, out...), nil
}

// saveFilter saves a list as it is shown under a name.
func (s *server) saveFilter(w http.ResponseWriter, r *http.Request, u coding.User) {
	_ = readForm(w, r, maxForm) // what cannot be read is an empty name, which is refused
	values, _ := url.ParseQuery(r.PostForm.Get("list"))
	values = kept(values, append(slices.Clone(listNames), filterNames...)...)
	q, _ := filterQuery(values)
	_, err := s.Review.SaveFilter(r.Context(), u, r.PostForm.Get("name"), r.PostForm.Get("shared") == "true", q)
	switch {
	case errors.Is(err, review.ErrInput):
		values.Set("problem", "filter")
	case err != nil:
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/"+asQuery(values.Encode()), http.StatusSeeOther)
}

func (s *server) deleteFilter(w http.ResponseWriter, r *http.Request, u coding.User) {
	id, _ := itemID(r)
	err := s.Review.DeleteFilter(r.Context(), u, id)
	switch {
	case errors.Is(err, review.ErrNotFound):
		http.Redirect(w, r, "/?problem=gone", http.StatusSeeOther)
	case err != nil:
		s.fail(w, r, err)
	default:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// next takes the next open item for the user and goes there.
func (s *server) next(w http.ResponseWriter, r *http.Request, u coding.User) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	s.goNext(w, r, u, 0, "", r.PostFormValue("key"))
}

// nextKey is for taking the next item after an act: the act's own key is used up.
func nextKey(key string) string {
	if key == "" {
		return ""
	}
	return key + " next"
}

// goNext goes to the next item within the scope of the request. Left is the
// item that the user comes from, 0 for none, and how says what became of it. With a
// key, which may be empty, it leads to the same item when it is asked again.
func (s *server) goNext(w http.ResponseWriter, r *http.Request, u coding.User, left int64, how, key string) {
	scope := scopeOf(r.URL.Query())
	q, _ := filterQuery(scope)
	id, err := s.Review.Next(r.Context(), u, q, key)
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
	case errors.Is(err, review.ErrInput): // a key that is none
		s.render(w, withUser(r, u), http.StatusBadRequest, "message", messageView{Title: "Not carried out", Text: "This could not be understood. Go back to the worklist and take the next item there."})
	case errors.Is(err, review.ErrKeyReused):
		s.render(w, withUser(r, u), http.StatusConflict, "message", messageView{Title: "Not carried out", Text: "Something else was sent with the same key. Go back to the worklist and take the next item there."})
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
