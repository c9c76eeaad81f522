package web

import (
	"net/http"
	"runtime/debug"
	"time"
)

// csp allows the page's own style sheet and script and nothing else.
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secured sets what every answer carries.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store") // pages hold patients' notes
		next.ServeHTTP(w, r)
	})
}

// recorder remembers the status for the log.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// logged writes one line for each request: the route's pattern, not the path,
// since paths and queries may hold identifiers. A panic becomes a 500 without
// its value, which may hold anything.
func (s *server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w}
		began := time.Now()
		s.Observe.Began()
		r, span := s.traced(r)
		defer func() {
			if v := recover(); v != nil {
				if v == http.ErrAbortHandler { //nolint:errorlint // compared as net/http does: it is never wrapped
					panic(v)
				}
				s.Logger.ErrorContext(r.Context(), "a request failed unexpectedly", "route", r.Pattern, "stack", frames(debug.Stack()))
				if rec.status == 0 && isAPI(r) {
					apiFail(rec, http.StatusInternalServerError, "internal", "Something went wrong here. It was logged; try again.")
				} else if rec.status == 0 {
					http.Error(rec, "Something went wrong here. It was logged; try again.", http.StatusInternalServerError)
				}
			}
			s.ended(r, span, rec.status, time.Since(began))
			level := s.Logger.DebugContext
			if rec.status >= 500 && rec.status != http.StatusServiceUnavailable {
				level = s.Logger.WarnContext
			}
			level(r.Context(), "request", "method", r.Method, "route", r.Pattern, "status", rec.status, "ms", time.Since(began).Milliseconds())
		}()
		next.ServeHTTP(rec, r)
	})
}
