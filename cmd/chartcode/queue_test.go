package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"chartcode/internal/bus"
)

func listenLoopback(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// newNATS is a NATS server of the test's own, as a site's would be.
func newNATS(t testing.TB) string {
	t.Helper()
	srv, err := bus.StartEmbedded(bus.EmbeddedConfig{StoreDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Shutdown)
	return srv.URL()
}

// newServers is a site whose database and NATS are servers of their own, with
// the starter set loaded.
func newServers(t *testing.T, env ...string) (s *site, natsURL string) {
	t.Helper()
	natsURL = newNATS(t)
	return newStarted(t, append([]string{"CHARTCODE_NATS_URL=" + natsURL}, env...)...), natsURL
}

// TestWorkerKilled: 200 notes under way, the worker killed and started again.
func TestWorkerKilled(t *testing.T) {
	t.Parallel()
	s, _ := newServers(t)
	if _, code := s.run("submit", s.file("notes.jsonl", noteLines("worker", 200))); code != 0 {
		t.Fatalf("submit ended with %d", code)
	}
	worker := s.start("work")
	for st := s.status(); st.Notes.Received == 0; st = s.status() {
	}
	worker.kill()
	if st := s.status(); st.Notes.InFlight == 0 {
		t.Fatalf("the worker was done before it was killed: %+v", st.Notes)
	}
	worker = s.start("work")
	st := s.settled(200)
	if st.Notes.Received != 200 || st.Notes.Items != 200 || st.SuggestionSets != 200 || st.Notes.Dead != 0 {
		t.Errorf("after kill -9: %+v, %d sets", st.Notes, st.SuggestionSets)
	}
	if code := worker.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("the worker ended with %d after SIGTERM\n%s", code, worker.err)
	}
}

// cable is a TCP proxy that can be cut, or frozen: then what is sent is taken and
// does not arrive.
type cable struct {
	listener net.Listener
	target   string // an address, or the path of a Unix socket
	frozen   sync.RWMutex
	mu       sync.Mutex
	isCut    bool
	conns    map[net.Conn]bool
}

func newCable(t *testing.T, target string) *cable {
	c := &cable{listener: listenLoopback(t), target: target, conns: map[net.Conn]bool{}}
	t.Cleanup(func() { c.listener.Close(); c.set(true) })
	go func() {
		for {
			in, err := c.listener.Accept()
			if err != nil {
				return
			}
			c.join(in)
		}
	}()
	return c
}

func (c *cable) join(in net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	network := "tcp"
	if strings.HasPrefix(c.target, "/") {
		network = "unix"
	}
	out, err := net.Dial(network, c.target)
	if err != nil || c.isCut {
		in.Close()
		if out != nil {
			out.Close()
		}
		return
	}
	c.conns[in], c.conns[out] = true, true
	for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
		go func() { _, _ = io.Copy(thawed{pair[0], c}, pair[1]); pair[0].Close() }()
	}
}

// thawed writes while the cable is not frozen.
type thawed struct {
	io.Writer
	cable *cable
}

func (w thawed) Write(b []byte) (int, error) {
	w.cable.frozen.RLock()
	defer w.cable.frozen.RUnlock()
	return w.Writer.Write(b)
}

func (c *cable) set(isCut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isCut = isCut
	if isCut {
		for conn := range c.conns {
			conn.Close()
		}
		clear(c.conns)
	}
}

// TestConnectionCut: NATS goes away under way and comes back.
func TestConnectionCut(t *testing.T) {
	t.Parallel()
	s, natsURL := newServers(t)
	c := newCable(t, strings.TrimPrefix(natsURL, "nats://"))
	if _, code := s.run("submit", s.file("notes.jsonl", noteLines("cut", 200))); code != 0 {
		t.Fatalf("submit ended with %d", code)
	}
	behind := *s
	behind.env = append(append([]string(nil), s.env...), "CHARTCODE_NATS_URL=nats://"+c.listener.Addr().String())
	behind.start("work")
	for st := s.status(); st.Notes.Received == 0; st = s.status() {
	}
	c.set(true)
	time.Sleep(30 * time.Second) // the cut itself
	c.set(false)
	st := s.settled(200)
	if st.Notes.Received != 200 || st.Notes.Items != 200 || st.SuggestionSets != 200 || st.Notes.Dead != 0 {
		t.Errorf("after the cut: %+v, %d sets", st.Notes, st.SuggestionSets)
	}
}

// badInput is what must end in the dead-letter stream, with its reason.
var badInput = []struct {
	name, reason, body string
}{
	{"not JSON", "invalid_json", marker},
	{"no note_id", "missing_note_id", `{"text":"` + marker + `"}`},
	{"empty text", "empty_text", `{"note_id":"` + marker + `","text":""}`},
	{"text over 1 MiB", "text_too_long", `{"note_id":"` + marker + `","text":"` + strings.Repeat("a", 1<<20+1) + `"}`},
	{"invalid UTF-8", "invalid_utf8", `{"note_id":"` + marker + `","text":"` + marker + "\xff\"}"},
	{"a date that is none", "invalid_date", `{"note_id":"` + marker + `","service_date":"2026-02-30","text":"` + marker + `"}`},
	{"note_id over 128 characters", "invalid_note_id", `{"note_id":"` + marker + strings.Repeat("ä", 128) + `","text":"x"}`},
	{"note_id with a control character", "invalid_note_id", `{"note_id":"` + marker + `\u0007","text":"x"}`},
	{"U+0000", "nul_character", `{"note_id":"` + marker + `","text":"` + marker + `\u0000"}`},
	{"a lone surrogate", "lone_surrogate", `{"note_id":"` + marker + `","text":"` + marker + `\ud800"}`},
	{"binary bytes", "invalid_utf8", "\x00\x01\xfe\xff" + marker},
}

// TestBadInput: each to the dead-letter stream with its bytes, never in the
// way of others; and through suggest, a line with the error.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s, natsURL := newServers(t)
	s.start("work")
	nc, err := nats.Connect(natsURL)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := nc.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	publish := func(subject, body string) {
		// The worker makes the stream when it starts, and there is none before.
		if _, err := js.Publish(subject, []byte(body), nats.RetryAttempts(600), nats.RetryWait(100*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	bodies := map[string]string{}
	for _, b := range badInput {
		publish("notes.submitted.default", b.body)
		bodies[b.body] = b.reason
	}
	disagree := `{"note_id":"` + marker + `","source":"south","text":"` + marker + `"}`
	publish("notes.submitted.north", disagree)
	bodies[disagree] = "source_mismatch"
	if _, code := s.run("submit", s.file("good.jsonl", noteLines("good", 5))); code != 0 {
		t.Fatalf("submit ended with %d", code)
	}
	st := s.settled(5)
	if st.Notes.Received != 5 || int(st.Notes.Dead) != len(bodies) {
		t.Errorf("counts: %+v, want 5 received and %d dead", st.Notes, len(bodies))
	}
	out, _ := s.run("deadletter", "list", "--json")
	if strings.Contains(out, marker) {
		t.Error("deadletter list shows the text of a note")
	}
	for line := range strings.Lines(out) {
		var d deadLine
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatal(err)
		}
		body, _ := s.run("deadletter", "show", fmt.Sprint(d.Number))
		if want, known := bodies[body]; !known || want != d.Reason || d.Stage == "" || d.Attempts != 1 {
			t.Errorf("dead letter %+v: wanted reason %q for these bytes", d, want)
		}
		delete(bodies, body)
	}
	if len(bodies) > 0 {
		t.Errorf("%d bad inputs are not among the dead letters", len(bodies))
	}

	var file strings.Builder
	for _, b := range badInput {
		file.WriteString(b.body + "\n\n")
	}
	file.WriteString(noteLines("suggest", 1))
	out, code := s.runProgram(binary, "suggest", s.file("mixed.jsonl", file.String()))
	if code != exitPartial {
		t.Errorf("suggest ended with %d, want %d", code, exitPartial)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != len(badInput)+1 {
		t.Fatalf("%d lines for %d inputs", len(lines), len(badInput)+1)
	}
	for i, b := range badInput {
		var e suggestError
		if err := json.Unmarshal([]byte(lines[i]), &e); err != nil {
			t.Fatal(err)
		}
		if e.Line != 2*i+1 || e.NoteID != nil || !strings.HasPrefix(e.Error, b.reason+": ") || strings.Contains(e.Error, marker) {
			t.Errorf("%s: %s", b.name, lines[i])
		}
	}
}

// TestLLMDown: the notes get local suggestions, marked degraded.
func TestLLMDown(t *testing.T) {
	t.Parallel()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, marker+" "+strings.Repeat("x", 100), http.StatusInternalServerError)
	}))
	defer broken.Close()
	gone := listenLoopback(t)
	gone.Close()
	for name, base := range map[string]string{"refused": "http://" + gone.Addr().String() + "/v1", "broken": broken.URL + "/v1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := newServers(t)
			s.env = append(s.env, "CHARTCODE_LLM_BASE_URL="+base, "CHARTCODE_LLM_MODEL=some-model", "CHARTCODE_LLM_API_KEY="+marker, "CHARTCODE_LLM_TIMEOUT=5s")
			out, code := s.run("suggest", s.file("notes.jsonl", noteLines("llm", 3)))
			if code != 0 {
				t.Fatalf("suggest ended with %d", code)
			}
			for line := range strings.Lines(out) {
				var set struct {
					Ranker         string `json:"ranker"`
					Degraded       bool   `json:"degraded"`
					DegradedReason string `json:"degraded_reason"`
					Suggestions    []any  `json:"suggestions"`
				}
				if err := json.Unmarshal([]byte(line), &set); err != nil {
					t.Fatal(err)
				}
				if !set.Degraded || set.DegradedReason == "" || !strings.HasPrefix(set.Ranker, "local@") || len(set.Suggestions) == 0 {
					t.Errorf("%+v", set)
				}
			}
		})
	}
}
