package recheck_test

import (
	"errors"
	"log/slog"
	"testing"

	"chartcode/internal/catalog"
	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// With the coding rules at work, which look into the same tables, an invalid
// code is said once, and cannot be overridden. They see a new release at once.
func TestRulesAndChecksSayItOnce(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.load(orderFile(t, "icd10cm-order-2026.txt", rows2026...), codeset.ReadOptions{})
	knowledge, err := catalog.New(catalog.Config{Source: f.store})
	if err != nil {
		t.Fatal(err)
	}
	f.review, err = review.New(review.Config{Store: f.store, Logger: slog.New(slog.DiscardHandler), Check: f.checker.Item, Rules: knowledge.RulesOn})
	if err != nil {
		t.Fatal(err)
	}
	f.save("N-1", "e", november, "", "J98.1", "K52.9", "I10")
	for _, c := range []string{"J98.1", "K52.9", "I10"} {
		f.do("e", review.Act{Kind: coding.Accept, Code: key(c)})
	}
	if it := f.item("e"); len(it.Blockers) != 0 {
		t.Fatalf("before the import finishing is blocked by %+v", it.Blockers)
	}
	f.load(orderFile(t, "icd10cm-order-2027.txt", rows2027...), codeset.ReadOptions{})
	it := f.item("e")
	if len(it.Blockers) != 2 || !it.Blockers[0].MustGo || !it.Blockers[1].MustGo {
		t.Errorf("finishing is blocked by %+v", it.Blockers)
	}
	for _, c := range it.Codes {
		if want := c.CodeKey.Code != "I10"; (len(c.Warnings) == 1) != want {
			t.Errorf("%s has the findings %+v", c.CodeKey.Code, c.Warnings)
		}
	}
	if err := f.try("e", review.Act{Kind: coding.Override, Rule: "not_valid", Codes: []string{"J98.1"}, Reason: "because"}); !errors.Is(err, review.ErrMustGo) {
		t.Errorf("overriding: %v", err)
	}
	f.do("e", review.Act{Kind: coding.Modify, Code: key("J98.1"), To: key("J98.11")})
	f.do("e", review.Act{Kind: coding.Modify, Code: key("K52.9"), To: key("K52.92")})
	if it := f.item("e"); len(it.Blockers) != 0 || it.Invalid != 0 {
		t.Errorf("after the changes finishing is blocked by %+v, with %d invalid", it.Blockers, it.Invalid)
	}
	f.do("e", review.Act{Kind: coding.Finish})
}
