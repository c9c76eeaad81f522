package rank

import (
	"context"

	"chartcode/internal/coding"
)

// Table is what ranking asks of the code table that holds on the date of
// service.
type Table interface {
	Lookup(code string) (coding.Code, bool)
	Billable(code string) bool
}

// Input is one note with its candidates, best first. Note.Setting and
// Doc.Setting agree.
type Input struct {
	Note       coding.Note
	Doc        *coding.Document
	Style      coding.Style
	Candidates []coding.Candidate
	Table      Table
	Explain    bool // suggestions of the local ranker say what spoke for and against them

	// Addressed are stretches of the text that speak to a program. The document's
	// scopes already keep them from being evidence.
	Addressed []coding.Span
	// Doubtful are passages that a person has to read.
	Doubtful []Doubtful
	// Beside is what the LLM ranker works with; the local one needs none of it.
	Beside Beside
}

// Beside is what the LLM ranker has beside the note and its candidates. Each
// may be nil: it then does without.
type Beside struct {
	Finder  Finder
	Tabular Tabular
	Rules   Rules
	Local   *Local              // for the practice of billing and what it makes of each candidate
	Chosen  []coding.Suggestion // what the local ranker suggests for the note
}

// Finder looks up codes for statements of a note, all in one round trip; see
// coding.Found.
type Finder interface {
	Find(ctx context.Context, doc *coding.Document, queries []coding.Lookup, limit int) ([][]coding.Found, error)
}

// Tabular knows the notes of the tabular list.
type Tabular interface {
	// Place gives the title of a code or header; empty when it has none.
	Place(code string) string
	// Notes gives the notes that stand at a code itself, in the order of the list,
	// and those of its section and chapter with Above set.
	Notes(code string) []TabularNote
}

// TabularNote is one note of the tabular list. Names reports whether it names a
// code, by itself or with all below or between.
type TabularNote struct {
	Kind  NoteKind
	Text  string
	Above bool // it stands at the section or chapter of the code
	Names func(code string) bool
}

// NoteKind is the kind of a note, as its heading in the tabular list.
type NoteKind string

// The kinds of notes.
const (
	NoteIncludes      NoteKind = "includes"
	NoteExcludes1     NoteKind = "excludes1"
	NoteExcludes2     NoteKind = "excludes2"
	NoteCodeFirst     NoteKind = "code first"
	NoteUseAdditional NoteKind = "use additional code"
	NoteCodeAlso      NoteKind = "code also"
	NoteSeventh       NoteKind = "7th character"
)

// Rules check suggestions: the result is in the order in which they would be
// shown, with the findings as warnings.
type Rules interface {
	Check(list []coding.Suggestion) []coding.Suggestion
}

// Output holds the suggestions, best first, ranks from 1. PromptSHA256 and
// Model are nil and Usage is zero where no LLM was asked.
type Output struct {
	Suggestions  []coding.Suggestion
	PromptSHA256 *string
	Model        *string
	Usage        coding.Usage
}
