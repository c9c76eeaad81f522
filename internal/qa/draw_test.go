package qa_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"chartcode/internal/qa"
)

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
