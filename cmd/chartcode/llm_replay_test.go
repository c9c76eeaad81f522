package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// say runs a command to its end and gives what it writes to standard error too.
func (s *site) say(args ...string) (stdout, stderr string, status int) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), programFor(args), args...)
	cmd.Env = s.env
	var out bytes.Buffer
	errs := newWatched()
	cmd.Stdout, cmd.Stderr = &out, errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

var changing = regexp.MustCompile(`"(created_at|timings_ms)":("[^"]*"|\{[^}]*\})`)

// TestRecordAndReplay: what was recorded is replayed to the letter, with no
// endpoint and no key; what was not is an error that names it.
func TestRecordAndReplay(t *testing.T) {
	t.Parallel()
	s := newStarted(t)
	server := newLLMServer(t, llmCodes(t, nil))
	dir := filepath.Join(t.TempDir(), "recordings")
	notes := s.file("notes.jsonl", noteLines("rec", 3))
	s.env = append(s.env, "CHARTCODE_LLM_STEPS=choose")
	env := s.env
	s.env = append(s.env, "CHARTCODE_LLM_API_KEY=sk-"+marker, "CHARTCODE_LLM_BASE_URL="+server.base())
	live, errs, status := s.say("suggest", notes, "--llm-model", "some-model", "--llm-record", dir)
	if status != exitGood || server.called() != 3 || !strings.Contains(errs, "hold the text of notes") {
		t.Fatalf("status %d, %d calls\n%s", status, server.called(), errs)
	}
	s.env = env
	server.Close()
	again, errs, status := s.say("suggest", notes, "--llm-replay", dir)
	if status != exitGood || changing.ReplaceAllString(again, "") != changing.ReplaceAllString(live, "") {
		t.Fatalf("status %d\n%s\nreplayed\n%s\nrecorded\n%s", status, errs, again, live)
	}
	const known = 2 + 3 // the text of a note is asked about, not its id: of the other four the last is new
	other := s.file("other.jsonl", noteLines("rec", 2)+noteLines("other", 4))
	out, errs, status := s.say("suggest", other, "--llm-replay", dir)
	if status != exitFailed || strings.Count(out, "\n") > known || strings.Contains(out, "degraded\":true") ||
		!regexp.MustCompile(`^chartcode: no recording [0-9a-f]{64} \(prompt \w+, model some-model\) .*--llm-record\n$`).MatchString(lastLine(errs)) {
		t.Errorf("a miss: status %d\n%s", status, errs)
	}
	for _, c := range []struct {
		says string
		args []string
	}{
		{"exclude each other", []string{"--llm-replay", dir, "--llm-record", dir}},
		{"holds no recordings", []string{"--llm-replay", t.TempDir()}},
		{"cannot be read", []string{"--llm-replay", filepath.Join(dir, "none")}},
		{"CHARTCODE_LLM_PRICES='our-model=INPUT/OUTPUT'", []string{"--llm-model", "our-model", "--llm-daily-budget-usd", "5"}},
		{"CHARTCODE_LLM_PRICES", []string{"--llm-model", "our-model", "--llm-prices", "our-model=cheap"}},
		{"CHARTCODE_LLM_TIMEOUT must be", []string{"--llm-timeout", "soon"}},
		{"CHARTCODE_LLM_MODEL", []string{"--ranker", "llm"}},
	} {
		_, errs, status := s.say(append([]string{"suggest", notes}, c.args...)...)
		if status != exitUsage || !strings.Contains(lastLine(errs), c.says) {
			t.Errorf("%v: status %d, %s", c.args, status, errs)
		}
	}
}

func lastLine(s string) string {
	lines := strings.SplitAfter(strings.TrimRight(s, "\n")+"\n", "\n")
	return lines[len(lines)-2]
}

// TestWorkerShowsItsLLM: the metrics of a worker process, and status.
func TestWorkerShowsItsLLM(t *testing.T) {
	t.Parallel()
	s, _ := newServers(t)
	server := newLLMServer(t, llmCodes(t, nil))
	s.env = append(s.env, "CHARTCODE_LLM_API_KEY=sk-"+marker, "CHARTCODE_LLM_BASE_URL="+server.base(), "CHARTCODE_LLM_MODEL=some-model", "CHARTCODE_LLM_STEPS=choose",
		"CHARTCODE_LLM_PRICES=some-model=1/0.2/5", "CHARTCODE_LLM_DAILY_BUDGET_USD=3", "CHARTCODE_METRICS_ADDR=127.0.0.1:0")
	worker := s.start("work")
	address := worker.expect(`^metrics (http://\S+)$`)[1]
	if _, code := s.run("submit", s.file("notes.jsonl", noteLines("metrics", 2))); code != 0 {
		t.Fatal("submit failed")
	}
	st := s.settled(2, worker)
	if st.LLM == nil || *st.LLM != (llmStatus{Model: "some-model", Calls: 2, PromptTokens: 6000, CachedTokens: 2000, CompletionTokens: 400, SpentUSD: 0.0064, BudgetUSD: 3}) {
		t.Errorf("status %+v", st.LLM)
	}
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = newWatched().Write(page)
	for _, want := range []string{
		`chartcode_llm_calls_total{endpoint="primary",result="ok"} 2`, `chartcode_llm_answers_total{result="ok",source="endpoint"} 2`,
		`chartcode_llm_tokens_total{endpoint="primary",kind="prompt"} 6000`, `chartcode_llm_tokens_total{endpoint="primary",kind="cached"} 2000`,
		`chartcode_llm_tokens_total{endpoint="primary",kind="completion"} 400`, `chartcode_llm_cost_usd_total 0.0064`, `chartcode_llm_in_flight 0`,
		`chartcode_llm_breaker_open{endpoint="primary"} 0`, `chartcode_llm_daily_budget_usd 3`, `chartcode_llm_call_seconds_count{endpoint="primary"} 2`,
		`chartcode_llm_spent_today_usd `, `chartcode_llm_choices_total{result="held"} 6`, `chartcode_llm_choices_total{result="not_offered"} 0`,
		`chartcode_llm_quotes_total{result="exact"} 6`, `chartcode_llm_quotes_total{result="missing"} 0`,
	} {
		if !strings.Contains(string(page), "\n"+want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if out, _, _ := s.say("status"); !strings.Contains(out, "LLM today: 2 calls, 6000 tokens in and 400 out, 0.01 US dollars of 3.00\n") {
		t.Errorf("status says\n%s", out)
	}
	if raw, _ := s.run("status", "--json"); !json.Valid([]byte(raw)) {
		t.Errorf("status --json is %s", raw)
	}
}

// TestMissingModelIsTold: an address without a model does nothing, and that is
// said, before anything else is done.
func TestMissingModelIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t, "CHARTCODE_LLM_BASE_URL=http://127.0.0.1:1/v1")
	_, errs, status := s.say("suggest", "no-such-file.jsonl")
	if status != exitFailed || strings.Count(errs, "CHARTCODE_LLM_MODEL is not set") != 1 {
		t.Errorf("status %d\n%s", status, errs)
	}
}
