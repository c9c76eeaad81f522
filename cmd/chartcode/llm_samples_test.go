package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/llmtest"
	"chartcode/samples"
)

// TestSamplesByHandWrittenAnswers: the hand-written answers to the sample notes
// are recorded as an LLM's and replayed to the letter, and what they say is what is
// suggested first.
func TestSamplesByHandWrittenAnswers(t *testing.T) {
	t.Parallel()
	s, notes, dir, live := recordSamples(t)
	again, errs, status := s.say("suggest", notes, "--llm-replay", dir)
	if status != exitGood || changing.ReplaceAllString(again, "") != changing.ReplaceAllString(live, "") {
		t.Fatalf("status %d\n%s", status, errs)
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

// recordSamples records the hand-written answers to the sample notes; live is what was suggested.
func recordSamples(t *testing.T) (s *site, notes, dir, live string) {
	t.Helper()
	s = newStarted(t)
	answers, err := llmtest.Written(samples.Notes(), samples.Answers())
	if err != nil {
		t.Fatal(err)
	}
	server := llmtest.New(answers)
	defer server.Close()
	notes = s.file("samples.jsonl", string(samples.Notes()))
	dir = filepath.Join(t.TempDir(), "recordings")
	recording := *s
	recording.env = append(slices.Clone(s.env), "CHARTCODE_LLM_BASE_URL="+server.URL)
	live, errs, status := recording.say("suggest", notes, "--llm-model", "hand-written", "--llm-record", dir)
	if status != exitGood {
		t.Fatalf("status %d\n%s", status, errs)
	}
	return s, notes, dir, live
}
