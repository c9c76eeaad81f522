package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"chartcode/internal/coding"
)

// TestWrongLLMSettingsAreToldAtOnce: in one line, with status 2, before a database
// or a server of the queue is looked for: there is none here.
func TestWrongLLMSettingsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	broken := t.TempDir()
	if err := os.MkdirAll(filepath.Join(broken, "choose", "v2"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, "choose", "v2", "user.tmpl"), []byte("{{.Fence"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, "CHARTCODE_DATABASE_URL=postgres://127.0.0.1:1/none", "CHARTCODE_NATS_URL=nats://127.0.0.1:1", "CHARTCODE_LLM_MODEL=some-model", "CHARTCODE_LLM_BASE_URL=http://127.0.0.1:1/v1")
	notes := s.file("notes.jsonl", noteLines("settings", 1))
	for _, command := range [][]string{{"work"}, {"serve"}, {"demo"}, {"suggest", notes}, {"bench", "llm"}} {
		for _, c := range []struct{ variable, value, says string }{
			{"CHARTCODE_LLM_BASE_URL", "ftp://models", "CHARTCODE_LLM_BASE_URL must be an address that starts with http://"},
			{"CHARTCODE_LLM_STEPS", "read", "CHARTCODE_LLM_STEPS must be all or choose"},
			{"CHARTCODE_LLM_TIMEOUT", "soon", "CHARTCODE_LLM_TIMEOUT must be"},
			{"CHARTCODE_LLM_PRICES", "some-model=cheap", "CHARTCODE_LLM_PRICES"},
			{"CHARTCODE_PROMPTS", filepath.Join(broken, "none"), "is no folder"},
			{"CHARTCODE_PROMPTS", broken, "choose v2"},
		} {
			site := *s
			site.env = append(append([]string{}, s.env...), c.variable+"="+c.value)
			out, errs, status := site.say(command...)
			if status != exitUsage || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, c.says) {
				t.Errorf("%v, %s=%s: status %d\n%s%s", command, c.variable, c.value, status, out, errs)
			}
		}
	}
}

// TestPromptsFolder: the flag and the variable put a folder's files in the place of
// the program's, and suggestion sets tell them apart.
func TestPromptsFolder(t *testing.T) {
	t.Parallel()
	s := newStarted(t)
	mine := t.TempDir()
	if err := os.MkdirAll(filepath.Join(mine, "choose", "v2"), 0o755); err != nil {
		t.Fatal(err)
	}
	const words = "Choose as our office chooses."
	if err := os.WriteFile(filepath.Join(mine, "choose", "v2", "system.txt"), []byte(words), 0o600); err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	server := newLLMServer(t, func(w http.ResponseWriter, r *http.Request, q llmCall) {
		if q.Messages[0].Content == words {
			asked.Add(1)
		}
		llmCodes(t, nil)(w, r, q)
	})
	s.env = append(s.env, "CHARTCODE_LLM_BASE_URL="+server.base(), "CHARTCODE_LLM_MODEL=some-model", "CHARTCODE_LLM_STEPS=choose", "CHARTCODE_LLM_CACHE_DAYS=0")
	notes := s.file("notes.jsonl", noteLines("prompts", 1))
	hash := func(env string, args ...string) string {
		t.Helper()
		site := *s
		site.env = append(append([]string{}, s.env...), env)
		out, errs, status := site.say(append([]string{"suggest", notes}, args...)...)
		var set coding.SuggestionSet
		if status != exitGood || json.Unmarshal([]byte(out), &set) != nil || set.PromptSHA256 == nil || set.Degraded {
			t.Fatalf("status %d\n%s\n%s", status, out, errs)
		}
		return *set.PromptSHA256
	}
	ours := hash("X=")
	if asked.Load() != 0 {
		t.Error("the program's own prompt is another")
	}
	byFlag, byVariable := hash("X=", "--prompts", mine), hash("CHARTCODE_PROMPTS="+mine)
	if asked.Load() != 2 || byFlag != byVariable || byFlag == ours {
		t.Errorf("asked %d times; hashes %s %s %s", asked.Load(), ours, byFlag, byVariable)
	}
}
