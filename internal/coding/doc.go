// Package coding holds chartcode's domain types: notes, spans, codes, terms,
// candidates, suggestions, decisions. They are plain values that travel between
// the stages of the pipeline, the store, the bus and the web.
//
// It imports nothing of ours, does no input or output, and knows no SQL, NATS
// or HTTP. All offsets are bytes of the UTF-8 text, half open: [Start, End).
package coding
