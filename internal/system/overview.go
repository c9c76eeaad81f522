package system

import (
	"context"
	"sync"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/health"
	"chartcode/internal/presence"
)

// Overview is the system at one moment. Missing names the parts that could not be
// asked for.
type Overview struct {
	At         time.Time
	Version    string // of the process that answers
	Parts      []health.Part
	Intake     coding.Intake
	Workers    []Worker // those that work on notes
	Others     []Worker
	Lag        Lag
	Outbox     Outbox
	Dead       []DeadLetter
	Releases   []coding.Release
	Models     Models
	Migrations Migrations
	Storage    Storage
	Errors     []coding.ProcessError
	Missing    map[string]bool // by the name of the field
}

// Worker is a process with how it is.
type Worker struct {
	coding.Process
	State WorkerState
	Seen  time.Duration // since its last sign of life
	Other bool          // it runs another version than the process that answers
}

// WorkerState is how a process is.
type WorkerState string

// The states of a process.
const (
	Alive   WorkerState = "alive"
	Stopped WorkerState = "stopped" // it said good-bye
	Silent  WorkerState = "silent"  // it did not, and gave no sign of life for a while
)

const (
	shownDead   = 50
	shownErrors = 30
	lookTime    = 4 * time.Second // for everything that is asked
)

// Overview asks all parts at once.
func (s *Service) Overview(ctx context.Context, u coding.User) (Overview, error) {
	if !MaySee(u.Role) {
		return Overview{}, ErrForbidden
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	o := Overview{At: s.cfg.Now(), Version: s.cfg.Version, Parts: s.cfg.Parts(), Missing: map[string]bool{}}
	var mu sync.Mutex
	var group sync.WaitGroup
	ask := func(name string, do func() error) {
		group.Go(func() {
			if err := do(); err != nil {
				s.cfg.Logger.WarnContext(ctx, "a part of the system could not be asked", "part", name, "error", err)
				mu.Lock()
				o.Missing[name] = true
				mu.Unlock()
			}
		})
	}
	ask("Intake", func() (err error) { o.Intake, err = s.cfg.Store.Intake(ctx); return err })
	ask("Workers", func() error { return s.processes(ctx, &o) })
	ask("Lag", func() (err error) { o.Lag, err = s.cfg.Queue.Lag(ctx); return err })
	ask("Outbox", func() (err error) { o.Outbox, err = s.cfg.Outbox(ctx); return err })
	ask("Dead", func() (err error) { o.Dead, err = s.cfg.Queue.DeadLetters(ctx, shownDead); return err })
	ask("Releases", func() (err error) { o.Releases, err = s.cfg.Releases(ctx); return err })
	ask("Models", func() (err error) { o.Models, err = s.cfg.Models(ctx); return err })
	ask("Migrations", func() (err error) { o.Migrations, err = s.cfg.Migrations(ctx); return err })
	ask("Storage", func() (err error) { o.Storage, err = s.cfg.Storage(ctx); return err })
	ask("Errors", func() (err error) { o.Errors, err = s.cfg.Store.ProcessErrors(ctx, shownErrors); return err })
	group.Wait()
	return o, nil
}

func (s *Service) processes(ctx context.Context, o *Overview) error {
	list, now, err := s.cfg.Store.Processes(ctx)
	if err != nil {
		return err
	}
	for _, p := range list {
		w := Worker{Process: p, State: Alive, Seen: max(now.Sub(p.SeenAt), 0), Other: p.Version != s.cfg.Version}
		switch {
		case !p.StoppedAt.IsZero():
			w.State = Stopped
		case w.Seen > presence.AliveFor:
			w.State = Silent
		}
		if p.Concurrency > 0 {
			o.Workers = append(o.Workers, w)
		} else {
			o.Others = append(o.Others, w)
		}
	}
	return nil
}
