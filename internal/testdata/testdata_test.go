package testdata

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorder is a testing.TB that notes a skip instead of doing it.
type recorder struct {
	testing.TB
	skipped string
}

func (r *recorder) Helper() {}

func (r *recorder) Skipf(format string, args ...any) {
	r.skipped = format
	if len(args) > 0 {
		r.skipped = strings.ReplaceAll(format, "%s", args[0].(string))
	}
}

func TestPath(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CHARTCODE_TESTDATA", dir)

	r := &recorder{TB: t}
	if got, want := Path(r, "a.txt"), filepath.Join(dir, "a.txt"); got != want || r.skipped != "" {
		t.Errorf("Path(a.txt) = %q, skipped %q; want %q and no skip", got, r.skipped, want)
	}
	Path(r, "missing.txt")
	if want := "SKIP-NO-TESTDATA missing.txt"; r.skipped != want {
		t.Errorf("skipped with %q, want %q", r.skipped, want)
	}
}

func TestDefaultIsBesideTheRepository(t *testing.T) {
	t.Setenv("CHARTCODE_TESTDATA", "")
	want := filepath.Join(filepath.Dir(repository(t)), "shared")
	if got := root(t); got != want {
		t.Errorf("root = %q, want %q", got, want)
	}
	if _, err := os.Stat(filepath.Join(repository(t), "internal", "testdata", "testdata.go")); err != nil {
		t.Errorf("repository found at the wrong place: %v", err)
	}
	t.Setenv("CHARTCODE_TESTDATA", "data")
	if got, want := root(t), filepath.Join(repository(t), "data"); got != want {
		t.Errorf("root = %q, want %q", got, want)
	}
}
