// Package llm asks an OpenAI-compatible server, through go-openai, for one JSON
// object per prompt. It is the only package that speaks to an LLM.
//
// It takes servers as they are: an answer bound to a JSON schema where the
// server has that, JSON mode or plain text with a tolerant reader where not,
// found out by the first refusals and remembered. A question goes this way:
//
//	recordings (replay) | the same question under way | cache | first endpoint | second endpoint
//
// Calls keep to one limit of calls in flight for the whole Client, and to the
// endpoint's requests and tokens per minute: those configured and those that its
// headers tell. What passes (connection lost, 429, 5xx) is tried again a few
// times, with jitter or as Retry-After says, as long as the note's deadline
// allows; when call after call fails a breaker answers at once, so that an
// endpoint that is down costs notes no time, and the second endpoint is asked.
// Each call is entered in a ledger before it is made and settled after, so that a
// budget that many processes share is passed by calls in flight at most.
//
// Every failure is an *Error with one of a few codes: it tells the pipeline why
// the note is ranked locally. A question that is not among the recordings that
// are replayed is a *Miss, and no reason to go on (see Note). Neither errors nor
// logs hold prompts, answers, keys or addresses: servers repeat requests in their
// error messages, so their texts are looked at and thrown away. The cache and the
// recordings hold answers, which quote notes; recordings hold the notes as well.
package llm
