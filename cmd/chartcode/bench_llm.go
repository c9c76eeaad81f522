package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"chartcode/internal/coding"
	"chartcode/internal/llm"
	"chartcode/pipeline"
	"chartcode/pipeline/rank"
	"chartcode/prompts"
	"chartcode/samples"
)

// llmBench says what `bench llm` measures.
type llmBench struct {
	pipelineOptions
	json bool
}

func benchLLMCommand(o *options) *cobra.Command {
	var b llmBench
	cmd := &cobra.Command{
		Use:   "llm [FILE]",
		Short: "Count calls and tokens of the LLM's prompts for a note",
		Long: `Works notes (by default the samples) as a worker with an LLM does and counts calls
and tokens by step, what of the prompts a provider's prompt cache could serve, the
cost by the table of prices, and the time.

Without a configured LLM and without --llm-replay no server is asked: the prompts
are made by the real chain and answered in this process: for the samples by the
answers that people wrote for them, for other notes as if the LLM read exactly what
the local ranker suggests, which is less than an LLM reads. Such figures say how long prompts are, and nothing of a model; tokens are
then characters divided by four, the schema of the answer included.`,
		Example: "  chartcode bench llm\n  chartcode bench llm notes.jsonl --llm-replay recordings --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if b.style != string(coding.Billing) && b.style != string(coding.Mentions) {
				return usagef("--style is billing or mentions")
			}
			file := ""
			if len(args) == 1 {
				file = args[0]
			}
			return b.run(cmd.Context(), o, file)
		},
	}
	cmd.Flags().StringVar(&b.style, "style", string(coding.Billing), "billing or mentions")
	cmd.Flags().BoolVar(&b.json, "json", false, "as JSON")
	o.addLLMFlags(cmd)
	return cmd
}

func (b llmBench) run(ctx context.Context, o *options, file string) error {
	a, err := o.newApp(true)
	if err != nil {
		return err
	}
	defer a.close(false)
	set, err := a.prompts()
	if err != nil {
		return err
	}
	if err := a.checkLLM(b.pipelineOptions); err != nil {
		return err
	}
	notes, err := b.notes(file)
	if err != nil {
		return err
	}
	var dates []coding.Date
	for _, n := range notes {
		if n.err == nil && !n.note.ServiceDate.IsZero() {
			dates = append(dates, n.note.ServiceDate)
		}
	}
	if err := a.openStore(ctx, migrateSchema, 4); err != nil {
		return err
	}
	if err := a.ensureCodes(ctx, dates); err != nil {
		return err
	}
	knowledge, err := a.newCatalog(ctx)
	if err != nil {
		return err
	}
	var chat rank.Chat
	asked := a.cfg.LLM.Configured() || a.cfg.LLMLimits.ReplayDir != ""
	if asked {
		a.cfg.LLMLimits.CacheDays = 0 // an answer that is kept costs nothing and tells nothing
		if chat, err = a.newLLM(); err != nil {
			return err
		}
	} else {
		local, err := pipeline.New(pipeline.Config{Knowledge: knowledge, Style: coding.Style(b.style)})
		if err != nil {
			return err
		}
		known := map[string][]coding.Suggestion{}
		written, err := writtenAnswers(file)
		if err != nil {
			return err
		}
		for _, n := range notes {
			if n.err != nil {
				continue
			}
			if list, ok := written[n.note.NoteID]; ok {
				known[prompts.Fence(n.note.Text)] = list
				continue
			}
			set, err := local.Process(ctx, n.note)
			if err != nil {
				return databaseError(err)
			}
			known[prompts.Fence(n.note.Text)] = set.Suggestions
		}
		chat = &localChat{known: known}
	}
	meter := newMeteredChat(chat)
	ranker, err := rank.NewLLM(rank.LLMConfig{Chat: meter, Prompts: set, Steps: rank.Steps(a.cfg.LLMSteps)})
	if err != nil {
		return err
	}
	p, err := pipeline.New(pipeline.Config{Knowledge: knowledge, Style: coding.Style(b.style), Ranker: ranker, Settings: ranker.Settings()})
	if err != nil {
		return err
	}
	return b.measure(ctx, a, noteByNote{p}, meter, notes)
}

// writtenAnswers are what people wrote for the samples, by note; none for a file.
func writtenAnswers(file string) (map[string][]coding.Suggestion, error) {
	out := map[string][]coding.Suggestion{}
	if file != "" {
		return out, nil
	}
	for line := range strings.Lines(string(samples.Answers())) {
		var a struct {
			NoteID string `json:"note_id"`
			Codes  []struct{ Code, Description, Quote string }
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			return nil, fmt.Errorf("the answers of the samples cannot be read: %w", err)
		}
		for _, c := range a.Codes {
			out[a.NoteID] = append(out[a.NoteID], coding.Suggestion{Code: c.Code, Display: c.Description,
				Evidence: []coding.Evidence{{Text: c.Quote}}, Rationale: "The note states it, and no more specific candidate is supported."})
		}
	}
	return out, nil
}

// notes are those of a file, or the samples.
func (b llmBench) notes(file string) ([]suggestInput, error) {
	if file != "" {
		return readNotes(file)
	}
	return parseNotes(strings.NewReader(string(samples.Notes())), "the samples")
}

func (b llmBench) measure(ctx context.Context, a *app, p processor, meter *meteredChat, notes []suggestInput) error {
	a.progress.Step("Asking about the notes")
	workers := 1
	if _, dry := meter.Chat.(*localChat); !dry {
		workers = a.workers(b.pipelineOptions)
	}
	f := llmFigures{Model: meter.Model(), Steps: meter.steps}
	var mu sync.Mutex
	var group sync.WaitGroup
	var failed error
	var calls, tokens int
	slots := make(chan struct{}, workers)
	for _, n := range notes {
		if n.err != nil {
			continue
		}
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			set, err := p.Process(ctx, n.note)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
				return
			}
			f.Notes++
			f.Characters += float64(utf8.RuneCountInString(n.note.Text))
			if set.Degraded {
				f.Degraded++
			}
			u := set.Usage
			calls += u.Calls
			f.MostCalls = max(f.MostCalls, u.Calls)
			tokens += u.PromptTokens + u.CompletionTokens
			f.MostTokens = max(f.MostTokens, u.PromptTokens+u.CompletionTokens)
		})
	}
	group.Wait()
	if failed != nil {
		return databaseError(failed)
	}
	a.progress.done()
	if f.Notes == 0 || meter.calls == 0 {
		return fmt.Errorf("no note was asked about")
	}
	prices, err := llm.LoadPrices(a.cfg.LLMLimits.Prices)
	if err != nil {
		return usagef("CHARTCODE_LLM_PRICES: %s", err)
	}
	f.sum(meter, prices, calls, tokens)
	return f.print(b.json)
}
