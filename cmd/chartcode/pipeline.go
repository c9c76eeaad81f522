package main

import (
	"chartcode/internal/catalog"
	"chartcode/internal/coding"
	"chartcode/internal/learned"
	"chartcode/pipeline"
	"chartcode/pipeline/rank"
)

// pipelineOptions are what a subcommand may say of how notes are processed.
type pipelineOptions struct {
	ranker     string // local, llm, or empty: llm if one is configured
	style      string
	systems    []coding.System
	candidates int // kept in the set
}

// newPipeline wires the stages.
func (a *app) newPipeline(c *catalog.Catalog, o pipelineOptions) (*pipeline.Pipeline, error) {
	models, err := learned.Default()
	if err != nil {
		return nil, err
	}
	local, err := rank.NewLocal(rank.LocalConfig{Models: models})
	if err != nil {
		return nil, err
	}
	cfg := pipeline.Config{Knowledge: c, Ranker: local, Fallback: local, Style: coding.Style(o.style), Systems: o.systems, Shown: o.candidates}
	if o.ranker == "llm" || (o.ranker == "" && a.cfg.LLM.Configured()) {
		if !a.cfg.LLM.Configured() {
			return nil, usagef("--ranker llm needs CHARTCODE_LLM_MODEL, and CHARTCODE_LLM_BASE_URL or CHARTCODE_LLM_API_KEY")
		}
	}
	return pipeline.New(cfg)
}

// llmConcurrency is how many notes wait for an LLM at once.
const llmConcurrency = 64
