package llmtest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"chartcode/prompts"
)

// Known is what a person says a note is to be coded as.
type Known struct {
	Codes []KnownCode
	First string // the first-listed code
}

// KnownCode is one code with the words of the note that prove it, and how the
// classification says it.
type KnownCode struct {
	Code        string
	Description string // empty: the title of the code, or nothing
	Quotes      []string
	Kind        string
	Assertion   string
	Confidence  float64
	Rationale   string
	Optional    bool // coders may differ
}

// Rates say how often an answer is wrong, each from 0 to 1.
type Rates struct {
	Miss     float64 // of the codes, a statement is not extracted
	Sibling  float64 // another code of the category is chosen
	BadQuote float64 // the quote is not in the note
}

// Stated are the rates of the test of the chain's arithmetic.
var Stated = Rates{Miss: 0.20, Sibling: 0.15, BadQuote: 0.05}

// Gold answers by known codes, wrong as often as Rates say. Which ones are wrong
// depends on the note and the code alone, so that the same question has the same
// answer. Of gives what is known of a note by its text as shown; nil: nothing.
type Gold struct {
	Of    func(note string) *Known
	Rates Rates
	// Title gives the title of a code, for descriptions.
	Title func(code string) string
}

// Answer answers all tasks.
func (g Gold) Answer(q Question) (any, error) {
	known := g.Of(q.Note)
	if known == nil {
		if q.Task == "extract" {
			return prompts.ExtractAnswer{Items: []prompts.ExtractedItem{}}, nil
		}
		return prompts.ChooseAnswer{Items: []prompts.ChosenItem{}}, nil
	}
	if q.Task == "extract" {
		return g.extract(q, known), nil
	}
	return g.choose(q, known), nil
}

func (g Gold) extract(q Question, known *Known) prompts.ExtractAnswer {
	out := prompts.ExtractAnswer{Items: []prompts.ExtractedItem{}}
	for _, k := range known.Codes {
		if g.Misses(q.Note, k.Code) {
			continue
		}
		it := prompts.ExtractedItem{Description: k.Description, Kind: orElse(k.Kind, "condition"), Assertion: orElse(k.Assertion, "present")}
		if it.Description == "" && g.Title != nil {
			it.Description = g.Title(k.Code)
		}
		if len(k.Quotes) > 0 {
			it.Quote = k.Quotes[0]
		}
		if g.draw("quote", q.Note, k.Code) < g.Rates.BadQuote {
			it.Quote = "words that the record does not hold"
		}
		it.Section = sectionOf(q, it.Quote)
		out.Items = append(out.Items, it)
	}
	return out
}

// Misses reports whether the statement of a code is not extracted.
func (g Gold) Misses(note, code string) bool { return g.draw("miss", note, code) < g.Rates.Miss }

func (g Gold) choose(q Question, known *Known) prompts.ChooseAnswer {
	out := prompts.ChooseAnswer{Items: []prompts.ChosenItem{}}
	numbers := q.Numbers()
	for _, k := range known.Codes {
		n, ok := numbers[k.Code]
		if !ok {
			continue
		}
		if s, ok := g.sibling(q, n, k.Code); ok && q.Task == "choose" && g.draw("sibling", q.Note, k.Code) < g.Rates.Sibling {
			n = s
		}
		code := prompts.ChosenCode{Number: n, Confidence: k.Confidence, Quotes: []string{}, Rationale: orElse(k.Rationale, "The note says so.")}
		if code.Confidence == 0 {
			code.Confidence = 0.9
		}
		item := itemOf(q, n)
		if len(k.Quotes) > 0 && g.draw("own", q.Note, k.Code) >= g.Rates.BadQuote {
			code.Quotes = append(code.Quotes, k.Quotes...)
		}
		i := slices.IndexFunc(out.Items, func(c prompts.ChosenItem) bool { return c.Item == item })
		if i < 0 {
			i = len(out.Items)
			out.Items = append(out.Items, prompts.ChosenItem{Item: item, Codes: []prompts.ChosenCode{}})
		}
		out.Items[i].Codes = append(out.Items[i].Codes, code)
		if k.Code == known.First || out.First == 0 && !k.Optional {
			out.First = n
		}
	}
	if n, ok := numbers[known.First]; ok {
		out.First = n
	}
	return out
}

// sibling gives another candidate of the code's category beside it.
func (g Gold) sibling(q Question, number int, code string) (int, bool) {
	for _, it := range q.Items {
		list := q.Under(it)
		if !slices.ContainsFunc(list, func(c Candidate) bool { return c.Number == number }) {
			continue
		}
		for _, c := range list {
			if c.Number != number && len(c.Code) >= 3 && strings.HasPrefix(code, c.Code[:3]) {
				return c.Number, true
			}
		}
	}
	return 0, false
}

// draw is a number from 0 to 1 that depends on its arguments alone.
func (g Gold) draw(what, note, code string) float64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", what, code, note))
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
}

func itemOf(q Question, number int) int {
	for _, it := range q.Items {
		for _, c := range q.Under(it) {
			if c.Number == number {
				return it.Number
			}
		}
	}
	return 0
}

// sectionOf is the number of the section that holds the words, 1 when none does.
func sectionOf(q Question, words string) int {
	for _, s := range q.Sections {
		if strings.Contains(s.Text, words) {
			return s.Number
		}
	}
	return 1
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
