// Package metrics holds chartcode's Prometheus metrics. Their names are
// public; labels hold codes and names of stages, never anything of a note.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the metrics of one process, in a registry of their own.
type Metrics struct {
	registry    *prometheus.Registry
	Deliveries  *prometheus.CounterVec // by result and reason of a dead letter
	NoteSeconds prometheus.Histogram   // a worker's time for one delivery
	LLM         *LLM
}

// New makes the metrics, together with those of the Go runtime and the process.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		Deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chartcode_deliveries_total", Help: "Deliveries of notes to workers, by what became of them.",
		}, []string{"result", "reason"}),
		NoteSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "chartcode_note_seconds", Help: "Time of a worker for one delivery.",
			Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300},
		}),
	}
	m.registry.MustRegister(m.Deliveries, m.NoteSeconds, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.LLM = newLLM(m.registry)
	return m
}

// Handler serves the metrics in Prometheus's format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
