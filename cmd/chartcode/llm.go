package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/llm"
	"chartcode/internal/store"
	"chartcode/internal/web"
	"chartcode/pipeline"
	"chartcode/pipeline/rank"
)

// usesLLM says whether notes are ranked by an LLM: asked for, or configured.
func (a *app) usesLLM(o pipelineOptions) bool {
	return o.ranker == "llm" || o.ranker == "" && (a.cfg.LLM.Configured() || a.cfg.LLMLimits.ReplayDir != "")
}

// llmConfig says how the LLM is asked, with its cache and ledger in the database.
func (a *app) llmConfig() (llm.Config, error) {
	limits := a.cfg.LLMLimits
	if !a.cfg.LLM.Configured() && limits.ReplayDir == "" {
		return llm.Config{}, usagef("--ranker llm needs CHARTCODE_LLM_MODEL, and CHARTCODE_LLM_BASE_URL or CHARTCODE_LLM_API_KEY")
	}
	if limits.RecordDir != "" && limits.ReplayDir != "" {
		return llm.Config{}, usagef("--llm-record and --llm-replay exclude each other")
	}
	prices, err := llm.LoadPrices(limits.Prices)
	if err != nil {
		return llm.Config{}, usagef("CHARTCODE_LLM_PRICES: %s", err)
	}
	cfg := llm.Config{
		BaseURL: a.cfg.LLM.BaseURL, APIKey: a.cfg.LLM.APIKey, Model: a.cfg.LLM.Model, APIVersion: a.cfg.LLM.APIVersion,
		Fallback: llm.Endpoint{BaseURL: a.cfg.LLMFallback.BaseURL, APIKey: a.cfg.LLMFallback.APIKey,
			Model: a.cfg.LLMFallback.Model, APIVersion: a.cfg.LLMFallback.APIVersion},
		Timeout: a.cfg.LLM.Timeout, Deadline: limits.Deadline, Concurrency: limits.Concurrency,
		RequestsPerMinute: limits.RequestsPerMinute, TokensPerMinute: limits.TokensPerMinute,
		Prices: prices, DailyBudget: limits.DailyBudgetUSD, Zone: a.cfg.Timezone, Spending: a.store,
		RecordDir: limits.RecordDir, ReplayDir: limits.ReplayDir,
		Logger: a.log, Observer: a.metrics.LLM,
	}
	if limits.CacheDays > 0 {
		cfg.Answers, cfg.KeepFor = a.store, time.Duration(limits.CacheDays)*24*time.Hour
	}
	return cfg, nil
}

// checkLLM says what is wrong with the LLM's settings, before anything slow is
// done. It makes no call and needs no database.
func (a *app) checkLLM(o pipelineOptions) error {
	if !a.usesLLM(o) {
		if !a.cfg.LLM.Configured() && (os.Getenv("CHARTCODE_LLM_BASE_URL") != "" || os.Getenv("CHARTCODE_LLM_API_KEY") != "") {
			a.log.Warn("CHARTCODE_LLM_MODEL is not set: notes are ranked locally, and the other CHARTCODE_LLM settings do nothing")
		}
		return nil
	}
	cfg, err := a.llmConfig()
	if err != nil {
		return err
	}
	if _, err := llm.New(cfg); err != nil {
		return usagef("%s", err)
	}
	if _, err := a.prompts(); err != nil {
		return err
	}
	if cfg.RecordDir != "" {
		a.log.Warn("each question to the LLM and its answer is written to the folder of --llm-record: the files hold the text of notes; use it for notes that are no patient data")
	}
	return nil
}

// newLLM gives the client of the configured LLM.
func (a *app) newLLM() (*llm.Client, error) {
	cfg, err := a.llmConfig()
	if err != nil {
		return nil, err
	}
	client, err := llm.New(cfg)
	if err != nil {
		return nil, usagef("%s", err)
	}
	a.metrics.LLM.Budget.Set(cfg.DailyBudget)
	return client, nil
}

// observeLLM counts what became of the codes and quotes in answers.
func (a *app) observeLLM(n rank.LLMCounts) {
	for result, n := range map[string]int{
		"held": n.Held, "not_offered": n.UnknownNumbers, "repeated": n.RepeatedNumbers, "without_evidence": n.WithoutEvidence,
	} {
		a.metrics.LLM.LLMChoices(result, n)
	}
	for result, n := range map[string]int{
		"exact": n.QuotesExact, "tolerant": n.QuotesTolerant, "near": n.QuotesNear, "reformatted": n.QuotesReformatted,
		"missing": n.QuotesMissing, "unsupported": n.QuotesUnsupported, "unrelated": n.QuotesUnrelated, "addressed": n.QuotesAddressed,
	} {
		a.metrics.LLM.LLMQuotes(result, n)
	}
}

// processor makes suggestion sets.
type processor interface {
	Process(ctx context.Context, note coding.Note) (coding.SuggestionSet, error)
}

// noteByNote gives each note its time for the LLM. The pipeline makes local
// suggestions whatever the LLM's failure is; that a recording is missing is no
// failure of the LLM and ends the note with an error.
type noteByNote struct{ *pipeline.Pipeline }

func (p noteByNote) Process(ctx context.Context, note coding.Note) (coding.SuggestionSet, error) {
	ctx = llm.WithNote(ctx)
	set, err := p.Pipeline.Process(ctx, note)
	if missed := llm.Missed(ctx); missed != nil {
		return coding.SuggestionSet{}, missed
	}
	return set, err
}

// workers is how many notes are worked on at once: as many as the processor has
// room for, or, where an LLM is waited for, twice as many as it may have calls in
// flight: calls that began together end together, and then there is another note
// ready for each. More would only wait while its time for the LLM runs.
func (a *app) workers(o pipelineOptions) int {
	if a.usesLLM(o) && a.cfg.LLMLimits.ReplayDir == "" {
		return 2 * a.cfg.LLMLimits.Concurrency
	}
	return runtime.NumCPU()
}

const (
	tidyEvery = time.Hour
	tidyBatch = 1000
)

// tidyLLM removes answers of LLMs that have expired, until ctx ends.
func (a *app) tidyLLM(ctx context.Context) error {
	for {
		for {
			n, err := a.store.ForgetLLMAnswers(ctx, time.Now(), tidyBatch)
			if err != nil && ctx.Err() == nil {
				a.log.Warn("expired answers of the LLM were not removed", "error", err)
			}
			if err != nil || n < tidyBatch {
				break
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(tidyEvery):
		}
	}
}

// serveMetrics serves metrics, /healthz and /readyz of a worker, which has no web
// page, at CHARTCODE_METRICS_ADDR until ctx ends.
func (a *app) serveMetrics(ctx context.Context, listener net.Listener) error {
	watch, err := a.newWatch()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.metrics.Handler())
	web.Probes(mux, version, watch.alive, watch.ready)
	server := &server{app: a, listener: listener, watch: watch, http: &http.Server{
		Handler: mux, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
	}}
	return server.run(ctx)
}

// llmStatus is what was used and spent today.
type llmStatus struct {
	Model            string  `json:"model,omitempty"`
	Calls            int     `json:"calls_today"`
	PromptTokens     int     `json:"prompt_tokens_today"`
	CachedTokens     int     `json:"cached_tokens_today"`
	CompletionTokens int     `json:"completion_tokens_today"`
	SpentUSD         float64 `json:"spent_today_usd"`
	BudgetUSD        float64 `json:"daily_budget_usd,omitempty"`
}

// llmStatus is nil where no LLM is configured and none was used today.
func (a *app) llmStatus(ctx context.Context) (*llmStatus, error) {
	spend, err := a.store.LLMSpend(ctx, time.Now().In(a.cfg.Timezone).Format(time.DateOnly))
	if err != nil || !a.cfg.LLM.Configured() && spend == (coding.LLMSpend{}) {
		return nil, databaseError(err)
	}
	return &llmStatus{Model: a.cfg.LLM.Model, Calls: spend.Calls, PromptTokens: spend.PromptTokens, CachedTokens: spend.CachedTokens,
		CompletionTokens: spend.CompletionTokens, SpentUSD: float64(spend.NanoUSD) / 1e9, BudgetUSD: a.cfg.LLMLimits.DailyBudgetUSD}, nil
}

var (
	_ llm.Answers  = (*store.Store)(nil)
	_ llm.Spending = (*store.Store)(nil)
)
