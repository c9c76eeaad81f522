package bus

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childEnv names what a test process that was started by a test has to do.
const childEnv = "BUS_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "worker":
		childWorker()
	case "full":
		childFull()
	default:
		os.Exit(m.Run())
	}
}

func child(t *testing.T, what string, env ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(append(os.Environ(), childEnv+"="+what), env...)
	return cmd
}

// A worker is killed with notes under way: the next one handles each of them.
func TestAKilledWorkerLosesNothing(t *testing.T) {
	t.Parallel()
	e := startServer(t)
	b := connect(t, e.URL())
	const notes = 200
	for i := range notes {
		submit(t, b, 5, fmt.Sprint(i))
	}
	file := filepath.Join(t.TempDir(), "handled")
	cmd := child(t, "worker", "BUS_URL="+e.URL(), "BUS_FILE="+file)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	handled := func() []string {
		data, _ := os.ReadFile(file)
		return strings.Fields(string(data))
	}
	eventually(t, "the child has handled fifty", func() bool { return len(handled()) >= 50 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if errs.Len() > 0 {
		t.Log(errs.String())
	}
	first := handled()
	if len(first) >= notes {
		t.Fatal("the child was killed too late to prove anything")
	}

	var s seen
	cfg := quick()
	cfg.AckWait = 2 * time.Second
	start(t, b, cfg, func(_ context.Context, d Delivery) error { s.add(d); return nil })
	drained(t, b)
	by := map[string]bool{}
	for _, seq := range first {
		by[seq] = true
	}
	redelivered := 0
	for _, d := range s.all() {
		by[fmt.Sprint(d.Seq)] = true
		if d.Attempt > 1 {
			redelivered++
		}
	}
	if len(by) != notes {
		t.Errorf("%d of %d notes were handled", len(by), notes)
	}
	if redelivered == 0 {
		t.Error("no note was under way when the worker was killed")
	}
}

// childWorker appends the place of each handled note to a file, and never ends
// the handlers of every fifth, so that some are under way at any moment.
func childWorker() {
	ctx := context.Background()
	log := childLogger()
	b, err := Connect(ctx, Config{URL: os.Getenv("BUS_URL"), Logger: log})
	childCheck(err)
	f, err := os.OpenFile(os.Getenv("BUS_FILE"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	childCheck(err)
	childCheck(b.Work(ctx, WorkConfig{Concurrency: 50, AckWait: 2 * time.Second}, func(_ context.Context, d Delivery) error {
		if d.Seq%5 == 0 {
			select {}
		}
		_, err := fmt.Fprintln(f, d.Seq)
		return err
	}))
}

// The disk is full, then there is room again: what was confirmed is still there
// and notes are stored again, without a restart by hand. Done in a process of
// its own, on a small file system where one may be mounted, and with a limit on
// the size of files everywhere.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"limit", "mount"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			cmd := child(t, "full", "BUS_HOW="+how, "BUS_DIR="+t.TempDir())
			if how == "mount" {
				cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
				if os.Getuid() != 0 {
					cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
					cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
				}
			}
			out, err := cmd.CombinedOutput()
			if how == "mount" && (err != nil && cmd.ProcessState == nil || bytes.Contains(out, []byte(noMount))) {
				t.Skip("this machine lets no file system be mounted; the limit on file sizes was tested")
			}
			if err != nil || !bytes.Contains(out, []byte("survived")) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func childLogger() *slog.Logger { return slog.New(slog.NewTextHandler(os.Stderr, nil)) }

func childCheck(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
