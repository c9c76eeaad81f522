// Package archtest enforces which package may import which. The rules are in Rules; the test in this package
// applies them to the module as `go list` sees it, and depguard in .golangci.yml says the most important ones
// where an editor shows them. Nothing imports this package.
package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Graph says for each package of the module what it imports, not counting its tests.
type Graph map[string][]string

// Rule forbids imports.
type Rule struct {
	// Who are the packages that the rule is for, as patterns of path.Match; those in Except are not meant.
	Who, Except []string
	// May not reach, by itself or through packages of the module, what matches one of these, itself excepted.
	NotReach []string
	// May not import directly what matches one of these.
	NotImport []string
	// Why is said with each violation.
	Why string
}

// Rules are the rules of the module. A pattern that ends in "/..." matches the package and all below it.
var Rules = []Rule{
	{
		Who: []string{"chartcode/pipeline/*"},
		NotReach: []string{
			"chartcode/pipeline/...", "chartcode/internal/store/...", "chartcode/internal/bus/...", "chartcode/internal/web/...",
			"chartcode/internal/llm/...", "chartcode/internal/localpg", "chartcode/internal/datadir", "chartcode/eval/...",
			"net/http", "database/sql", "github.com/jackc/...", "github.com/nats-io/...", "github.com/sashabaranov/...",
		},
		Why: "a stage knows no other stage, no SQL, no NATS and no HTTP: it declares the small interface that it needs",
	},
	{
		Who:      []string{"chartcode/internal/coding"},
		NotReach: []string{"chartcode/..."},
		Why:      "the domain types depend on nothing of ours",
	},
	{
		Who:      []string{"chartcode/internal/store", "chartcode/internal/bus"},
		NotReach: []string{"chartcode/pipeline/...", "chartcode/internal/web/...", "chartcode/internal/review/...", "chartcode/eval/..."},
		Why:      "adapters know the domain types, not who uses them",
	},
	{
		Who:      []string{"chartcode/internal/store"},
		NotReach: []string{"chartcode/internal/bus/...", "github.com/nats-io/..."},
		Why:      "the database knows no queue",
	},
	{
		Who:      []string{"chartcode/internal/bus"},
		NotReach: []string{"chartcode/internal/store/...", "github.com/jackc/..."},
		Why:      "the queue knows no database",
	},
	{
		Who:      []string{"chartcode/internal/web"},
		NotReach: []string{"chartcode/internal/store/...", "chartcode/internal/bus/...", "chartcode/pipeline/...", "chartcode/internal/llm/..."},
		Why:      "the web talks to review and to small interfaces that it declares",
	},
	{
		Who:      []string{"chartcode/internal/review"},
		NotReach: []string{"chartcode/internal/store/...", "chartcode/internal/bus/...", "chartcode/internal/web/...", "chartcode/pipeline/..."},
		Why:      "the state machine of reviews is free of its surroundings",
	},
	{
		Who: []string{"chartcode/internal/throughput", "chartcode/internal/simulate"},
		NotReach: []string{
			"chartcode/internal/store/...", "chartcode/internal/bus/...", "chartcode/internal/web/...", "chartcode/pipeline/...", "net/http",
		},
		Why: "figures follow from events by pure functions, and work is invented by them; who keeps and who shows them is not their concern",
	},
	{
		Who: []string{"chartcode/internal/codebook"},
		NotReach: []string{
			"chartcode/internal/store/...", "chartcode/internal/bus/...", "chartcode/internal/web/...", "chartcode/pipeline/...", "net/http",
		},
		Why: "codes are looked up by web and command line alike: through a small interface, without the stages' models",
	},
	{
		Who:      []string{"chartcode/eval/*"},
		NotReach: []string{"chartcode/pipeline/...", "chartcode/internal/store/...", "chartcode/internal/bus/...", "chartcode/internal/web/...", "net/http"},
		Why:      "pages, reports and commands score runs alike: without the stages' models and without a database",
	},
	{
		Who: []string{"chartcode/internal/system", "chartcode/internal/presence", "chartcode/internal/health", "chartcode/internal/tracing", "chartcode/internal/metrics"},
		NotReach: []string{
			"chartcode/internal/store/...", "chartcode/internal/bus/...", "chartcode/internal/web/...", "chartcode/pipeline/...", "chartcode/internal/llm/...",
		},
		Why: "what watches the program is told through small interfaces, so that any part can tell it",
	},
	{
		Who:       []string{"chartcode/..."},
		Except:    []string{"chartcode/internal/tracing"},
		NotImport: []string{"go.opentelemetry.io/..."},
		Why:       "spans are made in one place, where what may stand in them is decided",
	},
	{
		Who:       []string{"chartcode/..."},
		Except:    []string{"chartcode/internal/store/...", "chartcode/internal/localpg", "chartcode/cmd/...", "chartcode/internal/testpg/..."},
		NotImport: []string{"github.com/jackc/...", "github.com/pgvector/...", "database/sql"},
		Why:       "all SQL lives in store",
	},
	{
		Who:       []string{"chartcode/..."},
		NotImport: []string{"chartcode/cmd/...", "chartcode/internal/devtools/...", "chartcode/internal/archtest"},
		Why:       "nobody imports a command or a tool",
	},
	{
		Who:       []string{"chartcode/..."},
		Except:    []string{"chartcode/internal/testdata", "chartcode/internal/testpg/...", "chartcode/internal/*/*test", "chartcode/internal/*test", "chartcode/internal/devtools/recordings"},
		NotImport: []string{"testing", "chartcode/internal/testdata", "chartcode/internal/testpg/...", "chartcode/internal/*/*test", "chartcode/internal/*test"},
		Why:       "helpers for tests stay out of the program",
	},
}

// Violations lists what breaks a rule, one sentence each.
func (g Graph) Violations(rules []Rule) []string {
	var all []string
	for _, rule := range rules {
		for pkg, imports := range g {
			if !matches(rule.Who, pkg) || matches(rule.Except, pkg) {
				continue
			}
			for _, imported := range imports {
				if matches(rule.NotImport, imported) {
					all = append(all, fmt.Sprintf("%s imports %s: %s", pkg, imported, rule.Why))
				}
			}
			for reached, via := range g.reach(pkg) {
				if reached != pkg && matches(rule.NotReach, reached) {
					all = append(all, fmt.Sprintf("%s imports %s (through %s): %s", pkg, reached, via, rule.Why))
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// reach lists everything that a package imports, by itself or through packages of the graph, and the package
// through which it was found.
func (g Graph) reach(pkg string) map[string]string {
	found := map[string]string{}
	todo := []string{pkg}
	for len(todo) > 0 {
		from := todo[0]
		todo = todo[1:]
		for _, imported := range g[from] {
			if _, seen := found[imported]; !seen {
				found[imported] = from
				todo = append(todo, imported)
			}
		}
	}
	return found
}

func matches(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if prefix, below := strings.CutSuffix(pattern, "/..."); below {
			return pkg == prefix || strings.HasPrefix(pkg, prefix+"/")
		}
		matched, err := path.Match(pattern, pkg)
		return err == nil && matched
	})
}
