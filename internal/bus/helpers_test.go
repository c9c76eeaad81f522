package bus

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// patience bounds waits for what must come; no test passes because of it.
const patience = 60 * time.Second

// marker is in every body: it must never be in a log.
const marker = "Zebrafink"

// logs collects all log output of a test and checks at its end that nothing of
// a note is in it.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func newLogger(t testing.TB) *slog.Logger {
	l := &logs{}
	t.Cleanup(func() {
		if strings.Contains(l.String(), marker) {
			t.Error("the log holds text of a note")
		}
		if t.Failed() {
			t.Log(l.String())
		}
	})
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func startServer(t testing.TB) *Embedded {
	t.Helper()
	e, err := StartEmbedded(EmbeddedConfig{StoreDir: t.TempDir(), Logger: newLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Shutdown)
	return e
}

func connect(t testing.TB, url string) *Bus {
	t.Helper()
	b, err := Connect(t.Context(), Config{URL: url, Logger: newLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	if err := b.EnsureStreams(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

func newBus(t testing.TB) *Bus {
	t.Helper()
	return connect(t, startServer(t).URL())
}

// body is a note that names itself.
func body(id string) []byte {
	return []byte(fmt.Sprintf(`{"note_id":%q,"text":"%s"}`, id, marker))
}

func submit(t testing.TB, b *Bus, priority int, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if _, err := b.Submit(t.Context(), Submission{Source: "north", Priority: priority, NoteID: id, Body: body(id)}); err != nil {
			t.Fatal(err)
		}
	}
}

// raw publishes any bytes on any subject and waits for the server's confirmation.
func raw(t testing.TB, b *Bus, subject string, data []byte) {
	t.Helper()
	if _, err := b.js.Publish(t.Context(), subject, data); err != nil {
		t.Fatal(err)
	}
}

// start runs a worker until the returned function is called, which waits for it.
func start(t testing.TB, b *Bus, cfg WorkConfig, h Handler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Work(ctx, cfg, h) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("Work: %v", err)
				}
			case <-time.After(patience):
				t.Error("the worker did not end")
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// eventually waits until the condition holds.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !cond(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// counted waits until the queue is empty and gives the number of dead letters.
func drained(t testing.TB, b *Bus) (deadLetters uint64) {
	t.Helper()
	eventually(t, "the queue is empty", func() bool {
		inFlight, n, err := b.Counts(t.Context())
		deadLetters = n
		return err == nil && inFlight == 0
	})
	return deadLetters
}

// seen counts deliveries by body.
type seen struct {
	mu    sync.Mutex
	order []Delivery
}

func (s *seen) add(d Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.order = append(s.order, d)
}

func (s *seen) all() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Delivery(nil), s.order...)
}

func (s *seen) times(b []byte) (n int) {
	for _, d := range s.all() {
		if bytes.Equal(d.Body, b) {
			n++
		}
	}
	return n
}

// proxy passes TCP connections on to a server until it is cut.
type proxy struct {
	target string
	addr   string
	mu     sync.Mutex
	l      net.Listener
	conns  []net.Conn
	gate   sync.RWMutex // held: nothing comes from the server
}

// Write lets through what comes from the server.
func (g gated) Write(b []byte) (int, error) {
	g.gate.RLock()
	defer g.gate.RUnlock()
	return g.Writer.Write(b)
}

type gated struct {
	io.Writer
	gate *sync.RWMutex
}

func newProxy(t testing.TB, target string) *proxy {
	p := &proxy{target: target, addr: "127.0.0.1:0"}
	p.restore(t)
	p.addr = p.l.Addr().String()
	t.Cleanup(p.cut)
	return p
}

func (p *proxy) restore(t testing.TB) {
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.l = l
	p.mu.Unlock()
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", p.target)
			if err != nil {
				_ = in.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, in, out)
			p.mu.Unlock()
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
			go func() { _, _ = io.Copy(gated{in, &p.gate}, out); _ = in.Close() }()
		}
	}()
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.l.Close()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

func streamMsgs(t testing.TB, b *Bus, name string) jetstream.StreamState {
	t.Helper()
	s, err := b.js.Stream(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State
}
