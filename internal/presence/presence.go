// Package presence lets a process tell of itself: every few seconds it gives a sign
// of life in the database, with what it is doing and the errors it had, and hears
// in the answer whether an administrator has paused the intake of notes.
//
// While the database is away nothing is told and nothing heard: the intake stays
// as it was, and errors are kept, the newest ones, until they can be told.
package presence

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"chartcode/internal/coding"
)

// Store is where signs of life go; store.Store has these methods.
type Store interface {
	Beat(ctx context.Context, p coding.Process, errs []coding.ProcessError) (coding.Intake, error)
	Leave(ctx context.Context, id string) error
}

const (
	beatEvery = 2 * time.Second
	beatTime  = 5 * time.Second
	leaveTime = 2 * time.Second
)

// AliveFor is how long a process counts as alive after a sign of life.
const AliveFor = 30 * time.Second

// Config says who the process is. Activity, which may be nil, gives the notes in
// hand and how many deliveries were done; Errors, which may be nil, what to tell.
type Config struct {
	Store    Store
	Process  coding.Process
	Activity func() (jobs []coding.ProcessJob, done int64)
	Errors   *Errors
	Logger   *slog.Logger
	Every    time.Duration // 2s when 0
}

// Presence is one process's.
type Presence struct {
	cfg    Config
	paused atomic.Bool
	silent bool // the database did not take the last sign of life
}

// New checks the configuration and gives the process an id of its own.
func New(cfg Config) (*Presence, error) {
	if cfg.Store == nil || cfg.Logger == nil || cfg.Process.Role == "" {
		return nil, errors.New("presence: Store, Logger and the process's role are required")
	}
	if cfg.Every == 0 {
		cfg.Every = beatEvery
	}
	if cfg.Activity == nil {
		cfg.Activity = func() ([]coding.ProcessJob, int64) { return nil, 0 }
	}
	if cfg.Errors == nil {
		cfg.Errors = new(Errors)
	}
	cfg.Process.ID, cfg.Process.StartedAt = rand.Text(), time.Now().UTC()
	return &Presence{cfg: cfg}, nil
}

// Paused reports whether the intake is paused, as far as is known. Before the
// first Beat it is not.
func (p *Presence) Paused() bool { return p.paused.Load() }

// Beat gives one sign of life. A worker gives its first before it takes notes.
func (p *Presence) Beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beatTime)
	defer cancel()
	me := p.cfg.Process
	me.Jobs, me.Done = p.cfg.Activity()
	told := p.cfg.Errors.take()
	in, err := p.cfg.Store.Beat(ctx, me, told)
	if err != nil {
		p.cfg.Errors.back(told)
		return err
	}
	if was := p.paused.Swap(in.Paused); was != in.Paused && me.Concurrency > 0 {
		if in.Paused {
			p.cfg.Logger.Warn("the intake is paused: no notes are taken until an administrator resumes it")
		} else {
			p.cfg.Logger.Warn("the intake is resumed: notes are taken again")
		}
	}
	return nil
}

// Run gives signs of life until ctx ends, and says good-bye.
func (p *Presence) Run(ctx context.Context) {
	tick := time.NewTicker(p.cfg.Every)
	defer tick.Stop()
	for {
		err := p.Beat(ctx)
		if err != nil && ctx.Err() == nil && !p.silent {
			p.cfg.Logger.Warn("this process cannot give a sign of life; trying on", "error", err)
		}
		p.silent = err != nil
		select {
		case <-ctx.Done():
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
			defer cancel()
			if err := p.cfg.Store.Leave(end, p.cfg.Process.ID); err != nil {
				p.cfg.Logger.Info("this process could not say good-bye", "error", err)
			}
			return
		case <-tick.C:
		}
	}
}
