package eval

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/pipeline/retrieve"
	"chartcode/pipeline/segment"
)

// planted makes notes that name a condition by a word that no term has, which
// only other notes can teach, beside conditions named by their terms.
func planted(t *testing.T, shuffleCodes bool) *Data {
	t.Helper()
	names := []string{"gout", "asthma", "migraine", "psoriasis", "glaucoma", "anemia", "epilepsy", "hernia", "eczema", "measles"}
	secret := []string{"zubrak", "yolpen", "krastin", "mavour", "drelli"}
	var codes []coding.Code
	var terms []coding.Term
	add := func(code, title string) {
		codes = append(codes, coding.Code{System: coding.ICD10CM, Code: code, Title: title, Billable: true})
		terms = append(terms, coding.Term{Text: title, Kind: coding.TermTitle, System: coding.ICD10CM, Code: code})
	}
	for i, n := range names {
		add(fmt.Sprintf("A%02d", i), n)
	}
	for i := range secret {
		add(fmt.Sprintf("B%02d", i), fmt.Sprintf("condition number %d", i+100))
	}
	rng := rand.New(rand.NewPCG(4, 4))
	d := &Dataset{Name: "planted"}
	for i := range 150 {
		var n GoldNote
		n.NoteID = fmt.Sprintf("p%d-1", i)
		a, b, s := rng.IntN(len(names)), rng.IntN(len(names)), rng.IntN(len(secret))
		n.Text = fmt.Sprintf("The patient has %s and %s today.\nHe also shows %s now.\nThere is no %s here.\n", names[a], names[(a+1+b)%len(names)], secret[s], names[(a+5)%len(names)])
		given := []string{fmt.Sprintf("A%02d", a), fmt.Sprintf("B%02d", s)}
		if shuffleCodes {
			given = []string{fmt.Sprintf("A%02d", rng.IntN(len(names))), fmt.Sprintf("B%02d", rng.IntN(len(secret)))}
		}
		for _, c := range given {
			n.Codes = append(n.Codes, GoldCode{System: coding.ICD10CM, Code: c})
		}
		d.Notes = append(d.Notes, n)
	}
	r, err := retrieve.New(retrieve.Config{Terms: terms})
	if err != nil {
		t.Fatal(err)
	}
	data, err := NewData(r, codeset.NewTable(coding.Release{ID: "t", System: coding.ICD10CM}, codes), d, segment.Segment)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func quickFit() FitConfig {
	f := DefaultFit(coding.Mentions)
	f.Order.Trees, f.Order.MinRows = 60, 10
	f.Rank.Trees, f.Rank.MinRows = 40, 10
	return f
}

func TestWhatOtherNotesTeachIsMeasured(t *testing.T) {
	rep, err := Accuracy(context.Background(), Config{Data: planted(t, false), Fit: quickFit(), Ablation: true})
	if err != nil {
		t.Fatal(err)
	}
	s := rep.Full
	if s.Gold != 300 || s.Notes != 150 || rep.Folds != 5 || s.UnseenGold != 0 {
		t.Errorf("%d gold codes of %d notes in %d folds, %d unseen", s.Gold, s.Notes, rep.Folds, s.UnseenGold)
	}
	if r := s.Recall(10); r < 0.97 {
		t.Errorf("recall at 10 is %.3f: the words that notes taught were not learned", r)
	}
	// Half of the conditions named by terms are given: two of three shown right
	// is what can be known.
	if f := s.F1(); f < 0.75 {
		t.Errorf("micro-F1 is %.3f", f)
	}
	if s.ECE > 0.12 {
		t.Errorf("calibration error is %.3f", s.ECE)
	}
	for _, l := range rep.Lines {
		if l.Name == "lexical alone" && l.Scores.Recall(10) > 0.6 {
			t.Errorf("words alone find %.3f; the secret words should be out of their reach", l.Scores.Recall(10))
		}
	}
	for _, l := range rep.Ablation {
		if l.Name == "without frequencies and phrases" && l.Scores.F1() > s.F1()-0.1 {
			t.Errorf("without what was learned micro-F1 is %.3f, with it %.3f", l.Scores.F1(), s.F1())
		}
	}
	text := rep.Text()
	for _, want := range []string{"150 notes of 150 articles", "gold: 300 codes", "lexical alone", "without frequencies and phrases", fmt.Sprintf("micro-F1 %.3f", s.F1())} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q:\n%s", want, text)
		}
	}
}

// If anything of a held-out note reached its own models, codes given at random
// would be told better than chance.
func TestRandomCodesCannotBeLearned(t *testing.T) {
	rep, err := Accuracy(context.Background(), Config{Data: planted(t, true), Fit: quickFit()})
	if err != nil {
		t.Fatal(err)
	}
	// Chance: one of ten names and one of five secrets; showing the two words'
	// codes or all codes gives a micro-F1 of at most about 0.3.
	if f := rep.Full.F1(); f > 0.33 {
		t.Errorf("micro-F1 is %.3f on codes given at random", f)
	}
}

func TestFitStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Accuracy(ctx, Config{Data: planted(t, false), Fit: quickFit()}); err == nil {
		t.Error("an ended context gave a report")
	}
}
