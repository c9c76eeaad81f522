package bus

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEmbeddedKeepsItsNotes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("a long name ", 12), "nats")
	launch := func() (*Embedded, *Bus) {
		e, err := StartEmbedded(EmbeddedConfig{StoreDir: dir, Logger: newLogger(t)})
		if err != nil {
			t.Fatal(err)
		}
		return e, connect(t, e.URL())
	}
	e, b := launch()
	submit(t, b, 5, "a")
	b.Close()
	e.Shutdown()
	e.Shutdown() // does no harm

	e, b = launch()
	defer e.Shutdown()
	var s seen
	start(t, b, quick(), func(_ context.Context, d Delivery) error { s.add(d); return nil })
	drained(t, b)
	if s.times(body("a")) != 1 {
		t.Error("the note is gone")
	}
}

func TestEmbeddedListensOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	host, _, err := net.SplitHostPort(strings.TrimPrefix(startServer(t).URL(), "nats://"))
	if err != nil || !net.ParseIP(host).IsLoopback() {
		t.Errorf("%s, %v", host, err)
	}
}

func TestEmbeddedSaysWhatItCannotDo(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	_, err = StartEmbedded(EmbeddedConfig{StoreDir: t.TempDir(), Port: port, Logger: newLogger(t)})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("port %d", port)) {
		t.Errorf("taken port: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = StartEmbedded(EmbeddedConfig{StoreDir: file, Logger: newLogger(t)}); err == nil {
		t.Error("a file was taken for a folder")
	}
	// Two servers on one folder would destroy each other's files; the data
	// directory's lock prevents it. Here: a folder of JetStream's that is a file.
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "jetstream"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = StartEmbedded(EmbeddedConfig{StoreDir: dir, Logger: newLogger(t)}); err == nil {
		t.Error("the server started without its folder")
	}
}
