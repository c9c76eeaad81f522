package archtest

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// module reads the module's packages as the go command sees them.
func module(t *testing.T) Graph {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports", "chartcode/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	graph := Graph{}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for decoder.More() {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&pkg); err != nil {
			t.Fatal(err)
		}
		graph[pkg.ImportPath] = pkg.Imports
	}
	return graph
}

func TestImports(t *testing.T) {
	graph := module(t)
	// Rules about packages that were renamed would hold for nothing.
	for _, pkg := range []string{
		"chartcode/cmd/chartcode", "chartcode/internal/coding", "chartcode/internal/store", "chartcode/internal/bus",
		"chartcode/internal/web", "chartcode/internal/review", "chartcode/internal/codebook", "chartcode/pipeline/segment", "chartcode/pipeline/retrieve",
		"chartcode/pipeline/rank", "chartcode/pipeline/validate", "chartcode/pipeline/intake",
	} {
		if _, ok := graph[pkg]; !ok {
			t.Errorf("there is no package %s", pkg)
		}
	}
	for _, violation := range graph.Violations(Rules) {
		t.Error(violation)
	}
}

func TestRulesFindViolations(t *testing.T) {
	for _, test := range []struct {
		name  string
		graph Graph
		want  string // begins the only violation; none if empty
	}{
		{"good", Graph{
			"chartcode/pipeline":          {"chartcode/pipeline/rank", "chartcode/pipeline/segment"},
			"chartcode/pipeline/rank":     {"chartcode/internal/coding", "sort"},
			"chartcode/internal/coding":   {"fmt"},
			"chartcode/cmd/chartcode":     {"chartcode/internal/store", "chartcode/pipeline", "net/http"},
			"chartcode/internal/store":    {"chartcode/internal/coding", "github.com/jackc/pgx/v5"},
			"chartcode/internal/testpg":   {"testing", "chartcode/internal/localpg"},
			"chartcode/internal/x/ytest":  {"testing", "chartcode/internal/testpg"},
			"chartcode/internal/datadir":  {"chartcode/internal/localpg"},
			"chartcode/internal/localpg":  {"github.com/jackc/pgx/v5"},
			"chartcode/internal/testdata": {"testing"},
		}, ""},
		{"stage to stage", Graph{"chartcode/pipeline/rank": {"chartcode/pipeline/retrieve"}},
			"chartcode/pipeline/rank imports chartcode/pipeline/retrieve"},
		{"stage to its chain", Graph{"chartcode/pipeline/rank": {"chartcode/pipeline"}},
			"chartcode/pipeline/rank imports chartcode/pipeline"},
		{"stage to store through another", Graph{
			"chartcode/pipeline/rank":    {"chartcode/internal/catalog"},
			"chartcode/internal/catalog": {"chartcode/internal/store"},
		}, "chartcode/pipeline/rank imports chartcode/internal/store (through chartcode/internal/catalog)"},
		{"stage to HTTP", Graph{"chartcode/pipeline/rank": {"net/http"}}, "chartcode/pipeline/rank imports net/http"},
		{"stage to the bus", Graph{"chartcode/pipeline/rank": {"chartcode/internal/bus"}}, "chartcode/pipeline/rank imports chartcode/internal/bus"},
		{"stage to the web", Graph{"chartcode/pipeline/rank": {"chartcode/internal/web"}}, "chartcode/pipeline/rank imports chartcode/internal/web"},
		{"stage to the LLM client", Graph{"chartcode/pipeline/rank": {"chartcode/internal/llm"}}, "chartcode/pipeline/rank imports chartcode/internal/llm"},
		{"coding to ours", Graph{"chartcode/internal/coding": {"chartcode/internal/config"}}, "chartcode/internal/coding imports chartcode/internal/config"},
		{"cmd is imported", Graph{"chartcode/eval": {"chartcode/cmd/chartcode"}}, "chartcode/eval imports chartcode/cmd/chartcode"},
		{"web to store", Graph{"chartcode/internal/web": {"chartcode/internal/store"}}, "chartcode/internal/web imports chartcode/internal/store"},
		{"SQL elsewhere", Graph{"chartcode/eval": {"github.com/jackc/pgx/v5/pgxpool"}}, "chartcode/eval imports github.com/jackc/pgx/v5/pgxpool"},
		{"test helper in the program", Graph{"chartcode/internal/store": {"chartcode/internal/testpg"}}, "chartcode/internal/store imports chartcode/internal/testpg"},
		{"testing in the program", Graph{"chartcode/internal/store": {"testing"}}, "chartcode/internal/store imports testing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := test.graph.Violations(Rules)
			if test.want == "" {
				if len(got) > 0 {
					t.Errorf("violations %q, want none", got)
				}
				return
			}
			if len(got) != 1 || !strings.HasPrefix(got[0], test.want) {
				t.Errorf("violations %q, want one that begins %q", got, test.want)
			}
		})
	}
}
