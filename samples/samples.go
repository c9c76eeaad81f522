// Package samples holds the invented clinical notes that the demo submits: what
// a coder sees first, with no data of the site's own. They were written for this
// repository and no patient stands behind them; README.md says what each one
// shows. The package only carries bytes: it imports nothing of ours, and the
// notes take the same way through the queue as any others.
package samples

import _ "embed"

//go:embed notes.jsonl
var notes string

// Notes gives the sample notes as JSON lines, one note a line in the format in
// which notes are submitted, without codes. The caller owns the bytes.
func Notes() []byte { return []byte(notes) }

//go:embed answers.jsonl
var answers string

// Answers gives for each sample note, as JSON lines, how a person would code it:
// codes with the words of the note that prove them, written by hand. They stand in
// for an LLM where its answers must not depend on one; they measure nothing.
func Answers() []byte { return []byte(answers) }
