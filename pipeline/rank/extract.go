package rank

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"chartcode/internal/coding"
	"chartcode/prompts"
)

// statement is what the note says of one thing that may be coded, with the codes
// that it may lead to.
type statement struct {
	part        int
	words       bool // candidates of a search for words, which share no statement
	description string
	kind        string
	assertion   coding.Assertion
	evidence    []coding.Span // where the quote stands; none where it was not found
	found       []coding.Found
	quotes      map[string]coding.Span // by code, of words
}

const (
	mostStatements     = 150 // of one note: far more than any note states
	longestDescription = 240 // characters
)

// extract asks about each part what it states.
func (c *chain) extract(ctx context.Context) error {
	lists := make([][]*statement, len(c.parts))
	err := each(ctx, len(c.parts), func(ctx context.Context, i int) error {
		p, err := c.cfg.Prompts.Extract.Render(prompts.ExtractData{Note: promptNote(c.in, c.parts[i], i+1, len(c.parts))})
		if err != nil {
			return fmt.Errorf("rank: %w", err)
		}
		answer, err := c.ask(ctx, p)
		if err != nil {
			return err
		}
		lists[i], err = c.readExtracted(i, answer)
		return err
	})
	if err != nil {
		return err
	}
	for _, list := range lists {
		for _, s := range list {
			switch {
			case slices.ContainsFunc(c.statements, s.repeats):
			case len(c.statements) == mostStatements:
				c.counts.OverLimit++
			default:
				c.statements = append(c.statements, s)
			}
		}
	}
	c.counts.Statements = len(c.statements)
	return nil
}

// repeats reports whether another statement says the same of the same words.
func (s *statement) repeats(o *statement) bool {
	if !strings.EqualFold(s.description, o.description) || len(s.evidence) == 0 || len(o.evidence) == 0 {
		return strings.EqualFold(s.description, o.description) && s.assertion == o.assertion
	}
	return s.evidence[0].Overlaps(o.evidence[0])
}

// readExtracted keeps what can be looked up. Statements whose quote is not in the
// note are kept without evidence: what is chosen for them must bring its own.
func (c *chain) readExtracted(number int, answer json.RawMessage) ([]*statement, error) {
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	if json.Unmarshal(answer, &list) != nil || list.Items == nil {
		return nil, &LLMError{LLMInvalidAnswer}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Extracted += len(list.Items)
	if len(list.Items) > mostStatements {
		c.counts.OverLimit += len(list.Items) - mostStatements
		list.Items = list.Items[:mostStatements]
	}
	var out []*statement
	for _, raw := range list.Items {
		var it struct {
			Description string  `json:"description"`
			Quote       string  `json:"quote"`
			Section     float64 `json:"section"`
			Kind        string  `json:"kind"`
			Assertion   string  `json:"assertion"`
		}
		if json.Unmarshal(raw, &it) != nil {
			c.counts.Unreadable++
			continue
		}
		s := &statement{part: number, kind: kindOf(it.Kind), assertion: assertionOf(it.Assertion), description: c.describe(it.Description)}
		if s.assertion == coding.Negated || s.assertion == coding.Hypothetical {
			if s.kind == "condition" || s.kind == "symptom" || s.kind == "external cause" {
				c.counts.Denied++
				continue
			}
		}
		s.evidence = c.locate(it.Quote, c.section(number, it.Section))
		if len(s.evidence) == 0 {
			c.counts.NotLocated++
		}
		if s.description == "" && len(s.evidence) == 0 {
			continue
		}
		out = append(out, s)
	}
	return out, nil
}

// describe makes a line of a model's description; one that speaks to a program
// or names codes is none.
func (c *chain) describe(s string) string {
	s = oneLine(s, longestDescription)
	if speaksToProgram(s) {
		return ""
	}
	return strings.NewReplacer("|", "/", "\"", "'").Replace(s)
}

func kindOf(s string) string {
	switch s {
	case "condition", "symptom", "status", "history", "procedure":
		return s
	case "reason_for_visit":
		return "reason for visit"
	case "external_cause":
		return "external cause"
	}
	return "condition"
}

func assertionOf(s string) coding.Assertion {
	switch a := coding.Assertion(s); a {
	case coding.Negated, coding.Possible, coding.Historical, coding.Family, coding.Hypothetical:
		return a
	}
	return coding.Present
}

// section is the span of a numbered section of a part; the part's where there is
// no such number.
func (c *chain) section(number int, section float64) coding.Span {
	p := c.parts[number]
	if i := int(section) - 1; float64(i+1) == section && i >= 0 && i < len(p.pieces) {
		return p.pieces[i].Span
	}
	return p.span()
}

// locate finds a quote of a statement, first within the span that it is said to
// stand in. Text that speaks to a program is no place.
func (c *chain) locate(quote string, within coding.Span) []coding.Span {
	spans, how := c.finder.find(quote, func(s coding.Span) bool { return within.Contains(s) && !c.finder.toModel(s) })
	if slices.ContainsFunc(spans, c.finder.toModel) {
		c.counts.QuotesAddressed++
		return nil
	}
	c.counts.located(how)
	return spans
}

// lookUp finds the candidates of the statements.
func (c *chain) lookUp(ctx context.Context) error {
	c.index()
	queries := make([]coding.Lookup, len(c.statements))
	for i, s := range c.statements {
		queries[i].Description = s.description
		if len(s.evidence) > 0 {
			queries[i].Quote = s.evidence[0]
		}
	}
	found := make([][]coding.Found, len(queries))
	if c.in.Beside.Finder != nil && len(queries) > 0 {
		var err error
		if found, err = c.in.Beside.Finder.Find(ctx, c.in.Doc, queries, c.cfg.PerItem); err != nil {
			return fmt.Errorf("look up statements: %w", err)
		}
	}
	for i, s := range c.statements {
		s.found = c.join(s, found[i])
	}
	return nil
}

// index notes where each code stands among the candidates.
func (c *chain) index() {
	c.known = make(map[string]int, len(c.in.Candidates))
	c.in.Candidates = slices.Clip(c.in.Candidates)
	for i := range c.in.Candidates {
		c.known[c.in.Candidates[i].Code] = i
	}
}

// localKept is how many candidates that the search for words found on a
// statement's own words are among its own.
const localKept = 3

// join puts the candidates that the search for words found on the same words
// among those that were looked up.
func (c *chain) join(s *statement, found []coding.Found) []coding.Found {
	have := func(list []coding.Found, code string) bool {
		return slices.ContainsFunc(list, func(f coding.Found) bool { return f.Code == code })
	}
	var local []coding.Found
	for i := range c.in.Candidates {
		if len(local) == localKept {
			break
		}
		k := &c.in.Candidates[i]
		if m := bestMatch(k); m != nil && stated(m.Assertion) && !have(local, k.Code) &&
			slices.ContainsFunc(s.evidence, func(e coding.Span) bool { return e.Overlaps(m.Span) }) {
			local = append(local, coding.Found{Candidate: *k, ByQuote: max(m.Lexical, m.Dense)})
		}
	}
	first := min(len(found), max(1, c.cfg.PerItem-localKept))
	out := slices.Clone(found[:first])
	for _, list := range [][]coding.Found{local, found[first:]} {
		for _, f := range list {
			if len(out) < c.cfg.PerItem && !have(out, f.Code) {
				out = append(out, f)
			}
		}
	}
	return out
}
