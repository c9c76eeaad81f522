package presence_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/presence"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

const secret = "Jane Roe has diabetes"

// TestErrorsHoldCodesAlone: of what is logged the list of errors keeps codes.
func TestErrorsHoldCodesAlone(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	errs := new(presence.Errors)
	log := slog.New(errs.Handler(slog.DiscardHandler)).With("stage", "save", "text", secret)
	_, failed := s.NoteSHA256(t.Context(), "north", "none") // a real error of the store
	log.Info("not kept", "reason", "none")
	log.Warn("dead-lettered a note", "seq", 7, "reason", "invalid_json", "cause", secret, "name", secret)
	log.Error("a page failed", "route", "GET /items/{id}", "error", fmt.Errorf("%s: %w", secret, failed))
	log.Error("the call ended", "error", context.DeadlineExceeded, "reason", secret+strings.Repeat(" and more", 20))
	p := newPresence(t, s, errs, 0)
	if err := p.Beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := s.ProcessErrors(t.Context(), 10)
	if err != nil || len(list) != 3 {
		t.Fatalf("%d errors, %v", len(list), err)
	}
	for i, want := range []string{"stage=save code=deadline", "stage=save route=GET /items/{id}", "stage=save seq=7 reason=invalid_json"} {
		if list[i].Detail != want {
			t.Errorf("error %d has %q, want %q", i, list[i].Detail, want)
		}
	}
	if list[2].Level != "warn" || list[2].Message != "dead-lettered a note" || list[2].Role != "work" || list[2].Host != "here" {
		t.Errorf("%+v", list[2])
	}
	if text := fmt.Sprintf("%+v", list); strings.Contains(text, "Jane") {
		t.Error("the list holds text of a note")
	}
}

func newPresence(t *testing.T, s presence.Store, errs *presence.Errors, concurrency int) *presence.Presence {
	t.Helper()
	p, err := presence.New(presence.Config{
		Store: s, Errors: errs, Logger: slog.New(slog.DiscardHandler), Every: 10 * time.Millisecond,
		Process:  coding.Process{Role: "work", Host: "here", PID: 1, Version: "1", Concurrency: concurrency},
		Activity: func() ([]coding.ProcessJob, int64) { return []coding.ProcessJob{{Seq: 9, Stage: "retrieve"}}, 12 },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestProcessComesAndGoes: others see it, what it does, and that it said good-bye.
func TestProcessComesAndGoes(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	p := newPresence(t, s, nil, 4)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); p.Run(ctx) }()
	see := func(ok func(coding.Process) bool) coding.Process {
		t.Helper()
		for {
			list, _, err := s.Processes(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 1 && ok(list[0]) {
				return list[0]
			}
		}
	}
	one := see(func(p coding.Process) bool { return p.Done == 12 })
	if len(one.Jobs) != 1 || one.Jobs[0].Stage != "retrieve" || one.Concurrency != 4 || !one.StoppedAt.IsZero() {
		t.Errorf("%+v", one)
	}
	if n, err := s.AliveWorkers(t.Context(), presence.AliveFor); n != 1 || err != nil {
		t.Errorf("%d workers are alive, %v", n, err)
	}
	if p.Paused() {
		t.Error("it is paused from the start")
	}
	for _, paused := range []bool{true, false} {
		ev := coding.AuditEvent{At: time.Now().UTC().Truncate(time.Microsecond), Actor: "ada", Action: "intake.paused"}
		if err := s.SwitchIntake(t.Context(), coding.Intake{Paused: paused, At: ev.At, By: "ada"}, ev); err != nil {
			t.Fatal(err)
		}
		see(func(coding.Process) bool { return p.Paused() == paused })
	}
	stop()
	<-done
	see(func(p coding.Process) bool { return !p.StoppedAt.IsZero() && len(p.Jobs) == 0 })
	if n, err := s.AliveWorkers(t.Context(), presence.AliveFor); n != 0 || err != nil {
		t.Errorf("%d workers are alive, %v", n, err)
	}
}

// away is a database that does not answer for a while.
type away struct {
	*store.Store
	lost bool
}

func (a *away) Beat(ctx context.Context, p coding.Process, errs []coding.ProcessError) (coding.Intake, error) {
	if a.lost {
		return coding.Intake{}, errors.New("away")
	}
	return a.Store.Beat(ctx, p, errs)
}

// TestErrorsWait: while the database is away the newest errors are kept, in order,
// and the pause stays as it was.
func TestErrorsWait(t *testing.T) {
	t.Parallel()
	s := &away{Store: storetest.New(t)}
	errs := new(presence.Errors)
	log := slog.New(errs.Handler(slog.DiscardHandler))
	p := newPresence(t, s, errs, 1)
	if err := s.SwitchIntake(t.Context(), coding.Intake{Paused: true, At: time.Now(), By: "ada"}, coding.AuditEvent{At: time.Now(), Actor: "ada", Action: "intake.paused"}); err != nil {
		t.Fatal(err)
	}
	if err := p.Beat(t.Context()); err != nil || !p.Paused() {
		t.Fatalf("%v, paused %v", err, p.Paused())
	}
	s.lost = true
	for i := range 300 {
		log.Error("lost", "seq", i)
		if i == 150 && p.Beat(t.Context()) == nil {
			t.Fatal("the database answered")
		}
	}
	if !p.Paused() {
		t.Error("a lost database ended the pause")
	}
	s.lost = false
	if err := p.Beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := s.ProcessErrors(t.Context(), 1000)
	if err != nil || len(list) != 200 || list[0].Detail != "seq=299" || list[199].Detail != "seq=100" {
		t.Errorf("%d errors, %v", len(list), err)
	}
}
