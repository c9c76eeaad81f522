package main

import (
	"context"
	"errors"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"chartcode/internal/catalog"
	"chartcode/internal/coding"
	"chartcode/internal/learned"
	"chartcode/internal/store"
	"chartcode/pipeline"
)

// retrieveBench says what `bench retrieve` measures.
type retrieveBench struct {
	pipelineOptions
	limit, single, workers int
	json                   bool
	profile                string
}

func benchRetrieveCommand(o *options) *cobra.Command {
	b := retrieveBench{}
	cmd := &cobra.Command{
		Use:   "retrieve [FILE...]",
		Short: "Measure notes a second and where their time goes",
		Long: `Works notes through segmentation, retrieval, local ranking and validation, as a
worker does, and measures, in one run:

  one at a time   some of the notes, each three times right after another: with
                  nothing known of its mentions (empty), the same vectors sent to
                  PostgreSQL alone (raw), and again with the answers kept (warm)
  sustained       all notes on several workers: beginning with nothing known, then
                  warm, and the same vectors alone

Times depend on what else the machine does, ratios hardly: the load average at the
start is printed.`,
		Example: "  chartcode bench retrieve --limit 300\n  chartcode bench retrieve notes.jsonl --style mentions --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if b.style != string(coding.Billing) && b.style != string(coding.Mentions) {
				return usagef("--style is billing or mentions")
			}
			if b.limit < 0 || b.single < 1 || b.workers < 1 {
				return usagef("--limit is at least 0, --single and --workers at least 1")
			}
			if len(args) == 0 {
				args = []string{benchNotes()}
			}
			return b.run(cmd.Context(), o, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.style, "style", string(coding.Billing), "billing or mentions")
	f.IntVar(&b.limit, "limit", 0, "take only so many notes, from all over the files; 0: all")
	f.IntVar(&b.single, "single", 150, "how many of them are measured one at a time")
	f.IntVar(&b.workers, "workers", runtime.NumCPU(), "how many notes are worked on at once")
	f.BoolVar(&b.json, "json", false, "as JSON")
	f.StringVar(&b.profile, "cpuprofile", "", "write where the processor's time goes to a file for `go tool pprof`")
	return cmd
}

// counted counts the searches, and keeps what was asked while keep is set. It
// is safe for concurrent use.
type counted struct {
	*store.Store
	searches, trips atomic.Int64

	mu   sync.Mutex
	keep bool
	kept []question
}

// question is one round trip.
type question struct {
	model string
	vecs  [][]float32
	k     int
}

func (c *counted) SearchVectors(ctx context.Context, model string, vecs [][]float32, k int) ([][]coding.VectorHit, error) {
	c.searches.Add(int64(len(vecs)))
	c.trips.Add(1)
	c.mu.Lock()
	if c.keep {
		c.kept = append(c.kept, question{model, vecs, k})
	}
	c.mu.Unlock()
	return c.Store.SearchVectors(ctx, model, vecs, k)
}

// keeping begins or ends keeping, and gives what was kept.
func (c *counted) keeping(keep bool) []question {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.kept
	c.keep, c.kept = keep, nil
	return kept
}

func (b retrieveBench) run(ctx context.Context, o *options, files []string) error {
	a, err := o.newApp(true)
	if err != nil {
		return err
	}
	defer a.close(false)
	notes, dates, err := b.notes(files)
	if err != nil {
		return err
	}
	if err := a.openStore(ctx, migrateSchema, 2*b.workers+2); err != nil {
		return err
	}
	if err := a.ensureCodes(ctx, dates); err != nil {
		return err
	}
	m, err := b.prepare(ctx, a, notes)
	if err != nil {
		return err
	}
	f := retrieveFigures{Style: b.style, Notes: len(notes), Processors: runtime.NumCPU(), Workers: b.workers, Load: loadAverage()}
	for i := range notes {
		f.Bytes += len(notes[i].Text)
	}
	if b.profile != "" {
		out, err := os.Create(b.profile)
		if err != nil {
			return openError(b.profile, err)
		}
		defer out.Close()
		if err := pprof.StartCPUProfile(out); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if err := m.one(ctx, &f, b.single); err != nil {
		return databaseError(err)
	}
	if err := m.many(ctx, &f); err != nil {
		return databaseError(err)
	}
	a.progress.done()
	return f.print(b.json)
}

// notes reads the files and takes as many as asked for, from all over them.
func (b retrieveBench) notes(files []string) ([]coding.Note, []coding.Date, error) {
	var all []coding.Note
	for _, file := range files {
		inputs, err := readNotes(file)
		if err != nil {
			return nil, nil, err
		}
		for _, in := range inputs {
			if in.err == nil {
				all = append(all, in.note)
			}
		}
	}
	if len(all) == 0 {
		return nil, nil, errors.New("the files hold no valid note")
	}
	if b.limit > 0 {
		all = spread(all, b.limit)
	}
	var dates []coding.Date
	for i := range all {
		if !all[i].ServiceDate.IsZero() {
			dates = append(dates, all[i].ServiceDate)
		}
	}
	return all, dates, nil
}

// spread gives n of the list at equal distances.
func spread[T any](list []T, n int) []T {
	if n >= len(list) {
		return list
	}
	out := make([]T, n)
	for i := range out {
		out[i] = list[i*len(list)/n]
	}
	return out
}

// measuredPipeline is a worker's pipeline whose searches are counted.
type measuredPipeline struct {
	processor
	app     *app
	source  *counted
	tables  pipeline.Tables
	notes   []coding.Note
	workers int
}

func (b retrieveBench) prepare(ctx context.Context, a *app, notes []coding.Note) (*measuredPipeline, error) {
	a.progress.Step("Loading the terms")
	embedder, err := a.embedder(ctx)
	if err != nil {
		return nil, err
	}
	models, err := learned.Default()
	if err != nil {
		return nil, err
	}
	m := &measuredPipeline{app: a, source: &counted{Store: a.store}, notes: notes, workers: b.workers}
	knowledge, err := catalog.New(catalog.Config{Source: m.source, Embedder: embedder, Models: models, Fresh: time.Hour})
	if err != nil {
		return nil, err
	}
	b.ranker, b.systems = "local", []coding.System{coding.ICD10CM}
	if m.processor, err = a.newPipeline(knowledge, b.pipelineOptions); err != nil {
		return nil, err
	}
	if m.tables, err = knowledge.At(ctx, b.systems, coding.Date{}); err != nil {
		return nil, databaseError(err)
	}
	if m.tables.Main == nil {
		return nil, errNoCodes
	}
	// What is done first is read from disk; it does not count.
	for _, n := range spread(notes, 20) {
		if _, err := m.Process(ctx, n); err != nil {
			return nil, databaseError(err)
		}
	}
	return m, nil
}

func since(t time.Time) float64 { return float64(time.Since(t).Microseconds()) / 1000 }

// one measures notes one at a time.
func (m *measuredPipeline) one(ctx context.Context, f *retrieveFigures, single int) error {
	m.app.progress.Step("One note at a time")
	notes := spread(m.notes, single)
	var empty, raw, warm []float64
	stages := map[string][]float64{}
	for i, n := range notes {
		m.tables.Retriever.Forget()
		m.source.keeping(true)
		at := time.Now()
		set, err := m.Process(ctx, n)
		if err != nil {
			return err
		}
		empty = append(empty, since(at))
		for name, ms := range map[string]float64{
			"segment": set.Timings.Segment, "retrieve": set.Timings.Retrieve, "rank": set.Timings.Rank, "validate": set.Timings.Validate,
		} {
			stages[name] = append(stages[name], ms)
		}
		kept := m.source.keeping(false)
		at = time.Now()
		for _, q := range kept {
			if err := m.ask(ctx, q); err != nil {
				return err
			}
		}
		raw = append(raw, since(at))
		at = time.Now()
		if _, err := m.Process(ctx, n); err != nil {
			return err
		}
		warm = append(warm, since(at))
		m.app.progress.Update(i+1, len(notes))
	}
	f.Single.Notes = len(notes)
	f.Single.Empty, f.Single.Raw, f.Single.Warm = quantilesOf(empty), quantilesOf(raw), quantilesOf(warm)
	f.Single.RawShare = f.Single.Raw.Mean / f.Single.Empty.Mean
	f.Single.Stages = map[string]quantiles{}
	for name, ms := range stages {
		f.Single.Stages[name] = quantilesOf(ms)
	}
	return nil
}

// ask sends a question to PostgreSQL alone.
func (m *measuredPipeline) ask(ctx context.Context, q question) error {
	_, err := m.source.Store.SearchVectors(ctx, q.model, q.vecs, q.k)
	return err
}

// many measures all notes on several workers.
func (m *measuredPipeline) many(ctx context.Context, f *retrieveFigures) error {
	note := func(i int) error {
		_, err := m.Process(ctx, m.notes[i])
		return err
	}
	m.tables.Retriever.Forget()
	m.source.keeping(true)
	var err error
	if f.Sustained, err = m.sustain("All notes", len(m.notes), note); err != nil {
		return err
	}
	f.Peak = peakMB() // what is kept of the questions is in it: a kilobyte a search
	kept := m.source.keeping(false)
	if f.Raw, err = m.sustain("Their vectors alone", len(kept), func(i int) error { return m.ask(ctx, kept[i]) }); err != nil {
		return err
	}
	f.Raw.per(len(kept), len(m.notes))
	f.Raw.Searches, f.Raw.RoundTrips = f.Sustained.Searches, f.Sustained.RoundTrips
	if f.Warm, err = m.sustain("All notes, their mentions known", len(m.notes), note); err != nil {
		return err
	}
	f.Peak = max(f.Peak, peakMB())
	return nil
}

// sustain runs f for 0 to n-1 on the workers.
func (m *measuredPipeline) sustain(what string, n int, f func(i int) error) (sustained, error) {
	m.app.progress.Step(what)
	searches, trips := m.source.searches.Load(), m.source.trips.Load()
	cpu, server, at := processorTime(), m.app.serverTime(), time.Now()
	var next atomic.Int64
	failed := make([]error, m.workers)
	var group sync.WaitGroup
	for w := range m.workers {
		group.Go(func() {
			for failed[w] == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				failed[w] = f(i)
				if w == 0 {
					m.app.progress.Update(i+1, n)
				}
			}
		})
	}
	group.Wait()
	if err := errors.Join(failed...); err != nil || n == 0 {
		return sustained{}, err
	}
	of := float64(n)
	return sustained{
		PerSecond: of / time.Since(at).Seconds(),
		CPU:       float64((processorTime() - cpu).Microseconds()) / 1000 / of,
		ServerCPU: float64((m.app.serverTime() - server).Microseconds()) / 1000 / of,
		Searches:  float64(m.source.searches.Load()-searches) / of, RoundTrips: float64(m.source.trips.Load()-trips) / of,
	}, nil
}
