package eval

import (
	"context"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/learned"
)

func learnMentions(t *testing.T) (*Learner, LearnReport) {
	t.Helper()
	present, err := learned.Default()
	if err != nil {
		t.Fatal(err)
	}
	fit := quickFit()
	fit.Counted = 3
	l, err := NewLearner(LearnConfig{Style: coding.Mentions, Present: present, Site: planted(t, false), Margin: DefaultMargin, Least: 100, Fit: fit})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := l.Compare(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return l, rep
}

// In the style of mentions new models are learned as well, and the other style
// stays as it was.
func TestLearnMentions(t *testing.T) {
	t.Parallel()
	l, rep := learnMentions(t)
	if !rep.Better() || rep.Gain < 0.2 || rep.Low > rep.Gain || rep.High < rep.Gain {
		t.Fatalf("what notes teach makes nothing better: %s", rep.Text())
	}
	m, err := l.Train(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if s := m.Style(coding.Mentions); s.Memory == nil || s.Rank == nil || s.Order == nil || s.Threshold == 0 {
		t.Errorf("models are missing: %+v", s)
	}
	if m.Styles[coding.Billing] != l.Present.Styles[coding.Billing] || m.Styles[coding.Mentions] == l.Present.Styles[coding.Mentions] {
		t.Error("the wrong style was replaced")
	}
	res, err := l.Site.Suggested(context.Background(), &learned.Models{Version: learned.FirstLearned, Styles: m.Styles}, coding.Mentions)
	if err != nil {
		t.Fatal(err)
	}
	if s := Score(res); s.F1() < rep.New.F1()-0.1 {
		t.Errorf("the models give a micro-F1 of %.3f, %.3f was measured for them", s.F1(), rep.New.F1())
	}
}

// Notes whose item, or another of their patient, taught the present models are
// not compared on.
func TestCompareLeavesOutWhatThePresentModelsSaw(t *testing.T) {
	t.Parallel()
	present, err := learned.Default()
	if err != nil {
		t.Fatal(err)
	}
	site := planted(t, false)
	for i := range site.Notes {
		site.Notes[i].Item, site.Notes[i].Group = int64(i+1), []string{"a", "b", "c", "d", "e", "f"}[i%6]
	}
	l, err := NewLearner(LearnConfig{Style: coding.Mentions, Present: present, Seen: map[int64]bool{1: true, 8: true}, Site: site, Least: 101, Fit: quickFit()})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := l.Compare(context.Background())
	if err != nil || rep.Enough || rep.Better() || rep.Compared != 100 {
		t.Errorf("%d of %d notes are compared on, enough %v, %v; want 100: two of six patients taught the present models", rep.Compared, rep.Site, rep.Enough, err)
	}
	if _, err := l.Train(context.Background()); err == nil {
		t.Error("models were trained without a comparison")
	}
}
