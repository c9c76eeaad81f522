package filelock

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestMain lets the test binary play the other process: it takes the lock, says so, and waits.
func TestMain(m *testing.M) {
	if path := os.Getenv("FILELOCK_TEST_HOLD"); path != "" {
		mode := Exclusive
		if os.Getenv("FILELOCK_TEST_SHARED") != "" {
			mode = Shared
		}
		if _, err := Try(path, mode); err != nil {
			os.Exit(1)
		}
		if _, err := os.Stdout.WriteString("held\n"); err != nil {
			os.Exit(1)
		}
		time.Sleep(time.Hour) // until it is killed
	}
	os.Exit(m.Run())
}

// hold starts a process that holds the lock and returns what kills it with SIGKILL.
func hold(t *testing.T, path string, shared bool) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FILELOCK_TEST_HOLD="+path)
	if shared {
		cmd.Env = append(cmd.Env, "FILELOCK_TEST_SHARED=1")
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(kill)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process did not take the lock: %q, %v", line, err)
	}
	return kill
}

func TestBetweenProcesses(t *testing.T) {
	for _, test := range []struct {
		name        string
		otherShared bool
		mode        Mode
		want        error
	}{
		{"exclusive against exclusive", false, Exclusive, ErrHeld},
		{"shared against exclusive", false, Shared, ErrHeld},
		{"exclusive against shared", true, Exclusive, ErrHeld},
		{"shared against shared", true, Shared, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "lock")
			kill := hold(t, path, test.otherShared)
			lock, err := Try(path, test.mode)
			if !errors.Is(err, test.want) {
				t.Fatalf("Try = %v, want %v", err, test.want)
			}
			lock.Release()

			kill()
			lock, err = Try(path, Exclusive)
			if err != nil {
				t.Fatalf("after kill -9 of the holder: %v", err)
			}
			lock.Release()
			lock.Release() // harmless
		})
	}
}

func TestWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Try(path, Exclusive)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	cancel(reason)
	if _, err := Wait(ctx, path, Exclusive); !errors.Is(err, reason) {
		t.Errorf("Wait with a context that is done = %v, want its cause", err)
	}

	got := make(chan error)
	go func() {
		second, err := Wait(t.Context(), path, Exclusive)
		second.Release()
		got <- err
	}()
	first.Release()
	if err := <-got; err != nil {
		t.Errorf("Wait after the release = %v", err)
	}
}

func TestChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	a, err := Try(path, Shared)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Try(path, Shared)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Change(Exclusive); !errors.Is(err, ErrHeld) {
		t.Errorf("Change while another shares it = %v, want ErrHeld", err)
	}
	b.Release()
	if err := a.Change(Exclusive); err != nil {
		t.Errorf("Change when alone = %v", err)
	}
	if _, err := Try(path, Shared); !errors.Is(err, ErrHeld) {
		t.Errorf("Try after the change = %v, want ErrHeld", err)
	}
	a.Release()
}
