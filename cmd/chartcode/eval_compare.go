package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"chartcode/eval/measure"
	"chartcode/eval/results"
)

func compareCommand(o *options) *cobra.Command {
	var notes string
	var asJSON bool
	var seed uint64
	var show int
	cmd := &cobra.Command{
		Use:   "compare A B",
		Short: "Compare two runs over the same notes",
		Long: `Prints what run B does better or worse than run A: the difference of every figure with
its interval from the paired bootstrap over notes (over patients where they are known),
the smallest difference that these notes could show, exact McNemar tests, and the notes
that changed, worst first. A and B are ids of runs or folders.`,
		Example: "  chartcode eval compare 20260314T100000Z-site-local 20260315T090000Z-site-local",
		Args:    cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := o.comparison(args[0], args[1], notes, measure.Options{Seed: seed})
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(os.Stdout).Encode(c)
			}
			fmt.Print(c.Text(show))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&notes, "dataset", "", "where the notes are, if they have moved since")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.IntVar(&show, "changes", 20, "notes that changed to print")
	f.Uint64Var(&seed, "seed", 1, "of the bootstrap")
	return cmd
}

// evalResults reads runs of the data directory.
func (a *app) evalResults() (*results.Results, error) {
	registry, store, err := a.evalStores()
	return results.New(registry, store), err
}

func (o *options) comparison(idA, idB, notes string, mo measure.Options) (measure.Comparison, error) {
	a, err := o.newApp(false)
	if err != nil {
		return measure.Comparison{}, err
	}
	r, err := a.evalResults()
	if err != nil {
		return measure.Comparison{}, err
	}
	first, err := r.Load(idA, notes)
	if err != nil {
		return measure.Comparison{}, err
	}
	second, err := r.Load(idB, notes)
	if err != nil {
		return measure.Comparison{}, err
	}
	return measure.Compare(first.Cases, second.Cases, mo)
}

func gateCommand(o *options) *cobra.Command {
	var baseline, candidate, metric, notes, junit, out string
	var margin float64
	var seed uint64
	var estimate bool
	cmd := &cobra.Command{
		Use:   "gate --baseline A --candidate B",
		Short: "Let a candidate pass, stop it, or say that these notes cannot tell",
		Long: `Decides by the 90% interval of the paired difference of a metric, candidate minus
baseline. Status 0: not worse (its lower bound lies above minus the margin). 1: worse
(its upper bound lies below zero and its estimate below minus the margin). 4: these
notes cannot tell, with how many would be needed.

With --by-estimate the estimate alone decides: worse where it lies below minus the
margin. That is for continuous integration on a few notes that are always the same.`,
		Example: "  chartcode eval gate --baseline A --candidate B --metric micro_f1 --margin 0.03 --junit gate.xml",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if baseline == "" || candidate == "" {
				return usagef("--baseline and --candidate name two runs")
			}
			if margin <= 0 {
				return usagef("--margin is a positive number, such as 0.03")
			}
			judge := measure.Judge
			if estimate {
				judge = measure.JudgeEstimate
			}
			return o.gate(baseline, candidate, notes, judge, metric, margin, seed, junit, out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&baseline, "baseline", "", "run to measure against: id or folder")
	f.StringVar(&candidate, "candidate", "", "run to judge: id or folder")
	f.StringVar(&metric, "metric", "micro_f1", "figure to decide by")
	f.Float64Var(&margin, "margin", 0.03, "how much worse is still not worse")
	f.StringVar(&notes, "dataset", "", "where the notes are, if they have moved since")
	f.StringVar(&junit, "junit", "", "also write JUnit XML to this file")
	f.StringVar(&out, "json", "", "also write JSON to this file")
	f.BoolVar(&estimate, "by-estimate", false, "decide by the estimate, without the interval")
	f.Uint64Var(&seed, "seed", 1, "of the bootstrap")
	return cmd
}

// judge decides on one metric of a comparison.
type judge func(c *measure.Comparison, metric string, margin float64) (measure.Gate, error)

func (o *options) gate(baseline, candidate, notes string, decide judge, metric string, margin float64, seed uint64, junit, out string) error {
	// 2,000 samples steady the ends of the interval, which decide.
	c, err := o.comparison(baseline, candidate, notes, measure.Options{Seed: seed, Level: measure.GateLevel, Samples: 2000})
	if err != nil {
		return err
	}
	g, err := decide(&c, metric, margin)
	if err != nil {
		return &exitError{exitUsage, fmt.Errorf("%s: %w", metric, err)}
	}
	fmt.Println(g.Text())
	for i := range c.Changes {
		if x := &c.Changes[i]; i < 50 {
			fmt.Printf("  %-24s F1 %.2f to %.2f%s\n", x.NoteID, x.A, x.B, x.Text())
		}
	}
	if out != "" {
		b, err := json.MarshalIndent(struct {
			measure.Gate
			Changes []measure.Change `json:"changes"`
		}{g, c.Changes}, "", " ")
		if err != nil {
			return fmt.Errorf("write the decision: %w", err)
		}
		if err := os.WriteFile(out, append(b, '\n'), 0o644); err != nil {
			return openError(out, err)
		}
	}
	if junit != "" {
		b, err := g.JUnit(c.Changes)
		if err != nil {
			return fmt.Errorf("write the decision: %w", err)
		}
		if err := os.WriteFile(junit, b, 0o644); err != nil {
			return openError(junit, err)
		}
	}
	switch g.Decision {
	case measure.Worse:
		return errors.New("the candidate is worse")
	case measure.CannotTell:
		return unclear("these notes cannot tell")
	}
	return nil
}
