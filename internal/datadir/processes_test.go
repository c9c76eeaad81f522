package datadir

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"chartcode/internal/localpg"
	"chartcode/internal/testpg/seed"
)

// process is a player in another process, seen from the test.
type process struct {
	cmd    *exec.Cmd
	input  io.WriteCloser
	output *bufio.Reader
}

func newProcess(t *testing.T, path string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), "DATADIR_TEST_PATH="+path)
	p.cmd.Stderr = os.Stderr
	output, err := p.cmd.StdoutPipe()
	if err == nil {
		p.input, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p.output = bufio.NewReader(output)
	t.Cleanup(func() { p.kill() })
	return p
}

func (p *process) say(command string) error {
	_, err := io.WriteString(p.input, command+"\n")
	return err
}

func (p *process) hear() string {
	answer, err := p.output.ReadString('\n')
	if err != nil {
		return "no answer: " + err.Error()
	}
	return strings.TrimSpace(answer)
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// Each line of a script is "PROCESS COMMAND", with "-> ANSWER" where the answer is not "ok". Commands of a line
// that are joined by "&" are given at once and then waited for. "PROCESS kill" is kill -9; "kill postgres" kills
// the database's first process. "up" and "down" say whether PostgreSQL has to run, "quiet" that no NATS listens.
func TestInterleavings(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"alone": `
			A open
			A postgres
			A write
			up
			A close
			down`,
		"the first leaves first": `
			A open
			A postgres
			B open
			B postgres
			A write
			A close
			up
			B write
			B count -> 2
			B close
			down`,
		"the second leaves first": `
			A open
			A postgres
			B open
			B postgres
			B write
			B close
			up
			A count -> 1
			A close
			down`,
		"both start at once and leave at once": `
			A open & B open & C open
			A postgres & B postgres & C postgres
			A write
			B write
			C count -> 2
			A close & B close & C close
			down`,
		"one comes while the last leaves": `
			A open
			A postgres
			A write
			A close & B open
			B postgres
			B count -> 1
			B close
			down`,
		"a user without a database is the last": `
			A open
			A postgres
			B open
			A close
			up
			B close
			down`,
		"the starter is killed while another works": `
			A open
			A postgres
			B open
			B postgres
			A write
			A kill
			up
			B write
			B count -> 2
			B close
			down`,
		"killed and adopted": `
			A open
			A postgres
			A write
			A kill
			up
			B open
			B postgres
			B count -> 1
			B close
			down`,
		"killed and nobody wants the database": `
			A open
			A postgres
			A kill
			B open
			B close
			down`,
		"a user is killed": `
			A open
			A postgres
			B open
			B postgres
			B kill
			A write
			A close
			down`,
		"the database is killed": `
			A open
			A postgres
			A write
			B open
			B postgres
			kill postgres
			A write
			B count -> 2
			A close
			B count -> 2
			B close
			down`,
		"forced end while another works": `
			A open
			A postgres
			A write
			B open
			A force
			B close
			down`,
		"another goes on after a forced end": `
			A open
			A postgres
			A write
			B open
			B postgres
			A force
			B count -> 1
			B close
			down`,
		"NATS alone, again at the same address": `
			A open
			A nats -> owned
			A publish
			A close
			quiet
			B open
			B nats -> owned
			B messages -> 1
			B close
			quiet`,
		"NATS is shared and taken over": `
			A open
			A nats -> owned
			B open
			B nats -> shared
			A publish
			B publish
			A close
			B publish
			B messages -> 3
			C open
			C nats -> shared
			B close
			C messages -> 3
			C close
			quiet`,
		"the owner of NATS is killed": `
			A open
			A nats -> owned
			B open
			B nats -> shared
			C open
			C nats -> shared
			A publish
			A kill
			B publish & C publish
			B messages -> 3
			B close
			C messages -> 3
			C close
			quiet`,
		"NATS by who needs it, the database by another": `
			A open
			A postgres
			B open
			B postgres
			B nats -> owned
			A close
			B write
			B publish
			B kill
			C open
			C nats -> owned
			C messages -> 1
			C postgres
			C count -> 1
			C close
			down
			quiet`,
		"reset": `
			A open
			A postgres
			A write
			B open
			B reset -> in use
			A kill
			B reset
			down
			B postgres
			B write
			B count -> 1
			B close
			down`,
		"two reset at once": `
			A open & B open
			A reset -> in use & B reset -> in use
			A close
			B reset
			B postgres
			B close
			down`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, script)
		})
	}
}

var cluster = seed.Seed{Make: func(dir string) error {
	if _, err := localpg.Start(context.Background(), localpg.Config{Dir: dir, Settings: map[string]string{"fsync": "off"}}); err != nil {
		return err
	}
	return localpg.Stop(context.Background(), dir)
}}

func play(t *testing.T, script string) {
	path := t.TempDir()
	// Where several start at once there is no database yet, and where nobody starts one it is not needed.
	if strings.Contains(script, "postgres\n") && !strings.Contains(script, "postgres &") {
		cluster.Copy(t, filepath.Join(path, "postgres"))
	}
	t.Cleanup(func() { // a test that failed leaves no server behind
		if dir, err := Open(context.Background(), Config{Path: path}); err == nil {
			_ = dir.Close(context.Background(), true)
		}
	})
	processes := map[string]*process{}
	for line := range strings.Lines(strings.TrimSpace(script)) {
		line = strings.TrimSpace(line)
		switch line {
		case "up", "down":
			if got := postgresRuns(path); got != (line == "up") {
				t.Fatalf("want the database %s, it runs: %v", line, got)
			}
			continue
		case "quiet":
			if address, listens := natsListens(t, path); listens {
				t.Fatalf("somebody listens at %s", address)
			}
			continue
		case "kill postgres":
			if err := syscall.Kill(postgresPID(path), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			continue
		}
		type order struct {
			who           *process
			command, want string
		}
		var orders []order
		for part := range strings.SplitSeq(line, " & ") {
			command, want, found := strings.Cut(part, " -> ")
			if !found {
				want = "ok"
			}
			name, command, _ := strings.Cut(command, " ")
			if processes[name] == nil {
				processes[name] = newProcess(t, path)
			}
			if command == "kill" {
				processes[name].kill()
				continue
			}
			orders = append(orders, order{processes[name], command, want})
			if err := processes[name].say(command); err != nil {
				t.Fatalf("%s: %v", part, err)
			}
		}
		for _, o := range orders {
			if got := o.who.hear(); got != o.want {
				t.Fatalf("%s: %s answered %q, want %q", line, o.command, got, o.want)
			}
		}
	}
}

// postgresPID is the first process of the directory's database, 0 when it has none.
func postgresPID(path string) int {
	content, err := os.ReadFile(filepath.Join(path, "postgres", "data", "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, _ := strconv.Atoi(first)
	return pid
}

func postgresRuns(path string) bool {
	pid := postgresPID(path)
	return pid != 0 && syscall.Kill(pid, 0) == nil
}

func natsListens(t *testing.T, path string) (string, bool) {
	t.Helper()
	all, err := (&Dir{path: path}).Endpoints()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := url.Parse(all.NATS.URL)
	if err != nil || parsed.Host == "" {
		t.Fatalf("no address of NATS: %+v, %v", all, err)
	}
	conn, err := net.DialTimeout("tcp", parsed.Host, time.Second)
	if err == nil {
		_ = conn.Close()
	}
	return parsed.Host, err == nil
}
