package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"chartcode/internal/bus"
	"chartcode/internal/config"
)

// minutes: answers take several times as long as the server of the queue waits
// for a sign of life, and come in reverse order. No note is delivered twice.
func (l *lab) minutes(t *testing.T) {
	t.Parallel()
	const notes, ackWait = 6, time.Second
	var mu sync.Mutex
	var waiting []chan struct{}
	server := newLLMServer(t, func(w http.ResponseWriter, r *http.Request, q llmCall) {
		answer := make(chan struct{})
		mu.Lock()
		waiting = append(waiting, answer)
		if len(waiting) == notes {
			go func(list []chan struct{}) {
				time.Sleep(4 * ackWait) // the model's work
				for i := range list {
					close(list[len(list)-1-i])
					time.Sleep(10 * time.Millisecond)
				}
			}(waiting)
		}
		mu.Unlock()
		<-answer
		llmCodes(t, nil)(w, r, q)
	})
	a := l.bench(t, server.base(), func(c *config.Config) { c.LLM.Timeout, c.LLMLimits.Concurrency = 30*time.Minute, notes })
	var seen []bus.Outcome
	stop := l.work(t, a, bus.WorkConfig{Concurrency: notes, AckWait: ackWait, Observe: func(o bus.Outcome) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, o)
	}})
	submit(t, a, noteLines("minutes", notes))
	drained(t, a)
	stop()
	for _, o := range seen {
		if o.Attempt != 1 || o.Result != bus.ResultDone {
			t.Errorf("attempt %d ended with %s", o.Attempt, o.Result)
		}
	}
	sets := l.sets(t, marker+"-minutes-")
	if len(seen) != notes || server.called() != notes || len(sets) != notes {
		t.Errorf("%d deliveries, %d calls, %d suggestion sets for %d notes", len(seen), server.called(), len(sets), notes)
	}
	for _, s := range sets {
		if s.Degraded {
			t.Error("a set is degraded")
		}
	}
}

// inFlight: the server answers one call, any of them, only when as many are
// under way as are allowed, or as many as there are notes left. A worker that
// kept fewer in flight would hang.
func (l *lab) inFlight(t *testing.T) {
	t.Parallel()
	const notes, allowed = 200, 64
	var mu sync.Mutex
	var waiting []chan struct{}
	left, most := notes, 0
	release := func() { // with mu held
		for len(waiting) > 0 && len(waiting) >= min(allowed, left) {
			i := rand.IntN(len(waiting))
			close(waiting[i])
			waiting[i] = waiting[len(waiting)-1]
			waiting = waiting[:len(waiting)-1]
			left--
		}
	}
	server := newLLMServer(t, func(w http.ResponseWriter, r *http.Request, q llmCall) {
		answer := make(chan struct{})
		mu.Lock()
		waiting = append(waiting, answer)
		most = max(most, len(waiting))
		release()
		mu.Unlock()
		select {
		case <-answer:
		case <-r.Context().Done():
			t.Error("a call was given up")
			return
		}
		llmCodes(t, nil)(w, r, q)
	})
	a := l.bench(t, server.base(), func(c *config.Config) { c.LLM.Timeout, c.LLMLimits.Concurrency = 10*time.Minute, allowed })
	stop := l.work(t, a, bus.WorkConfig{Concurrency: a.workers(pipelineOptions{})})
	submit(t, a, noteLines("flight", notes))
	drained(t, a)
	stop()
	if most != allowed {
		t.Errorf("at most %d calls were under way, %d are allowed", most, allowed)
	}
	if sets := l.sets(t, marker+"-flight-"); len(sets) != notes || server.called() != notes {
		t.Errorf("%d sets and %d calls for %d notes", len(sets), server.called(), notes)
	}
}

// budget: two workers share it; when it is spent notes are ranked locally, and
// status and metrics say what was spent.
func (l *lab) budget(t *testing.T) {
	t.Parallel()
	const notes, each = 40, 0.0032 // US dollars: 2000 tokens at 1, 1000 from the cache at 0.2, 200 at 5
	server := newLLMServer(t, llmCodes(t, nil))
	day := func(c *config.Config) { // a day of its own in the shared database
		c.Timezone = time.FixedZone("far away", 40*24*3600)
		c.LLMLimits.Prices, c.LLMLimits.DailyBudgetUSD, c.LLMLimits.Concurrency = "some-model=1/0.2/5", 0.05, 2
	}
	a := l.bench(t, server.base(), day)
	b := *a
	stopA, stopB := l.work(t, a, bus.WorkConfig{}), l.work(t, &b, bus.WorkConfig{})
	submit(t, a, noteLines("budget", notes))
	drained(t, a)
	stopA()
	stopB()
	ranked := 0
	for _, s := range l.sets(t, marker+"-budget-") {
		switch {
		case !s.Degraded:
			ranked++
			if s.Usage.CostUSD < each-1e-9 || s.Usage.CostUSD > each+1e-9 {
				t.Errorf("a note cost %v", s.Usage.CostUSD)
			}
		case *s.DegradedReason != "llm_budget":
			t.Errorf("degraded for %s", *s.DegradedReason)
		}
	}
	s, err := a.llmStatus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if ranked == 0 || ranked == notes || ranked != server.called() || s.Calls != ranked || s.SpentUSD > 0.05 || s.SpentUSD < float64(ranked)*each-1e-9 || s.BudgetUSD != 0.05 {
		t.Errorf("%d of %d notes ranked, %d calls, status %+v", ranked, notes, server.called(), *s)
	}
}

// cache: the same text under another id costs nothing.
func (l *lab) cache(t *testing.T) {
	t.Parallel()
	server := newLLMServer(t, llmCodes(t, nil))
	a := l.bench(t, server.base(), func(c *config.Config) { c.LLMLimits.CacheDays = 1 })
	l.work(t, a, bus.WorkConfig{Concurrency: 1})
	line := noteLines("cached", 1)
	submit(t, a, line+strings.Replace(line, "cached-0", "cached-again", 1))
	drained(t, a)
	hits, calls := 0, 0
	for _, s := range l.sets(t, marker+"-cached-") {
		hits += s.Usage.CacheHits
		calls += s.Usage.Calls
		if s.Degraded || len(s.Suggestions) != len(stated) {
			t.Errorf("%d suggestions, degraded %v", len(s.Suggestions), s.Degraded)
		}
	}
	if fmt.Sprint(hits, calls, server.called()) != "1 1 1" {
		t.Errorf("%d hits, %d calls, %d reached the server", hits, calls, server.called())
	}
}
