//go:build long

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestLongLLMInFlight: 1,200 different notes, an LLM that needs 4 seconds for each
// of the two steps, 64 calls allowed: one worker process keeps at least 60 under way
// (on average: where calls that began together end together, those that follow are a
// moment behind), never more than 64, and needs less than 40 ms of processor time for a note.
func TestLongLLMInFlight(t *testing.T) {
	const notes, steps, allowed, least, delay = 1200, 2, 64, 60, 4 * time.Second
	usual := binary
	binary = plain // without the race detector, as a site runs it
	t.Cleanup(func() { binary = usual })
	s, _ := newServers(t)

	var mu sync.Mutex
	var now, most, arrived int
	full := false
	var began, ended, since time.Time
	var area, counted, below, dip, longest time.Duration // area: calls under way times the time that they were
	// change counts the time since the last change, from when all calls were under way until
	// fewer notes are left than calls are allowed.
	change := func(by int) {
		at := time.Now()
		if full && arrived <= steps*(notes-allowed) {
			took := at.Sub(since)
			area += time.Duration(now) * took
			counted += took
			if now < least {
				below += took
				dip += took
				longest = max(longest, dip)
			} else {
				dip = 0
			}
		}
		now, since = now+by, at
	}
	server := newLLMServer(t, func(w http.ResponseWriter, r *http.Request, q llmCall) {
		mu.Lock()
		change(1)
		arrived++
		most = max(most, now)
		if now == allowed && !full {
			full, began = true, time.Now()
		}
		if arrived == steps*notes {
			ended = time.Now()
		}
		mu.Unlock()
		time.Sleep(delay) // the model's work
		mu.Lock()
		change(-1)
		mu.Unlock()
		llmCodes(t, nil)(w, r, q)
	})
	s.env = append(s.env, "CHARTCODE_LLM_BASE_URL="+server.base(), "CHARTCODE_LLM_MODEL=some-model", fmt.Sprintf("CHARTCODE_LLM_CONCURRENCY=%d", allowed))
	if _, code := s.run("submit", s.file("notes.jsonl", longNotes(t, notes))); code != 0 {
		t.Fatal("submit failed")
	}
	worker := s.start("work")
	st := s.settled(notes)
	if code := worker.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("the worker ended with %d", code)
	}
	usage := worker.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	mean := float64(area) / float64(counted)
	t.Logf("%d notes, %d calls each, %s for an answer, %d calls allowed, on %d processors: from when %d were under way to the last note %s; %.1f under way on average and %d at most; fewer than %d for %s of %s, for %s at a stretch; "+
		"processor time of the worker %.1f ms a note, its start included",
		notes, steps, delay, allowed, runtime.NumCPU(), allowed, ended.Sub(began).Round(time.Second), mean, most, least, below.Round(time.Millisecond), counted.Round(time.Second), longest.Round(time.Millisecond), cpu.Seconds()*1000/notes)
	if mean < least || most > allowed {
		t.Errorf("%.1f calls under way on average and %d at most, want %d to %d", mean, most, least, allowed)
	}
	if cpu > notes*40*time.Millisecond {
		t.Errorf("%s of processor time for %d notes", cpu, notes)
	}
	if server.called() != steps*notes || st.SuggestionSets != notes || st.Notes.Dead != 0 {
		t.Errorf("%d calls, %d sets, %+v", server.called(), st.SuggestionSets, st.Notes)
	}
}

// longNotes are notes of the usual length, all different: the built-in samples
// with what noteLines state before each.
func longNotes(t *testing.T, n int) string {
	t.Helper()
	texts := sampleTexts(t)
	var b strings.Builder
	for i := range n {
		line, err := json.Marshal(map[string]any{
			"note_id": fmt.Sprintf("%s-long-%d", marker, i), "service_date": "2026-03-14", "setting": "outpatient",
			"text": fmt.Sprintf("DIAGNOSES: %s number %d. Type 2 diabetes mellitus, essential hypertension, acute bronchitis.\n\n%s", marker, i, texts[i%len(texts)]),
		})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

// TestLongSamplesOnAnotherDatabase: recordings replay to the letter on a database whose graph of vectors, built with
// random numbers, is another.
func TestLongSamplesOnAnotherDatabase(t *testing.T) {
	_, notes, dir, live := recordSamples(t)
	other := newStarted(t)
	other.rebuildVectorIndexes()
	elsewhere, errs, status := other.say("suggest", notes, "--llm-replay", dir)
	if status != exitGood || changing.ReplaceAllString(elsewhere, "") != changing.ReplaceAllString(live, "") {
		t.Fatalf("status %d\n%s", status, errs)
	}
}

// rebuildVectorIndexes makes the graphs of vectors anew.
func (s *site) rebuildVectorIndexes() {
	s.t.Helper()
	url := ""
	for _, v := range s.env {
		if u, ok := strings.CutPrefix(v, "CHARTCODE_DATABASE_URL="); ok {
			url = u
		}
	}
	conn, err := pgx.Connect(s.t.Context(), url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(s.t.Context(), "SELECT format('REINDEX INDEX %I.%I', schemaname, indexname) FROM pg_indexes WHERE indexname LIKE 'term_vectors_hnsw_%'")
	if err != nil {
		s.t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(list) == 0 {
		s.t.Fatal("no graph of vectors", err)
	}
	for _, statement := range list {
		if _, err := conn.Exec(s.t.Context(), statement); err != nil {
			s.t.Fatal(err)
		}
	}
}
