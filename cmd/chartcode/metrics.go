package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"chartcode/internal/throughput"
)

// newFigures gives the figures for managers.
func (a *app) newFigures() (*throughput.Service, error) {
	cfg := throughput.Config{
		Store: a.store, Logger: a.log, Levels: a.cfg.ServiceLevels,
		Calendar: throughput.Calendar{Zone: a.cfg.Timezone, Work: a.cfg.WorkDays},
	}
	if a.bus != nil {
		cfg.Dead = a.deadLetters
	}
	return throughput.New(cfg)
}

// deadLetters gives the number of dead letters and when the oldest came.
func (a *app) deadLetters(ctx context.Context) (n int, oldest time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second) // a page waits for it
	defer cancel()
	_, dead, err := a.bus.Counts(ctx)
	if err != nil || dead == 0 {
		return int(dead), time.Time{}, err
	}
	first, err := a.bus.ListDead(ctx, 1, 0)
	if err != nil || len(first) == 0 {
		return int(dead), time.Time{}, err
	}
	return int(dead), first[0].Died, nil
}

// count keeps the figures up to date.
func (a *app) count(ctx context.Context) error {
	figures, err := a.newFigures()
	if err != nil {
		return err
	}
	figures.Run(ctx)
	return nil
}

func metricsCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "metrics",
		Short: "Count the figures of the throughput page anew",
	}
	rebuild := &cobra.Command{
		Use:   "rebuild",
		Short: "Count all figures anew from what happened",
		Long: `Counts the figures of the throughput page anew from notes, suggestions, decisions and
the audit trail. They are kept up to date by themselves, late events included, and are
counted anew at the next start of serve after the time zone (CHARTCODE_TIMEZONE) or the
working days (CHARTCODE_WORKDAYS) changed: this is for doing it now. Until it ends, pages
show the figures of before.`,
		Example: "  chartcode metrics rebuild",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := o.newApp(true)
			if err != nil {
				return err
			}
			defer a.close(false)
			if err := a.openStore(cmd.Context(), checkSchema, 2); err != nil {
				return err
			}
			n, err := a.recount(cmd.Context())
			if err != nil {
				return err
			}
			fmt.Printf("the figures of %d encounters were counted\n", n)
			return nil
		},
	}
	cmd.AddCommand(rebuild)
	return cmd
}

func (a *app) recount(ctx context.Context) (int, error) {
	figures, err := a.newFigures()
	if err != nil {
		return 0, err
	}
	a.progress.Step("Counting encounters")
	n, err := figures.Rebuild(ctx, a.progress.Update)
	if err != nil {
		a.progress.abandon()
		return 0, databaseError(err)
	}
	a.progress.done()
	return n, nil
}
