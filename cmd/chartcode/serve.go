package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"chartcode/internal/audit"
	"chartcode/internal/auth"
	"chartcode/internal/bus"
	"chartcode/internal/catalog"
	"chartcode/internal/codebook"
	"chartcode/internal/coding"
	"chartcode/internal/qa"
	"chartcode/internal/review"
	"chartcode/internal/store"
	"chartcode/internal/web"
	"chartcode/internal/worker"
	"chartcode/pipeline/intake"
)

func serveCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "serve",
		Short:   "Run the review page and the API, and announce what was stored",
		Example: "  CHARTCODE_DATABASE_URL=postgres://... CHARTCODE_NATS_URL=nats://... chartcode serve",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.runRoles(cmd.Context(), pipelineOptions{}, func(ctx context.Context, a *app) error {
				knowledge, err := a.newCatalog(ctx)
				if err != nil {
					return err
				}
				s, err := a.newServer(ctx, knowledge)
				if err != nil {
					return err
				}
				roles, err := a.watched(ctx, s.run, a.relay, a.seal, a.recheck, a.count, a.tidyLLM, a.fillVectors)
				if err != nil {
					return err
				}
				fmt.Printf("ready http://%s\n", s.addr())
				return a.together(ctx, append(roles, a.present)...)
			})
		},
	}
}

func workCommand(o *options) *cobra.Command {
	var po pipelineOptions
	var concurrency int
	cmd := &cobra.Command{
		Use:     "work",
		Short:   "Run a worker: take notes from NATS and store suggestions",
		Example: "  CHARTCODE_DATABASE_URL=postgres://... CHARTCODE_NATS_URL=nats://... chartcode work",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.runRoles(cmd.Context(), po, func(ctx context.Context, a *app) error {
				knowledge, err := a.newCatalog(ctx)
				if err != nil {
					return err
				}
				roles, err := a.watched(ctx, a.relay, a.tidyLLM, a.fillVectors)
				if err != nil {
					return err
				}
				if a.cfg.MetricsAddr != "" {
					listener, err := a.listen(ctx, a.cfg.MetricsAddr, "CHARTCODE_METRICS_ADDR")
					if err != nil {
						return err
					}
					fmt.Printf("metrics http://%s/metrics\n", listener.Addr())
					roles = append(roles, func(ctx context.Context) error { return a.serveMetrics(ctx, listener) })
				}
				work, err := a.newWorker(knowledge, po, concurrency)
				if err != nil {
					return err
				}
				return a.together(ctx, append(roles, work)...)
			})
		},
	}
	cmd.Flags().StringVar(&po.style, "coding-style", string(coding.Billing), "billing: as for a bill; mentions: every mention")
	cmd.Flags().IntVar(&concurrency, "concurrency", 0, "notes worked on at once; by default one for each processor, or what keeps CHARTCODE_LLM_CONCURRENCY calls in flight")
	o.addLLMFlags(cmd)
	return cmd
}

// runRoles opens database and bus and runs roles until they end or the program
// is told to stop. Wrong settings are told before anything is opened.
func (o *options) runRoles(ctx context.Context, po pipelineOptions, run func(ctx context.Context, a *app) error) error {
	a, err := o.newApp(true)
	if err != nil {
		return err
	}
	defer a.close(false)
	if err := a.checkLLM(po); err != nil {
		return err
	}
	if err := a.openStore(ctx, checkSchema, rolesConns); err != nil {
		return err
	}
	if err := a.openBus(ctx); err != nil {
		return err
	}
	err = run(ctx, a)
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		return nil // told to stop: that is how roles end
	}
	return err
}

const rolesConns = 24

// together runs roles until ctx ends; one that fails ends the others.
func (a *app) together(ctx context.Context, roles ...func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	for _, role := range roles {
		group.Go(func() {
			if err := role(ctx); err != nil && ctx.Err() == nil {
				cancel(err)
			}
		})
	}
	group.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// relay announces stored suggestions and finished reviews.
func (a *app) relay(ctx context.Context) error {
	worker.Relay(ctx, a.store, a.bus, a.log, a.announced)
	return nil
}

// seal links the audit trail's events into its chain.
func (a *app) seal(ctx context.Context) error {
	trail, err := audit.New(audit.Config{Store: a.store, Logger: a.log})
	if err != nil {
		return err
	}
	trail.Run(ctx)
	return nil
}

// recheck sees to items whose releases changed in another process, or while a
// note was on its way.
func (a *app) recheck(ctx context.Context) error {
	checker, err := a.newChecker()
	if err != nil {
		return err
	}
	checker.Run(ctx)
	return nil
}

// newWorker gives the role that works on notes.
func (a *app) newWorker(knowledge *catalog.Catalog, po pipelineOptions, concurrency int) (func(context.Context) error, error) {
	activity := worker.NewActivity(a.metrics.Notes)
	po.observe = activity
	p, err := a.newPipeline(knowledge, po)
	if err != nil {
		return nil, err
	}
	if concurrency == 0 {
		concurrency = a.workers(po)
	}
	me, err := a.newPresence(a.rankerOf(po), concurrency, activity.Now)
	if err != nil {
		return nil, err
	}
	cfg := bus.WorkConfig{Concurrency: concurrency, Probe: func(ctx context.Context) error {
		if err := a.store.Ping(ctx); err != nil {
			return err
		}
		_, ok, err := knowledge.Ready(ctx)
		if err == nil && !ok {
			return errNoCodes
		}
		return err
	}, Observe: a.observe, Paused: me.Paused}
	handler := worker.Handler(worker.Config{Processor: p, Store: a.store, Activity: activity, Logger: a.log})
	return func(ctx context.Context) error {
		return a.presentWhile(ctx, me, func(ctx context.Context) error { return a.bus.Work(ctx, cfg, handler) })
	}, nil
}

func (a *app) observe(o bus.Outcome) {
	a.metrics.Notes.Delivery(o.Ctx, string(o.Result), o.Reason, o.Urgent, o.Attempt, o.Waited, o.Took)
	a.log.DebugContext(o.Ctx, "delivery", "result", o.Result, "reason", o.Reason, "attempt", o.Attempt, "ms", o.Took.Milliseconds())
}

// server is the role that serves pages and API.
type server struct {
	app      *app
	http     *http.Server
	listener net.Listener
	auth     *auth.Service
	changes  *review.Feed
	watch    *watch
}

const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = time.Minute
	writeTimeout      = 2 * time.Minute
	idleTimeout       = 2 * time.Minute
	shutdownTime      = 5 * time.Second
)

// newServer listens on the configured address at once, so that a taken port is
// known before anything else is done.
func (a *app) newServer(ctx context.Context, knowledge *catalog.Catalog) (*server, error) {
	listener, err := a.listen(ctx, a.cfg.HTTPAddr, "CHARTCODE_HTTP_ADDR")
	if err != nil {
		return nil, err
	}
	return a.serverOn(ctx, listener, knowledge)
}

func (a *app) listen(ctx context.Context, addr, variable string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (%w); end what uses the port, or set %s, where port 0 takes a free one", addr, reasonOf(err), variable)
	}
	return l, nil
}

// reasonOf is the innermost cause of a network error.
func reasonOf(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}

func (a *app) serverOn(ctx context.Context, listener net.Listener, knowledge *catalog.Catalog) (*server, error) {
	accounts, err := auth.New(auth.Config{Store: a.store, Logger: a.log})
	if err != nil {
		return nil, err
	}
	checker, err := a.newChecker()
	if err != nil {
		return nil, err
	}
	changes, err := review.NewFeed(a.store, a.log)
	if err != nil {
		return nil, err
	}
	reader := new(noteReader)
	reviews, err := review.New(review.Config{Store: a.store, Logger: a.log, AcceptAllFrom: a.cfg.AcceptAllFrom, Check: checker.Item, Rules: knowledge.RulesOn, Sections: reader.sections, Blind: a.store.Blind})
	if err != nil {
		return nil, err
	}
	book, err := codebook.New(codebook.Config{Source: a.store})
	if err != nil {
		return nil, err
	}
	quality, err := qa.New(qa.Config{Store: a.store})
	if err != nil {
		return nil, err
	}
	evaluations, err := a.evalResults()
	if err != nil {
		return nil, err
	}
	figures, err := a.newFigures()
	if err != nil {
		return nil, err
	}
	watch, err := a.newWatch()
	if err != nil {
		return nil, err
	}
	watch.monitor.Look(ctx)
	about, err := a.newSystem(watch)
	if err != nil {
		return nil, err
	}
	a.metrics.State(a.stateOf(watch))
	closing := make(chan struct{})
	handler, err := web.New(web.Config{
		Auth: accounts, Review: reviews, Changes: changes, Versions: a.store, Closing: closing, Scopes: reader.scopes, Logger: a.log, Submit: submitter{a.bus}, Known: known{a.store},
		Parse:   func(body []byte) (coding.Note, error) { return intake.Parse(body, "") },
		Codes:   book,
		Quality: quality, Results: evaluations, ItemOf: a.store.ItemOfNote,
		Figures: figures,
		Ready:   watch.ready,
		Alive:   watch.alive,
		System:  about,
		Observe: a.metrics.HTTP,
		Tracer:  a.tracer,
		Metrics: a.metrics.Handler(), Zone: a.cfg.Timezone, Version: version,
	})
	if err != nil {
		return nil, err
	}
	server := &server{app: a, listener: listener, auth: accounts, changes: changes, watch: watch, http: &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
	}}
	server.http.RegisterOnShutdown(func() { close(closing) })
	return server, nil
}

func (s *server) addr() string { return s.listener.Addr().String() }

// run serves until ctx ends.
func (s *server) run(ctx context.Context) error {
	var background sync.WaitGroup
	defer background.Wait()
	listen, stop := context.WithCancel(ctx)
	defer stop()
	if s.changes != nil { // a worker serves its metrics alone
		background.Go(func() { s.changes.Run(listen) })
	}
	if s.watch != nil {
		background.Go(func() { s.watch.monitor.Run(listen) })
	}
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("the web server ended: %w", err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if s.http.Shutdown(end) != nil {
		return s.http.Close()
	}
	return nil
}

// submitter lets the API publish notes.
type submitter struct{ bus *bus.Bus }

func (s submitter) Submit(ctx context.Context, note coding.Note, body []byte) error {
	_, err := s.bus.Submit(ctx, bus.Submission{Source: note.Source, Priority: note.Priority, NoteID: note.NoteID, Body: body})
	return err
}

// known lets the API see which body of a note was received before.
type known struct{ store *store.Store }

func (k known) NoteHash(ctx context.Context, source, noteID string) (string, bool, error) {
	sha, err := k.store.NoteSHA256(ctx, source, noteID)
	if errors.Is(err, store.ErrNotFound) {
		return "", false, nil
	}
	return sha, err == nil, err
}
