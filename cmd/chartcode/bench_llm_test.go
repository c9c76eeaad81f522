package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"chartcode/internal/llm"
)

// benchLLM runs bench llm and reads its figures.
func benchLLM(s *site, args ...string) llmFigures {
	s.t.Helper()
	out, errs, status := s.say(append([]string{"bench", "llm", "--json"}, args...)...)
	var f llmFigures
	if status != exitGood || json.Unmarshal([]byte(out), &f) != nil {
		s.t.Fatalf("status %d\n%s\n%s", status, out, errs)
	}
	return f
}

// TestBenchLLM: what a note costs. Prompts that grow beyond what is promised fail here.
func TestBenchLLM(t *testing.T) {
	t.Parallel()
	s := newStarted(t)
	t.Run("samples", func(t *testing.T) {
		f := benchLLM(s)
		repairs := 0
		if r := f.Steps["repair"]; r != nil {
			repairs = r.Calls
		}
		extract, choose := f.Steps["extract"], f.Steps["choose"]
		if f.Model != "none" || !f.Estimated || f.Notes != 30 || f.Degraded != 0 || extract == nil || choose == nil || extract.Calls != f.Notes || choose.Calls != f.Notes {
			t.Fatalf("%+v", f)
		}
		if got, want := f.Calls*float64(f.Notes), float64(2*f.Notes+repairs); got < want-0.5 || got > want+0.5 || f.MostCalls > 3 || repairs > f.Notes/10 {
			t.Errorf("%.2f calls a note, %d at most, %d repairs", f.Calls, f.MostCalls, repairs)
		}
		if f.Scaled >= 10_000 || f.Scaled < f.Tokens {
			t.Errorf("%.0f tokens a note, %.0f for 3,000 characters", f.Tokens, f.Scaled)
		}
		// The system text and the beginning of the schema are the same in each request of a task; nothing of a note is.
		for task, step := range map[string]*llmStepFigure{"extract": extract, "choose": choose} {
			if each := step.Static / step.Calls; each < 1000 || each > 1400 {
				t.Errorf("%s: %d tokens are static", task, each)
			}
		}
		if f.Static < 0.3 || f.Static > 0.7 || f.CostUSD != nil {
			t.Errorf("%.2f of the prompts is static, cost %v", f.Static, f.CostUSD)
		}
	})
	t.Run("a note of 3000 characters", func(t *testing.T) {
		f := benchLLM(s, s.file("long.jsonl", sampleOf(t, scaledTo)))
		if f.Notes != 1 || f.Characters < scaledTo-200 || f.MostCalls > 2 || f.MostTokens >= 10_000 {
			t.Errorf("%+v", f)
		}
	})
	t.Run("a server", func(t *testing.T) { // it says 3,000 tokens in, 200 out
		server := newLLMServer(t, llmCodes(t, nil))
		s := *s
		s.t = t
		s.env = append(s.env, "CHARTCODE_LLM_BASE_URL="+server.base(), "CHARTCODE_LLM_MODEL=some-model", "CHARTCODE_LLM_STEPS=choose", "CHARTCODE_LLM_PRICES=some-model=1/0.2/5")
		f := benchLLM(&s, s.file("notes.jsonl", noteLines("bench", 3)))
		if f.Model != "some-model" || f.Estimated || f.Notes != 3 || f.MostCalls != 1 || f.MostTokens != 3200 || server.called() != 3 || f.CostUSD == nil || *f.CostUSD < 0.0016 || *f.CostUSD > 0.004 ||
			f.Cached < 0.33 || f.Cached > 0.34 || f.Steps["choose"].Cached != 3000 {
			t.Errorf("%+v, %d calls", f, server.called())
		}
	})
	t.Run("in words", func(t *testing.T) {
		out, _, status := s.say("bench", "llm", s.file("one.jsonl", noteLines("words", 1)))
		if status != exitGood || !strings.Contains(out, "a note: 2.00 calls (2 at most)") || !strings.Contains(out, "a prompt cache can serve") {
			t.Errorf("status %d\n%s", status, out)
		}
		if _, errs, status := s.say("bench", "llm", "--style", "free"); status != exitUsage || !strings.Contains(errs, "billing or mentions") {
			t.Errorf("status %d\n%s", status, errs)
		}
	})
}

// TestStaticTokens: what is static is a share of what the prompts have, however
// few tokens the server counts, and what its cache served is what costs less.
func TestStaticTokens(t *testing.T) {
	t.Parallel()
	prices, err := llm.LoadPrices("m=1/0.5/0")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what           string
		prompt, cached int
		static         int
		usd            float64
	}{
		{"by the server", 1000, 0, 800, 600},
		{"by a server that tells of its cache", 1000, 400, 800, 800},
		{"by bytes", 10_000, 0, 8000, 6000},
	} {
		m := &meteredChat{calls: 10, took: time.Second, steps: map[string]*llmStepFigure{
			"extract": {Calls: 10, Prompt: c.prompt, Cached: c.cached, prefix: strings.Repeat("x", 4000), length: 50_000}}}
		f := llmFigures{Model: "m", Notes: 10, Characters: 30_000, Steps: m.steps}
		f.sum(m, prices, 10, c.prompt)
		if got := m.steps["extract"].Static; got != c.static || f.Static != 0.8 {
			t.Errorf("%s: %d tokens are static, %.2f", c.what, got, f.Static)
		}
		if want := c.usd / 1e6 / 10; f.CostUSD == nil || math.Abs(*f.CostUSD-want) > 1e-12 {
			t.Errorf("%s: cost %v, want %v", c.what, f.CostUSD, want)
		}
	}
}

// sampleOf is a sample note cut to so many characters at the end of a word.
func sampleOf(t *testing.T, characters int) string {
	t.Helper()
	for _, text := range sampleTexts(t) {
		if len(text) < characters {
			continue
		}
		text = text[:characters]
		text = text[:strings.LastIndexByte(text, ' ')]
		line, err := json.Marshal(map[string]any{"note_id": "long", "service_date": "2026-03-14", "text": text})
		if err != nil {
			t.Fatal(err)
		}
		return string(line) + "\n"
	}
	t.Fatalf("no sample has %d characters", characters)
	return ""
}
