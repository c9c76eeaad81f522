package qa_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chartcode/eval/dataset"
	"chartcode/eval/measure"
	"chartcode/eval/runs"
	"chartcode/internal/coding"
	"chartcode/internal/export"
	"chartcode/internal/qa"
)

func practice(rate float64) []coding.PracticeNote {
	r := runs.Run{ID: "run-1"}
	titles := map[string]runs.Title{}
	for _, c := range []string{"E11.40", "I10", "E78.5", "H25.9", "N20.0", "K21.9", "R05.9", "M54.50"} {
		titles[c] = runs.Title{Title: "Title of " + c, Billable: true}
	}
	var notes []dataset.Note
	var cases []measure.Case
	add := func(id, text string, required []string, shown ...measure.Shown) {
		notes = append(notes, dataset.Note{Note: coding.Note{NoteID: id, Source: "practice", Text: text, ServiceDate: coding.NewDate(2026, 3, 14)}})
		cases = append(cases, measure.Case{NoteID: id, Setting: "outpatient", Required: required, Shown: shown, Candidates: []string{"I11.9", "N20.0"}})
	}
	for i := range 20 {
		add(fmt.Sprint("PR-", i), visit, []string{"E11.40", "I10"}, measure.Shown{Code: "E11.40", Confidence: 0.9, Evidence: []coding.Span{{Start: 0, End: 15}}},
			measure.Shown{Code: "I10", Confidence: 0.7}, measure.Shown{Code: "E78.5", Confidence: 0.5})
	}
	add("PR-other", "Cataract, stone, reflux, cough, back pain.", []string{"H25.9"}, measure.Shown{Code: "H25.9", Confidence: 0.9}, measure.Shown{Code: "N20.0", Confidence: 0.8}, measure.Shown{Code: "K21.9", Confidence: 0.7}, measure.Shown{Code: "R05.9", Confidence: 0.6}, measure.Shown{Code: "M54.50", Confidence: 0.5})
	return qa.MakePractice(&r, notes, cases, titles, rate, 1)
}

// What is seeded has nothing to do with the note: of a chapter of neither gold, nor
// suggestions, nor candidates, and no symptom.
func TestSeededSuggestionsArePlainlyWrong(t *testing.T) {
	t.Parallel()
	seeded, genuine := 0, 0
	for _, p := range practice(0.5)[:20] {
		for _, s := range p.Suggested {
			if !s.Seeded {
				genuine++
				continue
			}
			seeded++
			if !slices.Contains([]string{"H25.9", "K21.9", "M54.50"}, s.Code) {
				t.Errorf("seeded %s", s.Code)
			}
			if s.Display != "Title of "+s.Code || s.Confidence < 0.5 {
				t.Errorf("seeded suggestion %+v", s)
			}
		}
	}
	if genuine != 60 || seeded < 20 || seeded > 40 {
		t.Errorf("%d seeded beside %d, want about half as many", seeded, genuine)
	}
	for _, p := range practice(0) {
		for _, s := range p.Suggested {
			if s.Seeded {
				t.Error("seeded at rate 0")
			}
		}
	}
}

// Nothing but reading tells a seeded suggestion apart: the list stays in the order
// of its confidences, no two are alike, and no words are quoted twice.
func TestSeededSuggestionsLookLikeTheOthers(t *testing.T) {
	t.Parallel()
	quoted, places := 0, map[int]bool{}
	for _, p := range practice(1)[:20] {
		var spans []coding.Span
		for i, s := range p.Suggested {
			if s.Rank != i+1 || i > 0 && s.Confidence >= p.Suggested[i-1].Confidence {
				t.Errorf("rank %d, confidence %g behind %+v", s.Rank, s.Confidence, p.Suggested[max(i-1, 0)])
			}
			for _, e := range s.Evidence {
				if e.NoteID != p.Note.NoteID || e.Start < 0 || e.End > len(visit) || e.Start >= e.End || visit[e.Start:e.End] != e.Text {
					t.Errorf("words outside of the note: %+v", e)
				}
				if slices.ContainsFunc(spans, func(o coding.Span) bool { return e.Start < o.End && o.Start < e.End }) {
					t.Errorf("%s has the words %q of another", s.Code, e.Text)
				}
				spans = append(spans, e.Span)
			}
			if s.Seeded {
				places[i] = true
				quoted += len(s.Evidence)
			}
		}
	}
	if quoted == 0 || len(places) < 4 {
		t.Errorf("%d quotes, places %v", quoted, places)
	}
}

// What is practised is measured, and is in no item, export, outbox or review.
func TestPracticeIsMeasuredAndGoesNowhere(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	notes := practice(1)[:2]
	added, err := f.AddPractice(t.Context(), "console", notes)
	if err != nil || added != 2 {
		t.Fatalf("added %d, %v", added, err)
	}
	if added, err := f.AddPractice(t.Context(), "console", notes); err != nil || added != 0 {
		t.Errorf("added %d again, %v", added, err)
	}
	ann := coder("ann")
	var want qa.Bias
	for range 2 {
		id, err := f.TakePractice(t.Context(), ann)
		if err != nil {
			t.Fatal(err)
		}
		r, err := f.Recoding(t.Context(), ann, id)
		if err != nil || r.Gold != nil || len(r.Suggested) != 6 || slices.ContainsFunc(r.Suggested, func(s coding.PracticeSuggestion) bool { return s.Seeded }) {
			t.Fatalf("practice tells what is seeded or right: %+v, %v", r, err)
		}
		if err := f.Recode(t.Context(), ann, id, qa.RecodeAct{Kind: qa.Finish}); !errors.Is(err, qa.ErrUndecided) {
			t.Errorf("finished undecided: %v", err)
		}
		for i, s := range r.Suggested {
			a := qa.RecodeAct{Kind: qa.Reject, Code: key(s.Code)}
			if i%2 == 0 {
				a.Kind = qa.Accept
			}
			f.act(ann, id, a)
			count := &want.Wrong
			switch s.Code {
			case "E11.40", "I10":
				count = &want.Right
			case "H25.9", "K21.9", "M54.50":
				count = &want.Seeded
			}
			count.Of++
			if i%2 == 0 {
				count.Accepted++
			}
		}
		f.act(ann, id, qa.RecodeAct{Kind: qa.Finish})
		if r, err = f.Recoding(t.Context(), ann, id); err != nil || len(r.Gold) != 2 || !slices.ContainsFunc(r.Suggested, func(s coding.PracticeSuggestion) bool { return s.Seeded }) {
			t.Errorf("after the end it does not tell: %+v, %v", r, err)
		}
	}
	if _, err := f.TakePractice(t.Context(), ann); !errors.Is(err, qa.ErrNone) {
		t.Errorf("a third: %v", err)
	}
	p, err := f.Practice(t.Context())
	if err != nil || p.Notes != 2 || p.Seeded != 6 || len(p.Coders) != 1 {
		t.Fatalf("practice %+v, %v", p, err)
	}
	for _, c := range []struct{ got, want qa.Taken }{{p.All.Seeded, want.Seeded}, {p.All.Wrong, want.Wrong}, {p.All.Right, want.Right}, {p.Coders[0].Seeded, want.Seeded}} {
		if c.got.Of != c.want.Of || c.got.Accepted != c.want.Accepted || c.got.Share.High <= c.got.Share.Low {
			t.Errorf("counted %+v, want %+v", c.got, c.want)
		}
	}

	if page, err := f.store.Worklist(t.Context(), coding.WorklistQuery{Sort: coding.SortUpdated, Limit: 200}, time.Now()); err != nil || len(page.Items) != 0 {
		t.Errorf("the worklist has %d items, %v", len(page.Items), err)
	}
	if out, _, err := f.store.OutboxAge(t.Context()); err != nil || out != 0 {
		t.Errorf("the outbox has %d messages, %v", out, err)
	}
	var b strings.Builder
	entries := func(yield func(export.Entry, error) bool) {
		for r, err := range f.store.ReviewedItems(t.Context(), time.Time{}, time.Now().Add(time.Hour), "") {
			if !yield(export.Of(r), err) {
				return
			}
		}
	}
	if n, err := export.Write(&b, export.JSON, entries); err != nil || n != 0 {
		t.Errorf("%d reviews exported, %v", n, err)
	}
}
