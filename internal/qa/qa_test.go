package qa_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"chartcode/internal/coding"
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
