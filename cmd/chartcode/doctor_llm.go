package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/config"
	"chartcode/internal/llm"
)

// doctorNote is what each endpoint ranks: invented, of no patient, and so plain
// that a model which misses it is of no use.
func doctorNote() coding.Note {
	return coding.Note{NoteID: "doctor", Source: "default", Setting: coding.Outpatient,
		Text: "Follow-up visit.\n\nASSESSMENT AND PLAN:\n" +
			"1. Type 2 diabetes mellitus without complications, well controlled. Continue metformin.\n" +
			"2. Essential hypertension, at goal. Continue lisinopril.\n"}
}

const (
	doctorFirst = "E11.9"
	doctorAlso  = "I10"

	// A model that writes slower than this takes minutes for a note.
	slowTokens = 5.0
)

// checkEndpoints asks the LLM endpoints, each by itself.
func (d *doctor) checkEndpoints(ctx context.Context) {
	const check = "LLM"
	limits := d.cfg.LLMLimits
	switch {
	case limits.ReplayDir != "":
		d.ok(check, "not asked: answers come from the recordings of CHARTCODE_LLM_REPLAY", nil)
		return
	case !d.cfg.LLM.Configured():
		d.ok(check, "not configured: notes are ranked locally", nil)
		return
	case limits.DailyBudgetUSD > 0 && !d.known:
		d.warn(check, "not asked: what is spent of the budget of the day cannot be written down", "see PostgreSQL", nil)
		return
	}
	d.checkEndpoint(ctx, check, d.cfg.LLM, "CHARTCODE_LLM_")
	if d.cfg.LLMFallback.Configured() {
		second := d.cfg.LLMFallback
		second.Timeout = d.cfg.LLM.Timeout
		d.checkEndpoint(ctx, "LLM fallback", second, "CHARTCODE_LLM_FALLBACK_")
	}
}

// alone is the app with one endpoint, no other to fall back to, and neither cache
// nor recordings: what comes is that endpoint's.
func (d *doctor) alone(e config.Endpoint) *app {
	a := *d.app
	a.cfg.LLM, a.cfg.LLMFallback = e, config.Endpoint{}
	a.cfg.LLMLimits.CacheDays, a.cfg.LLMLimits.RecordDir = 0, ""
	return &a
}

func (d *doctor) checkEndpoint(ctx context.Context, check string, e config.Endpoint, prefix string) {
	a := d.alone(e)
	cfg, err := a.llmConfig()
	if err == nil && !d.known {
		cfg.Spending = nil // no budget, and nowhere to write
	}
	var client *llm.Client
	if err == nil {
		client, err = llm.New(cfg)
	}
	if err != nil {
		d.fail(check, err.Error(), "mend the settings")
		return
	}
	d.progress.Step("Asking the " + check)
	found, errs := client.Probe(ctx)
	if err := errs[0]; err != nil {
		what := strings.NewReplacer("CHARTCODE_LLM_BASE_URL", prefix+"BASE_URL", "CHARTCODE_LLM_API_KEY", prefix+"API_KEY", "CHARTCODE_LLM_MODEL", prefix+"MODEL").Replace(err.Error())
		do := "docs/llm.md has the settings of each kind of server"
		if listed := found[0].Listed; listed != nil && !*listed {
			do = "the server answers and does not list the model: set " + prefix + "MODEL to one that it has"
		}
		d.fail(check, e.Model+": "+what, do)
		return
	}
	d.sayProbed(check, found[0])
	if ctx.Err() == nil {
		d.rankNote(ctx, check+" ranking", a)
	}
}

// sayProbed tells what small questions showed.
func (d *doctor) sayProbed(check string, p llm.Probed) {
	rate := 0.0
	if p.Took > 0 {
		rate = float64(p.Usage.CompletionTokens) / p.Took.Seconds()
	}
	details := map[string]any{"model": p.Model, "format": p.Shape.Format, "schema_enforced": p.Bound, "took_ms": p.Took.Milliseconds(),
		"tokens_per_second": float64(int(rate*10)) / 10, "price_known": p.Price != nil}
	found := []string{p.Model + " answers in " + brief(p.Took)}
	var do []string
	if p.Usage.CompletionTokens > 0 {
		found = append(found, fmt.Sprintf("%.0f tokens a second", rate))
		if rate < slowTokens {
			do = append(do, "it is slow: see that CHARTCODE_LLM_TIMEOUT is long enough")
		}
	}
	switch {
	case p.Shape.Format != "json_schema":
		found = append(found, "it knows no JSON schema and is asked for "+p.Shape.Format)
		do = append(do, "answers are checked all the same; a server that enforces schemas gives fewer that cannot be used")
	case !p.Bound:
		found = append(found, "it takes the JSON schema and does not enforce it")
		do = append(do, "answers are checked all the same; a server that enforces schemas gives fewer that cannot be used")
	default:
		found = append(found, "it enforces the JSON schema")
	}
	if p.Listed != nil {
		details["listed"] = *p.Listed
		if !*p.Listed {
			found = append(found, "it does not list the model, but answers for it")
		}
	}
	if p.Price != nil {
		found = append(found, fmt.Sprintf("%g and %g US dollars a million tokens in and out", p.Price.Input, p.Price.Output))
		details["usd_per_million_in"], details["usd_per_million_out"] = p.Price.Input, p.Price.Output
	} else {
		found = append(found, "its price is not known")
		do = append(do, "say it with CHARTCODE_LLM_PRICES='"+p.Model+"=INPUT/OUTPUT', or costs count as 0")
	}
	if len(do) > 0 {
		d.warn(check, strings.Join(found, ", "), strings.Join(do, "; "), details)
		return
	}
	d.ok(check, strings.Join(found, ", "), details)
}

// rankNote has the endpoint rank the invented note the way real ones are.
func (d *doctor) rankNote(ctx context.Context, check string, a *app) {
	if !d.ranks {
		d.warn(check, "not tried: no codes can be looked up", "see code sets and vectors", nil)
		return
	}
	d.progress.Step("Ranking an invented note")
	var err error
	if d.knowledge == nil {
		if d.knowledge, err = d.newCatalog(ctx); err != nil {
			d.fail(check, "not tried: "+err.Error(), "see vectors and embeddings")
			return
		}
	}
	p, err := a.newPipeline(d.knowledge, pipelineOptions{ranker: "llm"})
	if err != nil {
		d.fail(check, err.Error(), "mend the settings")
		return
	}
	note := doctorNote()
	if _, _, err := d.knowledge.Ready(ctx); err != nil { // loads terms and models, which is not the endpoint's time
		d.fail(check, "not tried: "+err.Error(), "see the other checks")
		return
	}
	began := time.Now()
	set, err := p.Process(ctx, note)
	took := time.Since(began)
	if err != nil {
		d.fail(check, "the note could not be processed: "+err.Error(), "see the other checks")
		return
	}
	codes := []string{}
	for _, s := range set.Suggestions {
		if s.Agreement != coding.AgreementLocal { // which the local ranker added
			codes = append(codes, s.Code)
		}
	}
	details := map[string]any{"codes": codes, "took_ms": took.Milliseconds(), "calls": set.Usage.Calls, "prompt_tokens": set.Usage.PromptTokens,
		"completion_tokens": set.Usage.CompletionTokens, "cost_usd": set.Usage.CostUSD}
	found := fmt.Sprintf("for an invented note it chooses %s, in %s, %d calls, %d tokens in and %d out", cmp.Or(strings.Join(codes, ", "), "nothing"), brief(took),
		set.Usage.Calls, set.Usage.PromptTokens, set.Usage.CompletionTokens)
	switch {
	case set.Degraded && set.DegradedReason != nil:
		d.fail(check, "the invented note was ranked locally, for the LLM failed: "+reasonSentence(*set.DegradedReason), "docs/llm.md explains each reason")
	case len(codes) == 0 || codes[0] != doctorFirst || !slices.Contains(codes, doctorAlso):
		d.say(checked{Check: check, Status: checkFailed, Found: found, Details: details,
			Do: fmt.Sprintf("%s first and %s were expected: use a more able model, or CHARTCODE_LLM_STEPS=choose for a small one", doctorFirst, doctorAlso)})
	default:
		d.ok(check, found, details)
	}
}

// reasonSentence explains why a set is degraded.
func reasonSentence(code string) string {
	if llm.Known(code) {
		return (&llm.Error{Code: code}).Error()
	}
	return code
}

// failureOf is the text of an error of a server that embeds.
func failureOf(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return err.Error()
}
