package throughput_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
	"chartcode/internal/throughput"
)

// views say once more, in SQL over what happened, what rounds and sets are. They
// share nothing with what they check but the definitions.
const views = `
CREATE FUNCTION pg_temp.step(seconds double precision) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
	SELECT greatest(1, CASE WHEN seconds <= 120 THEN ceil(seconds) WHEN seconds <= 600 THEN ceil(seconds / 10) * 10
		WHEN seconds <= 7200 THEN ceil(seconds / 60) * 60 WHEN seconds <= 43200 THEN ceil(seconds / 300) * 300
		WHEN seconds <= 259200 THEN ceil(seconds / 1800) * 1800 WHEN seconds <= 2592000 THEN ceil(seconds / 21600) * 21600
		ELSE ceil(seconds / 86400) * 86400 END) $$;
CREATE FUNCTION pg_temp.working(a timestamptz, b timestamptz) RETURNS double precision LANGUAGE sql STABLE AS $$
	SELECT coalesce(sum(extract(epoch FROM least(b, (d + interval '1 day') AT TIME ZONE 'America/Chicago') - greatest(a, d AT TIME ZONE 'America/Chicago'))), 0)::double precision
	FROM generate_series(date_trunc('day', a AT TIME ZONE 'America/Chicago'), b AT TIME ZONE 'America/Chicago', interval '1 day') d
	WHERE extract(isodow FROM d) < 6 $$;
CREATE FUNCTION pg_temp.level(source text, setting text) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
	SELECT 3600.0 * CASE WHEN source = 'sim-south' THEN 12 WHEN setting = 'emergency' THEN 8 ELSE 24 END $$;
CREATE TEMP TABLE ended AS
	SELECT item_id, seq, at, coder, detail->>'disposition' AS disposition, row_number() OVER (PARTITION BY item_id ORDER BY seq) AS n
	FROM decisions WHERE kind = 'finish';
CREATE TEMP TABLE begun AS
	SELECT id AS item_id, 0 AS seq, received_at AS at, 1 AS n FROM items
	UNION ALL SELECT item_id, seq, at, 1 + row_number() OVER (PARTITION BY item_id ORDER BY seq) FROM decisions WHERE kind = 'reopen';
CREATE TEMP TABLE acts AS
	SELECT item_id, actor, at, lead(at) OVER w AS then, action NOT IN ('released', 'held', 'queried', 'skipped', 'sent', 'decision.finish') AS stays,
		action IN ('looked', 'claimed', 'taken_over', 'resumed') OR action LIKE 'decision.%' AS looks
	FROM audit_events WHERE item_id <> 0 WINDOW w AS (PARTITION BY item_id, actor ORDER BY at, id);
CREATE TEMP TABLE fates AS
	SELECT item_id, seq, kind, coalesce(detail->>'reason_code', '') AS reason FROM (
		SELECT d.*, lead(kind) OVER (PARTITION BY item_id ORDER BY seq) AS next FROM decisions d) x
	WHERE kind IN ('accept', 'reject', 'modify', 'add') AND next IS DISTINCT FROM 'undo';
CREATE TEMP TABLE r AS
	SELECT i.id, b.n, i.source, i.setting, i.specialty, b.at AS s, e.at AS e, e.coder, e.disposition, e.seq AS last, b.seq AS first,
		(b.at AT TIME ZONE 'America/Chicago')::date AS sday, (e.at AT TIME ZONE 'America/Chicago')::date AS eday,
		extract(hour FROM b.at AT TIME ZONE 'America/Chicago') AS shour, extract(hour FROM e.at AT TIME ZONE 'America/Chicago') AS ehour,
		extract(epoch FROM e.at - b.at)::double precision AS took, pg_temp.working(b.at, e.at) AS worked,
		(SELECT extract(epoch FROM min(a.at) - b.at)::double precision FROM acts a WHERE a.item_id = i.id AND a.looks AND a.at BETWEEN b.at AND e.at) AS look,
		(SELECT coalesce(sum(least(extract(epoch FROM a.then - a.at), 300)), 0)::double precision FROM acts a WHERE a.item_id = i.id AND a.actor = e.coder AND a.stays AND a.at >= b.at AND a.then <= e.at) AS active,
		(SELECT coalesce(sum(least(extract(epoch FROM a.then - a.at), 300)), 0)::double precision FROM acts a WHERE a.item_id = i.id AND a.actor <> e.coder AND a.stays AND a.at >= b.at AND a.then <= e.at) AS others,
		(SELECT count(*) FROM item_notes m WHERE m.item_id = i.id AND m.added_at <= e.at) - coalesce((SELECT count(*) FROM item_notes m
			WHERE m.item_id = i.id AND m.added_at <= (SELECT p.at FROM ended p WHERE p.item_id = i.id AND p.n = b.n - 1)), 0) AS notes,
		(SELECT sum(length(convert_to(v.text, 'UTF8'))) FROM item_notes m JOIN note_revisions v USING (note_id) WHERE m.item_id = i.id) AS bytes
	FROM items i JOIN begun b ON b.item_id = i.id LEFT JOIN ended e ON e.item_id = i.id AND e.n = b.n;
ALTER TABLE r ADD acc int, ADD mod int, ADD rej int, ADD added int, ADD level double precision;
UPDATE r SET level = pg_temp.level(source, setting), acc = (SELECT count(*) FROM fates f WHERE f.item_id = id AND f.seq > first AND f.seq < last AND kind = 'accept'),
	mod = (SELECT count(*) FROM fates f WHERE f.item_id = id AND f.seq > first AND f.seq < last AND kind = 'modify'),
	rej = (SELECT count(*) FROM fates f WHERE f.item_id = id AND f.seq > first AND f.seq < last AND kind = 'reject'),
	added = (SELECT count(*) FROM fates f WHERE f.item_id = id AND f.seq > first AND f.seq < last AND kind = 'add');
CREATE TEMP TABLE sets AS
	SELECT s.id, i.source, i.setting, i.specialty, v.received_at AS received, s.created_at AS made, s.degraded, s.cost_usd AS cost,
		CASE WHEN s.model = '' THEN s.ranker ELSE s.model END AS model, extract(epoch FROM s.created_at - v.received_at)::double precision AS took,
		(v.received_at AT TIME ZONE 'America/Chicago')::date AS rday, (s.created_at AT TIME ZONE 'America/Chicago')::date AS mday,
		extract(hour FROM v.received_at AT TIME ZONE 'America/Chicago') AS rhour
	FROM suggestion_sets s JOIN note_revisions v ON v.id = s.revision_id JOIN item_notes m ON m.note_id = s.note_id JOIN items i ON i.id = m.item_id;
ANALYZE`

// check compares a report with the views.
type check struct {
	t          *testing.T
	conn       *pgx.Conn
	what       string
	report     throughput.Report
	where      string // of rounds and sets
	start, fin string // conditions on days
	made       string
	seen       map[string]bool
}

// filtered are the conditions of a filter.
func (c *check) filtered(f throughput.Filter) {
	var where []string
	if f.Source != "" {
		where = append(where, fmt.Sprintf("source = '%s'", f.Source))
	}
	if f.Setting != "" {
		where = append(where, fmt.Sprintf("setting = '%s'", f.Setting))
	}
	if f.Specialty != nil {
		where = append(where, fmt.Sprintf("specialty = '%s'", *f.Specialty))
	}
	c.where = "true"
	if len(where) > 0 {
		c.where = strings.Join(where, " AND ")
	}
	days := fmt.Sprintf("BETWEEN '%s' AND '%s' AND %s", f.From, f.To, c.where)
	c.start, c.made = "sday "+days, days
	c.fin = "eday " + days
	if f.Coder != "" {
		c.fin += fmt.Sprintf(" AND coder = '%s'", f.Coder)
	}
}

func (c *check) number(sql string) (x float64, some bool) {
	c.t.Helper()
	var v *float64
	if err := c.conn.QueryRow(c.t.Context(), "SELECT ("+sql+")::double precision").Scan(&v); err != nil {
		c.t.Fatalf("%s: %v", sql, err)
	}
	if v == nil {
		return 0, false
	}
	return *v, true
}

func near(a, b float64) bool {
	return math.Abs(a-b) <= 1e-9*math.Max(1, math.Max(math.Abs(a), math.Abs(b)))
}

// figure compares one figure with a number.
func (c *check) figure(id, sql string) {
	c.t.Helper()
	for _, s := range c.report.Sections {
		for _, f := range s.Figures {
			if f.ID != id {
				continue
			}
			c.seen[id] = true
			want, some := c.number(sql)
			if f.Value.None == some || some && !near(f.Value.X, want) {
				c.t.Errorf("%s: %s is %v (%v), counted from events %v (%v)", c.what, id, f.Value.X, f.Value, want, some)
			}
			if f.Definition == "" || f.Label == "" {
				c.t.Errorf("%s has no label or definition", id)
			}
			return
		}
	}
	c.t.Errorf("%s: there is no figure %s", c.what, id)
}

// table compares the numbers of a table, row by row, with those of a query, whose
// first column names the row.
func (c *check) table(id, sql string) {
	c.t.Helper()
	rows, err := c.conn.Query(c.t.Context(), sql)
	if err != nil {
		c.t.Fatalf("%s: %v", id, err)
	}
	want := map[string][]any{}
	for rows.Next() {
		v, err := rows.Values()
		if err != nil {
			c.t.Fatal(err)
		}
		want[v[0].(string)] = v[1:]
	}
	if rows.Err() != nil {
		c.t.Fatalf("%s: %v", id, rows.Err())
	}
	for _, s := range c.report.Sections {
		for _, t := range s.Tables {
			if t.ID != id {
				continue
			}
			c.seen["table "+id] = true
			found := 0
			for _, row := range t.Rows {
				name := row[0].Words
				cells := row[1:]
				for len(cells) > 0 && cells[0].Kind == throughput.Text && cells[0].Words != "" && id == "service" {
					name, cells = name+"/"+cells[0].Words, cells[1:]
				}
				expected, known := want[name]
				if !known { // nothing happened: all must be nothing
					for i, cell := range cells {
						if !cell.None && cell.X != 0 && !(id == "service" && i == 0) {
							c.t.Errorf("%s: %s, %s, column %d is %v, counted from events nothing", c.what, id, name, i+1, cell.Value)
						}
					}
					continue
				}
				found++
				for i, w := range expected {
					x, some := float(w)
					if cells[i].None && some && x == 0 {
						continue
					}
					if cells[i].None == some || some && !near(cells[i].X, x) {
						c.t.Errorf("%s: %s, %s, column %q is %v (%v), counted from events %v", c.what, id, name, t.Columns[len(t.Columns)-len(cells)+i], cells[i].X, cells[i].Value, w)
					}
				}
			}
			if found != len(want) {
				c.t.Errorf("%s: %s has %d of %d rows", c.what, id, found, len(want))
			}
			return
		}
	}
	c.t.Errorf("%s: there is no table %s", c.what, id)
}

func float(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case int32:
		return float64(v), true
	case nil:
		return 0, false
	}
	panic(fmt.Sprintf("%T", v))
}

const (
	each   = "(sum(active) / nullif(sum(notes), 0))::float8, percentile_disc(0.5) WITHIN GROUP (ORDER BY pg_temp.step(active / greatest(1, notes))), percentile_disc(0.9) WITHIN GROUP (ORDER BY pg_temp.step(active / greatest(1, notes)))"
	tookIn = "percentile_disc(%s) WITHIN GROUP (ORDER BY pg_temp.step(%s))"
)

// TestEveryFigureIsWhatHappened compares every figure and every number of every
// table with what SQL counts from the events.
func TestEveryFigureIsWhatHappened(t *testing.T) {
	t.Parallel()
	m := newMonth(t)
	if _, err := m.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	dead := time.Date(2026, 3, 9, 10, 0, 0, 0, chicago)
	service := m.service(func(c *throughput.Config) {
		c.Dead = func(context.Context) (int, time.Time, error) { return 3, dead, nil }
	})
	conn := m.owner()
	if _, err := conn.Exec(t.Context(), views); err != nil {
		t.Fatal(err)
	}
	day := coding.NewDate
	cardiology, none := "Cardiology", ""
	all := throughput.Filter{From: day(2026, 2, 16), To: day(2026, 3, 11)}
	for what, change := range map[string]func(f *throughput.Filter){
		"all":                 func(*throughput.Filter) {},
		"a week":              func(f *throughput.Filter) { f.From = day(2026, 3, 5) },
		"a place":             func(f *throughput.Filter) { f.Source, f.Setting = "sim-north", coding.Outpatient },
		"a specialty":         func(f *throughput.Filter) { f.Specialty = &cardiology },
		"no specialty":        func(f *throughput.Filter) { f.Specialty = &none },
		"a coder":             func(f *throughput.Filter) { f.Coder, f.From = m.result.Eager, day(2026, 3, 2) },
		"a coder's specialty": func(f *throughput.Filter) { f.Coder, f.Specialty = "sim-coder-01", &cardiology },
		"a quiet time":        func(f *throughput.Filter) { f.From, f.To = day(2025, 1, 1), day(2025, 1, 3) },
	} {
		f := all
		change(&f)
		report, err := service.Report(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		c := &check{t: t, conn: conn, what: what, report: report, seen: map[string]bool{}}
		c.filtered(f)
		c.compare(f)
		for _, s := range report.Sections {
			for _, f := range s.Figures {
				if !c.seen[f.ID] {
					t.Errorf("%s: the figure %s is not checked", what, f.ID)
				}
			}
			for _, tb := range s.Tables {
				if !c.seen["table "+tb.ID] {
					t.Errorf("%s: the table %s is not checked", what, tb.ID)
				}
				for _, row := range tb.Rows {
					if len(row) != len(tb.Columns) {
						t.Errorf("%s: %s has a row of %d cells and %d columns", what, tb.ID, len(row), len(tb.Columns))
					}
				}
			}
		}
	}
}

func (c *check) compare(f throughput.Filter) {
	c.t.Helper()
	from := func(what, cond string) string { return "SELECT " + what + " FROM r WHERE " + cond }
	own := f.Coder != ""
	now := fmt.Sprintf("timestamptz '%s'", until.Format(time.RFC3339))
	if !own {
		open := "e IS NULL AND " + c.where
		c.figure("backlog", from("count(*)", open))
		c.figure("backlog_notes", "SELECT coalesce(sum((SELECT count(*) FROM item_notes m WHERE m.item_id = r.id) - (SELECT count(*) FROM item_notes m WHERE m.item_id = r.id AND m.added_at <= coalesce((SELECT max(p.at) FROM ended p WHERE p.item_id = r.id), '-infinity'))), 0) FROM r WHERE "+open)
		c.figure("backlog_late", from("count(*)", open+" AND pg_temp.working(s, "+now+") > level"))
		c.figure("backlog_oldest", from("extract(epoch FROM "+now+" - min(s))", open))
		c.seen["clears"] = true // TestForecast
		queries := " FROM item_queries q JOIN items i ON i.id = q.item_id WHERE status = 'open' AND " + c.where
		c.figure("queries", "SELECT count(*)"+queries)
		c.figure("queries_oldest", "SELECT extract(epoch FROM "+now+" - min(asked_at))"+queries)
		c.figure("dead", "SELECT 3")
		c.figure("dead_oldest", "SELECT extract(epoch FROM "+now+" - timestamptz '2026-03-09 10:00-05')")
		c.figure("items_in", from("count(*)", c.start+" AND n = 1"))
		c.figure("reopened", from("count(*)", c.start+" AND n > 1"))
		c.figure("notes_in", "SELECT count(*) FROM sets WHERE rday "+c.made)
		c.figure("suggested", "SELECT count(*) FROM sets WHERE mday "+c.made)
		c.figure("degraded", "SELECT avg(degraded::int) FROM sets WHERE mday "+c.made)
		c.figure("cost", "SELECT coalesce(sum(cost), 0) FROM sets WHERE mday "+c.made)
		c.figure("cost_each", "SELECT avg(cost) FROM sets WHERE mday "+c.made)
		c.figure("spent", fmt.Sprintf("SELECT coalesce(sum(nano_usd), 0) / 1e9 FROM llm_spending WHERE day BETWEEN '%s' AND '%s'", f.From, f.To))
		c.figure("to_suggestion", "SELECT "+fmt.Sprintf(tookIn, "0.5", "took")+" FROM sets WHERE mday "+c.made)
		c.figure("to_suggestion_p90", "SELECT "+fmt.Sprintf(tookIn, "0.9", "took")+" FROM sets WHERE mday "+c.made)
	} else {
		c.figure("queries", fmt.Sprintf("SELECT count(*) FROM item_queries q JOIN items i ON i.id = q.item_id WHERE status = 'open' AND asked_by = '%s' AND %s", f.Coder, c.where))
	}
	c.figure("items_out", from("count(*)", c.fin))
	c.figure("notes_out", from("coalesce(sum(notes), 0)", c.fin))
	c.figure("returned", from("count(*)", c.fin+" AND disposition = 'returned'"))
	c.figure("in_time", from("avg((worked <= level)::int)", c.fin))
	c.figure("to_finish", from(fmt.Sprintf(tookIn, "0.5", "took"), c.fin))
	c.figure("to_finish_p90", from(fmt.Sprintf(tookIn, "0.9", "took"), c.fin))
	c.figure("to_look", from(fmt.Sprintf(tookIn, "0.5", "look"), c.fin))
	c.figure("to_look_p90", from(fmt.Sprintf(tookIn, "0.9", "look"), c.fin))
	c.figure("active_each", from("sum(active) / nullif(sum(notes), 0)", c.fin))
	c.figure("active_median", from(fmt.Sprintf(tookIn, "0.5", "active / greatest(1, notes)"), c.fin))
	c.figure("active_p90", from(fmt.Sprintf(tookIn, "0.9", "active / greatest(1, notes)"), c.fin))
	c.figure("per_hour", from("sum(notes) / nullif(sum(active) / 3600, 0)", c.fin))
	c.figure("others", from("coalesce(sum(others), 0)", c.fin))
	c.figure("accepted", from("sum(acc)::float8 / nullif(sum(acc + mod + rej), 0)", c.fin))
	c.figure("modified", from("sum(mod)::float8 / nullif(sum(acc + mod + rej), 0)", c.fin))
	c.figure("rejected", from("sum(rej)::float8 / nullif(sum(acc + mod + rej), 0)", c.fin))
	c.figure("added", from("sum(added)::float8 / nullif(count(*), 0)", c.fin))
	c.tables(f, now)
}
