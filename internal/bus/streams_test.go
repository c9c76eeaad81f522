package bus

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

// bare connects without making streams.
func bare(t *testing.T) *Bus {
	t.Helper()
	b, err := Connect(t.Context(), Config{URL: startServer(t).URL(), Logger: newLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func TestEnsureStreamsMakesThemOnce(t *testing.T) {
	t.Parallel()
	b := bare(t)
	var wg sync.WaitGroup
	for range 4 { // as several processes that start together
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := b.EnsureStreams(t.Context()); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	want := map[string]struct {
		subjects  []string
		retention jetstream.RetentionPolicy
	}{
		"NOTES":       {[]string{"notes.submitted.>", "notes.urgent.>"}, jetstream.WorkQueuePolicy},
		"SUGGESTIONS": {[]string{"suggestions.ready.>"}, jetstream.LimitsPolicy},
		"REVIEWS":     {[]string{"reviews.completed.>"}, jetstream.LimitsPolicy},
		"DEADLETTER":  {[]string{"notes.dead.>"}, jetstream.LimitsPolicy},
	}
	for name, w := range want {
		s, err := b.js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		c := s.CachedInfo().Config
		if !slices.Equal(c.Subjects, w.subjects) || c.Retention != w.retention || c.Storage != jetstream.FileStorage {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestEnsureStreamsKeepsWhatAnOperatorSet(t *testing.T) {
	t.Parallel()
	b := bare(t)
	if _, err := b.js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: StreamNotes, Subjects: []string{"notes.submitted.>", "site.notes"}, Retention: jetstream.WorkQueuePolicy, MaxAge: 48 * time.Hour,
	}); err != nil {
		t.Fatal(err)
	}
	if err := b.EnsureStreams(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := b.js.Stream(t.Context(), StreamNotes)
	if err != nil {
		t.Fatal(err)
	}
	c := s.CachedInfo().Config
	if !slices.Equal(c.Subjects, []string{"notes.submitted.>", "site.notes", "notes.urgent.>"}) || c.MaxAge != 48*time.Hour {
		t.Errorf("%v %v", c.Subjects, c.MaxAge)
	}
}

func TestEnsureStreamsSaysWhatStandsInTheWay(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]jetstream.StreamConfig{
		"retention": {Name: StreamNotes, Subjects: []string{"notes.submitted.>"}},
		"storage":   {Name: StreamDeadLetter, Subjects: []string{"notes.dead.>"}, Storage: jetstream.MemoryStorage},
		"size":      {Name: StreamNotes, Subjects: []string{"x"}, Retention: jetstream.WorkQueuePolicy, MaxMsgSize: 1 << 20},
		"overlap":   {Name: "OTHER", Subjects: []string{"notes.>"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := bare(t)
			if _, err := b.js.CreateStream(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
			if err := b.EnsureStreams(t.Context()); !errors.Is(err, ErrStreamClash) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// plain starts a server as an operator might have it.
func plain(t *testing.T, opts server.Options) string {
	t.Helper()
	opts.Host, opts.Port, opts.NoSigs, opts.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
	opts.StoreDir = t.TempDir()
	s, err := server.NewServer(&opts)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	return s.ClientURL()
}

func TestConnectRefusesAServerOfSmallMessages(t *testing.T) {
	t.Parallel()
	_, err := Connect(t.Context(), Config{URL: plain(t, server.Options{JetStream: true}), Logger: newLogger(t)})
	if !errors.Is(err, ErrMaxPayload) {
		t.Errorf("got %v", err)
	}
}

func TestAServerWithoutJetStream(t *testing.T) {
	t.Parallel()
	b, err := Connect(t.Context(), Config{URL: plain(t, server.Options{MaxPayload: MaxPayload}), Logger: newLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.EnsureStreams(t.Context()); !errors.Is(err, ErrNoJetStream) {
		t.Errorf("got %v", err)
	}
}

func TestConnectErrorsHoldNoPassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"nats://user:hush@127.0.0.1:1", "nats://user:hush@[::bad", "nats://hush@127.0.0.1:1,nats://127.0.0.1:2", "nats://user:hush%zz@127.0.0.1:1"} {
		_, err := Connect(context.Background(), Config{URL: url, Logger: newLogger(t)})
		if !errors.Is(err, ErrUnreachable) || strings.Contains(err.Error(), "hush") {
			t.Errorf("got %v", err)
		}
	}
}

func TestHealthy(t *testing.T) {
	t.Parallel()
	e := startServer(t)
	b := connect(t, e.URL())
	if err := b.Healthy(t.Context()); err != nil {
		t.Error(err)
	}
	e.Shutdown()
	eventually(t, "the loss is noticed", func() bool { return b.Healthy(t.Context()) != nil })
}
