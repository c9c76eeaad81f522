package measure

import (
	"math"
	"testing"
)

func TestHintsByHand(t *testing.T) {
	t.Parallel()
	cases := []Case{
		{NoteID: "1", Required: []string{"I10", "E11.9"}, Shown: []Shown{{Code: "I10"}, {Code: "E11.65"}}},
		{NoteID: "2", Required: []string{"E11.9", "J45.909"}, Shown: []Shown{{Code: "J45.909"}}},
		{NoteID: "3", Required: []string{"E78.5"}, Acceptable: []string{"Z79.4"}, Shown: []Shown{{Code: "E78.5"}, {Code: "Z79.4"}}},
	}
	s := Score(cases, Options{Samples: 50, Slices: true})
	got := Hints(cases, &s)
	if len(got) != 1 {
		t.Fatalf("hints %+v", got)
	}
	h := got[0]
	// Right: E78.5. Wrong: E11.65. Missed: E11.9 twice. F1 = 2/(2+1+2).
	if h.Chapter != "E00-E89 Endocrine and metabolic" || h.Right != 1 || h.Wrong != 1 || h.Missed != 2 || h.Figure == nil || math.Abs(h.Figure.Value-0.4) > 1e-9 {
		t.Errorf("hint %+v %+v", h, h.Figure)
	}
	if h.Codes[0] != (HintCode{"E11.9", true, 2}) || h.Codes[1] != (HintCode{"E11.65", false, 1}) {
		t.Errorf("codes %+v", h.Codes)
	}
}
