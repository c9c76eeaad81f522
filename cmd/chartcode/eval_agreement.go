package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"chartcode/eval/dataset"
	"chartcode/eval/measure"
)

func agreementCommand(o *options) *cobra.Command {
	var truth string
	var seed uint64
	var asJSON bool
	var sample int64
	cmd := &cobra.Command{
		Use:   "agreement [A B [MORE...]]",
		Short: "Measure how far coders agree, and how often each is right",
		Long: `Without files: of the audits in the database (chartcode audit sample), agreement of
reviews and blind codings, of each two people, the accuracy of each coder against what
auditors judged right, and the chapters in which training would help.

With files: reads two or more codings of the same notes as JSON lines (note_id and codes, first where
it is known, else the first of codes is first-listed; text is not needed), one coder a
file, and prints Cohen's kappa for each two, Krippendorff's alpha over all, and with
--gold the accuracy of each coder, with intervals over notes. A note that a coder did
not code is missing, not empty.`,
		Example: "  chartcode eval agreement\n  chartcode eval agreement anna.jsonl ben.jsonl --gold adjudicated.jsonl",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return usagef("one coding agrees with nothing: name two or more, or none for the audits in the database")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				if truth != "" {
					return usagef("--gold goes with files")
				}
				return o.auditAgreement(cmd.Context(), sample, asJSON)
			}
			rep, err := agreement(args, truth, seed)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(os.Stdout).Encode(rep)
			}
			fmt.Print(rep.Text())
			return nil
		},
	}
	cmd.Flags().StringVar(&truth, "gold", "", "adjudicated codes to measure each coder against")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "of the bootstrap")
	cmd.Flags().Int64Var(&sample, "sample", 0, "without files: the audits of this sample alone")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func agreement(files []string, truth string, seed uint64) (measure.AgreementReport, error) {
	o := measure.Options{Seed: seed}
	codings := map[string][]measure.Coding{}
	notes := map[string][]dataset.Note{}
	var coders []string
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), filepath.Ext(f))
		if codings[name] != nil {
			name = f
		}
		list, err := dataset.ReadCodings(f)
		if err != nil {
			return measure.AgreementReport{}, err
		}
		coders = append(coders, name)
		notes[name] = list
		for i := range list {
			codings[name] = append(codings[name], coding1(&list[i]))
		}
	}
	rep := measure.AgreementReport{Coders: []measure.CoderAccuracy{}}
	var err error
	if rep.Agreement, err = measure.Agree(coders, codings, o); err != nil || truth == "" {
		return rep, err
	}
	gold, err := dataset.ReadCodings(truth)
	if err != nil {
		return rep, err
	}
	for _, name := range coders {
		rep.Coders = append(rep.Coders, measure.CoderAccuracy{Coder: name, Scores: measure.Score(coderCases(notes[name], gold), o)})
	}
	return rep, nil
}

func coding1(n *dataset.Note) measure.Coding {
	c := measure.Coding{NoteID: n.NoteID}
	for _, g := range n.Codes {
		if c.First == "" {
			c.First = g.Code
		}
		c.Codes = append(c.Codes, g.Code)
	}
	if len(n.First) > 0 {
		c.First = n.First[0]
	}
	return c
}

// coderCases puts a coder's codes where suggestions stand: those of the notes
// that have gold.
func coderCases(notes, gold []dataset.Note) []measure.Case {
	at := map[string]*dataset.Note{}
	for i := range gold {
		at[gold[i].NoteID] = &gold[i]
	}
	var out []measure.Case
	for i := range notes {
		g := at[notes[i].NoteID]
		if g == nil {
			continue
		}
		c := measure.Case{NoteID: g.NoteID, Setting: string(g.Setting), Specialty: g.Specialty, First: g.First}
		c.Cluster = cmp.Or(g.Group, g.Patient.ID)
		required, _ := g.Gold()
		for _, x := range g.Codes {
			if required[x.Code] {
				c.Required = append(c.Required, x.Code)
			} else {
				c.Acceptable = append(c.Acceptable, x.Code)
			}
		}
		me := coding1(&notes[i])
		if me.First != "" {
			c.Shown = append(c.Shown, measure.Shown{Code: me.First})
		}
		for _, code := range me.Codes {
			if code != me.First {
				c.Shown = append(c.Shown, measure.Shown{Code: code})
			}
		}
		out = append(out, c)
	}
	return out
}
