package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"

	"chartcode/internal/llm"
)

// scaledTo is the note, in characters, that figures are scaled to.
const scaledTo = 3000

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
	Static     float64                   `json:"static_share"` // of the prompts' tokens
	Cached     float64                   `json:"cached_share"` // of the prompts' tokens, by the server; 0 where it does not say
	CostUSD    *float64                  `json:"cost_usd_a_note"`
	InFlight   int                       `json:"most_in_flight"`
	Seconds    float64                   `json:"seconds_a_call"`
}

// llmStepFigure is of one task, over all notes.
type llmStepFigure struct {
	Calls      int `json:"calls"`
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Static     int `json:"static_tokens"` // of the prompts
	Cached     int `json:"cached_tokens"` // of the prompts, by the server
	// The common beginning of all requests, and the length of them all in bytes.
	prefix string
	length int
}

// sum makes means and shares of what was counted.
func (f *llmFigures) sum(m *meteredChat, prices llm.Prices, calls, tokens int) {
	notes := float64(f.Notes)
	prompt, completion, static, cached := 0, 0, 0, 0
	for _, s := range m.steps {
		if s.Calls > 1 { // one request has nothing in common with others
			// Of the prompts' tokens, whoever counted them, as much as of their bytes.
			s.Static = int(math.Round(float64(s.Prompt) * float64(s.Calls*len(s.prefix)) / float64(max(s.length, 1))))
		}
		prompt, completion, static, cached = prompt+s.Prompt, completion+s.Completion, static+s.Static, cached+s.Cached
	}
	f.Estimated, f.InFlight, f.Seconds = m.estimated, m.most, m.took.Seconds()/float64(m.calls)
	f.Scaled = float64(static)/notes + float64(tokens-static)/f.Characters*scaledTo // instructions do not grow with a note
	f.Characters /= notes
	f.Calls, f.Tokens = float64(calls)/notes, float64(tokens)/notes
	f.Static, f.Cached = float64(static)/float64(prompt), float64(cached)/float64(prompt)
	if price, ok := prices.Of(f.Model); ok {
		if cached == 0 {
			cached = static // what a cache could serve
		}
		usd := (float64(prompt-cached)*price.Input + float64(cached)*price.CachedInput + float64(completion)*price.Output) / 1e6 / notes
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
	cache := "such a cache"
	if f.Cached > 0 {
		fmt.Printf("the server's cache served %.0f%% of them\n", 100*f.Cached)
		cache = "what the server's cache served"
	}
	if f.CostUSD != nil {
		fmt.Printf("cost with %s: %.5f US dollars a note\n", cache, *f.CostUSD)
	} else {
		fmt.Println("cost: the model has no price; give one with CHARTCODE_LLM_PRICES")
	}
	fmt.Printf("%.3f s a call, %d in flight at most\n", f.Seconds, f.InFlight)
	return nil
}
