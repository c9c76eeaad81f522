package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// run writes a module with tests, runs them with the real go command, and reports.
func run(t *testing.T, source string) (*summary, string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"go.mod": "module m\n\ngo 1.26\n", "m_test.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-json", "./...")
	cmd.Dir = dir
	output, _ := cmd.Output() // fails when a test does
	var out bytes.Buffer
	s, err := read(bytes.NewReader(output), &out)
	if err != nil {
		t.Fatal(err)
	}
	return s, out.String()
}

func TestReport(t *testing.T) {
	t.Parallel()
	s, out := run(t, `package m
import "testing"
func TestGood(t *testing.T) { t.Run("sub", func(t *testing.T) { t.Log("not to be shown") }) }
func TestBad(t *testing.T) { t.Log("to be shown"); t.Fail() }
func TestNoData(t *testing.T) { t.Skipf("SKIP-NO-TESTDATA %s", "a/b.zip") }
func TestNoRoot(t *testing.T) { t.Skip("needs root: really") }
`)
	if s.passed != 2 || len(s.failed) != 1 || s.failed[0] != "m.TestBad" || !s.broken() {
		t.Errorf("summary %+v", s)
	}
	if !strings.Contains(out, "to be shown") || strings.Contains(out, "not to be shown") {
		t.Errorf("output:\n%s", out)
	}
	s.slow = append(s.slow, timed{"m.TestLong", 61}, timed{"m.TestLonger", 100})
	file := filepath.Join(t.TempDir(), "missing")
	var end bytes.Buffer
	if err := s.write(&end, file); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 tests passed, 1 failed, 2 skipped (1 of them for missing test data) in 1 packages", "FAILED m.TestBad", "skipped m.TestNoRoot: needs root: really", "slow    m.TestLonger: 100 s\nslow    m.TestLong: 61 s\nFAILED"} {
		if !strings.Contains(end.String(), want) {
			t.Errorf("the end lacks %q:\n%s", want, end.String())
		}
	}
	if list, err := os.ReadFile(file); err != nil || string(list) != "m.TestNoData: SKIP-NO-TESTDATA a/b.zip\n" {
		t.Errorf("missing: %q, %v", list, err)
	}
}

func TestWhatIsNoTest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ source, says string }{
		"does not build": {"package m\nfunc f() { undefined() }\n", "undefined: undefined"},
		"panics":         {"package m\nimport \"testing\"\nfunc TestP(t *testing.T) { panic(\"ouch\") }\n", "ouch"},
		"exits":          {"package m\nimport (\"os\"; \"testing\")\nfunc TestMain(*testing.M) { os.Exit(3) }\n", "exit status 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, out := run(t, test.source)
			if !s.broken() || !strings.Contains(out, test.says) {
				t.Errorf("broken %v, output:\n%s", s.broken(), out)
			}
		})
	}
	s, err := read(strings.NewReader(""), &bytes.Buffer{})
	if err != nil || !s.broken() {
		t.Errorf("an empty run counts as good: %+v, %v", s, err)
	}
}
