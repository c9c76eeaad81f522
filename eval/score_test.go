package eval

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartcode/internal/testdata"
)

func gold(id string, codes ...GoldCode) *GoldNote {
	n := &GoldNote{Codes: codes}
	n.NoteID = id
	return n
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9 {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// The figures of this small set are worked out by hand.
func TestScore(t *testing.T) {
	a := gold("x-1", GoldCode{Code: "I10"}, GoldCode{Code: "R50.9"}, GoldCode{Code: "E11.9", Tier: TierAcceptable}, GoldCode{Code: "K57", InFY2026: "header"})
	b := gold("x-2", GoldCode{Code: "J18.9", InFY2026: "billable"})
	c := gold("x-3")
	results := []Result{
		{
			Note: a, Candidates: []string{"I10", "K57.30", "A00.0", "R50.9"},
			Shown: []Shown{{Code: "I10", Confidence: 0.95}, {Code: "K57.30", Confidence: 0.9}, {Code: "E11.9", Confidence: 0.65}, {Code: "B20", Confidence: 0.55}},
			Known: func(code string) bool { return code != "R50.9" },
		},
		{Note: b, Candidates: []string{"Z00.00", "J18.9"}, Shown: []Shown{{Code: "Z00.00", Confidence: 0.4}, {Code: "J18.9", Confidence: 0.35}}},
		{Note: c, Shown: []Shown{{Code: "R05.9", Confidence: 0.3}}},
	}
	s := Score(results)
	if s.Notes != 3 || s.Gold != 3 || s.MAPNotes != 2 {
		t.Errorf("%d notes, %d gold codes, %d notes with gold", s.Notes, s.Gold, s.MAPNotes)
	}
	near(t, "recall at 10", s.Recall(10), 1)
	// First note: list I10, K57.30, E11.9, B20, then the candidates A00.0 and
	// R50.9: precision 1/1 and 2/6. Second: Z00.00, J18.9: 1/2.
	near(t, "MAP", s.MAP, ((1+2.0/6)/2+0.5)/2)
	if s.Right != 2 || s.Acceptable != 1 || s.Wrong != 3 || s.Missed != 1 || s.Dropped != 1 {
		t.Errorf("right %d, acceptable %d, wrong %d, missed %d, dropped %d; want 2, 1, 3, 1, 1", s.Right, s.Acceptable, s.Wrong, s.Missed, s.Dropped)
	}
	near(t, "precision", s.Precision(), 3.0/6)
	near(t, "recall of shown", s.ShownRecall(), 2.0/3)
	near(t, "F1", s.F1(), 2*0.5*(2.0/3)/(0.5+2.0/3))
	// K57.30 counts neither way. Each tenth: |right - confidence|: 0.9-1: 1-0.95;
	// 0.6: 1-0.65; 0.5: 0.55; 0.4: 0.4; 0.3: two, 1 right, 0.65 sure.
	near(t, "ECE", s.ECE, (0.05+0.35+0.55+0.4+0.35)/6)
	if s.UnseenGold != 1 || s.UnseenFound[10] != 1 || s.UnseenRight != 0 {
		t.Errorf("unseen: %d gold, %d found, %d right", s.UnseenGold, s.UnseenFound[10], s.UnseenRight)
	}
	if s.FirstOf != 2 || s.FirstGold != 1 {
		t.Errorf("first listed: %d of %d, want 1 of 2", s.FirstGold, s.FirstOf)
	}
}

func TestRecallStopsAtItsDepth(t *testing.T) {
	n := gold("x", GoldCode{Code: "I10"})
	var c []string
	for range 60 {
		c = append(c, "A00.0")
	}
	s := Score([]Result{{Note: n, Candidates: append(c, "I10")}})
	near(t, "recall at 50", s.Recall(50), 0)
	near(t, "recall at 100", s.Recall(100), 1)
}

func TestDroppedUnderHeaderAndAbsent(t *testing.T) {
	n := gold("x", GoldCode{Code: "T14.90", InFY2026: "header"}, GoldCode{Code: "R74.0", InFY2026: "absent"}, GoldCode{Code: "I10", InFY2026: "billable"})
	for code, want := range map[string]bool{"T14.90XA": true, "R74.01": true, "T14.91XA": false, "I10": false, "R74": false} {
		if n.Dropped(code) != want {
			t.Errorf("%s: dropped is %v", code, !want)
		}
	}
}

func TestArticle(t *testing.T) {
	for id, want := range map[string]string{"codiesp-S01-2": "codiesp-S01", "aci-D2N001": "aci-D2N001", "x-": "x-", "-1": "-1", "a-12": "a"} {
		if got := gold(id).Article(); got != want {
			t.Errorf("%s: article %q, want %q", id, got, want)
		}
	}
}

func TestDatasetErrorsNameTheLineOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.jsonl")
	if err := os.WriteFile(path, []byte("{\"note_id\":\"a\",\"text\":\"fine\"}\n\n{\"note_id\":\"secretid\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := ReadDataset(path)
	if !errors.Is(err, ErrDataset) || !strings.Contains(err.Error(), ":3:") || strings.Contains(err.Error(), "secretid") {
		t.Errorf("got %v", err)
	}
}

func TestKnownDatasetCounts(t *testing.T) {
	d, err := ReadDataset(testdata.Path(t, "eval/codiesp-train.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	all, billable := 0, 0
	for i := range d.Notes {
		g, _ := d.Notes[i].Gold()
		all += len(d.Notes[i].Codes)
		billable += len(g)
	}
	if len(d.Notes) != 500 || all != 5639 || billable != 5187 {
		t.Errorf("%d notes, %d codes, %d billable; want 500, 5639, 5187", len(d.Notes), all, billable)
	}
}
