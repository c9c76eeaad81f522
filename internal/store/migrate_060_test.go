package store_test

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/tern/v2/migrate"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// migrateBefore brings an empty schema to where it was before a migration.
func migrateBefore(t *testing.T, conn *pgx.Conn, number string) {
	t.Helper()
	var schema string
	if err := conn.QueryRow(t.Context(), "SELECT current_schema()").Scan(&schema); err != nil {
		t.Fatal(err)
	}
	m, err := migrate.NewMigrator(t.Context(), conn, schema+".schema_version")
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Glob(store.MigrationFiles, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	for _, f := range files {
		name := strings.TrimPrefix(f, "migrations/")
		if name >= number {
			break
		}
		body, err := fs.ReadFile(store.MigrationFiles, f)
		if err != nil {
			t.Fatal(err)
		}
		m.AppendMigration(name, string(body), "")
	}
	if err := m.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Items from before have their needs, rankers and coders afterwards, and what
// was a state with a reason is a query.
func TestMigrateToWorkspace(t *testing.T) {
	t.Parallel()
	url := storetest.EmptyURL(t)
	conn := owner(t, url)
	migrateBefore(t, conn, "060")
	for _, sql := range []string{
		`INSERT INTO items (source, encounter_key, encounter_id, state, wait_reason, received_at, note_count)
			VALUES ('north', 'e:1', '1', 'queried', 'Which side?', now(), 1), ('north', 'e:2', '2', 'finished', '', now(), 1)`,
		`INSERT INTO notes (source, note_id) VALUES ('north', 'N1')`,
		`INSERT INTO note_revisions (note_id, number, sha256, received_at, stream_seq, encounter_id, patient_id, patient_sex, author_id, author_name,
			attending_id, attending_name, payer, setting, specialty, note_type, priority, text)
			VALUES (1, 1, repeat('a', 64), now(), 1, '', '', '', '', '', '', '', '', '', '', '', 5, 'x')`,
		`UPDATE notes SET current_revision_id = 1`,
		`INSERT INTO item_notes (note_id, item_id) VALUES (1, 1)`,
		`INSERT INTO suggestion_sets (set_id, note_id, revision_id, pipeline, is_current, setting, coding_style, ranker, model, degraded, degraded_reason, cost_usd, created_at, body)
			VALUES ('s', 1, 1, 'p', true, 'outpatient', 'billing', 'local@1', '', true, 'llm_down', 0, now(), '{"degraded":true,"suggestions":null}')`,
		`INSERT INTO audit_events (at, actor, action, item_id, target, digest) VALUES (now(), 'casey', 'queried', 1, '', '')`,
		`INSERT INTO decisions (item_id, seq, kind, coder, at, content, detail) VALUES (2, 1, 'finish', 'robin', now(), 1, '{}'), (2, 2, 'reopen', 'pipeline', now(), 1, '{}')`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%.60s: %v", sql, err)
		}
	}
	s := open(t, url)
	if err := s.Migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	r, found, err := s.ItemRecord(t.Context(), 1, nil)
	if err != nil || !found || len(r.Queries) != 1 {
		t.Fatal(found, len(r.Queries), err)
	}
	if q := r.Queries[0]; q.Text != "Which side?" || q.AskedBy != "casey" || q.Status != coding.QueryOpen || r.Head.OpenQueries != 1 {
		t.Errorf("the query is %+v of %+v", q, r.Head)
	}
	// Nothing suggested and degraded: 1 - 0.2 * 0.7.
	if h := r.Head; h.Ranker != "local@1" || h.Need < 0.8599 || h.Need > 0.8601 {
		t.Errorf("need %v by %q", h.Need, h.Ranker)
	}
	r, _, err = s.ItemRecord(t.Context(), 2, nil)
	if err != nil || r.Head.Coder != "robin" || r.Head.Need != 0 {
		t.Errorf("the finished item is %+v, %v", r.Head, err)
	}
}

// The more doubt, findings and disagreement, the more an item needs a person.
func TestNeed(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	finding := func(severity coding.Severity) []coding.Finding {
		return []coding.Finding{{Rule: "r", Severity: severity, Codes: []string{"I10"}}}
	}
	need := func(encounter string, sets ...store.Result) float64 {
		t.Helper()
		for _, r := range sets {
			save(t, s, r, store.Created)
		}
		page, err := s.Worklist(t.Context(), coding.WorklistQuery{Sort: coding.SortNewest, Limit: 200}, noon)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range page.Items {
			if h.EncounterID == encounter {
				return h.Need
			}
		}
		t.Fatalf("no item of %s", encounter)
		return 0
	}
	seq := 0
	one := func(encounter string, change func(*coding.SuggestionSet), suggestions ...coding.Suggestion) store.Result {
		seq++
		r := result(note("N-"+encounter+strings.Repeat("x", seq), encounter), seq, suggestions...)
		if change != nil {
			change(&r.Set)
		}
		return r
	}
	with := func(sg coding.Suggestion, f []coding.Finding) coding.Suggestion { sg.Warnings = f; return sg }
	for _, c := range []struct {
		name string
		got  float64
		want float64
	}{
		{"sure", need("sure", one("sure", nil, suggestion("I10", 1, 1))), 0},
		{"even", need("even", one("even", nil, suggestion("I10", 1, 0.5))), 0.6},
		{"surely not", need("not", one("not", nil, suggestion("I10", 1, 0))), 0},
		{"between", need("between", one("between", nil, suggestion("I10", 1, 0.5), suggestion("R07.9", 2, 1))), 0.3},
		{"nothing", need("nothing", one("nothing", nil)), 0.8},
		{"degraded", need("degraded", one("degraded", func(s *coding.SuggestionSet) { s.Degraded = true }, suggestion("I10", 1, 1))), 0.3},
		{"error", need("error", one("error", nil, with(suggestion("I10", 1, 1), finding(coding.SeverityError)))), 0.3},
		{"warning", need("warning", one("warning", nil, with(suggestion("I10", 1, 1), finding(coding.SeverityWarning)))), 0.05},
		{"told", need("told", one("told", nil, with(suggestion("I10", 1, 1), finding(coding.SeverityInformation)))), 0},
		{"agreeing notes", need("agree", one("agree", nil, suggestion("I10", 1, 1)), one("agree", nil, suggestion("I10", 1, 1))), 0},
		{"disagreeing notes", need("differ", one("differ", nil, suggestion("I10", 1, 1)), one("differ", nil, suggestion("R07.9", 1, 1))), 0.2},
	} {
		if d := c.got - c.want; d > 1e-9 || d < -1e-9 {
			t.Errorf("%s: need is %v, want %v", c.name, c.got, c.want)
		}
	}
}

// Items finished within the period come in that order, those open again not.
func TestReviewedItems(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for i, name := range []string{"a", "b", "c", "d"} {
		listed(t, s, name, i, func(n *coding.Note, _ *coding.SuggestionSet) {
			n.Specialty = name
			if name == "c" {
				n.Source = "south"
			}
		})
	}
	page, err := s.Worklist(t.Context(), coding.WorklistQuery{Sort: coding.SortOldest, Limit: 10}, nine)
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range page.Items {
		at := nine.AddDate(0, 0, -i) // the last item first
		decisions := []coding.Decision{{Seq: 1, Kind: coding.Finish, Coder: "casey", At: at}}
		state := coding.ItemFinished
		if h.Specialty == "d" {
			decisions, state = append(decisions, coding.Decision{Seq: 2, Kind: coding.Reopen, Coder: "casey", At: at}), coding.ItemOpen
		}
		change(t, s, h.ID, coding.ItemChange{State: state, Decisions: decisions})
	}
	for want, q := range map[string]struct {
		days   int
		source string
	}{"c b a": {10, ""}, "b a": {1, ""}, "a": {0, ""}, "c": {10, "south"}, "": {10, "east"}} {
		var got []coding.ItemHead
		for r, err := range s.ReviewedItems(context.WithoutCancel(t.Context()), nine.AddDate(0, 0, -q.days), nine.AddDate(0, 0, 1), q.source) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r.Head)
		}
		if names(got) != want {
			t.Errorf("of %d days and source %q came %q, want %q", q.days, q.source, names(got), want)
		}
	}
}

// The bounds that the statements write out are those that users are told.
func TestCountsStopAtTheirBounds(t *testing.T) {
	t.Parallel()
	url := storetest.MigratedURL(t)
	_, err := owner(t, url).Exec(t.Context(), `INSERT INTO items (source, encounter_key, encounter_id, received_at, note_count, specialty, state)
		SELECT 'north', 'e:' || i, i, now(), 1, CASE WHEN i < 5 THEN 'Few' ELSE 'Many' END, CASE WHEN i = 1 THEN 'held' ELSE 'open' END
		FROM generate_series(1, 10050) AS i`)
	if err != nil {
		t.Fatal(err)
	}
	c, err := open(t, url).WorklistCounts(t.Context(), "casey", noon)
	if err != nil || c.States[coding.ItemOpen] != coding.CountBound || c.States[coding.ItemHeld] != 1 {
		t.Errorf("states: %v, %v", c.States, err)
	}
	want := []coding.ValueCount{{Value: "Few", Count: 4}, {Value: "Many", Count: coding.ValueBound}}
	if !slices.Equal(c.Specialties, want) {
		t.Errorf("specialties: %v, want %v", c.Specialties, want)
	}
}
