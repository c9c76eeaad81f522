package qa_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"chartcode/eval/measure"
	"chartcode/internal/coding"
	"chartcode/internal/qa"
	"chartcode/internal/review"
)

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
	// What is added shows at once, though the figures are kept.
	f.judge(olga, 4, "I10")
	if p, err = f.People(t.Context(), 0); err != nil || p.Judged != 4 || p.Coders[1].Cases != 4 {
		t.Errorf("after another judgement: %+v, %v", p, err)
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
