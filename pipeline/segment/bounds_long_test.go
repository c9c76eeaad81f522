//go:build long

package segment

import (
	"testing"

	"chartcode/internal/coding"
)

// A step that takes the square of the text's length does not come back on
// texts of this size: go test's own time limit fails the test.
func TestLongTexts(t *testing.T) {
	const size = coding.MaxTextBytes / 4
	for _, piece := range []string{
		"He has no fever, chills or cough, and his mother had diabetes in 2003; possible TIA vs. MS ",
		"PLAN: x\n", "a,B", "\n- no", "(", "no ", "family history of ", "1) ", "1.", "a.", "non-",
		"[ ] gout ", "( ) ", "+ gout, - fever, ", "fever? no ", "(no), ", "her husband has gout and ", "mother and ", "if possible ", "| no ",
	} {
		if v := violation(Segment(coding.Note{Text: repeat(piece, size)})); v != "" {
			t.Errorf("%.20q: %s", piece, v)
		}
	}
}
