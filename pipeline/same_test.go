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
// made once for all tests: they only read it.
var starter struct {
	mu        sync.Mutex
	db        *store.Store
	knowledge *catalog.Catalog
}

func TestMain(m *testing.M) {
	code := m.Run()
	if starter.db != nil {
		starter.db.Close()
	}
	if err := storetest.Starter.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// loaded gives a database with the starter set and its terms' vectors.
func loaded(t testing.TB) *store.Store {
	t.Helper()
	starter.mu.Lock()
	defer starter.mu.Unlock()
	if starter.db == nil {
		url := storetest.Starter.Shared(t, func(databaseURL string) {
			db := openedFor(t, databaseURL)
			defer db.Close()
			if err := db.Migrate(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			load(t, db, func(l *catalog.Loader) error {
				set, err := codeset.Starter()
				if err == nil {
					_, err = l.Import(t.Context(), set)
				}
				return err
			})
		})
		starter.db = openedFor(t, url)
	}
	return starter.db
}

// openedFor opens a database that outlives the test.
func openedFor(t testing.TB, databaseURL string) *store.Store {
	t.Helper()
	db, err := store.Open(context.Background(), store.Config{URL: databaseURL, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// loadedFrom gives a database of the test's own with the code sets of files and
// the terms' vectors.
func loadedFrom(t testing.TB, files ...string) *store.Store {
	t.Helper()
	db := storetest.New(t)
	load(t, db, func(l *catalog.Loader) error {
		_, err := l.ImportFiles(t.Context(), files, codeset.ReadOptions{})
		return err
	})
	return db
}

func load(t testing.TB, db *store.Store, read func(l *catalog.Loader) error) {
	t.Helper()
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

// knowledgeOf is what pipelines know from a database, with the models of the program; of
// the starter set all have the same.
func knowledgeOf(t testing.TB, db *store.Store) *catalog.Catalog {
	t.Helper()
	starter.mu.Lock()
	defer starter.mu.Unlock()
	if db != starter.db {
		return newKnowledge(t, db)
	}
	if starter.knowledge == nil {
		starter.knowledge = newKnowledge(t, db)
	}
	return starter.knowledge
}

// newKnowledge has nothing kept of what was asked before.
func newKnowledge(t testing.TB, db *store.Store) *catalog.Catalog {
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

// localPipeline is the pipeline of a worker without an LLM.
func localPipeline(t testing.TB, knowledge *catalog.Catalog, style coding.Style) *pipeline.Pipeline {
	t.Helper()
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
	one := worked(t, localPipeline(t, newKnowledge(t, db), style), notes, 1)
	eight := localPipeline(t, newKnowledge(t, db), style)
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
