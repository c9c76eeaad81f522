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

// defaultLabels are the files of labels in eval/datasets of the repository.
func defaultLabels(name string) string { return filepath.Join("eval", "datasets", name) }

func labelledNotes() []string {
	dir := os.Getenv("CHARTCODE_TESTDATA")
	if dir == "" {
		dir = defaultTestdata
	}
	return []string{filepath.Join(dir, "notes", "aci-bench.jsonl"), filepath.Join(dir, "notes", "mtsamples.jsonl")}
}

// evalFiles are the datasets that accuracy and train work on.
type evalFiles struct {
	mentions, billing, heldOut string
	places                     string
	notes                      []string
}

func (f *evalFiles) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.mentions, "dataset", defaultDataset(), "notes with every mention coded, as JSON lines")
	cmd.Flags().StringVar(&f.places, "places", defaultLabels("evidence-places.jsonl"), "places of these notes that were judged by reading, which teach what evidence supports a code; empty: none")
	cmd.Flags().StringVar(&f.billing, "billing", defaultLabels("guideline-dev.jsonl"), "notes coded as for a bill, or labels of them; empty: none")
	cmd.Flags().StringSliceVar(&f.notes, "notes", labelledNotes(), "where the texts of labelled notes are")
}

func evalCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "eval", Short: "Measure accuracy on notes coded by people"}
	var f evalFiles
	var style, shown string
	var ablation, byNote bool
	accuracy := &cobra.Command{
		Use:   "accuracy",
		Short: "Measure the local ranker by cross-validation",
		Long: `Trains the local ranker on four fifths of the notes and measures it on the rest,
five times, through the same retrieval and ranking as in production: in the
coding style mentions on a dataset in which every mention is coded, in the style
billing on notes coded as for a bill. Then scores what the program as it is
suggests for bills on notes that nothing was trained on.`,
		Example: "  chartcode eval accuracy --ablation\n  chartcode eval accuracy --style billing --by-note",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if style != "" && style != string(coding.Mentions) && style != string(coding.Billing) {
				return usagef("--style is mentions or billing; without it both are measured")
			}
			return o.measure(cmd.Context(), func(ctx context.Context, a *app, m *measured) error {
				if style != string(coding.Billing) {
					if err := m.accuracy(ctx, f, ablation, shown); err != nil {
						return err
					}
				}
				if style != string(coding.Mentions) {
					return m.billing(ctx, f, byNote)
				}
				return nil
			})
		},
	}
	f.flags(accuracy)
	accuracy.Flags().StringVar(&f.heldOut, "held-out", defaultLabels("guideline-test.jsonl"), "notes coded as for a bill that nothing was trained on; empty: none")
	accuracy.Flags().StringVar(&style, "style", "", "coding style: mentions or billing (default both)")
	accuracy.Flags().BoolVar(&ablation, "ablation", false, "also measure with each part left out in turn")
	accuracy.Flags().StringVar(&shown, "shown", "", "write each suggestion in the style mentions, made by models that did not see its note, with the places of its evidence to this `file`, to be judged by reading")
	accuracy.Flags().BoolVar(&byNote, "by-note", false, "also list the codes of each note coded as for a bill: right, wrong, missed")

	var tf evalFiles
	var out string
	var number int
	train := &cobra.Command{
		Use:     "train",
		Short:   "Train the models of the local ranker",
		Long:    "Trains order and rankers on all notes of the datasets and writes them, with the record of\nhow they were made and their cross-validated figures, to a file.",
		Example: "  chartcode eval train --version 2 --out models.zip",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.measure(cmd.Context(), func(ctx context.Context, a *app, m *measured) error {
				return m.train(ctx, tf, out, number)
			})
		},
	}
	tf.flags(train)
	train.Flags().StringVar(&out, "out", "models.zip", "file to write")
	train.Flags().IntVar(&number, "version", 1, "of the models: the N of local@N")

	var dataset string
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

	cmd.AddCommand(datasetCommand(o), evalRunCommand(o), compareCommand(o), gateCommand(o), reportCommand(o), agreementCommand(o), practiceCommand(o), driftCommand(o), accuracy, train, evalEvidenceCommand(o), rules)
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
	app       *app
	retriever *retrieve.Retriever
	table     *codeset.Table
	terms     int
}

func (a *app) evalProgress(done, of int, what string) {
	a.progress.Step(fmt.Sprintf("Fold %d of %d: %s", done+1, of, what))
}

// measure loads code sets and runs f.
func (o *options) measure(ctx context.Context, f func(ctx context.Context, a *app, m *measured) error) error {
	a, err := o.newApp(true)
	if err != nil {
		return err
	}
	defer a.close(false)
	table, terms, err := a.newestTable(ctx)
	if err != nil {
		return err
	}
	embedder, err := a.embedder(ctx)
	if err != nil {
		return err
	}
	r, err := retrieve.New(retrieve.Config{Terms: terms, Embedder: embedder, Searcher: a.store})
	if err != nil {
		return err
	}
	return f(ctx, a, &measured{a, r, table, len(terms)})
}

// data reads and segments a dataset.
func (m *measured) data(path string, notes ...string) (*eval.Data, error) {
	gold, err := eval.ReadDataset(path, notes...)
	if err != nil {
		return nil, err
	}
	m.app.progress.Step("Reading the notes of " + filepath.Base(path))
	return eval.NewData(m.retriever, m.table, gold, segment.Segment)
}

// mentions reads the notes with every mention coded and the judged places of them.
func (m *measured) mentions(f evalFiles) (*eval.Data, error) {
	data, err := m.data(f.mentions)
	if err != nil || f.places == "" {
		return data, err
	}
	places, err := eval.ReadPlaces(f.places)
	if err != nil {
		return nil, openError(f.places, err)
	}
	data.Judge(places)
	return data, nil
}

func (m *measured) accuracy(ctx context.Context, f evalFiles, ablation bool, shown string) error {
	data, err := m.mentions(f)
	if err != nil {
		return err
	}
	rep, err := eval.Accuracy(ctx, eval.Config{Data: data, Fit: eval.DefaultFit(coding.Mentions), Ablation: ablation, Progress: m.app.evalProgress})
	m.app.progress.done()
	if err != nil {
		return err
	}
	fmt.Printf("mentions, %s\n%s\n", filepath.Base(f.mentions), rep.Text())
	if shown == "" {
		return nil
	}
	if err := os.WriteFile(shown, eval.ShownLines(rep.Results), 0o644); err != nil {
		return openError(shown, err)
	}
	return nil
}

func (m *measured) billing(ctx context.Context, f evalFiles, byNote bool) error {
	models, err := learned.Default()
	if err != nil {
		return err
	}
	if f.billing != "" {
		data, err := m.data(f.billing, f.notes...)
		if err != nil {
			return err
		}
		rep, err := eval.Billing(ctx, eval.BillingConfig{Data: data, Order: models, Progress: m.app.evalProgress})
		if err != nil {
			return err
		}
		m.app.progress.done()
		if byNote {
			fmt.Print(eval.ByNote(rep.Results, m.table))
		}
		fmt.Printf("billing, %s: %d notes, %d folds by note\n%s\n", filepath.Base(f.billing), rep.Scores.Notes, rep.Folds, eval.BillingText(&rep.Scores))
	}
	if f.heldOut == "" {
		return nil
	}
	data, err := m.data(f.heldOut, f.notes...)
	if err != nil {
		return err
	}
	res, err := data.Suggested(ctx, models, coding.Billing)
	if err != nil {
		return err
	}
	m.app.progress.done()
	if byNote {
		fmt.Print(eval.ByNote(res, m.table))
	}
	s := eval.Score(res)
	fmt.Printf("billing, %s: %d notes that nothing was trained on, local@%d\n%s", filepath.Base(f.heldOut), s.Notes, models.Version, eval.BillingText(&s))
	return nil
}

func (m *measured) train(ctx context.Context, f evalFiles, out string, number int) error {
	embedder, err := m.app.embedder(ctx)
	if err != nil {
		return err
	}
	c := eval.TrainConfig{
		MentionsFile: f.mentions, BillingFile: f.billing, Command: "chartcode " + strings.Join(os.Args[1:], " "), Version: number,
		Terms: m.terms, Vectors: embedder.Name(), Progress: m.app.evalProgress,
	}
	if c.Mentions, err = m.mentions(f); err != nil {
		return err
	}
	if f.billing != "" {
		if c.Billing, err = m.data(f.billing, f.notes...); err != nil {
			return err
		}
	}
	models, rep, err := eval.Train(ctx, c)
	m.app.progress.done()
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
