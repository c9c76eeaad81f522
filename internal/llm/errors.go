package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/sashabaranov/go-openai"
)

// The codes of failures; they are the degraded_reason of suggestion sets.
const (
	Unavailable   = "llm_unavailable"    // no connection, a broken one, a server error, breaker open
	Timeout       = "llm_timeout"        // no complete answer within the longest wait
	RateLimited   = "llm_rate_limited"   // 429 to the end, or a wait that the note's deadline does not allow
	Quota         = "llm_quota"          // the account's credit is used up
	Deadline      = "llm_deadline"       // the note's time for the LLM is used up
	Budget        = "llm_budget"         // the site's budget of the day is spent
	Ledger        = "llm_ledger"         // what was spent cannot be told, so nothing more is
	Unauthorized  = "llm_unauthorized"   // 401, 403
	NotFound      = "llm_not_found"      // 404: model or address
	TooLong       = "llm_too_long"       // request or answer exceeds the model's limits
	Refused       = "llm_refused"        // the model or a content filter declined
	InvalidAnswer = "llm_invalid_answer" // no usable JSON object
	Rejected      = "llm_rejected"       // another refusal of the request
)

var sentences = map[string]string{
	Unavailable:   "the LLM endpoint cannot be reached or fails; check CHARTCODE_LLM_BASE_URL and the server",
	Timeout:       "the LLM endpoint did not answer in time; CHARTCODE_LLM_TIMEOUT sets how long is waited",
	RateLimited:   "the LLM endpoint allows no more calls for now",
	Quota:         "the account at the LLM endpoint has no credit left",
	Deadline:      "the time that one note may wait for the LLM is used up; CHARTCODE_LLM_DEADLINE sets it",
	Budget:        "the budget of the day for the LLM is spent; CHARTCODE_LLM_DAILY_BUDGET_USD sets it",
	Ledger:        "the database that keeps the LLM's budget does not answer",
	Unauthorized:  "the LLM endpoint refuses the key; check CHARTCODE_LLM_API_KEY",
	NotFound:      "the LLM endpoint does not know the model or the address; check CHARTCODE_LLM_MODEL and CHARTCODE_LLM_BASE_URL",
	TooLong:       "the note and its candidates, or the answer, are longer than the model allows",
	Refused:       "the model or its content filter declined to answer",
	InvalidAnswer: "the LLM endpoint's answer cannot be used",
	Rejected:      "the LLM endpoint rejects the request",
}

// Error is why there is no answer.
type Error struct {
	Code   string
	Status int // of HTTP, 0 when there was none

	local bool // decided here: no call was made
}

// Error is the code and a sentence that says what to do.
func (e *Error) Error() string {
	if e.Status != 0 {
		return fmt.Sprintf("%s: %s (HTTP status %d)", e.Code, sentences[e.Code], e.Status)
	}
	return e.Code + ": " + sentences[e.Code]
}

// Reason is the code.
func (e *Error) Reason() string { return e.Code }

// again says whether another attempt may succeed.
func (e *Error) again() bool {
	return e.Code == Unavailable || e.Code == RateLimited || e.Code == InvalidAnswer
}

// endpointFault says whether the failure is the endpoint's as a whole, not this
// request's.
func (e *Error) endpointFault() bool {
	switch e.Code {
	case Unavailable, Timeout, RateLimited, Quota, Unauthorized, NotFound:
		return true
	}
	return false
}

// tellsNothing says whether the failure says neither that the endpoint works nor
// that it does not.
func (e *Error) tellsNothing() bool {
	return e.local || e.Code == Deadline || e.Code == Budget || e.Code == Ledger
}

// brokeOff says whether the server may have done its work, and billed it, though
// its answer was not received.
func (e *Error) brokeOff() bool {
	return e.Code == Timeout || e.Code == Deadline || e.Code == Unavailable && e.Status == http.StatusOK ||
		e.Code == InvalidAnswer && e.Status == http.StatusOK
}

// lasting says whether the same request gives the same failure, so that it is
// part of a recording.
func (e *Error) lasting() bool {
	return e.Code == TooLong || e.Code == Refused || e.Code == InvalidAnswer || e.Code == Rejected
}

// misconfigured says whether a person has to do something.
func (e *Error) misconfigured() bool {
	return e.Code == Unauthorized || e.Code == NotFound || e.Code == Quota || e.Code == Rejected
}

// Known reports whether code is one of an Error.
func Known(code string) bool { return sentences[code] != "" }

// hint is what a 400 seems to complain of.
type hint int

const (
	hintNone hint = iota
	hintTemperature
	hintTokens
	hintFormat
)

// classify makes an *Error of what go-openai and net/http return, and a hint
// where the server rejected the form of the request.
func classify(ctx context.Context, err error, seen *exchange) (*Error, hint) {
	if errors.Is(err, errAnswerTooLarge) {
		return &Error{Code: InvalidAnswer, Status: seen.status}, hintNone
	}
	status, text, refused := seen.status, "", false
	var api *openai.APIError
	var req *openai.RequestError
	switch {
	case errors.As(err, &api):
		param := ""
		if api.Param != nil {
			param = *api.Param
		}
		status, text, refused = api.HTTPStatusCode, strings.ToLower(fmt.Sprint(api.Code, " ", api.Type, " ", param, " ", api.Message)), true
	case errors.As(err, &req):
		status, text, refused = req.HTTPStatusCode, strings.ToLower(string(req.Body)), true
	}
	if refused && status >= 400 {
		return byStatus(status, text)
	}
	switch {
	case errors.Is(err, openai.ErrReasoningModelLimitationsOther), errors.Is(err, openai.ErrReasoningSamplingUnsupported):
		return &Error{Code: Rejected}, hintTemperature
	case errors.Is(err, openai.ErrReasoningModelMaxTokensDeprecated):
		return &Error{Code: Rejected}, hintTokens
	case errors.Is(err, errRedirect):
		return &Error{Code: NotFound, Status: seen.status}, hintNone
	case errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
		return &Error{Code: Timeout, Status: seen.status}, hintNone
	}
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		return &Error{Code: Timeout, Status: seen.status}, hintNone
	}
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	if seen.status == http.StatusOK && !errors.Is(err, io.ErrUnexpectedEOF) && (errors.As(err, &syntax) || errors.As(err, &typ)) {
		return &Error{Code: InvalidAnswer, Status: seen.status}, hintNone
	}
	return &Error{Code: Unavailable, Status: seen.status}, hintNone
}

func byStatus(status int, text string) (*Error, hint) {
	e := &Error{Status: status}
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		e.Code = Unauthorized
	case status == http.StatusTooManyRequests && strings.Contains(text, "insufficient_quota"), status == http.StatusPaymentRequired:
		e.Code = Quota
	case status == http.StatusTooManyRequests:
		e.Code = RateLimited
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		e.Code = Timeout
	case status == http.StatusNotFound:
		e.Code = NotFound
	case status == http.StatusRequestEntityTooLarge, containsAny(text, "context_length", "context length", "context size", "maximum context", "context window", "too many tokens", "prompt is too long"):
		e.Code = TooLong
	case containsAny(text, "content_filter", "content management policy"):
		e.Code = Refused
	case status >= 500 && status != http.StatusNotImplemented:
		e.Code = Unavailable
	default:
		e.Code = Rejected
		switch {
		case containsAny(text, "temperature"):
			return e, hintTemperature
		case containsAny(text, "max_completion_tokens", "max_tokens"):
			return e, hintTokens
		}
		return e, hintFormat
	}
	return e, hintNone
}

func containsAny(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
