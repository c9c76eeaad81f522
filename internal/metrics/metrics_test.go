package metrics_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"chartcode/internal/health"
	"chartcode/internal/metrics"
)

// scrape gives what a scrape tells.
func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// TestStateLeavesOutWhatIsLost: an old figure would be a wrong one.
func TestStateLeavesOutWhatIsLost(t *testing.T) {
	t.Parallel()
	var state metrics.State
	m := metrics.New("1", "serve")
	m.State(func(context.Context) metrics.State { return state })
	state = metrics.State{
		Parts:   []health.Part{{Name: "database", OK: true}, {Name: "nats", OK: true}},
		Queue:   &metrics.QueueState{Oldest: 90 * time.Second, DeadLetters: 3, Consumers: map[string]metrics.ConsumerLag{"workers": {Waiting: 7, UnderWay: 2}}},
		Workers: new(2), Paused: new(false),
	}
	has := func(want bool, lines ...string) {
		t.Helper()
		text := scrape(t, m)
		for _, l := range lines {
			if strings.Contains(text, "\n"+l) != want {
				t.Errorf("the scrape has %q: %v, want %v", l, !want, want)
			}
		}
	}
	has(true, "chartcode_ready 1\n", "chartcode_queue_oldest_seconds 90\n", `chartcode_queue_waiting{consumer="workers"} 7`, "chartcode_dead_letters 3\n", "chartcode_workers 2\n", "chartcode_intake_paused 0\n")
	has(false, "chartcode_outbox_waiting")

	// One that is lost takes no other with it.
	state = metrics.State{Outbox: &metrics.OutboxState{Waiting: 5}, Workers: new(2)}
	has(true, "chartcode_outbox_waiting 5\n", "chartcode_workers 2\n")
	has(false, "chartcode_database_bytes", "chartcode_intake_paused")
	state = metrics.State{DatabaseBytes: new(int64(9)), Paused: new(true)}
	has(true, "chartcode_database_bytes 9\n", "chartcode_intake_paused 1\n")
	has(false, "chartcode_outbox_waiting", "chartcode_workers")

	state = metrics.State{Parts: []health.Part{{Name: "database", OK: true}, {Name: "nats"}}}
	has(true, "chartcode_ready 0\n", `chartcode_part_up{part="nats"} 0`)
	has(false, "chartcode_queue_oldest_seconds", "chartcode_workers", "chartcode_dead_letters")
}

// TestDeliveries: repetitions are counted apart, and their wait is not one for a worker.
func TestDeliveries(t *testing.T) {
	t.Parallel()
	m := metrics.New("1", "work")
	m.Notes.Delivery(t.Context(), "done", "", true, 1, time.Second, time.Millisecond)
	m.Notes.Delivery(t.Context(), "retry", "", false, 2, time.Hour, time.Millisecond)
	m.Notes.Delivery(t.Context(), "dead", "invalid_json", false, 3, time.Hour, time.Millisecond)
	text := scrape(t, m)
	for _, line := range []string{
		"chartcode_redeliveries_total 2\n", `chartcode_queue_wait_seconds_count{priority="urgent"} 1`, `chartcode_queue_wait_seconds_count{priority="ordinary"} 0`,
		`chartcode_deliveries_total{reason="invalid_json",result="dead"} 1`, `chartcode_deliveries_total{reason="",result="outage"} 0`, "chartcode_note_seconds_count 3\n",
	} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("the scrape lacks %q", line)
		}
	}
}
