package rank

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"chartcode/internal/coding"
	"chartcode/prompts"
)

// repair shows the errors that the rules find to the LLM, once, and takes its
// correction if that leaves fewer. A failed call costs the correction, not the
// choices. Only a note that was asked about in one prompt is corrected.
func (c *chain) repair(ctx context.Context, p picked) (picked, error) {
	rules := c.in.Beside.Rules
	if rules == nil || len(c.batches) != 1 || len(p.list) == 0 {
		return p, nil
	}
	errs := errorsOf(rules.Check(c.finish(p)))
	c.counts.Errors, c.counts.ErrorsAfter = len(errs), len(errs)
	if len(errs) == 0 {
		return p, nil
	}
	b := c.batches[0]
	data := prompts.RepairData{Note: promptNote(c.in, c.parts[b.part], 1, 1), Items: b.items, Errors: errs}
	for n, o := range b.offers {
		if slices.ContainsFunc(p.list, func(k pick) bool { return k.cand == o.cand }) {
			data.Chosen = append(data.Chosen, prompts.Candidate{Number: n + 1, Code: c.in.Candidates[o.cand].Code})
		}
	}
	prompt, err := c.cfg.Prompts.Repair.Render(data)
	if err != nil {
		return p, fmt.Errorf("rank: %w", err)
	}
	failed := func() (picked, error) {
		c.counts.RepairFailed = 1
		return p, ctx.Err()
	}
	answer, err := c.ask(ctx, prompt)
	if err != nil {
		return failed()
	}
	again, err := c.readChosen(b, answer)
	if err != nil || len(again.list) == 0 {
		return failed()
	}
	left := errorsOf(rules.Check(c.finish(again)))
	if len(left) >= len(errs) {
		return failed()
	}
	c.counts.ErrorsAfter = len(left)
	return again, nil
}

// errorsOf are the findings of severity error, each once.
func errorsOf(list []coding.Suggestion) []prompts.RuleError {
	var out []prompts.RuleError
	for _, s := range list {
		for _, f := range s.Warnings {
			if f.Severity != coding.SeverityError {
				continue
			}
			e := prompts.RuleError{Codes: strings.Join(f.Codes, ", "), Message: f.Message, Source: f.Source}
			if !slices.Contains(out, e) {
				out = append(out, e)
			}
		}
	}
	return out
}
