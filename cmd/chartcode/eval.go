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
	"chartcode/internal/learned"
	"chartcode/pipeline/rank"
	"chartcode/pipeline/retrieve"
	"chartcode/pipeline/segment"
)

// defaultTestdata is where data for measuring lies beside the repository.
const defaultTestdata = "../shared"

func defaultDataset() string {
	dir := os.Getenv("CHARTCODE_TESTDATA")
	if dir == "" {
		dir = defaultTestdata
	}
	return filepath.Join(dir, "eval", "codiesp-train.jsonl")
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
			return o.measure(cmd.Context(), dataset, nil, func(ctx context.Context, a *app, m measured) error {
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

	var labels string
	var notes []string
	var byNote, cv bool
	shown := &cobra.Command{
		Use:   "shown",
		Short: "Score what the program suggests on labelled notes",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.measure(cmd.Context(), labels, notes, func(ctx context.Context, a *app, m measured) error {
				models, err := learned.Default()
				if err != nil {
					return err
				}
				res, err := m.data.Suggested(ctx, models, coding.Billing, func(int) bool { return true })
				if err != nil {
					return err
				}
				show := func(name string, res []eval.Result) {
					s := eval.Score(res)
					fmt.Printf("%s: notes %d required %d recall@10/50/100/200 %.3f %.3f %.3f  P %.3f R %.3f F1 %.3f first %d/%d shown %d ece %.3f\n", name, s.Notes, s.Gold, s.Recall(10), s.Recall(50), s.Recall(100), s.Precision(), s.ShownRecall(), s.F1(), s.FirstRight, s.FirstAsked, s.Right+s.Acceptable+s.Wrong, s.ECE)
				}
				show("shipped", res)
				if cv {
					for _, fa := range []float64{0.15, 0.2, 0.25, 0.3, 0.4, 2} {
						rank.FirstAlone = fa
						r, sel, err := eval.Practice(ctx, m.data, eval.PracticeConfig{Order: models, Rank: eval.DefaultPractice(), Folds: 5})
						if err != nil {
							return err
						}
						show(fmt.Sprint("cv ", fa, sel), r)
						if fa == 0.25 {
							res = r
						}
					}
				}
				a.progress.done()
				if byNote {
					fmt.Print(eval.ByNote(res, m.data.Table))
				}
				s := eval.Score(res)
				fmt.Printf("notes %d required %d recall@10/50/100/200 %.3f %.3f %.3f  P %.3f R %.3f F1 %.3f first %d/%d shown %d\n", s.Notes, s.Gold, s.Recall(10), s.Recall(50), s.Recall(100), s.Precision(), s.ShownRecall(), s.F1(), s.FirstRight, s.FirstAsked, s.Right+s.Acceptable+s.Wrong)
				return nil
			})
		},
	}
	shown.Flags().StringVar(&labels, "dataset", "eval/datasets/guideline-dev.jsonl", "")
	shown.Flags().StringSliceVar(&notes, "notes", []string{"../shared/notes/aci-bench.jsonl", "../shared/notes/mtsamples.jsonl"}, "")
	shown.Flags().BoolVar(&cv, "cv", false, "")
	shown.Flags().BoolVar(&byNote, "by-note", false, "")
	cmd.AddCommand(shown)

	var out string
	var number int
	train := &cobra.Command{
		Use:     "train",
		Short:   "Train the models of the local ranker",
		Long:    "Trains order and ranker on all notes of a dataset and writes them, with the record of\nhow they were made and their cross-validated figures, to a file.",
		Example: "  chartcode eval train --version 2 --out models.json.gz",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.measure(cmd.Context(), dataset, nil, func(ctx context.Context, a *app, m measured) error {
				return a.train(ctx, m, dataset, out, number)
			})
		},
	}
	train.Flags().StringVar(&dataset, "dataset", defaultDataset(), "notes with codes, as JSON lines")
	train.Flags().StringVar(&out, "out", "models.json.gz", "file to write")
	train.Flags().IntVar(&number, "version", 1, "of the models: the N of local@N")

	cmd.AddCommand(accuracy, train)
	return cmd
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
func (o *options) measure(ctx context.Context, dataset string, notes []string, f func(ctx context.Context, a *app, m measured) error) error {
	a, err := o.newApp(true)
	if err != nil {
		return err
	}
	defer a.close(false)
	gold, err := eval.ReadDataset(dataset, notes...)
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
