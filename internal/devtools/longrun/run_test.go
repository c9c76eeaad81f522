package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const source = `//go:build long

package m

import (
	"os"
	"testing"
)

func TestLongFirst(t *testing.T) {
	f, err := os.OpenFile(os.Getenv("LONGRUN_TEST_RUNS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("first\n")
	f.Close()
}

func TestLongSecond(t *testing.T) {
	if _, err := os.Stat(os.Getenv("LONGRUN_TEST_FIXED")); err != nil {
		t.Fatal("not fixed")
	}
}

func TestShort(t *testing.T) { t.Fatal("not a scenario") }
`

func TestResumes(t *testing.T) {
	dir := t.TempDir()
	runs, fixed := filepath.Join(dir, "runs"), filepath.Join(dir, "fixed")
	t.Setenv("LONGRUN_TEST_RUNS", runs)
	t.Setenv("LONGRUN_TEST_FIXED", fixed)
	module := filepath.Join(dir, "module")
	must(t, os.Mkdir(module, 0o700))
	must(t, os.WriteFile(filepath.Join(module, "go.mod"), []byte("module m\n\ngo 1.26\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(module, "m_test.go"), []byte(source), 0o600))
	for _, args := range [][]string{
		{"init", "-q"}, {"add", "."},
		{"-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "-m", "m"},
	} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = module
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git: %s", out)
		}
	}
	attempt := func(again bool) (bool, string) {
		var out bytes.Buffer
		r := runner{dir: module, file: filepath.Join(dir, "results"), timeout: time.Minute, again: again, out: &out}
		good, err := r.run(t.Context(), regexp.MustCompile(""), false)
		must(t, err)
		return good, out.String()
	}
	count := func() int {
		content, err := os.ReadFile(runs)
		must(t, err)
		return strings.Count(string(content), "first")
	}

	good, out := attempt(false)
	if good || !strings.Contains(out, "not fixed") || strings.Contains(out, "not a scenario") || count() != 1 {
		t.Fatalf("good %v, runs %d:\n%s", good, count(), out)
	}
	must(t, os.WriteFile(fixed, nil, 0o600))
	good, out = attempt(false)
	if !good || count() != 1 {
		t.Errorf("the second time: good %v, the first scenario ran %d times, want once:\n%s", good, count(), out)
	}
	for _, want := range []string{"DATE", time.Now().UTC().Format("2006-01-02"), "pass", "m TestLongFirst", "m TestLongSecond"} {
		if !strings.Contains(out, want) {
			t.Errorf("the table lacks %q:\n%s", want, out)
		}
	}
	if good, _ := attempt(true); !good || count() != 2 {
		t.Errorf("with -again: good %v, %d runs, want 2", good, count())
	}
	// Changed code is to be tested again.
	must(t, os.WriteFile(filepath.Join(module, "m_test.go"), []byte(source+"\n// changed\n"), 0o600))
	if good, out := attempt(false); !good || count() != 3 || !strings.Contains(out, "+") {
		t.Errorf("after a change: good %v, %d runs, want 3:\n%s", good, count(), out)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
