package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

type noteView struct {
	review.Note
	Pieces []piece
}

type codeView struct {
	review.Code
	Index int
}

type itemView struct {
	Item           review.Item
	Notes          []noteView
	Codes          []codeView
	Notices        []coding.Notice // those of the notes, each once
	Error, Message string
	Confirm        bool // finishing was refused once and may be confirmed
}

// newItemView works out where each code's evidence lies in the notes.
func newItemView(item review.Item) itemView {
	v := itemView{Item: item}
	marks := map[string][]mark{}
	for i, c := range item.Codes {
		v.Codes = append(v.Codes, codeView{Code: c, Index: i})
		for _, e := range c.Evidence {
			id := e.NoteID
			if id == "" && len(item.Notes) == 1 {
				id = item.Notes[0].NoteID
			}
			marks[id] = append(marks[id], mark{Span: e.Span, code: i})
		}
	}
	seen := map[coding.Notice]bool{}
	for _, n := range item.Notes {
		v.Notes = append(v.Notes, noteView{Note: n, Pieces: cut(n.Text, marks[n.NoteID])})
		for _, notice := range n.Notices {
			if !seen[notice] {
				seen[notice] = true
				v.Notices = append(v.Notices, notice)
			}
		}
	}
	return v
}

func itemID(r *http.Request) (int64, bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	return id, err == nil && id > 0
}

func (s *server) item(w http.ResponseWriter, r *http.Request, u coding.User) {
	s.showItem(w, r, u, http.StatusOK, nil)
}

// showItem shows an item; problem, unless nil, is why an act was refused.
func (s *server) showItem(w http.ResponseWriter, r *http.Request, u coding.User, status int, problem error) {
	id, ok := itemID(r)
	if !ok {
		s.notFound(w, r, u)
		return
	}
	item, err := s.Review.Item(r.Context(), u, id)
	switch {
	case errors.Is(err, review.ErrNotFound):
		s.notFound(w, r, u)
		return
	case errors.Is(err, review.ErrForbidden):
		s.refuse(w, r, u)
		return
	case err != nil:
		s.fail(w, r, err)
		return
	}
	v := newItemView(item)
	if problem != nil {
		v.Error = sentence(problem)
		var unready *review.UnreadyError
		v.Confirm = errors.As(problem, &unready) && len(unready.Blockers) == 0
	}
	s.render(w, withUser(r, u), status, "item", v)
}

// act takes the forms of the item's page.
func (s *server) act(w http.ResponseWriter, r *http.Request, u coding.User) {
	id, ok := itemID(r)
	if !ok {
		s.notFound(w, r, u)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		s.showItem(w, r, u, http.StatusBadRequest, review.ErrInput)
		return
	}
	content, err := strconv.ParseInt(r.PostFormValue("content"), 10, 64)
	if err != nil {
		s.showItem(w, r, u, http.StatusBadRequest, review.ErrInput)
		return
	}
	act := review.Act{
		Kind: coding.DecisionKind(r.PostFormValue("kind")), Key: r.PostFormValue("key"), Content: content,
		Code:   coding.CodeKey{System: coding.System(r.PostFormValue("system")), Code: r.PostFormValue("code")},
		Reason: strings.TrimSpace(r.PostFormValue("reason")), Confirm: r.PostFormValue("confirm") == "true",
	}
	switch act.Kind {
	case coding.Accept, coding.Reject, coding.Undo, coding.Redo, coding.Finish, coding.Reopen:
	default:
		s.showItem(w, r, u, http.StatusBadRequest, review.ErrInput)
		return
	}
	out, err := s.Review.Decide(r.Context(), u, id, act)
	if err != nil {
		s.actRefused(w, r, u, err)
		return
	}
	if act.Kind == coding.Finish {
		s.goNext(w, r, u, id)
		return
	}
	http.Redirect(w, r, "/items/"+strconv.FormatInt(id, 10)+nextUndecided(out.Item, r.PostFormValue("at")), http.StatusSeeOther)
}

// nextUndecided is the fragment of the code to look at next: the first
// undecided one after the one decided on, else before it.
func nextUndecided(item review.Item, at string) string {
	from, err := strconv.Atoi(at)
	if err != nil {
		return ""
	}
	for i := range item.Codes {
		k := (from + 1 + i) % len(item.Codes)
		if item.Codes[k].State == review.Undecided {
			return "#code-" + strconv.Itoa(k)
		}
	}
	return "#code-" + strconv.Itoa(from)
}

func (s *server) actRefused(w http.ResponseWriter, r *http.Request, u coding.User, err error) {
	status, ok := refusal(err)
	switch {
	case !ok:
		s.fail(w, r, err)
	case status == http.StatusForbidden:
		s.refuse(w, r, u)
	default:
		s.showItem(w, r, u, status, err)
	}
}

// refusal gives the status for an error of a review that its user can mend;
// ok is false for any other.
func refusal(err error) (status int, ok bool) {
	var claimed *review.ClaimedError
	var unready *review.UnreadyError
	switch {
	case errors.Is(err, review.ErrNotFound):
		return http.StatusNotFound, true
	case errors.Is(err, review.ErrForbidden):
		return http.StatusForbidden, true
	case errors.Is(err, review.ErrInput), errors.Is(err, review.ErrNoCode), errors.Is(err, review.ErrUnknown):
		return http.StatusUnprocessableEntity, true
	case errors.As(err, &claimed), errors.As(err, &unready), errors.Is(err, review.ErrChanged), errors.Is(err, review.ErrFinished),
		errors.Is(err, review.ErrState), errors.Is(err, review.ErrNothing), errors.Is(err, review.ErrKeyReused), errors.Is(err, review.ErrAlready):
		return http.StatusConflict, true
	}
	return 0, false
}
