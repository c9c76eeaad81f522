package throughput_test

import (
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/throughput"
)

// The forecast of the invented month, from the events by another way: hour by hour.
func TestForecast(t *testing.T) {
	t.Parallel()
	m := newMonth(t)
	if _, err := m.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	conn := m.owner()
	number := func(sql string, args ...any) float64 {
		t.Helper()
		var x float64
		if err := conn.QueryRow(t.Context(), "SELECT ("+sql+")::float8", args...).Scan(&x); err != nil {
			t.Fatal(err)
		}
		return x
	}
	works := func(at time.Time) bool {
		w := at.In(chicago).Weekday()
		return w != time.Saturday && w != time.Sunday
	}
	clears := func(now time.Time, waiting float64) string {
		out, hours := 0.0, 0
		for h := now.Truncate(time.Hour); hours < 24; h = h.Add(-time.Hour) {
			if works(h.Add(-time.Minute)) {
				hours++
				out += number("SELECT count(*) FROM decisions WHERE kind = 'finish' AND at >= $1 AND at < $2", h.Add(-time.Hour), h)
			}
		}
		var in, days [2]float64
		kind := func(at time.Time) int {
			if works(at) {
				return 0
			}
			return 1
		}
		midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, chicago)
		for i := 1; i <= 7; i++ {
			from, to := midnight.AddDate(0, 0, -i), midnight.AddDate(0, 0, 1-i)
			days[kind(from)]++
			in[kind(from)] += number("SELECT (SELECT count(*) FROM items WHERE received_at >= $1 AND received_at < $2) + (SELECT count(*) FROM decisions WHERE kind = 'reopen' AND at >= $1 AND at < $2)", from, to)
		}
		for i := 0; i <= 365; i++ {
			day := midnight.AddDate(0, 0, i)
			part := 1.0
			if i == 0 {
				part = midnight.AddDate(0, 0, 1).Sub(now).Hours() / 24
			}
			if waiting <= 0 {
				break
			}
			waiting += part * in[kind(day)] / days[kind(day)]
			if works(day) {
				waiting -= part * out
			}
			if waiting <= 0 {
				return day.Format(time.DateOnly)
			}
		}
		if waiting <= 0 {
			return now.Format(time.DateOnly)
		}
		return "not at this pace"
	}
	for what, at := range map[string]time.Time{
		"the end": until, "a Tuesday": time.Date(2026, 3, 10, 9, 30, 0, 0, chicago), "a Sunday": time.Date(2026, 3, 1, 12, 0, 0, 0, chicago),
	} {
		s := m.service(func(c *throughput.Config) { c.Now = func() time.Time { return at } })
		report, err := s.Report(t.Context(), s.FilterOf(nil))
		if err != nil {
			t.Fatal(err)
		}
		figures := map[string]throughput.Value{}
		for _, section := range report.Sections {
			for _, f := range section.Figures {
				figures[f.ID] = f.Value
			}
		}
		if got, want := figures["clears"].Words, clears(at, figures["backlog"].X); got != want {
			t.Errorf("%s: clears %s, want %s", what, got, want)
		}
	}
	// More waiting than is finished: never.
	for range 2 {
		if _, err := conn.Exec(t.Context(), `INSERT INTO throughput_rounds SELECT item_id, number + 1000, source, setting, specialty, 'open', started_at, NULL, NULL, '', false, 1, 1, 0, 0, 0, 0, 0, 0, '{}' FROM throughput_rounds ON CONFLICT DO NOTHING`); err != nil {
			t.Fatal(err)
		}
	}
	report, err := m.Report(t.Context(), m.FilterOf(nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Sections[0].Figures {
		if f.ID == "clears" && f.Value.Words != clears(until, number("SELECT count(*) FROM throughput_rounds WHERE finished_at IS NULL")) {
			t.Errorf("with a long list: clears %v", f.Value)
		}
	}
}

// The outage and the coder who accepts everything are plain to see.
func TestTheMonthShowsWhatHappened(t *testing.T) {
	t.Parallel()
	m := newMonth(t)
	if _, err := m.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	report, err := m.Report(t.Context(), m.FilterOf(nil))
	if err != nil {
		t.Fatal(err)
	}
	outage := coding.DateOf(m.result.OutageFrom.In(chicago)).String()
	var eager string
	for _, c := range m.result.Coders {
		if c.Login == m.result.Eager {
			eager = c.Name
		}
	}
	flagged := 0
	for _, s := range report.Sections {
		for _, tb := range s.Tables {
			for _, row := range tb.Rows {
				switch {
				case tb.ID == "costs" && !row[1].None:
					if day := row[0].Words; (day == outage) != (row[1].X > 0.3) {
						t.Errorf("on %s %v were degraded; the LLM was out on %s", day, row[1].Value, outage)
					}
				case tb.ID == "coders":
					all := row[9].X == 1 && row[len(row)-1].Words == "accepts nearly everything, faster than the team"
					if all != (row[0].Words == eager) {
						t.Errorf("%s accepts %v: %q", row[0].Words, row[9].Value, row[len(row)-1].Words)
					}
					if all {
						flagged++
					}
				}
			}
		}
	}
	if flagged != 1 {
		t.Errorf("%d coders accept everything", flagged)
	}
}

// What is listed behind a figure is as many as the figure says.
func TestListsHoldWhatFiguresCount(t *testing.T) {
	t.Parallel()
	m := newMonth(t)
	if _, err := m.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	counts := map[string]bool{ // figures and columns that count entries of their lists
		"backlog": true, "backlog_late": true, "queries": true, "items_in": true, "notes_in": true, "reopened": true, "items_out": true, "returned": true, "suggested": true,
		"days/Encounters received": true, "days/Notes received": true, "days/Reopened": true, "days/Encounters finished": true,
		"service/Finished": true, "service/In time": true, "service/Waiting now": true, "service/Beyond the level now": true,
		"coders/Encounters finished": true, "coders/Returned": true, "specialties/Encounters received": true, "specialties/Encounters finished": true,
		"lengths/Encounters finished": true, "models/Notes suggested for": true,
	}
	codes := map[string]bool{ // those that count codes of the entries
		"outcomes/Accepted": true, "outcomes/Modified": true, "outcomes/Rejected": true, "outcomes/Added": true, "reasons/Suggestions": true, "notes_out": true, "backlog_notes": true,
	}
	cardiology := "Cardiology"
	for what, change := range map[string]func(*throughput.Filter){
		"all": func(*throughput.Filter) {}, "narrow": func(f *throughput.Filter) { f.Source, f.Specialty = "sim-north", &cardiology },
		"a coder": func(f *throughput.Filter) { f.Coder = "sim-coder-03" },
	} {
		f := m.FilterOf(nil)
		f.From = f.To.AddDays(-8)
		change(&f)
		report, err := m.Report(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		checked := 0
		look := func(name string, v throughput.Value, l *throughput.List) {
			t.Helper()
			if l == nil || v.None || !counts[name] && !codes[name] {
				return
			}
			// As it comes back from the page's link.
			back, ok := m.ListOf(l.Values())
			if !ok {
				t.Fatalf("%s: no list %v", name, l)
			}
			n, sum, cursor := 0, int64(0), ""
			seen := map[int64]bool{}
			for {
				page, err := m.Entries(t.Context(), back, cursor)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				for _, e := range page.Entries {
					n, sum = n+1, sum+e.Count
					if key := e.ID<<20 ^ e.At.UnixMicro(); seen[key] {
						t.Errorf("%s: %s lists %d twice", what, name, e.ID)
					} else {
						seen[key] = true
					}
				}
				if cursor = page.Next; cursor == "" {
					break
				}
			}
			got := float64(n)
			if codes[name] {
				got = float64(sum)
			}
			if checked++; got != v.X {
				t.Errorf("%s: %s is %v and lists %v", what, name, v.X, got)
			}
		}
		for _, s := range report.Sections {
			for _, figure := range s.Figures {
				look(figure.ID, figure.Value, figure.List)
			}
			for _, tb := range s.Tables {
				for _, row := range tb.Rows {
					for i, cell := range row {
						look(tb.ID+"/"+tb.Columns[i], cell.Value, cell.List)
					}
				}
			}
		}
		if checked < 20 {
			t.Errorf("%s: only %d lists were counted", what, checked)
		}
	}
}
