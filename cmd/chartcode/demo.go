package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"

	"chartcode/internal/bus"
	"chartcode/internal/coding"
	"chartcode/internal/datadir"
	"chartcode/pipeline/intake"
	"chartcode/samples"
)

func demoCommand(o *options) *cobra.Command {
	var reset bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run everything in one process, with sample notes",
		Long: `Starts an embedded NATS server and a private PostgreSQL (or uses those of
CHARTCODE_NATS_URL and CHARTCODE_DATABASE_URL), loads a code set, starts workers
and the review page, publishes invented sample notes, and prints sign-in links.
Ctrl-C stops all of it; the next start goes on with what is there.`,
		Example: "  chartcode demo --reset",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := runDemo(cmd.Context(), o, reset)
			if cmd.Context().Err() != nil && (err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(cmd.Context()))) {
				return nil // told to stop
			}
			return err
		},
	}
	o.addLLMFlags(cmd)
	cmd.Flags().BoolVar(&reset, "reset", false, "start over: remove all notes, decisions and code sets of the data directory")
	return cmd
}

func runDemo(ctx context.Context, o *options, reset bool) error {
	a, err := o.newApp(true)
	if err != nil {
		return err
	}
	defer a.close(true)
	if err := a.checkLLM(pipelineOptions{}); err != nil {
		return err
	}
	listener, err := a.listen(ctx, a.cfg.HTTPAddr, "CHARTCODE_HTTP_ADDR") // before anything slow: a taken port is told at once
	if err != nil {
		return err
	}
	defer listener.Close()
	if reset {
		if err := a.reset(ctx); err != nil {
			return err
		}
	}
	if err := a.openBus(ctx); err != nil {
		return err
	}
	fmt.Printf("nats %s\n", redacted(a.natsURL))
	if err := a.openStore(ctx, migrateSchema, rolesConns); err != nil {
		return err
	}
	dates, notes, err := sampleNotes()
	if err != nil {
		return err
	}
	if err := a.loadCodes(ctx, dates); err != nil {
		return err
	}
	if err := a.embedOrStandIn(ctx); err != nil {
		return err
	}
	knowledge, err := a.newCatalog(ctx)
	if err != nil {
		return err
	}
	a.progress.Step("Loading the terms")
	if _, _, err := knowledge.Ready(ctx); err != nil {
		return databaseError(err)
	}
	a.progress.done()
	s, err := a.serverOn(ctx, listener, knowledge)
	if err != nil {
		return err
	}
	work, err := a.newWorker(knowledge, pipelineOptions{}, 0)
	if err != nil {
		return err
	}
	roles, err := a.watched(ctx, s.run, work, a.relay, a.seal, a.recheck, a.count, a.tidyLLM, a.fillVectors, func(ctx context.Context) error {
		if err := a.publishSamples(ctx, notes); err != nil {
			return err
		}
		return a.announceDemo(ctx, s)
	})
	if err != nil {
		return err
	}
	return a.together(ctx, roles...)
}

// reset removes what the data directory holds.
func (a *app) reset(ctx context.Context) error {
	if a.cfg.DatabaseURL != "" || a.cfg.NATSURL != "" {
		return usagef("--reset removes only the private database and NATS; unset CHARTCODE_DATABASE_URL and CHARTCODE_NATS_URL")
	}
	if err := a.openDir(ctx); err != nil {
		return err
	}
	err := a.dir.Reset(ctx)
	if errors.Is(err, datadir.ErrInUse) {
		return fmt.Errorf("another chartcode command uses %s; end it first", a.dir.Path())
	}
	return err
}

// sampleNotes gives the dates and submissions of the built-in notes.
func sampleNotes() ([]coding.Date, []bus.Submission, error) {
	var dates []coding.Date
	var notes []bus.Submission
	for line, err := range intake.ReadLines(bytes.NewReader(samples.Notes())) {
		if err != nil {
			return nil, nil, err
		}
		note, err := intake.Parse(line.Body, "")
		if err != nil {
			return nil, nil, fmt.Errorf("sample note of line %d: %w", line.Number, err)
		}
		dates = append(dates, note.ServiceDate)
		notes = append(notes, bus.Submission{Source: note.Source, Priority: note.Priority, NoteID: note.NoteID, Body: bytes.Clone(line.Body)})
	}
	return dates, notes, nil
}

// publishSamples sends the sample notes through NATS like any others, and
// waits until the first of them has become a worklist item.
func (a *app) publishSamples(ctx context.Context, notes []bus.Submission) error {
	a.progress.Step("Publishing the sample notes")
	for _, n := range notes {
		if _, err := a.bus.Submit(ctx, n); err != nil {
			return err
		}
	}
	a.progress.Step("Waiting for the first suggestions")
	for {
		counts, err := a.store.Counts(ctx)
		if err != nil {
			return databaseError(err)
		}
		if counts.Items > 0 {
			a.progress.done()
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// announceDemo prints where the page is and how to sign in.
func (a *app) announceDemo(ctx context.Context, s *server) error {
	links, err := s.auth.DemoLinks(ctx)
	if err != nil {
		return databaseError(err)
	}
	base := "http://" + reachable(s.addr())
	fmt.Printf("ready %s\n", base)
	for _, l := range links {
		fmt.Printf("sign-in %s %s/sign-in?link=%s\n", l.Role, base, l.Token)
	}
	return nil
}

// reachable makes an address that listens everywhere one that a browser on
// this machine can open.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}
