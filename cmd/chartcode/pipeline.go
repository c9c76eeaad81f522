package main

import (
	"cmp"

	"chartcode/internal/catalog"
	"chartcode/internal/coding"
	"chartcode/internal/llm"
	"chartcode/pipeline"
	"chartcode/pipeline/rank"
	"chartcode/prompts"
)

// pipelineOptions are what a subcommand may say of how notes are processed.
type pipelineOptions struct {
	ranker     string // local, llm, or empty: llm if one is configured
	style      string
	systems    []coding.System
	candidates int // kept in the set
	explain    bool
}

// newPipeline wires the stages.
func (a *app) newPipeline(c *catalog.Catalog, o pipelineOptions) (*pipeline.Pipeline, error) {
	cfg := pipeline.Config{Knowledge: c, Style: coding.Style(o.style), Systems: o.systems, Shown: o.candidates, Explain: o.explain}
	if o.ranker == "llm" || (o.ranker == "" && a.cfg.LLM.Configured()) {
		if !a.cfg.LLM.Configured() {
			return nil, usagef("--ranker llm needs CHARTCODE_LLM_MODEL, and CHARTCODE_LLM_BASE_URL or CHARTCODE_LLM_API_KEY")
		}
		var err error
		if cfg.Ranker, cfg.Settings, err = a.llmRanker(); err != nil {
			return nil, err
		}
	}
	return pipeline.New(cfg)
}

// llmRanker gives the ranker that asks the configured LLM, and what of its
// settings decides answers.
func (a *app) llmRanker() (pipeline.Ranker, string, error) {
	chat, err := llm.New(llm.Config{
		BaseURL: a.cfg.LLM.BaseURL, APIKey: a.cfg.LLM.APIKey, Model: a.cfg.LLM.Model, Timeout: a.cfg.LLM.Timeout,
		Concurrency: llmConcurrency, Logger: a.log,
	})
	if err != nil {
		return nil, "", err
	}
	prompt, err := prompts.Load(prompts.Embedded(), "rank", cmp.Or(a.prompt, rankPrompt))
	if err != nil {
		return nil, "", err
	}
	ranker, err := rank.NewLLM(rank.LLMConfig{Chat: chat, Prompt: prompt})
	if err != nil {
		return nil, "", err
	}
	return ranker, ranker.Settings(), nil
}

// rankPrompt is the version of the prompt that ranks.
const rankPrompt = "v1"

// llmConcurrency is how many notes wait for an LLM at once.
const llmConcurrency = 64
