package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/tracing"
	"chartcode/prompts"
)

// Endpoint says where a model is asked.
type Endpoint struct {
	BaseURL    string // of an OpenAI-compatible API, ending before /chat/completions; empty: OpenAI's
	APIKey     string
	Model      string // with APIVersion the name of the deployment
	APIVersion string // of Azure: the key goes in the header api-key, deployment and version into the address
}

// Config says which server is asked and how. The zero value of a number means
// its default.
type Config struct {
	BaseURL    string // see Endpoint
	APIKey     string
	Model      string
	APIVersion string
	Fallback   Endpoint // asked when the first one fails as a whole; none when Model is empty

	Timeout     time.Duration // longest wait for one answer, 2m
	Deadline    time.Duration // longest time for one note, waiting and retrying included, 3 times Timeout
	Concurrency int           // calls in flight, to both endpoints together, 16
	MaxTokens   int           // of an answer, thoughts included, 16000
	Attempts    int           // of one question at one endpoint, 3
	Backoff     time.Duration // before the second attempt, 500ms; doubled each time

	RequestsPerMinute int // to one endpoint from this process, 0: what its headers say
	TokensPerMinute   int // likewise

	Prices      Prices
	DailyBudget float64 // US dollars a day for all processes that share Spending; 0: none
	Spending    Spending
	Zone        *time.Location // where a day begins; UTC

	Answers   Answers       // where answers are kept; nil: nowhere
	KeepFor   time.Duration // how long an answer is good, 30 days
	RecordDir string        // each question and answer is written there
	ReplayDir string        // answers come from there, and from nowhere else

	Logger   *slog.Logger
	Observer Observer
}

// Answers keeps answers by the hash of their question.
type Answers interface {
	LLMAnswer(ctx context.Context, hash [32]byte, now time.Time) (answer []byte, found bool, err error)
	SaveLLMAnswer(ctx context.Context, hash [32]byte, answer []byte, now, expires time.Time) error
}

// Observer hears what happens, from several goroutines. Codes are "" or those of
// Error; nothing is of a note.
type Observer interface {
	LLMCall(ctx context.Context, endpoint, code string, took time.Duration, u coding.Usage) // each HTTP call
	LLMAnswer(source, code string)                                                          // each question: cache, shared, replay or endpoint
	LLMInFlight(change int)
	LLMBreaker(endpoint string, open bool)
	LLMSpent(usd float64) // of the day, all processes, when there is a budget
}

// Client asks for one model. It is safe for concurrent use.
type Client struct {
	cfg       Config
	endpoints []*endpoint // in order of preference; none when recordings are replayed
	flights   flights
}

const (
	defaultMaxTokens   = 16_000
	defaultTimeout     = 2 * time.Minute
	defaultConcurrency = 16
	deadlinePerTimeout = 3
	defaultKeepFor     = 30 * 24 * time.Hour
)

// New checks the configuration; it makes no call. With ReplayDir and no Model
// the model is that of the recordings.
func New(cfg Config) (*Client, error) {
	if err := complete(&cfg); err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg}
	if cfg.ReplayDir != "" {
		model, err := RecordedModel(cfg.ReplayDir)
		if err != nil && cfg.Model == "" {
			return nil, err
		}
		if cfg.Model == "" {
			c.cfg.Model = model
		}
		return c, nil
	}
	doer, slots := httpClient(cfg.Concurrency), make(chan struct{}, cfg.Concurrency)
	p := &purse{keep: cfg.Spending, limit: nanoOf(cfg.DailyBudget), zone: cfg.Zone, now: time.Now, spent: cfg.Observer.LLMSpent}
	where := []Endpoint{{BaseURL: cfg.BaseURL, APIKey: cfg.APIKey, Model: cfg.Model, APIVersion: cfg.APIVersion}}
	if cfg.Fallback.Model != "" {
		where = append(where, cfg.Fallback)
	}
	for i, w := range where {
		e := newEndpoint([]string{primary, fallback}[i], w, &c.cfg, doer, slots, p)
		if cfg.DailyBudget > 0 && !e.priced {
			return nil, fmt.Errorf("a budget for the LLM (CHARTCODE_LLM_DAILY_BUDGET_USD) needs the price of the model %s: "+
				"say it with CHARTCODE_LLM_PRICES='%s=INPUT/OUTPUT', in US dollars per million tokens", w.Model, w.Model)
		}
		c.endpoints = append(c.endpoints, e)
	}
	return c, nil
}

func complete(cfg *Config) error {
	if cfg.Logger == nil {
		return errors.New("llm: Logger is required")
	}
	if cfg.Model == "" && cfg.ReplayDir == "" {
		return errors.New("llm: Model is required")
	}
	if cfg.RecordDir != "" && cfg.ReplayDir != "" {
		return errors.New("llm: recordings are either made or replayed")
	}
	if cfg.Timeout < 0 || cfg.Deadline < 0 || cfg.Concurrency < 0 || cfg.MaxTokens < 0 || cfg.Attempts < 0 || cfg.Backoff < 0 ||
		cfg.RequestsPerMinute < 0 || cfg.TokensPerMinute < 0 || cfg.DailyBudget < 0 || cfg.KeepFor < 0 {
		return errors.New("llm: numbers must not be negative")
	}
	if cfg.DailyBudget > 0 && cfg.Spending == nil && cfg.ReplayDir == "" {
		return errors.New("llm: a budget needs a place to keep what was spent")
	}
	for _, e := range []Endpoint{{BaseURL: cfg.BaseURL, APIVersion: cfg.APIVersion}, cfg.Fallback} {
		if e.APIVersion != "" && e.BaseURL == "" {
			return errors.New("llm: an API version is one of Azure, which needs its address")
		}
	}
	set := func(v *int, def int) {
		if *v == 0 {
			*v = def
		}
	}
	set(&cfg.Concurrency, defaultConcurrency)
	set(&cfg.MaxTokens, defaultMaxTokens)
	set(&cfg.Attempts, 3)
	long := func(v *time.Duration, def time.Duration) {
		if *v == 0 {
			*v = def
		}
	}
	long(&cfg.Timeout, defaultTimeout)
	long(&cfg.Deadline, deadlinePerTimeout*cfg.Timeout)
	cfg.Timeout = min(cfg.Timeout, cfg.Deadline)
	long(&cfg.Backoff, 500*time.Millisecond)
	long(&cfg.KeepFor, defaultKeepFor)
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	if cfg.Observer == nil {
		cfg.Observer = deaf{}
	}
	return nil
}

// deaf hears nothing.
type deaf struct{}

func (deaf) LLMCall(context.Context, string, string, time.Duration, coding.Usage) {}
func (deaf) LLMAnswer(string, string)                                             {}
func (deaf) LLMInFlight(int)                                                      {}
func (deaf) LLMBreaker(string, bool)                                              {}
func (deaf) LLMSpent(float64)                                                     {}

// Model is the model's name, that of the first endpoint.
func (c *Client) Model() string { return c.cfg.Model }

// The sources of answers.
const (
	fromCache    = "cache"
	fromShared   = "shared" // the same question was under way
	fromReplay   = "replay"
	fromEndpoint = "endpoint"
)

// Ask gives the JSON object that answers the prompt; it has the members that the
// prompt's schema requires at its top, of the types that it names, and what is
// below is not checked. The error is an *Error, a *Miss where recordings are
// replayed, or that of ctx when it has ended. Usage counts failed calls too.
func (c *Client) Ask(ctx context.Context, p prompts.Prompt) (json.RawMessage, coding.Usage, error) {
	ctx, span := tracing.Start(ctx, "ask LLM")
	span.Set("chartcode.task", p.Task)
	answer, usage, err := c.answer(ctx, p, span)
	span.End(err)
	return answer, usage, err
}

func (c *Client) answer(ctx context.Context, p prompts.Prompt, span tracing.Span) (json.RawMessage, coding.Usage, error) {
	want, err := formOf(p.Schema)
	if err != nil {
		return nil, coding.Usage{}, fmt.Errorf("llm: the schema of prompt %s cannot be read", p.Task)
	}
	if c.cfg.ReplayDir != "" {
		return c.replay(ctx, p, want)
	}
	hash := c.question(c.cfg.Model, p).Hash()
	deadline := began(ctx).Add(c.cfg.Deadline)
	for {
		f, leader := c.flights.join(hash)
		if leader {
			answer, usage, source, err := c.lead(ctx, question{prompt: p, want: want, deadline: deadline,
				tokens: int(float64(len(p.System)+len(p.User)+len(p.Schema)) / bytesPerToken)})
			f.answer, f.err = answer, err
			c.flights.land(hash, f)
			c.cfg.Observer.LLMAnswer(source, codeOf(err))
			span.Set("chartcode.answer.source", source)
			return answer, usage, err
		}
		select {
		case <-ctx.Done():
			return nil, coding.Usage{}, ctx.Err()
		case <-f.done:
		}
		if f.err == nil {
			c.cfg.Observer.LLMAnswer(fromShared, "")
			span.Set("chartcode.answer.source", fromShared)
			return f.answer, coding.Usage{CacheHits: 1}, nil
		}
		// That the leader was told to stop, or had no time left, is not our failure.
		if code := codeOf(f.err); code != ended && code != Deadline || ctx.Err() != nil {
			c.cfg.Observer.LLMAnswer(fromShared, code)
			return nil, coding.Usage{}, f.err
		}
	}
}

func (c *Client) question(model string, p prompts.Prompt) Question {
	return QuestionOf(model, c.cfg.MaxTokens, p)
}

// ended stands for an error that is not of an endpoint: the context's.
const ended = "ended"

func codeOf(err error) string {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Code
	}
	return ended
}

// lead asks the endpoints in turn. The failure is that of the first.
func (c *Client) lead(ctx context.Context, q question) (answer json.RawMessage, usage coding.Usage, source string, err error) {
	var first *Error
	for _, e := range c.endpoints {
		asked := c.question(e.model, q.prompt)
		if answer, ok := c.kept(ctx, asked.Hash(), q.want); ok {
			usage.CacheHits++
			c.record(Recording{Question: asked, Answer: answer})
			return answer, usage, fromCache, nil
		}
		before := usage
		answer, fault := e.ask(ctx, q, &usage)
		if ctx.Err() != nil {
			return nil, usage, fromEndpoint, ctx.Err()
		}
		if fault == nil {
			c.keep(ctx, asked.Hash(), answer)
			c.record(Recording{Question: asked, Answer: answer, Usage: usage.Since(before)})
			return answer, usage, fromEndpoint, nil
		}
		if fault.lasting() {
			c.record(Recording{Question: asked, Fault: fault.Code, Usage: usage.Since(before)})
		}
		if first == nil {
			first = fault
		}
		if !fault.endpointFault() && fault.Code != Budget { // a second endpoint may cost nothing
			break
		}
	}
	return nil, usage, fromEndpoint, first
}

// kept looks an answer up. A cache that does not answer is no reason to fail.
func (c *Client) kept(ctx context.Context, hash [32]byte, want form) (json.RawMessage, bool) {
	if c.cfg.Answers == nil {
		return nil, false
	}
	answer, found, err := c.cfg.Answers.LLMAnswer(ctx, hash, time.Now())
	if err != nil && ctx.Err() == nil {
		c.cfg.Logger.Warn("the cache of LLM answers cannot be read", "cause", err.Error())
	}
	if err != nil || !found || !want.fits(answer) {
		return nil, false
	}
	return answer, true
}

func (c *Client) keep(ctx context.Context, hash [32]byte, answer json.RawMessage) {
	if c.cfg.Answers == nil {
		return
	}
	now := time.Now()
	if err := c.cfg.Answers.SaveLLMAnswer(ctx, hash, answer, now, now.Add(c.cfg.KeepFor)); err != nil && ctx.Err() == nil {
		c.cfg.Logger.Warn("an LLM answer could not be kept and is paid for again when it is needed", "cause", err.Error())
	}
}

func (c *Client) record(r Recording) {
	if c.cfg.RecordDir == "" {
		return
	}
	r.Usage.CostUSD = 0 // a price of today
	for _, key := range []string{c.cfg.APIKey, c.cfg.Fallback.APIKey} {
		if key != "" { // a server that repeats it
			r.Answer = bytes.ReplaceAll(r.Answer, []byte(key), []byte("[key]"))
		}
	}
	if err := WriteRecording(c.cfg.RecordDir, r); err != nil {
		c.cfg.Logger.Error("an LLM answer was not recorded", "cause", err.Error())
	}
}

func (c *Client) replay(ctx context.Context, p prompts.Prompt, want form) (json.RawMessage, coding.Usage, error) {
	r, err := replay(c.cfg.ReplayDir, c.question(c.cfg.Model, p))
	var m *Miss
	switch {
	case errors.As(err, &m):
		missed(ctx, m)
	case err != nil:
		m = &Miss{Task: p.Task, Model: c.cfg.Model, cause: err}
		missed(ctx, m)
		err = m
	case r.Fault != "":
		err = &Error{Code: r.Fault}
	case !want.fits(r.Answer):
		err = &Error{Code: InvalidAnswer}
	}
	c.cfg.Observer.LLMAnswer(fromReplay, codeOf(err))
	if err != nil {
		return nil, r.Usage, err
	}
	return r.Answer, r.Usage, nil
}
