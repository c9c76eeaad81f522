package deploytest

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMakeDemoPassesSignals sends signals to make alone, as a supervisor does, while a stand-in for the demo runs
// that ends with status 0 when it is told to.
func TestMakeDemoPassesSignals(t *testing.T) {
	build := exec.CommandContext(t.Context(), "make", "-o", "setup", "bin/become.so")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(root, "bin", "become.so")); err != nil {
		t.Fatalf("make cannot be replaced here: %v", err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			// -o: what the demo is made from counts as done.
			cmd := exec.CommandContext(ctx, "make", "-o", "build", "-o", "setup", "demo", "DEMO="+
				`trap 'echo told, with commas; exit 0' INT TERM; echo ready $(ARGS); while :; do sleep 0.05; done`, "ARGS=--reset")
			cmd.Dir = root
			cmd.Env = outsideMake()
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			if !lines.Scan() || lines.Text() != "ready --reset" {
				t.Fatalf("the demo said %q", lines.Text())
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if !lines.Scan() || lines.Text() != "told, with commas" {
				t.Errorf("after the signal the demo said %q", lines.Text())
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("make demo ended with %v, want status 0", err)
			}
		})
	}
}

// outsideMake is the environment without what a make gives its children, which
// the tests may be: a make in it is one that a user started.
func outsideMake() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=") || strings.HasPrefix(v, "GNUMAKEFLAGS=")
	})
}

// TestMakeDemoExitStatus: without a signal, the program's own status counts.
func TestMakeDemoExitStatus(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "make", "-o", "build", "-o", "setup", "demo", "DEMO=exit 3")
	cmd.Dir, cmd.Env = root, outsideMake()
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("make demo: %v, want status 3: %s", err, out)
	}
}

func TestMakeDryRunRunsNothing(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	cmd := exec.CommandContext(t.Context(), "make", "-n", "-o", "build", "-o", "setup", "demo", "DEMO=touch "+mark)
	cmd.Dir, cmd.Env = root, outsideMake()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("make -n ran the demo")
	}
}

// TestMakeHelpListsEverything: what a person may call is in the help.
func TestMakeHelpListsEverything(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "make", "help")
	cmd.Dir, cmd.Env = root, outsideMake()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"demo", "test", "long", "lint", "check", "accuracy", "build", "setup", "clean"} {
		if !strings.Contains(string(out), "make "+target+" ") {
			t.Errorf("make help lacks %s", target)
		}
	}
}
