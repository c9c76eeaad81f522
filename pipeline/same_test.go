package pipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartcode/internal/catalog"
	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/embedding"
	"chartcode/internal/learned"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
	"chartcode/internal/testdata"
	"chartcode/pipeline"
	"chartcode/pipeline/intake"
)

// realNotes gives n notes from all over the file of real ones.
func realNotes(t testing.TB, n int) []coding.Note {
	t.Helper()
	f, err := os.Open(testdata.Path(t, "notes/mtsamples.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []coding.Note
	for line, err := range intake.ReadLines(f) {
		if err != nil {
			t.Fatal(err)
		}
		note, err := intake.Parse(line.Body, "")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, note)
	}
	if len(all) < n {
		t.Fatalf("%d notes, want %d", len(all), n)
	}
	out := make([]coding.Note, n)
	for i := range out {
		out[i] = all[i*len(all)/n]
	}
	return out
}

// starter is a database with the starter set and its terms' vectors, which are
// made once for all tests.
var starter storetest.Template

func TestMain(m *testing.M) {
	code := m.Run()
	if err := starter.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// loaded gives a database of the test's own with the code sets of the files, or
// the starter set without any, and the terms' vectors.
func loaded(t testing.TB, files ...string) *store.Store {
	t.Helper()
	load := func(db *store.Store, read func(l *catalog.Loader) error) {
		embedder, err := embedding.NewLocal()
		if err != nil {
			t.Fatal(err)
		}
		l := &catalog.Loader{DB: db, Embedder: embedder}
		if err := read(l); err != nil {
			t.Fatal(err)
		}
		if err := l.Embed(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(files) > 0 {
		db := storetest.New(t)
		load(db, func(l *catalog.Loader) error {
			_, err := l.ImportFiles(t.Context(), files, codeset.ReadOptions{})
			return err
		})
		return db
	}
	return storetest.Open(t, starter.URL(t, func(databaseURL string) {
		db, err := store.Open(t.Context(), store.Config{URL: databaseURL, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close() // nothing may stay connected
		if err := db.Migrate(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		load(db, func(l *catalog.Loader) error {
			set, err := codeset.Starter()
			if err == nil {
				_, err = l.Import(t.Context(), set)
			}
			return err
		})
	}))
}

// knowledgeOf is what pipelines know from a database, with the models of the program.
func knowledgeOf(t testing.TB, db *store.Store) *catalog.Catalog {
	t.Helper()
	embedder, err := embedding.NewLocal()
	if err != nil {
		t.Fatal(err)
	}
	models, err := learned.Default()
	if err != nil {
		t.Fatal(err)
	}
	knowledge, err := catalog.New(catalog.Config{Source: db, Embedder: embedder, Models: models})
	if err != nil {
		t.Fatal(err)
	}
	return knowledge
}

// localPipeline is the pipeline of a worker without an LLM, with nothing kept
// of what was asked before.
func localPipeline(t testing.TB, db *store.Store, style coding.Style) *pipeline.Pipeline {
	t.Helper()
	knowledge := knowledgeOf(t, db)
	p, err := pipeline.New(pipeline.Config{Knowledge: knowledge, Style: style, Shown: 50})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// worked processes the notes on so many workers and gives their sets in the
// order of the notes, without what may differ: ids, times and timings.
func worked(t testing.TB, p *pipeline.Pipeline, notes []coding.Note, workers int) []coding.SuggestionSet {
	t.Helper()
	out := make([]coding.SuggestionSet, len(notes))
	var next atomic.Int64
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(notes); i = int(next.Add(1)) - 1 {
				set, err := p.Process(context.Background(), notes[i])
				if err != nil {
					t.Error(err)
					return
				}
				set.SetID, set.CreatedAt, set.Timings = "", time.Time{}, coding.Timings{}
				out[i] = set
			}
		})
	}
	group.Wait()
	return out
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// compareWorkers works the notes with one worker and with eight, each beginning
// with nothing known, and again by the eight with what they know.
func compareWorkers(t *testing.T, db *store.Store, notes []coding.Note, style coding.Style) []coding.SuggestionSet {
	t.Helper()
	one := worked(t, localPipeline(t, db, style), notes, 1)
	eight := localPipeline(t, db, style)
	shown := 0
	for _, how := range []string{"eight workers", "eight workers again"} {
		sets := worked(t, eight, notes, 8)
		for i := range notes {
			if a, b := asJSON(t, one[i]), asJSON(t, sets[i]); a != b {
				t.Errorf("%s, %s: note %d has another answer than with one worker", style, how, i)
			}
		}
	}
	for i := range one {
		shown += len(one[i].Suggestions)
	}
	if shown < len(notes)/2 {
		t.Errorf("%s: only %d suggestions for %d notes: that shows little", style, shown, len(notes))
	}
	return one
}

// The same note gives the same answer, byte for byte, with any number of
// workers.
func TestAnswersDoNotDependOnWorkers(t *testing.T) {
	t.Parallel()
	notes := realNotes(t, 24)
	db := loaded(t)
	for _, style := range []coding.Style{coding.Billing, coding.Mentions} {
		compareWorkers(t, db, notes, style)
	}
}
