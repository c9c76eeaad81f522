package web_test

import (
	"net/http"
	"strings"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/metrics"
	"chartcode/internal/web"
)

// TestRequestsAreCounted: by the pattern of the route, never by what stands in an
// address; pages that listen are counted as long as they do.
func TestRequestsAreCounted(t *testing.T) {
	t.Parallel()
	m := metrics.New("test", "serve")
	s := newSite(t, func(c *web.Config) { c.Metrics, c.Observe = m.Handler(), m.HTTP })
	b := s.as(coding.RoleCoder)
	b.get("/items/4711").wants(t, http.StatusNotFound)
	b.get("/codes?q=Zebrafink")
	b.get("/nowhere/Zebrafink")
	nobody := s.anonymous()
	b.get("/metrics").lacks(t, "4711", "Zebrafink")
	b.get("/metrics").wants(t, http.StatusOK, `chartcode_http_requests_total{route="GET /items/{id}",status="404"} 1`,
		`chartcode_http_requests_total{route="GET /codes",status="200"} 1`, `chartcode_http_requests_total{route="/",status="404"} 1`,
		`chartcode_http_request_seconds_count{route="GET /items/{id}"} 1`)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := res.Body.Read(make([]byte, 1)); err != nil { // it listens
		t.Fatal(err)
	}
	nobody.get("/metrics").wants(t, http.StatusOK, "chartcode_sse_clients 1")
	res.Body.Close()
	for !strings.Contains(nobody.get("/metrics").body, "chartcode_sse_clients 0") { // until the server has seen that it is gone
	}
	nobody.get("/metrics").lacks(t, `chartcode_http_request_seconds_count{route="GET /events"}`)
}
