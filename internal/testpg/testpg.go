// Package testpg gives tests a real PostgreSQL with pgvector: one private server for all test binaries of
// the user, started by the first that asks and left running for the others, because starting one for each
// test would take longer than the tests. `make test` stops it at its end (internal/testpg/ctl), unless
// other tests still use it.
//
// Only tests may import this package. It does not separate tests from each other: give each its own schema.
package testpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"chartcode/internal/filelock"
	"chartcode/internal/localpg"
)

// start runs once in a test binary. The lock that says that this process uses the server is held until the
// process ends.
var start = sync.OnceValues(func() (string, error) {
	dir, err := folder()
	if err != nil {
		return "", err
	}
	if _, err := filelock.Wait(context.Background(), filepath.Join(dir, "users.lock"), filelock.Shared); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	return run(ctx, dir)
})

// URL returns the address of the server's database "chartcode", where the extension vector is present and
// the role is superuser. The test fails when there is no server.
func URL(t testing.TB) string {
	t.Helper()
	url, err := start()
	if err != nil {
		t.Fatalf("no PostgreSQL for tests: %v", err)
	}
	return url
}

// Start starts the server if it does not run.
func Start(ctx context.Context) error {
	dir, err := folder()
	if err != nil {
		return err
	}
	_, err = run(ctx, dir)
	return err
}

// run starts or adopts the server. Data that an earlier crash of the machine broke (they are written without
// waiting for the disk) are thrown away.
func run(ctx context.Context, dir string) (string, error) {
	lock, err := filelock.Wait(ctx, filepath.Join(dir, "start.lock"), filelock.Exclusive)
	if err != nil {
		return "", err
	}
	defer lock.Release()
	config := localpg.Config{
		Dir: filepath.Join(dir, "postgres"),
		Settings: map[string]string{
			"fsync":                     "off",
			"synchronous_commit":        "off",
			"full_page_writes":          "off",
			"autovacuum_naptime":        "5min", // what tests drop needs no cleaning at once
			"max_connections":           "400",
			"max_locks_per_transaction": "256", // dropping a schema locks each of its tables
		},
	}
	server, err := localpg.Start(ctx, config)
	if errors.Is(err, localpg.ErrBroken) || errors.Is(err, localpg.ErrVersion) {
		if err := os.RemoveAll(config.Dir); err != nil {
			return "", fmt.Errorf("throw the test database away: %w", err)
		}
		server, err = localpg.Start(ctx, config)
	}
	if err != nil {
		return "", err
	}
	return server.URL(), nil
}

// Stop ends the server and throws its data away, unless a test uses it: then it returns false.
func Stop(ctx context.Context) (bool, error) {
	dir, err := folder()
	if err != nil {
		return false, err
	}
	users, err := filelock.Try(filepath.Join(dir, "users.lock"), filelock.Exclusive)
	if errors.Is(err, filelock.ErrHeld) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer users.Release()
	data := filepath.Join(dir, "postgres")
	if _, err := os.Stat(data); os.IsNotExist(err) {
		return true, nil
	}
	if err := localpg.Stop(ctx, data); err != nil {
		return false, err
	}
	if err := os.RemoveAll(data); err != nil {
		return false, fmt.Errorf("throw the test database away: %w", err)
	}
	return true, nil
}

// folder is the private folder of the server and its locks: TESTPG_DIR, which `make test` sets, or one in the
// user's cache.
func folder() (string, error) {
	if dir := os.Getenv("TESTPG_DIR"); dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", fmt.Errorf("make the folder of the test database: %w", err)
		}
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil { // no HOME
		cache = filepath.Join(os.TempDir(), fmt.Sprintf("chartcode-cache-%d", os.Getuid()))
	}
	dir := filepath.Join(cache, "chartcode-test-postgres")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the folder of the test database: %w", err)
	}
	info, err := os.Lstat(cache)
	if err != nil || info.Mode().Perm()&0o022 != 0 {
		return "", fmt.Errorf("%s is not private, so tests cannot keep a database there", cache)
	}
	return dir, nil
}
