package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"chartcode/internal/auth"
	"chartcode/internal/coding"
	"chartcode/internal/simulate"
)

type simulateOptions struct {
	days, coders, notes int
	seed                uint64
	until               string
}

func simulateCommand(o *options) *cobra.Command {
	var so simulateOptions
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Fill an empty database with an invented month of work",
		Long: `Invents notes, suggestions and what a team of coders did with them: weekends, more notes
on Mondays, a day on which the LLM is out, and one coder who accepts everything. It is
for looking at the throughput page, and for trials. It refuses a database that has any
notes; use a data directory of its own. With --until, the same flags and seed invent the
same work; without it the work ends now, and is other work each time.`,
		Example: `  chartcode simulate --data-dir /tmp/month
  chartcode simulate --data-dir /tmp/small --days 14 --coders 6 --notes 2000 --until 2026-03-14T16:00`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := o.newApp(true)
			if err != nil {
				return err
			}
			defer a.close(false)
			until := time.Now()
			if so.until != "" {
				if until, err = time.ParseInLocation("2006-01-02T15:04", so.until, a.cfg.Timezone); err != nil {
					return usagef("--until must be a moment such as 2026-03-14T16:00")
				}
			}
			if so.days < 1 || so.days > 3650 || so.coders < 2 || so.coders > 99 || so.notes < 1 {
				return usagef("there must be 1-3650 days, 2-99 coders and at least one note")
			}
			if err := a.openStore(cmd.Context(), checkSchema, 2); err != nil {
				return err
			}
			return a.simulate(cmd.Context(), so, until)
		},
	}
	cmd.Flags().IntVar(&so.days, "days", 30, "how many days until the end")
	cmd.Flags().IntVar(&so.coders, "coders", 30, "how many coders")
	cmd.Flags().IntVar(&so.notes, "notes", 60_000, "how many notes come in")
	cmd.Flags().Uint64Var(&so.seed, "seed", 1, "another number invents other work")
	cmd.Flags().StringVar(&so.until, "until", "", "the end, in the site's time zone, such as 2026-03-14T16:00; now without it")
	return cmd
}

var errHasNotes = errors.New("this database has notes already; use an empty one, such as that of another --data-dir")

func (a *app) simulate(ctx context.Context, so simulateOptions, until time.Time) error {
	has, err := a.store.HasNotes(ctx)
	if err != nil {
		return databaseError(err)
	}
	if has {
		return errHasNotes
	}
	a.progress.Step("Inventing notes")
	began := time.Now()
	r, err := simulate.Run(ctx, simulate.Config{
		Until: until, Days: so.days, Coders: so.coders, Notes: so.notes, Seed: so.seed, Zone: a.cfg.Timezone,
		Write: a.store.WriteStories, Progress: a.progress.Update,
	})
	if err != nil {
		a.progress.abandon()
		if errors.Is(err, simulate.ErrNoTime) {
			return usagef("with --days 1 the end must be later than midnight")
		}
		return databaseError(err)
	}
	a.progress.done()
	for day, spend := range r.Spending {
		if err := a.store.SettleLLM(ctx, day, spend); err != nil {
			return databaseError(err)
		}
	}
	for _, c := range r.Coders {
		u := coding.User{Login: c.Login, Name: c.Name, Role: coding.RoleCoder, CreatedAt: r.From}
		ev := coding.AuditEvent{At: time.Now().UTC(), Actor: auth.ByConsole, Action: "user.added", Target: c.Login}
		// Without a password nobody signs in as one of them.
		if _, _, err := a.store.AddUser(ctx, u, "", ev); err != nil {
			return databaseError(err)
		}
	}
	if _, err := a.recount(ctx); err != nil {
		return err
	}
	const minute = "2006-01-02 15:04"
	fmt.Printf("invented in %s: %d notes in %d encounters, finished %d times, from %s to %s\n", time.Since(began).Round(time.Second), r.Notes, r.Items, r.Finished,
		r.From.Format(minute), until.In(a.cfg.Timezone).Format(minute))
	fmt.Printf("the LLM is out from %s to %s; %s accepts everything\n", r.OutageFrom.Format(minute), r.OutageTo.Format(minute), r.Eager)
	return nil
}
