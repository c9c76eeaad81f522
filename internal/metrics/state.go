package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chartcode/internal/health"
)

// State is what all processes share, at one moment. What could not be asked for
// is left out of the scrape: an old figure would be a wrong one.
type State struct {
	Parts []health.Part // what suggestions need

	Queue         *QueueState
	Outbox        *OutboxState
	DatabaseBytes *int64
	Workers       *int  // that are alive
	Paused        *bool // intake is
}

// QueueState is what NATS holds.
type QueueState struct {
	Consumers   map[string]ConsumerLag
	Oldest      time.Duration // that the oldest note which is not done waits; 0: there is none
	DeadLetters uint64
	Messages    map[string]uint64 // by stream
	Bytes       map[string]uint64
}

// ConsumerLag is how far a consumer of notes is behind.
type ConsumerLag struct{ Waiting, UnderWay float64 }

// OutboxState is what waits to be announced.
type OutboxState struct {
	Waiting int
	Oldest  time.Duration
}

var (
	partDesc     = desc("chartcode_part_up", "1 while a part that suggestions need is well: database, migrations, nats, code_set, lag.", "part")
	readyDesc    = desc("chartcode_ready", "1 while suggestions can be made, as /readyz says.")
	waitDesc     = desc("chartcode_queue_waiting", "Notes that wait for a worker, by consumer (workers, workers-urgent).", "consumer")
	underWayDesc = desc("chartcode_queue_under_way", "Notes delivered to workers and not settled, those that wait for their next attempt included, by consumer.", "consumer")
	oldestDesc   = desc("chartcode_queue_oldest_seconds", "Time that the oldest note which is not done has been in the queue; 0 without one.")
	deadDesc     = desc("chartcode_dead_letters", "Dead letters that wait for a person.")
	messagesDesc = desc("chartcode_stream_messages", "Messages in a NATS stream.", "stream")
	bytesDesc    = desc("chartcode_stream_bytes", "Size of a NATS stream.", "stream")
	outboxDesc   = desc("chartcode_outbox_waiting", "Announcements that wait in the outbox.")
	outboxAge    = desc("chartcode_outbox_oldest_seconds", "Time that the oldest announcement has been waiting; 0 without one.")
	databaseDesc = desc("chartcode_database_bytes", "Size of the database.")
	workersDesc  = desc("chartcode_workers", "Worker processes that gave a sign of life within the last half minute.")
	pausedDesc   = desc("chartcode_intake_paused", "1 while an administrator has paused the intake: no worker takes notes.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// scrapeTime bounds what one scrape asks for.
const scrapeTime = 3 * time.Second

// State lets each scrape ask for it.
func (m *Metrics) State(ask func(ctx context.Context) State) {
	m.registry.MustRegister(stateCollector{ask})
}

type stateCollector struct {
	ask func(ctx context.Context) State
}

// Describe names the metrics.
func (c stateCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{partDesc, readyDesc, waitDesc, underWayDesc, oldestDesc, deadDesc, messagesDesc, bytesDesc, outboxDesc, outboxAge, databaseDesc, workersDesc, pausedDesc} {
		to <- d
	}
}

// Collect asks and tells.
func (c stateCollector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	s := c.ask(ctx)
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, p := range s.Parts {
		gauge(partDesc, number(p.OK), p.Name)
	}
	ready, _ := health.Ready(s.Parts)
	gauge(readyDesc, number(ready))
	if q := s.Queue; q != nil {
		for name, lag := range q.Consumers {
			gauge(waitDesc, lag.Waiting, name)
			gauge(underWayDesc, lag.UnderWay, name)
		}
		gauge(oldestDesc, q.Oldest.Seconds())
		gauge(deadDesc, float64(q.DeadLetters))
		for name, n := range q.Messages {
			gauge(messagesDesc, float64(n), name)
			gauge(bytesDesc, float64(q.Bytes[name]), name)
		}
	}
	if o := s.Outbox; o != nil {
		gauge(outboxDesc, float64(o.Waiting))
		gauge(outboxAge, o.Oldest.Seconds())
	}
	if s.DatabaseBytes != nil {
		gauge(databaseDesc, float64(*s.DatabaseBytes))
	}
	if s.Workers != nil {
		gauge(workersDesc, float64(*s.Workers))
	}
	if s.Paused != nil {
		gauge(pausedDesc, number(*s.Paused))
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
