package main

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"chartcode/internal/bus"
	"chartcode/internal/coding"
	"chartcode/internal/config"
)

// llmFault is something that an endpoint may do, and what becomes of the note.
type llmFault struct {
	name   string
	steps  []llmStep
	base   string // of no server of the test
	change func(*config.Config)
	reason string // why the note is ranked locally; "": it is ranked by the LLM
	calls  int    // that reach the server; 0: not looked at
}

func llmFaults(t *testing.T) []llmFault {
	good := llmCodes(t, nil)
	// The note's deadline, by default three times that, also holds what is done before the LLM is asked.
	quick := func(c *config.Config) { c.LLM.Timeout, c.LLMLimits.Deadline = 300*time.Millisecond, time.Minute }
	both := func(c *config.Config) { c.LLMSteps = "all" }
	brief := func(c *config.Config) { c.LLMLimits.Deadline = 2 * time.Second }
	one := func(s llmStep) []llmStep { return []llmStep{s} }
	then := func(s llmStep) []llmStep { return []llmStep{s, good} }
	finish := func(reason string) []llmStep {
		return one(func(w http.ResponseWriter, _ *http.Request, _ llmCall) {
			respondLLM(w, map[string]any{"finish_reason": reason, "message": map[string]any{"role": "assistant", "content": `{"codes":[`}})
		})
	}
	gone := listenLoopback(t)
	gone.Close()
	elsewhere := newLLMServer(t, good)
	t.Cleanup(func() {
		if elsewhere.called() > 0 {
			t.Error("a note was sent to where a server redirected to")
		}
	})
	return []llmFault{
		{name: "no fault", steps: one(good), calls: 1},
		{name: "401", steps: one(llmStatusStep(401, "Incorrect API key")), reason: "llm_unauthorized", calls: 1},
		{name: "404 model", steps: one(llmStatusStep(404, "The model does not exist")), reason: "llm_not_found", calls: 1},
		{name: "429 passing", steps: then(llmStatusStep(429, "slow down")), calls: 2},
		{name: "429 lasting", steps: one(llmStatusStep(429, "slow down")), change: brief, reason: "llm_rate_limited"},
		{name: "429 with Retry-After", steps: then(llmStatusStep(429, "slow down", "Retry-After", "1")), calls: 2},
		{name: "429 with a long Retry-After", steps: one(llmStatusStep(429, "slow down", "Retry-After", "3600")), reason: "llm_rate_limited", calls: 1},
		{name: "Retry-After of a clock an hour ahead", steps: then(func(w http.ResponseWriter, r *http.Request, q llmCall) {
			there := time.Now().Add(time.Hour).UTC()
			llmStatusStep(429, "slow down", "Date", there.Format(http.TimeFormat), "Retry-After", there.Add(time.Second).Format(http.TimeFormat))(w, r, q)
		}), calls: 2},
		{name: "500 passing", steps: then(llmStatusStep(500, "oops")), calls: 2},
		{name: "500 lasting", steps: one(llmStatusStep(500, "oops")), reason: "llm_unavailable", calls: 3},
		{name: "502", steps: then(llmStatusStep(502, "bad gateway")), calls: 2},
		{name: "503 lasting", steps: one(llmStatusStep(503, "loading")), reason: "llm_unavailable", calls: 3},
		{name: "connection refused", base: "http://" + gone.Addr().String() + "/v1", reason: "llm_unavailable"},
		{name: "no such host", base: "http://no-such-host.invalid/v1", reason: "llm_unavailable"},
		{name: "reset in mid-body", steps: then(resetLLM), calls: 2},
		{name: "reset for ever", steps: one(resetLLM), reason: "llm_unavailable", calls: 3},
		{name: "silence", steps: one(silentLLM), change: quick, reason: "llm_timeout", calls: 1},
		{name: "slow drip", steps: one(drippingLLM), change: quick, reason: "llm_timeout", calls: 1},
		{name: "redirect", steps: one(func(w http.ResponseWriter, r *http.Request, _ llmCall) {
			http.Redirect(w, r, elsewhere.base()+"/chat/completions", http.StatusTemporaryRedirect)
		}), reason: "llm_not_found", calls: 1},
		{name: "HTML instead of JSON", steps: one(func(w http.ResponseWriter, _ *http.Request, _ llmCall) {
			_, _ = fmt.Fprintf(w, "<html>Sign in, %s", marker)
		}), reason: "llm_invalid_answer", calls: 2},
		{name: "empty choices", steps: one(func(w http.ResponseWriter, _ *http.Request, _ llmCall) { respondLLM(w) }), reason: "llm_invalid_answer", calls: 2},
		{name: "finish_reason length", steps: finish("length"), reason: "llm_too_long", calls: 1},
		{name: "finish_reason content_filter", steps: finish("content_filter"), reason: "llm_refused", calls: 1},
		{name: "refusal", steps: one(func(w http.ResponseWriter, _ *http.Request, _ llmCall) {
			respondLLM(w, map[string]any{"finish_reason": "stop", "message": map[string]any{"role": "assistant", "refusal": "I cannot read " + marker}})
		}), reason: "llm_refused", calls: 1},
		{name: "invalid JSON", steps: one(llmSays(`{"codes":[{"number":`)), reason: "llm_invalid_answer", calls: 2},
		{name: "JSON in a code fence", steps: one(llmCodes(t, func(a string) string { return "Here:\n```json\n" + a + "\n```\n" })), calls: 1},
		{name: "wrong schema", steps: one(llmSays(`{"codes":"E11.9","items":"E11.9"}`)), reason: "llm_invalid_answer", calls: 2},
		{name: "another object", steps: one(llmSays(`{"diagnoses":["` + marker + `"]}`)), reason: "llm_invalid_answer", calls: 2},
		{name: "extra fields", steps: one(llmCodes(t, func(a string) string {
			return `{"thoughts":"` + marker + `",` + strings.ReplaceAll(a[1:], `{"number"`, `{"code":"Z99.9","number"`)
		})), calls: 1},
		{name: "numbers out of range", steps: one(llmCodes(t, withChoices(choiceOf(0, "acute bronchitis"), choiceOf(-1, "acute bronchitis"),
			choiceOf(9999, "acute bronchitis"), choiceOf(1e300, "acute bronchitis"), choiceOf(1.5, "acute bronchitis"), choiceOf(`"E11.9"`, "acute bronchitis")))), calls: 1},
		{name: "repeated numbers", steps: one(llmCodes(t, func(a string) string {
			first, _, _ := strings.Cut(strings.SplitN(a, `"codes":[`, 2)[1], `},{`)
			return withChoices(first+"}", first+"}")(a)
		})), calls: 1},
		{name: "quotes not in the note", steps: one(func(w http.ResponseWriter, r *http.Request, q llmCall) {
			llmCodes(t, withChoices(choiceOf(unstated(offered(q.Messages[1].Content)), "a fracture that the note does not tell of")))(w, r, q)
		}), calls: 1},
		{name: "a 10 MB answer", steps: one(llmSays(strings.Repeat("x", 10<<20))), reason: "llm_invalid_answer", calls: 2},
		{name: "context length exceeded", steps: one(llmStatusStep(400, "This model's maximum context length is 4096 tokens")), reason: "llm_too_long", calls: 1},
		{name: "400 for every shape", steps: one(llmStatusStep(400, "bad request")), reason: "llm_rejected", calls: 3},
		{name: "an account without credit", steps: one(llmStatusStep(429, "insufficient_quota")), reason: "llm_quota", calls: 1},
		{name: "the deadline of the note", steps: one(llmStatusStep(503, "loading", "Retry-After", "600")), reason: "llm_unavailable", calls: 1},
		{name: "expired budget", steps: one(good), change: func(c *config.Config) {
			c.LLMLimits.Prices, c.LLMLimits.DailyBudgetUSD = "some-model=1000/1000", 0.001
		}, reason: "llm_budget"},

		// In the steps of reading and choosing.
		{name: "both steps", steps: one(good), change: both, calls: 2},
		{name: "nothing is read", steps: then(llmSays(`{"items":[]}`)), change: both, calls: 2},
		{name: "what is read is not in the note", steps: then(llmSays(`{"items":[{"description":"fracture of the left femur","quote":"a fracture that the note does not tell of","section":7,"kind":"condition","assertion":"present"}]}`)), change: both, calls: 2},
		{name: "reading fails", steps: one(llmSays(`{"items":`)), change: both, reason: "llm_invalid_answer", calls: 2},
		{name: "reading fails once", steps: then(llmStatusStep(500, "oops")), change: both, calls: 3},
		{name: "invalid JSON after reading", steps: []llmStep{good, llmSays(`{"items":`)}, change: both, reason: "llm_invalid_answer", calls: 3},
		{name: "500 lasting after reading", steps: []llmStep{good, llmStatusStep(500, "oops")}, change: both, reason: "llm_unavailable", calls: 4},
		{name: "reset after reading", steps: []llmStep{good, resetLLM, good}, change: both, calls: 3},
		{name: "silence after reading", steps: []llmStep{good, silentLLM}, change: func(c *config.Config) { both(c); quick(c) }, reason: "llm_timeout", calls: 2},
	}
}

// unstated is a candidate that noteLines do not state.
func unstated(list map[string]int) int {
	for _, code := range slices.Sorted(func(yield func(string) bool) {
		for code := range list {
			if !yield(code) {
				return
			}
		}
	}) {
		if !strings.HasPrefix(code, "E11") && !strings.HasPrefix(code, "I1") && !strings.HasPrefix(code, "J") {
			return list[code]
		}
	}
	return 0
}

// TestLLM runs the worker against LLM endpoints of all kinds, in one lab, for
// that takes a while to set up.
func TestLLM(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	t.Run("Faults", l.faults)
	t.Run("SilentAtAStop", l.silentAtAStop)
	t.Run("Minutes", l.minutes)
	t.Run("InFlight", l.inFlight)
	t.Run("Budget", l.budget)
	t.Run("Cache", l.cache)
}

// faults: whatever an endpoint does, the note has exactly one suggestion set, by
// the LLM or by the local ranker, with the reason; and nothing that is not stated
// is suggested.
func (l *lab) faults(t *testing.T) {
	for i, f := range llmFaults(t) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			base, server := f.base, (*llmServer)(nil)
			if base == "" {
				server = newLLMServer(t, f.steps...)
				base = server.base()
			}
			a := l.bench(t, base, f.change)
			prefix := fmt.Sprintf("fault-%d", i)
			stop := l.work(t, a, bus.WorkConfig{})
			submit(t, a, noteLines(prefix, 1))
			drained(t, a)
			stop()
			checkFault(t, f, l.sets(t, marker+"-"+prefix+"-"))
			if server != nil && f.calls > 0 && server.called() != f.calls {
				t.Errorf("%d calls, want %d", server.called(), f.calls)
			}
			if f.reason == "llm_budget" && server.called() != 0 {
				t.Errorf("%d calls without a budget", server.called())
			}
		})
	}
}

func checkFault(t *testing.T, f llmFault, sets []coding.SuggestionSet) {
	t.Helper()
	if len(sets) != 1 {
		t.Fatalf("%d suggestion sets", len(sets))
	}
	set := sets[0]
	reason := ""
	if set.DegradedReason != nil {
		reason = *set.DegradedReason
	}
	ranker := "llm@"
	if f.reason != "" {
		ranker = "local@"
	}
	if reason != f.reason || set.Degraded != (f.reason != "") || !strings.HasPrefix(set.Ranker, ranker) {
		t.Errorf("ranked by %s, degraded %v for %q, want %q", set.Ranker, set.Degraded, reason, f.reason)
	}
	var codes []string
	for _, s := range set.Suggestions {
		codes = append(codes, s.Code)
		if len(s.Evidence) == 0 {
			t.Errorf("%s has no evidence", s.Code)
		}
		for _, e := range s.Evidence {
			if !strings.Contains(strings.ToLower("ASSESSMENT: "+marker+" number 0. Type 2 diabetes mellitus, essential hypertension, acute bronchitis."), strings.ToLower(e.Text)) {
				t.Errorf("%s rests on words that are not in the note", s.Code)
			}
		}
	}
	slices.SortFunc(codes, cmp.Compare[string])
	if want := []string{"E11.9", "I10", "J20.9"}; !slices.Equal(codes, want) {
		t.Errorf("suggested %v, want %v", codes, want)
	}
}

// silentAtAStop: the worker ends while the LLM is silent; the note goes back and
// the next worker's LLM ranks it, once.
func (l *lab) silentAtAStop(t *testing.T) {
	t.Parallel()
	silent := newLLMServer(t, silentLLM)
	a := l.bench(t, silent.base(), nil)
	stop := l.work(t, a, bus.WorkConfig{Grace: 50 * time.Millisecond})
	submit(t, a, noteLines("stop", 1))
	for silent.called() == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	if n, _, err := a.bus.Counts(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d notes wait after the stop, %v", n, err)
	}
	a.cfg.LLM.BaseURL = newLLMServer(t, llmCodes(t, nil)).base()
	l.work(t, a, bus.WorkConfig{})
	drained(t, a)
	checkFault(t, llmFault{}, l.sets(t, marker+"-stop-"))
}
