package localpg

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestProblems(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, s *Server)
		want  error
		says  string
	}{
		{"other version", func(t *testing.T, s *Server) {
			write(t, filepath.Join(s.data, "PG_VERSION"), "9\n")
		}, ErrVersion, "install PostgreSQL 9"},
		{"no control file", func(t *testing.T, s *Server) {
			remove(t, filepath.Join(s.data, "global", "pg_control"))
		}, ErrBroken, "restore it from a backup"},
		{"no version", func(t *testing.T, s *Server) {
			remove(t, filepath.Join(s.data, "PG_VERSION"))
		}, ErrBroken, "restore it from a backup"},
		{"no log of changes", func(t *testing.T, s *Server) {
			remove(t, filepath.Join(s.data, "pg_wal"))
		}, ErrBroken, "restore it from a backup"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			server := start(t, dir)
			if err := server.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			test.spoil(t, server)
			_, err := Start(t.Context(), config(dir))
			if !errors.Is(err, test.want) {
				t.Fatalf("Start = %v, want %v", err, test.want)
			}
			if text := err.Error(); !strings.Contains(text, test.says) || strings.Contains(text, "\n") {
				t.Errorf("the error is %q, want one line with %q", text, test.says)
			}
			t.Log(err)
		})
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"", "a\nb"} {
		if _, err := Start(t.Context(), config(dir)); err == nil {
			t.Errorf("Start in %q succeeded", dir)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	if _, err := Start(t.Context(), config(filepath.Join(file, "below"))); !errors.Is(err, ErrAccess) {
		t.Errorf("Start below a file = %v, want ErrAccess", err)
	}
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	check := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, ErrDiskFull) || !strings.Contains(err.Error(), "free some space") {
			t.Errorf("%s: %v, want ErrDiskFull", what, err)
		}
	}
	small := mount(t, "tmpfs", "size=24m")
	_, err := Start(t.Context(), Config{Dir: small})
	check("too small", err)

	// Full at a later start.
	disk := mount(t, "tmpfs", "size=256m")
	server := start(t, disk)
	exec1(t, server, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	_, err = Start(t.Context(), Config{Dir: disk})
	check("full", err)
	remove(t, filler)
	again, err := Start(t.Context(), Config{Dir: disk})
	if err != nil {
		t.Fatalf("with space again: %v", err)
	}
	if got := query[int](t, again, "SELECT n FROM kept"); got != 1 {
		t.Errorf("kept = %d", got)
	}
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for block := make([]byte, 1<<20); len(block) > 0; {
		if _, err := file.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
}

// mount mounts a file system in memory where this process may; elsewhere the test cannot be.
func mount(t *testing.T, kind, options string) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("mount", "-t", kind, "-o", options, kind, dir).CombinedOutput()
	if err != nil {
		t.Skipf("no right to mount a disk for the test: %s", out)
	}
	t.Cleanup(func() {
		if err := Stop(context.Background(), dir); err != nil {
			t.Errorf("Stop: %v", err)
		}
		// What another test starts at this moment has the files of this process open
		// until it is a program of its own.
		for tries := 0; ; tries++ {
			out, err := exec.Command("umount", dir).CombinedOutput()
			if err == nil {
				return
			}
			if tries == 100 {
				t.Errorf("umount: %s", out)
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	return dir
}
