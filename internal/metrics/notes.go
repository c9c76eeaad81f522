package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Notes are the metrics of what a worker does with notes, and of announcing.
type Notes struct {
	deliveries   *prometheus.CounterVec
	redeliveries prometheus.Counter
	seconds      prometheus.Histogram
	waited       *prometheus.HistogramVec
	stages       *prometheus.HistogramVec
	degraded     *prometheus.CounterVec
	inProgress   prometheus.Gauge
	announced    *prometheus.CounterVec
}

var noteBuckets = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300}

// The stages of a note whose time is measured.
var stages = []string{"intake", "segment", "retrieve", "rank_local", "rank_llm", "validate", "save"}

func newNotes(registry *prometheus.Registry) *Notes {
	registered := promauto.With(registry)
	m := &Notes{
		deliveries: registered.NewCounterVec(prometheus.CounterOpts{
			Name: "chartcode_deliveries_total", Help: "Deliveries of notes to workers, by result (done, retry, outage, dead, returned) and reason of a dead letter.",
		}, []string{"result", "reason"}),
		redeliveries: registered.NewCounter(prometheus.CounterOpts{
			Name: "chartcode_redeliveries_total", Help: "Deliveries that were not a note's first.",
		}),
		seconds: registered.NewHistogram(prometheus.HistogramOpts{
			Name: "chartcode_note_seconds", Help: "Time of a worker for one delivery.", Buckets: noteBuckets,
		}),
		waited: registered.NewHistogramVec(prometheus.HistogramOpts{
			Name: "chartcode_queue_wait_seconds", Help: "Time from a note's arrival in the queue to a worker's taking it, first deliveries alone, by priority (urgent, ordinary).",
			Buckets: []float64{0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400},
		}, []string{"priority"}),
		stages: registered.NewHistogramVec(prometheus.HistogramOpts{
			Name: "chartcode_stage_seconds", Help: "Time of one stage for one note, by stage (intake, segment, retrieve, rank_local, rank_llm, validate, save) and result: ok, or a code.",
			Buckets: []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300},
		}, []string{"stage", "result"}),
		degraded: registered.NewCounterVec(prometheus.CounterOpts{
			Name: "chartcode_degraded_total", Help: "Notes ranked locally because the LLM failed, by reason.",
		}, []string{"reason"}),
		inProgress: registered.NewGauge(prometheus.GaugeOpts{
			Name: "chartcode_notes_in_progress", Help: "Notes that this process works on just now.",
		}),
		announced: registered.NewCounterVec(prometheus.CounterOpts{
			Name: "chartcode_announcements_total", Help: "Announcements from the outbox, by what (suggestions, reviews) and result (ok, failed).",
		}, []string{"what", "result"}),
	}
	// Series begin at 0, so that their first event is a rise.
	for _, r := range []string{"done", "retry", "outage", "dead", "returned"} {
		m.deliveries.WithLabelValues(r, "")
	}
	for _, p := range []string{"urgent", "ordinary"} {
		m.waited.WithLabelValues(p)
	}
	for _, s := range stages {
		m.stages.WithLabelValues(s, "ok")
	}
	for _, what := range []string{"suggestions", "reviews"} {
		for _, r := range []string{"ok", "failed"} {
			m.announced.WithLabelValues(what, r)
		}
	}
	m.degraded.WithLabelValues("llm_failed")
	return m
}

// Delivery counts one delivery and what became of it.
func (m *Notes) Delivery(ctx context.Context, result, reason string, urgent bool, attempt int, waited, took time.Duration) {
	m.deliveries.WithLabelValues(result, reason).Inc()
	observe(ctx, m.seconds, took)
	if attempt > 1 {
		m.redeliveries.Inc()
		return
	}
	priority := "ordinary"
	if urgent {
		priority = "urgent"
	}
	observe(ctx, m.waited.WithLabelValues(priority), max(waited, 0))
}

// Stage enters the time of one stage; its code is "" when all was well.
func (m *Notes) Stage(ctx context.Context, stage, code string, took time.Duration) {
	observe(ctx, m.stages.WithLabelValues(stage, result(code)), took)
}

// Degraded counts a note that was ranked locally instead of by an LLM.
func (m *Notes) Degraded(reason string) { m.degraded.WithLabelValues(reason).Inc() }

// InProgress counts notes that are worked on.
func (m *Notes) InProgress(change int) { m.inProgress.Add(float64(change)) }

// Announced counts an announcement.
func (m *Notes) Announced(what string, err error) {
	r := "ok"
	if err != nil {
		r = "failed"
	}
	m.announced.WithLabelValues(what, r).Inc()
}
