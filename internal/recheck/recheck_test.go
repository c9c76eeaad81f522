package recheck_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/review"
	"chartcode/internal/store"
)

const (
	deleted = "J98.1 not_valid J98.11"
	header  = "K52.9 not_billable K52.91 K52.92"
	retitle = "M25.5 retitled"
	unknown = "Z99.9 not_valid"
)

func TestNewRelease(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.load(orderFile(t, "icd10cm-order-2026.txt", rows2026...), codeset.ReadOptions{})
	for _, e := range []string{"open", "claimed", "held", "queried", "finished"} {
		f.save("N-"+e, e, november, "", "J98.1", "K52.9", "M25.5", "I10")
	}
	f.save("N-same", "same", november, "", "I10")
	f.save("N-before", "before", coding.NewDate(2026, 9, 30), "", "J98.1", "K52.9")
	f.save("N-first", "first day", coding.NewDate(2026, 10, 1), "", "J98.1")
	f.save("N-undated", "undated", coding.Date{}, "", "Z99.9")
	f.do("claimed", review.Act{Kind: coding.Accept, Code: key("K52.9")})
	f.do("claimed", review.Act{Kind: coding.Reject, Code: key("J98.1")})
	f.do("claimed", review.Act{Kind: coding.Add, Code: key("Z99.9")})
	f.do("finished", review.Act{Kind: coding.Accept, Code: key("J98.1")})
	f.do("finished", review.Act{Kind: coding.Finish, Confirm: true})
	if err := f.review.Hold(t.Context(), f.coder, f.id("held"), "waiting", ""); err != nil {
		t.Fatal(err)
	}
	if err := f.review.Query(t.Context(), f.coder, f.id("queried"), "asking"); err != nil {
		t.Fatal(err)
	}
	if n := f.due(); n != 0 {
		t.Errorf("%d items are due although nothing changed", n)
	}
	if got := notices(f.item("open")); got != "release_assumed setting_assumed" {
		t.Errorf("before the import the notices are %q", got)
	}
	before := f.heads()

	f.load(orderFile(t, "icd10cm-order-2027.txt", rows2027...), codeset.ReadOptions{})
	if n := f.due(); n != 7 {
		t.Errorf("%d items were checked, want the 7 that are not finished and dated from 1 October on, or undated", n)
	}
	if n := f.due(); n != 0 {
		t.Errorf("%d items were checked twice", n)
	}
	all := deleted + "; " + header + "; " + retitle
	f.wants("open", all, 2)
	f.wants("held", all, 2)
	f.wants("queried", all, 2)
	f.wants("claimed", all+"; "+unknown, 2) // K52.9, accepted, and Z99.9, added; J98.1 was rejected
	f.wants("first day", deleted, 1)
	f.wants("undated", unknown, 1)
	f.wants("same", "", 0)
	f.wants("before", "nothing", 0)
	f.wants("finished", "nothing", 0)
	for _, e := range []string{"open", "held", "same"} {
		if got := notices(f.item(e)); got != "setting_assumed" {
			t.Errorf("%s: after the import the notices are %q", e, got)
		}
	}
	after := f.heads()
	for _, e := range []string{"before", "finished"} {
		if a, b := after[e], before[e]; a.Version != b.Version || !a.UpdatedAt.Equal(b.UpdatedAt) {
			t.Errorf("%s was touched: version %d, was %d", e, a.Version, b.Version)
		}
	}
	for e, h := range after {
		if h.State != before[e].State || h.Content != before[e].Content {
			t.Errorf("%s: state %s, content %d; was %s, %d", e, h.State, h.Content, before[e].State, before[e].Content)
		}
	}

	// What was decided and suggested stands; the finding lies over it.
	it := f.item("claimed")
	for _, c := range it.Codes {
		switch c.CodeKey.Code {
		case "K52.9":
			if c.State != review.Accepted || len(c.Warnings) == 0 || c.Warnings[0].Rule != "not_billable" || c.Warnings[0].Severity != coding.SeverityError ||
				!strings.Contains(c.Warnings[0].Message, "K52.91") || c.Warnings[0].Source != "ICD-10-CM 2027" {
				t.Errorf("K52.9 is %s with %+v", c.State, c.Warnings)
			}
		case "J98.1":
			if c.State != review.Rejected || c.Invalid() {
				t.Errorf("J98.1 is %s and counts as a code that must go: %v", c.State, c.Invalid())
			}
		case "I10":
			if c.Check != nil || len(c.Warnings) > 0 {
				t.Errorf("I10 has %+v, %+v", c.Check, c.Warnings)
			}
		}
	}
	found := false
	for _, ev := range it.Timeline {
		found = found || ev.Action == review.ActionChecked && ev.Actor == coding.ByPipeline && ev.Detail == "ICD-10-CM 2027: not valid 3"
	}
	if !found {
		t.Errorf("the timeline does not tell of the check: %+v", it.Timeline)
	}
}

// An invalid code blocks finishing until it is changed or rejected; overriding
// is not offered.
func TestInvalidCodesMustGo(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.load(orderFile(t, "icd10cm-order-2026.txt", rows2026...), codeset.ReadOptions{})
	f.save("N-1", "e", november, "", "J98.1", "K52.9", "I10")
	for _, c := range []string{"J98.1", "K52.9", "I10"} {
		f.do("e", review.Act{Kind: coding.Accept, Code: key(c)})
	}
	f.load(orderFile(t, "icd10cm-order-2027.txt", rows2027...), codeset.ReadOptions{})
	f.due()
	unready := func(want int) {
		t.Helper()
		err := f.try("e", review.Act{Kind: coding.Finish, Confirm: true})
		var u *review.UnreadyError
		if !errors.As(err, &u) || len(u.Blockers) != want || !u.Blockers[0].MustGo || !strings.Contains(err.Error(), "change or reject") {
			t.Fatalf("finishing: %v with %+v", err, u)
		}
		if got := f.heads()["e"].Invalid; got != want {
			t.Errorf("the worklist counts %d invalid codes, want %d", got, want)
		}
	}
	unready(2)
	if err := f.try("e", review.Act{Kind: coding.Override, Rule: "not_valid", Codes: []string{"J98.1"}, Reason: "because"}); !errors.Is(err, review.ErrMustGo) {
		t.Errorf("overriding: %v", err)
	}
	f.do("e", review.Act{Kind: coding.Modify, Code: key("J98.1"), To: key("J98.11")})
	unready(1)
	f.do("e", review.Act{Kind: coding.Undo})
	unready(2)
	f.do("e", review.Act{Kind: coding.Redo})
	f.do("e", review.Act{Kind: coding.Reject, Code: key("K52.9")})
	if got := f.heads()["e"].Invalid; got != 0 {
		t.Errorf("the worklist still counts %d invalid codes", got)
	}
	f.do("e", review.Act{Kind: coding.Finish})
	if it := f.item("e"); it.State != coding.ItemFinished {
		t.Errorf("the item is %s", it.State)
	}
}

// A corrected release replaces the first one: what it lacked is valid again,
// what it has no more becomes invalid. The same file again changes nothing.
func TestCorrectedRelease(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.load(orderFile(t, "icd10cm-order-2026.txt", rows2026...), codeset.ReadOptions{})
	f.save("N-1", "e", november, "", "J98.1", "K52.9", "I10")
	wrong := orderFile(t, "icd10cm-order-2027.txt", rows2027...)
	f.load(wrong, codeset.ReadOptions{})
	f.due()
	f.wants("e", deleted+"; "+header, 2)
	f.load(wrong, codeset.ReadOptions{})
	if n := f.due(); n != 0 {
		t.Errorf("the same file again: %d items were checked", n)
	}
	right := []row{{"J98.1", "Pulmonary collapse and atelectasis"}, {"-K52.9", "Noninfective gastroenteritis and colitis, unspecified"}, {"K52.91", "Noninfective gastroenteritis, unspecified"}}
	f.load(orderFile(t, "icd10cm-order-2027.txt", right...), codeset.ReadOptions{})
	if n := f.due(); n != 1 {
		t.Errorf("%d items were checked, want 1", n)
	}
	f.wants("e", "J98.1 valid_again; K52.9 not_billable K52.91; I10 not_valid", 2)

	// The release of the year before matters nothing to it, one of April does.
	f.load(orderFile(t, "icd10cm-order-2025.txt", rows2027...), codeset.ReadOptions{})
	if n := f.due(); n != 0 {
		t.Errorf("a release of another year: %d items were checked", n)
	}
	f.save("N-2", "april", coding.NewDate(2027, 4, 1), "", "J98.1")
	f.load(orderFile(t, "april.txt", rows2027...), codeset.ReadOptions{System: coding.ICD10CM, Version: "2027-04"})
	if n := f.due(); n != 1 {
		t.Errorf("the release of April: %d items were checked, want 1", n)
	}
	f.wants("april", deleted, 1)
	f.wants("e", "J98.1 valid_again; K52.9 not_billable K52.91; I10 not_valid", 2)
}

// A later note can give an encounter another date, and so other releases.
func TestLaterNoteMovesTheDate(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.load(orderFile(t, "icd10cm-order-2026.txt", rows2026...), codeset.ReadOptions{})
	f.load(orderFile(t, "icd10cm-order-2027.txt", rows2027...), codeset.ReadOptions{})
	f.save("N-1", "e", coding.NewDate(2026, 9, 30), "", "J98.1", "I10")
	f.do("e", review.Act{Kind: coding.Accept, Code: key("J98.1")})
	if n := f.due(); n != 0 {
		t.Errorf("%d items are due", n)
	}
	f.save("N-2", "e", coding.NewDate(2026, 10, 2), "", "I10")
	if n := f.due(); n != 1 {
		t.Errorf("%d items are due after the later note, want 1", n)
	}
	f.wants("e", deleted, 1)
	// And back: what a check said of the old content is not shown for the new.
	f.save("N-2", "e", coding.NewDate(2026, 9, 29), "", "I10")
	f.wants("e", "nothing", 1)
	f.due()
	f.wants("e", "nothing", 0)
}

// Before the first release no validity is claimed, whichever it is.
func TestNothingIsClaimedBeforeTheFirstRelease(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.load(orderFile(t, "icd10cm-order-2027.txt", rows2027...), codeset.ReadOptions{})
	f.save("N-1", "old", coding.NewDate(2024, 5, 5), "", "K52.91", "I10")
	f.save("N-2", "e", coding.NewDate(2025, 12, 5), "", "K52.91", "I10")
	f.load(orderFile(t, "icd10cm-order-2026.txt", rows2026...), codeset.ReadOptions{})
	if n := f.due(); n != 2 {
		t.Errorf("%d items were checked, want 2", n)
	}
	f.wants("old", "", 0)
	f.wants("e", "K52.91 not_valid K52.9", 1)
	if got := notices(f.item("old")); got != "no_release setting_assumed" {
		t.Errorf("notices of the old one: %q", got)
	}
	if got := notices(f.item("e")); got != "setting_assumed" {
		t.Errorf("notices of the other: %q", got)
	}
}

// between is a store on which something happens between a check's reading and
// its writing.
type between struct {
	*store.Store
	then func()
}

func (b *between) CheckItems(ctx context.Context, ids []int64, check func(context.Context, *store.CheckView) ([]coding.CheckResult, error)) (int, error) {
	return b.Store.CheckItems(ctx, ids, func(ctx context.Context, v *store.CheckView) ([]coding.CheckResult, error) {
		out, err := check(ctx, v)
		if then := b.then; then != nil {
			b.then = nil
			then()
		}
		return out, err
	})
}

// What changes while it is checked is not marked by what was read before.
func TestChangesDuringACheck(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		happens func(f *fixture)
		want    string
		invalid int
	}{
		"a note is revised": {func(f *fixture) { f.save("N-1", "e", november, "", "I10") }, "nothing", 0},
		"a note comes":      {func(f *fixture) { f.save("N-2", "e", november, "", "K52.91") }, deleted, 1},
		"a note made with the old release comes": {
			func(f *fixture) { f.save("N-2", "e", november, "icd10cm-2026@old", "K52.9") }, deleted + "; " + header, 2},
		"a decision is taken": {func(f *fixture) { f.do("e", review.Act{Kind: coding.Reject, Code: key("J98.1")}) }, deleted, 0},
		"the item is finished": {func(f *fixture) {
			f.do("e", review.Act{Kind: coding.Accept, Code: key("J98.1")})
			f.do("e", review.Act{Kind: coding.Finish})
		}, "nothing", 0},
		"another process checks it": {func(f *fixture) { f.due() }, deleted, 1},
		"the release is corrected": {func(f *fixture) {
			f.load(orderFile(f.t, "icd10cm-order-2027.txt", append(rows2027, row{"J98.1", "Pulmonary collapse and atelectasis"})...), codeset.ReadOptions{})
		}, "J98.1 valid_again", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setUp(t)
			f.load(orderFile(t, "icd10cm-order-2026.txt", rows2026...), codeset.ReadOptions{})
			f.save("N-1", "e", november, "", "J98.1")
			f.load(orderFile(t, "icd10cm-order-2027.txt", rows2027...), codeset.ReadOptions{})
			s := &between{Store: f.store, then: func() { tt.happens(f) }}
			if _, err := newChecker(t, s, 1).Due(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if s.then != nil {
				t.Fatal("it did not happen")
			}
			f.wants("e", tt.want, tt.invalid)
			if n := f.due(); n != 0 {
				t.Errorf("%d items were left due", n)
			}
			f.oneCheckEach()
		})
	}
}

// oneCheckEach: no item was checked twice with the same releases and content.
func (f *fixture) oneCheckEach() {
	f.t.Helper()
	for e, h := range f.heads() {
		r, _, err := f.store.ItemRecord(f.t.Context(), h.ID, nil)
		if err != nil {
			f.t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, c := range r.Checks {
			k := fmt.Sprint(c.Edition, c.Content)
			if seen[k] {
				f.t.Errorf("%s was checked twice against %s", e, c.Edition)
			}
			seen[k] = true
		}
	}
}

// lookedUp is a store on which something happens after a code was looked up.
type lookedUp struct {
	*store.Store
	then func()
}

func (l *lookedUp) ReportableCode(ctx context.Context, k coding.CodeKey, on coding.Date) (coding.Code, bool, error) {
	c, found, err := l.Store.ReportableCode(ctx, k, on)
	if then := l.then; then != nil {
		l.then = nil
		then()
	}
	return c, found, err
}

// A code that was looked up just before a check, and is added just after it,
// would be missed: it is looked up again.
func TestCodeAddedDuringAnImport(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.load(orderFile(t, "icd10cm-order-2026.txt", rows2026...), codeset.ReadOptions{})
	f.save("N-1", "e", november, "", "J98.1")
	s := &lookedUp{Store: f.store, then: func() {
		f.load(orderFile(t, "icd10cm-order-2027.txt", rows2027...), codeset.ReadOptions{})
		f.due()
	}}
	f.review = newReview(t, s, nil)
	if err := f.try("e", review.Act{Kind: coding.Add, Code: key("Z99.9")}); !errors.Is(err, review.ErrUnknown) {
		t.Errorf("adding a code that 2027 lacks: %v", err)
	}
	f.do("e", review.Act{Kind: coding.Add, Code: key("Z99.1")})
	// Without the check in between the addition stands, and the check finds it.
	g := setUp(t)
	g.load(orderFile(t, "icd10cm-order-2026.txt", rows2026...), codeset.ReadOptions{})
	g.save("N-1", "e", november, "", "I10")
	g.review = newReview(t, &lookedUp{Store: g.store, then: func() {
		g.load(orderFile(t, "icd10cm-order-2027.txt", rows2027...), codeset.ReadOptions{})
	}}, nil)
	g.do("e", review.Act{Kind: coding.Add, Code: key("Z99.9")})
	g.due()
	g.wants("e", unknown, 1)
}

// Where nobody checks in the background, the page and finishing do.
func TestCheckOnTheWay(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.load(orderFile(t, "icd10cm-order-2026.txt", rows2026...), codeset.ReadOptions{})
	f.save("N-1", "seen", november, "", "J98.1")
	f.save("N-2", "finished", november, "", "J98.1")
	f.do("finished", review.Act{Kind: coding.Accept, Code: key("J98.1")})
	f.review = newReview(t, f.store, f.checker.Item)
	f.load(orderFile(t, "icd10cm-order-2027.txt", rows2027...), codeset.ReadOptions{})
	f.wants("seen", deleted, 1)
	var u *review.UnreadyError
	if err := f.try("finished", review.Act{Kind: coding.Finish}); !errors.As(err, &u) {
		t.Errorf("finishing with a code that the new release lacks: %v", err)
	}
	if n := f.due(); n != 0 {
		t.Errorf("%d items were left due", n)
	}
}
