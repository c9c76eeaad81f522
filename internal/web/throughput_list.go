package web

import (
	"net/http"

	"chartcode/internal/coding"
	"chartcode/internal/throughput"
)

// figuresView is a page of what is behind a figure.
type figuresView struct {
	throughput.Entries
	Back, More string
	Waiting    bool // what it lists is not finished
	Notes      bool // it lists notes and not encounters
	Codes      bool // it counts codes
}

func (s *server) throughputList(w http.ResponseWriter, r *http.Request, u coding.User) {
	if !s.mayFigures(w, r, u) {
		return
	}
	query := r.URL.Query()
	l, ok := s.Figures.ListOf(query)
	if !ok {
		s.notFound(w, r, u)
		return
	}
	l.Filter = own(l.Filter, u)
	if !u.Role.SeesTeam() && !ofCoder(l.Of) {
		s.render(w, withUser(r, u), http.StatusForbidden, "message", messageView{
			Title: "Not for your role", Text: "This is of the whole team, and for managers and administrators.",
		})
		return
	}
	page, err := s.Figures.Entries(r.Context(), l, query.Get("after"))
	if err != nil {
		s.fail(w, withUser(r, u), err)
		return
	}
	v := figuresView{Entries: page, Back: "/throughput?" + l.Filter.Values().Encode()}
	switch l.Of {
	case coding.ListBacklog, coding.ListLate, coding.ListQueries:
		v.Waiting, v.Back = true, "/throughput"
	case coding.ListNotes, coding.ListSuggested, coding.ListDegraded:
		v.Notes = true
	case coding.ListAccepted, coding.ListModified, coding.ListRejected, coding.ListAdded:
		v.Codes = true
	}
	if page.Next != "" {
		q := l.Values()
		q.Set("after", page.Next)
		v.More = "/throughput/items?" + q.Encode()
	}
	s.render(w, withUser(r, u), http.StatusOK, "figures", v)
}

// ofCoder reports whether a list can be of one coder.
func ofCoder(l coding.ThroughputList) bool {
	switch l {
	case coding.ListFinished, coding.ListInTime, coding.ListTooLate, coding.ListReturned, coding.ListAccepted, coding.ListModified,
		coding.ListRejected, coding.ListAdded, coding.ListQueries:
		return true
	}
	return false
}

// Name is a coder's.
func (v figuresView) Name(login string) string {
	if n := v.Names[login]; n != "" {
		return n
	}
	return login
}
