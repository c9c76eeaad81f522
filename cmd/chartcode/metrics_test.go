package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var updateMetrics = flag.Bool("update-metrics", false, "write the table of docs/metrics.md anew")

// metric is one as a scrape tells it.
type metric struct{ name, kind, help string }

var (
	helpLine   = regexp.MustCompile(`(?m)^# HELP (\S+) (.*)$`)
	typeLine   = regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`)
	sampleLine = regexp.MustCompile(`(?m)^([a-zA-Z_][a-zA-Z0-9_]*)(?:\{(.*)\})? \S+$`)
	labelName  = regexp.MustCompile(`([a-z_]+)="`)
	tableLine  = regexp.MustCompile("(?m)^\\| `(chartcode_[a-z0-9_]+)` \\| (\\S+) \\| ([^|]*) \\| (.*) \\|$")
	named      = regexp.MustCompile(`\b(chartcode|go|process)_[a-z0-9_]+\b`)
)

// TestMetrics runs the program with a note on its way, scrapes its processes, and
// compares what they tell with docs/metrics.md and with every metric that the
// files under deploy name.
func TestMetrics(t *testing.T) {
	t.Parallel()
	s, _ := newServers(t, "CHARTCODE_METRICS_ADDR=127.0.0.1:0", "CHARTCODE_PPROF_ADDR=127.0.0.1:0")
	serve, work := s.start("serve"), s.start("work")
	bases := []string{serve.expect(`^ready (http://\S+)`)[1], strings.TrimSuffix(work.expect(`^metrics (http://\S+)`)[1], "/metrics")}
	if _, code := s.run("submit", s.file("notes.jsonl", noteLines("metrics", 3))); code != 0 {
		t.Fatalf("submit ended with %d", code)
	}
	s.settled(3, serve, work)

	seen := map[string]metric{}
	samples, labels := map[string]bool{}, map[string]map[string]bool{}
	for _, base := range bases {
		text := scrape(t, base, "text/plain")
		for _, m := range helpLine.FindAllStringSubmatch(text, -1) {
			seen[m[1]] = metric{name: m[1], help: m[2]}
		}
		for _, m := range typeLine.FindAllStringSubmatch(text, -1) {
			one := seen[m[1]]
			one.kind = m[2]
			seen[m[1]] = one
		}
		for _, m := range sampleLine.FindAllStringSubmatch(text, -1) {
			samples[m[1]] = true
			name := m[1]
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				if base := strings.TrimSuffix(name, suffix); seen[base].kind == "histogram" {
					name = base
				}
			}
			samples[name] = true // what a histogram is called in texts
			if labels[name] == nil {
				labels[name] = map[string]bool{}
			}
			for _, l := range labelName.FindAllStringSubmatch(m[2], -1) {
				if l[1] != "le" {
					labels[name][l[1]] = true
				}
			}
		}
	}
	if text := scrape(t, bases[1], "text/plain"); !regexp.MustCompile(`chartcode_deliveries_total\{reason="",result="done"\} 3\n`).MatchString(text) ||
		!regexp.MustCompile(`chartcode_stage_seconds_count\{result="ok",stage="save"\} 3\n`).MatchString(text) ||
		!regexp.MustCompile(`chartcode_queue_wait_seconds_count\{priority="ordinary"\} 3\n`).MatchString(text) {
		t.Error("the worker did not count its three notes")
	}

	rows := map[string]string{}
	for name, m := range seen {
		if strings.HasPrefix(name, "chartcode_") {
			var of []string
			for l := range labels[name] {
				of = append(of, l)
			}
			slices.Sort(of)
			rows[name] = fmt.Sprintf("| `%s` | %s | %s | %s |", name, m.kind, strings.Join(of, ", "), m.help)
		}
	}
	compareMetrics(t, rows)

	files, err := filepath.Glob("../../deploy/*/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	boards, err := filepath.Glob("../../deploy/grafana/dashboards/*.json")
	if err != nil || len(files) < 3 || len(boards) < 2 {
		t.Fatalf("%v, %v, %v", files, boards, err)
	}
	for _, file := range append(files, boards...) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range named.FindAllString(string(content), -1) {
			if !samples[name] {
				t.Errorf("%s names %s, which no process has", filepath.Base(file), name)
			}
		}
	}

	// Profiles are there where they are configured, and not among the pages.
	profiles := serve.expectIn(serve.err, `^pprof (http://127\.0\.0\.1:\d+/debug/pprof/)`)[1]
	if out := serve.out.String(); strings.Contains(out, "pprof") {
		t.Errorf("standard output is for what others wait for, and has\n%s", out)
	}
	for url, want := range map[string]int{profiles + "goroutine?debug=1": http.StatusOK, bases[0] + "/debug/pprof/": http.StatusNotFound} {
		resp, err := http.DefaultClient.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want && resp.Request.URL.Path != "/sign-in" {
			t.Errorf("%s: %s", url, resp.Status)
		}
	}
}

// compareMetrics holds the documentation's table against rows, by name.
func compareMetrics(t *testing.T, rows map[string]string) {
	t.Helper()
	const file = "../../docs/metrics.md"
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if *updateMetrics {
		var list []string
		for _, row := range rows {
			list = append(list, row)
		}
		slices.Sort(list)
		before, rest, _ := strings.Cut(string(doc), "<!-- table -->\n")
		_, after, _ := strings.Cut(rest, "<!-- end -->")
		table := "<!-- table -->\n| name | type | labels | what |\n|---|---|---|---|\n" + strings.Join(list, "\n") + "\n<!-- end -->"
		if err := os.WriteFile(file, []byte(before+table+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	documented := map[string]bool{}
	for _, m := range tableLine.FindAllStringSubmatch(string(doc), -1) {
		documented[m[1]] = true
		if rows[m[1]] == "" {
			t.Errorf("docs/metrics.md has %s, which no process has", m[1])
		} else if rows[m[1]] != m[0] {
			t.Errorf("docs/metrics.md says\n%s\nand the program\n%s", m[0], rows[m[1]])
		}
	}
	for name := range rows {
		if !documented[name] {
			t.Errorf("docs/metrics.md lacks %s", name)
		}
	}
	if len(documented) < 30 {
		t.Errorf("%d metrics are documented", len(documented))
	}
}
