package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"chartcode/eval"
	"chartcode/eval/dataset"
	"chartcode/internal/coding"
)

func datasetCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "dataset", Short: "Gold datasets: list, add, check, show, and make from reviews"}
	var asJSON bool
	list := &cobra.Command{
		Use: "list", Short: "List the datasets that were added", Example: "  chartcode eval dataset list", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return o.datasetList(asJSON) },
	}
	list.Flags().BoolVar(&asJSON, "json", false, "print JSON")

	var about dataset.About
	add := &cobra.Command{
		Use:   "add FILE",
		Short: "Check a file of gold notes and keep it under a name",
		Long: `Reads gold notes as JSON lines, or as CSV with the columns note_id, text, codes and any
of source, patient_id, sex, birth_date, setting, specialty, note_type, service_date,
admit_date, acceptable, first, split; checks them as "dataset check" does, and keeps
them with their hash. A dataset is never changed: other notes need another name.`,
		Example: "  chartcode eval dataset add gold.csv --name site-2026 --licence internal --gold \"two certified coders, adjudicated\" --edition FY2026",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.datasetAdd(cmd.Context(), args[0], about)
		},
	}
	f := add.Flags()
	f.StringVar(&about.Name, "name", "", "name; by default the file's")
	f.StringVar(&about.Licence, "licence", "", "what may be done with the notes")
	f.StringVar(&about.Gold, "gold", "", "how the codes were made, and by whom")
	f.StringVar(&about.Edition, "edition", "", "of the codes, such as FY2026")
	f.StringVar(&about.Chosen, "chosen", "", "how the notes were chosen")

	check := &cobra.Command{
		Use:   "check NAME|FILE",
		Short: "Look for unknown codes, evidence that is not in the note, duplicates",
		Long: `Prints what is wrong with gold notes: codes that are unknown or headers on the date of
service, evidence that is not in the note, ids, texts or codes that are there twice,
one patient in two splits. It ends with status 3 where there are errors.`,
		Example: "  chartcode eval dataset check eval/datasets/sample-notes.jsonl", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return o.datasetCheck(cmd.Context(), args[0]) },
	}
	show := &cobra.Command{
		Use: "show NAME|FILE", Short: "Show a dataset's hash, origin and counts", Example: "  chartcode eval dataset show site-2026", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return o.datasetShow(args[0]) },
	}

	var out, style string
	var blind int
	var judged bool
	var sample int64
	var seed uint64
	reviews := &cobra.Command{
		Use:   "from-reviews --out FILE",
		Short: "Make gold notes of finished reviews, or draw a random sample to be coded blind",
		Long: `Writes the notes of finished reviews with their final codes as gold. Notes judged or
finished by auditors come first; where an auditor judged a review, the judgement's
codes are the gold. Coders saw suggestions before they decided, so accepted is not
the same as correct: the command says how the notes were chosen.

With --blind N it draws N finished notes at random and writes them without codes and
without suggestions, to be coded by somebody who sees neither.

With --judged it writes the cases of audit samples that an auditor judged: drawn at
random, coded again blind, and adjudicated. The notes are as they were drawn.`,
		Example: "  chartcode eval dataset from-reviews --out reviews.jsonl\n  chartcode eval dataset from-reviews --judged --out adjudicated.jsonl\n  chartcode eval dataset from-reviews --blind 200 --seed 7 --out to-code.jsonl", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usagef("--out names the file to write")
			}
			switch {
			case judged && blind > 0:
				return usagef("--judged and --blind are two ways to choose; give one")
			case sample != 0 && !judged, sample < 0:
				return usagef("--sample is the number of an audit sample, with --judged")
			case judged:
				return o.datasetFromAudits(cmd.Context(), out, sample)
			}
			return o.datasetFromReviews(cmd.Context(), coding.Style(style), out, blind, seed)
		},
	}
	f = reviews.Flags()
	f.StringVar(&out, "out", "", "file to write")
	f.StringVar(&style, "coding-style", string(coding.Billing), "of the suggestions that were reviewed: billing or mentions")
	f.IntVar(&blind, "blind", 0, "draw so many notes, without codes")
	f.BoolVar(&judged, "judged", false, "the judged cases of audit samples alone")
	f.Int64Var(&sample, "sample", 0, "with --judged: of this audit sample only")
	f.Uint64Var(&seed, "seed", 1, "of the draw")

	cmd.AddCommand(list, add, check, show, reviews)
	return cmd
}

func (o *options) datasetList(asJSON bool) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	registry, _, err := a.evalStores()
	if err != nil {
		return err
	}
	all, err := registry.List()
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(all)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tNOTES\tCODES\tEDITION\tADDED\tSHA-256")
	for _, d := range all {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\t%.12s\n", d.Name, d.Notes, d.Codes, d.Edition, d.Added.Format(time.DateOnly), d.SHA256)
	}
	return w.Flush()
}

// jsonLines gives a file of gold notes as JSON lines.
func jsonLines(file string) ([]byte, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, openError(file, err)
	}
	if strings.EqualFold(filepath.Ext(file), ".csv") {
		return dataset.FromCSV(bytes.NewReader(b))
	}
	return b, nil
}

func (o *options) datasetAdd(ctx context.Context, file string, about dataset.About) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	defer a.close(false)
	registry, _, err := a.evalStores()
	if err != nil {
		return err
	}
	notes, err := jsonLines(file)
	if err != nil {
		return err
	}
	if about.Name == "" {
		about.Name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	}
	temp, err := os.CreateTemp("", "chartcode-dataset-*.jsonl")
	if err != nil {
		return fmt.Errorf("a temporary file cannot be made: %w", err)
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // a temporary file that stays does no harm
	if _, err = temp.Write(notes); err == nil {
		err = temp.Close()
	}
	if err != nil {
		return fmt.Errorf("a temporary file cannot be written: %w", err)
	}
	if err := a.checkDataset(ctx, temp.Name()); err != nil {
		return fmt.Errorf("nothing was added: %w", err)
	}
	about.Added = time.Now().UTC().Truncate(time.Second)
	if about, err = registry.Add(notes, about); err != nil {
		return err
	}
	fmt.Printf("added %s: %d notes, %d codes, sha256 %s\n", about.Name, about.Notes, about.Codes, about.SHA256)
	return nil
}

func (o *options) datasetCheck(ctx context.Context, name string) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	defer a.close(false)
	registry, _, err := a.evalStores()
	if err != nil {
		return err
	}
	path, _, err := registry.Find(name)
	if err != nil {
		return err
	}
	return a.checkDataset(ctx, path)
}

// checkDataset prints what is wrong, and fails where that is an error.
func (a *app) checkDataset(ctx context.Context, path string) error {
	gold, err := dataset.Read(path)
	if err != nil {
		return err
	}
	var dates []coding.Date
	for i := range gold.Notes {
		if d := gold.Notes[i].ServiceDate; !d.IsZero() {
			dates = append(dates, d)
		}
	}
	if err := a.openStore(ctx, migrateSchema, 4); err != nil {
		return err
	}
	if err := a.ensureCodes(ctx, dates); err != nil {
		return err
	}
	codes, err := a.codeTables(ctx, dates)
	if err != nil {
		return err
	}
	a.progress.done()
	notes, problems, err := dataset.Check(path, codes)
	if err != nil {
		return err
	}
	bad := 0
	for _, p := range problems {
		fmt.Println(p)
		if p.Severity == dataset.Error {
			bad++
		}
	}
	fmt.Printf("%d notes, %d errors, %d warnings\n", notes, bad, len(problems)-bad)
	if bad > 0 {
		return partialf("%d errors in %d notes", bad, notes)
	}
	return nil
}

func (o *options) datasetShow(name string) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	registry, _, err := a.evalStores()
	if err != nil {
		return err
	}
	path, about, err := registry.Find(name)
	if err != nil {
		return err
	}
	d, err := dataset.Read(path)
	if err != nil {
		return err
	}
	fmt.Print(about.Text(), d.Text())
	return nil
}

func (o *options) datasetFromReviews(ctx context.Context, style coding.Style, out string, blind int, seed uint64) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	defer a.close(false)
	if err := a.openStore(ctx, migrateSchema, 4); err != nil {
		return err
	}
	gold, counts, err := eval.FromReviews(ctx, a.store, style)
	if err != nil {
		return databaseError(err)
	}
	if len(gold.Notes) == 0 {
		return unclear("no review is finished whose suggestions were made in the style %s", style)
	}
	var b bytes.Buffer
	if blind > 0 {
		at := dataset.Sample(len(gold.Notes), blind, seed)
		if err := writeBlind(&b, gold, at); err != nil {
			return err
		}
		fmt.Printf("%d notes drawn at random (seed %d) from %d notes of finished reviews, without codes and suggestions; their gold is what is coded blind.\n", len(at), seed, len(gold.Notes))
	} else {
		gold.AuditorsFirst()
		if err := writeGold(&b, gold); err != nil {
			return err
		}
		fmt.Printf("how the notes were chosen: every finished review, auditors' first; not a random sample, and coders saw suggestions.\n%s", counts.SelectionText())
	}
	if err := os.WriteFile(out, b.Bytes(), 0o600); err != nil {
		return openError(out, err)
	}
	return nil
}

// datasetFromAudits writes what auditors judged as gold.
func (o *options) datasetFromAudits(ctx context.Context, out string, sample int64) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	defer a.close(false)
	if err := a.openStore(ctx, migrateSchema, 4); err != nil {
		return err
	}
	gold, counts, err := eval.FromAudits(ctx, a.store, sample)
	if err != nil {
		return databaseError(err)
	}
	if len(gold.Notes) == 0 {
		return unclear("no case of an audit sample has been judged: chartcode audit sample draws them")
	}
	var b bytes.Buffer
	if err := writeGold(&b, gold); err != nil {
		return err
	}
	fmt.Print(counts.SelectionText())
	if err := os.WriteFile(out, b.Bytes(), 0o600); err != nil {
		return openError(out, err)
	}
	return nil
}

func writeGold(w io.Writer, gold *dataset.Dataset) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i := range gold.Notes {
		if err := enc.Encode(&gold.Notes[i]); err != nil {
			return fmt.Errorf("write the notes: %w", err)
		}
	}
	return nil
}

// writeBlind writes notes alone, for somebody who is to code them.
func writeBlind(w io.Writer, gold *dataset.Dataset, at []int) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, i := range at {
		line := struct {
			coding.Note
			Codes []dataset.Code `json:"codes"`
			First []string       `json:"first"`
		}{Note: gold.Notes[i].Note, Codes: []dataset.Code{}, First: []string{}}
		if err := enc.Encode(line); err != nil {
			return fmt.Errorf("write the notes: %w", err)
		}
	}
	return nil
}
