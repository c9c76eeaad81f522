package rank

import "chartcode/internal/coding"

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
}

// Output holds the suggestions, best first, ranks from 1. PromptSHA256 and
// Model are nil and Usage is zero where no LLM was asked.
type Output struct {
	Suggestions  []coding.Suggestion
	PromptSHA256 *string
	Model        *string
	Usage        coding.Usage
}
