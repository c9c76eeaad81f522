package web_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
	"chartcode/internal/web"
)

// More models than a chart can show do not cost the page, and tables come without
// drawing anything.
func TestThroughputOfManyModels(t *testing.T) {
	t.Parallel()
	s, _ := monthSite(t)
	conn, err := pgx.Connect(t.Context(), s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `UPDATE suggestion_sets SET model = 'model-' || id % 8, cost_usd = 0.001 * (1 + id % 8) WHERE NOT degraded`); err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := figuresOf(t, &web.Config{Versions: s.store, Zone: zone, Now: time.Now}).Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	manager := s.as(coding.RoleManager)
	manager.get("/throughput").wants(t, http.StatusOK, `aria-label="Cost of suggestions by day and model, US dollars"`, "</svg> others</li>")
	tables := manager.get("/throughput?view=tables")
	tables.wants(t, http.StatusOK, "model-0", "model-7")
	tables.lacks(t, `class="chart"`)
}

// period is what the form says: the chosen option and the dates.
func period(t *testing.T, a answer) string {
	t.Helper()
	// The form alone: in the whole page the expressions try every place.
	before, after, _ := strings.Cut(a.body, `id="to" name="to"`)
	before = before[max(0, strings.LastIndex(before, "<form")):]
	form := before + `id="to" name="to"` + after[:min(len(after), 100)]
	option := regexp.MustCompile(`<option value="(\d*)" selected>[^<]*</option>(?s:.*)</select></p>\s*<p><label for="from">`).FindStringSubmatch(form)
	from := regexp.MustCompile(`id="from" name="from" type="date" value="([^"]*)"`).FindStringSubmatch(form)
	to := regexp.MustCompile(`id="to" name="to" type="date" value="([^"]*)"`).FindStringSubmatch(form)
	if option == nil || from == nil || to == nil {
		t.Fatalf("the form is not understood:\n%.3000s", a.body)
	}
	return option[1] + " " + from[1] + " " + to[1]
}

// What is asked for is what the form shows, and showing it again asks for the same.
func TestThroughputPeriods(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 11, 15, 0, 0, 0, time.UTC)
	s := newSite(t, func(c *web.Config) {
		c.Zone, c.Now = time.UTC, func() time.Time { return now }
		c.Figures = figuresOf(t, c)
	})
	manager := s.as(coding.RoleManager)
	for query, want := range map[string]string{
		"":                              "30 2026-02-10 2026-03-11",
		"days=7":                        "7 2026-03-05 2026-03-11",
		"days=1":                        "1 2026-03-11 2026-03-11",
		"days=400":                      "30 2026-02-10 2026-03-11",
		"days=7&from=x&to=2026-01-30":   "7 2026-03-05 2026-03-11",
		"from=2026-01-01&to=2026-01-30": " 2026-01-01 2026-01-30",
		// The form as it was sent: another number of days, other dates, and both left.
		"days=7&from=2026-02-10&to=2026-03-11&shown=2026-02-10/2026-03-11":  "7 2026-03-05 2026-03-11",
		"days=30&from=2026-01-05&to=2026-03-11&shown=2026-02-10/2026-03-11": " 2026-01-05 2026-03-11",
		"days=30&from=2026-02-10&to=2026-03-11&shown=2026-02-10/2026-03-11": "30 2026-02-10 2026-03-11",
		"days=&from=2026-01-01&to=2026-01-30&shown=2026-01-01/2026-01-30":   " 2026-01-01 2026-01-30",
		"days=90&from=2026-01-01&to=2026-01-30&shown=2026-01-01/2026-01-30": "90 2025-12-12 2026-03-11",
	} {
		page := manager.get("/throughput?" + query)
		got := period(t, page)
		if got != want {
			t.Errorf("%s shows %q, want %q", query, got, want)
		}
		days, dates, _ := strings.Cut(got, " ")
		from, to, _ := strings.Cut(dates, " ")
		page.wants(t, http.StatusOK, from+" to "+to, `name="shown" value="`+from+"/"+to+`"`)
		again := url.Values{"days": {days}, "from": {from}, "to": {to}, "shown": {from + "/" + to}}
		if got := period(t, manager.get("/throughput?"+again.Encode())); got != want {
			t.Errorf("%s, shown again, shows %q, want %q", query, got, want)
		}
		// The page of tables is of the same period.
		link := regexp.MustCompile(`class="button" href="([^"]*)" data-key="b"`).FindStringSubmatch(page.body)
		if got := period(t, manager.get(html.UnescapeString(link[1]))); got != want {
			t.Errorf("%s, as tables, shows %q, want %q", query, got, want)
		}
	}
}
