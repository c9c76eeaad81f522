package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"chartcode/eval"
	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/pipeline/retrieve"
	"chartcode/pipeline/segment"
)

// defaultTestdata is where data for measuring lies beside the repository.
const defaultTestdata = "../shared"

func defaultDataset() string { return filepath.Join(testdataDir(), "eval", "codiesp-train.jsonl") }

// testdataDir is where data for measuring lies.
func testdataDir() string {
	if dir := os.Getenv("CHARTCODE_TESTDATA"); dir != "" {
		return dir
	}
	return defaultTestdata
}

func evalCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "eval", Short: "Measure accuracy on notes coded by people"}
	var dataset string
	var ablation bool
	accuracy := &cobra.Command{
		Use:   "accuracy",
		Short: "Measure the local ranker by cross-validation",
		Long: `Trains the local ranker on four fifths of the notes and measures it on the rest,
five times, by article, in the coding style mentions, through the same retrieval
and ranking as in production.`,
		Example: "  chartcode eval accuracy --dataset notes-with-codes.jsonl --ablation",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.measure(cmd.Context(), dataset, func(ctx context.Context, a *app, m measured) error {
				rep, err := eval.Accuracy(ctx, eval.Config{Data: m.data, Fit: eval.DefaultFit(coding.Mentions), Ablation: ablation, Progress: a.evalProgress})
				a.progress.done()
				if err == nil {
					fmt.Print(rep.Text())
				}
				return err
			})
		},
	}
	accuracy.Flags().StringVar(&dataset, "dataset", defaultDataset(), "notes with codes, as JSON lines")
	accuracy.Flags().BoolVar(&ablation, "ablation", false, "also measure with each part left out in turn")

	var out string
	var number int
	train := &cobra.Command{
		Use:     "train",
		Short:   "Train the models of the local ranker",
		Long:    "Trains order and ranker on all notes of a dataset and writes them, with the record of\nhow they were made and their cross-validated figures, to a file.",
		Example: "  chartcode eval train --version 2 --out models.json.gz",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.measure(cmd.Context(), dataset, func(ctx context.Context, a *app, m measured) error {
				return a.train(ctx, m, dataset, out, number)
			})
		},
	}
	train.Flags().StringVar(&dataset, "dataset", defaultDataset(), "notes with codes, as JSON lines")
	train.Flags().StringVar(&out, "out", "models.json.gz", "file to write")
	train.Flags().IntVar(&number, "version", 1, "of the models: the N of local@N")

	var top int
	rules := &cobra.Command{
		Use:   "rules",
		Short: "Measure how much of what people coded the coding rules flag",
		Long: `Checks the codes that people gave to each note by the coding rules and prints, for
each rule, how many codes or pairs of codes it flags, which share that is, and
which are flagged most. The order of the codes in a dataset says nothing, so
rules about it are silent.`,
		Example: "  chartcode eval rules --dataset notes-with-codes.jsonl --top 20",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.evalRules(cmd.Context(), dataset, top)
		},
	}
	rules.Flags().StringVar(&dataset, "dataset", defaultDataset(), "notes with codes, as JSON lines")
	rules.Flags().IntVar(&top, "top", 5, "most frequent codes or pairs to name for each rule")

	cmd.AddCommand(accuracy, train, rules)
	return cmd
}

func (o *options) evalRules(ctx context.Context, dataset string, top int) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	defer a.close(false)
	gold, err := eval.ReadDataset(dataset)
	if err != nil {
		return err
	}
	if err := a.openStore(ctx, migrateSchema, 2*runtime.NumCPU()+2); err != nil {
		return err
	}
	if err := a.ensureCodes(ctx, nil); err != nil {
		return err
	}
	knowledge, err := a.newCatalog(ctx)
	if err != nil {
		return err
	}
	tables, err := knowledge.At(ctx, []coding.System{coding.ICD10CM}, coding.Date{})
	a.progress.done()
	if err != nil {
		return databaseError(err)
	}
	if tables.Main == nil {
		return errNoCodes
	}
	rep := eval.Rules(gold, tables.Main, tables.Validator)
	fmt.Print(rep.Text(top))
	return nil
}

// measured is what measuring works on.
type measured struct {
	data  *eval.Data
	terms int
}

func (a *app) evalProgress(done, of int, what string) {
	a.progress.Step(fmt.Sprintf("Fold %d of %d: %s", done+1, of, what))
}

// measure loads code sets and dataset and runs f.
func (o *options) measure(ctx context.Context, dataset string, f func(ctx context.Context, a *app, m measured) error) error {
	a, err := o.newApp(true)
	if err != nil {
		return err
	}
	defer a.close(false)
	gold, err := eval.ReadDataset(dataset)
	if err != nil {
		return err
	}
	table, terms, err := a.newestTable(ctx)
	if err != nil {
		return err
	}
	embedder, err := a.embedder(ctx)
	if err != nil {
		return err
	}
	a.progress.Step("Reading the notes")
	r, err := retrieve.New(retrieve.Config{Terms: terms, Embedder: embedder, Searcher: a.store})
	if err != nil {
		return err
	}
	data, err := eval.NewData(r, table, gold, segment.Segment)
	if err != nil {
		return err
	}
	return f(ctx, a, measured{data, len(terms)})
}

// newestTable loads the newest ICD-10-CM release into the database if it is
// missing, and from there.
func (a *app) newestTable(ctx context.Context) (*codeset.Table, []coding.Term, error) {
	if err := a.openStore(ctx, migrateSchema, 2*runtime.NumCPU()+2); err != nil {
		return nil, nil, err
	}
	if err := a.ensureCodes(ctx, nil); err != nil {
		return nil, nil, err
	}
	releases, err := a.store.Releases(ctx)
	if err != nil {
		return nil, nil, databaseError(err)
	}
	rel, _, ok := codeset.Releases(releases).Pick(coding.ICD10CM, coding.Date{})
	if !ok {
		return nil, nil, errNoCodes
	}
	codes, err := a.store.Codes(ctx, rel.ID)
	if err != nil {
		return nil, nil, databaseError(err)
	}
	terms, err := a.store.Terms(ctx, coding.ICD10CM)
	if err != nil {
		return nil, nil, databaseError(err)
	}
	return codeset.NewTable(rel, codes), terms, nil
}

func (a *app) train(ctx context.Context, m measured, dataset, out string, number int) error {
	embedder, err := a.embedder(ctx)
	if err != nil {
		return err
	}
	models, rep, err := eval.Train(ctx, eval.TrainConfig{
		Data: m.data, Dataset: dataset, Command: "chartcode " + strings.Join(os.Args[1:], " "), Version: number,
		Terms: m.terms, Vectors: embedder.Name(), Progress: a.evalProgress,
	})
	a.progress.done()
	if err != nil {
		return err
	}
	b, err := models.Bytes()
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, b, 0o644); err != nil {
		return openError(out, err)
	}
	fmt.Print(rep.Text())
	return nil
}
