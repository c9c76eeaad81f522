package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"chartcode/internal/coding"
)

const (
	// streamTime is how long a page is told changes before it has to ask anew,
	// which is when it is looked again whether its user is still signed in.
	streamTime = 5 * time.Minute
	// streamPulse keeps proxies from ending a stream on which nothing is said.
	streamPulse = 20 * time.Second
	streamWrite = 10 * time.Second // for a browser to take one line
)

// change is what a page is told: which item and how, never anything of its
// content. Version is there for the item that the page shows.
type change struct {
	Item    int64             `json:"item"`
	Kind    coding.SignalKind `json:"kind"`
	Version int64             `json:"version,omitempty"`
}

// events tells an open page what changes, as server-sent events: with ?item=
// of that item alone, else of all.
func (s *server) events(w http.ResponseWriter, r *http.Request, u coding.User) {
	if !u.Role.MayRead() {
		w.WriteHeader(http.StatusNoContent) // which tells browsers not to ask again
		return
	}
	only, _ := strconv.ParseInt(r.URL.Query().Get("item"), 10, 64)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	say := func(text string) bool {
		if out.SetWriteDeadline(time.Now().Add(streamWrite)) != nil {
			return false
		}
		_, err := w.Write([]byte(text))
		return err == nil && out.Flush() == nil
	}
	_ = out.SetReadDeadline(time.Time{}) // the time for reading a request would end it; where it cannot be set there is none
	signals := s.Changes.Subscribe(r.Context())
	s.Observe.Streams(1)
	defer s.Observe.Streams(-1)
	pulse := time.NewTicker(streamPulse)
	defer pulse.Stop()
	end := time.NewTimer(streamTime)
	defer end.Stop()
	if !say("retry: 1000\n\n") {
		return
	}
	for {
		line := ":\n\n"
		select {
		case <-s.Closing:
			return
		case <-end.C:
			return
		case <-pulse.C:
		case sig, open := <-signals:
			if !open {
				return
			}
			if only != 0 && sig.Kind != coding.SignalAll && sig.Item != only {
				continue
			}
			c := change{Item: sig.Item, Kind: sig.Kind}
			if only != 0 {
				version, found, err := s.Versions.ItemVersion(r.Context(), only)
				if err != nil || !found {
					return // the page asks anew
				}
				c.Version = version
			}
			data, err := json.Marshal(c)
			if err != nil {
				return
			}
			line = fmt.Sprintf("event: change\ndata: %s\n\n", data)
		}
		if !say(line) {
			return
		}
	}
}

// who says who is signed in, for a page that was open when its session ended.
func (s *server) who(w http.ResponseWriter, _ *http.Request, u coding.User) {
	writeJSON(w, http.StatusOK, map[string]string{"login": u.Login})
}

// renew lets the user's claim on an item last longer.
func (s *server) renew(w http.ResponseWriter, r *http.Request, u coding.User) {
	id, ok := itemID(r)
	if !ok {
		s.notFound(w, r, u)
		return
	}
	if _, err := s.Review.Renew(r.Context(), u, id); err != nil {
		status, known := refusal(err)
		if !known {
			s.Logger.Error("a claim could not be renewed", "error", err)
			status = http.StatusServiceUnavailable
		}
		w.WriteHeader(status)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
