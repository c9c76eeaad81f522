package web

import (
	"net/http"

	"chartcode/internal/coding"
)

// routes names every path. Paths of pages and API are public contracts.
func (s *server) routes() {
	s.mux.HandleFunc("GET /sign-in", s.signInForm)
	s.mux.HandleFunc("POST /sign-in", s.signIn)
	s.mux.HandleFunc("POST /sign-out", s.page(s.signOut))

	s.mux.HandleFunc("GET /{$}", s.page(s.worklist))
	s.mux.HandleFunc("POST /next", s.page(s.next))
	s.mux.HandleFunc("GET /items/{id}", s.page(s.item))
	s.mux.HandleFunc("POST /items/{id}/act", s.page(s.act))
	s.mux.HandleFunc("GET /", s.page(s.notFound))

	s.mux.HandleFunc("GET /healthz", s.healthz)
	if s.Ready != nil {
		s.mux.HandleFunc("GET /readyz", s.readyz)
	}
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
