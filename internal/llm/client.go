package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sashabaranov/go-openai"

	"chartcode/internal/coding"
	"chartcode/prompts"
)

// Config says which server is asked and how. The zero value of a number means
// its default.
type Config struct {
	BaseURL     string // of an OpenAI-compatible API, ending before /chat/completions; empty: OpenAI's
	APIKey      string
	Model       string
	Timeout     time.Duration // longest wait for one answer, 2m
	Concurrency int           // calls at once, 16
	MaxTokens   int           // of an answer, thoughts included, 16000
	Attempts    int           // of one question, 3
	Backoff     time.Duration // before the second attempt, 500ms; doubled each time
	Logger      *slog.Logger
	// Observe hears of each call, from several goroutines.
	Observe func(Call)
}

// Call tells of one HTTP call.
type Call struct {
	Code  string // "" when it gave an answer, else of the Error
	Took  time.Duration
	Usage coding.Usage
}

// Client asks one server for one model. It is safe for concurrent use.
type Client struct {
	cfg     Config
	api     *openai.Client
	slots   chan struct{}
	shape   atomic.Int32 // of requests, as far as known; see shapes
	breaker breaker
}

// New checks the configuration; it makes no call.
func New(cfg Config) (*Client, error) {
	if cfg.Model == "" || cfg.Logger == nil {
		return nil, errors.New("llm: Model and Logger are required")
	}
	if cfg.Timeout < 0 || cfg.Concurrency < 0 || cfg.MaxTokens < 0 || cfg.Attempts < 0 || cfg.Backoff < 0 {
		return nil, errors.New("llm: numbers must not be negative")
	}
	set := func(v *int, def int) {
		if *v == 0 {
			*v = def
		}
	}
	set(&cfg.Concurrency, 16)
	set(&cfg.MaxTokens, 16_000)
	set(&cfg.Attempts, 3)
	if cfg.Timeout == 0 {
		cfg.Timeout = 2 * time.Minute
	}
	if cfg.Backoff == 0 {
		cfg.Backoff = 500 * time.Millisecond
	}
	if cfg.Observe == nil {
		cfg.Observe = func(Call) {}
	}
	oc := openai.DefaultConfig(cfg.APIKey)
	if cfg.BaseURL != "" {
		oc.BaseURL = strings.TrimRight(cfg.BaseURL, "/")
	}
	oc.HTTPClient = httpClient(cfg.Concurrency)
	return &Client{cfg: cfg, api: openai.NewClientWithConfig(oc), slots: make(chan struct{}, cfg.Concurrency), breaker: breaker{now: time.Now}}, nil
}

// Model is the model's name.
func (c *Client) Model() string { return c.cfg.Model }

// Ask gives the JSON object that answers the prompt; it has the members that the
// prompt's schema requires at its top, their types are not checked. The error is
// an *Error, or that of ctx when it has ended. Usage counts failed calls too.
func (c *Client) Ask(ctx context.Context, p prompts.Prompt) (json.RawMessage, coding.Usage, error) {
	var usage coding.Usage
	required, err := requiredOf(p.Schema)
	if err != nil {
		return nil, usage, fmt.Errorf("llm: the schema of prompt %s cannot be read", p.Task)
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, usage, ctx.Err()
	}
	ok, trial := c.breaker.allow()
	if !ok {
		return nil, usage, &Error{Code: Unavailable}
	}
	attempts := c.cfg.Attempts
	if trial {
		attempts = 1
	}
	answer, fault := c.ask(ctx, p, required, attempts, &usage)
	if ctx.Err() != nil {
		if trial {
			c.breaker.abandon()
		}
		return nil, usage, ctx.Err()
	}
	switch {
	case fault == nil || !fault.endpointFault():
		if c.breaker.pass() {
			c.cfg.Logger.Info("the LLM endpoint works again")
		}
	case c.breaker.fail():
		c.cfg.Logger.Error("the LLM endpoint failed several times in a row; it is tried again from time to time", "reason", fault.Code, "status", fault.Status)
	}
	if fault != nil {
		return nil, usage, fault
	}
	return answer, usage, nil
}

// ask makes up to attempts calls.
func (c *Client) ask(ctx context.Context, p prompts.Prompt, required []string, attempts int, usage *coding.Usage) (json.RawMessage, *Error) {
	for n := 1; ; n++ {
		answer, seen, fault := c.fit(ctx, p, required, usage)
		if fault == nil {
			return answer, nil
		}
		wait := seen.retryAfter
		if wait == 0 {
			wait = c.cfg.Backoff << min(n-1, 16)
			wait = wait/2 + rand.N(wait) // spreads load, guards nothing
		}
		if n >= attempts || !fault.again() || wait > maxRetryAfter || ctx.Err() != nil ||
			fault.Code == InvalidAnswer && n >= 2 { // what was wrong twice stays so
			return nil, fault
		}
		c.cfg.Logger.Warn("an LLM call failed and is repeated", "reason", fault.Code, "status", fault.Status, "wait", wait.Round(time.Millisecond).String())
		select {
		case <-ctx.Done():
			return nil, fault
		case <-time.After(wait):
		}
	}
}

// A shape is how a request is written. Servers refuse what they do not know.
type shape struct {
	format      openai.ChatCompletionResponseFormatType
	temperature bool // 0 is asked for; models that think refuse it
	oldTokens   bool // max_tokens instead of max_completion_tokens
}

var formats = []openai.ChatCompletionResponseFormatType{
	openai.ChatCompletionResponseFormatTypeJSONSchema,
	openai.ChatCompletionResponseFormatTypeJSONObject,
	openai.ChatCompletionResponseFormatTypeText,
}

// A shape is remembered as one number: two bits for the format, one each for
// what was given up.
const (
	giveUpTemperature = 1 << 2
	giveUpNewTokens   = 1 << 3
	formatBits        = 3
)

func shapeOf(n int32) shape {
	return shape{format: formats[n&formatBits], temperature: n&giveUpTemperature == 0, oldTokens: n&giveUpNewTokens != 0}
}

// simpler gives up what the server seems to refuse; false when nothing is left.
func simpler(n int32, h hint) (int32, bool) {
	switch {
	case h == hintTemperature && n&giveUpTemperature == 0:
		return n | giveUpTemperature, true
	case h == hintTokens && n&giveUpNewTokens == 0:
		return n | giveUpNewTokens, true
	case h == hintNone || n&formatBits == int32(len(formats)-1):
		return n, false
	}
	return n + 1, true
}

// fit calls with the shape known to work, or simpler ones until the server
// accepts one, which is then remembered.
func (c *Client) fit(ctx context.Context, p prompts.Prompt, required []string, usage *coding.Usage) (json.RawMessage, *exchange, *Error) {
	first := c.shape.Load()
	for n := first; ; {
		began := time.Now()
		before := *usage
		answer, seen, fault, h := c.call(ctx, p, required, shapeOf(n), usage)
		call := Call{Took: time.Since(began), Usage: since(before, *usage)}
		if fault != nil {
			call.Code = fault.Code
		}
		c.cfg.Observe(call)
		if fault == nil || fault.Code == InvalidAnswer {
			if n != first && fault == nil {
				c.shape.CompareAndSwap(first, n)
			}
			return answer, seen, fault
		}
		next, ok := simpler(n, h)
		if !ok || ctx.Err() != nil {
			return nil, seen, fault
		}
		n = next
	}
}

func since(before, after coding.Usage) coding.Usage {
	return coding.Usage{Calls: after.Calls - before.Calls, PromptTokens: after.PromptTokens - before.PromptTokens,
		CachedTokens: after.CachedTokens - before.CachedTokens, CompletionTokens: after.CompletionTokens - before.CompletionTokens}
}

// call makes one HTTP call.
func (c *Client) call(ctx context.Context, p prompts.Prompt, required []string, s shape, usage *coding.Usage) (json.RawMessage, *exchange, *Error, hint) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	ctx, seen := withExchange(ctx)
	usage.Calls++
	res, err := c.api.CreateChatCompletion(ctx, c.request(p, s))
	if err != nil {
		fault, h := classify(ctx, err, seen)
		return nil, seen, fault, h
	}
	usage.PromptTokens += res.Usage.PromptTokens
	usage.CompletionTokens += res.Usage.CompletionTokens
	if d := res.Usage.PromptTokensDetails; d != nil {
		usage.CachedTokens += d.CachedTokens
	}
	answer, code := read(res, required)
	if code != "" {
		return nil, seen, &Error{Code: code, Status: seen.status}, hintNone
	}
	return answer, seen, nil, hintNone
}

func (c *Client) request(p prompts.Prompt, s shape) openai.ChatCompletionRequest {
	req := openai.ChatCompletionRequest{
		Model: c.cfg.Model,
		Messages: []openai.ChatCompletionMessage{
			{Role: openai.ChatMessageRoleSystem, Content: p.System},
			{Role: openai.ChatMessageRoleUser, Content: p.User},
		},
	}
	if s.oldTokens {
		req.MaxTokens = c.cfg.MaxTokens //nolint:staticcheck // the only name that older servers know
	} else {
		req.MaxCompletionTokens = c.cfg.MaxTokens
	}
	if s.temperature {
		// 0 would be left out of the request and mean the server's default.
		req.Temperature = math.SmallestNonzeroFloat32
	}
	switch s.format {
	case openai.ChatCompletionResponseFormatTypeJSONSchema:
		req.ResponseFormat = &openai.ChatCompletionResponseFormat{Type: s.format, JSONSchema: &openai.ChatCompletionResponseFormatJSONSchema{
			Name: p.Task, Schema: p.Schema, Strict: true,
		}}
	case openai.ChatCompletionResponseFormatTypeJSONObject:
		req.ResponseFormat = &openai.ChatCompletionResponseFormat{Type: s.format}
	}
	return req
}

// read takes the answer out of a response, or says with a code why not.
func read(res openai.ChatCompletionResponse, required []string) (json.RawMessage, string) {
	if len(res.Choices) == 0 {
		return nil, InvalidAnswer
	}
	choice := res.Choices[0]
	switch {
	case choice.Message.Refusal != "", choice.FinishReason == openai.FinishReasonContentFilter:
		return nil, Refused
	case choice.FinishReason == openai.FinishReasonLength:
		return nil, TooLong // what is cut off may lack codes
	}
	answer, ok := object(choice.Message.Content, required)
	if !ok {
		return nil, InvalidAnswer
	}
	return answer, ""
}
