package web

import (
	"net/http"
	"net/url"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// The acts of the page that are no decisions.
const (
	actRelease  = "release"
	actHold     = "hold"
	actSkip     = "skip"
	actSend     = "send"
	actReturn   = "return"
	actQuery    = "query"
	actAnswer   = "answer"
	actWithdraw = "withdraw"
	actResume   = "resume"
)

// asideActs says what became of an item that an act of the page put aside; the
// other acts keep it on the page.
var asideActs = map[string]string{actHold: "held", actSkip: "skipped", actSend: "sent", actQuery: "queried"}

// noDecision reports whether a kind is an act that is no decision.
func noDecision(kind string) bool {
	switch kind {
	case actRelease, actHold, actSkip, actSend, actReturn, actQuery, actAnswer, actWithdraw, actResume:
		return true
	}
	return false
}

// wait carries out the acts that are no decisions.
func (s *server) wait(w http.ResponseWriter, r *http.Request, u coding.User, id int64, f url.Values) {
	kind, reason := f.Get("kind"), strings.TrimSpace(strings.ReplaceAll(f.Get("reason"), "\r\n", "\n"))
	if reason == "" {
		reason = strings.TrimSpace(f.Get("choice")) // one of a short list
	}
	ctx, key := r.Context(), f.Get("key")
	var err error
	switch kind {
	case actRelease:
		err = s.Review.Release(ctx, u, id, key)
	case actHold:
		err = s.Review.Hold(ctx, u, id, reason, key)
	case actSkip:
		err = s.Review.Skip(ctx, u, id, reason, key)
	case actSend:
		err = s.Review.Send(ctx, u, id, f.Get("to"), reason, key)
	case actReturn:
		err = s.Review.Return(ctx, u, id, reason, key)
	case actQuery:
		q := review.QueryRequest{To: coding.QueryTo(f.Get("to")), NoteID: f.Get("note"), Template: f.Get("template"), Text: reason, Key: key}
		if q.To == "" {
			q.To = coding.ToAttending
		}
		_, err = s.Review.Ask(ctx, u, id, q)
	case actAnswer:
		err = s.Review.Answer(ctx, u, id, number(f.Get("number")), reason, key)
	case actWithdraw:
		err = s.Review.Withdraw(ctx, u, id, number(f.Get("number")), reason, key)
	case actResume:
		err = s.Review.Resume(ctx, u, id, key)
	}
	scope := scopeOf(r.URL.Query())
	how, aside := asideActs[kind]
	switch {
	case err != nil:
		s.actRefused(w, r, u, err, &refusedAct{at: -1, focus: f.Get("focus"), typed: reason})
	case kind == actRelease:
		scope.Set("done", "released")
		http.Redirect(w, r, "/?"+scope.Encode(), http.StatusSeeOther)
	case aside && u.Role.MayReview():
		s.goNext(w, r, u, id, how, nextKey(key))
	default:
		http.Redirect(w, r, itemPath(id, scope), http.StatusSeeOther)
	}
}
