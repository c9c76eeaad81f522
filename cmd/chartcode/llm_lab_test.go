package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/bus"
	"chartcode/internal/catalog"
	"chartcode/internal/coding"
	"chartcode/internal/config"
	"chartcode/internal/metrics"
	"chartcode/internal/worker"
)

// lab runs the worker in the test's own process, on a database with the starter
// set, so that a test can shorten what a site would not.
type lab struct {
	app       *app
	knowledge *catalog.Catalog
	url       string
}

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{url: starterURL(t), app: &app{
		log: slog.New(slog.NewTextHandler(newWatched(), &slog.HandlerOptions{Level: slog.LevelDebug})), progress: newProgress(true),
	}}
	l.app.cfg = config.Config{DatabaseURL: l.url, Codesets: t.TempDir(), Timezone: time.UTC}
	if err := l.app.openStore(t.Context(), migrateSchema, rolesConns); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.app.store.Close)
	if err := l.app.ensureCodes(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	var err error
	if l.knowledge, err = l.app.newCatalog(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// bench is a place in the lab: NATS, metrics and settings of its own.
func (l *lab) bench(t testing.TB, base string, change func(*config.Config)) *app {
	t.Helper()
	a := *l.app
	a.metrics = metrics.New(version, "test")
	a.cfg.LLM = config.Endpoint{BaseURL: base, APIKey: "sk-" + marker, Model: "some-model", Timeout: 30 * time.Second}
	a.cfg.LLMSteps = "choose"                          // one call a note
	a.cfg.LLMLimits = config.LLMLimits{Concurrency: 4} // no cache: notes of other tests have the same text
	if change != nil {
		change(&a.cfg)
	}
	b, err := bus.Connect(t.Context(), bus.Config{URL: newNATS(t), Logger: a.log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	if err := b.EnsureStreams(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.bus = b
	t.Cleanup(func() { // nothing of a note or a key is in the metrics either
		w := httptest.NewRecorder()
		a.metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		_, _ = newWatched().Write(w.Body.Bytes())
	})
	return &a
}

// work starts a worker; what it returns ends it. ackWait 0 is the usual one.
func (l *lab) work(t testing.TB, a *app, cfg bus.WorkConfig) (stop func()) {
	t.Helper()
	p, err := a.newPipeline(l.knowledge, pipelineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- a.bus.Work(ctx, cfg, worker.Handler(worker.Config{Processor: p, Store: a.store, Logger: a.log}))
	}()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// submit publishes lines of notes.
func submit(t *testing.T, a *app, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var n struct {
			ID string `json:"note_id"`
		}
		if err := json.Unmarshal([]byte(line), &n); err != nil {
			t.Fatal(err)
		}
		if _, err := a.bus.Submit(t.Context(), bus.Submission{Source: "default", Priority: 5, NoteID: n.ID, Body: []byte(line)}); err != nil {
			t.Fatal(err)
		}
	}
}

// drained waits until no note is under way, and fails when one is dead.
func drained(t *testing.T, a *app) {
	t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for {
		inFlight, dead, err := a.bus.Counts(t.Context())
		switch {
		case err != nil:
			t.Fatal(err)
		case dead > 0:
			t.Fatalf("%d notes are dead", dead)
		case inFlight == 0:
			return
		case time.Now().After(deadline):
			t.Fatalf("%d notes hang", inFlight)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// sets gives the suggestion sets of all revisions of the notes whose id begins
// with prefix.
func (l *lab) sets(t *testing.T, prefix string) []coding.SuggestionSet {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), l.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), `SELECT s.body FROM suggestion_sets s JOIN notes n ON n.id = s.note_id WHERE starts_with(n.note_id, $1)`, prefix)
	if err != nil {
		t.Fatal(err)
	}
	bodies, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		t.Fatal(err)
	}
	list := make([]coding.SuggestionSet, len(bodies))
	for i, b := range bodies {
		if err := json.Unmarshal(b, &list[i]); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// llmCall is what an LLM's server reads of a request.
type llmCall struct {
	Model    string `json:"model"`
	Messages []struct {
		Content string `json:"content"`
	} `json:"messages"`
	Format struct {
		Schema struct {
			Name string `json:"name"`
		} `json:"json_schema"`
	} `json:"response_format"`
}

// llmServer stands for an LLM: a real server whose answers the test decides.
type llmServer struct {
	*httptest.Server
	mu    sync.Mutex
	calls int
}

type llmStep func(w http.ResponseWriter, r *http.Request, q llmCall)

// newLLMServer answers call n with step n, and all further calls with the last.
func newLLMServer(t *testing.T, steps ...llmStep) *llmServer {
	t.Helper()
	s := &llmServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		var q llmCall
		if err != nil || json.Unmarshal(data, &q) != nil || len(q.Messages) != 2 {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		n := s.calls
		s.calls++
		s.mu.Unlock()
		steps[min(n, len(steps)-1)](w, r, q)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *llmServer) base() string { return s.URL + "/v1" }

func (s *llmServer) called() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// respondLLM writes a completion.
func respondLLM(w http.ResponseWriter, choices ...map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"id": "x", "object": "chat.completion", "choices": choices,
		"usage": map[string]any{"prompt_tokens": 3000, "completion_tokens": 200, "prompt_tokens_details": map[string]int{"cached_tokens": 1000}}})
}

func llmSays(content string) llmStep {
	return func(w http.ResponseWriter, _ *http.Request, _ llmCall) {
		respondLLM(w, map[string]any{"finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": content}})
	}
}

// llmCodes answers as a coder of noteLines would, changed by change.
func llmCodes(t *testing.T, change func(answer string) string) llmStep {
	return func(w http.ResponseWriter, r *http.Request, q llmCall) {
		answer := rightAnswer(t, q)
		if change != nil {
			answer = change(answer)
		}
		llmSays(answer)(w, r, q)
	}
}

// stated are the conditions of noteLines with their words.
var stated = []struct{ code, quote string }{
	{"E11.9", "Type 2 diabetes mellitus"}, {"I10", "essential hypertension"}, {"J20.9", "acute bronchitis"},
}

var candidateLine = regexp.MustCompile(`(?m)^(\d+)\|([A-Z][0-9A-Z.]+)\|`)

// offered are the candidates that a prompt shows, by code.
func offered(user string) map[string]int {
	list := map[string]int{}
	for _, m := range candidateLine.FindAllStringSubmatch(user, -1) {
		n, _ := strconv.Atoi(m[1])
		list[m[2]] = n
	}
	return list
}

// choiceOf is one chosen candidate, as the schema of the answers writes it.
func choiceOf(number any, quote string) string {
	return fmt.Sprintf(`{"number":%v,"confidence":0.9,"quotes":[%q],"rationale":"The note states it."}`, number, quote)
}

// rightAnswer reads, or chooses, what noteLines state.
func rightAnswer(t *testing.T, q llmCall) string {
	if !strings.Contains(q.Messages[1].Content, "Statements with their candidates") {
		var items []string
		for _, s := range stated {
			items = append(items, fmt.Sprintf(`{"description":%q,"quote":%q,"section":1,"kind":"condition","assertion":"present"}`, s.quote, s.quote))
		}
		return `{"items":[` + strings.Join(items, ",") + `]}`
	}
	list := offered(q.Messages[1].Content)
	var choices []string
	for _, s := range stated {
		if n, ok := list[s.code]; ok {
			choices = append(choices, choiceOf(n, s.quote))
		}
	}
	if len(choices) != len(stated) {
		t.Errorf("%d of the %d right codes are offered", len(choices), len(stated))
	}
	return `{"items":[{"item":1,"codes":[` + strings.Join(choices, ",") + `]}],"first":0}`
}

// withChoices adds choices to the first list of an answer.
func withChoices(choices ...string) func(string) string {
	return func(answer string) string {
		return strings.Replace(answer, `[{"number"`, `[`+strings.Join(choices, ",")+`,{"number"`, 1)
	}
}

// resetLLM breaks the connection in the middle of the body.
func resetLLM(w http.ResponseWriter, _ *http.Request, _ llmCall) {
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = fmt.Fprintf(buf, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"choices\":[{\"mess%s", marker)
	_ = buf.Flush()
	_ = conn.Close()
}

// silentLLM answers nothing until the client gives up.
func silentLLM(_ http.ResponseWriter, r *http.Request, _ llmCall) { <-r.Context().Done() }

// drippingLLM sends a byte now and then, for ever.
func drippingLLM(w http.ResponseWriter, r *http.Request, _ llmCall) {
	w.WriteHeader(http.StatusOK)
	for r.Context().Err() == nil {
		if _, err := w.Write([]byte(" ")); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		time.Sleep(5 * time.Millisecond) // the drip
	}
}

// llmStatusStep answers with a status and a message that repeats key and prompt,
// as some servers do.
func llmStatusStep(status int, message string, headers ...string) llmStep {
	return func(w http.ResponseWriter, r *http.Request, q llmCall) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		var b bytes.Buffer
		_ = json.NewEncoder(&b).Encode(map[string]any{"error": map[string]any{"type": "error",
			"message": message + ": " + r.Header.Get("Authorization") + " " + q.Messages[1].Content}})
		_, _ = w.Write(b.Bytes())
	}
}
