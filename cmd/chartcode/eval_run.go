package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"chartcode/eval/dataset"
	"chartcode/eval/measure"
	"chartcode/eval/runs"
	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/datadir"
	"chartcode/internal/learned"
	"chartcode/pipeline"
	"chartcode/pipeline/rank"
)

// evalStores gives where datasets and runs are kept: in the data directory, but
// no part of it that a reset deletes.
func (a *app) evalStores() (dataset.Registry, runs.Store, error) {
	dir := a.cfg.DataDir
	if dir == "" {
		var err error
		if dir, err = datadir.DefaultPath(); err != nil {
			return dataset.Registry{}, runs.Store{}, err
		}
	}
	return dataset.NewRegistry(filepath.Join(dir, "eval", "datasets")), runs.NewStore(filepath.Join(dir, "eval", "runs")), nil
}

type evalRunOptions struct {
	pipelineOptions
	dataset, resume, out string
	prompt, model        string
	limit                int
	seed                 uint64
	fresh                bool
}

func evalRunCommand(o *options) *cobra.Command {
	var ro evalRunOptions
	cmd := &cobra.Command{
		Use:   "run --dataset D",
		Short: "Suggest codes for a dataset and score them",
		Long: `Sends the notes of a dataset through the same pipeline as in production, keeps what
was suggested together with everything that decides it, and prints the figures.

A run that was interrupted goes on where it was when the same command is given
again, or with --resume and its id; --fresh starts anew. Two runs of the same are
identical but for times.`,
		Example: "  chartcode eval run --dataset eval/datasets/sample-notes.jsonl --ranker local\n  chartcode eval run --dataset site-2026 --limit 100 --seed 1",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := ro.check(); err != nil {
				return err
			}
			return o.evalRun(cmd.Context(), ro)
		},
	}
	f := cmd.Flags()
	f.StringVar(&ro.dataset, "dataset", "", "name of a dataset that was added, or a file of gold notes")
	f.StringVar(&ro.ranker, "ranker", "", "local or llm; by default llm if one is configured")
	f.StringVar(&ro.prompt, "prompt", "", "folder of files that take the place of prompts (CHARTCODE_PROMPTS)")
	f.StringVar(&ro.model, "model", "", "LLM (CHARTCODE_LLM_MODEL)")
	f.StringVar(&ro.style, "coding-style", string(coding.Billing), "billing: as for a bill; mentions: every mention")
	f.IntVar(&ro.limit, "limit", 0, "draw so many notes; 0: all")
	f.Uint64Var(&ro.seed, "seed", 1, "of the draw and of the bootstrap")
	f.StringVar(&ro.resume, "resume", "", "id of a run to go on with")
	f.BoolVar(&ro.fresh, "fresh", false, "begin anew even where the same run was interrupted")
	f.StringVar(&ro.out, "out", "", "keep the run in this folder of runs instead of the data directory")
	return cmd
}

func (ro *evalRunOptions) check() error {
	switch {
	case ro.dataset == "":
		return usagef("--dataset names the notes to run on")
	case !slices.Contains([]string{"", "local", "llm"}, ro.ranker):
		return usagef("--ranker is local or llm")
	case !slices.Contains([]string{string(coding.Billing), string(coding.Mentions)}, ro.style):
		return usagef("--coding-style is billing or mentions")
	case ro.limit < 0:
		return usagef("--limit is a number of notes")
	}
	ro.systems = []coding.System{coding.ICD10CM}
	ro.candidates = pipeline.DefaultCandidates
	return nil
}

func (o *options) evalRun(ctx context.Context, ro evalRunOptions) error {
	a, err := o.newApp(true)
	if err != nil {
		return err
	}
	defer a.close(false)
	a.cfg.Prompts, a.cfg.LLM.Model = cmp.Or(ro.prompt, a.cfg.Prompts), cmp.Or(ro.model, a.cfg.LLM.Model)
	if ro.ranker == "" {
		ro.ranker = "local"
		if a.cfg.LLM.Configured() {
			ro.ranker = "llm"
		}
	}
	registry, store, err := a.evalStores()
	if err != nil {
		return err
	}
	if ro.out != "" {
		store = runs.NewStore(ro.out)
	}
	path, about, err := registry.Find(ro.dataset)
	if err != nil {
		return err
	}
	gold, err := dataset.Read(path)
	if err != nil {
		return err
	}
	config := runs.Config{
		Dataset: runs.DatasetRef{Name: about.Name, SHA256: about.SHA256, Licence: about.Licence, Gold: about.Gold, Edition: about.Edition, Chosen: about.Chosen},
		Limit:   ro.limit, Seed: ro.seed, Ranker: ro.ranker, CodingStyle: coding.Style(ro.style), Systems: []string{string(coding.ICD10CM)},
		Candidates: ro.candidates, Judged: rank.Judged, Build: runs.ThisBuild(version),
	}
	for _, i := range dataset.Sample(len(gold.Notes), ro.limit, ro.seed) {
		config.NoteIDs = append(config.NoteIDs, gold.Notes[i].NoteID)
	}
	notes, err := runs.Notes(gold, config.NoteIDs)
	if err != nil {
		return err
	}
	var dates []coding.Date
	for i := range notes {
		if !notes[i].ServiceDate.IsZero() {
			dates = append(dates, notes[i].ServiceDate)
		}
	}
	p, codes, err := a.evalPipeline(ctx, ro, dates, &config)
	if err != nil {
		return err
	}
	r, err := ro.pick(store, config, path)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "run %s: %d notes of %s\n", r.ID, len(notes), about.Name)
	a.progress.Step("Suggesting codes")
	work := runs.Work{Store: store, Notes: notes, Suggester: p, Codes: codes, Workers: runtime.NumCPU(), Now: time.Now,
		Progress: func(done, of int, cost float64) {
			if cost > 0 {
				a.progress.Rename(fmt.Sprintf("Suggesting codes, $%.4f so far", cost))
			}
			a.progress.Update(done, of)
		}}
	if ro.ranker == "llm" {
		work.Workers = a.workers(ro.pipelineOptions)
	}
	if err := work.Do(ctx, &r); err != nil {
		a.progress.done()
		if errors.Is(err, context.Canceled) {
			return fmt.Errorf("interrupted; the same command, or chartcode eval run --dataset %s --resume %s, goes on", ro.dataset, r.ID)
		}
		return databaseError(err)
	}
	a.progress.done()
	scores, err := scoreRun(store, r.ID, gold, ro.seed)
	if err != nil {
		return err
	}
	if r.Config.TrainedOn {
		fmt.Print(trainedOn)
	}
	fmt.Print(scores.Text())
	fmt.Printf("\nrun %s\n", r.ID)
	return nil
}

const trainedOn = `The local models were trained on this very dataset: these figures say how well they remember it,
not how well they do on other notes. chartcode eval accuracy measures by cross-validation.

`

// scoreRun computes and keeps the figures of a run.
func scoreRun(store runs.Store, id string, gold *dataset.Dataset, seed uint64) (measure.Scores, error) {
	cases, err := store.Cases(id, gold)
	if err != nil {
		return measure.Scores{}, err
	}
	s := measure.Score(cases, measure.Options{Seed: seed, Slices: true})
	return s, store.PutScores(id, &s)
}

// pick gives the run to work on: a new one, or one that was interrupted.
func (ro *evalRunOptions) pick(store runs.Store, config runs.Config, path string) (runs.Run, error) {
	identity, err := config.Identity()
	if err != nil {
		return runs.Run{}, err
	}
	if ro.resume != "" {
		r, err := store.Get(ro.resume)
		if err != nil {
			return r, err
		}
		if r.Done() {
			return r, fmt.Errorf("run %s is finished", r.ID)
		}
		if r.Identity != identity {
			return r, fmt.Errorf("run %s cannot go on: dataset, settings, models, code releases or program are no longer those that it began with", r.ID)
		}
		return r, nil
	}
	if !ro.fresh {
		if r, ok, err := store.Unfinished(&config); err != nil || ok {
			return r, err
		}
	}
	return store.Create(config, path, time.Now())
}

// evalPipeline opens database and code sets and wires the stages, and enters in
// config what they are.
func (a *app) evalPipeline(ctx context.Context, ro evalRunOptions, dates []coding.Date, config *runs.Config) (processor, *codeTables, error) {
	if err := a.openStore(ctx, migrateSchema, 2*runtime.NumCPU()+2); err != nil {
		return nil, nil, err
	}
	if err := a.ensureCodes(ctx, dates); err != nil {
		return nil, nil, err
	}
	knowledge, err := a.newCatalog(ctx)
	if err != nil {
		return nil, nil, err
	}
	p, err := a.newPipeline(knowledge, ro.pipelineOptions)
	if err != nil {
		return nil, nil, err
	}
	tables, err := knowledge.At(ctx, ro.systems, coding.Date{})
	if err != nil {
		return nil, nil, databaseError(err)
	}
	if tables.Main == nil {
		return nil, nil, errNoCodes
	}
	config.LocalModels, config.Tables = tables.Local.Name(), tables.ID
	models, err := learned.Default()
	if err != nil {
		return nil, nil, err
	}
	config.TrainedOn = slices.Contains([]string{models.Record.SHA256, models.Record.BillingSHA256}, config.Dataset.SHA256)
	if ro.ranker == "llm" {
		config.Model, config.Prompt = a.cfg.LLM.Model, ro.prompt
		if _, config.Settings, err = a.llmRanker(); err != nil {
			return nil, nil, err
		}
	}
	embedder, err := a.embedder(ctx)
	if err != nil {
		return nil, nil, err
	}
	config.Embedder = embedder.Name()
	codes, err := a.codeTables(ctx, dates)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range codes.releases {
		config.Releases = append(config.Releases, runs.Release{ID: r.ID, SHA256: r.SHA256})
	}
	slices.SortFunc(config.Releases, func(a, b runs.Release) int { return cmp.Compare(a.ID, b.ID) })
	return p, codes, nil
}

// codeTables are the ICD-10-CM tables that hold on the dates of a dataset.
type codeTables struct {
	releases codeset.Releases
	tables   map[string]*codeset.Table
	newest   *codeset.Table
}

// codeTables loads the tables of the dates, and the newest.
func (a *app) codeTables(ctx context.Context, dates []coding.Date) (*codeTables, error) {
	all, err := a.store.Releases(ctx)
	if err != nil {
		return nil, databaseError(err)
	}
	c := &codeTables{releases: all, tables: map[string]*codeset.Table{}}
	for _, date := range append([]coding.Date{{}}, dates...) {
		rel, _, ok := c.releases.Pick(coding.ICD10CM, date)
		if !ok {
			return nil, errNoCodes
		}
		if c.tables[rel.ID] == nil {
			codes, err := a.store.Codes(ctx, rel.ID)
			if err != nil {
				return nil, databaseError(err)
			}
			c.tables[rel.ID] = codeset.NewTable(rel, codes)
		}
		if c.newest == nil {
			c.newest = c.tables[rel.ID]
		}
	}
	return c, nil
}

// Known implements dataset.Codes.
func (c *codeTables) Known(code string, date coding.Date) (there, billable bool) {
	rel, _, ok := c.releases.Pick(coding.ICD10CM, date)
	table := c.tables[rel.ID]
	if !ok || table == nil {
		return false, false
	}
	row, there := table.Lookup(code)
	return there, row.Billable
}

// Title implements runs.Codes: by the newest table that has the code.
func (c *codeTables) Title(code string) (runs.Title, bool) {
	if row, ok := c.newest.Lookup(code); ok {
		return runs.Title{Title: row.Title, Billable: row.Billable}, true
	}
	for _, t := range c.tables {
		if row, ok := t.Lookup(code); ok {
			return runs.Title{Title: row.Title, Billable: row.Billable}, true
		}
	}
	return runs.Title{}, false
}
