package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
	"chartcode/internal/llmtest"
	"chartcode/samples"
)

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

// TestSamplesByHandWrittenAnswers: the hand-written answers to the sample notes
// are recorded as an LLM's and replayed to the letter, and what they say is what is
// suggested first. All samples three times are many for the race detector, which
// TestRecordAndReplay has.
func TestSamplesByHandWrittenAnswers(t *testing.T) {
	t.Parallel()
	s := newStarted(t)
	answers, err := llmtest.Written(samples.Notes(), samples.Answers())
	if err != nil {
		t.Fatal(err)
	}
	server := llmtest.New(answers)
	defer server.Close()
	notes := s.file("samples.jsonl", string(samples.Notes()))
	dir := filepath.Join(t.TempDir(), "recordings")
	env := s.env
	s.env = append(s.env, "CHARTCODE_LLM_BASE_URL="+server.URL)
	live, errs, status := s.sayProgram(plain, "suggest", notes, "--llm-model", "hand-written", "--llm-record", dir)
	if status != exitGood {
		t.Fatalf("status %d\n%s", status, errs)
	}
	server.Close()
	s.env = env
	again, errs, status := s.sayProgram(plain, "suggest", notes, "--llm-replay", dir)
	if status != exitGood || changing.ReplaceAllString(again, "") != changing.ReplaceAllString(live, "") {
		t.Fatalf("status %d\n%s", status, errs)
	}
	// On another database whose graph of vectors, built with random numbers, is another.
	other := newStarted(t)
	other.rebuildVectorIndexes()
	elsewhere, errs, status := other.sayProgram(plain, "suggest", notes, "--llm-replay", dir)
	if status != exitGood || changing.ReplaceAllString(elsewhere, "") != changing.ReplaceAllString(live, "") {
		t.Fatalf("on another database: status %d\n%s", status, errs)
	}
	first := map[string]string{}
	for line := range strings.Lines(string(samples.Answers())) {
		var a struct {
			NoteID string `json:"note_id"`
			First  string `json:"first"`
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		first[a.NoteID] = a.First
	}
	n, right := 0, 0
	for line := range strings.Lines(live) {
		var set coding.SuggestionSet
		if err := json.Unmarshal([]byte(line), &set); err != nil {
			t.Fatal(err)
		}
		if set.Degraded || set.Usage.Calls < 2 || set.Usage.Calls > 3 || slices.ContainsFunc(set.Notices, func(n coding.Notice) bool { return n.Code == coding.NoticeAddressed }) {
			t.Errorf("%s: degraded %v, %d calls, notices %v", set.NoteID, set.Degraded, set.Usage.Calls, set.Notices)
		}
		n++
		if len(set.Suggestions) > 0 && set.Suggestions[0].Code == first[set.NoteID] {
			right++
		}
	}
	// The starter set lacks some of the codes.
	if n != len(first) || right < n*4/5 {
		t.Errorf("%d notes, %d of them with the first code that people wrote", n, right)
	}
}
