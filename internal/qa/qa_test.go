package qa_test

import (
	"errors"
	"fmt"
	"math"
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
	"chartcode/internal/review"
)

// A case goes from the draw to the coder's answer.
func TestAuditFromDrawToAnswer(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ann, ben, olga := coder("ann"), coder("ben"), auditor("olga")
	item := f.finished("D-1", ann, "E11.40", "E78.5")
	sample := f.sample(qa.Draw{Rate: 1})
	if sample.Cases != 1 || sample.Eligible != 1 {
		t.Fatalf("sample %+v", sample)
	}
	if _, err := f.TakeCase(t.Context(), ann); !errors.Is(err, qa.ErrNone) {
		t.Errorf("the coder of the review took its case: %v", err)
	}
	if _, err := f.TakeCase(t.Context(), user("max", coding.RoleManager)); !errors.Is(err, qa.ErrForbidden) {
		t.Errorf("a manager: %v", err)
	}
	id, err := f.TakeCase(t.Context(), ben)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := f.TakeCase(t.Context(), ben); err != nil || again != id {
		t.Errorf("taking again gave %d, %v", again, err)
	}
	if _, err := f.TakeCase(t.Context(), coder("cleo")); !errors.Is(err, qa.ErrNone) {
		t.Errorf("a second took a case that wants one recoding: %v", err)
	}

	// While it is coded again, its coder is refused the item, and the case.
	r, err := f.Recoding(t.Context(), ben, id)
	if err != nil || len(r.Notes) != 1 || r.Notes[0].Note.Text != visit || len(r.Given)+len(r.Suggested) > 0 {
		t.Fatalf("recoding %+v, %v", r, err)
	}
	if _, err := f.Recoding(t.Context(), ann, id); !errors.Is(err, qa.ErrNotFound) {
		t.Errorf("another's recoding: %v", err)
	}
	if _, err := f.review.Item(t.Context(), ben, item); !errors.Is(err, review.ErrBlind) {
		t.Errorf("the item: %v", err)
	}
	if _, err := f.review.Timeline(t.Context(), ben, item); !errors.Is(err, review.ErrBlind) {
		t.Errorf("its timeline: %v", err)
	}
	if _, err := f.review.Record(t.Context(), ben, item); !errors.Is(err, review.ErrBlind) {
		t.Errorf("its record: %v", err)
	}
	if _, err := f.review.Decide(t.Context(), ben, item, review.Act{Kind: coding.Reopen}); !errors.Is(err, review.ErrBlind) {
		t.Errorf("reopening: %v", err)
	}
	if err := f.Look(t.Context(), ben, "run 1 note 1", item); !errors.Is(err, review.ErrBlind) {
		t.Errorf("its note in a run: %v", err)
	}
	early, err := f.Case(t.Context(), olga, 1)
	if err != nil || !errors.Is(early.Why, qa.ErrEarly) || len(early.Codings) > 0 || early.Case.Given != nil {
		t.Errorf("the case before it is coded again: %+v, %v", early, err)
	}

	// Words of the note are evidence; what is not in the code set is refused.
	act := func(kind qa.RecodeKind, code string) qa.RecodeAct { return qa.RecodeAct{Kind: kind, Code: key(code)} }
	at := strings.Index(visit, "hypertension")
	add := act(qa.Give, "I10")
	add.Evidence = []coding.Evidence{{NoteID: "D-1", Span: coding.Span{Start: at, End: at + 12}}}
	f.act(ben, id, add)
	f.act(ben, id, add) // sent twice
	f.act(ben, id, act(qa.Give, "E11.40"))
	f.act(ben, id, act(qa.Give, "E11.9"))
	f.act(ben, id, act(qa.Remove, "E11.9"))
	f.act(ben, id, act(qa.Lead, "E11.40"))
	if err := f.Recode(t.Context(), ben, id, act(qa.Give, "Z99.9")); !errors.Is(err, qa.ErrUnknown) {
		t.Errorf("an unknown code: %v", err)
	}
	add.Code, add.Evidence[0].End = key("J45.909"), len(visit)+1
	if err := f.Recode(t.Context(), ben, id, add); !errors.Is(err, qa.ErrInput) {
		t.Errorf("words outside of the note: %v", err)
	}
	if err := f.Recode(t.Context(), ann, id, act(qa.Give, "I10")); !errors.Is(err, qa.ErrNotFound) {
		t.Errorf("another's act: %v", err)
	}
	f.act(ben, id, qa.RecodeAct{Kind: qa.Finish})
	f.act(ben, id, qa.RecodeAct{Kind: qa.Finish})
	if err := f.Recode(t.Context(), ben, id, act(qa.Give, "E78.5")); !errors.Is(err, qa.ErrFinished) {
		t.Errorf("after the end: %v", err)
	}
	if err := f.Recode(t.Context(), ben, id, qa.RecodeAct{Kind: qa.Return}); !errors.Is(err, qa.ErrNotFound) {
		t.Errorf("returned after the end: %v", err)
	}
	if _, err := f.review.Item(t.Context(), ben, item); err != nil {
		t.Errorf("the item after the end: %v", err)
	}

	// The judge sees both without names, and has done neither.
	sides, err := f.Case(t.Context(), olga, 1)
	if err != nil || !sides.MayJudge || len(sides.Codings) != 2 || sides.Codings[0].By+sides.Codings[1].By+sides.Case.Coder != "" {
		t.Fatalf("the case %+v, %v", sides, err)
	}
	if len(sides.Rows) != 3 || !slices.ContainsFunc(sides.Rows, func(r qa.Row) bool { return r.Code == "E11.40" && r.All && !slices.Contains(r.Leads, false) }) {
		t.Errorf("rows %+v", sides.Rows)
	}
	if err := f.Judge(t.Context(), auditor("ben"), 1, nil, ""); !errors.Is(err, qa.ErrOwn) {
		t.Errorf("who coded it judged it: %v", err)
	}
	if err := f.Judge(t.Context(), coder("cleo"), 1, nil, ""); !errors.Is(err, qa.ErrForbidden) {
		t.Errorf("a coder judged: %v", err)
	}
	// Which code leads is said, never taken from the order.
	unled := []qa.Verdict{{Code: key("I10")}, {Code: key("E11.40")}}
	if err := f.Judge(t.Context(), olga, 1, unled, ""); !errors.Is(err, qa.ErrInput) || !errors.Is(err, qa.ErrNoLead) {
		t.Errorf("judged without a lead: %v", err)
	}
	if err := f.Judge(t.Context(), olga, 1, []qa.Verdict{{Code: coding.CodeKey{System: coding.CPT, Code: "99213"}, Lead: true}, {Code: key("I10")}}, ""); !errors.Is(err, qa.ErrNoLead) {
		t.Errorf("a procedure leads: %v", err)
	}
	f.judge(olga, 1, "I10", "E11.40")
	if err := f.Judge(t.Context(), olga, 1, nil, ""); !errors.Is(err, qa.ErrJudged) {
		t.Errorf("judged twice: %v", err)
	}

	// Ann gave E78.5, which is wrong, and missed I10; Ben had another first.
	list, err := f.Findings(t.Context(), ann)
	if err != nil || len(list) != 2 || list[0].Kind != coding.FindingWrong || list[0].Code != "E78.5" || list[1].Kind != coding.FindingMissed || list[1].Code != "I10" || list[1].Evidence[0].Text != "hypertension" {
		t.Fatalf("findings %+v, %v", list, err)
	}
	if list, err := f.Findings(t.Context(), ben); err != nil || len(list) != 1 || list[0].Kind != coding.FindingFirst || list[0].Code != "I10" || !list[0].Blind {
		t.Errorf("findings of the second coder %+v, %v", list, err)
	}
	answer := coding.FindingAnswer{Case: 1, Kind: coding.FindingWrong, Code: key("E78.5"), Text: "The statin is for it."}
	if err := f.Answer(t.Context(), ben, answer); !errors.Is(err, qa.ErrNotFound) {
		t.Errorf("an answer to another's finding: %v", err)
	}
	if err := f.Answer(t.Context(), ann, answer); err != nil {
		t.Fatal(err)
	}
	if sides, err = f.Case(t.Context(), olga, 1); err != nil || len(sides.Findings) != 3 || sides.Codings[0].By == "" {
		t.Fatalf("the judged case %+v, %v", sides, err)
	}
	if !slices.ContainsFunc(sides.Findings, func(x qa.Finding) bool { return x.Answer != nil && x.Answer.Text == answer.Text && !x.Answer.Agrees }) {
		t.Error("the answer is not with the finding")
	}
}

// Who ever looked at an item is not blind, and a draw leaves a review in no second
// sample.
func TestWhoLookedIsNotBlind(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	item := f.finished("D-1", coder("ann"), "I10")
	if _, err := f.review.Item(t.Context(), coder("ben"), item); err != nil {
		t.Fatal(err)
	}
	f.sample(qa.Draw{Rate: 1})
	if w, err := f.Waiting(t.Context(), coder("ben")); err != nil || w.Cases != 0 {
		t.Errorf("%d cases wait for who looked, %v", w.Cases, err)
	}
	if _, err := f.TakeCase(t.Context(), coder("ben")); !errors.Is(err, qa.ErrNone) {
		t.Errorf("who looked took the case: %v", err)
	}
	if w, err := f.Waiting(t.Context(), coder("cleo")); err != nil || w.Cases != 1 {
		t.Errorf("%d cases wait, %v", w.Cases, err)
	}
	_, err := f.Sample(t.Context(), "console", qa.Draw{Rate: 1, From: time.Now().Add(-time.Hour), Before: time.Now().Add(time.Hour)})
	if !errors.Is(err, qa.ErrNoReviews) {
		t.Errorf("drawn twice: %v", err)
	}
	// Returned, it is there for another; who returned it and then looked is out.
	id, err := f.TakeCase(t.Context(), coder("cleo"))
	if err != nil {
		t.Fatal(err)
	}
	f.act(coder("cleo"), id, qa.RecodeAct{Kind: qa.Return})
	if _, err := f.review.Item(t.Context(), coder("cleo"), item); err != nil {
		t.Errorf("the item after returning the case: %v", err)
	}
	if _, err := f.TakeCase(t.Context(), coder("cleo")); !errors.Is(err, qa.ErrNone) {
		t.Errorf("who returned the case and looked took it: %v", err)
	}
}

// A note that changes after the draw changes nothing of the case.
func TestCaseKeepsTheNoteAsItWas(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.finished("D-1", coder("ann"), "I10")
	f.sample(qa.Draw{Rate: 1})
	n := note("D-1")
	n.Text = "Essential hypertension alone."
	f.save(n)
	id, err := f.TakeCase(t.Context(), coder("ben"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Recoding(t.Context(), coder("ben"), id)
	if err != nil || len(r.Notes) != 1 || r.Notes[0].Note.Text != visit {
		t.Errorf("the case's note is %+v, %v", r.Notes, err)
	}
	notes, err := f.store.CaseNotes(t.Context(), []int64{1, 2})
	if err != nil || len(notes[1]) != 1 || notes[1][0].Note.Text != visit || len(notes[2]) != 0 {
		t.Errorf("the notes of cases are %+v, %v", notes, err)
	}
}

func TestDrawIsByCoderAndRate(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	for i := range 10 {
		f.finished(fmt.Sprint("A-", i), coder("ann"), "I10")
	}
	for i := range 3 {
		f.finished(fmt.Sprint("B-", i), coder("ben"), "I10")
	}
	// 2 in 10 of ann's; 1 of ben's three, but at least 2.
	s := f.sample(qa.Draw{Rate: 0.2, AtLeast: 2, Seed: 7, Recodings: 2})
	cases, err := f.store.AuditCases(t.Context(), s.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]int{}
	for _, c := range cases {
		by[c.Coder]++
		if c.Wanted != 2 || len(c.Given) != 1 || c.Given[0].Code != "I10" || c.Patient == "" {
			t.Errorf("case %+v", c)
		}
	}
	if s.Eligible != 13 || by["ann"] != 2 || by["ben"] != 2 {
		t.Errorf("sample %+v, by coder %v", s, by)
	}
}

// The figures of four cases, by hand.
func TestPeopleByHand(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ann, ben, olga := coder("ann"), coder("ben"), auditor("olga")
	f.finished("D-1", ann, "E11.40", "I10", "E78.5")
	f.finished("D-2", ann, "E11.40", "I10")
	f.finished("D-3", ann, "I10")
	f.finished("D-4", ann, "E78.5")
	f.sample(qa.Draw{Rate: 1})
	f.recode(ben, "E11.40", "I10", "E78.5")
	f.recode(ben, "E11.40", "I10")
	f.recode(ben, "E11.40", "I10")
	f.recode(ben, "I10")
	f.judge(olga, 1, "E11.40", "I10", "E78.5")
	f.judge(olga, 2, "E11.40", "I10")
	f.judge(olga, 3, "E11.40", "I10")
	p, err := f.People(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if p.Cases != 4 || p.Recoded != 4 || p.Judged != 3 || p.Together == nil || len(p.Together.Pairs) != 1 || len(p.Persons.Pairs) != 1 {
		t.Fatalf("people %+v", p)
	}
	near := func(what string, got *measure.Figure, want float64) {
		t.Helper()
		if got == nil || math.Abs(got.Value-want) > 1e-9 || got.Low > want || got.High < want {
			t.Errorf("%s is %+v, want %g", what, got, want)
		}
	}
	// First codes: ann E11 E11 I10 E78, ben E11 E11 E11 I10; two of four agree.
	// Chance: E11 2/4*3/4 + I10 1/4*1/4 = 7/16; kappa = (1/2-7/16)/(9/16) = 1/9.
	near("kappa of the first code", p.Together.Pairs[0].KappaFirst, 1.0/9)
	// Both gave 3 + 2 + 1 + 0 codes, ann 7, ben 8.
	near("share given by both", p.Together.Pairs[0].Agreed, 12.0/15)
	// A row for each note and code that anybody gave, 9 rows: 6 agree as given, in 3
	// one gave and the other did not. Values: 15 given, 3 not. Observed disagreement
	// 2*3/18, expected 2*15*3/(18*17): alpha = 1 - (6/18)/(90/306).
	near("alpha of codes", p.Together.AlphaCodes, 1-(6.0/18)/(90.0/306))
	if len(p.Coders) != 2 || p.Coders[0].Coder != "ann" || p.Coders[0].Blind || !p.Coders[1].Blind {
		t.Fatalf("coders %+v", p.Coders)
	}
	// Ann: 6 right, none wrong, 1 missed of 7. Ben all right.
	a := p.Coders[0]
	recall := a.Figure("micro_recall")
	near("ann's recall", &recall, 6.0/7)
	f1 := p.Coders[1].Figure("micro_f1")
	near("ben's F1", &f1, 1)
	if len(a.Hints) != 1 || a.Hints[0].Chapter != "E00-E89 Endocrine and metabolic" || a.Hints[0].Missed != 1 || a.Hints[0].Codes[0].Code != "E11.40" {
		t.Errorf("hints %+v", a.Hints)
	}
}

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

// A blind recoding announces nothing and is in no export either: of a finished item
// there is the coder's review alone.
func TestRecodingGoesNowhere(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.finished("D-1", coder("ann"), "I10")
	before, _, err := f.store.OutboxAge(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.sample(qa.Draw{Rate: 1})
	f.recode(coder("ben"), "J45.909")
	f.judge(auditor("olga"), 1, "J45.909")
	after, _, err := f.store.OutboxAge(t.Context())
	if err != nil || after != before {
		t.Errorf("the outbox has %d messages, had %d, %v", after, before, err)
	}
	n := 0
	for r, err := range f.store.ReviewedItems(t.Context(), time.Time{}, time.Now().Add(time.Hour), "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if rev, ok := review.Final(r); !ok || len(rev.Codes) != 1 || rev.Codes[0].Code != "I10" || rev.Coder != "ann" {
			t.Errorf("the review is %+v", rev)
		}
	}
	if n != 1 {
		t.Errorf("%d reviews", n)
	}
}

// Six weeks of items, in the last three of which coders reject more.
func TestDriftFromTheDatabase(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	monday := time.Date(2026, 8, 3, 9, 0, 0, 0, time.UTC)
	for week := range 6 {
		for i := range 3 {
			f.clock = monday.AddDate(0, 0, 7*week).Add(time.Duration(i) * time.Hour)
			codes := []string{"E11.40", "I10", "E78.5"}
			if week >= 3 {
				codes = codes[:1]
			}
			f.finished(fmt.Sprintf("W-%d-%d", week, i), coder("ann"), codes...)
		}
	}
	d, err := f.Drift(t.Context(), monday, monday.AddDate(0, 0, 42), 0, 2)
	if err != nil || d.Items != 18 || len(d.Weeks) != 6 || d.Reference != 2 {
		t.Fatalf("drift %+v, %v", d, err)
	}
	first, last := d.Weeks[0], d.Weeks[5]
	if first.N != 9 || first.Acceptance < 0.999 || first.Depth != 6 || math.Abs(first.Confidence-0.7) > 1e-9 {
		t.Errorf("first week %+v", first)
	}
	if math.Abs(last.Acceptance-1.0/3) > 1e-9 || last.Reasons[string(coding.RejectNotInNote)] != 1 || !d.Change.Week.Equal(d.Weeks[3].Start) {
		t.Errorf("last week %+v, change %+v", last, d.Change)
	}
	if d, err = f.Drift(t.Context(), monday, monday.AddDate(0, 0, 42), 2, 2); err != nil || d.Items != 12 {
		t.Errorf("two of each week: %d items, %v", d.Items, err)
	}
}

// What is drawn follows from the draw and the finished reviews, not from what was
// drawn before; all that it was drawn with is kept.
func TestSameDrawGivesTheSameCases(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	for i := range 6 {
		f.finished(fmt.Sprint("A-", i), coder("ann"), "I10")
		f.finished(fmt.Sprint("B-", i), coder("ben"), "I10")
	}
	items := func(sample int64) (out []int64) {
		t.Helper()
		cases, err := f.store.AuditCases(t.Context(), sample, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			out = append(out, c.Item)
		}
		slices.Sort(out)
		return out
	}
	day := time.Now().Add(-time.Hour)
	half := qa.Draw{From: day, Before: day.AddDate(0, 0, 1), Coders: []string{"ann"}, Rate: 0.5, AtLeast: 2, Seed: 7, Recodings: 2}
	first := f.sample(half)
	want := items(first.ID)
	if len(want) != 3 || first.Eligible != 6 {
		t.Fatalf("sample %+v has the items %v", first, want)
	}
	kept, err := f.Samples(t.Context(), auditor("olga"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("%d samples, %v", len(kept), err)
	}
	if k := kept[0]; !k.From.Equal(day.Truncate(time.Microsecond)) || !k.Before.Equal(day.AddDate(0, 0, 1).Truncate(time.Microsecond)) || !slices.Equal(k.Coders, []string{"ann"}) ||
		k.Rate != 0.5 || k.AtLeast != 2 || k.Seed != 7 || k.Recodings != 2 || k.Source != "" {
		t.Errorf("kept is %+v", k)
	}
	if again := f.sample(half); again.ID != first.ID {
		t.Errorf("the same draw made another sample: %+v", again)
	}

	// All are cases after this; still a draw chooses as if none was.
	every := f.sample(qa.Draw{From: day, Before: day.AddDate(0, 0, 1), Rate: 1})
	if every.Cases != 12 || every.Earlier != 3 {
		t.Errorf("all reviews: %+v", every)
	}
	if again := f.sample(half); again.ID != first.ID || !slices.Equal(items(again.ID), want) {
		t.Errorf("after others were drawn: %+v, items %v, want %v", again, items(again.ID), want)
	}
	if all, err := f.store.AuditCases(t.Context(), 0, ""); err != nil || len(all) != 12 {
		t.Errorf("%d cases of 12 reviews, %v", len(all), err)
	}

	// A review in two samples is one case, coded again as the first of them asks.
	for _, login := range []string{"cleo", "dana"} {
		f.recode(coder(login), "I10")
	}
	f.judge(auditor("olga"), 1, "I10")
	if kept, err = f.Samples(t.Context(), auditor("olga")); err != nil || len(kept) != 2 {
		t.Fatalf("%d samples, %v", len(kept), err)
	}
	for _, k := range kept {
		if k.Recoded != 1 || k.Judged != 1 || k.ToJudge != 0 {
			t.Errorf("counts of sample %d: %+v", k.ID, k)
		}
	}

	// Another seed chooses others, and a review finished since is drawn from.
	other := half
	other.Coders, other.Seed = []string{"ben", "ann", "ben"}, 8
	if _, err := f.Sample(t.Context(), "console", other); !errors.Is(err, qa.ErrNoReviews) {
		t.Errorf("drawn from what is all drawn: %v", err)
	}
	f.finished("A-new", coder("ann"), "I10")
	if s := f.sample(other); s.Eligible != 13 || s.Cases != 7 || !slices.Equal(s.Coders, []string{"ann", "ben"}) {
		t.Errorf("after another review: %+v", s)
	}
}

// What is stated beside codes is drawn, entered, judged and counted too.
func TestStatedBesideCodes(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ann, ben, olga := coder("ann"), coder("ben"), auditor("olga")
	n := note("S-1")
	n.Setting = coding.Inpatient
	f.save(n)
	item := f.item("S-1")
	f.do(ann, item, review.Act{Kind: coding.Accept, Code: key("E11.40"), POA: coding.POAYes})
	f.do(ann, item, review.Act{Kind: coding.Accept, Code: key("I10"), POA: coding.POANo})
	f.do(ann, item, review.Act{Kind: coding.Reject, Code: key("E78.5"), ReasonCode: coding.RejectNotInNote})
	f.do(ann, item, review.Act{Kind: coding.Finish, Confirm: true})
	f.sample(qa.Draw{Rate: 1})
	id, err := f.TakeCase(t.Context(), ben)
	if err != nil {
		t.Fatal(err)
	}
	f.act(ben, id, qa.RecodeAct{Kind: qa.Give, Code: key("E11.40")})
	f.act(ben, id, qa.RecodeAct{Kind: qa.Give, Code: key("I10")})
	f.act(ben, id, qa.RecodeAct{Kind: qa.Detail, Code: key("I10"), POA: coding.POAYes})
	for what, a := range map[string]qa.RecodeAct{
		"no indicator":         {Kind: qa.Detail, Code: key("I10"), POA: "X"},
		"units of a diagnosis": {Kind: qa.Detail, Code: key("I10"), Units: 2},
		"a code not given":     {Kind: qa.Detail, Code: key("E78.5"), POA: coding.POAYes},
	} {
		if err := f.Recode(t.Context(), ben, id, a); !errors.Is(err, qa.ErrInput) {
			t.Errorf("%s: %v", what, err)
		}
	}
	f.act(ben, id, qa.RecodeAct{Kind: qa.Finish})
	sides, err := f.Case(t.Context(), olga, 1)
	if err != nil || len(sides.Rows) != 2 {
		t.Fatalf("rows %+v, %v", sides.Rows, err)
	}
	for _, r := range sides.Rows {
		want := map[string][]coding.POA{"E11.40": {"", coding.POAYes}, "I10": {coding.POANo, coding.POAYes}}[r.Code]
		if got := slices.Sorted(slices.Values(r.POAs)); !slices.Equal(got, want) || r.POA != "" {
			t.Errorf("%s: %q stated, %q judged", r.Code, got, r.POA)
		}
	}
	if err := f.Judge(t.Context(), olga, 1, []qa.Verdict{{Code: key("E11.40"), Lead: true, Units: 1}}, ""); !errors.Is(err, qa.ErrInput) {
		t.Errorf("units of a diagnosis judged: %v", err)
	}
	verdicts := []qa.Verdict{{Code: key("E11.40"), Lead: true, POA: coding.POAYes}, {Code: key("I10"), POA: coding.POAYes}}
	if err := f.Judge(t.Context(), olga, 1, verdicts, ""); err != nil {
		t.Fatal(err)
	}
	for u, code := range map[string]string{"ann": "I10", "ben": "E11.40"} {
		list, err := f.Findings(t.Context(), coder(u))
		if err != nil || len(list) != 1 || list[0].Kind != coding.FindingDetail || list[0].Code != code || list[0].POA != coding.POAYes {
			t.Errorf("findings of %s: %+v, %v", u, list, err)
		}
	}
	if err := f.Answer(t.Context(), ann, coding.FindingAnswer{Case: 1, Kind: coding.FindingDetail, Code: key("I10"), Agrees: true}); err != nil {
		t.Error(err)
	}
	p, err := f.People(t.Context(), 0)
	if err != nil || len(p.Coders) != 2 {
		t.Fatalf("people %+v, %v", p, err)
	}
	for _, c := range p.Coders {
		if c.Stated.Numerator != 1 || c.Stated.Denominator != 2 {
			t.Errorf("%s stated %+v", c.Coder, c.Stated)
		}
	}
}
