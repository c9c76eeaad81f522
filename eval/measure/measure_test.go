package measure

import (
	"encoding/xml"
	"math"
	"strings"
	"testing"

	"chartcode/internal/coding"
)

// handNotes are three notes whose figures are worked out by hand below.
func handNotes() []Case {
	return []Case{
		{ // one right, one acceptable, one wrong, one missed and never retrieved
			NoteID: "1", Setting: "outpatient", Bytes: 500,
			Required: []string{"I10", "E11.22"}, Acceptable: []string{"Z79.4"}, First: []string{"I10"},
			Evidence: map[string][]coding.Span{"I10": {{Start: 0, End: 10}}},
			Shown: []Shown{
				{Code: "I10", Confidence: 0.9, Evidence: []coding.Span{{Start: 5, End: 15}}},
				{Code: "E11.9", Confidence: 0.6},
				{Code: "Z79.4", Confidence: 0.3, Invalid: true},
			},
			Candidates: []string{"E11.9", "I10", "Z79.4"},
			CostUSD:    0.02, Tokens: 100, Millis: 10,
		},
		{ // all right; a suggestion under an unscored header counts neither way
			NoteID: "2", Setting: "inpatient", Bytes: 5000,
			Required: []string{"J18.9"}, Unscored: []string{"A41"}, First: []string{"J18.9"},
			Shown:      []Shown{{Code: "A41.9", Confidence: 0.95}, {Code: "J18.9", Confidence: 0.8}},
			Candidates: []string{"J18.9"}, Millis: 30,
		},
		{ // nothing shown; three required: ranked low, removed, below the threshold
			NoteID: "3", Bytes: 1500, Required: []string{"N39.0", "R05.9", "K21.9"}, Judged: 2,
			Candidates: []string{"K21.9", "R05.9", "N39.0"}, Removed: []string{"R05.9"}, Millis: 20,
		},
	}
}

func TestFiguresByHand(t *testing.T) {
	t.Parallel()
	s := Score(handNotes(), Options{Samples: 50, Seed: 1, Slices: true})
	// Codes: right I10, J18.9; acceptable Z79.4; wrong E11.9; missed E11.22, N39.0, R05.9, K21.9.
	p, r := 3.0/4, 2.0/6
	// Macro over I10 (1,1,1), J18.9 (1,1,1), and E11.9, E11.22, N39.0, R05.9, K21.9 (all 0).
	macro := 2.0 / 7
	// Categories: I10 right, E11 right (E11.9 and E11.22), Z79 acceptable; J18 right; N39, R05, K21 missed.
	cp, cr := 1.0, 3.0/6
	// Hierarchy. Note 1 suggests I00-I99 I10; E00-E89 E11 E119; Z00-Z99 Z79 Z794: 8 nodes, of them
	// required I00-I99 I10 E00-E89 E11 (4), acceptable 3, wrong E119. Required: those 4, E112, E1122.
	// Note 2: J00-J99 J18 J189. Note 3: three nodes for each of N39.0, R05.9, K21.9.
	hp, hr := 10.0/11, 7.0/(6+3+9)
	// Average precision: note 1 list I10 E11.9 Z79.4: (1/1)/2; note 2 list A41.9 J18.9: 1/2;
	// note 3 list K21.9 R05.9 N39.0: 1.
	for name, want := range map[string]float64{
		"micro_precision": p, "micro_recall": r, "micro_f1": 2 * p * r / (p + r),
		"macro_precision": macro, "macro_recall": macro, "macro_f1": macro,
		"category_precision": cp, "category_recall": cr, "category_f1": 2 * cp * cr / (cp + cr),
		"chapter_precision": 1, "chapter_recall": 3.0 / 6, "chapter_f1": 2.0 / 3,
		"hierarchical_precision": hp, "hierarchical_recall": hr, "hierarchical_f1": 2 * hp * hr / (hp + hr),
		"first_listed": 0.5, "all_right": 1.0 / 3, "map": (0.5 + 0.5 + 1) / 3,
		"precision_at_1": 2.0 / 3, "precision_at_3": (2.0 + 1 + 3) / 9, "precision_at_10": 6.0 / 30,
		"recall_at_1": 2.0 / 6, "recall_at_3": 5.0 / 6,
		"retrieval_recall_at_10": 5.0 / 6, "retrieval_recall": 5.0 / 6,
		"lost_1": 0, "lost_2": 1.0 / 6, "lost_3": 1.0 / 6, "lost_4": 1.0 / 6, "lost_5": 1.0 / 6,
		"evidence_precision": 0.5, "evidence_recall": 0.5, "evidence_f1": 0.5, "evidence_touching": 1,
		// Scored: I10 0.9 right, E11.9 0.6 wrong, Z79.4 0.3 right, J18.9 0.8 right.
		"ece": (0.1 + 0.6 + 0.7 + 0.2) / 4, "brier": (0.01 + 0.36 + 0.49 + 0.04) / 4,
		"reliability_6": 0, "reliability_9": 1, "risk_at_50": 0, "risk_at_100": 0.25, "aurc": (0 + 0 + 1.0/3 + 1.0/4) / 4,
		"invalid": 1.0 / 5, "shown_per_note": 5.0 / 3, "cost_per_note": 0.02 / 3, "tokens_per_note": 100.0 / 3,
		"ms_mean": 20, "ms_median": 20, "ms_p90": 30,
	} {
		f, ok := s.Figure(name)
		if !ok || math.Abs(f.Value-want) > 1e-9 {
			t.Errorf("%s = %.6f (there: %v), want %.6f", name, f.Value, ok, want)
		}
		if f.Low > f.Value+1e-9 && f.Value > 0 || f.High < f.Value-1e-9 {
			t.Errorf("%s: interval %.3f to %.3f does not hold %.3f", name, f.Low, f.High, f.Value)
		}
	}
	if f, _ := s.Figure("micro_precision"); f.Numerator != 3 || f.Denominator != 4 {
		t.Errorf("micro-precision is counted as %v of %v", f.Numerator, f.Denominator)
	}
	for _, sl := range s.Slices {
		switch sl.Slice {
		case Slice{"setting", "inpatient"}:
			if sl.Notes != 1 || sl.Figures[2].Value != 1 {
				t.Errorf("inpatient: %+v", sl)
			}
		case Slice{"chapter", "E00-E89 Endocrine and metabolic"}:
			if sl.Notes != 1 || sl.Figures[0].Denominator != 1 || sl.Figures[1].Denominator != 1 || sl.Figures[2].Value != 0 {
				t.Errorf("endocrine: %+v", sl)
			}
		case Slice{"frequency", "never gold"}:
			if sl.Figures[0].Denominator != 1 || len(sl.Figures) != 2 {
				t.Errorf("never gold: %+v", sl)
			}
		}
	}
	if len(s.Reliability) != 4 || s.Reliability[1].N != 1 || s.Reliability[1].Confidence != 0.6 {
		t.Errorf("reliability table: %+v", s.Reliability)
	}
}

func TestFiguresOfNothing(t *testing.T) {
	t.Parallel()
	s := Score([]Case{{NoteID: "1"}}, Options{Samples: 10})
	if _, ok := s.Figure("micro_f1"); ok {
		t.Error("F1 is given where nothing was counted")
	}
	if f, ok := s.Figure("all_right"); !ok || f.Value != 1 {
		t.Errorf("a note without codes, and nothing shown, is all right: %+v", f)
	}
	if got := Score(nil, Options{Samples: 10}); got.Notes != 0 || len(got.Figures) != 0 {
		t.Errorf("scores of no notes: %+v", got)
	}
}

func TestLosses(t *testing.T) {
	t.Parallel()
	c := Case{Required: []string{"A00.0"}, Silent: map[string]bool{"A00.0": true}}
	if o := c.Outcome(); o.Missed[0].Loss != NotMentioned || o.Missed[0].Rank != 0 {
		t.Errorf("%+v", o.Missed)
	}
	c.Candidates = []string{"B00.0", "A00.0"}
	if o := c.Outcome(); o.Missed[0].Loss != BelowThreshold || o.Missed[0].Rank != 2 {
		t.Errorf("%+v", o.Missed)
	}
}

func TestChapter(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"C4A.0": "C00-D49 Neoplasms", "D49.9": "C00-D49 Neoplasms", "D50.0": "D50-D89 Blood and immune", "H59.9": "H00-H59 Eye", "H60.0": "H60-H95 Ear",
		"O9A.1": "O00-O9A Pregnancy and birth", "Z3A.20": "Z00-Z99 Factors and contact", "T88.9XXA": "S00-T88 Injury and poisoning", "U07.1": "U00-U85 Special purposes", "99213": "other",
	} {
		if got := Chapter(code); got != want {
			t.Errorf("Chapter(%s) = %s, want %s", code, got, want)
		}
	}
}

func TestMcNemar(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		b, c int
		want float64
	}{{0, 0, 1}, {1, 5, 0.21875}, {5, 1, 0.21875}, {0, 10, 0.001953125}, {6, 6, 1}, {2, 9, 2 * (1 + 11 + 55) / 2048.0}} {
		if got := McNemar(test.b, test.c); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("McNemar(%d, %d) = %v, want %v", test.b, test.c, got, test.want)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	a := handNotes()
	b := handNotes()
	b[2].Shown = []Shown{{Code: "K21.9", Confidence: 0.7}, {Code: "A00.0", Confidence: 0.6}}
	b[1].Shown = nil
	c, err := Compare(a, b, Options{Samples: 200, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	// B: right I10, K21.9; acceptable Z79.4; wrong E11.9, A00.0; missed 4.
	p, r := 3.0/5, 2.0/6
	d, _ := c.Difference("micro_f1")
	if want := 2 * p * r / (p + r); math.Abs(d.B-want) > 1e-12 || math.Abs(d.Value-(d.B-d.A)) > 1e-12 || d.Low > d.Value || d.High < d.Value || math.Abs(d.Detectable-2.801585*d.Error) > 1e-9 {
		t.Errorf("difference %+v, want B %v", d, want)
	}
	if len(c.Changes) != 2 || c.Same != 1 || c.Changes[0].NoteID != "2" || c.Changes[0].Lost[0] != "J18.9" || c.Changes[1].Gained[0] != "K21.9" || c.Changes[1].NewWrong[0] != "A00.0" {
		t.Errorf("changes %+v", c.Changes)
	}
	if c.Tests[0].BetterA != 1 || c.Tests[0].BetterB != 0 || c.Tests[1].BetterA != 1 || c.Tests[1].BetterB != 1 {
		t.Errorf("tests %+v", c.Tests)
	}
	// One patient with all notes is one unit, and nothing varies.
	for i := range a {
		a[i].Cluster, b[i].Cluster = "p", "p"
	}
	if c, err = Compare(a, b, Options{Samples: 50}); err != nil || c.Clusters != 1 || c.Differences[0].Error > 1e-12 {
		t.Errorf("one patient: %v, %d clusters, %+v", err, c.Clusters, c.Differences[0])
	}
	if _, err := Compare(a, b[:2], Options{}); err == nil {
		t.Error("runs over other notes were compared")
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name            string
		low, value, top float64
		metric          string
		want            Decision
		needed          int
	}{
		{"clear", -0.01, 0, 0.01, "micro_f1", NotWorse, 0},
		{"same", 0, 0, 0, "micro_f1", NotWorse, 0},
		{"better", 0.01, 0.05, 0.09, "micro_f1", NotWorse, 0},
		{"worse", -0.08, -0.05, -0.02, "micro_f1", Worse, 0},
		{"worse but within the margin", -0.04, -0.02, -0.01, "micro_f1", CannotTell, 400},
		{"wide", -0.06, 0, 0.06, "micro_f1", CannotTell, 400},
		{"bad but wide", -0.13, -0.06, 0.01, "micro_f1", CannotTell, 137},
		{"at the margin", -0.03, 0, 0.03, "micro_f1", CannotTell, 100},
		{"less error is better", -0.05, -0.03, -0.01, "ece", NotWorse, 0},
		{"more error is worse", 0.01, 0.05, 0.09, "ece", Worse, 0},
	} {
		c := Comparison{Notes: 100, Differences: []Difference{{Name: test.metric, Low: test.low, Value: test.value, High: test.top}}}
		g, err := Judge(&c, test.metric, 0.03)
		if err != nil || g.Decision != test.want || g.Needed != test.needed {
			t.Errorf("%s: %v, needed %d (%v), want %v, %d", test.name, g.Decision, g.Needed, err, test.want, test.needed)
		}
	}
	for value, want := range map[float64]Decision{-0.031: Worse, -0.029: NotWorse, 0.5: NotWorse} {
		c := Comparison{Differences: []Difference{{Name: "micro_f1", Low: -1, Value: value, High: 1}}}
		if g, err := JudgeEstimate(&c, "micro_f1", 0.03); err != nil || g.Decision != want {
			t.Errorf("by the estimate %v: %v (%v), want %v", value, g.Decision, err, want)
		}
	}
	if _, err := Judge(&Comparison{}, "micro_f1", 0.03); err == nil {
		t.Error("a metric that is not there was judged")
	}
	if _, err := Judge(&Comparison{Differences: []Difference{{Name: "shown_per_note"}}}, "shown_per_note", 0.03); err == nil {
		t.Error("more or fewer suggestions were judged as better or worse")
	}
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	for decision, want := range map[Decision]string{NotWorse: `failures="0" errors="0"`, Worse: `failures="1" errors="0"`, CannotTell: `failures="0" errors="1"`} {
		g := Gate{Metric: "micro_f1", Decision: decision}
		b, err := g.JUnit([]Change{{NoteID: "n<1>", Lost: []string{"I10"}}})
		var suite struct {
			Tests int `xml:"tests,attr"`
			Case  struct {
				Out string `xml:"system-out"`
			} `xml:"testcase"`
		}
		if err != nil || !strings.Contains(string(b), want) || xml.Unmarshal(b, &suite) != nil || suite.Tests != 1 || suite.Case.Out != "n<1>; lost I10\n" {
			t.Errorf("%s: %v\n%s", decision, err, b)
		}
	}
}
