package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/testpg/seed"
)

// config saves the tests the wait for the disk. What a kill of processes can break does not depend on it.
func config(dir string) Config {
	return Config{Dir: dir, Settings: map[string]string{"fsync": "off"}}
}

var cluster = seed.Seed{Make: func(dir string) error {
	if _, err := Start(context.Background(), config(dir)); err != nil {
		return err
	}
	return Stop(context.Background(), dir)
}}

// start runs a server for a test and stops it at the test's end. In a folder that is there and empty it finds a
// cluster; in one that is not there or holds something it makes one.
func start(t *testing.T, dir string) *Server {
	t.Helper()
	if entries, err := os.ReadDir(dir); err == nil && len(entries) == 0 {
		cluster.Copy(t, dir)
	}
	server, err := Start(t.Context(), config(dir))
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() {
		if err := Stop(context.Background(), dir); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return server
}

func query[T any](t *testing.T, server *Server, sql string, args ...any) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer conn.Close(context.Background())
	var value T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&value); err != nil {
		t.Fatalf("query: %v", err)
	}
	return value
}

func exec1(t *testing.T, server *Server, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestStartAndRestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "below", "postgres")
	var steps []string
	server, err := Start(t.Context(), Config{Dir: dir, Progress: func(step string) { steps = append(steps, step) }})
	if err != nil {
		t.Fatal(err)
	}
	if len(steps) == 0 || steps[0] != "creating the database" {
		t.Errorf("progress = %q, want it to begin with the creation", steps)
	}
	for setting, want := range map[string]string{
		"listen_addresses": "", "fsync": "on", "synchronous_commit": "on", "data_checksums": "on",
		"server_encoding": "UTF8", "max_connections": "200", "log_statement": "none",
		"log_min_error_statement": "panic", "log_error_verbosity": "terse", "log_parameter_max_length_on_error": "0",
	} {
		if got := query[string](t, server, "SELECT current_setting($1)", setting); got != want {
			t.Errorf("%s = %q, want %q", setting, got, want)
		}
	}
	if got := query[string](t, server, "SELECT datcollate FROM pg_database WHERE datname = current_database()"); got != "C" {
		t.Errorf("the database sorts by %q, want C", got)
	}
	if !query[bool](t, server, "SELECT lower('ÄÉ') = 'äé'") {
		t.Error("letters outside ASCII have no lower case")
	}
	exec1(t, server, "CREATE TABLE kept (v vector(2)); INSERT INTO kept VALUES ('[1,2]')")

	url, socket := server.URL(), server.socket
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if server.Running() || alive(server.PID()) {
		t.Error("the server runs after Stop")
	}
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket's folder is still there: %v", err)
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Errorf("a second Stop: %v", err)
	}

	again, err := Start(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.Stop(context.Background()) })
	if again.URL() != url {
		t.Errorf("the address changed from %s to %s", url, again.URL())
	}
	if got := query[string](t, again, "SELECT v::text FROM kept"); got != "[1,2]" {
		t.Errorf("kept = %q", got)
	}
}

func TestAdoptByMany(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const many = 5
	servers := make([]*Server, many)
	errs := make([]error, many)
	var group sync.WaitGroup
	for i := range many {
		group.Go(func() { servers[i], errs[i] = Start(t.Context(), config(dir)) })
	}
	group.Wait()
	t.Cleanup(func() { _ = Stop(context.Background(), dir) })
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	started := 0
	for _, server := range servers {
		if !server.Adopted() {
			started++
		}
		if server.PID() != servers[0].PID() || server.URL() != servers[0].URL() {
			t.Errorf("got servers %d and %d", servers[0].PID(), server.PID())
		}
	}
	if started != 1 {
		t.Errorf("%d of %d started a server, want 1", started, many)
	}
}

func TestRecoversFromKill(t *testing.T) {
	t.Parallel()
	for _, victim := range []string{"postmaster", "all"} {
		t.Run(victim, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			server := start(t, dir)
			exec1(t, server, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (41)")
			// A backend that is busy when its head is killed does not notice, and holds the shared memory.
			busy, err := pgx.Connect(t.Context(), server.URL())
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() {
				_, err := busy.Exec(context.Background(), "SELECT count(*) FROM generate_series(1, 1e12::bigint)")
				ended <- err
			}()
			waitFor(t, func() bool {
				return query[int](t, server, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%generate_series%' AND pid <> pg_backend_pid()") == 1
			})
			pids := []int{server.PID()}
			if victim == "all" {
				pids = processesIn(server.data)
			}
			for _, pid := range pids {
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
					t.Fatal(err)
				}
			}
			again, err := Start(t.Context(), config(dir))
			if err != nil {
				t.Fatalf("Start after kill -9: %v", err)
			}
			if again.Adopted() {
				t.Error("a server was adopted, though its first process is dead")
			}
			if got := query[int](t, again, "SELECT n FROM kept"); got != 41 {
				t.Errorf("kept = %d", got)
			}
			if err := <-ended; err == nil {
				t.Error("the busy statement of the old server succeeded")
			}
		})
	}
}

func waitFor(t *testing.T, what func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !what() {
		select {
		case <-deadline:
			t.Fatal("waited a minute in vain")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestStalePIDFileOfAnotherProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := start(t, dir)
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A program of the database's own user has got the number since.
	other := server.account.command(t.Context(), "sleep", "600")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	content := fmt.Sprintf("%d\n%s\n1700000000\n5432\n%s\n\n  5432001     98304\nready   \n", other.Process.Pid, server.data, server.socket)
	if err := server.writeFile("postmaster.pid", content); err != nil {
		t.Fatal(err)
	}
	again, err := Start(t.Context(), config(dir))
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	if again.PID() == other.Process.Pid || !alive(other.Process.Pid) {
		t.Error("the other program was taken for the server or ended")
	}
}

func TestTemporaryFolderWiped(t *testing.T) {
	t.Parallel()
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprintf("running=%v", running), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			server := start(t, dir)
			exec1(t, server, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
			if !running {
				if err := server.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.RemoveAll(server.socket); err != nil {
				t.Fatal(err)
			}
			again, err := Start(t.Context(), config(dir))
			if err != nil {
				t.Fatal(err)
			}
			if got := query[int](t, again, "SELECT n FROM kept"); got != 7 {
				t.Errorf("kept = %d", got)
			}
		})
	}
}

func TestLongName(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 50), "with space, 'quote\" and ü")
	server := start(t, dir)
	if path := filepath.Join(server.socket, socketName); len(path) > maxSocketPath {
		t.Errorf("the socket's path has %d bytes, want at most %d", len(path), maxSocketPath)
	}
	if got := query[int](t, server, "SELECT 1"); got != 1 {
		t.Errorf("SELECT 1 = %d", got)
	}
}

func TestSocketFolderOfSomebodyElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := start(t, dir)
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Somebody waits at the socket's usual place, to be taken for the server.
	trap := t.TempDir()
	if err := os.Symlink(trap, server.socket); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(server.socket)
	again, err := Start(t.Context(), config(dir))
	if err != nil {
		t.Fatal(err)
	}
	if again.socket == server.socket {
		t.Error("the folder of somebody else is used")
	}
	if entries, err := os.ReadDir(trap); err != nil || len(entries) > 0 {
		t.Errorf("the trap holds %v, %v", entries, err)
	}
	if err := again.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(again.socket)
}

func TestLogHoldsNoData(t *testing.T) {
	t.Parallel()
	const marker = "Markerword"
	server := start(t, t.TempDir())
	conn, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	exec1(t, server, "CREATE TABLE unique_text (v text PRIMARY KEY)")
	for _, statement := range []struct {
		sql  string
		args []any
	}{
		{"SELECT '" + marker + "'::int", nil},
		{"SELECT $1::text::date", []any{marker}},
		{"SELECT * FROM " + marker, nil},
		{"INSERT INTO unique_text VALUES ($1), ($1)", []any{marker}},
		{"DO $$ BEGIN RAISE WARNING '" + marker + "'; RAISE EXCEPTION '" + marker + "'; END $$", nil},
	} {
		if _, err := conn.Exec(t.Context(), statement.sql, statement.args...); err == nil {
			t.Errorf("%s succeeded", statement.sql)
		}
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	written := logSince(server.data, nil)
	if !strings.Contains(written, "shut down") {
		t.Errorf("the log does not even tell the end of the server:\n%s", written)
	}
	first, err := os.ReadFile(filepath.Join(server.dir, "start.log"))
	if err != nil {
		t.Fatal(err)
	}
	if all := written + string(first); strings.Contains(strings.ToLower(all), strings.ToLower(marker)) {
		t.Errorf("the log quotes data:\n%s", all)
	}
}

func TestCancelledStartLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Start(ctx, Config{Dir: dir, Progress: func(string) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Start = %v, want context.Canceled", err)
	}
	if pids := processesIn(filepath.Join(dir, "data")); len(pids) > 0 {
		t.Errorf("processes %v are left", pids)
	}
	start(t, dir)
}

func TestStopWithOpenWork(t *testing.T) {
	t.Parallel()
	server := start(t, t.TempDir())
	conn, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := conn.Exec(context.Background(), "SELECT pg_sleep(3600)")
		ended <- err
	}()
	pids := processesIn(server.data)
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("the statement ran to its end")
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
}

func TestStopOfAServerThatHangs(t *testing.T) {
	t.Parallel()
	server := start(t, t.TempDir())
	pids := processesIn(server.data)
	for _, pid := range pids { // as if its disk had gone away
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // in a hurry: no time for the friendly way
	if err := server.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
}

func TestKeep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := start(t, dir)
	exec1(t, server, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (5)")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.Keep(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	if err := syscall.Kill(server.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		file, ok := running(server.data)
		return ok && file.pid != server.PID() && readyOnce(server.data)
	})
	if got := query[int](t, server, "SELECT n FROM kept"); got != 5 {
		t.Errorf("kept = %d", got)
	}
}
