package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"chartcode/eval/measure"
	"chartcode/eval/report"
)

func reportCommand(o *options) *cobra.Command {
	var compare, notes, out string
	var seed uint64
	cmd := &cobra.Command{
		Use:   "report RUN --out FILE.html",
		Short: "Write a run as one HTML file",
		Long: `Writes figures, charts, confusion between codes and each note with its gold codes, its
suggestions and their evidence to one HTML file that needs no network. The file holds
the notes' texts.`,
		Example: "  chartcode eval report 20260315T090000Z-site-local --compare 20260314T100000Z-site-local --out report.html",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				return usagef("--out names the file to write")
			}
			return o.evalReport(args[0], compare, notes, out, seed)
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "file to write")
	f.StringVar(&compare, "compare", "", "another run over the same notes")
	f.StringVar(&notes, "dataset", "", "where the notes are, if they have moved since")
	f.Uint64Var(&seed, "seed", 1, "of the bootstrap")
	return cmd
}

func (o *options) evalReport(id, other, notes, out string, seed uint64) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	r, err := a.evalResults()
	if err != nil {
		return err
	}
	in, err := r.Load(id, notes)
	if err != nil {
		return err
	}
	in.Scores = measure.Score(in.Cases, measure.Options{Seed: seed, Slices: true})
	if other != "" {
		first, err := r.Load(other, notes)
		if err != nil {
			return err
		}
		c, err := measure.Compare(first.Cases, in.Cases, measure.Options{Seed: seed})
		if err != nil {
			return err
		}
		in.Other, in.Comparison = &first.Run, &c
	}
	var b bytes.Buffer
	if err := report.Write(&b, in); err != nil {
		return err
	}
	if err := os.WriteFile(out, b.Bytes(), 0o600); err != nil {
		return openError(out, err)
	}
	fmt.Printf("wrote %s\n", out)
	return nil
}
