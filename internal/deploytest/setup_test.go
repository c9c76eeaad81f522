package deploytest

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestScriptsParse(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join(root, "deploy", "*.sh"))
	if err != nil || len(scripts) < 3 {
		t.Fatalf("scripts %v, %v", scripts, err)
	}
	for _, script := range append(scripts, filepath.Join(root, ".ci", "run")) {
		if out, err := exec.CommandContext(t.Context(), "bash", "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", script, out)
		}
	}
}

// TestSetupDoesNothingTwice: where these tests run, everything is there.
func TestSetupDoesNothingTwice(t *testing.T) {
	run := func() string {
		cmd := exec.CommandContext(t.Context(), filepath.Join(root, "deploy", "setup.sh"), "demo")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	run() // may download Go modules
	if out := run(); out != "" {
		t.Errorf("the second time it did something:\n%s", out)
	}
}

func TestSetupUsage(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, "deploy", "setup.sh"), "everything")
	out, _ := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 2 || !strings.HasPrefix(string(out), "usage: ") {
		t.Errorf("status %d: %s", cmd.ProcessState.ExitCode(), out)
	}
}

// TestSetupWithoutGo: the one thing that it does not install.
func TestSetupWithoutGo(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, "deploy", "setup.sh"), "demo")
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	if exec.CommandContext(t.Context(), "/usr/bin/env", "-i", "PATH=/usr/bin:/bin", "sh", "-c", "command -v go").Run() == nil {
		t.Skip("go is in /usr/bin here")
	}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Go is missing: install Go 1.") || strings.Count(string(out), "\n") != 1 {
		t.Errorf("%v: %s", err, out)
	}
}
