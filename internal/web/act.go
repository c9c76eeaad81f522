package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// maxForm is the size of the largest form of an item's page, in bytes.
const maxForm = 64 << 10

// The acts of the page that are no decisions.
const (
	actRelease = "release"
	actHold    = "hold"
	actQuery   = "query"
	actResume  = "resume"
)

// act takes the forms of the item's page.
func (s *server) act(w http.ResponseWriter, r *http.Request, u coding.User) {
	id, ok := itemID(r)
	if !ok {
		s.notFound(w, r, u)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.showItem(w, r, u, &refusedAct{err: review.ErrInput, status: http.StatusBadRequest, at: -1})
		return
	}
	f := r.PostForm
	switch kind := f.Get("kind"); kind {
	case actRelease, actHold, actQuery, actResume:
		s.wait(w, r, u, id, kind, f.Get("reason"))
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
		refused.focus, refused.typed = "change-"+f.Get("at"), f.Get("to")
	}
	out, err := s.Review.Decide(r.Context(), u, id, refused.act)
	if err != nil {
		s.actRefused(w, r, u, err, refused)
		return
	}
	if refused.act.Kind == coding.Finish {
		s.goNext(w, r, u, id, "finished")
		return
	}
	at := strconv.Itoa(nextAt(out, refused.at))
	to := scopeOf(r.URL.Query())
	to.Set("at", at)
	http.Redirect(w, r, itemPath(id, to)+"#code-"+at, http.StatusSeeOther)
}

// formAct reads a decision from a form. The content is what tells a decision
// on changed suggestions, so a form without it is refused.
func formAct(f url.Values) (review.Act, error) {
	content, err := strconv.ParseInt(f.Get("content"), 10, 64)
	if err != nil || content < 1 {
		return review.Act{}, review.ErrInput
	}
	a := review.Act{
		Kind: coding.DecisionKind(f.Get("kind")), Key: f.Get("key"), Content: content,
		Code:   coding.CodeKey{System: coding.System(f.Get("system")), Code: f.Get("code")},
		Reason: strings.TrimSpace(f.Get("reason")), Confirm: f.Get("confirm") == "true",
	}
	switch a.Kind {
	case coding.Accept, coding.Reject, coding.Undo, coding.Redo, coding.Finish, coding.Reopen:
	case coding.Add:
		a.Code.Code = typedCode(a.Code.System, a.Code.Code)
	case coding.Modify:
		a.To = coding.CodeKey{System: a.Code.System, Code: typedCode(a.Code.System, f.Get("to"))}
	case coding.Override:
		a.Rule, a.Codes, a.Code = f.Get("rule"), f["codes"], coding.CodeKey{}
	default:
		return review.Act{}, review.ErrInput
	}
	return a, nil
}

// typedCode is a code as it is written, from what somebody typed: without
// spaces, in capitals, an ICD-10-CM code with its dot.
func typedCode(system coding.System, typed string) string {
	code := strings.ToUpper(strings.Join(strings.Fields(typed), ""))
	if system == coding.ICD10CM && !strings.Contains(code, ".") {
		code = coding.DotCode(code)
	}
	return code
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

// wait carries out the acts that are no decisions.
func (s *server) wait(w http.ResponseWriter, r *http.Request, u coding.User, id int64, kind, reason string) {
	reason = strings.TrimSpace(reason)
	var err error
	switch kind {
	case actRelease:
		err = s.Review.Release(r.Context(), u, id)
	case actHold:
		err = s.Review.Hold(r.Context(), u, id, reason)
	case actQuery:
		err = s.Review.Query(r.Context(), u, id, reason)
	case actResume:
		err = s.Review.Resume(r.Context(), u, id)
	}
	scope := scopeOf(r.URL.Query())
	switch {
	case err != nil:
		s.actRefused(w, r, u, err, &refusedAct{at: -1, typed: reason})
	case kind == actResume:
		http.Redirect(w, r, itemPath(id, scope), http.StatusSeeOther)
	case kind == actRelease:
		scope.Set("done", "released")
		http.Redirect(w, r, "/?"+scope.Encode(), http.StatusSeeOther)
	case kind == actHold:
		s.goNext(w, r, u, id, "held")
	default:
		s.goNext(w, r, u, id, "queried")
	}
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
		errors.Is(err, review.ErrState), errors.Is(err, review.ErrNothing), errors.Is(err, review.ErrKeyReused), errors.Is(err, review.ErrAlready):
		return http.StatusConflict, true
	}
	return 0, false
}
