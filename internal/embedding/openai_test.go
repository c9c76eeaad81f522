package embedding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// server answers as the protocol says: a vector that holds the text's length;
// fail, when it returns a status, is asked first.
func server(t *testing.T, fail func(call int64) int) (string, *atomic.Int64) {
	t.Helper()
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := calls.Add(1)
		var req struct {
			Input []string `json:"input"`
			Model string   `json:"model"`
		}
		if json.NewDecoder(r.Body).Decode(&req) != nil || req.Model != "m" || r.Header.Get("Authorization") != "Bearer k" {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		if code := fail(n); code != 0 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			fmt.Fprintf(w, `{"error":{"message":"cannot do %q"}}`, req.Input[0])
			return
		}
		type item struct {
			Index     int       `json:"index"`
			Embedding []float32 `json:"embedding"`
		}
		var data []item
		for i := len(req.Input) - 1; i >= 0; i-- { // order is not promised
			data = append(data, item{i, []float32{float32(len(req.Input[i])), 3, 4}})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
	}))
	t.Cleanup(s.Close)
	return s.URL, &calls
}

func ok(int64) int { return 0 }

func TestServerEmbedsInBatchesAndInOrder(t *testing.T) {
	url, calls := server(t, ok)
	e, err := NewOpenAI(context.Background(), OpenAIConfig{BaseURL: url, APIKey: "k", Model: "m", Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	if e.Dims() != 3 || e.Name() != "openai:m" {
		t.Errorf("dims %d, name %q", e.Dims(), e.Name())
	}
	calls.Store(0)
	vecs, err := e.Embed(context.Background(), []string{"a", "aa", "aaa", "aaaa", "aaaaa"})
	if err != nil {
		t.Fatal(err)
	}
	if calls.Load() != 3 {
		t.Errorf("%d requests for five texts in twos, want 3", calls.Load())
	}
	for i, v := range vecs {
		n := math.Sqrt(float64(v[0]*v[0] + v[1]*v[1] + v[2]*v[2]))
		if math.Abs(n-1) > 1e-6 || math.Abs(float64(v[0]/v[1])-float64(i+1)/3) > 1e-6 {
			t.Errorf("vector %d is %v", i, v)
		}
	}
}

func TestPassingFailuresAreRepeated(t *testing.T) {
	url, calls := server(t, func(n int64) int {
		switch n {
		case 2:
			return http.StatusTooManyRequests
		case 3:
			return http.StatusBadGateway
		}
		return 0
	})
	e, err := NewOpenAI(context.Background(), OpenAIConfig{BaseURL: url, APIKey: "k", Model: "m", Wait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Embed(context.Background(), []string{"x"}); err != nil {
		t.Error(err)
	}
	if calls.Load() != 4 {
		t.Errorf("%d requests, want 4: the probe, two failures, the answer", calls.Load())
	}
}

func TestFailuresNeverQuoteTheText(t *testing.T) {
	for _, code := range []int{http.StatusBadRequest, http.StatusInternalServerError} {
		first := true
		url, calls := server(t, func(int64) int {
			if first {
				first = false
				return 0
			}
			return code
		})
		e, err := NewOpenAI(context.Background(), OpenAIConfig{BaseURL: url, APIKey: "k", Model: "m", Wait: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Embed(context.Background(), []string{"zebrafinch"})
		if !errors.Is(err, ErrServer) || strings.Contains(err.Error(), "zebrafinch") || !strings.Contains(err.Error(), fmt.Sprint(code)) {
			t.Errorf("status %d gave %v", code, err)
		}
		want := int64(2)
		if code >= 500 {
			want = 1 + tries
		}
		if calls.Load() != want {
			t.Errorf("status %d: %d requests, want %d", code, calls.Load(), want)
		}
	}
}

func TestServerThatIsNotThere(t *testing.T) {
	_, err := NewOpenAI(context.Background(), OpenAIConfig{BaseURL: "http://127.0.0.1:1", APIKey: "k", Model: "m", Wait: time.Millisecond})
	if !errors.Is(err, ErrServer) {
		t.Errorf("got %v, want ErrServer", err)
	}
	if _, err := NewOpenAI(context.Background(), OpenAIConfig{}); err == nil {
		t.Error("a client without a server was made")
	}
}
