package rank

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"chartcode/internal/coding"
	"chartcode/prompts"
)

// Chat asks an LLM for one JSON object. An error has Reason() string where the
// cause is known.
type Chat interface {
	Model() string
	Ask(ctx context.Context, p prompts.Prompt) (json.RawMessage, coding.Usage, error)
}

// LLMConfig says what the LLM ranker is made of. The zero value of a number
// means its default.
type LLMConfig struct {
	Chat   Chat
	Prompt *prompts.Template // of the task rank
	Shown  int               // candidates shown, best first, 150
	// MaxTextBytes is the longest note that is asked about, 60,000; a longer one
	// is not cut off but refused, and so ranked locally.
	MaxTextBytes int
	// Observe hears what became of each answer, from several goroutines.
	Observe func(LLMCounts)
}

// LLMCounts tells what was done with one answer.
type LLMCounts struct {
	Chosen            int // codes in the answer
	Shown             int // of them suggested
	UnreadableChoices int // not of the schema's form
	UnknownNumbers    int // not offered
	RepeatedNumbers   int
	WithoutEvidence   int // dropped because no quote holds

	QuotesExact       int // found letter by letter
	QuotesTolerant    int // found but for white space, case, dashes or quotation marks
	QuotesReformatted int // words of the sentence that the candidate was found in
	QuotesMissing     int // not in the note
	QuotesUnsupported int // in the note, but denied, feared or told of somebody else there
}

// LLM ranks by asking an LLM to choose among numbered candidates and to quote
// the note. It takes nothing on trust: a number that was not shown is dropped,
// and so is a choice none of whose quotes is found in the note as a statement
// about the patient.
type LLM struct{ cfg LLMConfig }

const llmVersion = 1

// NewLLM checks the configuration.
func NewLLM(cfg LLMConfig) (*LLM, error) {
	if cfg.Chat == nil || cfg.Prompt == nil {
		return nil, errors.New("rank: the LLM ranker needs Chat and Prompt")
	}
	if cfg.Shown < 0 || cfg.MaxTextBytes < 0 {
		return nil, errors.New("rank: Shown and MaxTextBytes must not be negative")
	}
	if cfg.Shown == 0 {
		cfg.Shown = 150
	}
	if cfg.MaxTextBytes == 0 {
		cfg.MaxTextBytes = 60_000
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
	return fmt.Sprintf("model=%s prompt=%s shown=%d", l.cfg.Chat.Model(), l.cfg.Prompt.SHA256(), l.cfg.Shown)
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

// Rank makes one call, or none when there are no candidates. With an error the
// output holds the usage alone.
func (l *LLM) Rank(ctx context.Context, in Input) (Output, error) {
	model, sha := l.cfg.Chat.Model(), l.cfg.Prompt.SHA256()
	out := Output{Model: &model, PromptSHA256: &sha}
	if in.Style == coding.Billing {
		in = WithPurposes(in)
	}
	shown := l.offered(in.Candidates)
	if len(shown) == 0 {
		return out, nil
	}
	if len(in.Doc.Text) > l.cfg.MaxTextBytes {
		return Output{}, &LLMError{LLMNoteTooLong}
	}
	prompt, err := l.cfg.Prompt.Render(promptData(in, shown))
	if err != nil {
		return Output{}, fmt.Errorf("rank: %w", err)
	}
	answer, usage, err := l.cfg.Chat.Ask(ctx, prompt)
	if err != nil {
		return Output{Usage: usage}, fmt.Errorf("ask the LLM: %w", err)
	}
	out.Usage = usage
	var counts LLMCounts
	defer func() { l.cfg.Observe(counts) }()
	out.Suggestions, counts, err = judgeAnswer(in, shown, answer)
	if err != nil {
		return Output{Usage: usage}, err
	}
	return out, nil
}

// offered are the best candidates in the order of the classification, so that
// neighbours stand together. The order says nothing of their rank.
func (l *LLM) offered(candidates []coding.Candidate) []*coding.Candidate {
	shown := make([]*coding.Candidate, 0, min(len(candidates), l.cfg.Shown))
	for i := range candidates[:min(len(candidates), l.cfg.Shown)] {
		shown = append(shown, &candidates[i])
	}
	slices.SortStableFunc(shown, func(a, b *coding.Candidate) int {
		return cmp.Or(cmp.Compare(a.System, b.System), cmp.Compare(a.Code, b.Code))
	})
	return shown
}

func promptData(in Input, shown []*coding.Candidate) prompts.RankData {
	data := prompts.RankData{
		Fence: prompts.Fence(in.Doc.Text), Text: in.Doc.Text, Setting: string(in.Doc.Setting),
		Inpatient: in.Doc.Setting.InpatientRules(), Mentions: in.Style == coding.Mentions,
	}
	for i, c := range shown {
		data.Candidates = append(data.Candidates, prompts.RankCandidate{Number: i + 1, Code: c.Code, Title: c.Display})
	}
	return data
}

// choice is prompts.RankedCode as models write it: numbers may have a fraction
// of zero.
type choice struct {
	Number     float64  `json:"number"`
	Confidence float64  `json:"confidence"`
	Quotes     []string `json:"quotes"`
	Rationale  string   `json:"rationale"`
}

// judgeAnswer makes suggestions of what holds. An answer that chose codes of
// which none holds is no answer.
func judgeAnswer(in Input, shown []*coding.Candidate, answer json.RawMessage) ([]coding.Suggestion, LLMCounts, error) {
	var counts LLMCounts
	var list struct {
		Codes []json.RawMessage `json:"codes"`
	}
	if json.Unmarshal(answer, &list) != nil || list.Codes == nil {
		return nil, counts, &LLMError{LLMInvalidAnswer}
	}
	counts.Chosen = len(list.Codes)
	finder := newQuoteFinder(in.Doc)
	taken := make(map[int]bool)
	out := []coding.Suggestion{}
	for _, raw := range list.Codes {
		var ch choice
		if json.Unmarshal(raw, &ch) != nil {
			counts.UnreadableChoices++
			continue
		}
		n := int(ch.Number)
		switch {
		case float64(n) != ch.Number || n < 1 || n > len(shown):
			counts.UnknownNumbers++
			continue
		case taken[n]:
			counts.RepeatedNumbers++
			continue
		}
		taken[n] = true
		c := shown[n-1]
		ev := finder.evidence(c, ch.Quotes, &counts)
		if len(ev) == 0 {
			counts.WithoutEvidence++
			continue
		}
		out = append(out, coding.Suggestion{
			System: c.System, Code: c.Code, Display: c.Display, Confidence: min(max(ch.Confidence, 0.01), 0.99),
			Evidence: ev, Rationale: cmp.Or(oneSentence(ch.Rationale), rationale(c)),
		})
	}
	counts.Shown = len(out)
	if len(out) == 0 && counts.Chosen > 0 {
		return nil, counts, &LLMError{LLMInvalidAnswer}
	}
	number(in.Doc, out)
	return out, counts, nil
}

const rationaleRunes = 300

// oneSentence makes a line of what a model wrote, of bounded length.
func oneSentence(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if r := []rune(s); len(r) > rationaleRunes {
		s = strings.TrimSpace(string(r[:rationaleRunes-1])) + "…"
	}
	return s
}
