package datadir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartcode/internal/localpg"
)

func open(t *testing.T, path string) *Dir {
	t.Helper()
	dir, err := Open(t.Context(), Config{Path: path, PostgresSettings: map[string]string{"fsync": "off"}})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := dir.Close(context.Background(), true); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return dir
}

func TestOpenMakesAPrivateDirectory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a", "b")
	dir := open(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v; want 0700", info.Mode(), err)
	}
	folder, err := dir.Folder(PartCache)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("cache: mode %v, %v; want 0700", info.Mode(), err)
	}
	if _, err := dir.Folder("../elsewhere"); err == nil {
		t.Error("a folder outside of the directory was made")
	}
}

func TestUnusable(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	public := t.TempDir()
	if err := os.Chmod(public, 0o777); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		file:                          "is not a folder",
		filepath.Join(file, "below"):  "is not a folder",
		public:                        "everybody may write",
		"/proc/chartcode-cannot-be":   "cannot make the data directory",
		filepath.Join("/proc", "tty"): "cannot",
	} {
		_, err := Open(t.Context(), Config{Path: path})
		if !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), says) {
			t.Errorf("Open(%s) = %v, want ErrUnusable with %q", path, err, says)
		}
	}
}

func TestDefaultPath(t *testing.T) {
	t.Setenv("HOME", "/home/somebody")
	for xdg, want := range map[string]string{
		"":        "/home/somebody/.local/share/chartcode",
		"rel":     "/home/somebody/.local/share/chartcode",
		"/x/data": "/x/data/chartcode",
	} {
		t.Setenv("XDG_DATA_HOME", xdg)
		got, err := DefaultPath()
		if err != nil || (got != want && !strings.Contains(got, "Library/Application Support")) {
			t.Errorf("with XDG_DATA_HOME=%q: %q, %v; want %q", xdg, got, err, want)
		}
	}
	t.Setenv("HOME", "")
	t.Setenv("XDG_DATA_HOME", "")
	if _, err := DefaultPath(); !errors.Is(err, ErrUnusable) {
		t.Errorf("without HOME: %v, want ErrUnusable", err)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	dir := open(t, t.TempDir())
	if err := dir.Close(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Postgres(t.Context()); !errors.Is(err, errClosed) {
		t.Errorf("Postgres after Close = %v", err)
	}
	if _, _, err := dir.NATS(t.Context(), nil); !errors.Is(err, errClosed) {
		t.Errorf("NATS after Close = %v", err)
	}
	if err := dir.Reset(t.Context()); !errors.Is(err, errClosed) {
		t.Errorf("Reset after Close = %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir.Path(), "postgres")); !os.IsNotExist(err) {
		t.Errorf("closing made a database folder: %v", err)
	}
}

func TestResetKeepsWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	mine := filepath.Join(path, "letters.txt")
	if err := os.WriteFile(mine, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	first := open(t, path)
	if _, err := first.Postgres(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := first.Reset(t.Context()); err == nil {
		t.Error("Reset after Postgres succeeded")
	}
	second := open(t, path)
	if err := second.Reset(t.Context()); !errors.Is(err, ErrInUse) {
		t.Errorf("Reset while another uses the directory = %v, want ErrInUse", err)
	}
	if err := first.Close(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(path, "postgres", "data")
	if _, err := os.Stat(data); err != nil {
		t.Fatalf("no data before the reset: %v", err)
	}
	if err := second.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("the data are still there: %v", err)
	}
	if content, err := os.ReadFile(mine); err != nil || string(content) != "kept" {
		t.Errorf("a file of somebody else: %q, %v", content, err)
	}
	if _, err := second.Postgres(t.Context()); err != nil {
		t.Errorf("Postgres after Reset: %v", err)
	}
}

func TestEndpointsFile(t *testing.T) {
	t.Parallel()
	dir := open(t, t.TempDir())
	url, err := dir.Postgres(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all, err := dir.Endpoints()
	if err != nil || all.Postgres.URL != url || all.Postgres.PID == 0 {
		t.Errorf("Endpoints = %+v, %v; want %s", all, err, url)
	}
	info, err := os.Stat(filepath.Join(dir.Path(), "endpoints.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if err := dir.Close(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if all, err = dir.Endpoints(); err != nil || all.Postgres.PID != 0 || all.Postgres.URL != url {
		t.Errorf("after Close: %+v, %v; want the address without a process", all, err)
	}
	// What a person spoils is no obstacle.
	if err := os.WriteFile(filepath.Join(dir.Path(), "endpoints.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, dir.Path()).Postgres(t.Context()); err != nil {
		t.Errorf("with a spoilt endpoints.json: %v", err)
	}
}

func TestPostgresProblemsReachTheCaller(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	data := filepath.Join(path, "postgres", "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, path).Postgres(t.Context()); !errors.Is(err, localpg.ErrVersion) {
		t.Errorf("Postgres = %v, want ErrVersion", err)
	}
}
