// Package metrics holds chartcode's Prometheus metrics. Their names are
// public, and docs/metrics.md lists them; labels hold codes, routes and names of
// stages, never anything of a note. Histograms carry exemplars: the id of a
// trace, where traces are exported.
//
// What a process does itself is counted as it happens. What all processes share
// (queue, outbox, workers) is asked for at each scrape, by processes that serve
// the web; see State.
package metrics

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"chartcode/internal/tracing"
)

// Metrics are the metrics of one process, in a registry of their own.
type Metrics struct {
	registry *prometheus.Registry
	Notes    *Notes
	LLM      *LLM
	HTTP     *HTTP
	SQL      *SQL
}

// New makes the metrics, together with those of the Go runtime and the process.
// Version and role say what the process is.
func New(version, role string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	about := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "chartcode_build_info", Help: "Always 1: which program this process runs, and as what.",
	}, []string{"version", "role"})
	about.WithLabelValues(version, role).Set(1)
	m.registry.MustRegister(about, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.Notes, m.LLM, m.HTTP, m.SQL = newNotes(m.registry), newLLM(m.registry), newHTTP(m.registry), newSQL(m.registry)
	return m
}

// Handler serves the metrics in Prometheus's format, or with exemplars in that of
// OpenMetrics, as the client asks.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// observe enters a time, with the trace that ctx is in.
func observe(ctx context.Context, o prometheus.Observer, took time.Duration) {
	if id := tracing.ID(ctx); id != "" {
		if e, ok := o.(prometheus.ExemplarObserver); ok {
			e.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": id})
			return
		}
	}
	o.Observe(took.Seconds())
}
