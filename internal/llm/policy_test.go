package llm

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/prompts"
)

// book is a Spending and Answers in memory; broken makes it fail.
type book struct {
	mu      sync.Mutex
	spent   map[string]int64
	calls   int
	answers map[[32]byte][]byte
	broken  bool
}

func newBook() *book { return &book{spent: map[string]int64{}, answers: map[[32]byte][]byte{}} }

var errBook = errors.New("the database is not available")

func (b *book) ReserveLLM(_ context.Context, day string, nano, limit int64) (int64, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return 0, false, errBook
	}
	if nano > 0 && b.spent[day]+nano > limit {
		return b.spent[day], false, nil
	}
	b.spent[day] += nano
	return b.spent[day], true, nil
}

func (b *book) SettleLLM(_ context.Context, day string, add coding.LLMSpend) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return errBook
	}
	b.spent[day] += add.NanoUSD
	b.calls += add.Calls
	return nil
}

func (b *book) LLMAnswer(_ context.Context, hash [32]byte, _ time.Time) ([]byte, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return nil, false, errBook
	}
	a, ok := b.answers[hash]
	return a, ok, nil
}

func (b *book) SaveLLMAnswer(_ context.Context, hash [32]byte, answer []byte, _, _ time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return errBook
	}
	b.answers[hash] = answer
	return nil
}

func (b *book) total() (sum int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.spent {
		sum += n
	}
	return sum
}

func numbered(n int) prompts.Prompt {
	p := prompt
	p.User += strings.Repeat("!", n)
	return p
}

func TestTheSecondEndpointIsAskedWhenTheFirstFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault  step
		helped bool
	}{
		"500":            {fails(500, "oops"), true},
		"401":            {fails(401, "no"), true},
		"429":            {fails(429, "slow down", "Retry-After", "3600"), true},
		"refusal":        {fails(400, "content_filter"), false}, // the note's, not the endpoint's
		"invalid answer": {says("no JSON"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := serve(t, c.fault), serve(t, says(good))
			client := clientFor(t, first.URL, func(cfg *Config) {
				cfg.Fallback = Endpoint{BaseURL: second.URL + "/v1", APIKey: secret, Model: "other-model"}
			})
			answer, usage, err := client.Ask(t.Context(), prompt)
			if (err == nil) != c.helped || (answer != nil) != c.helped || (usage.FallbackCalls == 1) != c.helped || len(second.seen()) != usage.FallbackCalls {
				t.Errorf("%s %v %+v", answer, err, usage)
			}
			if c.helped && second.seen()[0].Model != "other-model" {
				t.Errorf("the second was asked for %s", second.seen()[0].Model)
			}
		})
	}
}

// When both fail the reason is that of the first: it is the one to repair.
func TestBothEndpointsFail(t *testing.T) {
	t.Parallel()
	client := clientFor(t, serve(t, fails(401, "no")).URL, func(cfg *Config) {
		cfg.Fallback = Endpoint{BaseURL: serve(t, fails(500, "no")).URL + "/v1", APIKey: secret, Model: "m"}
	})
	answer, _, err := client.Ask(t.Context(), prompt)
	check(t, answer, err, Unauthorized)
}

func TestAzureIsAskedInItsWay(t *testing.T) {
	t.Parallel()
	var path, query, key, bearer atomic.Value
	s := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path.Store(r.URL.Path)
		query.Store(r.URL.RawQuery)
		key.Store(r.Header.Get("Api-Key"))
		bearer.Store(r.Header.Get("Authorization"))
		says(good)(w, r, request{})
	})
	srv := newHTTP(t, s)
	client := clientFor(t, srv, func(c *Config) { c.BaseURL, c.Model, c.APIVersion = srv, "gpt-4.1:ours", "2024-10-21" })
	if _, _, err := client.Ask(t.Context(), prompt); err != nil {
		t.Fatal(err)
	}
	if path.Load() != "/openai/deployments/gpt-4.1:ours/chat/completions" || query.Load() != "api-version=2024-10-21" || key.Load() != secret || bearer.Load() != "" {
		t.Errorf("%v ? %v, authorization %v", path.Load(), query.Load(), bearer.Load())
	}
}

func TestAnswersAreKept(t *testing.T) {
	t.Parallel()
	s, kept, heard := serve(t, says(good)), newBook(), &listener{}
	set := func(c *Config) { c.Answers, c.Observer = kept, heard }
	for i, client := range []*Client{clientFor(t, s.URL, set), clientFor(t, s.URL, set), clientFor(t, s.URL, set, func(c *Config) { c.Model = "another" })} {
		answer, usage, err := client.Ask(t.Context(), prompt)
		if err != nil || string(answer) != good {
			t.Fatal(err)
		}
		if want := []coding.Usage{{Calls: 1, PromptTokens: 100, CachedTokens: 40, CompletionTokens: 7}, {CacheHits: 1}, {Calls: 1, PromptTokens: 100, CachedTokens: 40, CompletionTokens: 7}}[i]; usage != want {
			t.Errorf("usage %d: %+v", i, usage)
		}
	}
	if got := strings.Join(heard.lines, "|"); strings.Count(got, "answer cache ") != 1 || strings.Count(got, "answer endpoint ") != 2 {
		t.Errorf("heard %s", got)
	}
}

// A database that is away costs money, not answers.
func TestACacheThatFailsIsPassed(t *testing.T) {
	t.Parallel()
	client := clientFor(t, serve(t, says(good)).URL, func(c *Config) { c.Answers, c.Spending = &book{broken: true}, &book{broken: true} })
	if _, _, err := client.Ask(t.Context(), prompt); err != nil {
		t.Error(err)
	}
}

// What does not fit the schema is not kept.
func TestOnlyUsableAnswersAreKept(t *testing.T) {
	t.Parallel()
	kept := newBook()
	client := clientFor(t, serve(t, says(`{"codes":7}`)).URL, func(c *Config) { c.Answers = kept })
	answer, _, err := client.Ask(t.Context(), prompt)
	check(t, answer, err, InvalidAnswer)
	if len(kept.answers) != 0 {
		t.Errorf("kept %v", kept.answers)
	}
}

func TestTheSameQuestionIsAskedOnceAtATime(t *testing.T) {
	t.Parallel()
	const askers = 8
	hold := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request, q request) { <-hold; says(good)(w, r, q) })
	client := clientFor(t, s.URL)
	gone, give := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { _, _, err := client.Ask(gone, prompt); left <- err }() // the first, who gives up
	for len(s.seen()) == 0 {
		time.Sleep(time.Millisecond)
	}
	var wg sync.WaitGroup
	var paid, shared atomic.Int64
	for range askers {
		wg.Go(func() {
			answer, usage, err := client.Ask(t.Context(), prompt)
			if err != nil || string(answer) != good {
				t.Errorf("%s %v", answer, err)
			}
			paid.Add(int64(usage.Calls))
			shared.Add(int64(usage.CacheHits))
		})
	}
	give()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the one who gave up got %v", err)
	}
	close(hold)
	wg.Wait()
	// Those who come after the answer ask for themselves: there is no cache here.
	if n := len(s.seen()); int64(n) != paid.Load()+1 || paid.Load()+shared.Load() != askers {
		t.Errorf("%d calls, %d paid, %d shared", n, paid.Load(), shared.Load())
	}
}

// However many ask at once, no more is spent than the budget allows for what is
// expected of each call; then calls end before they are made.
func TestTheBudget(t *testing.T) {
	t.Parallel()
	var fly, most atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request, q request) {
		if n := fly.Add(1); n > most.Load() {
			most.Store(n)
		}
		time.Sleep(time.Millisecond)
		fly.Add(-1)
		says(good)(w, r, q)
	})
	kept, heard := newBook(), &listener{}
	set := func(c *Config) {
		c.Spending, c.Observer = kept, heard
		c.Prices = Prices{"test-model": {Input: 10, CachedInput: 1, Output: 1000}}
		c.DailyBudget = 1.5 // a call costs 0.00764, and is expected to cost 0.8 at first, before one was seen
	}
	a, b := clientFor(t, s.URL, set), clientFor(t, s.URL, set)
	var wg sync.WaitGroup
	var answered, refused atomic.Int64
	for i := range 600 {
		client := a
		if i%2 == 0 {
			client = b
		}
		wg.Go(func() {
			_, usage, err := client.Ask(t.Context(), numbered(i))
			switch {
			case err == nil:
				answered.Add(1)
				if usage.CostUSD != 0.00764 {
					t.Errorf("cost %v", usage.CostUSD)
				}
			case codeOf(err) == Budget:
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	spent := usd(kept.total())
	if spent > 1.5 || kept.calls != int(answered.Load()) || refused.Load() == 0 || answered.Load() == 0 {
		t.Errorf("%v dollars spent, %d calls entered, %d answered, %d refused", spent, kept.calls, answered.Load(), refused.Load())
	}
	if got := float64(answered.Load()) * 0.00764; got-spent > 1e-6 || spent-got > 1e-6 {
		t.Errorf("spent %v, but the calls cost %v", spent, got)
	}
}

func TestALedgerThatFailsStopsSpending(t *testing.T) {
	t.Parallel()
	s := serve(t, says(good))
	client := clientFor(t, s.URL, func(c *Config) {
		c.Spending, c.Prices, c.DailyBudget = &book{broken: true}, Prices{"test-model": {Output: 1}}, 1
	})
	answer, _, err := client.Ask(t.Context(), prompt)
	check(t, answer, err, Ledger)
	if len(s.seen()) != 0 {
		t.Error("a call was made that nobody counts")
	}
}

// What was sent and not answered may be billed: it counts as expected. What was
// refused is not.
func TestWhatBrokeOffIsCountedAsExpected(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault step
		kept  bool
	}{"silence": {hang, true}, "reset in mid-body": {reset, true}, "401": {fails(401, "no"), false}, "500": {fails(500, "no"), false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept := newBook()
			client := clientFor(t, serve(t, c.fault).URL, func(cfg *Config) {
				cfg.Spending, cfg.Prices, cfg.DailyBudget = kept, Prices{"test-model": {Output: 1000}}, 100
				if name == "silence" { // the others end by themselves, however busy the machine is
					cfg.Timeout = 50 * time.Millisecond
				}
			})
			if _, _, err := client.Ask(t.Context(), prompt); err == nil {
				t.Fatal("there was an answer")
			}
			if got := kept.total() > 0; got != c.kept {
				t.Errorf("spent %d", kept.total())
			}
		})
	}
}

func TestABudgetNeedsAPrice(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Model: "our-model", DailyBudget: 1, Spending: newBook(), Logger: testLogger()})
	if err == nil || !strings.Contains(err.Error(), "CHARTCODE_LLM_PRICES='our-model=") {
		t.Errorf("got %v", err)
	}
}

func TestTheDeadlineOfANote(t *testing.T) {
	t.Parallel()
	s := serve(t, fails(503, "loading", "Retry-After", "60"))
	client := clientFor(t, s.URL, func(c *Config) { c.Deadline = 10 * time.Second })
	// The server asks for a longer wait than the note has: no second call.
	answer, _, err := client.Ask(t.Context(), prompt)
	check(t, answer, err, Unavailable)
	// The next question knows that it would have to wait.
	answer, _, err = client.Ask(t.Context(), numbered(1))
	check(t, answer, err, RateLimited)
	if n := len(s.seen()); n != 1 {
		t.Errorf("%d calls", n)
	}
	// A note that has used up its time asks no more.
	late := context.WithValue(t.Context(), noteKey{}, &note{began: time.Now().Add(-time.Hour)})
	quick := serve(t, says(good))
	client = clientFor(t, quick.URL, func(c *Config) { c.Deadline = time.Minute })
	answer, _, err = client.Ask(late, prompt)
	check(t, answer, err, Deadline)
	if n := len(quick.seen()); n != 0 {
		t.Errorf("%d calls for a note whose time is over", n)
	}
}

// One that is told to wait tells the others.
func TestRetryAfterHoldsForAll(t *testing.T) {
	t.Parallel()
	var first sync.Once
	var mu sync.Mutex
	var until time.Time
	var early int
	s := serve(t, func(w http.ResponseWriter, r *http.Request, q request) {
		answered := false
		first.Do(func() {
			mu.Lock()
			until = time.Now().Add(300 * time.Millisecond)
			mu.Unlock()
			fails(429, "slow down", "Retry-After", "0.3")(w, r, q)
			answered = true
		})
		if answered {
			return
		}
		mu.Lock()
		if time.Now().Before(until) {
			early++
		}
		mu.Unlock()
		says(good)(w, r, q)
	})
	client := clientFor(t, s.URL)
	paused := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(paused)
		if _, _, err := client.Ask(t.Context(), prompt); err != nil {
			t.Error(err)
		}
	})
	for client.endpoints[0].pace.try(0) == 0 {
		time.Sleep(time.Millisecond)
	}
	for i := range 5 {
		wg.Go(func() {
			if _, _, err := client.Ask(t.Context(), numbered(i+1)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if early != 0 {
		t.Errorf("%d calls came before the server allowed them", early)
	}
}

func TestProbeFindsWhatAServerSupports(t *testing.T) {
	t.Parallel()
	colours := `{"colours":["red"]}`
	for name, c := range map[string]struct {
		answer step
		format string
		bound  bool
	}{
		"holds to the schema": {says(colours), "json_schema", true},
		"ignores the schema": {func(w http.ResponseWriter, r *http.Request, q request) {
			if strings.Contains(q.Messages[0].Content, "no JSON") {
				says("Blue.")(w, r, q)
				return
			}
			says(colours)(w, r, q)
		}, "json_schema", false},
		"knows no formats": {func(w http.ResponseWriter, r *http.Request, q request) {
			if q.Format != nil {
				fails(400, "response_format")(w, r, q)
				return
			}
			says(colours)(w, r, q)
		}, "text", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v1/models" {
					_ = json.NewEncoder(w).Encode(map[string]any{"data": []any{map[string]any{"id": "test-model"}}})
					return
				}
				var q request
				_ = json.NewDecoder(r.Body).Decode(&q)
				c.answer(w, r, q)
			}))
			found, errs := clientFor(t, srv).Probe(t.Context())
			if len(found) != 1 || errs[0] != nil {
				t.Fatal(errs)
			}
			p := found[0]
			if p.Shape.Format != c.format || p.Bound != c.bound || p.Listed == nil || !*p.Listed || p.Usage.Calls != 1 || p.Usage.CompletionTokens != 7 || p.Took <= 0 {
				t.Errorf("%+v", p)
			}
		})
	}
	found, errs := clientFor(t, serveAny(t, 401)).Probe(t.Context())
	var e *Error
	if !errors.As(errs[0], &e) || e.Code != Unauthorized || found[0].Listed != nil {
		t.Errorf("%+v %v", found, errs)
	}
}
