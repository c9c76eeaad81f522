package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// SQL are the metrics of the database as this process sees it. It is an Observer
// of package store.
type SQL struct {
	registry *prometheus.Registry
	seconds  *prometheus.HistogramVec
	errors   *prometheus.CounterVec
	pool     bool // is asked for
}

func newSQL(registry *prometheus.Registry) *SQL {
	registered := promauto.With(registry)
	m := &SQL{
		registry: registry,
		seconds: registered.NewHistogramVec(prometheus.HistogramOpts{
			Name: "chartcode_sql_seconds", Help: "Time of a statement, by verb and first table, such as SELECT items; several sent together are one BATCH.",
			Buckets: []float64{0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30},
		}, []string{"statement"}),
		errors: registered.NewCounterVec(prometheus.CounterOpts{
			Name: "chartcode_sql_errors_total", Help: "Statements that failed, by verb and first table.",
		}, []string{"statement"}),
	}
	m.seconds.WithLabelValues("BATCH")
	m.errors.WithLabelValues("BATCH")
	return m
}

// Statement enters one statement.
func (m *SQL) Statement(ctx context.Context, name string, took time.Duration, failed bool) {
	observe(ctx, m.seconds.WithLabelValues(name), took)
	if failed {
		m.errors.WithLabelValues(name).Inc()
	}
}

// Pool is how busy the connections to the database are.
type Pool struct {
	InUse, Idle, Max int
	Waits            int64         // times that no connection was free
	Waited           time.Duration // for connections, in all
}

// Pool lets each scrape ask for it. The first call counts: a process has one pool.
func (m *SQL) Pool(ask func() Pool) {
	if m.pool {
		return
	}
	m.pool = true
	gauge := func(name, help string, of func(Pool) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return of(ask()) }))
	}
	counter := func(name, help string, of func(Pool) float64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return of(ask()) }))
	}
	gauge("chartcode_db_connections_in_use", "Connections to the database that are in use.", func(p Pool) float64 { return float64(p.InUse) })
	gauge("chartcode_db_connections_idle", "Connections to the database that are open and not in use.", func(p Pool) float64 { return float64(p.Idle) })
	gauge("chartcode_db_connections_max", "Connections to the database that this process may open.", func(p Pool) float64 { return float64(p.Max) })
	counter("chartcode_db_waits_total", "Times that a connection had to be waited for.", func(p Pool) float64 { return float64(p.Waits) })
	counter("chartcode_db_wait_seconds_total", "Time that was waited for connections.", func(p Pool) float64 { return p.Waited.Seconds() })
}
