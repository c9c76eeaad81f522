package review_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

func TestDecideAndFinish(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	id := f.one()

	it := f.item(casey, id)
	if it.State != coding.ItemOpen || !it.MayDecide || it.Mine || it.Undecided != 3 || it.CanUndo || len(it.Notes) != 1 || it.Notes[0].Text != visit {
		t.Fatalf("a new item: %+v", it.ItemHead)
	}
	f.wantCodes(casey, id, "0 E11.40 undecided; 0 I10 undecided; 0 E78.5 undecided")

	out := f.do(casey, id, accept("E11.40"))
	first := out
	if out.Decision.Seq != 1 || out.Item.State != coding.ItemClaimed || !out.Item.Mine || out.Item.Undecided != 2 || !out.Item.CanUndo {
		t.Errorf("after the first decision: %+v, %+v", out.Decision, out.Item.ItemHead)
	}
	second := f.do(casey, id, reject("I10"))
	third := f.do(casey, id, accept("E78.5"))
	f.wantCodes(casey, id, "1 E11.40 accepted first_listed accepted; 0 I10 rejected; 2 E78.5 accepted secondary accepted")

	f.announced()
	out = f.do(casey, id, review.Act{Kind: coding.Finish})
	if out.Item.State != coding.ItemFinished || out.Item.MayDecide || !out.Item.MayReopen || out.Item.Claim != nil {
		t.Errorf("after finishing: %+v", out.Item.ItemHead)
	}
	at := strings.Index(visit, "Hyperlipidemia")
	want := []coding.Review{{
		Schema: 1, ReviewID: out.Decision.ReviewID, NoteIDs: []string{"D-1"}, Source: "north", EncounterID: "E-1",
		Disposition: "completed", Coder: "casey", FinishedAt: out.Decision.At,
		Codes: []coding.ReviewedCode{
			{System: coding.ICD10CM, Code: "E11.40", Sequence: 1, Role: coding.RoleFirstListed, Origin: coding.OriginAccepted,
				Evidence: []coding.Evidence{{NoteID: "D-1", Span: coding.Span{Start: 0, End: 31}, Text: "Type 2 diabetes with neuropathy"}},
				Display:  "Title of E11.40", DecidedBy: "casey", DecidedAt: first.Decision.At},
			{System: coding.ICD10CM, Code: "E78.5", Sequence: 2, Role: coding.RoleSecondary, Origin: coding.OriginAccepted,
				Evidence: []coding.Evidence{{NoteID: "D-1", Span: coding.Span{Start: at, End: at + 14}, Text: "Hyperlipidemia"}},
				Display:  "Title of E78.5", DecidedBy: "casey", DecidedAt: third.Decision.At},
		},
		Decisions: []coding.ReviewedDecision{
			{Seq: 1, Kind: coding.Accept, Coder: "casey", At: first.Decision.At, System: coding.ICD10CM, Code: "E11.40"},
			{Seq: 2, Kind: coding.Reject, Coder: "casey", At: second.Decision.At, System: coding.ICD10CM, Code: "I10"},
			{Seq: 3, Kind: coding.Accept, Coder: "casey", At: third.Decision.At, System: coding.ICD10CM, Code: "E78.5"},
			{Seq: 4, Kind: coding.Finish, Coder: "casey", At: out.Decision.At},
		},
	}}
	if diff := cmp.Diff(want, f.announced()); diff != "" {
		t.Errorf("the announcement differs (-want +got):\n%s", diff)
	}
	_, err := f.Decide(t.Context(), casey, id, accept("I10"))
	wantErr(t, "deciding on a finished item", err, review.ErrFinished)

	// What is stored is what was seen: reading it again gives the same.
	after := f.item(casey, id)
	if diff := cmp.Diff(show(out.Item.Codes), show(after.Codes)); diff != "" || after.State != out.Item.State || after.Version != out.Item.Version {
		t.Errorf("the stored item differs: %s", diff)
	}
}

func TestFinishAsksWhatIsLeft(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	id := f.one()
	finish := review.Act{Kind: coding.Finish}

	var unready *review.UnreadyError
	_, err := f.Decide(t.Context(), casey, id, finish)
	if !errors.As(err, &unready) || unready.Undecided != 3 || !unready.Empty {
		t.Fatalf("got %v", err)
	}
	for _, c := range []string{"E11.40", "I10", "E78.5"} {
		f.do(casey, id, reject(c))
	}
	_, err = f.Decide(t.Context(), casey, id, finish)
	if !errors.As(err, &unready) || unready.Undecided != 0 || !unready.Empty {
		t.Fatalf("got %v", err)
	}
	f.announced()
	finish.Confirm = true
	f.do(casey, id, finish)
	if got := f.announced(); len(got) != 1 || len(got[0].Codes) != 0 || got[0].Codes == nil {
		t.Errorf("announced %+v", got)
	}
}

func TestReturn(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	id := f.one()
	f.do(casey, id, accept("I10"))
	f.announced()
	_, err := f.Decide(t.Context(), casey, id, review.Act{Kind: coding.Finish, Disposition: coding.DispositionReturned})
	wantErr(t, "returning without a reason", err, review.ErrInput)
	f.do(casey, id, review.Act{Kind: coding.Finish, Disposition: coding.DispositionReturned, Reason: "unsigned"})
	if got := f.announced(); len(got) != 1 || got[0].Disposition != "returned" || len(got[0].Codes) != 0 {
		t.Errorf("announced %+v", got)
	}
}

// A rule's error stands while both codes are accepted; who overrides it says why.
func TestBlockers(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	finding := func(other string) []coding.Finding {
		return []coding.Finding{{Rule: "excludes1", Severity: coding.SeverityError, Codes: []string{other}, Message: "not together", Source: "tabular 2026"}}
	}
	f.save(note("D-1", "E-1", visit),
		sug{code: "E11.40", words: "Type 2 diabetes", confidence: 0.9, warnings: finding("I10")},
		sug{code: "I10", words: "Essential hypertension", confidence: 0.8, warnings: finding("E11.40")})
	id := f.only()
	f.do(casey, id, accept("E11.40"))
	if it := f.item(casey, id); len(it.Blockers) != 0 {
		t.Errorf("one code alone is blocked: %+v", it.Blockers)
	}
	f.do(casey, id, accept("I10"))
	var unready *review.UnreadyError
	_, err := f.Decide(t.Context(), casey, id, review.Act{Kind: coding.Finish, Confirm: true})
	if !errors.As(err, &unready) || len(unready.Blockers) != 1 || fmt.Sprint(unready.Blockers[0].Codes) != "[E11.40 I10]" {
		t.Fatalf("got %v", err)
	}
	override := review.Act{Kind: coding.Override, Rule: "excludes1", Codes: []string{"I10", "E11.40"}}
	_, err = f.Decide(t.Context(), casey, id, override)
	wantErr(t, "overriding without a reason", err, review.ErrInput)
	override.Reason = "unrelated conditions"
	f.do(casey, id, override)
	_, err = f.Decide(t.Context(), casey, id, override)
	wantErr(t, "overriding twice", err, review.ErrAlready)
	f.do(casey, id, review.Act{Kind: coding.Finish})
}

func TestModifyAddReorder(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	f.codes("E11.42", "Z79.4", "I10", "J45.909")
	id := f.one()
	modify := review.Act{Kind: coding.Modify, Code: key("E11.40"), To: key("E11.42")}

	f.do(casey, id, modify)
	f.do(casey, id, accept("I10"))
	f.do(casey, id, review.Act{Kind: coding.Add, Code: key("Z79.4"), Evidence: []coding.Evidence{{Span: coding.Span{Start: 0, End: 6}}}})
	f.wantCodes(casey, id, "0 E11.40 modified; 1 E11.42 added first_listed modified; 2 I10 accepted secondary accepted; "+
		"0 E78.5 undecided; 3 Z79.4 added secondary added")
	it := f.item(casey, id)
	if got := it.Codes[1]; got.Title != "Title of E11.42" || len(got.Evidence) != 1 || got.Evidence[0].Text != "Type 2 diabetes with neuropathy" || *got.Replaces != key("E11.40") {
		t.Errorf("the code in place has %+v", got)
	}
	if got := it.Codes[4]; got.Evidence[0].Text != "Type 2" || got.Evidence[0].NoteID != "D-1" {
		t.Errorf("the added code has %+v", got.Evidence)
	}

	f.do(casey, id, review.Act{Kind: coding.Reorder, Order: []coding.CodeKey{key("I10"), key("Z79.4")}})
	f.wantCodes(casey, id, "1 I10 accepted first_listed accepted; 2 Z79.4 added secondary added; "+
		"0 E11.40 modified; 3 E11.42 added secondary modified; 0 E78.5 undecided")
	f.do(casey, id, review.Act{Kind: coding.Undo})
	// Accepting the original takes back what came in its place.
	f.do(casey, id, accept("E11.40"))
	f.wantCodes(casey, id, "1 E11.40 accepted first_listed accepted; 2 I10 accepted secondary accepted; "+
		"0 E78.5 undecided; 3 Z79.4 added secondary added")
	f.do(casey, id, review.Act{Kind: coding.Undo})
	f.wantCodes(casey, id, "0 E11.40 modified; 1 E11.42 added first_listed modified; 2 I10 accepted secondary accepted; "+
		"0 E78.5 undecided; 3 Z79.4 added secondary added")

	// A role that a coder gives counts; what leads comes first.
	f.do(casey, id, review.Act{Kind: coding.Accept, Code: key("I10"), Role: coding.RoleFirstListed})
	f.wantCodes(casey, id, "0 E11.40 modified; 2 E11.42 added secondary modified; 1 I10 accepted first_listed accepted; "+
		"0 E78.5 undecided; 3 Z79.4 added secondary added")

	for what, c := range map[string]struct {
		act  review.Act
		want error
	}{
		"modify to itself":            {review.Act{Kind: coding.Modify, Code: key("I10"), To: key("I10")}, review.ErrAlready},
		"modify again to the same":    {modify, review.ErrAlready},
		"modify to an unknown code":   {review.Act{Kind: coding.Modify, Code: key("I10"), To: key("I99.99")}, review.ErrUnknown},
		"modify what is not there":    {review.Act{Kind: coding.Modify, Code: key("A00.0"), To: key("I10")}, review.ErrNoCode},
		"modify to nothing":           {review.Act{Kind: coding.Modify, Code: key("I10")}, review.ErrInput},
		"add a code that is listed":   {review.Act{Kind: coding.Add, Code: key("I10")}, review.ErrAlready},
		"add an unknown code":         {review.Act{Kind: coding.Add, Code: key("I99.99")}, review.ErrUnknown},
		"add of an unknown system":    {review.Act{Kind: coding.Add, Code: coding.CodeKey{System: "ICD-9", Code: "250.00"}}, review.ErrInput},
		"evidence outside the text":   {review.Act{Kind: coding.Add, Code: key("J45.909"), Evidence: []coding.Evidence{{Span: coding.Span{Start: 5, End: 5000}}}}, review.ErrInput},
		"evidence of another note":    {review.Act{Kind: coding.Add, Code: key("J45.909"), Evidence: []coding.Evidence{{NoteID: "D-9", Span: coding.Span{Start: 0, End: 5}}}}, review.ErrInput},
		"evidence with other words":   {review.Act{Kind: coding.Add, Code: key("J45.909"), Evidence: []coding.Evidence{{Span: coding.Span{Start: 0, End: 6}, Text: "Type 1"}}}, review.ErrInput},
		"reorder of an unknown code":  {review.Act{Kind: coding.Reorder, Order: []coding.CodeKey{key("A00.0")}}, review.ErrNoCode},
		"reorder with a code twice":   {review.Act{Kind: coding.Reorder, Order: []coding.CodeKey{key("I10"), key("I10")}}, review.ErrInput},
		"reorder of nothing":          {review.Act{Kind: coding.Reorder}, review.ErrInput},
		"accept what is not there":    {accept("A00.0"), review.ErrNoCode},
		"accept again":                {accept("I10"), review.ErrAlready},
		"a role that is none":         {review.Act{Kind: coding.Accept, Code: key("E78.5"), Role: "king"}, review.ErrInput},
		"override of what is no rule": {review.Act{Kind: coding.Override, Rule: "x", Codes: []string{"I10"}, Reason: "y"}, review.ErrNoCode},
		"a kind that is none":         {review.Act{Kind: "destroy", Code: key("I10")}, review.ErrInput},
		"too long a reason":           {review.Act{Kind: coding.Reject, Code: key("I10"), Reason: strings.Repeat("x", 501)}, review.ErrInput},
		"a reason with U+0000":        {review.Act{Kind: coding.Reject, Code: key("I10"), Reason: "a\x00"}, review.ErrInput},
		"reopen what is not finished": {review.Act{Kind: coding.Reopen}, review.ErrState},
	} {
		before := f.item(casey, id)
		_, err := f.Decide(t.Context(), casey, id, c.act)
		wantErr(t, what, err, c.want)
		if after := f.item(casey, id); after.Version != before.Version {
			t.Errorf("%s: it changed the item", what)
		}
	}
	f.do(casey, id, review.Act{Kind: coding.Add, Code: key("J45.909")})
	f.do(casey, id, review.Act{Kind: coding.Reject, Code: key("J45.909")})
	f.do(casey, id, review.Act{Kind: coding.Accept, Code: key("J45.909")})
	if got := f.item(casey, id).Codes[5]; got.State != review.Added || got.Origin != coding.OriginAdded {
		t.Errorf("an added code that was taken out and in again is %+v", got)
	}
}

// A code that was suggested, rejected and then added by hand came in as that.
func TestAddedThoughSuggested(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	f.codes("I10")
	id := f.one()
	f.do(casey, id, reject("I10"))
	f.do(casey, id, review.Act{Kind: coding.Add, Code: key("I10")})
	if got := f.item(casey, id).Codes[1]; got.State != review.Added || got.Origin != coding.OriginAddedThoughProposed {
		t.Errorf("got %+v", got)
	}
}

func TestUndoRedo(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	id := f.one()
	undo, redo := review.Act{Kind: coding.Undo}, review.Act{Kind: coding.Redo}
	_, err := f.Decide(t.Context(), casey, id, undo)
	wantErr(t, "undoing nothing", err, review.ErrNothing)

	f.do(casey, id, accept("E11.40"))
	f.do(casey, id, reject("E11.40"))
	f.do(casey, id, accept("I10"))
	for range 3 {
		f.do(casey, id, undo)
	}
	f.wantCodes(casey, id, "0 E11.40 undecided; 0 I10 undecided; 0 E78.5 undecided")
	f.do(casey, id, redo)
	out := f.do(casey, id, redo)
	if out.Decision.Code != "E11.40" || !out.Item.CanRedo {
		t.Errorf("the redo tells of %q", out.Decision.Code)
	}
	f.wantCodes(casey, id, "0 E11.40 rejected; 0 I10 undecided; 0 E78.5 undecided")
	f.do(casey, id, accept("E78.5")) // ends what can be redone
	_, err = f.Decide(t.Context(), casey, id, redo)
	wantErr(t, "redoing after another decision", err, review.ErrNothing)

	// Undo stops at a finishing, also after reopening.
	f.do(casey, id, review.Act{Kind: coding.Finish, Confirm: true})
	f.do(casey, id, review.Act{Kind: coding.Reopen, Reason: "one more look"})
	_, err = f.Decide(t.Context(), casey, id, undo)
	wantErr(t, "undoing what was sent", err, review.ErrNothing)
	f.wantCodes(casey, id, "0 E11.40 rejected; 0 I10 undecided; 1 E78.5 accepted first_listed accepted")
}

func TestClaims(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ctx := t.Context()
	us := f.users(coding.RoleCoder, "casey", "robin")
	casey, robin := us[0], us[1]
	id := f.one()

	before := f.now()
	claim, err := f.Claim(ctx, casey, id)
	if err != nil || claim.Login != "casey" || claim.Until.Before(before.Add(lease-time.Millisecond)) || claim.Until.After(f.now().Add(lease)) {
		t.Fatalf("got %+v, %v", claim, err)
	}
	var claimed *review.ClaimedError
	_, err = f.Claim(ctx, robin, id)
	if !errors.As(err, &claimed) || claimed.Claim.Name != "Casey" {
		t.Fatalf("a second claim: %v", err)
	}
	_, err = f.Decide(ctx, robin, id, accept("I10"))
	if !errors.As(err, &claimed) {
		t.Fatalf("deciding on another's item: %v", err)
	}
	if it := f.item(robin, id); it.MayDecide || it.Mine || it.Claim == nil || it.Claim.Name != "Casey" || it.State != coding.ItemClaimed {
		t.Errorf("the other sees %+v, claim %+v", it.ItemHead, it.Claim)
	}
	if err := f.Release(ctx, robin, id, ""); err != nil {
		t.Fatal(err)
	}
	if it := f.item(casey, id); !it.Mine {
		t.Error("who does not hold it gave it back")
	}

	// Each act renews the lease.
	f.move(lease - time.Minute)
	f.do(casey, id, accept("I10"))
	f.move(lease - time.Minute)
	if _, err := f.Claim(ctx, robin, id); !errors.As(err, &claimed) {
		t.Errorf("a renewed lease ran out: %v", err)
	}
	// It runs out by itself; who returns first goes on.
	f.move(2 * time.Minute)
	if it := f.item(robin, id); it.State != coding.ItemOpen || it.Claim != nil || !it.MayDecide {
		t.Errorf("a lapsed claim still shows: %+v", it.ItemHead)
	}
	f.do(casey, id, reject("E78.5"))
	f.move(lease)
	f.do(robin, id, accept("E78.5"))
	if _, err = f.Decide(ctx, casey, id, accept("E11.40")); !errors.As(err, &claimed) {
		t.Errorf("after the takeover: %v", err)
	}
	if err := f.Release(ctx, robin, id, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Claim(ctx, casey, id); err != nil {
		t.Errorf("after the release: %v", err)
	}
	_, err = f.Claim(ctx, casey, 999)
	wantErr(t, "no such item", err, review.ErrNotFound)
}

func TestTakeoverIsOnRecord(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	us := f.users(coding.RoleCoder, "casey", "robin")
	id := f.one()
	for i, u := range us {
		if _, err := f.Claim(t.Context(), u, id); err != nil {
			t.Fatal(i, err)
		}
		f.move(lease)
	}
	var got []string
	for _, e := range f.item(us[0], id).Timeline {
		got = append(got, e.Actor+" "+e.Action)
	}
	if s := strings.Join(got, "; "); s != "casey claimed; robin taken_over" {
		t.Errorf("the timeline is %s", s)
	}
}

func TestHoldQueryResume(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ctx := t.Context()
	us := f.users(coding.RoleCoder, "casey", "robin")
	casey, robin := us[0], us[1]
	id := f.one()
	wantErr(t, "holding without a reason", f.Hold(ctx, casey, id, "  ", ""), review.ErrInput)
	f.do(casey, id, accept("I10"))
	var claimed *review.ClaimedError
	if err := f.Hold(ctx, robin, id, "x", ""); !errors.As(err, &claimed) {
		t.Errorf("holding another's item: %v", err)
	}
	for _, c := range []struct {
		state coding.ItemState
		wait  func() error
	}{
		{coding.ItemHeld, func() error { return f.Hold(ctx, casey, id, "waiting for pathology", "") }},
		{coding.ItemQueried, func() error { return f.Query(ctx, casey, id, "waiting for pathology") }},
	} {
		if err := c.wait(); err != nil {
			t.Fatal(err)
		}
		it := f.item(robin, id)
		if it.State != c.state || it.Reason != "waiting for pathology" || it.MayDecide || it.Claim != nil {
			t.Errorf("%s: %+v", c.state, it.ItemHead)
		}
		_, err := f.Decide(ctx, casey, id, accept("E78.5"))
		wantErr(t, "deciding while it waits", err, review.ErrState)
		_, err = f.Claim(ctx, robin, id)
		wantErr(t, "claiming while it waits", err, review.ErrState)
		if _, err := f.Next(ctx, robin, coding.WorklistQuery{}, ""); !errors.Is(err, review.ErrNoneLeft) {
			t.Errorf("next gives an item that waits: %v", err)
		}
		if err := f.Resume(ctx, casey, id, ""); err != nil {
			t.Fatal(err)
		}
		if it := f.item(casey, id); !it.Mine || it.Reason != "" {
			t.Errorf("resumed: %+v", it.ItemHead)
		}
		wantErr(t, "resuming what does not wait", f.Resume(ctx, casey, id, ""), review.ErrState)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	us := f.users(coding.RoleCoder, "casey", "robin")
	id := f.one()
	a := accept("I10")
	a.Key = "k1"
	first := f.do(us[0], id, a)
	f.do(us[0], id, reject("I10"))
	again := f.do(us[0], id, a)
	if !again.Repeated || again.Decision.Seq != first.Decision.Seq || first.Repeated {
		t.Errorf("the repetition gives %+v", again)
	}
	if got := f.item(us[0], id); got.Codes[1].State != review.Rejected || len(got.Timeline) != 2 {
		t.Errorf("the repetition did something: %s", show(got.Codes))
	}
	b := accept("E78.5")
	b.Key = "k1"
	_, err := f.Decide(t.Context(), us[0], id, b)
	wantErr(t, "the key for another code", err, review.ErrKeyReused)
	_, err = f.Decide(t.Context(), us[1], id, a)
	wantErr(t, "the key of another user", err, review.ErrKeyReused)

	// Also when the item has moved on: a lost answer to a finish is asked for again.
	fin := review.Act{Kind: coding.Finish, Confirm: true, Key: "k2"}
	f.announced()
	one := f.do(us[0], id, fin)
	two := f.do(us[0], id, fin)
	if !two.Repeated || two.Decision.ReviewID != one.Decision.ReviewID || len(f.announced()) != 1 {
		t.Errorf("finishing twice with one key: %+v", two.Decision)
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ctx := t.Context()
	coder := f.users(coding.RoleCoder, "casey")[0]
	id := f.one()
	for _, role := range []coding.UserRole{coding.RoleAuditor, coding.RoleManager} {
		u := f.users(role, "the-"+string(role))[0]
		if it := f.item(u, id); it.MayDecide {
			t.Errorf("%s may decide", role)
		}
		_, err := f.Decide(ctx, u, id, accept("I10"))
		wantErr(t, string(role)+" decides", err, review.ErrForbidden)
		_, err = f.Claim(ctx, u, id)
		wantErr(t, string(role)+" claims", err, review.ErrForbidden)
		_, err = f.Next(ctx, u, coding.WorklistQuery{}, "")
		wantErr(t, string(role)+" takes the next", err, review.ErrForbidden)
		wantErr(t, string(role)+" holds", f.Hold(ctx, u, id, "x", ""), review.ErrForbidden)
		wantErr(t, string(role)+" resumes", f.Resume(ctx, u, id, ""), review.ErrForbidden)
		f.do(coder, id, review.Act{Kind: coding.Finish, Confirm: true})
		if out := f.do(u, id, review.Act{Kind: coding.Reopen, Reason: "second look"}); out.Item.State != coding.ItemOpen || out.Item.Claim != nil {
			t.Errorf("reopened by %s: %+v", role, out.Item.ItemHead)
		}
	}
	_, err := f.Item(ctx, coding.User{Login: "x"}, id)
	wantErr(t, "somebody without a role looks", err, review.ErrForbidden)
	if _, err := review.New(review.Config{}); err == nil {
		t.Error("a service without a store")
	}
}
