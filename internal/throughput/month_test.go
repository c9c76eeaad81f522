package throughput_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
	"chartcode/internal/simulate"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
	"chartcode/internal/throughput"
)

// chicago has a zone in which days are not those of UTC.
var chicago = func() *time.Location {
	loc, err := time.LoadLocation("America/Chicago")
	if err != nil {
		panic(err)
	}
	return loc
}()

// month is an invented month in a database of its own.
type month struct {
	*throughput.Service
	t      testing.TB
	url    string
	store  *store.Store
	result simulate.Result
}

// until is a Wednesday afternoon, three days after clocks changed.
var until = time.Date(2026, 3, 11, 15, 20, 0, 0, chicago)

// invented is a database with a small invented month of which nothing is counted yet, copied for each test.
var invented struct {
	storetest.Template
	simulate.Result
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := invented.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// newMonth gives the invented month. Nothing is counted yet.
func newMonth(t testing.TB) *month {
	t.Helper()
	u := invented.URL(t, func(databaseURL string) { invented.Result = invent(t, databaseURL) })
	m := &month{t: t, url: u, store: storetest.Open(t, u), result: invented.Result}
	m.Service = m.service(nil)
	return m
}

func invent(t testing.TB, databaseURL string) simulate.Result {
	t.Helper()
	kept, err := store.Open(t.Context(), store.Config{URL: databaseURL, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close() // nothing may be connected to what is copied
	if err := kept.Migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	r, err := simulate.Run(t.Context(), simulate.Config{
		Until: until, Days: 24, Coders: 5, Notes: 1400, Seed: 7, Zone: chicago, Write: kept.WriteStories,
	})
	if err != nil {
		t.Fatal(err)
	}
	for day, spend := range r.Spending {
		if err := kept.SettleLLM(t.Context(), day, spend); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range r.Coders {
		u := coding.User{Login: c.Login, Name: c.Name, Role: coding.RoleCoder, CreatedAt: r.From}
		if _, ok, err := kept.AddUser(t.Context(), u, "", coding.AuditEvent{At: r.From, Actor: "console", Action: "user.added", Target: c.Login}); err != nil || !ok {
			t.Fatalf("adding %s: %v", c.Login, err)
		}
	}
	return r
}

func (m *month) service(change func(*throughput.Config)) *throughput.Service {
	m.t.Helper()
	levels, err := coding.ParseServiceLevels("24, */emergency=8, sim-south/*=12")
	if err != nil {
		m.t.Fatal(err)
	}
	cfg := throughput.Config{
		Store: m.store, Logger: slog.New(slog.DiscardHandler), Levels: levels, Calendar: throughput.Calendar{Zone: chicago},
		Now: func() time.Time { return until },
	}
	if change != nil {
		change(&cfg)
	}
	s, err := throughput.New(cfg)
	if err != nil {
		m.t.Fatal(err)
	}
	return s
}

// owner is a connection that may do anything.
func (m *month) owner() *pgx.Conn {
	m.t.Helper()
	conn, err := pgx.Connect(m.t.Context(), m.url)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// counted is all that was counted, as text.
func (m *month) counted() map[string][]string {
	m.t.Helper()
	conn := m.owner()
	out := map[string][]string{}
	for _, table := range []string{"throughput_rounds", "throughput_notes", "throughput_cells"} {
		rows, err := conn.Query(m.t.Context(), "SELECT t::text FROM "+table+" t ORDER BY 1")
		if err != nil {
			m.t.Fatal(err)
		}
		if out[table], err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			m.t.Fatal(err)
		}
	}
	return out
}

// agrees checks that counting anew gives what is there.
func (m *month) agrees(when string) {
	m.t.Helper()
	before := m.counted()
	if _, err := m.Rebuild(m.t.Context(), nil); err != nil {
		m.t.Fatal(err)
	}
	for table, want := range m.counted() {
		got := before[table]
		if len(want) == 0 {
			m.t.Errorf("%s: nothing in %s", when, table)
		}
		if len(got) != len(want) {
			m.t.Errorf("%s: %s has %d rows, counted anew %d", when, table, len(got), len(want))
		}
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				m.t.Errorf("%s: %s has\n%s\ncounted anew\n%s", when, table, got[i], want[i])
				break
			}
		}
	}
}

func TestCountingAsItHappensAndAnewAgree(t *testing.T) {
	t.Parallel()
	m := newMonth(t)
	if err := m.Refresh(t.Context()); !errors.Is(err, throughput.ErrOtherRules) {
		t.Fatalf("a refresh of what was never counted gave %v", err)
	}
	// As if nothing had been there: what follows is counted as it comes.
	conn := m.owner()
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	if _, err := m.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	exec(`DELETE FROM throughput_rounds`)
	exec(`DELETE FROM throughput_notes`)
	exec(`DELETE FROM throughput_cells`)
	exec(`INSERT INTO throughput_changes (item_id) SELECT id FROM items ORDER BY hashint8(id)`)
	refresh := func() {
		t.Helper()
		if err := m.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	refresh()
	m.agrees("after all items in another order")

	// Events that come late, and what moves from one day or place to another.
	var item int64
	if err := conn.QueryRow(t.Context(), `SELECT item_id FROM throughput_rounds WHERE finished_at IS NOT NULL ORDER BY finished_at LIMIT 1 OFFSET 40`).Scan(&item); err != nil {
		t.Fatal(err)
	}
	exec(`INSERT INTO audit_events (at, actor, action, item_id, target, digest)
		SELECT started_at + interval '1 second', 'sim-coder-01', 'looked', item_id, '', '' FROM throughput_rounds WHERE item_id = $1 AND number = 1`, item)
	exec(`INSERT INTO decisions (item_id, seq, kind, coder, at, content, detail)
		SELECT $1, max(seq) + 1, 'reopen', 'pipeline', max(at) + interval '1 day', 1, '{}' FROM decisions WHERE item_id = $1`, item)
	exec(`INSERT INTO audit_events (at, actor, action, item_id, target, digest) VALUES ($1, 'sim-coder-02', 'looked', $2, '', '')`, until, item)
	exec(`UPDATE items SET specialty = 'Dermatology', setting = 'professional' WHERE id = $1`, item+1)
	exec(`INSERT INTO audit_events (at, actor, action, item_id, target, digest) VALUES ($1, 'sim-coder-02', 'looked', $2, '', '')`, until, item+1)
	exec(`UPDATE item_notes SET item_id = $1 WHERE item_id = $2`, item+3, item+2) // a note moves
	exec(`UPDATE items SET note_count = 0 WHERE id = $1`, item+2)
	exec(`INSERT INTO suggestion_sets (set_id, note_id, revision_id, pipeline, is_current, setting, coding_style, ranker, model, degraded, degraded_reason, cost_usd, created_at, body)
		SELECT set_id || '-again', note_id, revision_id, 'other', false, setting, coding_style, ranker, 'm', false, '', 0.25, created_at - interval '3 days', body
		FROM suggestion_sets WHERE note_id IN (SELECT note_id FROM item_notes WHERE item_id = $1)`, item+4)
	refresh()
	m.agrees("after late events")
}
