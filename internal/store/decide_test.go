package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// acting is a store whose decisions can be held up, so that others come together.
type acting struct {
	t     *testing.T
	s     *store.Store
	owner *pgx.Conn // has the locks
	looks *pgx.Conn // what one sees of sessions stays the same in a transaction
	name  string    // of the store's sessions
	held  pgx.Tx
	wg    sync.WaitGroup
	begun int

	mu       sync.Mutex
	sent     map[string]int // statements by name
	outcomes map[string]outcome
}

type outcome struct {
	done bool
	err  error
}

func (a *acting) Statement(_ context.Context, name string, _ time.Duration, _ bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sent[name]++
}

// newActing gives one with so many items that are known, with numbers from 1. Settings
// are names and values for its sessions.
func newActing(t *testing.T, items int, settings ...string) *acting {
	t.Helper()
	databaseURL := storetest.MigratedURL(t)
	a := &acting{t: t, owner: owner(t, databaseURL), looks: owner(t, databaseURL), sent: map[string]int{}, outcomes: map[string]outcome{}}
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal("the test database's URL cannot be read")
	}
	q := u.Query()
	a.name = "acting_on_" + q.Get("search_path")[:18]
	q.Set("application_name", a.name)
	for i := 0; i < len(settings); i += 2 {
		q.Set(settings[i], settings[i+1])
	}
	u.RawQuery = q.Encode()
	a.s, err = store.Open(t.Context(), store.Config{URL: u.String(), Logger: slog.New(slog.DiscardHandler), Observer: a})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.s.Close)
	for i := range items {
		listed(t, a.s, fmt.Sprint("n", i), i, nil)
		read(t, a.s, int64(i+1))
	}
	return a
}

// hold keeps decisions from being written; one of item 1 is under way then.
func (a *acting) hold() {
	a.t.Helper()
	a.lock("decisions")
	a.act(a.t.Context(), "first", 1, nil)
	a.blocked()
	a.begun = 0
}

// lock keeps all others from a table.
func (a *acting) lock(table string) {
	a.t.Helper()
	var err error
	if a.held, err = a.owner.Begin(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	if _, err := a.held.Exec(a.t.Context(), "LOCK TABLE "+table+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		a.t.Fatal(err)
	}
}

// blocked waits until a session of the store waits for a lock, and gives it.
func (a *acting) blocked() (pid int) {
	a.t.Helper()
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(5 * time.Millisecond) {
		err := a.looks.QueryRow(a.t.Context(), "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'", a.name).Scan(&pid)
		if err == nil {
			return pid
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			a.t.Fatal(err)
		}
	}
	a.t.Fatal("no session waits for the lock")
	return 0
}

// act begins a decision on an item and waits until it waits, unless it is the first.
func (a *acting) act(ctx context.Context, name string, id int64, alter func(*coding.ItemChange)) {
	a.t.Helper()
	a.start(name, func() (bool, error) {
		return a.s.ActOnRecent(ctx, id, func(r coding.ItemRecord) (coding.ItemChange, error) {
			c := decision(r, coding.Accept, "I10")
			if alter != nil {
				alter(&c)
			}
			return c, nil
		})
	})
}

func (a *acting) start(name string, do func() (bool, error)) {
	a.wg.Go(func() {
		done, err := do()
		a.mu.Lock()
		defer a.mu.Unlock()
		a.outcomes[name] = outcome{done, err}
	})
	if a.begun++; name == "first" {
		return
	}
	for began := time.Now(); store.Waiting(a.s) < a.begun; time.Sleep(time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			a.t.Fatalf("%s does not wait", name)
		}
	}
}

// count gives how many statements of a name ended.
func (a *acting) count(name string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sent[name]
}

// within waits until all acts have their answers, which must not take longer.
func (a *acting) within(most time.Duration) {
	a.t.Helper()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		a.wg.Wait()
	}()
	select {
	case <-answered:
	case <-time.After(most):
		a.t.Error("acts wait for what does not end")
	}
}

// free lets all be written and waits until it is.
func (a *acting) free() {
	a.t.Helper()
	if err := a.held.Rollback(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	a.wg.Wait()
}

func (a *acting) want(name string, done bool) {
	a.t.Helper()
	if got := a.outcomes[name]; got.done != done || got.err != nil {
		a.t.Errorf("the act %s: done is %v, %v; want %v", name, got.done, got.err, done)
	}
}

// wrote wants so many decisions and events of items, in order of their numbers, and
// that the items are known as they are.
func (a *acting) wrote(want string) {
	a.t.Helper()
	var got string
	if err := a.owner.QueryRow(a.t.Context(), `SELECT string_agg(d || '/' || e || '/' || version, ' ' ORDER BY id) FROM (
		SELECT i.id, i.version, (SELECT count(*) FROM decisions d WHERE d.item_id = i.id) AS d, (SELECT count(*) FROM audit_events e WHERE e.item_id = i.id) AS e
		FROM items i) AS counts`).Scan(&got); err != nil || got != want {
		a.t.Errorf("decisions/events/version of the items are %s, %v; want %s", got, err, want)
	}
}

// Decisions that wait are written together; each for itself only if its item is still
// as it was known, and each is told so.
func TestDecisionsTogether(t *testing.T) {
	t.Parallel()
	a := newActing(t, 7)
	elsewhere := func(id int64) {
		t.Helper()
		if _, err := a.owner.Exec(t.Context(), "UPDATE items SET version = version + 1 WHERE id = $1", id); err != nil {
			t.Fatal(err)
		}
	}
	elsewhere(4)
	before := a.count("UPDATE items")
	a.hold()
	a.act(t.Context(), "fresh", 2, nil)
	a.act(t.Context(), "finishing", 3, func(c *coding.ItemChange) {
		c.Outbox = &coding.OutboxMessage{Subject: "reviews.completed.north", MessageID: "review-1", Payload: []byte("{}")}
	})
	a.act(t.Context(), "stale", 4, nil)
	a.act(t.Context(), "one of two", 5, nil)
	a.act(t.Context(), "two of two", 5, nil)
	ctx, cancel := context.WithCancel(t.Context())
	a.act(ctx, "given up", 6, nil)
	cancel()
	a.act(t.Context(), "another fresh", 7, nil)
	a.free()
	for name, done := range map[string]bool{"first": true, "fresh": true, "finishing": true, "stale": false, "one of two": true, "two of two": false, "another fresh": true} {
		a.want(name, done)
	}
	if got := a.outcomes["given up"]; got.done || !errors.Is(got.err, context.Canceled) {
		t.Errorf("who gave up got %+v", got)
	}
	if n := a.count("UPDATE items") - before; n != 2 {
		t.Errorf("%d statements wrote it, want one for the first and one for those that waited", n)
	}
	a.wrote("1/1/2 1/1/2 1/1/2 0/0/2 1/1/2 0/0/1 1/1/2")
	for id := range int64(7) {
		if known := recent(t, a.s, id+1); (known == nil) != (id+1 == 4) || known != nil && known.Head.Version != read(t, a.s, id+1).Head.Version {
			t.Errorf("item %d is not known as it is", id+1)
		}
	}
	var waiting int
	if err := a.owner.QueryRow(t.Context(), "SELECT count(*) FROM outbox WHERE message_id = 'review-1'").Scan(&waiting); err != nil || waiting != 1 {
		t.Errorf("%d are announced, %v", waiting, err)
	}
}

// A decision that the database refuses is refused alone, and what it is refused for is
// told to who asked for it and to nobody else.
func TestARefusedDecisionHarmsNoOther(t *testing.T) {
	t.Parallel()
	a := newActing(t, 4)
	a.hold()
	a.act(t.Context(), "fresh", 2, nil)
	a.act(t.Context(), "refused", 3, func(c *coding.ItemChange) { c.Decisions[0].Kind = "guess" })
	a.act(t.Context(), "another fresh", 4, nil)
	a.free()
	for _, name := range []string{"first", "fresh", "another fresh"} {
		a.want(name, true)
	}
	var refused *store.Error
	if got := a.outcomes["refused"]; got.done || !errors.As(got.err, &refused) || refused.Constraint != "decisions_kind_check" {
		t.Errorf("the refused act got %+v", got)
	}
	a.wrote("1/1/2 1/1/2 0/0/1 1/1/2")
}

// Where nobody knows whether decisions were written, each is told that it failed, and none is
// written once more.
func TestDecisionsOnALostConnection(t *testing.T) {
	t.Parallel()
	a := newActing(t, 3)
	a.hold()
	a.act(t.Context(), "second", 2, nil)
	a.act(t.Context(), "third", 3, nil)
	before := a.count("UPDATE items")
	for range 2 { // of the first, and of the others
		pid := a.blocked()
		if _, err := a.looks.Exec(t.Context(), "SELECT pg_terminate_backend($1, 5000)", pid); err != nil {
			t.Fatal(err)
		}
	}
	a.free()
	for _, name := range []string{"first", "second", "third"} {
		if got := a.outcomes[name]; got.done || !errors.Is(got.err, store.ErrUnavailable) {
			t.Errorf("the act %s got %+v, want that the database is not available", name, got)
		}
	}
	a.wrote("0/0/1 0/0/1 0/0/1")
	if n := a.count("UPDATE items") - before; n != 2 {
		t.Errorf("%d statements ended without an answer, want 2", n)
	}
}

// What does not end keeps nobody from acting for ever: who waits for it is told that
// the database is not available, and what comes later is written.
func TestDecisionsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	a := newActing(t, 3)
	store.WriteWithin(a.s, time.Second)
	a.hold()
	a.act(t.Context(), "second", 2, nil)
	a.within(20 * time.Second)
	for _, name := range []string{"first", "second"} {
		if got := a.outcomes[name]; got.done || !errors.Is(got.err, store.ErrUnavailable) {
			t.Errorf("the act %s got %+v, want that the database is not available", name, got)
		}
	}
	a.free()
	a.act(t.Context(), "first", 3, nil)
	a.wg.Wait()
	a.want("first", true)
	a.wrote("0/0/1 0/0/1 1/1/2")
}

// Where the server does not get to decisions in the time that it has, that is not tried
// once more for each.
func TestDecisionsOutOfTime(t *testing.T) {
	t.Parallel()
	a := newActing(t, 5, "statement_timeout", "2s")
	before := a.count("UPDATE items")
	a.hold()
	for id := range int64(4) {
		a.act(t.Context(), fmt.Sprint("item ", id+2), id+2, nil)
	}
	a.within(time.Minute)
	for name, got := range a.outcomes {
		if got.done || !errors.Is(got.err, store.ErrUnavailable) {
			t.Errorf("the act %s got %+v, want that the database is not available", name, got)
		}
	}
	if n := a.count("UPDATE items") - before; n != 3 {
		t.Errorf("%d statements ran out of time, want that of the first, that of the others and one more", n)
	}
	a.free()
	a.wrote("0/0/1 0/0/1 0/0/1 0/0/1 0/0/1")
}

// An item that somebody is at work on holds nobody up.
func TestDecisionsWaitForNoItem(t *testing.T) {
	t.Parallel()
	a := newActing(t, 2)
	tx, err := a.owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := tx.Exec(t.Context(), "SELECT FROM items WHERE id = 1 FOR NO KEY UPDATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	a.act(ctx, "first", 1, nil)
	a.wg.Wait()
	a.want("first", false)
}

// What waits when the store is closed is told so; what is under way ends.
func TestCloseLetsDecisionsEnd(t *testing.T) {
	t.Parallel()
	a := newActing(t, 2)
	a.hold()
	a.act(t.Context(), "second", 2, nil)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		a.s.Close()
	}()
	for {
		if err := a.s.Ping(t.Context()); errors.Is(err, store.ErrUnavailable) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	a.free()
	<-closed
	a.want("first", true)
	if got := a.outcomes["second"]; got.done || !errors.Is(got.err, store.ErrUnavailable) {
		t.Errorf("the act that waited got %+v", got)
	}
	a.wrote("1/1/2 0/0/1")
}

// However many are written together, PostgreSQL plans for that a few times only, and
// goes to the items by their numbers.
func TestDecisionsArePlannedOnce(t *testing.T) {
	t.Parallel()
	databaseURL := storetest.MigratedURL(t)
	s, err := store.Open(t.Context(), store.Config{URL: databaseURL, Logger: slog.New(slog.DiscardHandler), MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const items = 40
	for i := range items {
		listed(t, s, fmt.Sprint("n", i), i, nil)
	}
	conn := owner(t, databaseURL)
	if _, err := conn.Exec(t.Context(), `INSERT INTO items (source, encounter_key, encounter_id, received_at, note_count)
		SELECT 'north', 'e:' || i, i, timestamptz '2026-03-14 09:00Z' + i * interval '1 second', 1 FROM generate_series(1, 20000) AS i`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "ANALYZE items"); err != nil {
		t.Fatal(err)
	}
	var records []coding.ItemRecord
	for id := range int64(items) {
		if err := s.Know(t.Context(), id+1); err != nil {
			t.Fatal(err)
		}
		records = append(records, *recent(t, s, id+1))
	}
	accepts := func(r coding.ItemRecord) coding.ItemChange { return decision(r, coding.Accept, "I10") }
	for _, n := range []int{1, items} {
		sql, args, err := store.ExplainDecide(records[:n], accepts)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := store.Pool(s).Query(t.Context(), sql, args...)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if p := strings.Join(plan, "\n"); strings.Contains(p, "Seq Scan on items") || !strings.Contains(p, "items_pkey") {
			t.Errorf("%d decisions do not go along the items' numbers:\n%s", n, p)
		}
	}
	var wg sync.WaitGroup
	for n := range 20 {
		for id := range int64(1 + n) {
			wg.Go(func() {
				if done, err := s.ActOnRecent(t.Context(), id+1, func(r coding.ItemRecord) (coding.ItemChange, error) { return accepts(r), nil }); !done || err != nil {
					t.Error(done, err)
				}
			})
		}
		wg.Wait()
	}
	var custom, generic int
	if err := store.Pool(s).QueryRow(t.Context(), `SELECT custom_plans, generic_plans FROM pg_prepared_statements
		WHERE statement LIKE 'WITH a AS%INSERT INTO decisions%'`).Scan(&custom, &generic); err != nil || custom > 6 || generic < 15 {
		t.Errorf("planned %d times and not %d times, %v", custom, generic, err)
	}
}
