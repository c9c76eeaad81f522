package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/health"
	"chartcode/internal/system"
	"chartcode/internal/throughput"
)

// System is what administrators see of the running system and do about it;
// system.Service has these methods.
type System interface {
	Overview(ctx context.Context, u coding.User) (system.Overview, error)
	Pause(ctx context.Context, u coding.User, reason string) error
	Resume(ctx context.Context, u coding.User) error
	Replay(ctx context.Context, u coding.User, number uint64) error
}

func (s *server) systemRoutes() {
	if s.System == nil {
		return
	}
	s.mux.HandleFunc("GET /system", s.page(s.system))
	s.mux.HandleFunc("POST /system/intake", s.page(s.switchIntake))
	s.mux.HandleFunc("POST /system/deadletters/{number}/replay", s.page(s.replayDead))
}

// systemView is the page.
type systemView struct {
	system.Overview
	Ready   bool
	Done    string // what was just done, as a sentence
	Problem string
}

// Lost says that a part could not be asked for.
func (v systemView) Lost(name string) bool { return v.Missing[name] }

// AliveWorkers counts those that work.
func (v systemView) AliveWorkers() int {
	n := 0
	for _, w := range v.Workers {
		if w.State == system.Alive {
			n++
		}
	}
	return n
}

// DeadTotal is how many dead letters there are: as far as is known, where the
// queue could not be asked.
func (v systemView) DeadTotal() int { return max(int(v.Lag.Dead), len(v.Dead)) }

// DeadLeft is how many of them are not shown.
func (v systemView) DeadLeft() int { return v.DeadTotal() - len(v.Dead) }

// done are the sentences that the page shows after an act, by the word in its
// address.
var done = map[string]string{
	"paused":   "The intake is paused. Workers finish what they have in hand and take nothing more.",
	"resumed":  "The intake is resumed. Workers take notes again within moments.",
	"replayed": "The dead letter was sent to the workers. If it cannot succeed it comes back here.",
}

func (s *server) system(w http.ResponseWriter, r *http.Request, u coding.User) {
	s.showSystem(w, r, u, http.StatusOK, done[r.URL.Query().Get("done")], "")
}

func (s *server) showSystem(w http.ResponseWriter, r *http.Request, u coding.User, status int, did, problem string) {
	o, err := s.System.Overview(r.Context(), u)
	if errors.Is(err, system.ErrForbidden) {
		s.render(w, withUser(r, u), http.StatusForbidden, "message", messageView{
			Title: "Not for your role", Text: "This page is for administrators. Ask one if something of the system needs attention.",
		})
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v := systemView{Overview: o, Done: did, Problem: problem}
	v.Ready, _ = health.Ready(o.Parts)
	s.render(w, withUser(r, u), status, "system", v)
}

// switchIntake pauses or resumes the intake.
func (s *server) switchIntake(w http.ResponseWriter, r *http.Request, u coding.User) {
	if err := readForm(w, r, 16<<10); err != nil {
		s.showSystem(w, r, u, http.StatusBadRequest, "", "This could not be read; try again.")
		return
	}
	switch r.PostFormValue("to") {
	case "paused":
		s.systemDone(w, r, u, "paused", s.System.Pause(r.Context(), u, r.PostFormValue("reason")))
	case "running":
		s.systemDone(w, r, u, "resumed", s.System.Resume(r.Context(), u))
	default:
		s.showSystem(w, r, u, http.StatusBadRequest, "", "The intake can be paused or running; nothing was changed.")
	}
}

// replayDead sends a dead letter to the workers again.
func (s *server) replayDead(w http.ResponseWriter, r *http.Request, u coding.User) {
	number, err := strconv.ParseUint(r.PathValue("number"), 10, 64)
	if err != nil {
		s.notFound(w, r, u)
		return
	}
	s.systemDone(w, r, u, "replayed", s.System.Replay(r.Context(), u, number))
}

func (s *server) systemDone(w http.ResponseWriter, r *http.Request, u coding.User, did string, err error) {
	switch {
	case err == nil, errors.Is(err, system.ErrAlready):
		http.Redirect(w, r, "/system?"+url.Values{"done": {did}}.Encode(), http.StatusSeeOther)
	case errors.Is(err, system.ErrForbidden):
		s.showSystem(w, r, u, http.StatusForbidden, "", "")
	case errors.Is(err, system.ErrInput):
		s.showSystem(w, r, u, http.StatusUnprocessableEntity, "", sentence(system.ErrInput))
	case errors.Is(err, system.ErrGone):
		s.showSystem(w, r, u, http.StatusNotFound, "", sentence(system.ErrGone))
	default:
		s.Logger.ErrorContext(r.Context(), "an act on the system failed", "route", r.Pattern, "error", err)
		problem := "The database did not answer, and nothing was changed; try again in a moment."
		if errors.Is(err, system.ErrUnsure) {
			problem = sentence(system.ErrUnsure)
		}
		s.showSystem(w, r, u, http.StatusServiceUnavailable, "", problem)
	}
}

// bytesText writes a size as people read it.
func bytesText(n int64) string {
	f := float64(n)
	for _, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if f < 1024 {
			if unit == "B" || f >= 100 {
				return fmt.Sprintf("%.0f %s", f, unit)
			}
			return fmt.Sprintf("%.1f %s", f, unit)
		}
		f /= 1024
	}
	return fmt.Sprintf("%.1f TiB", f)
}

// doingText says what a worker is doing: how many notes it has in hand, in which
// stages, and for how long the longest is in its stage: until the worker was seen,
// and since then.
func doingText(w system.Worker) string {
	if w.State != system.Alive {
		return ""
	}
	if len(w.Jobs) == 0 {
		return "waiting for notes"
	}
	count := map[string]int{}
	var longest time.Duration
	for _, j := range w.Jobs {
		count[j.Stage]++
		longest = max(longest, j.Lasted+w.Seen)
	}
	var parts []string
	for stage, n := range count {
		parts = append(parts, fmt.Sprintf("%s %d", strings.ReplaceAll(stage, "_", " "), n))
	}
	slices.Sort(parts)
	return fmt.Sprintf("%s of %d: %s; the longest for %s", counted(len(w.Jobs), "note", "notes"), w.Concurrency, strings.Join(parts, ", "), throughput.DurationText(longest))
}

// partText names a part that suggestions need.
func partText(name string) string {
	switch name {
	case "nats":
		return "NATS"
	case "lag":
		return "waiting notes"
	}
	return strings.ReplaceAll(name, "_", " ")
}
