package store

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"chartcode/internal/testpg"
)

func TestSummary(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		sqlSeen:           "SELECT note_revisions",
		sqlInsertNote:     "INSERT notes",
		sqlUpdateItem:     "UPDATE items",
		sqlCleanOutbox:    "DELETE outbox",
		sqlPutProcess:     "INSERT processes",
		sqlSaveCheck:      "UPDATE items",
		sqlIntake:         "SELECT intake_switches",
		sqlServer:         "SELECT",
		sqlOutboxWaiting:  "SELECT outbox",
		sqlListOpenRounds: "SELECT throughput_rounds",
		sqlListFirstNotes: "SELECT throughput_notes",
		"begin":           "BEGIN",
		"-- ping":         "OTHER",
		"WITH x AS (SELECT * FROM items) SELECT * FROM x":      "SELECT items",
		"SELECT * FROM unnest($1) u JOIN notes n ON n.id = u":  "SELECT notes",
		"SELECT text FROM term_texts WHERE text = 'FROM note'": "SELECT term_texts",
	} {
		if got := summary(sql); got != want {
			t.Errorf("%.60s is %q, want %q", sql, got, want)
		}
	}
}

// heard keeps what an Observer is told.
type heard struct {
	mu   sync.Mutex
	list map[string]bool // failed, by name
}

func (h *heard) Statement(_ context.Context, name string, _ time.Duration, failed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list[name] = h.list[name] || failed
}

// TestStatementsAreObserved: each with its name, and whether it failed.
func TestStatementsAreObserved(t *testing.T) {
	t.Parallel()
	h := &heard{list: map[string]bool{}}
	s, err := Open(t.Context(), Config{URL: testpg.URL(t), Logger: slog.New(slog.DiscardHandler), Observer: h})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Server(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(t.Context(), "SELECT 1 FROM none_such"); err == nil {
		t.Fatal("there is a table none_such")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if failed, told := h.list["SELECT"]; failed || !told {
		t.Errorf("told of %v", h.list)
	}
	if !h.list["SELECT none_such"] {
		t.Errorf("told of %v", h.list)
	}
}
