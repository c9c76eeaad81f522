package rank

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
)

// Every feature that a model may use has words that a person can read, of its
// own, and no words are left over.
func TestEveryFeatureHasWords(t *testing.T) {
	features := BillingFeatures()
	for _, f := range MentionFeatures() {
		if !slices.Contains(features, f) {
			features = append(features, f)
		}
	}
	seen := map[string]string{}
	for _, f := range features {
		text := readings[f].text
		if strings.Count(text, " ") < 2 || strings.Contains(text, "_") {
			t.Errorf("%s: %q are no words for people", f, text)
		}
		if seen[text] != "" {
			t.Errorf("%s and %s have the same words", f, seen[text])
		}
		seen[text] = f
	}
	for f := range readings {
		if !slices.Contains(features, f) {
			t.Errorf("%s is no feature", f)
		}
	}
}

func TestValuesForPeople(t *testing.T) {
	for _, c := range []struct {
		r    reading
		x    float32
		want float64
	}{{reading{scale: asIs}, 0.25, 0.25}, {reading{scale: asCount}, logp(12), 12}, {reading{scale: asChance}, 0, 0.5}, {reading{scale: asChance}, absent, 0}} {
		if got := c.r.value(c.x); got != c.want {
			t.Errorf("%+v of %v is %v, want %v", c.r, c.x, got, c.want)
		}
	}
}

// explained ranks with the shipped models, or without any, and checks that the
// explanations change nothing else and add up to the confidence.
func explained(t *testing.T, l *Local, in Input) []coding.Suggestion {
	t.Helper()
	bare, err := l.Rank(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	in.Explain = true
	out, err := l.Rank(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if codes(bare.Suggestions) != codes(out.Suggestions) || len(out.Suggestions) == 0 {
		t.Fatalf("%q, with explanations %q", codes(bare.Suggestions), codes(out.Suggestions))
	}
	for i, s := range out.Suggestions {
		if bare.Suggestions[i].Explanation != nil {
			t.Errorf("%s is explained though nobody asked", s.Code)
		}
		e := s.Explanation
		if e == nil {
			t.Fatalf("%s is not explained", s.Code)
		}
		sum := e.Other
		for sign, list := range map[float64][]coding.Reason{1: e.For, -1: e.Against} {
			if len(list) > reasonsKept {
				t.Errorf("%s has %d reasons of one kind", s.Code, len(list))
			}
			last := math.Inf(1)
			for _, r := range list {
				sum += r.Effect
				if r.Feature == "" || r.Effect*sign <= 0 || r.Effect*sign > last {
					t.Errorf("%s: reason %+v", s.Code, r)
				}
				last = r.Effect * sign
			}
		}
		if math.Abs(sum-e.Score) > 0.001 || math.Abs(gbdt.Logistic(e.Score)-s.Confidence) > 0.001 {
			t.Errorf("%s: effects add up to %.4f, the score is %.4f and the confidence %.4f", s.Code, sum, e.Score, s.Confidence)
		}
		if len(e.For)+len(e.Against) == 0 {
			t.Errorf("%s has no reasons", s.Code)
		}
	}
	return out.Suggestions
}

func reasonedNote() *note {
	return newNote(coding.Outpatient).
		section(coding.SectionHPI, "She has melanoma of the back, and chest pain.").
		section(coding.SectionAssessment, "1. Essential hypertension.").
		section(coding.SectionAssessment, "2. Congestive heart failure.").
		section(coding.SectionAssessment, "3. Melanoma.").
		found("C43.9", "Malignant melanoma of skin, unspecified", "Melanoma", 0.6, coding.Present).
		found("C43.59", "Malignant melanoma of other part of trunk", "melanoma of the back", 0.55, coding.Present).
		found("I10", "Essential (primary) hypertension", "Essential hypertension", 0.9, coding.Present).
		found("I50.9", "Heart failure, unspecified", "Congestive heart failure", 0.9, coding.Present).
		found("R07.9", "Chest pain, unspecified", "chest pain", 0.4, coding.Present)
}

// trainedOn gives a model of trees over the features, learned from chance and
// three of them.
func trainedOn(t *testing.T, features []string) *gbdt.Model {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	d := gbdt.Data{Features: features}
	for range 600 {
		row := make([]float32, len(features))
		for i := range row {
			row[i] = 4*rng.Float32() - 2
		}
		d.X = append(d.X, row...)
		d.Y = append(d.Y, truth(row[fRetrieval]+row[fLexical]*row[fPossible]+rng.Float32() > 0.5))
	}
	m, err := gbdt.Train(context.Background(), d, gbdt.Params{Trees: 40})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestExplanationsAddUp(t *testing.T) {
	models, err := learned.Default()
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := NewLocal(LocalConfig{Models: models})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := NewLocal(LocalConfig{Models: &learned.Models{Version: 1, Styles: map[coding.Style]*learned.StyleModels{coding.Mentions: {Threshold: 0.3}}}})
	if err != nil {
		t.Fatal(err)
	}
	trained, err := NewLocal(LocalConfig{Models: &learned.Models{Version: 1, Styles: map[coding.Style]*learned.StyleModels{
		coding.Mentions: {Rank: trainedOn(t, MentionFeatures()), Calibration: learned.Calibration{Slope: 0.8, Offset: -0.3}},
		coding.Billing:  {Rank: trainedOn(t, BillingFeatures()), Calibration: learned.Calibration{Slope: 0.7, Offset: 0.2}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	n := reasonedNote()
	for name, l := range map[string]*Local{"shipped": shipped, "trained here": trained, "rules": rules} {
		for _, style := range []coding.Style{coding.Billing, coding.Mentions} {
			t.Run(name+" "+string(style), func(t *testing.T) {
				for _, s := range explained(t, l, Input{Doc: &n.doc, Style: style, Candidates: n.cands}) {
					for _, r := range slices.Concat(s.Explanation.For, s.Explanation.Against) {
						if strings.Contains(r.Feature, "elanoma") || strings.Contains(r.Feature, "ypertension") {
							t.Errorf("a reason holds words of the note: %q", r.Feature)
						}
					}
				}
			})
		}
	}
}

// What a model gives is credited to its features in full.
func TestEffectsAreTheScore(t *testing.T) {
	m := trainedOn(t, BillingFeatures())
	n := reasonedNote()
	for _, row := range BillingRows(Input{Doc: &n.doc, Style: coding.Billing, Candidates: n.cands}, nil, nil) {
		odds := m.Score(row.X)
		sum := m.Explain(row.X, make([]float64, len(row.X)))
		for _, r := range effectsOf(m, row.X, odds) {
			sum += r.Effect
		}
		if math.Abs(sum-odds) > 1e-9 {
			t.Errorf("candidate %d: effects add up to %v, the score is %v", row.Candidate, sum, odds)
		}
	}
}

// Codes that other codes lead to say so.
func TestReasonsBesideTheModel(t *testing.T) {
	m := &gbdt.Model{Features: BillingFeatures(), Trees: []gbdt.Tree{{Value: []float64{0.4}}}}
	x := make([]float32, billingCount)
	in := Input{Candidates: []coding.Candidate{{RetrievalScore: 0.5}}}
	for _, c := range []struct {
		j    Billed
		want string
		of   float64
	}{
		{Billed{Odds: 1.2}, reasonParts, 1.2},
		{Billed{Odds: 1.2, X: x}, reasonVaguer, 0.8},
	} {
		e := explainBilled(in, c.j, Selection{Rank: m})
		if len(e.For) != 1 || e.For[0].Feature != c.want || e.For[0].Effect != c.of || len(e.Against) != 0 {
			t.Errorf("explained by %+v, want %q with %v", e, c.want, c.of)
		}
	}
}
