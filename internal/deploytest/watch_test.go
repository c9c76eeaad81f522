package deploytest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// promtool runs Prometheus's checker, which deploy/setup.sh test provides.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	program, err := exec.LookPath("promtool")
	if err != nil {
		if program, err = filepath.Abs(filepath.Join(root, "bin", "promtool")); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(program); err != nil {
			t.Fatal("promtool, which checks the alert rules, is not there; run deploy/setup.sh test")
		}
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = filepath.Join(root, "deploy", "prometheus")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// ruleFile is all of a file of rules that is used. Parsing is strict.
type ruleFile struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []rule `yaml:"rules"`
	} `yaml:"groups"`
}

type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func alerts(t *testing.T) []rule {
	t.Helper()
	var f ruleFile
	if err := yaml.UnmarshalWithOptions([]byte(read(t, "deploy/prometheus/alerts.yml")), &f, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	var list []rule
	for _, g := range f.Groups {
		list = append(list, g.Rules...)
	}
	if len(list) < 10 {
		t.Fatalf("%d alerts", len(list))
	}
	return list
}

func TestAlertRules(t *testing.T) {
	t.Parallel()
	promtool(t, "check", "rules", "alerts.yml")
	promtool(t, "check", "config", "--syntax-only", "prometheus.yml")
	for _, a := range alerts(t) {
		if len(a.Annotations["what_to_do"]) < 40 || a.Annotations["summary"] == "" {
			t.Errorf("%s does not say what happened and what to do", a.Alert)
		}
		if s := a.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s has the severity %q", a.Alert, s)
		}
	}
}

// TestAlertsFire runs the rules on recorded series: each fires in one of them.
func TestAlertsFire(t *testing.T) {
	t.Parallel()
	promtool(t, "test", "rules", "alerts_test.yml")
	recorded := read(t, "deploy/prometheus/alerts_test.yml")
	for _, a := range alerts(t) {
		fires := fmt.Sprintf(`alertname="%s", alertstate="firing"`, a.Alert)
		if !strings.Contains(recorded, fires) {
			t.Errorf("no recorded series makes %s fire", a.Alert)
		}
	}
}

// dashboard is what of a dashboard is looked at.
type dashboard struct {
	UID    string `json:"uid"`
	Title  string `json:"title"`
	Panels []struct {
		ID         int    `json:"id"`
		Type       string `json:"type"`
		Title      string `json:"title"`
		Datasource struct {
			UID string `json:"uid"`
		} `json:"datasource"`
		GridPos struct{ X, Y, W, H int } `json:"gridPos"`
		Targets []struct {
			Expr string `json:"expr"`
		} `json:"targets"`
	} `json:"panels"`
}

// TestDashboards: Prometheus can read each query, panels do not lie over each
// other, and all ask the data source that is provisioned.
func TestDashboards(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "deploy", "grafana", "dashboards", "*.json"))
	if err != nil || len(files) < 2 {
		t.Fatalf("dashboards %v, %v", files, err)
	}
	uid := regexp.MustCompile(`uid: (\S+)`).FindStringSubmatch(read(t, "deploy/grafana/provisioning/datasources/prometheus.yml"))
	var rules strings.Builder
	rules.WriteString("groups:\n  - name: queries\n    rules:\n")
	seen := map[string]bool{}
	queries := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(content, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if seen[d.UID] || d.UID == "" {
			t.Errorf("%s has the uid of another", file)
		}
		seen[d.UID] = true
		taken := map[[2]int]string{}
		for _, p := range d.Panels {
			for x := range p.GridPos.W {
				for y := range p.GridPos.H {
					at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
					if other := taken[at]; other != "" || at[0] >= 24 {
						t.Fatalf("%s: %q lies over %q or beyond the edge", d.Title, p.Title, other)
					}
					taken[at] = p.Title
				}
			}
			if p.Type == "row" {
				continue
			}
			if p.Datasource.UID != uid[1] || len(p.Targets) == 0 {
				t.Errorf("%s: %q asks nothing, or another data source", d.Title, p.Title)
			}
			for _, target := range p.Targets {
				queries++
				fmt.Fprintf(&rules, "      - record: query_%d\n        expr: %q\n", queries, strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"))
			}
		}
	}
	file := filepath.Join(t.TempDir(), "queries.yml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", file)
}

// TestComposeLoadsWatching: what Prometheus and Grafana are to load is mounted
// where they look for it.
func TestComposeLoadsWatching(t *testing.T) {
	t.Parallel()
	services := parse(t).Services
	for service, mounts := range map[string][]string{
		"prometheus": {"./deploy/prometheus:/etc/prometheus:ro"},
		"grafana":    {"./deploy/grafana/provisioning:/etc/grafana/provisioning:ro", "./deploy/grafana/dashboards:/var/lib/grafana/dashboards:ro"},
	} {
		for _, m := range mounts {
			from, _, _ := strings.Cut(m, ":")
			if _, err := os.Stat(filepath.Join(root, from)); err != nil {
				t.Error(err)
			}
			if !strings.Contains(strings.Join(services[service].Volumes, " "), m) {
				t.Errorf("%s does not mount %s", service, m)
			}
		}
	}
	config := read(t, "deploy/prometheus/prometheus.yml")
	if !strings.Contains(config, "/etc/prometheus/alerts.yml") {
		t.Error("Prometheus does not load the alerts")
	}
	_, port, _ := strings.Cut(services["work"].Environment["CHARTCODE_METRICS_ADDR"], ":")
	if port == "" || !strings.Contains(config, "port: "+port) || !strings.Contains(config, "targets: [web:8080]") {
		t.Error("Prometheus does not scrape the processes where they listen")
	}
	if !strings.Contains(read(t, "deploy/grafana/provisioning/dashboards/chartcode.yml"), "path: /var/lib/grafana/dashboards") {
		t.Error("Grafana looks for dashboards elsewhere")
	}
}
