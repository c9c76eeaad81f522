// Package testdata finds test data that lies outside the repository.
//
// It is the one place that knows where that data is: the folder named by the environment variable
// CHARTCODE_TESTDATA, by default the folder "shared" beside the repository. A test that needs a file
// which is not there is skipped with one line that starts with SKIP-NO-TESTDATA; `make test` counts
// those lines. Only tests may import this package.
package testdata

import (
	"os"
	"path/filepath"
	"testing"
)

// Path returns the absolute path of a file or folder of the test data, named relative to its root
// with forward slashes. It skips the test when there is none.
func Path(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(root(t), filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SKIP-NO-TESTDATA %s", name)
	}
	return path
}

// root is the folder that holds the test data, whether or not it exists. A relative
// CHARTCODE_TESTDATA counts from the repository's root, because go test runs every package's tests
// in a folder of its own.
func root(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("CHARTCODE_TESTDATA")
	if dir == "" {
		dir = filepath.Join("..", "shared")
	}
	if filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(Repository(t), dir)
}

// Repository is the folder with go.mod, found upwards from the working directory.
func Repository(t testing.TB) string {
	t.Helper()
	start, err := os.Getwd()
	if err != nil {
		t.Fatalf("no working directory: %v", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatalf("no go.mod above %s", start)
		}
	}
}
