package pipeline

import (
	"context"
	"fmt"

	"chartcode/internal/coding"
	"chartcode/pipeline/rank"
	"chartcode/pipeline/validate"
)

// finder looks statements up in the tables of a date: what rank.Finder asks of
// retrieval.
type finder struct {
	tables Tables
	style  coding.Style
}

// Find looks up all queries in one round trip.
func (f finder) Find(ctx context.Context, doc *coding.Document, queries []coding.Lookup, limit int) ([][]coding.Found, error) {
	return f.tables.Retriever.Queries(ctx, doc, f.tables.Main, queries, f.style, limit)
}

// checks asks the validator about suggestions of one note: what rank.Rules asks
// for.
type checks struct {
	tables Tables
	in     rank.Input
}

// Check gives the suggestions as they would be shown.
func (c checks) Check(list []coding.Suggestion) []coding.Suggestion {
	return c.tables.Validator.Validate(validate.Input{Note: c.in.Note, Doc: c.in.Doc, Table: c.tables.Main, Style: c.in.Style, Suggestions: list}).Suggestions
}

// withoutText gives the note with blanks in place of text that speaks to a
// program, so that it decides neither headings nor the setting and finds no
// candidate. Offsets stay as they are.
func withoutText(note coding.Note, addressed []coding.Span) coding.Note {
	if len(addressed) == 0 {
		return note
	}
	text := []byte(note.Text)
	for _, a := range addressed {
		for i := a.Start; i < a.End; i++ {
			if text[i] != '\n' && text[i] != '\r' {
				text[i] = ' '
			}
		}
	}
	note.Text = string(text)
	return note
}

// without makes text that speaks to a program evidence of nothing: what stands
// there is as if it were only imagined.
func without(scopes []coding.Scope, addressed []coding.Span) []coding.Scope {
	out := append([]coding.Scope(nil), scopes...)
	for _, a := range addressed {
		out = append(out, coding.Scope{Span: a, Assertion: coding.Hypothetical, Cue: a})
	}
	return out
}

// addressedNotice tells a coder that a note speaks to a program.
func addressedNotice(places int) coding.Notice {
	where := "A passage"
	if places > 1 {
		where = fmt.Sprintf("%d passages", places)
	}
	return coding.Notice{Code: coding.NoticeAddressed, Message: where + " of the note seems to be written for a program and not for people. It was kept from the language model and supports no code; read the note with care."}
}

// doubtfulNotice tells a coder that a note speaks of itself, or in another language.
func doubtfulNotice(list []rank.Doubtful) coding.Notice {
	foreign := 0
	for _, d := range list {
		if d.Foreign {
			foreign++
		}
	}
	message := "A passage of the note strikes or replaces what stands elsewhere, or says what alone is to count."
	switch foreign {
	case 0:
	case len(list):
		message = "A passage of the note is in another language."
	default:
		message = "Passages of the note strike or replace what stands elsewhere, or are in another language."
	}
	return coding.Notice{Code: coding.NoticeDoubtful, Message: message + " It may be a correction, and it may be meant to have codes chosen: read it before you decide on the codes."}
}
