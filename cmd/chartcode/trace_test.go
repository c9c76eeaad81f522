package main

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector receives traces as a collector does: OTLP over HTTP.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []spanOf
}

// spanOf is a span with the process that it came from.
type spanOf struct {
	service string
	*trace.Span
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var from io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			zipped, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			from = zipped
		}
		body, err := io.ReadAll(from)
		var req coltrace.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &req) != nil {
			t.Errorf("a request to %s that is no export of traces", r.URL.Path)
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		_, _ = newWatched().Write(body) // nothing of a note is in a trace
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, of := range req.ResourceSpans {
			service := ""
			for _, a := range of.Resource.Attributes {
				if a.Key == "service.name" {
					service = a.Value.GetStringValue()
				}
			}
			for _, scope := range of.ScopeSpans {
				for _, s := range scope.Spans {
					c.spans = append(c.spans, spanOf{service, s})
				}
			}
		}
		answer, _ := proto.Marshal(&coltrace.ExportTraceServiceResponse{})
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(answer)
	}))
	t.Cleanup(c.Close)
	return c
}

// trace gives the spans of one trace, in the order in which they began.
func (c *collector) trace(id string) []spanOf {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []spanOf
	for _, s := range c.spans {
		if hex.EncodeToString(s.TraceId) == id {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b spanOf) int { return int(int64(a.StartTimeUnixNano) - int64(b.StartTimeUnixNano)) })
	return list
}

// exporting are the variables that make processes export to a collector at once.
func exporting(c *collector) []string {
	return []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, "OTEL_BSP_SCHEDULE_DELAY=50"}
}

// TestTraceOfNote: a program sends a note to the API, a worker suggests, a coder
// looks, decides and finishes: one trace has all of it, from three processes, and
// in the order of the way.
func TestTraceOfNote(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	model := newLLMServer(t, llmCodes(t, nil))
	s, _ := newServers(t, append(exporting(c), "CHARTCODE_LLM_BASE_URL="+model.base(), "CHARTCODE_LLM_MODEL=some-model", "CHARTCODE_LLM_API_KEY=sk-"+marker,
		"CHARTCODE_LLM_STEPS=choose", "CHARTCODE_LOG=json", "CHARTCODE_LOG_LEVEL=info")...)
	serve, work := s.start("serve"), s.start("work")
	api := &robot{t: t, base: serve.expect(`^ready (http://\S+)`)[1], token: s.token("robot", "service")}

	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	api.do(http.MethodPost, "/api/v1/notes", noteLines("trace", 1), http.StatusAccepted, "traceparent", "00-"+id+"-00f067aa0ba902b7-01")
	s.settled(1, serve, work)
	var spans []spanOf
	s.until("the set is announced", func() bool { spans = c.trace(id); return count(spans, "announce suggestions") > 0 }, func() any { return names(spans) })

	item := regexp.MustCompile(`"items":\[\{"id":(\d+)`).FindStringSubmatch(api.do(http.MethodGet, "/api/v1/items", "", http.StatusOK))
	if item == nil {
		t.Fatal("the worklist has no item")
	}
	path := "/api/v1/items/" + item[1]
	api.do(http.MethodGet, path, "", http.StatusOK)
	api.do(http.MethodGet, path, "", http.StatusOK) // the second look is not the first
	api.do(http.MethodPost, path+"/decisions", `{"kind":"accept","system":"ICD-10-CM","code":"I10"}`, http.StatusOK)
	api.do(http.MethodPost, path+"/decisions", `{"kind":"finish","confirm":true}`, http.StatusOK)

	want := []string{"POST /api/v1/notes", "submit note", "work on note", "intake", "segment", "retrieve", "rank_local", "rank_llm", "ask LLM", "call LLM",
		"validate", "save", "announce suggestions", "first look", "decide accept", "finish", "announce review"}
	s.until("the trace of the note is complete", func() bool {
		spans = c.trace(id)
		return !slices.ContainsFunc(want, func(name string) bool { return count(spans, name) == 0 })
	}, func() any { return names(spans) })
	for _, name := range want {
		if n := count(spans, name); n != 1 {
			t.Errorf("the trace has %d spans %q", n, name)
		}
	}
	began := func(name string) uint64 {
		return spans[slices.IndexFunc(spans, func(s spanOf) bool { return s.Name == name })].StartTimeUnixNano
	}
	for i := 1; i < len(want); i++ {
		if began(want[i]) < began(want[i-1]) {
			t.Errorf("%s began before %s", want[i], want[i-1])
		}
	}
	from := map[string]bool{}
	parents := map[string]bool{"00f067aa0ba902b7": true}
	for _, sp := range spans {
		from[sp.service] = true
		parents[hex.EncodeToString(sp.SpanId)] = true
	}
	for _, sp := range spans {
		if !parents[hex.EncodeToString(sp.ParentSpanId)] {
			t.Errorf("%s has a parent that is not in the trace", sp.Name)
		}
	}
	save := spans[slices.IndexFunc(spans, func(s spanOf) bool { return s.Name == "save" })]
	if !slices.ContainsFunc(spans, func(s spanOf) bool {
		return s.Name == "INSERT note_revisions" && bytes.Equal(s.ParentSpanId, save.SpanId)
	}) {
		t.Error("the transaction's statements are not in the trace")
	}
	if !from["chartcode-serve"] || !from["chartcode-work"] {
		t.Errorf("the spans are from %v", from)
	}
	for _, name := range []string{"first look", "decide accept", "finish"} {
		sp := spans[slices.IndexFunc(spans, func(s spanOf) bool { return s.Name == name })]
		if len(sp.Links) == 0 || hex.EncodeToString(sp.Links[0].TraceId) == id {
			t.Errorf("%s is not linked to its request", name)
		}
	}

	// The worker's line of the note has the trace and the note's number.
	line := ""
	s.until("the worker logs the note", func() bool {
		for l := range strings.Lines(work.err.String()) {
			if strings.Contains(l, `"stored a note"`) {
				line = l
			}
		}
		return line != ""
	}, func() any { return work.err.String() })
	var logged struct {
		Trace string `json:"trace_id"`
		Note  int64  `json:"note"`
	}
	if err := json.Unmarshal([]byte(line), &logged); err != nil || logged.Trace != id || logged.Note == 0 {
		t.Errorf("the log has %s", line)
	}

	// Histograms carry the trace where the client reads OpenMetrics.
	if text := scrape(t, api.base, "application/openmetrics-text"); !regexp.MustCompile(`chartcode_http_request_seconds_bucket\{[^}]*\} \d+ # \{trace_id="[0-9a-f]{32}"\}`).MatchString(text) {
		t.Error("no histogram has an exemplar")
	}
	for _, p := range []*process{serve, work} {
		if code := p.stop(syscall.SIGTERM); code != 0 {
			t.Errorf("a process ended with %d", code)
		}
	}
}

func count(spans []spanOf, name string) (n int) {
	for _, s := range spans {
		if s.Name == name {
			n++
		}
	}
	return n
}

func names(spans []spanOf) []string {
	var list []string
	for _, s := range spans {
		list = append(list, s.service+" "+s.Name)
	}
	return list
}

// until waits for something; while it does not come the test goes on asking, for
// minutes, and then says what it saw.
func (s *site) until(what string, is func() bool, saw func() any) {
	s.t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for !is() {
		if time.Now().After(deadline) {
			s.t.Fatalf("not so: %s; seen: %v", what, saw())
		}
		time.Sleep(50 * time.Millisecond) // between two questions
	}
}

// scrape gives the metrics of a process.
func scrape(t *testing.T, base, accept string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	_, _ = newWatched().Write(b.Bytes()) // nothing of a note is in the metrics
	return b.String()
}

// robot is a program that uses the API.
type robot struct {
	t           *testing.T
	base, token string
}

// token makes a user with a role and gives a key of theirs.
func (s *site) token(login, role string) string {
	s.t.Helper()
	if _, code := s.run("user", "add", login, "--role", role); code != 0 {
		s.t.Fatalf("user add ended with %d", code)
	}
	out, code := s.run("token", "add", login)
	fields := strings.Fields(out)
	if code != 0 || len(fields) == 0 {
		s.t.Fatalf("token add ended with %d", code)
	}
	return fields[len(fields)-1]
}

// do asks and gives the answer's body, which must come with a status.
func (r *robot) do(method, path, body string, status int, headers ...string) string {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.base+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		r.t.Fatalf("%s %s: %s, want %d: %s", method, path, resp.Status, status, answer)
	}
	return string(answer)
}
