// Package llmtest is an OpenAI-compatible server for tests of the chain that asks
// an LLM about a note. It reads the prompts back into what they ask (task, note,
// statements, numbered candidates) and lets an Answerer answer: by gold codes with
// stated error rates, by answers that people wrote, or as a test likes. What it says
// measures the chain, never a model.
//
// The package depends on the form of the prompts that the program comes with and is
// for tests and tools only.
package llmtest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
)

// Answerer answers a question with what is sent as JSON: prompts.ExtractAnswer
// for the task extract, prompts.ChooseAnswer for choose and repair. An
// error becomes status 500.
type Answerer interface {
	Answer(q Question) (any, error)
}

// AnswererFunc is a function as an Answerer.
type AnswererFunc func(q Question) (any, error)

// Answer calls the function.
func (f AnswererFunc) Answer(q Question) (any, error) { return f(q) }

// Server speaks the protocol of chat completions at URL.
type Server struct {
	*httptest.Server
	answerer Answerer

	mu    sync.Mutex
	asked []Question
}

// New starts a server; the caller closes it.
func New(a Answerer) *Server {
	s := &Server{answerer: a}
	s.Server = httptest.NewServer(Handler(a, func(q Question) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, q)
	}))
	return s
}

// Asked are the questions so far, in the order of their arrival.
func (s *Server) Asked() []Question {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Question(nil), s.asked...)
}

// charactersPerToken is the usual rough figure for English.
const charactersPerToken = 4

// Handler serves an Answerer; heard is told of each question.
func Handler(a Answerer, heard func(Question)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req struct {
			Model    string `json:"model"`
			Messages []struct {
				Role    string `json:"role"`
				Content string `json:"content"`
			} `json:"messages"`
		}
		if json.NewDecoder(r.Body).Decode(&req) != nil {
			http.Error(w, `{"error":{"message":"no request"}}`, http.StatusBadRequest)
			return
		}
		var system, user string
		for _, m := range req.Messages {
			switch m.Role {
			case "system":
				system = m.Content
			case "user":
				user = m.Content
			}
		}
		q, err := Read(system, user)
		if err != nil {
			http.Error(w, `{"error":{"message":"no prompt of the program"}}`, http.StatusBadRequest)
			return
		}
		heard(q)
		answer, err := a.Answer(q)
		if err != nil {
			http.Error(w, `{"error":{"message":"no answer"}}`, http.StatusInternalServerError)
			return
		}
		text, ok := answer.(string)
		if !ok {
			b, err := json.Marshal(answer)
			if err != nil {
				http.Error(w, `{"error":{"message":"no answer"}}`, http.StatusInternalServerError)
				return
			}
			text = string(b)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"id": "llmtest", "object": "chat.completion", "model": req.Model,
			"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": text}}},
			"usage": map[string]any{"prompt_tokens": q.Tokens(), "completion_tokens": len(text) / charactersPerToken,
				"prompt_tokens_details": map[string]any{"cached_tokens": len(system) / charactersPerToken}},
		})
	})
}
