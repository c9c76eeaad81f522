package web

import (
	"net/http"
	"strconv"

	"chartcode/internal/coding"
)

// routes names every path. Paths of pages and API are public contracts.
func (s *server) routes() {
	s.mux.HandleFunc("GET /static/{file}", s.static)

	s.mux.HandleFunc("GET /sign-in", s.signInForm)
	s.mux.HandleFunc("POST /sign-in", s.signIn)
	s.mux.HandleFunc("POST /sign-out", s.page(s.signOut))

	s.mux.HandleFunc("GET /{$}", s.page(s.worklist))
	s.mux.HandleFunc("POST /next", s.page(s.next))
	s.mux.HandleFunc("GET /items/{id}", s.page(s.item))
	s.mux.HandleFunc("POST /items/{id}/act", s.page(s.act))
	s.mux.HandleFunc("GET /items/{id}/act", s.page(s.backToItem))
	s.mux.HandleFunc("POST /items/{id}/renew", s.page(s.renew))
	s.mux.HandleFunc("GET /items/{id}/timeline", s.page(s.timeline))
	s.mux.HandleFunc("POST /filters", s.page(s.saveFilter))
	s.mux.HandleFunc("POST /filters/{id}/delete", s.page(s.deleteFilter))
	s.mux.HandleFunc("GET /session", s.page(s.who))
	if s.Changes != nil && s.Versions != nil {
		s.mux.HandleFunc("GET /events", s.stream(s.events))
	}
	if s.Codes != nil {
		s.mux.HandleFunc("POST /codes/find", s.page(s.find))
		s.mux.HandleFunc("GET /codes", s.page(s.codes))
		s.mux.HandleFunc("GET /codes/{system}/{code}", s.page(s.code))
	}
	s.qaRoutes()
	s.throughputRoutes()
	s.mux.HandleFunc("/", s.page(s.notFound)) // all methods, or it would conflict with /api/

	s.systemRoutes()
	Probes(s.mux, s.Version, s.Alive, s.Ready)
	if s.Metrics != nil {
		s.mux.Handle("GET /metrics", s.Metrics)
	}
	s.apiRoutes()
}

func (s *server) notFound(w http.ResponseWriter, r *http.Request, u coding.User) {
	s.render(w, withUser(r, u), http.StatusNotFound, "message", messageView{
		Title: "There is no such page", Text: "The address may be mistyped, or the page has gone.",
	})
}

// backToItem is for a reload of a page that answered an act.
func (s *server) backToItem(w http.ResponseWriter, r *http.Request, u coding.User) {
	id, ok := itemID(r)
	if !ok {
		s.notFound(w, r, u)
		return
	}
	http.Redirect(w, r, itemPath(id, scopeOf(r.URL.Query())), http.StatusSeeOther)
}

// crossOrigin answers for what another site made a browser send.
func (s *server) crossOrigin(w http.ResponseWriter, r *http.Request) {
	if isAPI(r) {
		apiFail(w, http.StatusForbidden, "cross_origin", "Browsers may send this from the site itself only.")
		return
	}
	s.render(w, r, http.StatusForbidden, "message", messageView{
		Title: "Not carried out", Text: "This request came from another site. Do what you wanted from a page of this one.",
	})
}

func itemPath(id int64, query interface{ Encode() string }) string {
	p := "/items/" + strconv.FormatInt(id, 10)
	if q := query.Encode(); q != "" {
		p += "?" + q
	}
	return p
}
