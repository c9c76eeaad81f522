package rank

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"chartcode/internal/coding"
	"chartcode/prompts"
)

// picked are the choices that hold, and which of them is chiefly responsible for
// the encounter; -1 where none was named.
type picked struct {
	list  []pick
	first int
}

// pick is a chosen candidate.
type pick struct {
	cand      int     // of the input's candidates
	stated    float64 // confidence, as the LLM says
	evidence  []coding.Evidence
	rationale string
	assertion coding.Assertion // of the statement
	support   float64          // how well the evidence leads to the code
}

// choose asks about each batch. An answer that chose codes of which none holds
// is no answer.
func (c *chain) choose(ctx context.Context) (picked, error) {
	out := picked{first: -1}
	answers := make([]picked, len(c.batches))
	err := each(ctx, len(c.batches), func(ctx context.Context, i int) error {
		b := c.batches[i]
		p, err := c.cfg.Prompts.Choose.Render(prompts.ChooseData{Note: promptNote(c.in, c.parts[b.part], b.part+1, len(c.parts)), Items: b.items, Tabular: b.tabular})
		if err != nil {
			return fmt.Errorf("rank: %w", err)
		}
		answer, err := c.ask(ctx, p)
		if err != nil {
			return err
		}
		answers[i], err = c.readChosen(b, answer)
		return err
	})
	if err != nil {
		return out, err
	}
	for _, a := range answers {
		if out.first < 0 {
			out.first = a.first
		}
		for _, p := range a.list {
			if !slices.ContainsFunc(out.list, func(o pick) bool { return o.cand == p.cand }) {
				out.list = append(out.list, p)
			}
		}
	}
	if len(out.list) == 0 && c.counts.Chosen > 0 {
		return out, &LLMError{LLMInvalidAnswer}
	}
	return out, nil
}

// chosenCode is prompts.ChosenCode as models write it: numbers may have a
// fraction of zero.
type chosenCode struct {
	Number     float64  `json:"number"`
	Confidence float64  `json:"confidence"`
	Quotes     []string `json:"quotes"`
	Rationale  string   `json:"rationale"`
}

// readChosen keeps the choices that hold.
func (c *chain) readChosen(b *batch, answer json.RawMessage) (picked, error) {
	out := picked{first: -1}
	var list struct {
		Items []json.RawMessage `json:"items"`
		First json.RawMessage   `json:"first"`
	}
	if json.Unmarshal(answer, &list) != nil || list.Items == nil {
		return out, &LLMError{LLMInvalidAnswer}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := map[int]bool{}
	for _, raw := range list.Items {
		var item struct {
			Item  float64           `json:"item"`
			Codes []json.RawMessage `json:"codes"`
		}
		if json.Unmarshal(raw, &item) != nil {
			c.counts.Unreadable++
			continue
		}
		for _, raw := range item.Codes {
			c.counts.Chosen++
			var ch chosenCode
			if json.Unmarshal(raw, &ch) != nil {
				c.counts.Unreadable++
				continue
			}
			n, ok := whole(ch.Number, len(b.offers))
			switch {
			case !ok:
				c.counts.UnknownNumbers++
				continue
			case taken[n]:
				c.counts.RepeatedNumbers++
				continue
			}
			taken[n] = true
			if p, ok := c.hold(&b.offers[n-1], ch); ok {
				out.list = append(out.list, p)
				c.counts.Held++
			} else {
				c.counts.WithoutEvidence++
			}
		}
	}
	var first float64
	if json.Unmarshal(list.First, &first) == nil {
		if n, ok := whole(first, len(b.offers)); ok {
			out.first = b.offers[n-1].cand
		}
	}
	return out, nil
}

// whole is a number from 1 to most.
func whole(x float64, most int) (int, bool) {
	if !(x >= 1 && x <= float64(most)) {
		return 0, false
	}
	n := int(x)
	return n, float64(n) == x
}

// hold looks for words of the note that the choice can stand on: quotes of its
// own, the statement's, and those on which the search for words found the code.
// Where a quote is given that does not hold, what the search found must name the
// code, not only share a word with it: else an invented choice would stand on that.
func (c *chain) hold(o *offered, ch chosenCode) (pick, bool) {
	k := &c.in.Candidates[o.cand]
	p := pick{cand: o.cand, stated: min(max(ch.Confidence, 0.01), 0.99)}
	quoted, named := len(ch.Quotes) > 0, false
	if m := bestMatch(k); m != nil {
		named = m.Lexical >= heldFrom
	}
	// Its own quotes may prove it by any of the statements at which it stands.
	c.finder.backs = func(k *coding.Candidate, at coding.Span) bool {
		return slices.ContainsFunc(o.statements, func(s *statement) bool { return c.backs(s, k, at) })
	}
	for _, e := range c.finder.evidence(k, ch.Quotes, &c.counts) {
		p.put(e)
	}
	var proven, first coding.Assertion // of the statement that proves it, and of the first
	for _, s := range o.statements {
		spans := s.evidence
		switch {
		case (s.words || s.kind == wordsFound) && quoted && !named && len(p.evidence) == 0:
			spans = nil
		case s.words:
			spans = []coding.Span{s.quotes[k.Code]}
		}
		c.finder.backs = func(k *coding.Candidate, at coding.Span) bool { return c.backs(s, k, at) }
		for _, at := range spans {
			if c.finder.holds(k, at, &c.counts) {
				p.put(c.finder.at(at))
			}
		}
		if !s.words {
			first = cmp.Or(first, s.assertion)
			if slices.ContainsFunc(s.evidence, func(at coding.Span) bool {
				return slices.ContainsFunc(p.evidence, func(e coding.Evidence) bool { return e.Overlaps(at) })
			}) {
				proven = cmp.Or(proven, s.assertion)
			}
		}
	}
	p.assertion = cmp.Or(proven, first, coding.Present)
	if len(p.evidence) == 0 { // what the LLM quoted does not hold; what the search found may
		for _, e := range evidence(c.in.Doc, k.Grounds, shownFrom) {
			if !c.finder.toModel(e.Span) && named {
				p.put(e)
			}
		}
	}
	for _, e := range p.evidence {
		for _, s := range o.statements {
			p.support = max(p.support, c.support(s, k, e.Span))
		}
	}
	if p.rationale = oneSentence(ch.Rationale); p.rationale == "" || speaksToProgram(p.rationale) {
		p.rationale = rationale(k)
	}
	return p, len(p.evidence) > 0
}

func (p *pick) put(e coding.Evidence) {
	if len(p.evidence) < evidenceKept && !slices.ContainsFunc(p.evidence, func(o coding.Evidence) bool { return o.Overlaps(e.Span) }) {
		p.evidence = append(p.evidence, e)
	}
}

const rationaleRunes = 300

// oneSentence makes a line of what a model wrote, of bounded length.
func oneSentence(s string) string { return oneLine(s, rationaleRunes) }

// oneLine puts words on one line of at most so many characters, without marks
// that nobody sees.
func oneLine(s string, most int) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if r := []rune(s); len(r) > most {
		s = strings.TrimSpace(string(r[:most-1])) + "…"
	}
	return s
}
