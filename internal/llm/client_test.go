package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sashabaranov/go-openai"

	"chartcode/internal/coding"
)

const good = `{"codes":[]}`

func TestAsk(t *testing.T) {
	t.Parallel()
	s := serve(t, says(good))
	answer, usage, err := clientFor(t, s.URL).Ask(t.Context(), prompt)
	if err != nil || string(answer) != good {
		t.Fatal(string(answer), err)
	}
	if want := (coding.Usage{Calls: 1, PromptTokens: 100, CachedTokens: 40, CompletionTokens: 7}); usage != want {
		t.Errorf("usage %+v", usage)
	}
	q := s.seen()[0]
	if q.Model != "test-model" || q.format() != "json_schema" || !q.Format.Schema.Strict || q.Format.Schema.Name != "rank" || string(q.Format.Schema.Schema) != string(prompt.Schema) {
		t.Errorf("request %+v", q)
	}
	if q.Temperature == nil || *q.Temperature > 1e-30 || q.MaxNew != 16_000 || q.MaxTokens != 0 {
		t.Errorf("temperature %v, tokens %d %d", q.Temperature, q.MaxNew, q.MaxTokens)
	}
	if len(q.Messages) != 2 || q.Messages[0].Role != "system" || q.Messages[0].Content != prompt.System || q.Messages[1].Role != "user" || q.Messages[1].Content != prompt.User {
		t.Errorf("messages %+v", q.Messages)
	}
}

// What is wrong once and then right gives an answer.
func TestPassingFaultsAreOvercome(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]step{
		"429":                  fails(429, "slow down"),
		"429 with Retry-After": fails(429, "slow down", "Retry-After", "0.01"),
		"500":                  fails(500, "oops"),
		"502":                  raw(502, "<html>Bad gateway "+marker+"</html>"),
		"503":                  fails(503, "loading model"),
		"reset in mid-body":    reset,
		"HTML":                 raw(200, "<html>Sign in "+marker+"</html>"),
		"empty body":           raw(200, ""),
		"wrong schema":         says(`{"codes":"E11.9"}`),
		"empty choices":        func(w http.ResponseWriter, _ *http.Request, q request) { respond(w, q) },
		"no JSON":              says("I think the codes for " + marker + " are E11.9"),
		"broken JSON":          says(`{"codes":[{"number":1`),
		"another object":       says(`{"answer":"` + marker + `"}`),
		"an array":             says(`[1,2]`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, fault, says(good))
			answer, usage, err := clientFor(t, s.URL).Ask(t.Context(), prompt)
			if err != nil || string(answer) != good || usage.Calls != 2 || len(s.seen()) != 2 {
				t.Errorf("%s %v after %d calls", answer, err, len(s.seen()))
			}
		})
	}
}

func TestLastingFaultsHaveTheirCode(t *testing.T) {
	t.Parallel()
	choice := func(c openai.ChatCompletionChoice) step {
		return func(w http.ResponseWriter, _ *http.Request, q request) { respond(w, q, c) }
	}
	other := serve(t, says(good))
	for name, c := range map[string]struct {
		fault  step
		code   string
		calls  int
		change func(*Config)
	}{
		"401":                   {fault: fails(401, "Incorrect API key "+secret), code: Unauthorized, calls: 1},
		"403":                   {fault: fails(403, "no"), code: Unauthorized, calls: 1},
		"404 model":             {fault: fails(404, "The model does not exist"), code: NotFound, calls: 1},
		"404 page":              {fault: raw(404, "404 page not found"), code: NotFound, calls: 1},
		"429":                   {fault: fails(429, "slow down"), code: RateLimited, calls: 6},
		"429 for no credit":     {fault: fails(429, "insufficient_quota"), code: Quota, calls: 1},
		"429 for an hour":       {fault: fails(429, "quota", "Retry-After", "3600"), code: RateLimited, calls: 1},
		"500":                   {fault: fails(500, "oops"), code: Unavailable, calls: 3},
		"503 in HTML":           {fault: raw(503, "<html>"+marker), code: Unavailable, calls: 3},
		"504":                   {fault: raw(504, "upstream"), code: Timeout, calls: 1},
		"reset":                 {fault: reset, code: Unavailable, calls: 3},
		"silence":               {fault: hang, code: Timeout, calls: 1, change: func(c *Config) { c.Timeout = 50 * time.Millisecond }},
		"drip":                  {fault: drip, code: Timeout, calls: 1, change: func(c *Config) { c.Timeout = 50 * time.Millisecond }},
		"HTML":                  {fault: raw(200, "<html>"+marker), code: InvalidAnswer, calls: 2},
		"broken JSON":           {fault: says(`{"codes":[`), code: InvalidAnswer, calls: 2},
		"wrong schema":          {fault: says(`{"codes":"E11.9"}`), code: InvalidAnswer, calls: 2},
		"empty choices":         {fault: choice(openai.ChatCompletionChoice{}), code: InvalidAnswer, calls: 2},
		"wrong types":           {fault: raw(200, `{"choices":{"a":1}}`), code: InvalidAnswer, calls: 2},
		"length":                {fault: choice(openai.ChatCompletionChoice{FinishReason: "length", Message: openai.ChatCompletionMessage{Content: good}}), code: TooLong, calls: 1},
		"content filter":        {fault: choice(openai.ChatCompletionChoice{FinishReason: "content_filter"}), code: Refused, calls: 1},
		"content filter by 400": {fault: fails(400, "The response was filtered due to the content management policy"), code: Refused, calls: 1},
		"refusal":               {fault: choice(openai.ChatCompletionChoice{FinishReason: "stop", Message: openai.ChatCompletionMessage{Refusal: "I cannot " + marker}}), code: Refused, calls: 1},
		"context length":        {fault: fails(400, "This model's maximum context length is 4096 tokens"), code: TooLong, calls: 1},
		"413":                   {fault: raw(413, "too large"), code: TooLong, calls: 1},
		"400 for all":           {fault: fails(400, "bad request"), code: Rejected, calls: 3},
		"redirect": {fault: func(w http.ResponseWriter, r *http.Request, _ request) {
			http.Redirect(w, r, other.URL+"/v1/chat/completions", http.StatusTemporaryRedirect)
		}, code: NotFound, calls: 1},
		"10 MB answer": {fault: says(strings.Repeat("x", 10<<20)), code: InvalidAnswer, calls: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.fault)
			client := clientFor(t, s.URL, func(cfg *Config) {
				if c.change != nil {
					c.change(cfg)
				}
			})
			answer, usage, err := client.Ask(t.Context(), prompt)
			check(t, answer, err, c.code)
			if len(s.seen()) != c.calls || usage.Calls != c.calls {
				t.Errorf("%d calls, usage says %d, want %d", len(s.seen()), usage.Calls, c.calls)
			}
		})
	}
	if len(other.seen()) != 0 {
		t.Error("the note was sent to where the server redirected to")
	}
}

func check(t *testing.T, answer json.RawMessage, err error, code string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Reason() != code || answer != nil {
		t.Fatalf("got %s and %v, want %s", answer, err, code)
	}
	if s := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(s, marker) || strings.Contains(s, secret) || strings.Contains(s, "http://") {
		t.Errorf("the error tells too much: %s", s)
	}
	if sentences[code] == "" {
		t.Errorf("%s has no sentence", code)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	answer, _, err := clientFor(t, "http://"+l.Addr().String()).Ask(t.Context(), prompt)
	check(t, answer, err, Unavailable)
	answer, _, err = clientFor(t, "http://no-such-host.invalid").Ask(t.Context(), prompt)
	check(t, answer, err, Unavailable)
}

// The form of requests that a server accepts is found out once.
func TestFormsAreFoundOutAndRemembered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refuses func(q request) string // the message, "" when it accepts
		first   int                    // calls of the first question
		accepts func(q request) bool   // of every later call
	}{
		"no schema": {
			refuses: func(q request) string {
				if q.format() == "json_schema" {
					return "response_format json_schema is not supported"
				}
				return ""
			},
			first: 2, accepts: func(q request) bool { return q.format() == "json_object" && q.Temperature != nil },
		},
		"no format at all, and silent about it": {
			refuses: func(q request) string {
				if q.Format != nil {
					return "bad request"
				}
				return ""
			},
			first: 3, accepts: func(q request) bool { return q.format() == "text" },
		},
		"a model that thinks": {
			refuses: func(q request) string {
				if q.Temperature != nil {
					return "Unsupported value: 'temperature' does not support 0 with this model"
				}
				return ""
			},
			first: 2, accepts: func(q request) bool { return q.format() == "json_schema" && q.Temperature == nil },
		},
		"an old server": {
			refuses: func(q request) string {
				switch {
				case q.MaxNew != 0:
					return "unknown field max_completion_tokens"
				case q.Format != nil:
					return "unknown field response_format"
				}
				return ""
			},
			first: 4, accepts: func(q request) bool { return q.MaxTokens == 16_000 && q.Format == nil && q.Temperature != nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, r *http.Request, q request) {
				if m := c.refuses(q); m != "" {
					fails(400, m)(w, r, q)
					return
				}
				says(good)(w, r, q)
			})
			client := clientFor(t, s.URL)
			for range 3 {
				if _, _, err := client.Ask(t.Context(), prompt); err != nil {
					t.Fatal(err)
				}
			}
			seen := s.seen()
			if len(seen) != c.first+2 {
				t.Fatalf("%d calls for three questions", len(seen))
			}
			for _, q := range seen[c.first-1:] {
				if !c.accepts(q) {
					t.Errorf("later call: %s, temperature %v, tokens %d %d", q.format(), q.Temperature, q.MaxNew, q.MaxTokens)
				}
			}
		})
	}
}

// A 400 that nothing helps against changes nothing for the next question.
func TestARejectedRequestIsNotRemembered(t *testing.T) {
	t.Parallel()
	s := serve(t, fails(400, "x"), fails(400, "x"), fails(400, "x"), says(good))
	client := clientFor(t, s.URL)
	answer, _, err := client.Ask(t.Context(), prompt)
	check(t, answer, err, Rejected)
	if _, _, err := client.Ask(t.Context(), prompt); err != nil {
		t.Fatal(err)
	}
	if q := s.seen()[3]; q.format() != "json_schema" {
		t.Errorf("the next question asked for %s", q.format())
	}
}

// go-openai itself refuses some parameters for models that think.
func TestModelsThatThinkByName(t *testing.T) {
	t.Parallel()
	s := serve(t, says(good))
	client := clientFor(t, s.URL, func(c *Config) { c.Model = "o3-mini" })
	if _, _, err := client.Ask(t.Context(), prompt); err != nil {
		t.Fatal(err)
	}
	if seen := s.seen(); len(seen) != 1 || seen[0].Temperature != nil {
		t.Errorf("%d calls, %+v", len(seen), seen)
	}
}

func TestNeverMoreCallsThanAllowed(t *testing.T) {
	t.Parallel()
	const allowed, questions = 3, 30
	var now, most atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request, q request) {
		n := now.Add(1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		time.Sleep(5 * time.Millisecond) // the model's work
		now.Add(-1)
		says(good)(w, r, q)
	})
	client := clientFor(t, s.URL, func(c *Config) { c.Concurrency = allowed })
	var wg sync.WaitGroup
	for range questions {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if _, _, err := client.Ask(t.Context(), prompt); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if most.Load() > allowed {
		t.Errorf("%d calls at once", most.Load())
	}
}

func TestAnEndedContextIsNotTheEndpointsFault(t *testing.T) {
	t.Parallel()
	s := serve(t, hang)
	client := clientFor(t, s.URL)
	for range 2 * breakerFailures {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		_, _, err := client.Ask(ctx, prompt)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
	}
	if ok, _ := client.endpoints[0].breaker.allow(); !ok {
		t.Error("the breaker opened")
	}
}

// When call after call fails, notes do not wait for the endpoint any more; when
// it works again it is used again.
func TestBreaker(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	down.Store(true)
	s := serve(t, func(w http.ResponseWriter, r *http.Request, q request) {
		if down.Load() {
			fails(500, "oops")(w, r, q)
			return
		}
		says(good)(w, r, q)
	})
	client := clientFor(t, s.URL, func(c *Config) { c.Attempts = 1 })
	clock := time.Unix(1_000_000, 0)
	client.endpoints[0].breaker.now = func() time.Time { return clock }
	ask := func() error { _, _, err := client.Ask(t.Context(), prompt); return err }
	for range 20 {
		check(t, nil, ask(), Unavailable)
	}
	if n := len(s.seen()); n != breakerFailures {
		t.Errorf("%d calls reached the server", n)
	}
	clock = clock.Add(breakerMin)
	check(t, nil, ask(), Unavailable) // the trial
	check(t, nil, ask(), Unavailable) // not asked
	if n := len(s.seen()); n != breakerFailures+1 {
		t.Errorf("%d calls reached the server", n)
	}
	down.Store(false)
	clock = clock.Add(2 * breakerMin)
	for range 3 {
		if err := ask(); err != nil {
			t.Error(err)
		}
	}
	if n := len(s.seen()); n != breakerFailures+4 {
		t.Errorf("%d calls reached the server", n)
	}
}

func TestCallsAreObserved(t *testing.T) {
	t.Parallel()
	s := serve(t, fails(500, "oops"), says(good))
	heard := &listener{}
	client := clientFor(t, s.URL, func(c *Config) { c.Observer = heard })
	if _, _, err := client.Ask(t.Context(), prompt); err != nil {
		t.Fatal(err)
	}
	want := "in flight 1|call primary llm_unavailable 0|in flight 0|in flight 1|call primary  100|in flight 0|answer endpoint "
	if got := strings.Join(heard.lines, "|"); got != want {
		t.Errorf("heard %s", got)
	}
}

func TestNewChecks(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{"empty": {}, "no logger": {Model: "m"}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
