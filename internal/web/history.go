package web

import (
	"errors"
	"net/http"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

type historyView struct {
	ID     int64
	Events []review.Event
	Scope  string
}

// Query leads back to the item with the worklist that the user works through.
func (v historyView) Query() string { return asQuery(v.Scope) }

// timeline shows all that ever happened to an item; its own page shows the latest,
// and looks of one person in a row as one.
func (s *server) timeline(w http.ResponseWriter, r *http.Request, u coding.User) {
	id, ok := itemID(r)
	if !ok {
		s.notFound(w, r, u)
		return
	}
	events, err := s.Review.Timeline(r.Context(), u, id)
	if err != nil {
		s.itemRefused(w, r, u, err)
		return
	}
	s.render(w, withUser(r, u), http.StatusOK, "history", historyView{id, events, scopeOf(r.URL.Query()).Encode()})
}

// itemRefused answers for an item that cannot be shown.
func (s *server) itemRefused(w http.ResponseWriter, r *http.Request, u coding.User, err error) {
	switch {
	case errors.Is(err, review.ErrNotFound):
		s.notFound(w, r, u)
	case errors.Is(err, review.ErrForbidden):
		s.refuse(w, r, u)
	case errors.Is(err, review.ErrBlind):
		s.render(w, withUser(r, u), http.StatusConflict, "message", messageView{Title: "You are coding this encounter blind", Text: sentence(err)})
	default:
		s.fail(w, r, err)
	}
}
