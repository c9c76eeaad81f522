//go:build long

package pipeline_test

import (
	"strings"
	"testing"

	"chartcode/internal/coding"
	"chartcode/pipeline"
)

// A stage that takes the square of a note's length does not come back on notes
// of this size, which make much of what it looks at: go test's own time limit
// fails the test.
func TestLongNotes(t *testing.T) {
	t.Parallel()
	db := loaded(t)
	styles := map[coding.Style]*pipeline.Pipeline{}
	for _, style := range []coding.Style{coding.Billing, coding.Mentions} {
		styles[style] = localPipeline(t, knowledgeOf(t, db), style)
	}
	process := func(style coding.Style, piece string, size int) coding.SuggestionSet {
		set, err := styles[style].Process(t.Context(), coding.Note{NoteID: "long", Source: "north", Text: strings.Repeat(piece, size/len(piece))})
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	for _, piece := range []string{
		"(", "a,B", "no ", "1. ", "left ", "diabetes ", "family history of ",
		"left knee pain and right ",
		"ASSESSMENT: 1. hypertension 2. heart failure\n",
		"no open fracture of the left radius, nonunion. ",
		"obesity, no BMI 31, no 20 weeks gestation. ",
		"type 2 diabetes. denies metformin, januvia. ",
		"HPI: no melanoma of the back\nASSESSMENT: melanoma\n",
		"CKD not due to hypertension, heart failure due to hypertension. ",
		"here for chemotherapy, suture removal and annual physical ",
		"mother had obesity; possible COPD exacerbation vs. pneumonia ",
	} {
		for style := range styles {
			process(style, piece, 30_000)
		}
	}
	set := process(coding.Billing, "ASSESSMENT: 1. Essential hypertension. 2. Heart failure.\nHPI: denies chest pain, diabetes.\n", coding.MaxTextBytes)
	if len(set.Suggestions) == 0 {
		t.Error("nothing is suggested for a note of a megabyte")
	}
}
