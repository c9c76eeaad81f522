package store_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/store/storetest"
)

func TestLLMAnswersExpire(t *testing.T) {
	t.Parallel()
	s, ctx := storetest.New(t), t.Context()
	now := time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC)
	hash := [32]byte{1}
	look := func(at time.Time) string {
		t.Helper()
		answer, found, err := s.LLMAnswer(ctx, hash, at)
		if err != nil || found != (answer != nil) {
			t.Fatal(string(answer), found, err)
		}
		return string(answer)
	}
	save := func(answer string, at time.Time) {
		t.Helper()
		if err := s.SaveLLMAnswer(ctx, hash, []byte(answer), at, at.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if got := look(now); got != "" {
		t.Errorf("an empty cache answers %s", got)
	}
	save(`{"a": 1}`, now)
	save(`{"a": 2}`, now.Add(time.Minute)) // the first stays
	if got := look(now.Add(59 * time.Minute)); got != `{"a": 1}` {
		t.Errorf("got %s", got)
	}
	if got := look(now.Add(time.Hour)); got != "" {
		t.Errorf("an expired answer is given: %s", got)
	}
	save(`{"a": 3}`, now.Add(2*time.Hour))
	if got := look(now.Add(2 * time.Hour)); got != `{"a": 3}` {
		t.Errorf("got %s", got)
	}
	if n, err := s.ForgetLLMAnswers(ctx, now.Add(150*time.Minute), 10); n != 0 || err != nil {
		t.Errorf("%d removed before their time, %v", n, err)
	}
	if n, err := s.ForgetLLMAnswers(ctx, now.Add(3*time.Hour), 10); n != 1 || err != nil {
		t.Errorf("%d removed, %v", n, err)
	}
	if got := look(now.Add(2 * time.Hour)); got != "" {
		t.Errorf("a removed answer is given: %s", got)
	}
}

// However many reserve at once, the sum keeps to the limit, and each day has its own.
func TestLLMBudget(t *testing.T) {
	t.Parallel()
	url := storetest.MigratedURL(t)
	a, b := storetest.Open(t, url), storetest.Open(t, url)
	ctx := t.Context()
	const limit, each, tries = 1000, 30, 60
	var granted atomic.Int64
	var wg sync.WaitGroup
	for i := range tries {
		s := a
		if i%2 == 1 {
			s = b
		}
		wg.Go(func() {
			spent, ok, err := s.ReserveLLM(ctx, "2026-03-14", each, limit)
			if err != nil || spent > limit {
				t.Errorf("%d spent, %v", spent, err)
			}
			if ok {
				granted.Add(1)
			}
		})
	}
	wg.Wait()
	if granted.Load() != limit/each {
		t.Errorf("%d of %d were granted", granted.Load(), tries)
	}
	add := coding.LLMSpend{Calls: 1, PromptTokens: 200, CachedTokens: 50, CompletionTokens: 7, NanoUSD: -25}
	for range 2 {
		if err := a.SettleLLM(ctx, "2026-03-14", add); err != nil {
			t.Fatal(err)
		}
	}
	got, err := b.LLMSpend(ctx, "2026-03-14")
	want := coding.LLMSpend{Calls: 2, PromptTokens: 400, CachedTokens: 100, CompletionTokens: 14, NanoUSD: limit/each*each - 50}
	if err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if _, ok, err := a.ReserveLLM(ctx, "2026-03-14", 0, 1); !ok || err != nil {
		t.Errorf("what costs nothing was refused: %v", err)
	}
	if spent, ok, err := a.ReserveLLM(ctx, "2026-03-15", 2*limit, limit); ok || spent != 0 || err != nil {
		t.Errorf("the first call of a day passed the budget alone: %d, %v", spent, err)
	}
	if got, err := a.LLMSpend(ctx, "2026-03-16"); got != (coding.LLMSpend{}) || err != nil {
		t.Errorf("a day without calls: %+v, %v", got, err)
	}
}
