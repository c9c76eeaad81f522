package rank

import (
	_ "embed"
	"strings"
	"testing"
)

//go:embed testdata/clinical.txt
var clinical string

// Sentences of clinical notes that are near what speaks to a program are none.
func TestClinicalSentencesAreNotTakenForIt(t *testing.T) {
	t.Parallel()
	n := 0
	for line := range strings.SplitSeq(clinical, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		n++
		// As a line of a note, so that it is known to be English.
		s := strings.ReplaceAll(line, `\n`, "\n")
		note := "HPI: The patient was seen for a follow-up of the condition that is listed.\n\n" + s + "\n\nPLAN: Return in two weeks.\n"
		for _, f := range AddressedToModel(note) {
			t.Errorf("%q: %q", line, note[f.Start:f.End])
		}
	}
	if n < 150 {
		t.Errorf("only %d sentences", n)
	}
}
