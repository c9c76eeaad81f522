package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// Headers that the pages' script sends: for whom the page was made, and the
// prints of the notes and of the codes that it has, so that they need not be sent
// again.
const (
	loginHeader = "Chartcode-Login"
	haveHeader  = "Chartcode-Have"
	codesHeader = "Chartcode-Codes"
)

// act takes the forms of the item's page.
func (s *server) act(w http.ResponseWriter, r *http.Request, u coding.User) {
	id, ok := itemID(r)
	if !ok {
		s.notFound(w, r, u)
		return
	}
	if err := readForm(w, r, maxForm); err != nil {
		s.showItem(w, r, u, &refusedAct{err: review.ErrInput, status: http.StatusBadRequest, at: -1})
		return
	}
	f := r.PostForm
	// A page that was left open must not act for who signed in after its user.
	if by := r.Header.Get(loginHeader); by != "" && by != u.Login {
		s.render(w, withUser(r, u), http.StatusForbidden, "message", messageView{
			Title: "Somebody else has signed in", Text: "Nothing was done: in this browser " + plain(u.Name) + " has signed in meanwhile. Sign in again under your own name.",
		})
		return
	}
	if noDecision(f.Get("kind")) {
		s.wait(w, r, u, id, f)
		return
	}
	refused := &refusedAct{at: number(f.Get("at"))}
	var err error
	if refused.act, err = formAct(f); err != nil {
		refused.err, refused.status = err, http.StatusUnprocessableEntity
		s.showItem(w, r, u, refused)
		return
	}
	switch refused.act.Kind {
	case coding.Add:
		refused.focus, refused.typed = "add-code", f.Get("code")
	case coding.Modify:
		refused.focus, refused.typed = changeField(number(f.Get("at"))), f.Get("to")
	case coding.Reorder:
		_, refused.at, _ = movedPlaces(f)
	}
	out, err := s.Review.Decide(r.Context(), u, id, refused.act)
	if err != nil {
		s.actRefused(w, r, u, err, refused)
		return
	}
	if refused.act.Kind == coding.Finish {
		s.goNext(w, r, u, id, "finished", nextKey(f.Get("key")))
		return
	}
	at := strconv.Itoa(nextAt(out, refused.at))
	to := scopeOf(r.URL.Query())
	to.Set("at", at)
	http.Redirect(w, r, itemPath(id, to)+"#code-"+at, http.StatusSeeOther)
}

// nextAt is the code to look at after an act: after a decision on a code the
// next undecided one, after an addition, undo or redo the code that it was
// about, else the one that was looked at.
func nextAt(out review.Outcome, at int) int {
	codes, d := out.Item.Codes, out.Decision
	about := slices.IndexFunc(codes, func(c review.Code) bool {
		return c.CodeKey == coding.CodeKey{System: d.System, Code: d.Code}
	})
	switch {
	case about < 0 && (at < 0 || at >= len(codes)):
		return max(firstUndecided(out.Item, 0), 0)
	case about < 0:
		return at
	case d.Kind == coding.Accept || d.Kind == coding.Reject || d.Kind == coding.Modify:
		if k := firstUndecided(out.Item, (about+1)%len(codes)); codes[k].State == review.Undecided {
			return k
		}
	}
	return about
}

func (s *server) actRefused(w http.ResponseWriter, r *http.Request, u coding.User, err error, refused *refusedAct) {
	status, ok := refusal(err)
	switch {
	case !ok:
		s.fail(w, r, err)
	case status == http.StatusForbidden:
		s.refuse(w, r, u)
	default:
		refused.err, refused.status = err, status
		s.showItem(w, r, u, refused)
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
	case errors.Is(err, review.ErrInput), errors.Is(err, review.ErrNoCode), errors.Is(err, review.ErrUnknown), errors.Is(err, review.ErrMustGo), errors.Is(err, review.ErrTooLow):
		return http.StatusUnprocessableEntity, true
	case errors.As(err, &claimed), errors.As(err, &unready), errors.Is(err, review.ErrChanged), errors.Is(err, review.ErrFinished),
		errors.Is(err, review.ErrState), errors.Is(err, review.ErrNothing), errors.Is(err, review.ErrBlind), errors.Is(err, review.ErrKeyReused), errors.Is(err, review.ErrAlready):
		return http.StatusConflict, true
	}
	return 0, false
}
