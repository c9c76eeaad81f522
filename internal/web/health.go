package web

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Probes routes /healthz and, when ready is there, /readyz: also for a process
// without pages.
//
// /healthz is 200 when the process serves and reaches what it cannot do without,
// the database; /readyz only when suggestions can be made. Both hold what every
// part is like.
func Probes(mux *http.ServeMux, version string, alive func(ctx context.Context) error, ready func(ctx context.Context) Readiness) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { healthz(w, r, version, alive) })
	if ready != nil {
		mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { readyz(w, r, ready) })
	}
}

func healthz(w http.ResponseWriter, r *http.Request, version string, alive func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	if alive != nil {
		if err := alive(ctx); err != nil {
			writeJSON(w, http.StatusServiceUnavailable, map[string]any{"ok": false, "reason": "the database does not answer"})
			return
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"ok": true, "version": version})
}

func readyz(w http.ResponseWriter, r *http.Request, is func(ctx context.Context) Readiness) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	ready := is(ctx)
	status := http.StatusOK
	body := map[string]any{"ready": ready.Ready, "code_set": ready.CodeSet}
	if !ready.Ready {
		status = http.StatusServiceUnavailable
		body["reason"] = ready.Reason
	}
	if len(ready.Parts) > 0 {
		parts := map[string]any{}
		for _, p := range ready.Parts {
			part := map[string]any{"ok": p.OK}
			if !p.OK {
				part["reason"] = p.Reason
			}
			parts[p.Name] = part
		}
		body["parts"] = parts
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
