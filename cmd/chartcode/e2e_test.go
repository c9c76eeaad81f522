package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chartcode/internal/store/storetest"
)

// The tests in this package run the real program as its users do: processes,
// a private PostgreSQL, NATS, HTTP. Every note that they send holds the marker,
// and nothing that any process writes to standard error, or to standard output
// where that is not suggestions, may hold it.
const marker = "zzyxmarkerzzyx"

// everything is all output of all processes that must not hold the marker.
var everything struct {
	sync.Mutex
	bytes.Buffer
}

// binary is the program, built with the race detector where the tests are; plain
// is the program as a site runs it.
var binary, plain string

// programFor gives the program for a command. What computes and prints runs as a site runs it: its packages are tested
// with the race detector, which would take minutes for as much as the commands do here (TestBadInput runs suggest with
// it).
func programFor(args []string) string {
	if len(args) > 0 && slices.Contains([]string{"bench", "eval", "learn", "simulate", "suggest"}, args[0]) {
		return plain
	}
	return binary
}

func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "chartcode-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	plain = filepath.Join(dir, "chartcode")
	binary = plain
	builds := []*exec.Cmd{exec.Command("go", "build", "-o", plain, ".")}
	builds[0].Env = append(os.Environ(), "CGO_ENABLED=0") // as the Makefile does, whose build then has little left to do
	if raceDetector {
		binary = filepath.Join(dir, "chartcode-race")
		builds = append(builds, exec.Command("go", "build", "-race", "-o", binary, "."))
	}
	for _, build := range builds {
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%s\n%v\n", out, err)
			return 1
		}
	}
	code := m.Run()
	if err := storetest.Starter.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	everything.Lock()
	defer everything.Unlock()
	if bytes.Contains(everything.Bytes(), []byte(marker)) {
		fmt.Fprintln(os.Stderr, "FAIL: a process wrote the text or the id of a note to its output or log")
		return 1
	}
	if bytes.Contains(everything.Bytes(), []byte("DATA RACE")) {
		fmt.Fprintln(os.Stderr, "FAIL: a process had a data race")
		return 1
	}
	return code
}

// watched collects output, and passes it on to where the marker is looked for.
type watched struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	change chan struct{}
}

func newWatched() *watched { return &watched{change: make(chan struct{}, 1)} }

func (w *watched) Write(p []byte) (int, error) {
	everything.Lock()
	everything.Write(p)
	everything.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(p)
	select {
	case w.change <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// site is one data directory with the environment of the commands on it.
type site struct {
	t   testing.TB
	env []string
	dir string
}

// newSite is a site with nothing in it: the first command that needs codes starts
// its PostgreSQL and loads the starter set, in a minute or more with the race detector.
func newSite(t testing.TB, env ...string) *site {
	t.Helper()
	empty := t.TempDir()
	s := &site{t: t, dir: filepath.Join(t.TempDir(), "data")}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "CHARTCODE_") && !strings.HasPrefix(v, "OPENAI_") {
			s.env = append(s.env, v)
		}
	}
	s.env = append(s.env, "CHARTCODE_DATA_DIR="+s.dir, "CHARTCODE_CODESETS="+empty, "CHARTCODE_HTTP_ADDR=127.0.0.1:0")
	s.env = append(s.env, env...)
	return s
}

// newStarted is a site with the starter set loaded.
func newStarted(t testing.TB, env ...string) *site {
	t.Helper()
	return newSite(t, append([]string{"CHARTCODE_DATABASE_URL=" + starterURL(t)}, env...)...)
}

// starterURL gives the URL of a database of the test's own with the starter set loaded.
func starterURL(t testing.TB) string {
	t.Helper()
	return storetest.Starter.URL(t, func(databaseURL string) {
		s := newSite(t, "CHARTCODE_DATABASE_URL="+databaseURL)
		for _, args := range [][]string{{"migrate"}, {"suggest", s.file("one.jsonl", noteLines("load", 1)), "--ranker", "local"}} {
			if _, code := s.runProgram(plain, args...); code != exitGood {
				t.Fatalf("%s ended with %d", args[0], code)
			}
		}
	})
}

// process is a running command.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	out  *watched
	err  *watched
	done chan struct{}
}

// start runs a command in the background; it is killed when the test ends.
func (s *site) start(args ...string) *process {
	s.t.Helper()
	return s.startProgram(programFor(args), args...)
}

func (s *site) startProgram(program string, args ...string) *process {
	s.t.Helper()
	p := &process{t: s.t, cmd: exec.Command(program, args...), out: newWatched(), err: newWatched(), done: make(chan struct{})}
	p.cmd.Env = s.env
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.err
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { defer close(p.done); _ = p.cmd.Wait() }()
	s.t.Cleanup(func() {
		if !p.ended() {
			_ = p.cmd.Process.Signal(syscall.SIGTERM)
			select {
			case <-p.done:
			case <-time.After(20 * time.Second):
				_ = p.cmd.Process.Kill()
				<-p.done
			}
		}
	})
	return p
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// expect waits for a line of standard output that matches and gives its groups.
func (p *process) expect(pattern string) []string {
	p.t.Helper()
	return p.expectIn(p.out, pattern)
}

func (p *process) expectIn(stream *watched, pattern string) []string {
	p.t.Helper()
	re := regexp.MustCompile("(?m)" + pattern)
	deadline := time.After(10 * time.Minute) // machines that others use too are slow at times
	for {
		if m := re.FindStringSubmatch(stream.String()); m != nil {
			return m
		}
		select {
		case <-stream.change:
		case <-p.done:
			if m := re.FindStringSubmatch(stream.String()); m != nil {
				return m
			}
			p.t.Fatalf("the command ended without %q\nstdout:\n%s\nstderr:\n%s", pattern, p.out, p.err)
		case <-deadline:
			p.t.Fatalf("no %q came\nstdout:\n%s\nstderr:\n%s", pattern, p.out, p.err)
		}
	}
}

// stop signals the process and gives its exit status.
func (p *process) stop(sig syscall.Signal) int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		p.t.Fatalf("the command did not end\nstderr:\n%s", p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// kill ends the process as a crash would.
func (p *process) kill() {
	p.t.Helper()
	_ = p.cmd.Process.Kill()
	<-p.done
}

// run runs a command to its end. Standard output is returned and not searched
// for the marker, for suggestions hold evidence.
func (s *site) run(args ...string) (stdout string, status int) {
	s.t.Helper()
	return s.runProgram(programFor(args), args...)
}

func (s *site) runProgram(program string, args ...string) (stdout string, status int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = s.env
	var out bytes.Buffer
	errs := newWatched()
	cmd.Stdout, cmd.Stderr = &out, errs
	err := cmd.Run()
	if ctx.Err() != nil {
		s.t.Fatalf("chartcode %s did not end\nstderr:\n%s", args[0], errs)
	}
	if err != nil && cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	if status = cmd.ProcessState.ExitCode(); status != 0 {
		s.t.Logf("chartcode %s: status %d: %s", args[0], status, errs)
	}
	return out.String(), status
}

// status is what `status --json` says. It is asked again and again, so without the
// race detector, which takes most of the time of a short command.
func (s *site) status() status {
	s.t.Helper()
	out, code := s.runProgram(plain, "status", "--json")
	if code != 0 {
		s.t.Fatalf("status ended with %d", code)
	}
	var st status
	if err := json.Unmarshal([]byte(out), &st); err != nil {
		s.t.Fatal(err)
	}
	return st
}

// settled waits until nothing is under way and gives the counts; it fails at once
// when one of the processes that do the work has ended.
func (s *site) settled(received int, workers ...*process) status {
	s.t.Helper()
	deadline := time.Now().Add(10 * time.Minute)
	for {
		st := s.status()
		if st.Notes.InFlight == 0 && st.Notes.Received >= received {
			return st
		}
		time.Sleep(300 * time.Millisecond) // each question is a process
		for _, p := range workers {
			if p.ended() {
				s.t.Fatalf("a process ended while notes were under way\nstderr:\n%s", p.err)
			}
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the notes were not worked through: %+v", st.Notes)
		}
	}
}

// noteLines makes notes with the marker in their text and id.
func noteLines(prefix string, n int) string {
	var b strings.Builder
	for i := range n {
		line, err := json.Marshal(map[string]any{
			"note_id": fmt.Sprintf("%s-%s-%d", marker, prefix, i), "service_date": "2026-03-14", "setting": "outpatient",
			"text": fmt.Sprintf("ASSESSMENT: %s number %d. Type 2 diabetes mellitus, essential hypertension, acute bronchitis.", marker, i),
		})
		if err != nil {
			panic(err)
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

func (s *site) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// browser follows a sign-in link and keeps the session.
type browser struct {
	t      testing.TB
	client *http.Client
	base   string
}

func newBrowser(t testing.TB, base, link string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t, &http.Client{Jar: jar, Timeout: 30 * time.Second}, base}
	if page := b.get(strings.TrimPrefix(link, base)); !strings.Contains(page, "Worklist") {
		t.Fatalf("the sign-in link does not lead to the worklist:\n%s", page)
	}
	return b
}

func (b *browser) get(path string) string {
	b.t.Helper()
	resp, err := b.client.Get(b.base + path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: %s\n%s", path, resp.Status, body)
	}
	return string(body)
}
