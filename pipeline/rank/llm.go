package rank

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"chartcode/internal/coding"
	"chartcode/prompts"
)

// Chat asks an LLM for one JSON object. An error has Reason() string where the
// cause is known.
type Chat interface {
	Model() string
	Ask(ctx context.Context, p prompts.Prompt) (json.RawMessage, coding.Usage, error)
}

// Steps says which steps an LLM does.
type Steps string

// The values of Steps.
const (
	StepsAll    Steps = "all"    // it reads the note, then chooses among what was looked up for what it read
	StepsChoose Steps = "choose" // it chooses among what the search for words found: for small models
)

// LLMConfig says what the LLM ranker is made of. The zero value of a number
// means its default.
type LLMConfig struct {
	Chat    Chat
	Prompts *prompts.Set
	Steps   Steps // empty: StepsAll
	PerItem int   // candidates of one statement, 10
	ByWords int   // candidates found by words alone, 14
	// PartBytes is the longest text of one prompt, 24,000; a longer note is read in
	// parts. MaxTextBytes is the longest note that is asked about, 240,000; a longer
	// one is not cut off but refused, and so ranked locally.
	PartBytes    int
	MaxTextBytes int
	// ListBytes is the longest list of candidates in one prompt, 30,000; a longer
	// one is asked about in several.
	ListBytes int
	// Observe hears what became of each note, from several goroutines.
	Observe func(LLMCounts)
}

// LLMCounts tells what was done with the answers about one note.
type LLMCounts struct {
	Parts      int // of the note
	Extracted  int // statements in the answers
	Statements int // of them looked up
	Unreadable int // statements and choices not of the schema's form
	Denied     int // statements left out: denied or only feared
	OverLimit  int // statements beyond what one note may have
	NotLocated int // statements whose quote is not in the note
	Offered    int // candidates shown

	Chosen          int // codes in the answers
	Held            int // of them with a quote that holds, before the rules and the repair
	Shown           int // of them suggested
	UnknownNumbers  int // not offered
	RepeatedNumbers int
	WithoutEvidence int // dropped because no quote holds

	QuotesExact       int // found letter by letter
	QuotesTolerant    int // found but for white space, case, dashes or quotation marks
	QuotesNear        int // found but for some letters
	QuotesReformatted int // words of the sentence that the candidate was found in
	QuotesMissing     int // not in the note
	QuotesUnsupported int // in the note, but denied, feared or told of somebody else there
	QuotesUnrelated   int // in the note, but of words that do not lead to the code
	QuotesAddressed   int // in text that speaks to a program

	Errors       int // findings of severity error before the repair
	ErrorsAfter  int // and after it
	RepairFailed int // 1 where the repair gave no answer, or no better one
	LocalOnly    int // suggestions of the local ranker alone
}

// LLM ranks by asking an LLM: it reads the note, says what matters in the words
// of the classification, is shown what was looked up for that, chooses, and
// corrects what breaks a rule. It takes nothing on trust: a number that was not
// shown is dropped, and so is a choice none of whose quotes is found in the note,
// states the condition of the patient and leads to the code.
type LLM struct{ cfg LLMConfig }

const llmVersion = 2

// NewLLM checks the configuration.
func NewLLM(cfg LLMConfig) (*LLM, error) {
	if cfg.Chat == nil || cfg.Prompts == nil {
		return nil, errors.New("rank: the LLM ranker needs Chat and Prompts")
	}
	if cfg.Steps == "" {
		cfg.Steps = StepsAll
	}
	if cfg.Steps != StepsAll && cfg.Steps != StepsChoose {
		return nil, errors.New("rank: the steps of the LLM are all or choose")
	}
	for _, n := range []struct {
		v   *int
		def int
	}{{&cfg.PerItem, 10}, {&cfg.ByWords, 14}, {&cfg.PartBytes, 24_000}, {&cfg.MaxTextBytes, 240_000}, {&cfg.ListBytes, 30_000}} {
		if *n.v < 0 {
			return nil, errors.New("rank: numbers must not be negative")
		}
		*n.v = cmp.Or(*n.v, n.def)
	}
	if cfg.Observe == nil {
		cfg.Observe = func(LLMCounts) {}
	}
	return &LLM{cfg}, nil
}

// Name is llm@N.
func (l *LLM) Name() string { return fmt.Sprintf("llm@%d", llmVersion) }

// Settings tells all that decides an answer beside the input.
func (l *LLM) Settings() string {
	return fmt.Sprintf("model=%s prompts=%s steps=%s per_item=%d by_words=%d part=%d list=%d", l.cfg.Chat.Model(), l.cfg.Prompts.SHA256(),
		l.cfg.Steps, l.cfg.PerItem, l.cfg.ByWords, l.cfg.PartBytes, l.cfg.ListBytes)
}

// LLMError says why an answer, or a note, could not be used. It holds nothing of
// either.
type LLMError struct{ Code string }

// The codes of LLMError; Chat's errors have their own.
const (
	LLMInvalidAnswer = "llm_invalid_answer"
	LLMNoteTooLong   = "llm_note_too_long"
)

// Error is the code.
func (e *LLMError) Error() string { return "the LLM ranker gives no answer: " + e.Code }

// Reason is the code: the degraded_reason of the suggestion set.
func (e *LLMError) Reason() string { return e.Code }

// Rank asks twice for a usual note, once more where the rules find errors, and
// not at all when there is nothing to ask about. With an error the output holds
// the usage alone.
func (l *LLM) Rank(ctx context.Context, in Input) (Output, error) {
	if len(in.Doc.Text) > l.cfg.MaxTextBytes {
		return Output{}, &LLMError{LLMNoteTooLong}
	}
	if in.Style == coding.Billing {
		in = WithPurposes(in)
	}
	c := &chain{cfg: &l.cfg, in: in, parts: parts(in.Doc, l.cfg.PartBytes)}
	c.finder = newQuoteFinder(in.Doc)
	c.finder.addressed = in.Addressed
	c.counts.Parts = len(c.parts)
	defer func() { l.cfg.Observe(c.counts) }()

	list, err := c.run(ctx)
	if err != nil {
		return Output{Usage: c.usage}, err
	}
	c.counts.Shown = len(list)
	model, sha := l.cfg.Chat.Model(), l.cfg.Prompts.SHA256()
	return Output{Suggestions: list, Model: &model, PromptSHA256: &sha, Usage: c.usage}, nil
}

// chain is the work on one note.
type chain struct {
	cfg    *LLMConfig
	in     Input
	parts  []stretch
	finder *quoteFinder

	statements []*statement
	known      map[string]int // by code: its place in in.Candidates
	batches    []*batch
	judged     *judgements // once asked for

	mu     sync.Mutex // of what follows, while parts are asked at once
	counts LLMCounts
	usage  coding.Usage
}

func (c *chain) run(ctx context.Context) ([]coding.Suggestion, error) {
	if c.cfg.Steps == StepsAll {
		if err := c.extract(ctx); err != nil {
			return nil, err
		}
		if err := c.lookUp(ctx); err != nil {
			return nil, err
		}
		c.byWords()
	} else {
		c.fromWords()
	}
	c.offer()
	picks, err := c.choose(ctx)
	if err != nil {
		return nil, err
	}
	if picks, err = c.repair(ctx, picks); err != nil {
		return nil, err
	}
	return c.suggest(picks), nil
}

// ask adds up what the calls cost.
func (c *chain) ask(ctx context.Context, p prompts.Prompt) (json.RawMessage, error) {
	answer, usage, err := c.cfg.Chat.Ask(ctx, p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.usage.Add(usage)
	if err != nil {
		return nil, fmt.Errorf("ask the LLM: %w", err)
	}
	return answer, nil
}

// atOnce is how many prompts of one long note are asked at a time.
const atOnce = 4

// each calls f for 0..n-1, some at a time, and gives the first error.
func each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	if n == 1 {
		return f(ctx, 0)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	slots := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	var once sync.Once
	var first error
	for i := range n {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		group.Go(func() {
			defer func() { <-slots }()
			if err := f(ctx, i); err != nil {
				once.Do(func() { first = err })
				cancel()
			}
		})
	}
	group.Wait()
	if first == nil {
		return ctx.Err()
	}
	return first
}
