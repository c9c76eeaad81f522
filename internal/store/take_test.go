package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// Many take the next item at once, each with a key and in several windows: a key
// stands for one item, whoever of its windows was first.
func TestTakeNextByManyWithKeys(t *testing.T) {
	t.Parallel()
	url := storetest.MigratedURL(t)
	processes := []*store.Store{storetest.Open(t, url), storetest.Open(t, url)}
	const takers, windows, rounds = 8, 4, 3
	for i := range takers*rounds + 5 {
		listed(t, processes[0], fmt.Sprint("n", i), i, nil)
	}
	var mu sync.Mutex
	byKey := map[string]map[int64]bool{}
	var wg sync.WaitGroup
	for k := range takers * windows {
		s, login := processes[k%2], fmt.Sprint("coder", k/windows)
		wg.Go(func() {
			for round := range rounds {
				key := coding.ActKey{Login: login, Key: fmt.Sprint("key ", round), Digest: "d"}
				id, done, err := s.TakeNext(t.Context(), coding.WorklistQuery{Sort: coding.SortOldest}, nil, claimFor(login, nine.Add(time.Hour)), nine, event(login), key)
				if done != nil {
					id = done.Item
				}
				if err != nil || id == 0 {
					t.Errorf("%s got item %d, %v", login, id, err)
					return
				}
				mu.Lock()
				name := login + " " + key.Key
				if byKey[name] == nil {
					byKey[name] = map[int64]bool{}
				}
				byKey[name][id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	taken := map[int64]bool{}
	for key, items := range byKey {
		for id := range items {
			if len(items) > 1 || taken[id] {
				t.Errorf("%s stands for items %v, of which others have some", key, items)
			}
			taken[id] = true
		}
	}
	var claimed, events, keys int
	err := owner(t, url).QueryRow(t.Context(), `SELECT (SELECT count(*) FROM items WHERE state = 'claimed'), (SELECT count(*) FROM audit_events), (SELECT count(*) FROM act_keys)`).Scan(&claimed, &events, &keys)
	if want := takers * rounds; err != nil || claimed != want || events != want || keys != want || len(taken) != want {
		t.Errorf("%d items were taken with %d events and %d keys, %v; want %d", claimed, events, keys, err, want)
	}
}

// What waits for somebody comes first, with and without filters; what they pass over
// keeps nothing else from them.
func TestTakeNextForMe(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for i, name := range []string{"a", "b", "c", "d"} {
		listed(t, s, name, i, func(n *coding.Note, _ *coding.SuggestionSet) { n.Specialty = name })
	}
	const a, b, c, d = 1, 2, 3, 4
	take := func(login, key string, q coding.WorklistQuery, except ...int64) int64 {
		t.Helper()
		q.Sort = coding.SortPriority
		id, done, err := s.TakeNext(t.Context(), q, except, claimFor(login, nine.Add(time.Hour)), nine, event(login), coding.ActKey{Login: login, Key: key, Digest: "d"})
		if err != nil {
			t.Fatal(err)
		}
		if done != nil {
			if id != 0 {
				t.Errorf("a key that was used gave item %d too", id)
			}
			return -done.Item
		}
		return id
	}
	for i, q := range []coding.WorklistQuery{{}, {Sources: []string{"north"}}, {Specialties: []string{"a", "b", "c", "d"}}} {
		for _, id := range []int64{a, b, c, d} {
			change(t, s, id, coding.ItemChange{State: coding.ItemOpen, Sent: &coding.Sent{}})
		}
		change(t, s, c, coding.ItemChange{State: coding.ItemOpen, Sent: &coding.Sent{Login: "casey", By: "robin"}})
		change(t, s, a, coding.ItemChange{State: coding.ItemOpen, Sent: &coding.Sent{Login: "kim", By: "robin"}})
		key := func(n int) string { return fmt.Sprint(i, n) }
		for _, step := range []struct {
			what string
			got  int64
			want int64
		}{
			{"who passes over what waits for them", take("casey", key(1), q, c), b},
			{"the same key", take("casey", key(1), q), -b},
			{"who passes over nothing", take("casey", key(2), q), c},
			{"whom nothing waits for", take("robin", key(3), q), d},
			{"when all that is left waits for somebody else", take("robin", key(4), q), 0},
			{"the same key once more", take("casey", key(2), q), -c},
		} {
			if step.got != step.want {
				t.Errorf("with %+v %s gets %d, want %d", q, step.what, step.got, step.want)
			}
		}
	}
}

// Who asks for an item together with somebody whose wish cannot be served gets one.
func TestARefusedTakeHarmsNoOther(t *testing.T) {
	t.Parallel()
	a := newActing(t, 6)
	take := func(name string, actor string) {
		a.start(name, func() (bool, error) {
			id, _, err := a.s.TakeNext(t.Context(), coding.WorklistQuery{Sort: coding.SortPriority}, nil, claimFor("casey", nine.Add(time.Hour)), nine, event(actor), coding.ActKey{})
			return id != 0, err
		})
	}
	a.lock("audit_events")
	before := a.count("BATCH")
	take("first", "casey")
	a.blocked()
	a.begun = 0
	take("second", "casey")
	take("third", "casey")
	a.free()
	if n := a.count("BATCH") - before; n != 2 {
		t.Errorf("three wishes took %d round trips, want one for the first and one for those that waited", n)
	}
	a.lock("audit_events")
	take("first", "casey")
	a.blocked()
	a.begun = 0
	take("refused", "")
	take("fifth", "casey")
	a.free()
	for _, name := range []string{"first", "second", "third", "fifth"} {
		a.want(name, true)
	}
	var refused *store.Error
	if got := a.outcomes["refused"]; got.done || !errors.As(got.err, &refused) || refused.Constraint != "audit_events_actor_check" {
		t.Errorf("the refused wish got %+v", got)
	}
	a.wrote("0/1/2 0/1/2 0/1/2 0/1/2 0/1/2 0/0/1")
}

// Of those who take items together each gets what they would get alone: what waits for
// them, nothing that they skipped, what their key stands for; and whose claim ran out is
// told from who takes what nobody had.
func TestTakersWhoDiffer(t *testing.T) {
	t.Parallel()
	a := newActing(t, 10)
	const mine, skipped, before, lost = 1, 2, 3, 4
	got := map[string]int64{}
	take := func(name, login, key string, sort coding.WorklistSort, now time.Time) {
		a.start(name, func() (bool, error) {
			id, done, err := a.s.TakeNext(t.Context(), coding.WorklistQuery{Sort: sort}, nil, claimFor(login, now.Add(time.Hour)), now, event(login), coding.ActKey{Login: login, Key: key, Digest: "d"})
			if done != nil {
				id = -done.Item
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			got[name] = id
			return id != 0, err
		})
	}
	change(t, a.s, mine, coding.ItemChange{State: coding.ItemOpen, Sent: &coding.Sent{Login: "casey", By: "robin"}})
	for _, sql := range []string{
		`INSERT INTO item_skips (login, item_id, until) SELECT 'sam', i, '2026-03-14 12:00Z' FROM generate_series(2, 9) AS i`,
		`INSERT INTO act_keys (login, key, item_id, digest) VALUES ('kim', 'key', 3, 'd')`,
		`UPDATE items SET state = 'claimed', claimed_by = 'kim', claimed_until = '2026-03-14 11:00Z' WHERE id = 3`,
		`UPDATE items SET state = 'claimed', claimed_by = 'gone', claimed_until = '2026-03-14 08:00Z' WHERE id = 4`,
	} {
		if _, err := a.owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	a.lock("audit_events")
	take("first", "robin", "", coding.SortNewest, nine) // 10
	a.blocked()
	a.begun = 0
	take("who skipped", "sam", "key", coding.SortOldest, nine)
	take("for whom one waits", "casey", "key", coding.SortOldest, nine)
	take("whose key was used", "kim", "key", coding.SortOldest, nine)
	take("later", "lee", "key", coding.SortOldest, nine.Add(time.Hour))
	take("newest", "max", "", coding.SortNewest, nine)
	take("oldest", "ida", "", coding.SortOldest, nine)
	a.free()
	for name, want := range map[string]int64{"first": 10, "who skipped": 0, "for whom one waits": mine, "whose key was used": -before, "newest": 9} {
		a.want(name, want != 0)
		if got[name] != want {
			t.Errorf("%s got %d, want %d", name, got[name], want)
		}
	}
	if l, o := got["later"], got["oldest"]; l+o != skipped+lost || l*o != skipped*lost {
		t.Errorf("the two who take the oldest got %d and %d, want one %d and the other %d", l, o, skipped, lost)
	}
	var items string
	if err := a.owner.QueryRow(t.Context(), `SELECT string_agg(concat_ws(' ', i.id, extract(hour FROM i.claimed_until AT TIME ZONE 'UTC'), e.action, e.actor = i.claimed_by), ', ' ORDER BY i.id)
		FROM items i JOIN audit_events e ON e.item_id = i.id`).Scan(&items); err != nil {
		t.Fatal(err)
	}
	hour := map[bool]int{false: 10, true: 11}
	if want := fmt.Sprintf("1 10 claimed t, 2 %d claimed t, 4 %d taken_over t, 9 10 claimed t, 10 10 claimed t", hour[got["later"] == skipped], hour[got["later"] == lost]); items != want {
		t.Errorf("items, their hours and events are %s; want %s", items, want)
	}
}
