// Package llm asks an OpenAI-compatible server, through go-openai, for one JSON
// object per prompt. It is the only package that speaks to an LLM.
//
// It takes servers as they are: an answer bound to a JSON schema where the
// server has that, JSON mode or plain text with a tolerant reader where not,
// found out by the first refusals and remembered. A call has a longest wait;
// what passes (connection lost, 429, 5xx) is tried again a few times, with
// jitter or as Retry-After says; when call after call fails a breaker answers at
// once, so that an endpoint that is down costs notes no time.
//
// Every failure is an *Error with one of a few codes: it tells the pipeline why
// the note is ranked locally. Neither errors nor logs hold prompts, answers,
// keys or addresses: servers repeat requests in their error messages, so their
// texts are looked at and thrown away.
package llm
