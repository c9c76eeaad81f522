package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"chartcode/internal/bus"
	"chartcode/internal/catalog"
	"chartcode/internal/config"
	"chartcode/internal/datadir"
	"chartcode/internal/metrics"
	"chartcode/internal/presence"
	"chartcode/internal/store"
	"chartcode/internal/tracing"
)

// options are the flags that every subcommand has.
type options struct {
	dataDir  string
	codesets string
	verbose  bool
	role     string             // the command that is run, such as serve
	override map[string]*string // by variable: flags of the command that is run
}

func (o *options) addFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&o.dataDir, "data-dir", "", "where the private PostgreSQL and NATS keep their data (CHARTCODE_DATA_DIR)")
	f.StringVar(&o.codesets, "codesets", "", "folder with the official release files (CHARTCODE_CODESETS)")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "log more")
}

// addLLMFlags gives a command the flags that override the LLM's variables.
func (o *options) addLLMFlags(cmd *cobra.Command) {
	if o.override == nil {
		o.override = map[string]*string{}
	}
	for _, f := range config.LLMFlags() {
		if o.override[f.Variable] == nil {
			o.override[f.Variable] = new(string)
		}
		cmd.Flags().StringVar(o.override[f.Variable], f.Name, "", f.Help+" ("+f.Variable+")")
	}
}

// getenv is os.Getenv with the flags before it.
func (o *options) getenv(name string) string {
	if v := o.override[name]; v != nil && *v != "" {
		return *v
	}
	return os.Getenv(name)
}

// app is what a running subcommand holds: its settings and whatever of
// database and bus it has opened.
type app struct {
	cfg      config.Config
	log      *slog.Logger
	progress *progress
	metrics  *metrics.Metrics
	role     string           // see options
	errors   *presence.Errors // what is logged, for the list of recent errors
	tracer   *tracing.Tracer  // nil: nobody follows notes

	embed   catalog.Embedder
	dir     *datadir.Dir
	store   *store.Store
	bus     *bus.Bus
	natsURL string
	natsOwn bool // the server runs in this process
}

// newApp reads the settings. plain makes progress show as lines where stderr
// is no terminal.
func (o *options) newApp(plain bool) (*app, error) {
	cfg, err := config.Read(o.getenv)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	if o.dataDir != "" {
		cfg.DataDir = o.dataDir
	}
	if o.codesets != "" {
		cfg.Codesets = o.codesets
	}
	errs := new(presence.Errors)
	log := slog.New(errs.Handler(tracing.LogHandler(logHandler(cfg, o.verbose))))
	return &app{cfg: cfg, log: log, progress: newProgress(plain), metrics: metrics.New(version, o.role), role: o.role, errors: errs}, nil
}

// closeTime is how long a subcommand may take to end what it runs.
const closeTime = 8 * time.Second

// close ends what was opened; force stops the private PostgreSQL even if
// other commands use it.
func (a *app) close(force bool) {
	if a.bus != nil {
		a.bus.Close()
	}
	if a.store != nil {
		a.store.Close()
	}
	if a.dir != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		if err := a.dir.Close(ctx, force); err != nil {
			a.log.Warn("the data directory was not closed cleanly", "error", err)
		}
	}
	a.closeTracer()
	a.progress.abandon() // what was done has said so
}

// openDir opens the data directory unless it is open or not needed.
func (a *app) openDir(ctx context.Context) error {
	if a.dir != nil {
		return nil
	}
	var err error
	a.dir, err = datadir.Open(ctx, datadir.Config{Path: a.cfg.DataDir, Logger: a.log, Progress: a.progress.Step})
	return err
}

// schema says what to do about a database that is not migrated.
type schema bool

const (
	checkSchema   schema = false // refuse it, unless the database is the private one
	migrateSchema schema = true
)

// openStore connects to the database, starting the private one if none is
// configured, and sees to its schema.
func (a *app) openStore(ctx context.Context, s schema, conns int) error {
	url := a.cfg.DatabaseURL
	if url == "" {
		if err := a.openDir(ctx); err != nil {
			return err
		}
		var err error
		if url, err = a.dir.Postgres(ctx); err != nil {
			return err
		}
	}
	st, err := store.Open(ctx, store.Config{URL: url, Logger: a.log, MaxConns: conns, Observer: a.statements()})
	if err != nil {
		return databaseError(err)
	}
	a.store = st
	a.measurePool()
	if s == migrateSchema || a.cfg.DatabaseURL == "" {
		err = st.Migrate(ctx, func(name string) { a.progress.Step("Migrating the database: " + name) })
	} else {
		err = st.CheckMigrated(ctx)
	}
	a.progress.done()
	return databaseError(err)
}

func databaseError(err error) error {
	if errors.Is(err, store.ErrUnavailable) {
		return fmt.Errorf("the database cannot be reached; check CHARTCODE_DATABASE_URL and that PostgreSQL runs (%w)", err)
	}
	return err
}

// openBus connects to NATS, starting the embedded server if none is configured
// and none runs on the data directory.
func (a *app) openBus(ctx context.Context) error {
	a.natsURL = a.cfg.NATSURL
	if a.natsURL == "" {
		if err := a.openDir(ctx); err != nil {
			return err
		}
		var err error
		if a.natsURL, a.natsOwn, err = a.dir.NATS(ctx, a.startNATS); err != nil {
			return err
		}
	}
	if err := a.openTracer(ctx); err != nil {
		return err
	}
	b, err := bus.Connect(ctx, bus.Config{URL: a.natsURL, Logger: a.log, Tracer: a.tracer})
	if err != nil {
		return err
	}
	a.bus = b
	return b.EnsureStreams(ctx)
}

// startNATS starts the embedded server, at its port of before if that is free.
func (a *app) startNATS(ctx context.Context, storeDir, previous string) (string, func(context.Context) error, error) {
	port := 0
	if u, err := url.Parse(previous); err == nil && previous != "" {
		if p, err := strconv.Atoi(u.Port()); err == nil && free(ctx, p) {
			port = p
		}
	}
	srv, err := bus.StartEmbedded(bus.EmbeddedConfig{StoreDir: storeDir, Port: port, Logger: a.log})
	if err != nil {
		return "", nil, err
	}
	return srv.URL(), func(context.Context) error { srv.Shutdown(); return nil }, nil
}

func free(ctx context.Context, port int) bool {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}
