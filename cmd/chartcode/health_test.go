package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
)

// probe is what /healthz or /readyz answers.
type probe struct {
	status int
	Ready  bool   `json:"ready"`
	Reason string `json:"reason"`
	Parts  map[string]struct {
		OK     bool   `json:"ok"`
		Reason string `json:"reason"`
	} `json:"parts"`
}

func ask(t *testing.T, base, path string) probe {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	p := probe{status: resp.StatusCode}
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	return p
}

// socketOf gives the Unix socket that a database's URL leads to, and the URL with
// another address in its place.
func socketOf(t *testing.T, databaseURL string) (socket string, through func(addr string) string) {
	t.Helper()
	cfg, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	socket = fmt.Sprintf("%s:%d", cfg.Host, cfg.Port)
	if strings.HasPrefix(cfg.Host, "/") {
		socket = filepath.Join(cfg.Host, fmt.Sprintf(".s.PGSQL.%d", cfg.Port))
	}
	return socket, func(addr string) string {
		v := *u
		q := v.Query()
		q.Del("host")
		q.Del("port")
		q.Set("sslmode", "disable")
		v.Host, v.RawQuery = addr, q.Encode()
		if v.User == nil {
			v.User = url.User(cfg.User)
		}
		return v.String()
	}
}

// TestProbes: readyz turns false when a server is lost, whether it says so or just
// hangs, says which, and is true again afterwards; healthz minds the database
// alone. How long it took is logged: five seconds is what the documentation
// promises.
func TestProbes(t *testing.T) {
	t.Parallel()
	natsURL, database := newNATS(t), starterURL(t)
	socket, through := socketOf(t, database)
	db, queue := newCable(t, socket), newCable(t, strings.TrimPrefix(natsURL, "nats://"))
	s := newSite(t, "CHARTCODE_DATABASE_URL="+through(db.listener.Addr().String()), "CHARTCODE_NATS_URL=nats://"+queue.listener.Addr().String(),
		"CHARTCODE_METRICS_ADDR=127.0.0.1:0")
	serve, work := s.start("serve"), s.start("work")
	bases := map[string]string{"serve": serve.expect(`^ready (http://\S+)`)[1], "work": strings.TrimSuffix(work.expect(`^metrics (http://\S+)`)[1], "/metrics")}
	turns := func(what, path string, status int, reason string) {
		t.Helper()
		began := time.Now()
		for role, base := range bases {
			var last probe
			s.until(fmt.Sprintf("%s of %s answers %d after: %s", path, role, status, what), func() bool {
				last = ask(t, base, path)
				return last.status == status
			}, func() any { return last })
			if status != http.StatusOK && last.Reason != reason {
				t.Errorf("%s of %s gives the reason %q after: %s", path, role, last.Reason, what)
			}
			t.Logf("%s of %s answers %d %.1f s after: %s", path, role, status, time.Since(began).Seconds(), what)
		}
	}
	const noDatabase, noNATS = "the database does not answer", "NATS does not answer"
	turns("the start", "/readyz", http.StatusOK, "")
	turns("the start", "/healthz", http.StatusOK, "")

	db.set(true)
	turns("the database's connections are cut", "/readyz", http.StatusServiceUnavailable, noDatabase)
	turns("the database's connections are cut", "/healthz", http.StatusServiceUnavailable, noDatabase)
	db.set(false)
	turns("the database is back", "/readyz", http.StatusOK, "")
	turns("the database is back", "/healthz", http.StatusOK, "")

	db.frozen.Lock()
	turns("the database hangs", "/readyz", http.StatusServiceUnavailable, noDatabase)
	db.frozen.Unlock()
	turns("the database goes on", "/readyz", http.StatusOK, "")

	queue.set(true)
	turns("NATS's connections are cut", "/readyz", http.StatusServiceUnavailable, noNATS)
	turns("NATS's connections are cut", "/healthz", http.StatusOK, "")
	queue.set(false)
	turns("NATS is back", "/readyz", http.StatusOK, "")

	queue.frozen.Lock()
	turns("NATS hangs", "/readyz", http.StatusServiceUnavailable, noNATS)
	queue.frozen.Unlock()
	turns("NATS goes on", "/readyz", http.StatusOK, "")

	// A schema that another version left.
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	shift := func(by int) {
		if _, err := conn.Exec(t.Context(), "UPDATE schema_version SET version = version + $1", by); err != nil {
			t.Fatal(err)
		}
	}
	shift(-1)
	turns("a migration is missing", "/readyz", http.StatusServiceUnavailable, errMigrations.Error())
	shift(1)
	turns("all migrations are there", "/readyz", http.StatusOK, "")

	var p probe
	s.until("readyz is true at the end", func() bool { p = ask(t, bases["serve"], "/readyz"); return p.status == http.StatusOK }, func() any { return p })
	for _, part := range []string{partDatabase, partMigrations, partCodeSet, partNATS, partLag} {
		if !p.Parts[part].OK {
			t.Errorf("the part %s is %+v", part, p.Parts[part])
		}
	}
}

// TestReadyLag: where there is a bound, a note that nobody works on ends readiness.
func TestReadyLag(t *testing.T) {
	t.Parallel()
	s, _ := newServers(t, "CHARTCODE_READY_LAG=1ms")
	serve := s.start("serve")
	base := serve.expect(`^ready (http://\S+)`)[1]
	var p probe
	// On a busy machine the database's first answers may take longer than a probe waits.
	s.until("readyz is true without notes", func() bool { p = ask(t, base, "/readyz"); return p.status == http.StatusOK }, func() any { return p })
	if _, code := s.run("submit", s.file("one.jsonl", noteLines("lag", 1))); code != 0 {
		t.Fatalf("submit ended with %d", code)
	}
	s.until("readyz says that a note waits", func() bool { p = ask(t, base, "/readyz"); return p.status == http.StatusServiceUnavailable }, func() any { return p })
	if p.Parts[partLag].OK || !strings.Contains(p.Reason, "oldest note") {
		t.Errorf("%+v", p)
	}
	s.start("work")
	s.until("readyz is true again when the note is done", func() bool { p = ask(t, base, "/readyz"); return p.status == http.StatusOK }, func() any { return p })
}

// TestIntakePaused: a pause holds for running workers and for those started later,
// and ends when it is resumed; nothing is lost.
func TestIntakePaused(t *testing.T) {
	t.Parallel()
	s, _ := newServers(t, "CHARTCODE_LOG_LEVEL=warn")
	serve, work := s.start("serve"), s.start("work")
	base := serve.expect(`^ready (http://\S+)`)[1]
	s.until("a worker is alive", func() bool { return s.status().Workers == 1 }, func() any { return s.status() })
	page := s.administrator(base)
	page.post("/system/intake", url.Values{"to": {"paused"}, "reason": {"a migration"}})
	s.until("the worker has heard of it", func() bool { return strings.Contains(work.err.String(), "the intake is paused") }, func() any { return work.err.String() })
	if st := s.status(); !st.Intake.Paused || st.Intake.By != "ada" || st.Intake.Since == nil {
		t.Errorf("status says %+v", st.Intake)
	}
	if _, code := s.run("submit", s.file("notes.jsonl", noteLines("paused", 20))); code != 0 {
		t.Fatalf("submit ended with %d", code)
	}
	work.kill()
	work = s.start("work") // it knows before it takes the first note
	s.until("the new worker has heard of it", func() bool { return strings.Contains(work.err.String(), "the intake is paused") }, func() any { return work.err.String() })
	s.until("the page shows the new worker beside the one that was killed", func() bool { return strings.Count(page.get("/system"), `<th scope="row">work <span`) == 2 }, func() any { return page.get("/system") })
	if st := s.status(); st.Notes.Received != 0 || st.Notes.InFlight != 20 {
		t.Errorf("notes were taken during the pause: %+v", st.Notes)
	}
	if text := page.get("/system"); !strings.Contains(text, "ada paused the intake") || !strings.Contains(text, "a migration") || !strings.Contains(text, "Resume the intake") {
		t.Error("the page does not show the pause")
	}
	page.post("/system/intake", url.Values{"to": {"running"}})
	if st := s.settled(20, work); st.Notes.Items != 20 || st.Intake.Paused {
		t.Errorf("after the pause: %+v", st)
	}
	out, code := s.run("audit", "verify")
	if code != 0 {
		t.Errorf("audit verify ended with %d: %s", code, out)
	}
}

// administrator gives a browser of ada, who may see the system.
func (s *site) administrator(base string) *browser {
	s.t.Helper()
	const password = "correct horse battery staple"
	cmd := exec.CommandContext(s.t.Context(), binary, "user", "add", "ada", "--role", "admin")
	cmd.Env, cmd.Stdin = s.env, strings.NewReader(password+"\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("user add: %v: %s", err, out)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	b := &browser{s.t, &http.Client{Jar: jar, Timeout: 30 * time.Second}, base}
	b.post("/sign-in", url.Values{"login": {"ada"}, "password": {password}})
	return b
}

// post sends a form and follows where that leads.
func (b *browser) post(path string, form url.Values) string {
	b.t.Helper()
	resp, err := b.client.PostForm(b.base+path, form)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: %s, %v\n%s", path, resp.Status, err, body)
	}
	return string(body)
}

// TestSystemPage: the page of the running program, with a worker, a note that
// cannot succeed, and its way back to the workers.
func TestSystemPage(t *testing.T) {
	t.Parallel()
	s, natsURL := newServers(t)
	serve, work := s.start("serve"), s.start("work")
	page := s.administrator(serve.expect(`^ready (http://\S+)`)[1])
	nc, err := nats.Connect(natsURL)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := nc.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish("notes.submitted.north", []byte(marker)); err != nil {
		t.Fatal(err)
	}
	text := ""
	shows := func(what string, words ...string) {
		t.Helper()
		s.until("the page shows "+what, func() bool {
			text = page.get("/system")
			for _, w := range words {
				if !strings.Contains(text, w) {
					return false
				}
			}
			return true
		}, func() any { return text })
		if strings.Contains(text, marker) {
			t.Error("the page holds the text of a note")
		}
	}
	shows("the dead letter, the worker and the error", "ready: suggestions can be made", "1 worker alive", "waiting for notes", "/system/deadletters/1/replay", "<code>invalid_json</code>",
		"dead-lettered a note", "reason=invalid_json", "starter", "models of the program", "up to date", "NOTES", "workers-urgent", "term_vectors")
	if text := page.post("/system/deadletters/1/replay", nil); !strings.Contains(text, "was sent to the workers") {
		t.Error("the page does not say that it was replayed")
	}
	shows("that it came back", "/system/deadletters/2/replay")
	if strings.Contains(text, "/system/deadletters/1/replay") {
		t.Error("the first dead letter is still there")
	}
	if code := work.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("the worker ended with %d", code)
	}
	shows("that the worker said good-bye", "No worker is alive", "stopped")
}
