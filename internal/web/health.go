package web

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// healthz says whether the process serves and reaches what it cannot do without.
func (s *server) healthz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	if s.Alive != nil {
		if err := s.Alive(ctx); err != nil {
			writeJSON(w, http.StatusServiceUnavailable, map[string]any{"ok": false, "reason": "the database does not answer"})
			return
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"ok": true, "version": s.Version})
}

// readyz is 200 only when suggestions can be made.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	ready := s.Ready(ctx)
	status := http.StatusOK
	body := map[string]any{"ready": ready.Ready, "code_set": ready.CodeSet}
	if !ready.Ready {
		status = http.StatusServiceUnavailable
		body["reason"] = ready.Reason
	}
	writeJSON(w, status, body)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(true)
	_ = enc.Encode(v) // the client went away: nobody is left to tell
}
