package main

import (
	"chartcode/internal/catalog"
	"chartcode/internal/coding"
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
	observe    pipeline.Observer // hears of stages; may be nil
}

// newPipeline wires the stages.
func (a *app) newPipeline(c *catalog.Catalog, o pipelineOptions) (processor, error) {
	cfg := pipeline.Config{Knowledge: c, Style: coding.Style(o.style), Systems: o.systems, Shown: o.candidates, Explain: o.explain, Observe: o.observe}
	if a.usesLLM(o) {
		var err error
		if cfg.Ranker, cfg.Settings, err = a.llmRanker(); err != nil {
			return nil, err
		}
	}
	p, err := pipeline.New(cfg)
	if err != nil {
		return nil, err
	}
	return noteByNote{p}, nil
}

// llmRanker gives the ranker that asks the configured LLM, and what of its
// settings decides answers.
func (a *app) llmRanker() (pipeline.Ranker, string, error) {
	chat, err := a.newLLM()
	if err != nil {
		return nil, "", err
	}
	set, err := a.prompts()
	if err != nil {
		return nil, "", err
	}
	ranker, err := rank.NewLLM(rank.LLMConfig{Chat: chat, Prompts: set, Steps: rank.Steps(a.cfg.LLMSteps), Observe: a.observeLLM})
	if err != nil {
		return nil, "", err
	}
	return ranker, ranker.Settings(), nil
}

// prompts gives those of the program, or of the owner's files where there are some.
func (a *app) prompts() (*prompts.Set, error) {
	files := prompts.Embedded()
	if a.cfg.Prompts != "" {
		var err error
		if files, err = prompts.Overlay(a.cfg.Prompts); err != nil {
			return nil, usagef("CHARTCODE_PROMPTS: %s", err)
		}
	}
	set, err := prompts.LoadSet(files)
	if err != nil {
		return nil, usagef("CHARTCODE_PROMPTS: %s", err)
	}
	return set, nil
}
