package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"chartcode/samples"
)

var samplesCount = bytes.Count(bytes.TrimSpace(samples.Notes()), []byte("\n")) + 1

// postgresPID is the process of the site's private PostgreSQL; 0 when none is known.
func (s *site) postgresPID() int {
	files, _ := filepath.Glob(filepath.Join(s.dir, "postgres", "*", "postmaster.pid"))
	more, _ := filepath.Glob(filepath.Join(s.dir, "postgres", "postmaster.pid"))
	for _, f := range append(files, more...) {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		line, _, _ := strings.Cut(string(b), "\n")
		if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil {
			return pid
		}
	}
	return 0
}

func alive(pid int) bool { return pid > 0 && syscall.Kill(pid, 0) == nil }

var itemsOnPage = regexp.MustCompile(`(\d+) notes? in (\d+) encounters?`)

// TestDemo goes the way of a first user: start, sign in, look, submit, stop,
// start again, also after a crash.
func TestDemo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	// Without the race detector, which takes long to load the codes; the tests of the catalog have it, and the second
	// start.
	demo := s.startProgram(plain, "demo")
	base := demo.expect(`^ready (http://127\.0\.0\.1:\d+)$`)[1]
	links := map[string]string{}
	for _, role := range []string{"coder", "auditor", "manager", "admin"} {
		links[role] = demo.expect(`^sign-in ` + role + ` (` + regexp.QuoteMeta(base) + `/\S+)$`)[1]
	}
	natsURL := demo.expect(`^nats (nats://127\.0\.0\.1:\d+)$`)[1]
	st := s.settled(samplesCount)
	if !st.Ready || st.Notes.Received != samplesCount || st.Notes.Items != samplesCount-2 || st.SuggestionSets != samplesCount || st.Notes.Dead != 0 {
		t.Errorf("after the start: %+v", st)
	}

	b := newBrowser(t, base, links["coder"])
	page := b.get("/")
	if m := itemsOnPage.FindStringSubmatch(page); m == nil || m[1] != fmt.Sprint(st.Notes.Received) || m[2] != fmt.Sprint(st.Notes.Items) {
		t.Errorf("the page counts %v, status %+v", m, st.Notes)
	}
	if !strings.Contains(page, "starter set") {
		t.Error("the page does not say that the starter set is loaded")
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		resp, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	item := regexp.MustCompile(`href="(/items/\d+)"`).FindStringSubmatch(page)
	if item == nil {
		t.Fatal("the worklist shows no item")
	}
	if got := b.get(item[1]); !strings.Contains(got, `<mark class="ev`) || !strings.Contains(got, "Accept") {
		t.Errorf("the item shows no evidence or no way to accept:\n%s", got)
	}

	// Submitting adds items once; a changed text is a revision.
	file := s.file("notes.jsonl", noteLines("demo", 20))
	for range 2 {
		if _, code := s.run("submit", file); code != 0 {
			t.Fatalf("submit ended with %d", code)
		}
	}
	st2 := s.settled(st.Notes.Received + 20)
	if st2.Notes.Received != st.Notes.Received+20 || st2.Notes.Items != st.Notes.Items+20 || st2.SuggestionSets != st.SuggestionSets+20 {
		t.Errorf("submitted twice: %+v, before %+v", st2.Notes, st.Notes)
	}
	changed := s.file("changed.jsonl", strings.Replace(noteLines("demo", 1), "acute bronchitis", "acute sinusitis", 1))
	if _, code := s.run("submit", changed); code != 0 {
		t.Fatalf("submit ended with %d", code)
	}
	for st3 := s.status(); st3.SuggestionSets != st2.SuggestionSets+1; st3 = s.status() {
		if st3.Notes.InFlight == 0 && s.status().SuggestionSets != st2.SuggestionSets+1 {
			t.Fatalf("the changed note made no suggestion set: %+v", st3)
		}
	}
	st3 := s.settled(st2.Notes.Received)
	if st3.Notes.Received != st2.Notes.Received || st3.Notes.Items != st2.Notes.Items || st3.SuggestionSets != st2.SuggestionSets+1 {
		t.Errorf("a changed note: %+v, before %+v", st3, st2)
	}

	// A stop ends all of it.
	pid := s.postgresPID()
	if !alive(pid) {
		t.Fatalf("the private PostgreSQL is not found (pid %d)", pid)
	}
	if code := demo.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("the demo ended with %d after SIGTERM\n%s", code, demo.err)
	}
	if alive(pid) {
		t.Error("PostgreSQL runs on after the demo ended")
	}

	// The next start goes on with what is there.
	demo = s.start("demo")
	demo.expect(`^ready http`)
	if again := demo.expect(`^nats (\S+)$`)[1]; again != natsURL {
		t.Errorf("NATS moved from %s to %s", natsURL, again)
	}
	if st4 := s.settled(st3.Notes.Received); st4.Notes != st3.Notes || st4.SuggestionSets != st3.SuggestionSets {
		t.Errorf("after a second start: %+v, before %+v", st4, st3)
	}

	// Killed with notes under way, it works them when it is started again, each once.
	if _, code := s.run("submit", s.file("more.jsonl", noteLines("kill", 200))); code != 0 {
		t.Fatalf("submit ended with %d", code)
	}
	demo.kill()
	demo = s.start("demo")
	demo.expect(`^ready http`)
	st5 := s.settled(st3.Notes.Received + 200)
	if st5.Notes.Received != st3.Notes.Received+200 || st5.Notes.Items != st3.Notes.Items+200 || st5.SuggestionSets != st3.SuggestionSets+200 || st5.Notes.Dead != 0 {
		t.Errorf("after kill -9: %+v, before %+v", st5, st3)
	}
	if code := demo.stop(syscall.SIGINT); code != 0 {
		t.Errorf("the demo ended with %d after SIGINT\n%s", code, demo.err)
	}

	// --reset starts over. Told to stop while the codes are loaded, it stops without complaint, and the next start goes on.
	demo = s.startProgram(plain, "demo", "--reset")
	loaded := func() bool { return strings.Contains(demo.out.String(), "ready http") }
	s.until("codes are being loaded", func() bool { return strings.Contains(demo.err.String(), "the terms") || loaded() }, func() any { return demo.err })
	if st6 := s.status(); st6.Notes.Received != 0 && !loaded() || st6.Notes.Received > samplesCount {
		t.Errorf("after --reset: %+v", st6.Notes)
	}
	pid = s.postgresPID()
	if code := demo.stop(syscall.SIGTERM); code != 0 || strings.Contains(demo.err.String(), "chartcode: ") {
		t.Errorf("stopped while it loaded: %d\n%s", code, demo.err)
	}
	if !loaded() && strings.Contains(demo.err.String(), "vectors: done") {
		t.Errorf("what was not done is said to be done:\n%s", demo.err)
	}
	if alive(pid) {
		t.Error("PostgreSQL runs on after a demo was stopped while it loaded")
	}
	demo = s.startProgram(plain, "demo")
	demo.expect(`^ready http`)
	if st7 := s.settled(samplesCount); st7.Notes.Received != samplesCount {
		t.Errorf("after --reset and a second start: %+v", st7.Notes)
	}
}

func TestTakenPortIsOneClearLine(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	srv := &http.Server{}
	l := listenLoopback(t)
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { srv.Close() })
	s.env = append(s.env, "CHARTCODE_HTTP_ADDR="+l.Addr().String())
	demo := s.start("demo")
	<-demo.done
	if code := demo.cmd.ProcessState.ExitCode(); code != exitFailed {
		t.Errorf("status %d", code)
	}
	if lines := strings.Split(strings.TrimSpace(demo.err.String()), "\n"); len(lines) != 1 || !strings.Contains(lines[0], "cannot listen on") {
		t.Errorf("stderr:\n%s", demo.err)
	}
}
