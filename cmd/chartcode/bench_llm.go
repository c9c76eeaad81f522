package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
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

// scaledTo is the note, in characters, that figures are scaled to.
const scaledTo = 3000

// charactersPerToken is the usual rough figure for English.
const charactersPerToken = 4

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

// llmFigures is what `bench llm --json` gives.
type llmFigures struct {
	Model      string                    `json:"model"`
	Estimated  bool                      `json:"tokens_estimated"` // by four characters a token
	Notes      int                       `json:"notes"`
	Degraded   int                       `json:"degraded"`
	Characters float64                   `json:"characters_a_note"`
	Steps      map[string]*llmStepFigure `json:"steps"` // by task
	Calls      float64                   `json:"calls_a_note"`
	MostCalls  int                       `json:"most_calls"`
	Tokens     float64                   `json:"tokens_a_note"`
	MostTokens int                       `json:"most_tokens"`
	Scaled     float64                   `json:"tokens_scaled_to_3000_characters"`
	Static     float64                   `json:"static_share"`   // of the prompts' tokens
	Repeated   float64                   `json:"repeated_share"` // of choose and repair that stood in the note's first prompt
	CostUSD    *float64                  `json:"cost_usd_a_note"`
	InFlight   int                       `json:"most_in_flight"`
	Seconds    float64                   `json:"seconds_a_call"`
}

// llmStepFigure is of one task, over all notes.
type llmStepFigure struct {
	Calls      int `json:"calls"`
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Static     int `json:"static_tokens"`   // of the prompts
	Repeated   int `json:"repeated_tokens"` // of the prompts, see llmFigures
	// The common beginning of all requests, in characters.
	prefix string
}

// meteredChat counts what goes through a chat.
type meteredChat struct {
	rank.Chat
	mu        sync.Mutex
	steps     map[string]*llmStepFigure
	estimated bool
	now, most int
	took      time.Duration
	calls     int
	first     map[string]string // of each note, the user text of its first prompt, by fence
}

func newMeteredChat(c rank.Chat) *meteredChat {
	return &meteredChat{Chat: c, steps: map[string]*llmStepFigure{}, first: map[string]string{}}
}

func tokensOf(characters int) int { return (characters + charactersPerToken - 1) / charactersPerToken }

// Ask counts one prompt with its answer.
func (m *meteredChat) Ask(ctx context.Context, p prompts.Prompt) (json.RawMessage, coding.Usage, error) {
	m.mu.Lock()
	m.now++
	m.most = max(m.most, m.now)
	m.mu.Unlock()
	started := time.Now()
	answer, usage, err := m.Chat.Ask(ctx, p)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now--
	m.took += time.Since(started)
	m.calls++
	whole := p.System + string(p.Schema) + p.User
	s := m.steps[p.Task]
	if s == nil {
		s = &llmStepFigure{prefix: whole}
		m.steps[p.Task] = s
	}
	s.Calls++
	s.prefix = s.prefix[:common(s.prefix, whole)]
	if usage.PromptTokens == 0 {
		m.estimated = true
		usage.PromptTokens, usage.CompletionTokens = tokensOf(utf8.RuneCountInString(whole)), tokensOf(utf8.RuneCount(answer))
	}
	s.Prompt += usage.PromptTokens
	s.Completion += usage.CompletionTokens
	fence, _, _ := strings.Cut(p.User, ".")
	if one, ok := m.first[fence]; ok {
		s.Repeated += tokensOf(common(one, p.User))
	} else {
		m.first[fence] = p.User
	}
	return answer, usage, err
}

// common is how many bytes two texts begin with alike.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// localChat answers prompts without a server: by codes that are known of each
// note.
type localChat struct {
	mu    sync.Mutex
	known map[string][]coding.Suggestion // by the fence of the note
}

// Model names no model.
func (*localChat) Model() string { return "none" }

var (
	fenceWord = regexp.MustCompile(`^The fence word is (NOTE-[0-9A-F]+)\.`)
	offeredAt = regexp.MustCompile(`(?m)^(\d+) \| (\S+) \| `)
)

// Ask answers extract with what is known of the note, choose and repair with the
// numbers of its codes.
func (l *localChat) Ask(_ context.Context, p prompts.Prompt) (json.RawMessage, coding.Usage, error) {
	fence := fenceWord.FindStringSubmatch(p.User)
	if fence == nil {
		return nil, coding.Usage{}, fmt.Errorf("the prompts of CHARTCODE_PROMPTS begin in another way than the program's: give a server with --llm-base-url, or recordings")
	}
	l.mu.Lock()
	known := l.known[fence[1]]
	l.mu.Unlock()
	if p.Task == "extract" {
		a := prompts.ExtractAnswer{Items: []prompts.ExtractedItem{}}
		for _, s := range known {
			it := prompts.ExtractedItem{Description: s.Display, Section: 1, Kind: "condition", Assertion: "present"}
			if len(s.Evidence) > 0 {
				it.Quote = s.Evidence[0].Text
			}
			a.Items = append(a.Items, it)
		}
		b, err := json.Marshal(a)
		return b, coding.Usage{Calls: 1}, err
	}
	numbers := map[string]int{}
	for _, m := range offeredAt.FindAllStringSubmatch(p.User, -1) {
		if n, err := strconv.Atoi(m[1]); err == nil {
			numbers[m[2]] = n
		}
	}
	a := prompts.ChooseAnswer{Items: []prompts.ChosenItem{}}
	for i, s := range known {
		if n, ok := numbers[s.Code]; ok {
			a.Items = append(a.Items, prompts.ChosenItem{Item: i + 1, Codes: []prompts.ChosenCode{{Number: n, Confidence: 0.9, Quotes: []string{}, Rationale: s.Rationale}}})
		}
	}
	b, err := json.Marshal(a)
	return b, coding.Usage{Calls: 1}, err
}

func (b llmBench) run(ctx context.Context, o *options, file string) error {
	a, err := o.newApp(true)
	if err != nil {
		return err
	}
	defer a.close(false)
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
	set, err := a.prompts()
	if err != nil {
		return err
	}
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

// sum makes means and shares of what was counted.
func (f *llmFigures) sum(m *meteredChat, prices llm.Prices, calls, tokens int) {
	notes := float64(f.Notes)
	prompt, completion, static, repeated := 0, 0, 0, 0
	for _, s := range m.steps {
		if s.Calls > 1 { // one request has nothing in common with others
			s.Static = s.Calls * tokensOf(len(s.prefix))
		}
		prompt, completion, static, repeated = prompt+s.Prompt, completion+s.Completion, static+s.Static, repeated+s.Repeated
	}
	f.Estimated, f.InFlight, f.Seconds = m.estimated, m.most, m.took.Seconds()/float64(m.calls)
	f.Scaled = float64(static)/notes + float64(tokens-static)/f.Characters*scaledTo // instructions do not grow with a note
	f.Characters /= notes
	f.Calls, f.Tokens = float64(calls)/notes, float64(tokens)/notes
	f.Static, f.Repeated = float64(static)/float64(prompt), float64(repeated)/float64(prompt)
	if price, ok := prices.Of(f.Model); ok {
		usd := (float64(prompt-static)*price.Input + float64(static)*price.CachedInput + float64(completion)*price.Output) / 1e6 / notes
		f.CostUSD = &usd
	}
}

func (f *llmFigures) print(asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(f)
	}
	how := "by the server's count"
	if f.Estimated {
		how = "estimated by 4 characters a token, the answer's schema included"
	}
	fmt.Printf("%d notes of %.0f characters, model %s, tokens %s\n", f.Notes, f.Characters, f.Model, how)
	if f.Degraded > 0 {
		fmt.Printf("%d notes were ranked locally: the LLM's answer could not be used\n", f.Degraded)
	}
	for _, task := range []string{"extract", "choose", "repair"} {
		s := f.Steps[task]
		if s == nil {
			continue
		}
		n := float64(s.Calls)
		fmt.Printf("%-8s %5.2f calls a note, %5.0f tokens in and %4.0f out a call, %.0f of them static\n", task, n/float64(f.Notes),
			float64(s.Prompt)/n, float64(s.Completion)/n, float64(s.Static)/n)
	}
	fmt.Printf("a note: %.2f calls (%d at most), %.0f tokens (%d at most); scaled to %d characters: %.0f tokens\n", f.Calls, f.MostCalls, f.Tokens, f.MostTokens, scaledTo, f.Scaled)
	fmt.Printf("a prompt cache can serve %.0f%% of the prompts' tokens (what all requests of a task begin with)\n", 100*f.Static)
	fmt.Printf("another %.0f%% repeat the note's earlier prompt, behind another task's instructions, where caches of prefixes do not serve it\n", 100*f.Repeated)
	if f.CostUSD != nil {
		fmt.Printf("cost with such a cache: %.5f US dollars a note\n", *f.CostUSD)
	} else {
		fmt.Println("cost: the model has no price; give one with CHARTCODE_LLM_PRICES")
	}
	fmt.Printf("%.3f s a call, %d in flight at most\n", f.Seconds, f.InFlight)
	return nil
}
