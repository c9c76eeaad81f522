package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof" // which also enters itself in http.DefaultServeMux: no server here serves that
	"os"
	"strings"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/config"
	"chartcode/internal/metrics"
	"chartcode/internal/presence"
	"chartcode/internal/store"
	"chartcode/internal/tracing"
)

// logHandler writes the log to standard error as the settings say.
func logHandler(cfg config.Config, verbose bool) slog.Handler {
	level := slog.LevelWarn
	switch {
	case verbose:
		level = slog.LevelDebug
	case cfg.LogLevel != "":
		_ = level.UnmarshalText([]byte(cfg.LogLevel)) // one of those that the settings allow
	}
	o := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "json" {
		return slog.NewJSONHandler(os.Stderr, o)
	}
	return slog.NewTextHandler(os.Stderr, o)
}

// openTracer sets up the export of traces that the OTEL variables ask for.
func (a *app) openTracer(ctx context.Context) error {
	if a.tracer != nil {
		return nil
	}
	t, err := tracing.SetUp(ctx, tracing.Config{Getenv: os.Getenv, Role: a.role, Version: version, Logger: a.log})
	if err != nil {
		return usagef("%s", err)
	}
	a.tracer = t
	return nil
}

// traceTime is how long the last spans may take to be exported.
const traceTime = 3 * time.Second

func (a *app) closeTracer() {
	ctx, cancel := context.WithTimeout(context.Background(), traceTime)
	defer cancel()
	if err := a.tracer.Close(ctx); err != nil {
		a.log.Warn("the last traces were not exported", "cause", err.Error())
	}
}

// statements is what hears of SQL statements.
func (a *app) statements() store.Observer {
	if a.metrics == nil {
		return nil
	}
	return a.metrics.SQL
}

// measurePool lets scrapes ask for the connections to the database.
func (a *app) measurePool() {
	if a.metrics == nil {
		return
	}
	a.metrics.SQL.Pool(func() metrics.Pool {
		s := a.store.PoolStat()
		return metrics.Pool{InUse: s.InUse, Idle: s.Total - s.InUse, Max: s.Max, Waits: s.Waits, Waited: s.Waited}
	})
}

// announced counts what the relay announces.
func (a *app) announced(subject string, err error) {
	what, _, _ := strings.Cut(subject, ".")
	a.metrics.Notes.Announced(what, err)
}

// newPresence is this process as others see it.
func (a *app) newPresence(ranker string, concurrency int, activity func() ([]coding.ProcessJob, int64)) (*presence.Presence, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return presence.New(presence.Config{
		Store: a.store, Errors: a.errors, Logger: a.log, Activity: activity,
		Process: coding.Process{Role: a.role, Host: host, PID: os.Getpid(), Version: version, Ranker: ranker, Concurrency: concurrency},
	})
}

// present gives signs of life of a process that does not work on notes.
func (a *app) present(ctx context.Context) error {
	me, err := a.newPresence("", 0, nil)
	if err != nil {
		return err
	}
	me.Run(ctx)
	return nil
}

// presentWhile gives signs of life while work runs, the time included in which it
// ends. The first comes before the work: it is then known whether the intake is
// paused. Without a database no note could be worked on either.
func (a *app) presentWhile(ctx context.Context, me *presence.Presence, work func(context.Context) error) error {
	for wait := 500 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		err := me.Beat(ctx)
		if err == nil {
			break
		}
		a.log.Warn("the work cannot begin without the database; trying on", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	left := make(chan struct{})
	go func() { defer close(left); me.Run(beating) }()
	err := work(ctx)
	stop()
	<-left
	return err
}

// rankerOf names what ranks notes.
func (a *app) rankerOf(po pipelineOptions) string {
	if !a.usesLLM(po) {
		return "local"
	}
	return "LLM " + a.cfg.LLM.Model
}

// watched adds to the roles of a process that of showing its profiles, where that
// is configured.
func (a *app) watched(ctx context.Context, roles ...func(context.Context) error) ([]func(context.Context) error, error) {
	if a.cfg.PprofAddr == "" {
		return roles, nil
	}
	listener, err := a.listen(ctx, a.cfg.PprofAddr, "CHARTCODE_PPROF_ADDR")
	if err != nil {
		return nil, err
	}
	// A name may lead elsewhere than it says.
	if addr, ok := listener.Addr().(*net.TCPAddr); !ok || !addr.IP.IsLoopback() {
		_ = listener.Close()
		return nil, usagef("CHARTCODE_PPROF_ADDR must be on the loopback address")
	}
	// On standard output others wait for ready and what follows it.
	fmt.Fprintf(os.Stderr, "pprof http://%s/debug/pprof/\n", listener.Addr())
	return append(roles, func(ctx context.Context) error {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
		// A profile takes as long as it is asked for.
		s := &server{app: a, listener: listener, http: &http.Server{Handler: mux, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout}}
		return s.run(ctx)
	}), nil
}
