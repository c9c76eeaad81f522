package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sashabaranov/go-openai"

	"chartcode/internal/coding"
	"chartcode/prompts"
)

// marker is in the prompt, and servers repeat it in their errors; secret is the
// key. Neither may be in an error or a log.
const (
	marker = "Zebrafink"
	secret = "sk-hush"
)

var prompt = prompts.Prompt{Task: "rank", System: "Answer with JSON.", User: "The note: " + marker,
	Schema: json.RawMessage(`{"type":"object","required":["codes"],"properties":{"codes":{"type":"array"}}}`)}

// request is what the server reads of a call.
type request struct {
	Model       string   `json:"model"`
	Temperature *float64 `json:"temperature"`
	MaxTokens   int      `json:"max_tokens"`
	MaxNew      int      `json:"max_completion_tokens"`
	Format      *struct {
		Type   string `json:"type"`
		Schema *struct {
			Name   string          `json:"name"`
			Strict bool            `json:"strict"`
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
	Messages []openai.ChatCompletionMessage `json:"messages"`
}

func (r request) format() string {
	if r.Format == nil {
		return "text"
	}
	return r.Format.Type
}

// server speaks the protocol: step n of the script answers call n, the last one
// all further calls.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	calls []request
}

func (s *server) seen() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.calls...)
}

type step func(w http.ResponseWriter, r *http.Request, q request)

func serve(t *testing.T, script ...step) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		var q request
		if err != nil || json.Unmarshal(data, &q) != nil || r.URL.Path != "/v1/chat/completions" || r.Header.Get("Authorization") != "Bearer "+secret {
			t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		}
		s.mu.Lock()
		n := len(s.calls)
		s.calls = append(s.calls, q)
		s.mu.Unlock()
		script[min(n, len(script)-1)](w, r, q)
	}))
	t.Cleanup(s.Close)
	return s
}

// says answers with a message.
func says(content string) step {
	return func(w http.ResponseWriter, _ *http.Request, q request) {
		respond(w, q, openai.ChatCompletionChoice{FinishReason: "stop", Message: openai.ChatCompletionMessage{Role: "assistant", Content: content}})
	}
}

func respond(w http.ResponseWriter, q request, choices ...openai.ChatCompletionChoice) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"id": "x", "object": "chat.completion", "model": q.Model, "choices": choices,
		"usage": map[string]any{"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": map[string]int{"cached_tokens": 40}}})
}

// fails answers with a status and a message that repeats the prompt, as some
// servers do.
func fails(status int, message string, header ...string) step {
	return func(w http.ResponseWriter, _ *http.Request, q request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": message + ": " + q.Messages[1].Content, "type": "error"}})
	}
}

// raw answers with any bytes and status.
func raw(status int, body string) step {
	return func(w http.ResponseWriter, _ *http.Request, _ request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hang answers nothing until the client gives up.
func hang(_ http.ResponseWriter, r *http.Request, _ request) { <-r.Context().Done() }

// reset breaks the connection within the body.
func reset(w http.ResponseWriter, _ *http.Request, _ request) {
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = fmt.Fprint(buf, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"choices\":[{\"mess")
	_ = buf.Flush()
	_ = conn.Close()
}

// drip sends the body a byte at a time, for ever.
func drip(w http.ResponseWriter, r *http.Request, _ request) {
	w.WriteHeader(http.StatusOK)
	for r.Context().Err() == nil {
		if _, err := w.Write([]byte(" ")); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		time.Sleep(time.Millisecond)
	}
}

type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func clientFor(t *testing.T, url string, change ...func(*Config)) *Client {
	t.Helper()
	out := &logged{}
	cfg := Config{BaseURL: url + "/v1/", APIKey: secret, Model: "test-model", Timeout: 30 * time.Second, Backoff: time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		out.mu.Lock()
		defer out.mu.Unlock()
		if s := out.buf.String(); strings.Contains(s, marker) || strings.Contains(s, secret) {
			t.Errorf("the log holds what it must not:\n%s", s)
		}
	})
	return c
}

// listener is an Observer that writes down what it hears.
type listener struct {
	mu     sync.Mutex
	lines  []string
	flying int
	most   int
}

func (l *listener) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *listener) LLMCall(_ context.Context, endpoint, code string, took time.Duration, u coding.Usage) {
	l.add("call %s %s %d", endpoint, code, u.PromptTokens)
}
func (l *listener) LLMAnswer(source, code string) { l.add("answer %s %s", source, code) }
func (l *listener) LLMInFlight(change int) {
	l.mu.Lock()
	l.flying += change
	l.most = max(l.most, l.flying)
	n := l.flying
	l.mu.Unlock()
	l.add("in flight %d", n)
}
func (l *listener) LLMBreaker(endpoint string, open bool) { l.add("breaker %s %v", endpoint, open) }
func (l *listener) LLMSpent(usd float64)                  { l.add("spent %.6f", usd) }
