package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"chartcode/internal/coding"
	"chartcode/pipeline/rank"
	"chartcode/prompts"
)

// charactersPerToken is the usual rough figure for English.
const charactersPerToken = 4

// meteredChat counts what goes through a chat.
type meteredChat struct {
	rank.Chat
	mu        sync.Mutex
	steps     map[string]*llmStepFigure
	estimated bool
	now, most int
	took      time.Duration
	calls     int
}

func newMeteredChat(c rank.Chat) *meteredChat {
	return &meteredChat{Chat: c, steps: map[string]*llmStepFigure{}}
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
	s.length += len(whole)
	if usage.PromptTokens == 0 {
		m.estimated = true
		usage.PromptTokens, usage.CompletionTokens = tokensOf(utf8.RuneCountInString(whole)), tokensOf(utf8.RuneCount(answer))
	}
	s.Prompt += usage.PromptTokens
	s.Cached += usage.CachedTokens
	s.Completion += usage.CompletionTokens
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
	known map[string][]coding.Suggestion // by the fence of the note
}

// Model names no model.
func (*localChat) Model() string { return "none" }

var (
	fenceWord = regexp.MustCompile(`^The fence word is (NOTE-[0-9A-F]+)\.`)
	offeredAt = regexp.MustCompile(`(?m)^(\d+)\|(\S+)\|`)
)

// Ask answers extract with what is known of the note, choose and repair with the
// numbers of its codes.
func (l *localChat) Ask(_ context.Context, p prompts.Prompt) (json.RawMessage, coding.Usage, error) {
	fence := fenceWord.FindStringSubmatch(p.User)
	if fence == nil {
		return nil, coding.Usage{}, fmt.Errorf("the prompts of CHARTCODE_PROMPTS begin in another way than the program's: give a server with --llm-base-url, or recordings")
	}
	known := l.known[fence[1]]
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
