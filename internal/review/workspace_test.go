package review_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

func next(t *testing.T, f *fixture, u coding.User, q coding.WorklistQuery) int64 {
	t.Helper()
	id, err := f.Next(t.Context(), u, q, "")
	if err != nil && !errors.Is(err, review.ErrNoneLeft) {
		t.Fatal(err)
	}
	return id
}

// A claim is renewed without changing the item, also after it ran out, as long
// as nobody else came.
func TestRenew(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	people := f.users(coding.RoleCoder, "casey", "robin")
	casey, robin := people[0], people[1]
	id := f.one()
	_, err := f.Renew(t.Context(), casey, id)
	wantErr(t, "renewing a claim that is none", err, review.ErrState)
	if _, err := f.Claim(t.Context(), casey, id); err != nil {
		t.Fatal(err)
	}
	before := f.item(casey, id)
	f.move(6 * time.Minute)
	claim, err := f.Renew(t.Context(), casey, id)
	if err != nil || !claim.Until.After(before.Claim.Until.Add(5*time.Minute)) {
		t.Fatalf("renewed to %v, %v", claim.Until, err)
	}
	after := f.item(casey, id)
	if after.Version != before.Version || !after.Claim.Until.Equal(claim.Until) || !after.UpdatedAt.Equal(before.UpdatedAt) {
		t.Errorf("renewing made %+v of %+v", after.ItemHead, before.ItemHead)
	}
	_, err = f.Renew(t.Context(), robin, id)
	var claimed *review.ClaimedError
	if !errors.As(err, &claimed) || claimed.Claim.Login != "casey" {
		t.Errorf("renewing another's claim: %v", err)
	}
	// Away for longer than the lease, and back before anybody else came.
	f.move(lease + time.Minute)
	if it := f.item(robin, id); it.State != coding.ItemOpen || it.Claim != nil {
		t.Fatalf("after the lease: %+v", it.ItemHead)
	}
	if _, err = f.Renew(t.Context(), casey, id); err != nil || !f.item(casey, id).Mine {
		t.Errorf("back first: %v", err)
	}
	// Away again, and somebody else came.
	f.move(lease + time.Minute)
	if got := next(t, f, robin, coding.WorklistQuery{}); got != id {
		t.Fatalf("robin got %d", got)
	}
	if _, err = f.Renew(t.Context(), casey, id); !errors.As(err, &claimed) || claimed.Claim.Login != "robin" {
		t.Errorf("back second: %v", err)
	}
}

func TestSkipSendReturn(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	people := f.users(coding.RoleCoder, "casey", "robin")
	casey, robin := people[0], people[1]
	morgan := f.users(coding.RoleManager, "morgan")[0]
	f.users(coding.RoleService, "interface")
	id := f.one()

	wantErr(t, "skipping without a reason", f.Skip(t.Context(), casey, id, " ", ""), review.ErrInput)
	if got := next(t, f, casey, coding.WorklistQuery{}); got != id {
		t.Fatalf("casey got %d", got)
	}
	if err := f.Skip(t.Context(), casey, id, review.SkipReasons()[0], ""); err != nil {
		t.Fatal(err)
	}
	if got := next(t, f, casey, coding.WorklistQuery{}); got != 0 {
		t.Errorf("what was skipped came back as %d", got)
	}
	if got := next(t, f, robin, coding.WorklistQuery{}); got != id {
		t.Errorf("another coder got %d", got)
	}
	// Sent to a colleague: theirs first, nobody else's by Next, anybody's by hand.
	for _, to := range []string{"nobody", "interface", "robin"} {
		wantErr(t, "sending to "+to, f.Send(t.Context(), robin, id, to, "", ""), review.ErrInput)
	}
	if err := f.Send(t.Context(), robin, id, "morgan", "look at this", ""); err != nil {
		t.Fatal(err)
	}
	f.move(13 * time.Hour) // the skip has ended
	if got := next(t, f, casey, coding.WorklistQuery{}); got != 0 {
		t.Errorf("casey got %d, which waits for morgan", got)
	}
	it := f.item(casey, id)
	if it.State != coding.ItemOpen || it.SentTo == nil || *it.SentTo != (coding.Sent{Login: "morgan", Name: "Morgan", By: "robin"}) || !it.MayDecide {
		t.Errorf("sent: %+v", it.ItemHead)
	}
	c, err := f.Counts(t.Context(), morgan)
	if err != nil || c.ForMe != 1 {
		t.Errorf("morgan has %d waiting, %v", c.ForMe, err)
	}
	wantErr(t, "returning what waits for another", f.Return(t.Context(), casey, id, "", ""), review.ErrForbidden)
	// A manager reviews nothing but sends it on.
	if err := f.Send(t.Context(), morgan, id, "casey", "one code is missing", ""); err != nil {
		t.Fatal(err)
	}
	f.save(note("D-9", "", visit), sug{code: "I10", words: "Essential hypertension", confidence: 0.8})
	if got := next(t, f, casey, coding.WorklistQuery{Sort: coding.SortNewest}); got != id {
		t.Errorf("casey got %d before what was sent to them", got)
	}
	if it := f.item(casey, id); !it.Mine || it.SentTo != nil {
		t.Errorf("taken: %+v", it.ItemHead)
	}
	if err := f.Return(t.Context(), casey, id, "lunch", ""); err != nil || f.item(casey, id).State != coding.ItemOpen {
		t.Errorf("returning: %v", err)
	}
	var got []string
	events, err := f.Timeline(t.Context(), casey, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range events {
		if ev.Action != string(coding.EventLooked) {
			got = append(got, strings.TrimRight(fmt.Sprint(ev.Actor, " ", ev.Action, " ", ev.Target, " ", ev.Detail), " "))
		}
	}
	want := []string{"casey claimed", "casey skipped  Not my specialty", "robin claimed", "robin sent morgan look at this",
		"morgan sent casey one code is missing", "casey claimed", "casey released  lunch"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the timeline differs (-want +got):\n%s", diff)
	}
	if looks := len(events) - len(got); looks < 4 {
		t.Errorf("only %d looks are in the timeline", looks)
	}
}

func TestQueries(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	people := f.users(coding.RoleCoder, "casey", "robin")
	casey, robin := people[0], people[1]
	in := note("D-1", "E-1", visit)
	in.Author, in.Attending = coding.Person{ID: "A1", Name: "Dr. One"}, coding.Person{ID: "A2", Name: "Dr. Two"}
	f.save(in, sug{code: "I10", words: "Essential hypertension", confidence: 0.8})
	id := f.only()
	for what, q := range map[string]review.QueryRequest{
		"no text": {To: coding.ToAuthor}, "nobody": {Text: "Which?"}, "another note": {To: coding.ToAuthor, NoteID: "D-2", Text: "Which?"},
		"no such template": {To: coding.ToAuthor, Template: "leading", Text: "Which?"}, "too long": {To: coding.ToAuthor, Text: strings.Repeat("x", 4001)},
	} {
		_, err := f.Ask(t.Context(), casey, id, q)
		wantErr(t, "asking: "+what, err, review.ErrInput)
	}
	first, err := f.Ask(t.Context(), casey, id, review.QueryRequest{To: coding.ToAttending, Template: "laterality", NoteID: "D-1", Text: "Which side?"})
	if err != nil {
		t.Fatal(err)
	}
	second, err := f.Ask(t.Context(), robin, id, review.QueryRequest{To: coding.ToAuthor, Text: "Since when?"})
	if err != nil || first != 1 || second != 2 {
		t.Fatal(first, second, err)
	}
	if again, err := f.Ask(t.Context(), robin, id, review.QueryRequest{To: coding.ToAuthor, Text: "Since when? "}); err != nil || again != second {
		t.Errorf("asked twice: %d, %v", again, err)
	}
	it := f.item(casey, id)
	if it.State != coding.ItemQueried || it.OpenQueries != 2 || it.Reason != "Since when?" || it.Queries[0].Person.Name != "Dr. Two" || it.Queries[1].Person.Name != "Dr. One" {
		t.Errorf("asked: %+v, %+v", it.ItemHead, it.Queries)
	}
	_, err = f.Decide(t.Context(), casey, id, accept("I10"))
	wantErr(t, "deciding on a queried item", err, review.ErrState)
	if c, err := f.Counts(t.Context(), casey); err != nil || c.OpenQueries != 2 || c.States[coding.ItemQueried] != 1 {
		t.Errorf("counts: %+v, %v", c, err)
	}
	if err := f.Withdraw(t.Context(), robin, id, second, "found it", ""); err != nil {
		t.Fatal(err)
	}
	if it := f.item(casey, id); it.State != coding.ItemQueried || it.Reason != "Which side?" {
		t.Errorf("one is left: %+v", it.ItemHead)
	}
	wantErr(t, "answering what was withdrawn", f.Answer(t.Context(), robin, id, second, "Long.", ""), review.ErrAlready)
	wantErr(t, "answering what was not asked", f.Answer(t.Context(), robin, id, 3, "Long.", ""), review.ErrInput)
	if err := f.Answer(t.Context(), robin, id, first, "The left.", ""); err != nil {
		t.Fatal(err)
	}
	// Answered, it waits for who asked.
	it = f.item(casey, id)
	if it.State != coding.ItemOpen || it.SentTo == nil || it.SentTo.Login != "casey" || it.Queries[0].Answer != "The left." || it.Queries[0].ClosedBy != "robin" {
		t.Errorf("answered: %+v, %+v", it.ItemHead, it.Queries)
	}
	if got := next(t, f, casey, coding.WorklistQuery{}); got != id {
		t.Errorf("casey got %d", got)
	}
	// Taking it up again withdraws what is open.
	if err := f.Query(t.Context(), casey, id, "And the other?"); err != nil {
		t.Fatal(err)
	}
	if err := f.Resume(t.Context(), casey, id, ""); err != nil {
		t.Fatal(err)
	}
	if it := f.item(casey, id); !it.Mine || it.OpenQueries != 0 || it.Queries[2].Status != coding.QueryWithdrawn {
		t.Errorf("resumed: %+v, %+v", it.ItemHead, it.Queries)
	}
}

func TestSavedFilters(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	people := f.users(coding.RoleCoder, "casey", "robin")
	casey, robin := people[0], people[1]
	morgan := f.users(coding.RoleManager, "morgan")[0]
	q := coding.WorklistQuery{Specialties: []string{"Cardiology"}, ConfidenceBelow: 0.5, OlderHours: 24, Degraded: new(false), Sort: coding.SortNeed}
	save := func(u coding.User, name string, shared bool, q coding.WorklistQuery) int64 {
		id, err := f.SaveFilter(t.Context(), u, name, shared, q)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	own := save(casey, " doubtful  hearts ", false, coding.WorklistQuery{})
	if again := save(casey, "doubtful hearts", false, q); again != own {
		t.Errorf("the same name made %d and %d", own, again)
	}
	shared := save(robin, "All of north", true, coding.WorklistQuery{Sources: []string{"north"}})
	for _, name := range []string{"", strings.Repeat("x", 81), "a\x00b"} {
		_, err := f.SaveFilter(t.Context(), casey, name, false, q)
		wantErr(t, "a bad name", err, review.ErrInput)
	}
	_, err := f.SaveFilter(t.Context(), casey, "bad", false, coding.WorklistQuery{Sort: "random"})
	wantErr(t, "a bad order", err, review.ErrInput)
	list, err := f.Filters(t.Context(), casey)
	want := []coding.SavedFilter{
		{ID: own, Owner: "casey", OwnerName: "Casey", Name: "doubtful hearts", Query: q},
		{ID: shared, Owner: "robin", OwnerName: "Robin", Name: "All of north", Shared: true, Query: coding.WorklistQuery{Sources: []string{"north"}, Sort: coding.SortPriority}},
	}
	if diff := cmp.Diff(want, list); diff != "" || err != nil {
		t.Errorf("filters differ, %v (-want +got):\n%s", err, diff)
	}
	wantErr(t, "removing another's", f.DeleteFilter(t.Context(), casey, shared), review.ErrNotFound)
	wantErr(t, "removing another's own", f.DeleteFilter(t.Context(), morgan, own), review.ErrNotFound)
	if err := f.DeleteFilter(t.Context(), morgan, shared); err != nil {
		t.Error(err)
	}
	if err := f.DeleteFilter(t.Context(), casey, own); err != nil {
		t.Error(err)
	}
	if list, err = f.Filters(t.Context(), casey); err != nil || len(list) != 0 {
		t.Errorf("left: %v, %v", list, err)
	}
}

func TestDetailsOfCodes(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	in := note("D-1", "E-1", visit)
	in.Setting = coding.Inpatient
	f.save(in,
		sug{code: "E11.40", words: "Type 2 diabetes with neuropathy", confidence: 0.95},
		sug{code: "I10", words: "Essential hypertension", confidence: 0.92},
		sug{code: "E78.5", words: "Hyperlipidemia", confidence: 0.7,
			warnings: []coding.Finding{{Rule: coding.RulePOAExempt, Severity: coding.SeverityInformation, Codes: []string{"E78.5"}}, {Rule: "x", Severity: coding.SeverityWarning, Codes: []string{"E78.5"}}}})
	id := f.only()
	detail := func(code string, a review.Act) error {
		a.Kind, a.Code = coding.Detail, key(code)
		_, err := f.Decide(t.Context(), casey, id, a)
		return err
	}
	wantErr(t, "a detail of an undecided code", detail("I10", review.Act{POA: coding.POAYes}), review.ErrNoCode)
	_, err := f.Decide(t.Context(), casey, id, review.Act{Kind: review.AcceptAll, Above: 0.5})
	wantErr(t, "accepting all from too low", err, review.ErrTooLow)
	all := review.Act{Kind: review.AcceptAll, Above: 0.9, Key: "all"}
	if it := f.item(casey, id); it.AcceptAll != 2 || it.AcceptAllFrom != 0.9 {
		t.Errorf("%d could be accepted from %v", it.AcceptAll, it.AcceptAllFrom)
	}
	out := f.do(casey, id, all)
	if out.Item.Undecided != 1 || out.Decision.Batch != out.Decision.Seq {
		t.Errorf("accepting all: %+v, %d undecided", out.Decision, out.Item.Undecided)
	}
	if again := f.do(casey, id, all); !again.Repeated || again.Decision.Seq != out.Decision.Seq {
		t.Errorf("accepting all again: %+v", again.Decision)
	}
	// They were one act: one undo takes both back, one redo brings both.
	if out := f.do(casey, id, review.Act{Kind: coding.Undo}); out.Item.Undecided != 3 || out.Item.CanUndo {
		t.Errorf("undone: %s", show(out.Item.Codes))
	}
	if out := f.do(casey, id, review.Act{Kind: coding.Redo}); out.Item.Undecided != 1 || out.Item.CanRedo {
		t.Errorf("redone: %s", show(out.Item.Codes))
	}
	_, err = f.Decide(t.Context(), casey, id, review.Act{Kind: review.AcceptAll, Above: 0.9})
	wantErr(t, "nothing left for all", err, review.ErrAlready)
	f.do(casey, id, accept("E78.5"))

	// Without the indicators of the others it cannot be finished, confirmed or not.
	_, err = f.Decide(t.Context(), casey, id, review.Act{Kind: coding.Finish, Confirm: true})
	var unready *review.UnreadyError
	if !errors.As(err, &unready) || unready.Confirmable() || !slices.Equal(unready.NoPOA, []coding.CodeKey{key("E11.40"), key("I10")}) {
		t.Fatalf("finishing without indicators: %v", err)
	}
	for _, bad := range []review.Act{{}, {POA: "X"}, {Units: new(2)}, {Modifiers: &[]string{"25"}}, {Role: "main"}} {
		if err := detail("I10", bad); !errors.Is(err, review.ErrInput) && !errors.Is(err, review.ErrAlready) {
			t.Errorf("%+v gives %v", bad, err)
		}
	}
	for code, a := range map[string]review.Act{"E11.40": {POA: coding.POAYes, Role: coding.RoleSecondary}, "I10": {POA: coding.POANo, Role: coding.RolePrincipal}} {
		if err := detail(code, a); err != nil {
			t.Fatal(err)
		}
	}
	f.wantCodes(casey, id, "2 E11.40 accepted secondary accepted; 1 I10 accepted principal accepted; 3 E78.5 accepted secondary accepted")
	f.do(casey, id, review.Act{Kind: coding.Remark, Remark: "seen with robin"})
	// A warning asks once.
	_, err = f.Decide(t.Context(), casey, id, review.Act{Kind: coding.Finish})
	if !errors.As(err, &unready) || !unready.Confirmable() || len(unready.Warnings) != 1 {
		t.Fatalf("finishing with a warning: %v", err)
	}
	f.announced()
	f.do(casey, id, review.Act{Kind: coding.Finish, Confirm: true})
	rev := f.announced()[0]
	var got []string
	for _, c := range rev.Codes {
		poa := "-"
		if c.POA != nil {
			poa = *c.POA
		}
		got = append(got, fmt.Sprint(c.Sequence, c.Code, " ", c.Role, " ", poa))
	}
	if diff := cmp.Diff([]string{"1I10 principal N", "2E11.40 secondary Y", "3E78.5 secondary -"}, got); diff != "" || rev.Remark != "seen with robin" {
		t.Errorf("announced %q (-want +got):\n%s", rev.Remark, diff)
	}
}

// One who reads slowly is told that something was missed, and nobody waits for
// them.
func TestChanges(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	feed, err := review.NewFeed(f.store, f.log())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); feed.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	fast, slow := feed.Subscribe(ctx), feed.Subscribe(ctx)
	wait := func(what string, want coding.Signal) {
		t.Helper()
		for {
			select {
			case got := <-fast:
				if got == want {
					return
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("%s was not told", what)
			}
		}
	}
	wait("subscribing", coding.Signal{Kind: coding.SignalAll})
	wait("being ready", coding.Signal{Kind: coding.SignalAll})
	id := f.one()
	wait("a new item", coding.Signal{Item: id, Kind: coding.SignalNew})
	if _, err := f.Claim(t.Context(), casey, id); err != nil {
		t.Fatal(err)
	}
	wait("a claim", coding.Signal{Item: id, Kind: coding.SignalState})
	f.do(casey, id, accept("I10"))
	wait("a decision", coding.Signal{Item: id, Kind: coding.SignalChanged})
	f.save(note("D-1", "E-1", visit+" More."), sug{code: "I10", words: "Essential hypertension", confidence: 0.8})
	wait("changed notes", coding.Signal{Item: id, Kind: coding.SignalNotes})
	for n := range 300 {
		f.do(casey, id, review.Act{Kind: coding.Remark, Remark: fmt.Sprint(n)})
	}
	// The fast one has room again and again; the slow one read nothing so far.
	seen, all := 0, 0
	for len(slow) > 0 {
		if sig := <-slow; sig.Kind == coding.SignalAll {
			all++
		}
		seen++
	}
	if seen > 257 || all < 3 {
		t.Errorf("the slow one got %d signals, %d of them that something was missed", seen, all)
	}
	cancel()
	for range fast { // until it is closed
	}
}
