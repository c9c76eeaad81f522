package catalog_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chartcode/internal/catalog"
	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/embedding"
	"chartcode/internal/learned"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
	"chartcode/pipeline/retrieve"
)

// embedServer embeds by the protocol of OpenAI, in vectors of dims numbers that
// depend on the text. fault, which may be nil, may answer a call in its place.
type embedServer struct {
	*httptest.Server
	calls atomic.Int64
	fault atomic.Pointer[func(call int64, w http.ResponseWriter, texts []string) bool]
}

func newEmbedServer(t *testing.T, dims int) *embedServer {
	t.Helper()
	s := &embedServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req struct {
			Input []string `json:"input"`
		}
		if json.NewDecoder(r.Body).Decode(&req) != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		if f := s.fault.Load(); f != nil && (*f)(s.calls.Add(1), w, req.Input) {
			return
		}
		respond(w, req.Input, dims)
	}))
	t.Cleanup(s.Close)
	return s
}

func respond(w http.ResponseWriter, texts []string, dims int) {
	data := []map[string]any{}
	for i, text := range texts {
		v := make([]float32, dims)
		for j, b := range []byte(strings.ToLower(text)) {
			v[(int(b)+j)%dims]++
		}
		data = append(data, map[string]any{"index": i, "embedding": v})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
}

func (s *embedServer) embedder(t *testing.T, model string) *embedding.OpenAI {
	t.Helper()
	e, err := embedding.NewOpenAI(t.Context(), embedding.OpenAIConfig{BaseURL: s.URL, Model: model, Batch: 2, Wait: time.Millisecond, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// While the vectors of a new model are made those of the old one are searched,
// whatever the new one's server does; once they are complete the same catalog
// changes over, and the old ones can be removed.
func TestAnotherEmbeddingModelTakesOver(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := storetest.New(t)
	loader := catalog.Loader{DB: s}
	if _, err := loader.ImportFiles(ctx, []string{newFolder(t).file("icd10cm-order-2026.txt", cholera)}, codeset.ReadOptions{}); err != nil {
		t.Fatal(err)
	}
	before, after := newEmbedServer(t, 8).embedder(t, "before"), newEmbedServer(t, 12)
	loader.Embedder = before
	if err := loader.Embed(ctx); err != nil {
		t.Fatal(err)
	}
	wanted := after.embedder(t, "after")
	now := time.Now()
	c, err := catalog.New(catalog.Config{
		Source: s, Embedder: wanted, Vectors: s, Models: &learned.Models{Version: 1, Styles: map[coding.Style]*learned.StyleModels{}},
		Now: func() time.Time { return now },
		Other: func(_ context.Context, name string) (retrieve.Embedder, error) {
			if name != before.Name() {
				return nil, fmt.Errorf("%s is asked for", name)
			}
			return before, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	used := func(want string) string {
		t.Helper()
		now = now.Add(time.Hour)
		tables, err := c.At(ctx, []coding.System{coding.ICD10CM}, coding.Date{})
		if err != nil {
			t.Fatal(err)
		}
		if got := tables.Retriever.Vectors(); got != want {
			t.Errorf("the vectors of %s are searched, want %s", got, want)
		}
		return tables.ID
	}
	meanwhile := used("openai:before")

	loader.Embedder = wanted
	for name, fault := range map[string]func(call int64, w http.ResponseWriter, texts []string) bool{
		"429": func(call int64, w http.ResponseWriter, _ []string) bool {
			if call > 1 {
				w.WriteHeader(http.StatusTooManyRequests)
			}
			return call > 1
		},
		"500": func(_ int64, w http.ResponseWriter, _ []string) bool {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		},
		"wrong dimension": func(_ int64, w http.ResponseWriter, texts []string) bool { respond(w, texts, 5); return true },
		"fewer vectors":   func(_ int64, w http.ResponseWriter, texts []string) bool { respond(w, texts[1:], 12); return true },
		"no JSON":         func(_ int64, w http.ResponseWriter, _ []string) bool { fmt.Fprint(w, "<html>"); return true },
	} {
		after.calls.Store(0)
		after.fault.Store(&fault)
		err := loader.Embed(ctx)
		if err == nil || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "Cholera") {
			t.Errorf("%s: %v", name, err)
		}
		used("openai:before")
	}
	after.fault.Store(nil)
	if err := loader.Embed(ctx); err != nil {
		t.Fatal(err)
	}
	if used("openai:after") == meanwhile {
		t.Error("the change is not seen in what identifies the tables")
	}
	if n, err := s.RemoveVectors(ctx, before.Name()); err != nil || n != 3 {
		t.Errorf("%d vectors were removed: %v", n, err)
	}
	used("openai:after")
	if models, err := s.ReadyModels(ctx); err != nil || len(models) != 1 || models[0] != "openai:after" {
		t.Errorf("ready are %v: %v", models, err)
	}
	if state, err := s.VectorState(ctx, before.Name()); err != nil || state != (store.VectorState{Texts: 3, Missing: 3}) {
		t.Errorf("of the old model is left %+v: %v", state, err)
	}

	// The name of before with vectors of another length.
	loader.Embedder = newEmbedServer(t, 5).embedder(t, "before")
	if err := loader.Embed(ctx); err != nil {
		t.Error(err)
	}
	if state, err := s.VectorState(ctx, before.Name()); err != nil || state != (store.VectorState{Texts: 3, Ready: true, Index: true}) {
		t.Errorf("made again: %+v: %v", state, err)
	}
	stored, err := s.SomeVectors(ctx, before.Name(), 2)
	if err != nil || len(stored) != 2 || len(stored[0].Vector) != 5 || stored[0].Text == "" {
		t.Errorf("stored %+v: %v", stored, err)
	}
}

// Only a model that cannot be asked has vectors: no note may fail for that.
func TestNoEmbeddingModelCanBeAsked(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	loader := catalog.Loader{DB: s, Embedder: newEmbedServer(t, 8).embedder(t, "gone")}
	if _, err := loader.ImportFiles(t.Context(), []string{newFolder(t).file("icd10cm-order-2026.txt", cholera)}, codeset.ReadOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := loader.Embed(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := catalog.New(catalog.Config{Source: s, Embedder: newEmbedServer(t, 12).embedder(t, "set"), Vectors: s, Models: &learned.Models{Version: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Ready(t.Context()); !errors.Is(err, catalog.ErrNoVectors) {
		t.Errorf("got %v", err)
	}
}
