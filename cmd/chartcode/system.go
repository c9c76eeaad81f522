package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"chartcode/internal/bus"
	"chartcode/internal/coding"
	"chartcode/internal/health"
	"chartcode/internal/metrics"
	"chartcode/internal/presence"
	"chartcode/internal/store"
	"chartcode/internal/system"
	"chartcode/internal/web"
)

// watch knows at any time whether suggestions can be made, and what is loaded.
type watch struct {
	monitor  *health.Monitor
	releases atomic.Pointer[[]coding.Release] // as last seen
}

// The parts that suggestions need.
const (
	partDatabase   = "database"
	partMigrations = "migrations"
	partNATS       = "nats"
	partCodeSet    = "code_set"
	partLag        = "lag"
)

var (
	errNoDatabase = errors.New("the database does not answer")
	errNoNATS     = errors.New("NATS does not answer")
	errMigrations = errors.New("the database needs another version of the program, or chartcode migrate")
)

// newWatch watches what suggestions need: database, migrations, NATS, code set and,
// where there is a bound, how long notes wait.
func (a *app) newWatch() (*watch, error) {
	w := &watch{}
	var err error
	w.monitor, err = health.New([]health.Check{
		{Name: partDatabase, Silent: errNoDatabase.Error(), Run: func(ctx context.Context) error {
			if a.store.Ping(ctx) != nil {
				return errNoDatabase
			}
			return nil
		}},
		{Name: partMigrations, Silent: errNoDatabase.Error(), Run: func(ctx context.Context) error {
			err := a.store.CheckMigrated(ctx)
			switch {
			case errors.Is(err, store.ErrNotMigrated):
				return errMigrations
			case err != nil:
				return errNoDatabase
			}
			return nil
		}},
		{Name: partCodeSet, Silent: errNoDatabase.Error(), Run: func(ctx context.Context) error {
			releases, err := a.store.Releases(ctx)
			if err != nil {
				return errNoDatabase
			}
			w.releases.Store(&releases)
			ok, reason, err := a.codesReady(ctx, releases)
			switch {
			case err != nil:
				return errNoDatabase
			case !ok:
				return errors.New(reason)
			}
			return nil
		}},
		{Name: partNATS, Silent: errNoNATS.Error(), Run: func(ctx context.Context) error {
			if a.bus.Healthy(ctx) != nil {
				return errNoNATS
			}
			return nil
		}},
		{Name: partLag, Silent: errNoNATS.Error(), Run: func(ctx context.Context) error {
			oldest, err := a.bus.Oldest(ctx)
			switch most := a.cfg.ReadyLag; {
			case err != nil:
				return errNoNATS
			case most > 0 && oldest > most:
				return fmt.Errorf("the oldest note has been waiting for more than %s", most)
			}
			return nil
		}},
	}, nil)
	return w, err
}

// ready says whether suggestions can be made.
func (w *watch) ready(context.Context) web.Readiness {
	r := web.Readiness{Parts: w.monitor.Parts()}
	r.Ready, r.Reason = health.Ready(r.Parts)
	if list := w.releases.Load(); list != nil {
		r.Releases = *list
		r.CodeSet, r.Starter = codeSetLine(*list)
	}
	return r
}

// alive says whether the process reaches what it cannot do without.
func (w *watch) alive(context.Context) error {
	if p := w.monitor.Of(partDatabase); !p.OK {
		return errors.New(p.Reason)
	}
	return nil
}

// stateOf gives scrapes what all processes share.
func (a *app) stateOf(w *watch) func(ctx context.Context) metrics.State {
	return func(ctx context.Context) metrics.State {
		s := metrics.State{Parts: w.monitor.Parts()}
		// Each is left out alone when it cannot be asked for.
		got := func(part string, err error) bool {
			if err != nil {
				a.log.WarnContext(ctx, "a scrape lacks what could not be asked for", "part", part, "error", err)
			}
			return err == nil
		}
		if w.monitor.Of(partNATS).OK {
			if lag, err := a.bus.Lag(ctx); got("queue", err) {
				s.Queue = queueState(lag)
			}
		}
		if !w.monitor.Of(partDatabase).OK {
			return s
		}
		if waiting, oldest, err := a.store.OutboxAge(ctx); got("outbox", err) {
			s.Outbox = &metrics.OutboxState{Waiting: waiting, Oldest: oldest}
		}
		if server, err := a.store.Server(ctx); got("server", err) {
			s.DatabaseBytes = &server.Bytes
		}
		if alive, err := a.store.AliveWorkers(ctx, presence.AliveFor); got("workers", err) {
			s.Workers = &alive
		}
		if in, err := a.store.Intake(ctx); got("intake", err) {
			s.Paused = &in.Paused
		}
		return s
	}
}

func queueState(lag bus.Lag) *metrics.QueueState {
	q := &metrics.QueueState{Oldest: lag.Oldest, DeadLetters: lag.Dead, Consumers: map[string]metrics.ConsumerLag{}, Messages: map[string]uint64{}, Bytes: map[string]uint64{}}
	// Without a consumer nobody has ever taken a note: all of them wait.
	for _, name := range []string{bus.ConsumerOrdinary, bus.ConsumerUrgent} {
		q.Consumers[name] = metrics.ConsumerLag{}
	}
	for _, c := range lag.Consumers {
		q.Consumers[c.Name] = metrics.ConsumerLag{Waiting: float64(c.Waiting), UnderWay: float64(c.UnderWay)}
	}
	for _, s := range lag.Streams {
		q.Messages[s.Name], q.Bytes[s.Name] = s.Messages, s.Bytes
	}
	if len(lag.Consumers) == 0 {
		q.Consumers[bus.ConsumerOrdinary] = metrics.ConsumerLag{Waiting: float64(lag.Notes)}
	}
	return q
}

// newSystem is what administrators see of the system.
func (a *app) newSystem(w *watch) (*system.Service, error) {
	return system.New(system.Config{
		Store: a.store, Queue: queue{a.bus}, Parts: w.monitor.Parts, Version: version, Logger: a.log,
		Releases: a.store.Releases, Models: a.models,
		Storage: a.storage,
		Migrations: func(ctx context.Context) (m system.Migrations, err error) {
			m.Applied, m.Known, err = a.store.Version(ctx)
			return m, err
		},
		Outbox: func(ctx context.Context) (o system.Outbox, err error) {
			o.Waiting, o.Oldest, err = a.store.OutboxAge(ctx)
			return o, err
		},
	})
}

const shownTables = 8

func (a *app) storage(ctx context.Context) (system.Storage, error) {
	server, err := a.store.Server(ctx)
	if err != nil {
		return system.Storage{}, err
	}
	tables, err := a.store.Storage(ctx, shownTables)
	if err != nil {
		return system.Storage{}, err
	}
	pool := a.store.PoolStat()
	s := system.Storage{Database: server.Bytes, Version: server.Version, Vector: server.Vector, PoolUsed: pool.InUse, PoolMax: pool.Max}
	for _, t := range tables {
		s.Tables = append(s.Tables, system.Table(t))
	}
	return s, nil
}

func (a *app) models(ctx context.Context) (system.Models, error) {
	m := system.Models{LLM: a.cfg.LLM.Model}
	set, err := a.prompts()
	if err != nil {
		return m, err
	}
	m.Prompts = set.SHA256()
	vectors, err := a.vectorModels(ctx)
	if err != nil {
		return m, err
	}
	for _, v := range vectors {
		m.Vectors = append(m.Vectors, system.VectorModel{Name: v.Name, Set: v.Set, InUse: v.InUse, Vectors: v.Vectors, Missing: v.Missing})
	}
	learned, err := a.store.RankerModels(ctx)
	if err != nil {
		return m, err
	}
	own := system.RankerModel{Active: true}
	for _, l := range learned {
		active := !l.ActiveFrom.IsZero()
		own.Active = own.Active && !active
		m.Rankers = append(m.Rankers, system.RankerModel{Version: l.Version, Active: active, MadeAt: l.MadeAt, MadeBy: l.MadeBy, Items: len(l.Items)})
	}
	m.Rankers = append([]system.RankerModel{own}, m.Rankers...)
	return m, nil
}

// queue is NATS as package system sees it.
type queue struct{ bus *bus.Bus }

// Lag is what waits.
func (q queue) Lag(ctx context.Context) (system.Lag, error) {
	lag, err := q.bus.Lag(ctx)
	l := system.Lag{Oldest: lag.Oldest, Dead: lag.Dead}
	for _, c := range lag.Consumers {
		l.Consumers = append(l.Consumers, system.Consumer{Name: c.Name, Waiting: c.Waiting, UnderWay: c.UnderWay})
	}
	for _, s := range lag.Streams {
		l.Streams = append(l.Streams, system.Stream{Name: s.Name, Messages: s.Messages, Bytes: int64(s.Bytes)})
	}
	return l, err
}

// DeadLetters gives the oldest dead letters.
func (q queue) DeadLetters(ctx context.Context, limit int) (list []system.DeadLetter, err error) {
	dead, err := q.bus.ListDead(ctx, limit, 0)
	for _, d := range dead {
		list = append(list, system.DeadLetter{Number: d.Seq, Source: d.Source, Reason: d.Reason, Stage: d.Stage, Attempts: d.Attempts,
			Received: d.Received, Died: d.Died, Bytes: int64(d.Size)})
	}
	return list, err
}

const replayTime = 10 * time.Second

// Replay sends a dead letter to the workers.
func (q queue) Replay(ctx context.Context, number uint64) error {
	ctx, cancel := context.WithTimeout(ctx, replayTime)
	defer cancel()
	err := q.bus.ReplayDead(ctx, number, nil)
	if errors.Is(err, bus.ErrNoDeadLetter) {
		return system.ErrGone
	}
	return err
}
