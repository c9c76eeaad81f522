package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"chartcode/eval"
	"chartcode/internal/auth"
	"chartcode/internal/catalog"
	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
	"chartcode/internal/store"
	"chartcode/pipeline/segment"
)

// learnOptions are what learn may be told.
type learnOptions struct {
	style    string
	mentions string
	billing  string
	notes    []string
	margin   float64
	least    int
	dryRun   bool

	fit  eval.FitConfig // zero: the default
	rank gbdt.Params
}

func learnCommand(o *options) *cobra.Command {
	var lo learnOptions
	var list bool
	var use int
	cmd := &cobra.Command{
		Use:   "learn",
		Short: "Learn from finished reviews: new models if they are better",
		Long: fmt.Sprintf(`Retrains the local ranker, and the phrases that lead to codes, from the finished
reviews in the database together with datasets that are given, and compares the
new models with the present ones on the same notes. Five times, a fifth of the
patients is held out and the models are trained on the others. The new models take
the place of the present ones only if their micro-F1 is better by the margin and
the 95%% interval of the difference is above 0; both are measured on notes that
taught neither. The old models are kept, and --use goes back to them.
Running workers take a change up within seconds; the ranker's name in each
suggestion set (local@N) says which models made it.

Accepted is not the same as correct: coders see the suggestions before they decide.
What was changed, added or rejected counts %d times as much as what was accepted, and
what users with the role auditor decided %d times as much as what others did. The
report says how many items auditors finished, and which models made the suggestions.

What is kept of the notes: how often codes were given, and phrases of at most %d words
that stand in the notes of at least %d patients (encounters where no patient is named),
with the codes they went with; no other text.

Exit status 4: there are too few notes to tell.`, eval.DecidedWeight, eval.AuditorWeight, learned.MaxPhrase, learned.MinNotes),
		Example: "  chartcode learn --dry-run\n  chartcode learn --billing coded-by-us.jsonl --margin 0.02\n  chartcode learn --list\n  chartcode learn --use 1001",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case list && cmd.Flags().Changed("use"):
				return usagef("--list and --use do not go together")
			case list:
				return withStore(cmd.Context(), o, func(ctx context.Context, a *app) error { return a.listModels(ctx, os.Stdout) })
			case cmd.Flags().Changed("use"):
				return withStore(cmd.Context(), o, func(ctx context.Context, a *app) error { return a.useModel(ctx, use, os.Stdout) })
			case lo.style != string(coding.Billing) && lo.style != string(coding.Mentions):
				return usagef("--style is billing or mentions")
			case lo.margin < 0 || lo.margin >= 1:
				return usagef("--margin is from 0 up to 1")
			case lo.least < 1:
				return usagef("--least is 1 or more")
			}
			return o.measure(cmd.Context(), func(ctx context.Context, _ *app, m *measured) error { return m.learn(ctx, lo, os.Stdout) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&lo.style, "style", string(coding.Billing), "coding style that is learned: billing or mentions")
	f.StringVar(&lo.mentions, "dataset", "", "further notes with every mention coded, as JSON lines; with --style billing they teach which words mean which code")
	f.StringVar(&lo.billing, "billing", "", "further notes coded as for a bill, or labels of them")
	f.StringSliceVar(&lo.notes, "notes", nil, "where the texts of labelled notes are")
	f.Float64Var(&lo.margin, "margin", eval.DefaultMargin, "least gain of micro-F1")
	f.IntVar(&lo.least, "least", eval.DefaultLeast, "notes of finished reviews that are needed to compare on")
	f.BoolVar(&lo.dryRun, "dry-run", false, "show what would change, and change nothing")
	f.BoolVar(&list, "list", false, "list the models that are kept")
	f.IntVar(&use, "use", 0, "use these models from now on: the N of local@N")
	return cmd
}

// withStore runs f with the database alone.
func withStore(ctx context.Context, o *options, f func(ctx context.Context, a *app) error) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	defer a.close(false)
	if err := a.openStore(ctx, checkSchema, 2); err != nil {
		return err
	}
	return databaseError(f(ctx, a))
}

// present are the models that are used now.
type present struct {
	models  *learned.Models
	shipped *learned.Models
	kept    []coding.RankerModel
	items   []int64 // that taught the models
	unfit   bool    // the chosen models are not fit for this program, which uses its own
}

func (a *app) presentModels(ctx context.Context) (present, error) {
	var p present
	var err error
	if p.shipped, err = learned.Default(); err != nil {
		return p, err
	}
	p.models = p.shipped
	if p.kept, err = a.store.RankerModels(ctx); err != nil {
		return p, err
	}
	for _, k := range p.kept {
		if k.ActiveFrom.IsZero() {
			continue
		}
		file, err := a.store.RankerModelFile(ctx, k.Version)
		if err != nil {
			return p, err
		}
		// Models of another version of the program are not used by workers either.
		m, err := catalog.ReadModels(file)
		if p.unfit = err != nil; !p.unfit {
			p.models, p.items = m, k.Items
		}
	}
	return p, nil
}

// changesShown is for how many notes a dry run lists codes.
const changesShown = 20

func (m *measured) learn(ctx context.Context, lo learnOptions, w io.Writer) error {
	a := m.app
	now, err := a.presentModels(ctx)
	if err != nil {
		return databaseError(err)
	}
	style := coding.Style(lo.style)
	a.progress.Step("Reading finished reviews")
	site, counts, err := eval.FromReviews(ctx, a.store, style)
	if err != nil {
		return databaseError(err)
	}
	if len(site.Notes) == 0 {
		a.progress.done()
		return unclear("no review is finished whose suggestions were made in the style %s; there is nothing to learn from", style)
	}
	site.Billable(m.table)
	fmt.Fprint(w, counts.SelectionText())

	c := eval.LearnConfig{
		Style: style, Present: now.models, Seen: map[int64]bool{}, Margin: lo.margin, Least: lo.least,
		Fit: lo.fit, Rank: lo.rank, Progress: a.evalProgress,
	}
	for _, item := range now.items {
		c.Seen[item] = true
	}
	a.progress.Step("Reading the notes of finished reviews")
	if c.Site, err = eval.NewData(m.retriever, m.table, site, segment.Segment); err != nil {
		return err
	}
	same, other := lo.mentions, lo.billing
	if style == coding.Billing {
		same, other = lo.billing, lo.mentions
	} else if other != "" {
		return usagef("--billing is for --style billing")
	}
	if c.Given, err = m.given(same, lo.notes, site, w); err != nil {
		return err
	}
	if c.Mentions, err = m.given(other, lo.notes, site, w); err != nil {
		return err
	}
	l, err := eval.NewLearner(c)
	if errors.Is(err, eval.ErrFewNotes) {
		a.progress.done()
		return unclear("%w", err)
	}
	if err != nil {
		return err
	}
	rep, err := l.Compare(ctx)
	a.progress.done()
	if errors.Is(err, eval.ErrAlike) {
		return unclear("%w", err)
	}
	if err != nil {
		return databaseError(err)
	}
	fmt.Fprint(w, rep.Text())
	old := now.models.Version
	switch {
	case !rep.Enough:
		return unclear("%d notes are too few to compare on; at least %d are needed (--least); local@%d stays", rep.Compared, lo.least, old)
	case lo.dryRun:
		fmt.Fprint(w, rep.ChangesText(changesShown))
		if rep.Better() {
			fmt.Fprintf(w, "the new models would replace local@%d; nothing was changed\n", old)
		} else {
			fmt.Fprintf(w, "local@%d would stay; nothing was changed\n", old)
		}
		return nil
	case !rep.Better():
		fmt.Fprintf(w, "the new models are not better by what is asked for: local@%d stays\n", old)
		return nil
	}
	a.progress.Step("Training on all notes")
	models, err := l.Train(ctx)
	a.progress.done()
	if err != nil {
		return databaseError(err)
	}
	if len(counts.LLM) >= learned.LeastLLM {
		calibration := learned.CalibrateLLM(counts.LLM)
		models.LLM = &calibration
		fmt.Fprintf(w, "the confidence of the LLM's choices was fitted to %d of them that were decided on\n", len(counts.LLM))
	}
	return m.replace(ctx, lo, now, site, counts, rep, models, w)
}

// replace keeps the new models and makes them the ones that are used.
func (m *measured) replace(ctx context.Context, lo learnOptions, now present, site *eval.Dataset, counts eval.ReviewCounts, rep eval.LearnReport, models *learned.Models, w io.Writer) error {
	embedder, err := m.app.embedder(ctx)
	if err != nil {
		return err
	}
	models.Version = learned.FirstLearned
	for _, k := range now.kept {
		models.Version = max(models.Version, k.Version+1)
	}
	coded, err := json.Marshal(site.Notes)
	if err != nil {
		return fmt.Errorf("the reviews cannot be written as JSON: %w", err)
	}
	sum := sha256.Sum256(coded)
	names := []string{"finished reviews"}
	for _, file := range []string{lo.billing, lo.mentions} {
		if file != "" {
			names = append(names, filepath.Base(file))
		}
	}
	models.Record = learned.Record{
		Command: "chartcode " + strings.Join(os.Args[1:], " "), Dataset: strings.Join(names, ", "), SHA256: hex.EncodeToString(sum[:]),
		Notes: rep.Site, Terms: m.terms, Vectors: embedder.Name(),
		Figures: map[string]float64{
			"micro_f1": rep.New.F1(), "micro_f1_before": rep.Present.F1(), "gain": rep.Gain, "gain_low": rep.Low, "gain_high": rep.High,
		},
		Learned: &learned.Reviews{Style: coding.Style(lo.style), Items: counts.Items, ByAuditors: counts.ByAuditors, Compared: rep.Compared, Replaced: now.models.Version},
	}
	file, err := models.Bytes()
	if err != nil {
		return err
	}
	record, err := json.Marshal(models.Record)
	if err != nil {
		return fmt.Errorf("the record of the models cannot be written as JSON: %w", err)
	}
	sum = sha256.Sum256(file)
	items := slices.Clone(now.items)
	for i := range site.Notes {
		items = append(items, site.Notes[i].Item)
	}
	slices.Sort(items)
	ev := modelEvent("model.learned", models.Version)
	err = m.app.store.SaveRankerModel(ctx, coding.RankerModel{
		Version: models.Version, Styles: []coding.Style{coding.Style(lo.style)}, SHA256: hex.EncodeToString(sum[:]), Record: record,
		Items: slices.Compact(items), MadeAt: ev.At, MadeBy: ev.Actor,
	}, file, ev)
	if errors.Is(err, store.ErrConflict) {
		return errors.New("other models were learned meanwhile; see chartcode learn --list, and learn again if these are still wanted")
	}
	if err != nil {
		return databaseError(err)
	}
	fmt.Fprintf(w, "local@%d replaces local@%d; chartcode learn --use %d goes back\n", models.Version, now.models.Version, now.models.Version)
	return nil
}

// given reads a dataset that teaches beside the reviews, without the notes and
// patients that the reviews have; nil without a file.
func (m *measured) given(file string, notes []string, site *eval.Dataset, w io.Writer) (*eval.Data, error) {
	if file == "" {
		return nil, nil
	}
	d, err := eval.ReadDataset(file, notes...)
	if err != nil {
		return nil, err
	}
	removed := d.Remove(site)
	fmt.Fprintf(w, "%s: %d notes teach; left out, for their text or patient is among the reviews: %d\n", filepath.Base(file), len(d.Notes), removed)
	if len(d.Notes) == 0 {
		return nil, nil
	}
	m.app.progress.Step("Reading the notes of " + filepath.Base(file))
	return eval.NewData(m.retriever, m.table, d, segment.Segment)
}

// unclear says that there is too little to tell.
func unclear(format string, args ...any) error {
	return &exitError{exitUnclear, fmt.Errorf(format, args...)}
}

func modelEvent(action string, version int) coding.AuditEvent {
	return coding.AuditEvent{At: time.Now().UTC().Truncate(time.Microsecond), Actor: auth.ByConsole, Action: action, Target: fmt.Sprintf("local@%d", version)}
}

// useModel makes kept models, or those of the program, the ones that are used.
func (a *app) useModel(ctx context.Context, version int, w io.Writer) error {
	now, err := a.presentModels(ctx)
	if err != nil {
		return err
	}
	stored := version
	if version == now.shipped.Version {
		stored = 0
	} else if !slices.ContainsFunc(now.kept, func(k coding.RankerModel) bool { return k.Version == version }) {
		return fmt.Errorf("there are no models local@%d; see chartcode learn --list", version)
	}
	if stored != 0 {
		file, err := a.store.RankerModelFile(ctx, version)
		if err != nil {
			return err
		}
		if _, err := catalog.ReadModels(file); err != nil {
			return fmt.Errorf("local@%d cannot be used by this version of the program; learn again: %w", version, err)
		}
	}
	if active, _, err := a.store.ActiveRankerModel(ctx); err != nil {
		return err
	} else if active == stored {
		fmt.Fprintf(w, "local@%d is used already\n", version)
		return nil
	}
	if err := a.store.UseRankerModel(ctx, stored, modelEvent("model.chosen", version)); err != nil {
		return err
	}
	fmt.Fprintf(w, "local@%d is used from now on\n", version)
	return nil
}

// listModels lists the program's models and those that were learned.
func (a *app) listModels(ctx context.Context, w io.Writer) error {
	now, err := a.presentModels(ctx)
	if err != nil {
		return err
	}
	active, from, err := a.store.ActiveRankerModel(ctx)
	if err != nil {
		return err
	}
	state := func(version int) string {
		switch {
		case now.unfit && version == active:
			return "chosen, but this version of the program cannot use it"
		case now.unfit && version == 0:
			return "used, for those chosen cannot be"
		case version != active:
			return "kept"
		case from.IsZero():
			return "used"
		}
		return "used from " + from.Local().Format(time.DateTime)
	}
	t := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintln(t, "RANKER\tSTYLE\tLEARNED FROM\tMICRO-F1\tBEFORE\tMADE\tBY\tSTATE")
	fmt.Fprintf(t, "local@%d\tboth\tpart of the program\t\t\t\t\t%s\n", now.shipped.Version, state(0))
	for _, k := range now.kept {
		var r learned.Record
		if err := json.Unmarshal(k.Record, &r); err != nil {
			return fmt.Errorf("the record of local@%d cannot be read: %w", k.Version, err)
		}
		styles := make([]string, len(k.Styles))
		for i, s := range k.Styles {
			styles[i] = string(s)
		}
		fmt.Fprintf(t, "local@%d\t%s\t%s, %d notes\t%.3f\t%.3f\t%s\t%s\t%s\n", k.Version, strings.Join(styles, ","), r.Dataset, r.Notes,
			r.Figures["micro_f1"], r.Figures["micro_f1_before"], k.MadeAt.Local().Format(time.DateTime), k.MadeBy, state(k.Version))
	}
	return t.Flush()
}
