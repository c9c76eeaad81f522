package llm

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sashabaranov/go-openai"

	"chartcode/internal/coding"
	"chartcode/internal/tracing"
	"chartcode/prompts"
)

// endpoint is one server with one model, and what is known of it.
type endpoint struct {
	name    string // primary or fallback, in logs and metrics
	model   string
	api     *openai.Client
	cfg     *Config
	slots   chan struct{} // of the whole Client
	purse   *purse
	price   Price
	priced  bool
	shape   atomic.Int32 // of requests, as far as known; see shapeOf
	breaker breaker
	pace    *pacer
	told    atomic.Pointer[string] // code of the misconfiguration that the log has named
}

// The names of endpoints.
const (
	primary  = "primary"
	fallback = "fallback"
)

func newEndpoint(name string, where Endpoint, cfg *Config, doer *http.Client, slots chan struct{}, p *purse) *endpoint {
	oc := openai.DefaultConfig(where.APIKey)
	if where.APIVersion != "" {
		oc = openai.DefaultAzureConfig(where.APIKey, where.BaseURL)
		oc.APIVersion = where.APIVersion
		oc.AzureModelMapperFunc = func(model string) string { return model } // the deployment is named as it is
	}
	if where.BaseURL != "" {
		oc.BaseURL = strings.TrimRight(where.BaseURL, "/")
	}
	oc.HTTPClient = doer
	e := &endpoint{name: name, model: where.Model, api: openai.NewClientWithConfig(oc), cfg: cfg, slots: slots, purse: p,
		breaker: breaker{now: time.Now}, pace: newPacer(cfg.RequestsPerMinute, cfg.TokensPerMinute)}
	e.price, e.priced = cfg.Prices.Of(where.Model)
	return e
}

// question is one prompt with the bounds of its answer.
type question struct {
	prompt   prompts.Prompt
	want     form
	tokens   int // about as many are sent
	deadline time.Time
}

// bytesPerToken of English text, a little low, so that tokens are not
// underestimated.
const bytesPerToken = 3.5

// ask makes calls until one gives an answer, another cannot be hoped for, or the
// deadline passes. The *Error means nothing when ctx has ended.
func (e *endpoint) ask(ctx context.Context, q question, usage *coding.Usage) (json.RawMessage, *Error) {
	ok, trial := e.breaker.allow()
	if !ok {
		return nil, &Error{Code: Unavailable, local: true}
	}
	answer, fault := e.attempts(ctx, q, trial, usage)
	switch {
	case ctx.Err() != nil, fault != nil && fault.tellsNothing():
		if trial {
			e.breaker.abandon()
		}
	case fault == nil || !fault.endpointFault():
		if e.breaker.pass() {
			e.cfg.Observer.LLMBreaker(e.name, false)
			e.cfg.Logger.Info("the LLM endpoint works again", "endpoint", e.name)
		}
	case e.breaker.fail():
		e.cfg.Observer.LLMBreaker(e.name, true)
		e.cfg.Logger.Error("the LLM endpoint failed several times in a row; it is tried again from time to time",
			"endpoint", e.name, "reason", fault.Code, "status", fault.Status)
	}
	e.complain(fault)
	return answer, fault
}

// complain says once in a line what a person has to put right.
func (e *endpoint) complain(fault *Error) {
	switch {
	case fault == nil:
		e.told.Store(nil)
	case fault.misconfigured():
		if old := e.told.Swap(&fault.Code); old == nil || *old != fault.Code {
			e.cfg.Logger.Error("the LLM cannot be used as it is configured; notes are ranked without it", "endpoint", e.name, "cause", fault.Error())
		}
	}
}

func (e *endpoint) attempts(ctx context.Context, q question, trial bool, usage *coding.Usage) (json.RawMessage, *Error) {
	bound, cancel := context.WithDeadline(ctx, q.deadline)
	defer cancel()
	for n := 1; ; n++ {
		answer, seen, fault := e.attempt(bound, q, usage)
		if fault == nil {
			return answer, nil
		}
		if trial || n >= e.most(fault) || bound.Err() != nil {
			return nil, fault
		}
		wait := e.cfg.Backoff << min(n-1, 16)
		wait = wait/2 + rand.N(wait) // spreads load, guards nothing
		if seen != nil {
			wait = max(wait, seen.retryAfter)
		}
		if time.Now().Add(wait).After(q.deadline) {
			return nil, fault
		}
		e.cfg.Logger.Warn("an LLM call failed and is repeated", "endpoint", e.name, "reason", fault.Code, "status", fault.Status,
			"wait", wait.Round(time.Millisecond).String())
		if !sleep(bound, wait) {
			return nil, fault
		}
	}
}

// most is how many attempts a failure is worth. One that asks for patience gets
// more; what was wrong twice stays so.
func (e *endpoint) most(fault *Error) int {
	switch {
	case fault.local || !fault.again():
		return 1
	case fault.Code == RateLimited:
		return 2 * e.cfg.Attempts
	case fault.Code == InvalidAnswer:
		return min(2, e.cfg.Attempts)
	}
	return e.cfg.Attempts
}

// attempt waits for its turn and calls with the shape known to work, or simpler
// ones until the server accepts one, which is then remembered. ctx ends at the
// question's deadline.
func (e *endpoint) attempt(ctx context.Context, q question, usage *coding.Usage) (json.RawMessage, *exchange, *Error) {
	first := e.shape.Load()
	for n := first; ; {
		answer, seen, fault, h := e.inTurn(ctx, q, shapeOf(n), usage)
		if fault == nil && n != first {
			e.shape.CompareAndSwap(first, n)
		}
		next, simplify := simpler(n, h)
		if fault == nil || fault.Code == InvalidAnswer || !simplify || ctx.Err() != nil {
			return answer, seen, fault
		}
		n = next
	}
}

// inTurn makes one call, when the endpoint's limits, the calls in flight and the
// budget allow it.
func (e *endpoint) inTurn(ctx context.Context, q question, s Shape, usage *coding.Usage) (json.RawMessage, *exchange, *Error, hint) {
	taken := float64(q.tokens + e.purse.guess())
	ok, err := e.pace.take(ctx, taken, q.deadline)
	switch {
	case err != nil:
		return nil, nil, &Error{Code: Deadline}, hintNone
	case !ok:
		return nil, nil, &Error{Code: RateLimited, local: true}, hintNone
	}
	select {
	case e.slots <- struct{}{}:
	case <-ctx.Done():
		e.pace.settle(taken, 0)
		return nil, nil, &Error{Code: Deadline}, hintNone
	}
	e.cfg.Observer.LLMInFlight(1)
	defer func() {
		e.cfg.Observer.LLMInFlight(-1)
		<-e.slots
	}()
	reserved, fault := e.purse.reserve(ctx, e.price, q.tokens)
	if fault != nil {
		e.pace.settle(taken, 0)
		return nil, nil, fault, hintNone
	}
	began := time.Now()
	called, span := tracing.Start(ctx, "call LLM")
	answer, seen, used, fault, h := e.call(called, q, s)
	took := time.Since(began)
	e.pace.tell(seen)
	e.pace.settle(taken, float64(used.PromptTokens+used.CompletionTokens))
	used.CostUSD = usd(e.price.usage(used))
	code := ""
	if fault != nil {
		code = fault.Code
		span.Fail(code)
	}
	span.Set("chartcode.endpoint", e.name)
	span.SetInt("gen_ai.usage.input_tokens", int64(used.PromptTokens))
	span.SetInt("gen_ai.usage.output_tokens", int64(used.CompletionTokens))
	span.End(nil)
	if err := e.purse.settle(ctx, reserved, e.price, used, fault != nil && fault.brokeOff()); err != nil {
		e.cfg.Logger.Warn("what an LLM call has cost could not be entered", "cause", err.Error())
	}
	if e.name == fallback {
		used.FallbackCalls = 1
	}
	usage.Add(used)
	e.cfg.Observer.LLMCall(called, e.name, code, took, used)
	return answer, seen, fault, h
}

// call makes one HTTP call.
func (e *endpoint) call(ctx context.Context, q question, s Shape) (json.RawMessage, *exchange, coding.Usage, *Error, hint) {
	limit := time.Now().Add(e.cfg.Timeout)
	bound, cancel := context.WithDeadline(ctx, limit)
	defer cancel()
	bound, seen := withExchange(bound)
	used := coding.Usage{Calls: 1}
	res, err := e.api.CreateChatCompletion(bound, requestOf(e.model, e.cfg.MaxTokens, q.prompt, s))
	if err != nil {
		fault, h := classify(bound, err, seen)
		if fault.Code == Timeout && q.deadline.Before(limit) {
			fault.Code = Deadline // it had less than the usual time
		}
		return nil, seen, used, fault, h
	}
	used.PromptTokens, used.CompletionTokens = max(res.Usage.PromptTokens, 0), max(res.Usage.CompletionTokens, 0)
	if d := res.Usage.PromptTokensDetails; d != nil {
		used.CachedTokens = min(max(d.CachedTokens, 0), used.PromptTokens)
	}
	answer, code := read(res, q.want)
	if code != "" {
		return nil, seen, used, &Error{Code: code, Status: seen.status}, hintNone
	}
	return answer, seen, used, nil, hintNone
}
