package pipeline_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"chartcode/internal/catalog"
	"chartcode/internal/coding"
	"chartcode/internal/embedding"
	"chartcode/internal/learned"
	"chartcode/internal/llm"
	"chartcode/internal/llmtest"
	"chartcode/internal/store"
	"chartcode/pipeline"
	"chartcode/pipeline/rank"
	"chartcode/prompts"
)

// llmPipeline is the pipeline of a worker that asks a server.
func llmPipeline(t testing.TB, db *store.Store, url string, change func(*rank.LLMConfig)) *pipeline.Pipeline {
	t.Helper()
	embedder, err := embedding.NewLocal()
	if err != nil {
		t.Fatal(err)
	}
	models, err := learned.Default()
	if err != nil {
		t.Fatal(err)
	}
	knowledge, err := catalog.New(catalog.Config{Source: db, Embedder: embedder, Models: models})
	if err != nil {
		t.Fatal(err)
	}
	client, err := llm.New(llm.Config{BaseURL: url, Model: "test-model", Timeout: time.Minute, Backoff: time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	set, err := prompts.LoadSet(prompts.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	cfg := rank.LLMConfig{Chat: client, Prompts: set}
	if change != nil {
		change(&cfg)
	}
	ranker, err := rank.NewLLM(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.New(pipeline.Config{Knowledge: knowledge, Ranker: ranker, Settings: ranker.Settings()})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const visit = "HPI: Here for diabetes and blood pressure. Denies chest pain.\n" +
	"FAMILY HISTORY: Mother had breast cancer.\n" +
	"ASSESSMENT:\n1. Type 2 diabetes with diabetic chronic kidney disease, stage 3b.\n2. Essential hypertension, at goal.\n3. Gout, left foot, quiet.\n"

func visitNote(text string) coding.Note {
	return coding.Note{NoteID: "D-1", Source: "north", Setting: coding.Outpatient, ServiceDate: coding.NewDate(2026, 3, 14), Priority: 5, Text: text}
}

func visitKnown() *llmtest.Known {
	return &llmtest.Known{First: "E11.22", Codes: []llmtest.KnownCode{
		{Code: "E11.22", Quotes: []string{"type 2 diabetes with diabetic chronic kidney disease, stage 3b"}, Description: "type 2 diabetes mellitus with diabetic chronic kidney disease"},
		{Code: "N18.32", Quotes: []string{"chronic kidney disease, stage 3b"}, Description: "chronic kidney disease, stage 3b"},
		{Code: "I10", Quotes: []string{"Essential hypertension"}, Description: "essential (primary) hypertension"},
		{Code: "Z79.4", Quotes: []string{"Essential hypertension"}, Description: "long term (current) use of insulin"},
	}}
}

func TestChain(t *testing.T) {
	t.Parallel()
	server := llmtest.New(llmtest.Gold{Of: func(string) *llmtest.Known { return visitKnown() }})
	defer server.Close()
	var counts rank.LLMCounts
	p := llmPipeline(t, loaded(t), server.URL, func(c *rank.LLMConfig) { c.Observe = func(n rank.LLMCounts) { counts = n } })
	set, err := p.Process(t.Context(), visitNote(visit))
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, s := range set.Suggestions {
		codes = append(codes, s.Code+" "+string(s.Agreement))
	}
	t.Logf("%+v\n%s\n%+v\n%v", counts, strings.Join(codes, "\n"), set.Usage, set.Notices)
	for _, q := range server.Asked() {
		t.Log(q.Task, q.Tokens(), "\n", q.User)
	}
	if set.Degraded {
		t.Fatal(*set.DegradedReason)
	}
}
