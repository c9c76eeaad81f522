package metrics

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// HTTP are the metrics of the pages and the API. It is an Observer of package web.
type HTTP struct {
	seconds  *prometheus.HistogramVec
	requests *prometheus.CounterVec
	inFlight prometheus.Gauge
	streams  prometheus.Gauge
}

func newHTTP(registry *prometheus.Registry) *HTTP {
	registered := promauto.With(registry)
	m := &HTTP{
		seconds: registered.NewHistogramVec(prometheus.HistogramOpts{
			Name: "chartcode_http_request_seconds", Help: "Time of a request, by route (its pattern); server-sent events are left out.",
			Buckets: []float64{0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 30},
		}, []string{"route"}),
		requests: registered.NewCounterVec(prometheus.CounterOpts{
			Name: "chartcode_http_requests_total", Help: "Requests, by route (its pattern) and status.",
		}, []string{"route", "status"}),
		inFlight: registered.NewGauge(prometheus.GaugeOpts{
			Name: "chartcode_http_in_flight", Help: "Requests under way, server-sent events included.",
		}),
		streams: registered.NewGauge(prometheus.GaugeOpts{
			Name: "chartcode_sse_clients", Help: "Open pages that listen to server-sent events.",
		}),
	}
	m.seconds.WithLabelValues("GET /{$}")
	m.requests.WithLabelValues("GET /{$}", "200")
	return m
}

// Began counts a request under way.
func (m *HTTP) Began() { m.inFlight.Inc() }

// Ended counts a request. Stream says that it was one of server-sent events.
func (m *HTTP) Ended(ctx context.Context, route string, status int, took time.Duration, stream bool) {
	m.inFlight.Dec()
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	if !stream {
		observe(ctx, m.seconds.WithLabelValues(route), took)
	}
}

// Streams counts pages that listen.
func (m *HTTP) Streams(change int) { m.streams.Add(float64(change)) }
