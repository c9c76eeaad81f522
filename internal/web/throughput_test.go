package web_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"image/png"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
	"chartcode/internal/simulate"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
	"chartcode/internal/throughput"
	"chartcode/internal/web"
)

// month is a database with an invented month that has just ended, copied for each test:
// making it takes longer than most of them.
var month struct {
	storetest.Template
	simulate.Result
}

// monthSite serves an invented month that has just ended.
func monthSite(t testing.TB) (*site, simulate.Result) {
	t.Helper()
	u := month.URL(t, func(databaseURL string) {
		month.Result = invent(t, databaseURL, simulate.Config{Days: 30, Coders: 6, Notes: 1500, Seed: 3})
	})
	r := month.Result
	r.Coders = slices.Clone(r.Coders)
	return figuresSite(t, u), r
}

// invented serves invented work that has just ended.
func invented(t testing.TB, cfg simulate.Config) (*site, simulate.Result) {
	t.Helper()
	u := storetest.MigratedURL(t)
	r := invent(t, u, cfg)
	return figuresSite(t, u), r
}

// chicago is the time zone of invented work.
func chicago(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func figuresSite(t testing.TB, databaseURL string) *site {
	t.Helper()
	zone := chicago(t)
	return newSiteOn(t, databaseURL, func(c *web.Config) {
		c.Zone = zone
		c.Figures = figuresOf(t, c)
	})
}

// invent writes invented work that has just ended, and its figures.
func invent(t testing.TB, databaseURL string, cfg simulate.Config) simulate.Result {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	kept, err := store.Open(t.Context(), store.Config{URL: databaseURL, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close() // nothing may be connected to what is copied
	if err := kept.Migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	cfg.Until, cfg.Zone, cfg.Write = now, chicago(t), kept.WriteStories
	r, err := simulate.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.Coders[2].Name = "=" + r.Coders[2].Name // a formula to spreadsheets
	for _, c := range r.Coders {
		u := coding.User{Login: c.Login, Name: c.Name, Role: coding.RoleCoder, CreatedAt: r.From}
		if _, _, err := kept.AddUser(t.Context(), u, "", coding.AuditEvent{At: now, Actor: "console", Action: "user.added", Target: c.Login}); err != nil {
			t.Fatal(err)
		}
	}
	figures, err := throughput.New(throughput.Config{Store: kept, Logger: quiet, Calendar: throughput.Calendar{Zone: cfg.Zone}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := figures.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return r
}

// figuresOf are the figures of a site's store.
func figuresOf(t testing.TB, c *web.Config) *throughput.Service {
	t.Helper()
	kept, ok := c.Versions.(*store.Store)
	if !ok {
		t.Fatal("the site has no store")
	}
	figures, err := throughput.New(throughput.Config{Store: kept, Logger: slog.New(slog.DiscardHandler), Calendar: throughput.Calendar{Zone: c.Zone}, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	return figures
}

func TestThroughputPage(t *testing.T) {
	t.Parallel()
	s, r := monthSite(t)
	manager := s.as(coding.RoleManager)
	page := manager.get("/throughput")
	page.wants(t, http.StatusOK, "<h1>Throughput</h1>", "Encounters waiting", "Finished in time", `class="chart" role="img" aria-label="Share of suggestions accepted, by coder"`,
		"accepts nearly everything", r.Coders[0].Name, `href="/throughput/items?`, "A pause counts for at most 5 minutes")
	page.lacks(t, "style=", "<script>", "NaN", "%!")
	// Each figure has its definition, and each link leads somewhere.
	if figures, meanings := strings.Count(page.body, `class="tile"`), strings.Count(page.body, `class="means"`); figures < 25 || figures != meanings {
		t.Errorf("there are %d figures and %d definitions", figures, meanings)
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`href="(/throughput/[^"]*)"`).FindAllStringSubmatch(page.body, -1) {
		path := strings.ReplaceAll(m[1], "&amp;", "&")
		kind := regexp.MustCompile(`list=\w+|tables/\w+`).FindString(path)
		if seen[kind] {
			continue
		}
		seen[kind] = true
		if a := manager.get(path); a.StatusCode != http.StatusOK {
			t.Errorf("%s gave %d", path, a.StatusCode)
		}
	}
	if len(seen) < 25 {
		t.Errorf("the page leads to %d kinds of lists and tables: %v", len(seen), seen)
	}
	manager.get("/throughput?view=tables").wants(t, http.StatusOK, `<details class="table" open>`, `id="table-days"`)
	if tables := manager.get("/throughput?view=tables"); strings.Contains(tables.body, `role="img"`) {
		t.Error("the tables come with charts")
	}
	manager.get("/throughput?source=sim-north&setting=inpatient&specialty=-&days=7").wants(t, http.StatusOK, "Clear filters")
	manager.get("/throughput?from=2020-01-01&to=2020-01-07").wants(t, http.StatusOK, "2020-01-01 to 2020-01-07", "Nothing in this period.")
	fallback := manager.get("/throughput?from=x&to=2020-01-07&setting=y&days=400")
	fallback.wants(t, http.StatusOK, `<option value="30" selected>30 days</option>`, `<option value="">from – to</option>`)
	if got, want := period(t, fallback), period(t, page); got != want {
		t.Errorf("what cannot be read shows %q and nothing asked for %q", got, want)
	}
	manager.get("/throughput/items?list=none").wants(t, http.StatusNotFound)
	manager.get("/throughput/tables/none.csv").wants(t, http.StatusNotFound)
	manager.get("/throughput/items?list=rejected").wants(t, http.StatusOK, "With rejected suggestions", `href="/items/`)
	manager.get("/throughput/items?list=finished&from=2020-01-01&to=2020-01-02").wants(t, http.StatusOK, "Nothing here")
	if first := manager.get("/throughput/items?list=finished"); !strings.Contains(first.body, "after=") {
		t.Error("a long list has no second page")
	}
}

func TestWhoSeesWhoseFigures(t *testing.T) {
	t.Parallel()
	s, r := monthSite(t)
	eager := s.anonymous()
	link, err := s.auth.NewLink(t.Context(), r.Eager)
	if err != nil {
		t.Fatal(err)
	}
	eager.get("/sign-in?link=" + link)
	other := r.Coders[0]
	// Whatever a coder asks for, it is their own.
	for _, path := range []string{"/throughput", "/throughput?coder=" + other.Login, "/throughput?view=tables&coder="} {
		a := eager.get(path)
		a.wants(t, http.StatusOK, "your own", "100.0 %")
		a.lacks(t, other.Name, other.Login, "Encounters waiting", "Cost of suggestions", `for="coder"`, "Degraded")
	}
	a := eager.get("/throughput/tables/coders.csv?coder=" + other.Login)
	a.wants(t, http.StatusOK)
	if lines := strings.Count(a.body, "\n"); lines != 2 || strings.Contains(a.body, other.Name) {
		t.Errorf("a coder's table of coders is\n%s", a.body)
	}
	list := eager.get("/throughput/items?list=finished&coder=" + other.Login)
	list.wants(t, http.StatusOK)
	list.lacks(t, other.Name)
	for _, of := range []string{"backlog", "late", "received", "notes", "suggested", "degraded", "reopened"} {
		eager.get("/throughput/items?list="+of).wants(t, http.StatusForbidden, "whole team")
	}
	eager.get("/throughput/tables/days.csv").wants(t, http.StatusNotFound)
	for role, status := range map[coding.UserRole]int{coding.RoleManager: 200, coding.RoleAdmin: 200, coding.RoleAuditor: 403, coding.RoleCoder: 200} {
		b := s.as(role)
		b.get("/throughput").wants(t, status)
		if front := b.get("/"); strings.Contains(front.body, `href="/throughput"`) != (status == 200) {
			t.Errorf("the link to figures for %s is wrong", role)
		}
	}
	if a := s.anonymous().get("/throughput"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("nobody's browser gets %d", a.StatusCode)
	}
}

func TestTablesAsCSV(t *testing.T) {
	t.Parallel()
	s, r := monthSite(t)
	manager := s.as(coding.RoleManager)
	a := manager.get("/throughput/tables/coders.csv")
	a.wants(t, http.StatusOK)
	if got := a.Header.Get("Content-Type"); got != "text/csv; charset=utf-8" {
		t.Errorf("the type is %s", got)
	}
	lines, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 1+len(r.Coders) || lines[0][3] != "Active time (seconds)" || lines[0][9] != "Accepted (share)" {
		t.Errorf("%d lines, beginning with %v", len(lines), lines[0])
	}
	harmless := false
	for _, line := range lines[1:] {
		if len(line) != len(lines[0]) || strings.ContainsAny(line[2], ", ") || strings.HasPrefix(line[0], "=") {
			t.Errorf("a line is %q", line)
		}
		harmless = harmless || line[0] == "'"+r.Coders[2].Name
	}
	if !harmless {
		t.Errorf("a name that is a formula is not there, or is one: %v", lines)
	}
}

func TestNothingCountedYet(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *web.Config) { c.Zone, c.Figures = time.UTC, nil })
	s.as(coding.RoleManager).get("/throughput").wants(t, http.StatusNotFound)
	s = newSite(t, func(c *web.Config) { c.Zone = time.UTC; c.Figures = figuresOf(t, c) })
	s.as(coding.RoleManager).get("/throughput").wants(t, http.StatusOK, "Nothing is counted yet", "chartcode metrics rebuild")
}

// eventReads is how often tables of events were read, by index or from end to end.
// What a connection did is in it once the connection is closed.
func eventReads(t testing.TB, url string) map[string]int64 {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	rows, err := conn.Query(t.Context(), `SELECT relname, seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE schemaname = current_schema()
		AND relname IN ('decisions', 'audit_events', 'note_revisions', 'suggestion_sets', 'suggestions', 'notes', 'item_notes', 'items', 'outbox', 'throughput_rounds')`)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	var name string
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&name, &n}, func() error { out[name] = n; return nil }); err != nil {
		t.Fatal(err)
	}
	if len(out) != 10 {
		t.Fatalf("only %v are counted", out)
	}
	return out
}

// readsNoEvents compares what was read with before.
func readsNoEvents(t testing.TB, before, after map[string]int64) {
	t.Helper()
	for name, n := range after {
		switch read := n - before[name]; {
		case name == "throughput_rounds": // shows that reading is noticed
			if read == 0 {
				t.Error("no page read the backlog, or reading is not noticed")
			}
		case name == "items": // those of open queries
		case read != 0:
			t.Errorf("%s was read %d times", name, read)
		}
	}
}

// The pages of figures read sums, the backlog and open queries, and never the
// events.
func TestFiguresReadNoEvents(t *testing.T) {
	t.Parallel()
	s, r := monthSite(t)
	figuresReadNoEvents(t, s, r)
}

// figuresReadNoEvents ends the site's use of its store.
func figuresReadNoEvents(t testing.TB, s *site, r simulate.Result) {
	t.Helper()
	s.store.Close() // and what it did is counted
	before := eventReads(t, s.url)
	kept, err := store.Open(t.Context(), store.Config{URL: s.url, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	figures := figuresOf(t, &web.Config{Versions: kept, Zone: time.UTC, Now: time.Now})
	for _, q := range []string{"", "days=90", "coder=" + r.Eager, "specialty=Cardiology", "source=sim-north&setting=inpatient"} {
		v, err := url.ParseQuery(q)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := figures.Report(t.Context(), figures.FilterOf(v)); err != nil {
			t.Fatal(err)
		}
	}
	kept.Close()
	readsNoEvents(t, before, eventReads(t, s.url))
}

// TestThroughputInTheBrowser: the tables are one key away, charts have colours in
// both schemes, and axe finds nothing.
func TestThroughputInTheBrowser(t *testing.T) {
	t.Parallel()
	script := axe(t)
	s, _ := monthSite(t)
	b := s.tab()
	b.signIn(coding.RoleManager)
	b.open("/")
	b.press("v")
	b.until(`location.pathname === "/throughput"`)
	b.until(`document.querySelectorAll("svg.chart").length >= 8`)
	for _, scheme := range []string{"dark", "light"} {
		b.scheme(scheme)
		b.until(`getComputedStyle(document.querySelector("svg.chart .fill-s1")).fill !== "none"`)
		shoot(t, b, "throughput-"+scheme)
	}
	// The checker's time grows with the page, so it looks at a week of the month.
	b.open("/throughput?days=7")
	b.until(`document.querySelectorAll("svg.chart").length >= 8`)
	b.accessible(script, "charts")
	b.run(chromedp.Click(`a[href="#table-days"]`))
	b.until(`document.querySelector("#table-days").closest("details").open`)
	b.press("b")
	b.until(`location.search.includes("view=tables") && document.querySelectorAll("details.table[open]").length >= 10`)
	b.accessible(script, "tables")
	b.press("b")
	b.until(`document.querySelectorAll("svg.chart").length >= 8`)
	b.open("/throughput/items?list=finished&days=7")
	b.until(`document.querySelectorAll("tbody tr").length > 10`)
	b.accessible(script, "list")
	b.run(chromedp.EmulateViewport(360, 640))
	for _, path := range []string{"/throughput", "/throughput?days=7"} {
		b.open(path)
		b.until(`document.documentElement.scrollWidth <= 360`)
	}
	b.accessible(script, "narrow")
}

// shoot writes a picture of the whole page where TestScreenshots writes its own.
func shoot(t testing.TB, b *tab, name string) {
	t.Helper()
	if *screenshots == "" {
		return
	}
	picture := b.picture()
	if _, err := png.Decode(bytes.NewReader(picture)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}
