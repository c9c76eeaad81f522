package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"chartcode/eval/measure"
	"chartcode/internal/auth"
	"chartcode/internal/qa"
)

// withQuality opens the database for what concerns the quality of codes.
func (o *options) withQuality(ctx context.Context, do func(a *app, q *qa.Service) error) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	defer a.close(false)
	if err := a.openStore(ctx, checkSchema, 4); err != nil {
		return err
	}
	q, err := qa.New(qa.Config{Store: a.store})
	if err != nil {
		return err
	}
	return do(a, q)
}

func auditSampleCommand(o *options) *cobra.Command {
	var d qa.Draw
	var first, last string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "sample",
		Short: "Draw finished reviews at random, to be coded again blind",
		Long: `Draws of each coder's finished reviews a share at random, rounded up. Each becomes a
case: somebody who has never looked at the item codes its notes again on the web page
(Quality) and sees no code meanwhile; an auditor who did neither coding then judges.
chartcode eval agreement and the page People show what comes of it. Days are the
site's (CHARTCODE_TIMEZONE).

Everything that a sample is drawn with is kept with it, and what is drawn follows from
that and from the finished reviews alone: the same command over the same reviews gives
the sample that it gave before. Reviews drawn before can be drawn again: such a review
is the same case in both samples, and is coded again once, as the earlier one asks.
Where every review is a case already, nothing is drawn.`,
		Example: "  chartcode audit sample --rate 0.05 --at-least 2 --from 2026-03-01 --to 2026-03-31\n  chartcode audit sample --rate 0.1 --coder ann --coder ben --to 2026-03-31 --seed 7",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !(d.Rate > 0 && d.Rate <= 1) {
				return usagef("--rate is a share above 0 and at most 1, such as 0.05")
			}
			if d.Recodings < 1 || d.Recodings > 3 || d.AtLeast < 0 {
				return usagef("--recodings is 1, 2 or 3, and --at-least no less than 0")
			}
			return o.withQuality(cmd.Context(), func(a *app, q *qa.Service) error {
				if !cmd.Flags().Changed("seed") {
					d.Seed = qa.RandomSeed()
				}
				var err error
				if d.From, d.Before, err = daysOf(first, last, a.cfg.Timezone); err != nil {
					return err
				}
				s, err := q.Sample(cmd.Context(), auth.ByConsole, d)
				if errors.Is(err, qa.ErrNoReviews) {
					return err
				}
				if err != nil {
					return databaseError(err)
				}
				if asJSON {
					return json.NewEncoder(os.Stdout).Encode(s)
				}
				fmt.Printf("sample %d: %d cases drawn from %d finished reviews (seed %d)", s.ID, s.Cases, s.Eligible, s.Seed)
				if s.Earlier > 0 {
					fmt.Printf(", %d of them in earlier samples too", s.Earlier)
				}
				fmt.Println()
				return nil
			})
		},
	}
	f := cmd.Flags()
	f.Float64Var(&d.Rate, "rate", 0.05, "share of each coder's reviews")
	f.IntVar(&d.AtLeast, "at-least", 1, "reviews of each coder, where there are as many")
	f.StringVar(&first, "from", "", "first `day` on which reviews were finished; without it from the beginning")
	f.StringVar(&last, "to", "", "last `day`; without it until now")
	f.StringVar(&d.Source, "source", "", "items of this source only")
	f.StringSliceVar(&d.Coders, "coder", nil, "`login` of who finished them; may be repeated; without it everybody")
	f.IntVar(&d.Recodings, "recodings", 1, "blind codings of each case")
	f.Int64Var(&d.Seed, "seed", 0, "of the draw; the same one draws the same; without it at random")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// auditAgreement prints what audits say of coders.
func (o *options) auditAgreement(ctx context.Context, sample int64, asJSON bool) error {
	return o.withQuality(ctx, func(_ *app, q *qa.Service) error {
		p, err := q.People(ctx, sample)
		if err != nil {
			return databaseError(err)
		}
		practice, err := q.Practice(ctx)
		if err != nil {
			return databaseError(err)
		}
		if asJSON {
			return json.NewEncoder(os.Stdout).Encode(struct {
				qa.People
				Practice qa.Practice `json:"practice"`
			}{p, practice})
		}
		fmt.Print(p.Text(), practice.Text())
		return nil
	})
}

func practiceCommand(o *options) *cobra.Command {
	var notes string
	var rate float64
	var seed uint64
	cmd := &cobra.Command{
		Use:   "practice RUN",
		Short: "Make practice notes of a run, with wrong suggestions seeded among its own",
		Long: `Keeps the notes of an evaluation run as practice notes: coders find them under
Quality, with what the run suggested and, at the site's rate (CHARTCODE_PRACTICE_RATE),
plainly wrong suggestions among that. How many of those are accepted is automation
bias; the page People and chartcode eval agreement show it. Practice notes are no items:
they are never announced, exported, learned from or counted as work. Use notes that
may be shown to coders.`,
		Example: "  chartcode eval practice 20260315T090000Z-sample-notes-local --rate 0.15",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.withQuality(cmd.Context(), func(a *app, q *qa.Service) error {
				if !cmd.Flags().Changed("rate") {
					rate = a.cfg.PracticeRate
				}
				if !(rate >= 0 && rate <= 1) {
					return usagef("--rate is a number from 0 to 1")
				}
				r, err := a.evalResults()
				if err != nil {
					return err
				}
				in, err := r.Load(args[0], notes)
				if err != nil {
					return err
				}
				made := qa.MakePractice(&in.Run, in.Notes, in.Cases, in.Titles, rate, seed)
				suggested, seeded := 0, 0
				for i := range made {
					for _, g := range made[i].Suggested {
						suggested++
						if g.Seeded {
							seeded++
						}
					}
				}
				added, err := q.AddPractice(cmd.Context(), auth.ByConsole, made)
				if err != nil {
					return databaseError(err)
				}
				fmt.Printf("%d practice notes, %d of them new: %d suggestions, of which %d seeded to be wrong\n", len(made), added, suggested, seeded)
				return nil
			})
		},
	}
	cmd.Flags().Float64Var(&rate, "rate", 0, "wrong suggestions for each suggestion (CHARTCODE_PRACTICE_RATE)")
	cmd.Flags().StringVar(&notes, "dataset", "", "where the notes are, if they have moved since")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "of what is seeded")
	return cmd
}

func driftCommand(o *options) *cobra.Command {
	var first, last string
	var reference, perWeek int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "drift",
		Short: "Show how what coders do with suggestions changes from week to week",
		Long: `Prints for each week the share of suggestions that coders accepted, their mean
confidence, the median rank at which retrieval had their codes, and the reasons of
rejections, each compared with the first weeks; and warns of a change of the share
accepted, the confidence or the rank that chance does not explain. Weeks begin on Monday, UTC.`,
		Example: "  chartcode eval drift --from 2026-01-01 --reference 4",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if reference < 1 || perWeek < 0 {
				return usagef("--reference is a number of weeks, at least 1, and --per-week no less than 0")
			}
			return o.withQuality(cmd.Context(), func(a *app, q *qa.Service) error {
				from, to, err := daysOf(first, last, a.cfg.Timezone)
				if err != nil {
					return err
				}
				d, err := q.Drift(cmd.Context(), from, to, perWeek, reference)
				if err != nil {
					return databaseError(err)
				}
				if asJSON {
					return json.NewEncoder(os.Stdout).Encode(d)
				}
				fmt.Printf("%d finished items\n%s", d.Items, measure.DriftText(&d.Drifting))
				return nil
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&first, "from", "", "first `day` on which items were finished; without it from the beginning")
	f.StringVar(&last, "to", "", "last `day`; without it until now")
	f.IntVar(&reference, "reference", 4, "weeks, from the first, that the others are compared with")
	f.IntVar(&perWeek, "per-week", 0, "items of each week at most, drawn at random; 0: all")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
