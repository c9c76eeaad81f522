package lexicon

import (
	"sort"
	"strings"

	"chartcode/internal/coding"
)

// Expansion says that the tokens First (inclusive) to Last (exclusive) may be
// read as Text, whose words have the norms Norms. Weight is how sure the
// reading is, 0..1; the readings of one abbreviation sum to at most 1.
type Expansion struct {
	First, Last int
	Text        string
	Norms       []string
	Weight      float64
	Phrase      bool // an everyday phrase rather than an abbreviation
}

// leastWeight is the weight under which a reading is not given: it would add
// wrong words to the text more often than right ones.
const leastWeight = 0.25

// Expand finds abbreviations and everyday phrases in text, whose tokens are
// toks, and gives what they stand for, in order of First. An abbreviation that
// the text itself spells out, as in "multiple sclerosis (MS)", has that reading
// throughout. Ambiguous ones are decided by the words around them, elsewhere in
// the text, and by the section that section gives for a byte offset; section may
// be nil. toks should be of the whole note.
func Expand(text string, toks []Token, section func(at int) coding.SectionKind) []Expansion {
	e := expander{text: text, toks: toks, section: section}
	e.findDefined()
	table, ph := abbreviations(), phrases()
	var out []Expansion
	for i := range toks {
		t := &toks[i]
		if t.Kind == Punct {
			continue
		}
		if long, ok := e.defined[text[t.Start:t.End]]; ok {
			out = append(out, Expansion{First: i, Last: i + 1, Text: long, Norms: Norms(long), Weight: 0.98})
		} else if rs := table[t.Lower]; rs != nil {
			out = e.abbreviation(out, i, rs)
		} else if n := len(t.Lower); n > 2 && t.Lower[n-1] == 's' && isUpperASCII(text[t.Start:t.End-1]) && text[t.End-1] == 's' {
			out = e.abbreviation(out, i, table[t.Lower[:n-1]]) // DVTs
		}
		for _, r := range ph[t.Norm] {
			if last := e.matchNorms(i, r.pattern); last > 0 {
				out = append(out, Expansion{First: i, Last: last, Text: r.text, Norms: r.norms, Weight: r.weight, Phrase: true})
			}
		}
	}
	sort.SliceStable(out, func(a, b int) bool {
		return out[a].First < out[b].First || out[a].First == out[b].First && out[a].Weight > out[b].Weight
	})
	return out
}

// Readings gives all that an abbreviation of one word may stand for, surest
// first, however it is written: for who asks about it without a text around it.
// First is 0 and Last 1.
func Readings(short string) []Expansion {
	var out []Expansion
	for _, r := range abbreviations()[foldLower(short)] {
		if len(r.pattern) == 1 {
			out = append(out, Expansion{Last: 1, Text: r.text, Norms: r.norms, Weight: r.weight})
		}
	}
	sort.SliceStable(out, func(a, b int) bool { return out[a].Weight > out[b].Weight })
	return out
}

type expander struct {
	text    string
	toks    []Token
	section func(at int) coding.SectionKind
	defined map[string]string // abbreviations that the text spells out itself
	all     map[string]bool   // norms of the whole text, built when first needed
}

// abbreviation appends the readings rs of the abbreviation at token i that are
// likely enough.
func (e *expander) abbreviation(out []Expansion, i int, rs []*reading) []Expansion {
	type scored struct {
		r    *reading
		last int
		w    float64
	}
	var buf [6]scored
	found := buf[:0]
	longest := 0
	for _, r := range rs {
		last := e.matchLower(i, r.pattern)
		if last == 0 || !e.caseFits(i, last, r) {
			continue
		}
		w := r.weight
		if r.context != nil {
			hits := e.contextHits(i, last, r)
			if hits == 0 && r.rule == caseWord && e.inCapitals(i) {
				continue
			}
			w = evidence(w, hits)
		} else if r.rule == caseWord && e.inCapitals(i) {
			continue
		}
		longest = max(longest, last)
		found = append(found, scored{r, last, w})
	}
	// Written exactly so (PsA), it is not another one in other case (PSA).
	raw := e.text[e.toks[i].Start:e.toks[i].End]
	for _, f := range found {
		if f.r.written == raw {
			keep := found[:0]
			for _, g := range found {
				if strings.EqualFold(g.r.written, raw) == (g.r.written == raw) {
					keep = append(keep, g)
				}
			}
			found = keep
			break
		}
	}
	// A longer pattern (LE edema) leaves no room for a shorter one (LE).
	sum := 0.0
	for _, f := range found {
		if f.last == longest {
			sum += f.w
		}
	}
	for _, f := range found {
		if f.last != longest {
			continue
		}
		if sum > 1 {
			f.w /= sum
		}
		if f.w >= leastWeight {
			out = append(out, Expansion{First: i, Last: f.last, Text: f.r.text, Norms: f.r.norms, Weight: f.w})
		}
	}
	return out
}

// evidence raises the odds of a prior by a factor of four for each unit of
// context found, and halves them when there is none.
func evidence(prior, hits float64) float64 {
	odds := prior / (1 - min(prior, 0.99))
	if hits == 0 {
		odds /= 2
	}
	for ; hits > 0; hits -= 0.5 {
		odds *= 2
	}
	return odds / (1 + odds)
}

// contextHits counts the reading's context words: 1 for each within 15 tokens,
// a half for each elsewhere in the text, 1 for a fitting section; at most 3.
func (e *expander) contextHits(first, last int, r *reading) float64 {
	hits := 0.0
	near := make(map[string]bool, 4)
	for j := max(0, first-15); j < min(len(e.toks), last+15); j++ {
		if n := e.toks[j].Norm; (j < first || j >= last) && r.context[n] && !near[n] {
			near[n] = true
			hits++
		}
	}
	if e.all == nil {
		e.all = make(map[string]bool, len(e.toks)/2)
		for _, t := range e.toks {
			e.all[t.Norm] = true
		}
	}
	for n := range r.context {
		if !near[n] && e.all[n] {
			hits += 0.5
		}
	}
	if r.sections != nil && e.section != nil && r.sections[string(e.section(e.toks[first].Start))] {
		hits++
	}
	return min(hits, 3)
}

// matchLower reports where the pattern of lower-case tokens that begins at
// token i ends; 0 when it does not match. The first token may have a plural s.
func (e *expander) matchLower(i int, pattern []string) int {
	if len(e.toks)-i < len(pattern) {
		return 0
	}
	for k, p := range pattern {
		t := e.toks[i+k]
		if t.Lower != p && (len(pattern) > 1 || t.Lower != p+"s") {
			return 0
		}
		if k > 0 && t.Start-e.toks[i+k-1].End > 1 {
			return 0
		}
	}
	return i + len(pattern)
}

func (e *expander) matchNorms(i int, pattern []string) int {
	if len(e.toks)-i < len(pattern) {
		return 0
	}
	for k, p := range pattern {
		if e.toks[i+k].Norm != p {
			return 0
		}
	}
	return i + len(pattern)
}

// caseFits applies the case rule of a reading to tokens i..last.
func (e *expander) caseFits(i, last int, r *reading) bool {
	if r.rule == caseAny {
		return true
	}
	raw := e.text[e.toks[i].Start:e.toks[last-1].End]
	raw = strings.TrimSuffix(raw, "'s")
	if raw == r.written || raw == r.written+"s" {
		return true
	}
	// Mixed case (vWD, HbA1c) may be written in capitals; a capital with a
	// small letter (Ca, Rt) may not: CA is another abbreviation.
	return len(r.written) > 2 && raw == strings.ToUpper(r.written)
}

// inCapitals reports whether the words around token i are written in capitals,
// so that capitals tell nothing.
func (e *expander) inCapitals(i int) bool {
	upper, lower := 0, 0
	for j := max(0, i-5); j < min(len(e.toks), i+6); j++ {
		t := &e.toks[j]
		if j == i || t.Kind != Word || t.End-t.Start < 4 {
			continue
		}
		if isUpperASCII(e.text[t.Start:t.End]) {
			upper++
		} else {
			lower++
		}
	}
	return upper > lower
}

func isUpperASCII(s string) bool {
	letter := false
	for i := 0; i < len(s); i++ {
		if s[i] >= 'a' && s[i] <= 'z' {
			return false
		}
		letter = letter || s[i] >= 'A' && s[i] <= 'Z'
	}
	return letter
}

// findDefined collects abbreviations that the text spells out: the letters of
// "(MS)" are the initials of the words before it, small words left out or not.
// The idea is that of Schwartz and Hearst (PSB 2003), with initials only.
func (e *expander) findDefined() {
	for i := 1; i+1 < len(e.toks); i++ {
		if e.toks[i-1].Lower != "(" || e.toks[i+1].Lower != ")" || e.toks[i].Kind != Word {
			continue
		}
		short := e.text[e.toks[i].Start:e.toks[i].End]
		if len(short) < 2 || len(short) > 7 || !isUpperASCII(short) || !allLetters(short) {
			continue
		}
		if first := e.initials(i-2, e.toks[i].Lower); first >= 0 {
			if e.defined == nil {
				e.defined = make(map[string]string)
			}
			e.defined[short] = e.text[e.toks[first].Start:e.toks[i-2].End]
		}
	}
}

// initials walks back from token i over the words whose initials spell letters
// and gives the first of them, or -1.
func (e *expander) initials(i int, letters string) int {
	k := len(letters) - 1
	for ; i >= 0; i-- {
		t := &e.toks[i]
		switch {
		case t.Kind == Punct && t.Lower == "-":
		case t.Kind != Word:
			return -1
		case t.Lower[0] == letters[k]:
			if k == 0 {
				return i
			}
			k--
		case !smallWords[t.Lower]:
			return -1
		}
	}
	return -1
}

var smallWords = set("of the and in with for to a an on by")

func allLetters(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isASCIILetter(s[i]) {
			return false
		}
	}
	return true
}
