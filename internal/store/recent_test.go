package store_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// decision is a change that adds a decision of casey's, who holds the item then.
func decision(r coding.ItemRecord, kind coding.DecisionKind, code string) coding.ItemChange {
	d := coding.Decision{
		Seq: len(r.Decisions) + 1, Kind: kind, Coder: "casey", At: nine, Content: r.Head.Content,
		DecisionDetail: coding.DecisionDetail{System: coding.ICD10CM, Code: code, Evidence: []coding.Evidence{{NoteID: "a", Span: coding.Span{Start: 0, End: 4}, Text: "Text"}}},
	}
	claim := claimFor("casey", nine.Add(time.Hour))
	c := coding.ItemChange{Decisions: []coding.Decision{d}, State: coding.ItemClaimed, Claim: &claim, Events: []coding.AuditEvent{
		{At: nine, Actor: "casey", Action: coding.AuditDecision + string(kind), Item: r.Head.ID, Target: "1", Digest: d.Digest()}}}
	if kind == coding.Finish {
		c.State, c.Claim = coding.ItemFinished, nil
		c.Outbox = &coding.OutboxMessage{Subject: "reviews.completed.north", MessageID: "review-1", Payload: []byte("{}")}
	}
	return c
}

// recent gives an item as the store knows it; nil where it does not.
func recent(t *testing.T, s *store.Store, id int64) (known *coding.ItemRecord) {
	t.Helper()
	done, err := s.ActOnRecent(t.Context(), id, func(r coding.ItemRecord) (coding.ItemChange, error) {
		known = &r
		return coding.ItemChange{}, errors.New("no")
	})
	if done || err != nil {
		t.Fatalf("an act that was refused was done: %v, %v", done, err)
	}
	return known
}

// read reads an item.
func read(t *testing.T, s *store.Store, id int64) coding.ItemRecord {
	t.Helper()
	r, found, err := s.ItemRecord(t.Context(), id, nil)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	return r
}

// Whatever changes an item elsewhere, an act on it as it was known here is not done;
// nor is anything of it written.
func TestActOnRecentNoticesEveryChange(t *testing.T) {
	t.Parallel()
	url := storetest.MigratedURL(t)
	here, elsewhere := storetest.Open(t, url), storetest.Open(t, url)
	owner, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.WithoutCancel(t.Context()))
	listed(t, here, "a", 30, nil)
	const id = 1
	act := func(s *store.Store) bool {
		t.Helper()
		done, err := s.ActOnRecent(t.Context(), id, func(r coding.ItemRecord) (coding.ItemChange, error) {
			return decision(r, coding.Accept, "I10"), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	if act(here) {
		t.Error("an item that nobody read is known")
	}
	revised := func(minute int, text string) {
		n := coding.Note{NoteID: "a", Source: "north", Priority: 5, Setting: coding.Outpatient, Specialty: "a", Text: text}
		set := coding.SuggestionSet{Schema: 1, SetID: "set-" + text, NoteID: "a", Source: "north", NoteSHA256: n.SHA256(), Pipeline: "test", Setting: coding.Outpatient, CreatedAt: nine}
		if _, err := elsewhere.SaveResult(t.Context(), store.Result{Note: n, SHA256: n.SHA256(), ReceivedAt: nine.Add(time.Duration(minute) * time.Minute), Set: set}); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"a decision", func() { change(t, elsewhere, id, decision(read(t, elsewhere, id), coding.Reject, "I10")) }},
		{"a renewed claim", func() {
			if ok, err := elsewhere.RenewClaim(t.Context(), id, claimFor("casey", nine.Add(2*time.Hour))); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}},
		{"a new revision", func() { revised(40, "Other text.") }},
		{"a body that was received earlier", func() { revised(20, "Text before.") }},
		{"other releases", func() {
			// What recheck does where all codes are still there.
			if _, err := owner.Exec(t.Context(), "UPDATE items SET edition = edition || 'x', invalid_count = 1 WHERE id = 1"); err != nil {
				t.Fatal(err)
			}
		}},
		{"a release of the claim", func() { change(t, elsewhere, id, coding.ItemChange{State: coding.ItemOpen}) }},
		{"a query", func() {
			change(t, elsewhere, id, coding.ItemChange{State: coding.ItemQueried, Reason: "why", Asked: &coding.Query{
				Number: 1, To: coding.ToAttending, Text: "why", AskedBy: "robin", AskedAt: nine}})
			change(t, elsewhere, id, coding.ItemChange{State: coding.ItemClaimed, Claim: new(claimFor("casey", nine.Add(time.Hour))),
				Closed: []coding.Query{{Number: 1, Status: coding.QueryWithdrawn, ClosedBy: "robin", ClosedAt: nine}}})
		}},
		{"another history of the same length", func() {
			if _, err := owner.Exec(t.Context(), "UPDATE items SET updated_at = updated_at + interval '1 second' WHERE id = 1"); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		read(t, here, id)
		if !act(here) {
			t.Fatalf("before %s: the act was not done", step.name)
		}
		if diff := cmp.Diff(read(t, elsewhere, id), *recent(t, here, id), cmpopts.EquateEmpty(), cmpopts.EquateComparable(coding.Date{}), cmpopts.IgnoreFields(coding.ItemRecord{}, "Events")); diff != "" {
			t.Errorf("before %s the item is not as it is known (-read +known):\n%s", step.name, diff)
		}
		step.do()
		before := read(t, elsewhere, id)
		if act(here) {
			t.Errorf("%s was not noticed", step.name)
		}
		after := read(t, elsewhere, id)
		if diff := cmp.Diff(before, after, cmpopts.EquateComparable(coding.Date{})); diff != "" {
			t.Errorf("an act that was not done after %s left something:\n%s", step.name, diff)
		}
		if known := recent(t, here, id); known != nil {
			t.Errorf("after %s the item is still known", step.name)
		}
	}
	var decisions, events int
	err = owner.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM decisions), (SELECT count(*) FROM audit_events)").Scan(&decisions, &events)
	if err != nil || decisions != 9 || events != 9 {
		t.Errorf("%d decisions and %d events, %v; want 9 of each", decisions, events, err)
	}
}

// An item is known once it was read or decided on, and no longer once it is finished
// or what became of it was not read.
func TestWhatIsKnownOfItems(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	listed(t, s, "a", 0, nil)
	const id = 1
	known := func() bool { return recent(t, s, id) != nil }
	if known() {
		t.Error("it is known before it was read")
	}
	change(t, s, id, decision(coding.ItemRecord{Head: coding.ItemHead{ID: id, Content: 1}}, coding.Accept, "I10"))
	if !known() {
		t.Error("it is not known after a decision")
	}
	two := decision(read(t, s, id), coding.Accept, "E11.9")
	second := two.Decisions[0]
	second.Seq++
	two.Decisions = append(two.Decisions, second)
	change(t, s, id, two)
	if known() {
		t.Error("it is known after several decisions at once")
	}
	r := read(t, s, id)
	if len(r.Decisions) != 3 || !known() {
		t.Errorf("it has %d decisions, known: %v", len(r.Decisions), known())
	}
	done, err := s.ActOnRecent(t.Context(), id, func(r coding.ItemRecord) (coding.ItemChange, error) { return decision(r, coding.Finish, ""), nil })
	if err != nil || !done || known() {
		t.Errorf("finished: %v, known: %v, %v", done, known(), err)
	}
	r = read(t, s, id)
	if r.Head.State != coding.ItemFinished || r.Head.Coder != "casey" || len(r.Decisions) != 4 || known() {
		t.Errorf("it is %s, decided on by %q, %d times; known: %v", r.Head.State, r.Head.Coder, len(r.Decisions), known())
	}
	if sent, err := s.RelayOutbox(t.Context(), 10, func(_ context.Context, row store.OutboxRow) error {
		if row.Subject == "reviews.completed.north" && (row.MessageID != "review-1" || string(row.Payload) != "{}") {
			t.Errorf("announced %s: %s", row.MessageID, row.Payload)
		}
		return nil
	}); err != nil || sent != 2 { // and the suggestions
		t.Errorf("%d were announced, %v", sent, err)
	}
}

// However much comes, what is kept has a bound; what was used last stays.
func TestRecentItemsHaveABound(t *testing.T) {
	t.Parallel()
	r := store.NewRecent()
	text := strings.Repeat("x", 1<<20)
	item := func(id, version int64, text string) coding.ItemRecord {
		return coding.ItemRecord{Head: coding.ItemHead{ID: id, Version: version, State: coding.ItemOpen}, Notes: []coding.ItemNote{{Note: coding.Note{Text: text}}}}
	}
	r.Put(item(1, 2, "first"))
	for id := range int64(100) {
		r.Put(item(id+2, 1, text))
		if _, ok := r.Get(1); !ok {
			t.Fatalf("after %d more the item that is used is gone", id+1)
		}
	}
	items, bytes := r.Size()
	if items < 20 || items > 32 || bytes > 32<<20 {
		t.Errorf("%d items of %d bytes are kept", items, bytes)
	}
	r.Put(item(1, 1, "earlier"))
	if got, _ := r.Get(1); got.Notes[0].Note.Text != "first" {
		t.Error("an earlier state took the place of a later one")
	}
	r.Put(item(500, 1, strings.Repeat(text, 8)))
	if _, ok := r.Get(500); ok {
		t.Error("an item is kept that leaves no room for others")
	}
	for id := range int64(102) {
		done := item(id, 9, "")
		done.Head.State = coding.ItemFinished
		r.Put(done)
	}
	if items, bytes := r.Size(); items != 0 || bytes != 0 {
		t.Errorf("%d items of %d bytes are kept that are finished", items, bytes)
	}
}

// What an act reads and writes is planned a few times at most on a connection:
// planning takes longer than doing it.
func TestActsArePlannedOnce(t *testing.T) {
	t.Parallel()
	url := storetest.MigratedURL(t)
	s, err := store.Open(t.Context(), store.Config{URL: url, Logger: slog.New(slog.DiscardHandler), MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const items = 15
	other := storetest.Open(t, url)
	for i := range items {
		listed(t, other, string(rune('a'+i)), i, nil)
	}
	for range items {
		id, _, err := s.TakeNext(t.Context(), coding.WorklistQuery{Sort: coding.SortPriority, Limit: 50}, nil, claimFor("casey", nine.Add(time.Hour)), nine, event("casey"), coding.ActKey{})
		if err != nil || id == 0 {
			t.Fatal(id, err)
		}
		read(t, s, id)
		for _, kind := range []coding.DecisionKind{coding.Accept, coding.Finish} {
			c := decision(read(t, s, id), kind, "I10")
			if c.Outbox != nil {
				c.Outbox.MessageID = string(rune('a' + id))
			}
			change(t, s, id, c)
		}
	}
	rows, err := store.Pool(s).Query(t.Context(), "SELECT statement, custom_plans FROM pg_prepared_statements WHERE custom_plans + generic_plans >= $1", items)
	if err != nil {
		t.Fatal(err)
	}
	var sql string
	var plans int64
	seen := 0
	if _, err := pgx.ForEachRow(rows, []any{&sql, &plans}, func() error {
		seen++
		if plans > 6 {
			t.Errorf("planned %d times: %.100s", plans, sql)
		}
		return nil
	}); err != nil || seen < 8 {
		t.Errorf("%d statements were looked at, %v", seen, err)
	}
}

// Notes stay in memory no longer than somebody works on them.
func TestWhatNobodyWorksOnIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := store.NewRecent()
		for id := range int64(3) {
			c.Put(coding.ItemRecord{Head: coding.ItemHead{ID: id, State: coding.ItemOpen}})
		}
		time.Sleep(10 * time.Minute)
		if _, found := c.Get(1); !found {
			t.Error("an item is forgotten after ten minutes")
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n, _ := c.Size(); n != 1 {
			t.Errorf("%d items are kept after twenty minutes, want the one that was worked on", n)
		}
		time.Sleep(40 * time.Minute)
		synctest.Wait()
		if n, bytes := c.Size(); n != 0 || bytes != 0 {
			t.Errorf("%d items of %d bytes are kept", n, bytes)
		}
		c.Put(coding.ItemRecord{Head: coding.ItemHead{ID: 7, State: coding.ItemOpen}})
		c.Close()
		if n, bytes := c.Size(); n != 0 || bytes != 0 {
			t.Errorf("%d items of %d bytes are kept after the end", n, bytes)
		}
	})
}

// What a decision or a question says counts as what it takes.
func TestLongDecisionsCount(t *testing.T) {
	t.Parallel()
	size := func(r coding.ItemRecord) int {
		c := store.NewRecent()
		r.Head.ID, r.Head.State = 1, coding.ItemOpen
		c.Put(r)
		c.Close()
		c.Put(r)
		_, n := c.Size()
		c.Close()
		return n
	}
	long := strings.Repeat("x", 10_000)
	empty := size(coding.ItemRecord{})
	for name, r := range map[string]coding.ItemRecord{
		"evidence": {Decisions: []coding.Decision{{DecisionDetail: coding.DecisionDetail{Evidence: []coding.Evidence{{Text: long}}}}}},
		"remark":   {Decisions: []coding.Decision{{DecisionDetail: coding.DecisionDetail{Remark: &long}}}},
		"question": {Queries: []coding.Query{{Text: long}}},
	} {
		if n := size(r); n < empty+len(long) {
			t.Errorf("%s: %d bytes, %d without", name, n, empty)
		}
	}
}
