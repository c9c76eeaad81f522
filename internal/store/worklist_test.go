package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// listed puts a note into the worklist, received some minutes after nine.
func listed(t testing.TB, s *store.Store, id string, minute int, change func(*coding.Note, *coding.SuggestionSet)) {
	t.Helper()
	n := coding.Note{NoteID: id, Source: "north", Priority: 5, Setting: coding.Outpatient, Specialty: "Cardiology", Text: "Text of " + id}
	set := coding.SuggestionSet{Schema: 1, SetID: "set-" + id, NoteID: id, Pipeline: "test", Setting: coding.Outpatient, CreatedAt: time.Now()}
	if change != nil {
		change(&n, &set)
	}
	set.Source, set.NoteSHA256 = n.Source, n.SHA256()
	_, err := s.SaveResult(t.Context(), store.Result{Note: n, SHA256: n.SHA256(), ReceivedAt: nine.Add(time.Duration(minute) * time.Minute), Set: set})
	if err != nil {
		t.Fatal(err)
	}
}

var nine = time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)

func claimFor(login string, until time.Time) coding.Claim {
	return coding.Claim{Login: login, Name: login, Until: until}
}

func event(actor string) coding.AuditEvent {
	return coding.AuditEvent{At: nine, Actor: actor, Action: "claimed"}
}

// change brings an item into a state.
func change(t testing.TB, s *store.Store, id int64, c coding.ItemChange) {
	t.Helper()
	found, err := s.ActOnItem(t.Context(), id, coding.ActKey{}, func(coding.ItemRecord) (coding.ItemChange, error) { return c, nil })
	if err != nil || !found {
		t.Fatal(found, err)
	}
}

// names gives the notes' ids behind the heads, by the specialty that each test item carries.
func names(items []coding.ItemHead) string {
	var out []string
	for _, h := range items {
		out = append(out, h.Specialty)
	}
	return strings.Join(out, " ")
}

func TestWorklistFiltersAndOrders(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	add := func(name string, minute, priority int, more func(*coding.Note, *coding.SuggestionSet)) {
		listed(t, s, name, minute, func(n *coding.Note, set *coding.SuggestionSet) {
			n.Specialty, n.Priority = name, priority
			if more != nil {
				more(n, set)
			}
		})
	}
	add("a", 3, 5, nil)
	add("b", 2, 9, nil)
	add("c", 1, 5, func(n *coding.Note, set *coding.SuggestionSet) {
		n.Setting, set.Setting = coding.Inpatient, coding.Inpatient
	})
	add("d", 4, 1, func(n *coding.Note, _ *coding.SuggestionSet) { n.Source = "south" })
	add("e", 5, 5, func(_ *coding.Note, set *coding.SuggestionSet) { set.Degraded = true })
	all, err := s.Worklist(ctx, coding.WorklistQuery{Sort: coding.SortOldest, Limit: 10}, nine)
	if err != nil || names(all.Items) != "c b a d e" {
		t.Fatalf("got %s, %v", names(all.Items), err)
	}
	ids := map[string]int64{}
	for _, h := range all.Items {
		ids[h.Specialty] = h.ID
	}
	later := nine.Add(time.Hour)
	lapsed, held := claimFor("casey", later.Add(-time.Minute)), claimFor("robin", later.Add(time.Minute))
	change(t, s, ids["a"], coding.ItemChange{State: coding.ItemClaimed, Claim: &lapsed})
	change(t, s, ids["b"], coding.ItemChange{State: coding.ItemClaimed, Claim: &held})
	change(t, s, ids["c"], coding.ItemChange{State: coding.ItemHeld, Reason: "why"})
	change(t, s, ids["d"], coding.ItemChange{State: coding.ItemFinished})

	yes, no := true, false
	for _, c := range []struct {
		q    coding.WorklistQuery
		want string
	}{
		{coding.WorklistQuery{}, "b c a e d"},
		{coding.WorklistQuery{Sort: coding.SortNewest}, "e d a b c"},
		{coding.WorklistQuery{Sort: coding.SortUpdated}, "d c b a e"},
		{coding.WorklistQuery{States: []coding.ItemState{coding.ItemOpen}}, "a e"}, // a's claim has run out
		{coding.WorklistQuery{States: []coding.ItemState{coding.ItemClaimed}}, "b"},
		{coding.WorklistQuery{States: []coding.ItemState{coding.ItemHeld, coding.ItemQueried}}, "c"},
		{coding.WorklistQuery{States: []coding.ItemState{coding.ItemFinished}}, "d"},
		{coding.WorklistQuery{States: []coding.ItemState{coding.ItemOpen, coding.ItemFinished}, Sort: coding.SortOldest}, "a d e"},
		{coding.WorklistQuery{Settings: []coding.Setting{coding.Inpatient}}, "c"},
		{coding.WorklistQuery{Sources: []string{"south"}}, "d"},
		{coding.WorklistQuery{Sources: []string{"south", "north"}}, "b c a e d"},
		{coding.WorklistQuery{Specialties: []string{"a", "e"}}, "a e"},
		{coding.WorklistQuery{Holder: "robin"}, "b"},
		{coding.WorklistQuery{Holder: "casey"}, ""},
		{coding.WorklistQuery{Degraded: &yes}, "e"},
		{coding.WorklistQuery{Degraded: &no}, "b c a d"},
	} {
		if c.q.Sort == "" {
			c.q.Sort = coding.SortPriority
		}
		c.q.Limit = 10
		page, err := s.Worklist(ctx, c.q, later)
		if err != nil || names(page.Items) != c.want || page.Next != "" {
			t.Errorf("%+v: got %q, %v; want %q", c.q, names(page.Items), err, c.want)
		}
	}
	counts, err := s.WorklistCounts(ctx, "casey", later)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(counts.States, counts.Notes, counts.Settings, counts.Sources, len(counts.Specialties))
	if want := "map[claimed:1 finished:1 held:1 open:2] 5 [{inpatient 1} {outpatient 3}] [{north 4}] 4"; got != want {
		t.Errorf("counts are %s, want %s", got, want)
	}
}

// Pages neither repeat nor skip, though many items are alike.
func TestWorklistPages(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	const items = 23
	for i := range items {
		listed(t, s, fmt.Sprint("n", i), i/10, func(n *coding.Note, _ *coding.SuggestionSet) { n.Priority = 5 + i%2 })
	}
	for _, sort := range []coding.WorklistSort{coding.SortPriority, coding.SortOldest, coding.SortNewest, coding.SortUpdated} {
		whole, err := s.Worklist(t.Context(), coding.WorklistQuery{Sort: sort, Limit: 100}, nine)
		if err != nil || len(whole.Items) != items {
			t.Fatal(len(whole.Items), err)
		}
		var ids, paged []int64
		for _, h := range whole.Items {
			ids = append(ids, h.ID)
		}
		q := coding.WorklistQuery{Sort: sort, Limit: 5}
		for pages := 0; ; pages++ {
			page, err := s.Worklist(t.Context(), q, nine)
			if err != nil || pages > items {
				t.Fatal(pages, err)
			}
			for _, h := range page.Items {
				paged = append(paged, h.ID)
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
		if !slices.Equal(ids, paged) {
			t.Errorf("%s: pages give %v, the whole %v", sort, paged, ids)
		}
	}
	for _, cursor := range []string{"x", "e30", "bnVsbA", strings.Repeat("A", 5000)} {
		page, err := s.Worklist(t.Context(), coding.WorklistQuery{Sort: coding.SortOldest, Limit: 1, Cursor: cursor}, nine)
		if err != nil || len(page.Items) != 1 {
			t.Errorf("cursor %.8q: %v", cursor, err)
		}
	}
}

// Many take the next item at once: each item goes to one, none is left over.
func TestTakeNextByMany(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	const items, takers = 60, 12
	for i := range items {
		listed(t, s, fmt.Sprint("n", i), i, nil)
	}
	var mu sync.Mutex
	taken := map[int64]string{}
	var wg sync.WaitGroup
	for k := range takers {
		wg.Go(func() {
			login := fmt.Sprint("coder", k)
			for {
				q := coding.WorklistQuery{Sort: coding.SortPriority}
				id, _, err := s.TakeNext(t.Context(), q, nil, claimFor(login, nine.Add(time.Hour)), nine, event(login), coding.ActKey{})
				if err != nil {
					t.Error(err)
					return
				}
				if id == 0 {
					return
				}
				mu.Lock()
				if who, twice := taken[id]; twice {
					t.Errorf("item %d went to %s and %s", id, who, login)
				}
				taken[id] = login
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(taken) != items {
		t.Errorf("%d of %d items were taken", len(taken), items)
	}
	for id, login := range taken {
		r, found, err := s.ItemRecord(t.Context(), id, nil)
		if err != nil || !found || r.Head.Claim == nil || r.Head.Claim.Login != login || len(r.Events) != 1 || r.Events[0].Actor != login {
			t.Errorf("item %d of %s: %+v, %v", id, login, r.Head.Claim, err)
		}
	}
}

func TestTakeNextChooses(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	for i, name := range []string{"a", "b", "c"} {
		listed(t, s, name, i, func(n *coding.Note, _ *coding.SuggestionSet) { n.Specialty = name })
	}
	take := func(q coding.WorklistQuery, login string, now time.Time, except ...int64) (int64, string) {
		q.Sort = coding.SortPriority
		id, _, err := s.TakeNext(ctx, q, except, claimFor(login, now.Add(time.Minute)), now, event(login), coding.ActKey{})
		if err != nil {
			t.Fatal(err)
		}
		if id == 0 {
			return 0, ""
		}
		r, _, err := s.ItemRecord(ctx, id, nil)
		if err != nil {
			t.Fatal(err)
		}
		return id, r.Head.Specialty + " " + r.Events[len(r.Events)-1].Action
	}
	a, got := take(coding.WorklistQuery{}, "casey", nine)
	if got != "a claimed" {
		t.Errorf("the oldest is %q", got)
	}
	if _, got := take(coding.WorklistQuery{Specialties: []string{"c"}}, "casey", nine); got != "c claimed" {
		t.Errorf("the filter gives %q", got)
	}
	// The lease of a has run out by then; b is passed over on request.
	b, got := take(coding.WorklistQuery{Specialties: []string{"b"}}, "casey", nine)
	if got != "b claimed" {
		t.Errorf("got %q", got)
	}
	if _, got := take(coding.WorklistQuery{}, "robin", nine.Add(2*time.Minute), b); got != "a taken_over" {
		t.Errorf("after the lease got %q", got)
	}
	if _, got := take(coding.WorklistQuery{Sources: []string{"east"}}, "robin", nine); got != "" {
		t.Errorf("from another source got %q", got)
	}
	if _, got := take(coding.WorklistQuery{}, "robin", nine); got != "" || a == b {
		t.Errorf("with all taken got %q", got)
	}
}

// Of several specialties the next item comes in the order of the list too.
func TestTakeNextOfSeveralSpecialties(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for i, name := range []string{"a", "b", "c", "a", "b", "c"} {
		listed(t, s, fmt.Sprint(name, i), i, func(n *coding.Note, set *coding.SuggestionSet) {
			n.Specialty, n.Priority = name, 1+i
			set.Suggestions = []coding.Suggestion{suggestion("I10", 1, 1-float64(i)/10)}
		})
	}
	for sort, want := range map[coding.WorklistSort]string{
		coding.SortPriority: "c a c a", coding.SortOldest: "a c a c", coding.SortNewest: "c a c a", coding.SortNeed: "c a c a",
	} {
		got := ""
		var taken []int64
		for {
			q := coding.WorklistQuery{Sort: sort, Specialties: []string{"a", "none", "c"}}
			id, _, err := s.TakeNext(t.Context(), q, taken, claimFor("casey", nine.Add(time.Minute)), nine, event("casey"), coding.ActKey{})
			if err != nil {
				t.Fatal(err)
			}
			if id == 0 {
				break
			}
			r, _, err := s.ItemRecord(t.Context(), id, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, taken = got+" "+r.Head.Specialty, append(taken, id)
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("by %s came%s, want %s", sort, got, want)
		}
		for _, id := range taken {
			change(t, s, id, coding.ItemChange{State: coding.ItemOpen})
		}
	}
}

// The order comes out of an index, so that a page takes the same time whether
// the list is short or long.
func TestWorklistUsesItsIndexes(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	conn, err := store.Pool(s).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	_, err = tx.Exec(t.Context(), `INSERT INTO items (source, encounter_key, encounter_id, received_at, note_count, priority, state, specialty, need)
		SELECT 'north', 'e:' || i, i, timestamptz '2026-03-14 09:00Z' + i * interval '1 second', 1, 1 + i % 9,
			CASE WHEN i % 4 = 0 THEN 'open' ELSE 'finished' END,
			CASE WHEN i % 97 = 0 THEN 'Rare' ELSE 'Cardiology' END, (i % 1000) / 1000.0 FROM generate_series(1, 20000) AS i`)
	if err == nil {
		_, err = tx.Exec(t.Context(), "RESET ROLE; ANALYZE items")
	}
	if err != nil {
		t.Fatal(err)
	}
	type statement struct {
		sql  string
		args []any
	}
	list := func(q coding.WorklistQuery) statement {
		if q.Sort == "" {
			q.Sort = coding.SortPriority
		}
		q.Limit = 50
		sql, args := store.ListStatement(q, nine)
		return statement{sql, args}
	}
	take := func(q coding.WorklistQuery, waitsFor string) statement {
		if q.Sort == "" {
			q.Sort = coding.SortPriority
		}
		sql, args := store.TakeStatement(q, "casey", waitsFor, nine)
		return statement{sql, args}
	}
	takeSeveral := func(sort coding.WorklistSort) statement {
		sql, args := store.TakeSeveralStatement(coding.WorklistQuery{Sort: sort}, "casey", nine)
		return statement{sql, args}
	}
	opened := []coding.ItemState{coding.ItemOpen}
	rare := []string{"Rare"}
	for name, c := range map[string]struct {
		statement
		index string
	}{
		"open by priority":         {list(coding.WorklistQuery{States: opened}), "items_worklist"},
		"open by age":              {list(coding.WorklistQuery{States: opened, Sort: coding.SortOldest}), "items_received"},
		"open by need":             {list(coding.WorklistQuery{States: opened, Sort: coding.SortNeed}), "items_need"},
		"open of a specialty":      {list(coding.WorklistQuery{States: opened, Specialties: rare}), "items_specialty"},
		"all by priority":          {list(coding.WorklistQuery{}), "items_all"},
		"all by change":            {list(coding.WorklistQuery{Sort: coding.SortUpdated}), "items_moved"},
		"finished by priority":     {list(coding.WorklistQuery{States: []coding.ItemState{coding.ItemFinished}}), "items_state"},
		"for me":                   {list(coding.WorklistQuery{States: opened, SentTo: "casey"}), "items_sent"},
		"next":                     {take(coding.WorklistQuery{}, ""), "items_worklist"},
		"next by need":             {take(coding.WorklistQuery{Sort: coding.SortNeed}, ""), "items_need"},
		"next of a specialty":      {take(coding.WorklistQuery{Specialties: rare}, ""), "items_specialty"},
		"next for me":              {take(coding.WorklistQuery{}, "casey"), "items_sent"},
		"next for several":         {takeSeveral(coding.SortPriority), "items_worklist"},
		"next for several by need": {takeSeveral(coding.SortNeed), "items_need"},
	} {
		rows, err := tx.Query(t.Context(), "EXPLAIN "+c.sql, append([]any{pgx.QueryExecModeCacheDescribe}, c.args...)...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var plan strings.Builder
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			plan.WriteString(line + "\n")
		}
		if rows.Err() != nil {
			t.Fatalf("%s: %v", name, rows.Err())
		}
		if p := plan.String(); !strings.Contains(p, "using "+c.index+" ") || strings.Contains(p, "Sort") && !strings.HasPrefix(name, "next for several") { // by whom
			t.Errorf("%s: the plan does not go along %s:\n%s", name, c.index, p)
		}
	}
}
