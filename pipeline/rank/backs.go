package rank

import (
	"slices"
	"strings"
	"sync"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// A model can quote words that are in the note and have nothing to do with the
// code. Here it is checked that the words lead to the code by some way that does
// not come from the model: what the search for words found, words that the code's
// titles share, abbreviations and words of the same meaning, measurements, phrases
// of the conventions. It is generous: a clinician's paraphrase shares one word with
// the title, or was found by vectors; one shared word is enough, unless it is a word
// of grammar, of the apparatus, or one that many names have.

const (
	leadsFrom   = 0.35 // how well the quote must lead to the code itself
	besideFrom  = 0.45 // or to another code of its category
	withContext = 2    // shared words, the sentence's included, where the quote has only general ones
)

// backs reports whether the words at s lead to candidate k of a statement.
func (c *chain) backs(s *statement, k *coding.Candidate, at coding.Span) bool {
	return c.support(s, k, at) > 0
}

// How well words lead to a code where no search tells: by one word that they share,
// and by general ones.
const (
	byOneWord = 0.5
	byGeneral = 0.25
)

// support is how well the words at s lead to candidate k of a statement, from 0 (not
// at all) to 1.
func (c *chain) support(s *statement, k *coding.Candidate, at coding.Span) float64 {
	best := 0.0
	for i := range k.Matches {
		if m := &k.Matches[i]; m.Span.Overlaps(at) {
			switch {
			case m.Kind == termPurpose:
				return 1
			case m.Lexical >= leadsFrom || m.Dense >= leadsFrom:
				best = max(best, m.Lexical, m.Dense)
			}
		}
	}
	if slices.ContainsFunc(s.evidence, func(e coding.Span) bool { return e.Overlaps(at) }) {
		for _, f := range s.found {
			if f.Code == k.Code && f.ByQuote >= leadsFrom || coding.Category(f.Code) == coding.Category(k.Code) && f.ByQuote >= besideFrom {
				best = max(best, f.ByQuote)
			}
		}
	}
	if c.measured(k.Code, at) || c.conventional(k.Code, at) || implies(c.in.Doc.Text[at.Start:at.End], k.Code) {
		return 1
	}
	terms := c.termWords(k)
	telling, general := shared(c.in.Doc, at, k.Code, terms)
	best = max(best, min(1, byOneWord*float64(telling)))
	if general >= withContext {
		best = max(best, byGeneral)
	}
	if i := c.in.Doc.SentenceAt(at.Start); best == 0 && i >= 0 && general > 0 {
		telling, general = shared(c.in.Doc, c.in.Doc.Sentences[i].Span, k.Code, terms)
		if telling+general >= withContext {
			best = byGeneral
		}
	}
	return best
}

// termWords are the norms of the code's title, of those above it, and of the terms
// that led to it.
func (c *chain) termWords(k *coding.Candidate) map[string]bool {
	out := map[string]bool{}
	add := func(text string) {
		for _, w := range lexicon.Norms(text) {
			out[w] = true
			for _, e := range lexicon.Equivalents(w) {
				out[e.Norm] = true
			}
		}
	}
	add(k.Display)
	for i := range k.Matches {
		if k.Matches[i].Kind != termPurpose {
			add(k.Matches[i].Term)
		}
	}
	if c.in.Table != nil {
		for code, n := k.Code, 0; n < 6; n++ {
			row, ok := c.in.Table.Lookup(code)
			if !ok {
				break
			}
			add(row.Title)
			if code = row.Parent; code == "" {
				break
			}
		}
	}
	return out
}

// shared counts the words at s that state something of the patient (of "cough
// without fever" those of cough) and that the terms have, themselves, written out or
// by words of the same meaning: those that tell, and those that many names have.
// Codes of statuses and families live on what is denied or another's.
func shared(doc *coding.Document, s coding.Span, code string, terms map[string]bool) (telling, general int) {
	text := doc.Text[s.Start:s.End]
	toks := lexicon.Tokenize(text)
	if code[0] != 'Z' {
		toks = slices.DeleteFunc(toks, func(t lexicon.Token) bool {
			at := coding.Span{Start: s.Start + t.Start, End: s.Start + t.End}
			return slices.ContainsFunc(doc.Scopes, func(sc coding.Scope) bool { return sc.Overlaps(at) && !stated(sc.Assertion) })
		})
	}
	tells, isGeneral := map[string]bool{}, map[string]bool{} // by the word that stands there
	count := func(word string, norms ...string) {
		for _, n := range norms {
			switch {
			case !terms[n] || lexicon.IsStop(n) || apparatus[n]:
			case genericNorms()[n] || genericNorms()[word]:
				isGeneral[word] = true
			default:
				tells[word] = true
			}
		}
	}
	for i := range toks {
		t := &toks[i]
		if t.Kind == lexicon.Punct {
			continue
		}
		count(t.Norm, t.Norm)
		for _, e := range lexicon.Equivalents(t.Norm) {
			count(t.Norm, e.Norm)
		}
		for _, e := range lexicon.Readings(t.Lower) {
			for _, n := range e.Norms {
				count(n, n)
			}
		}
	}
	for _, e := range lexicon.Expand(text, toks, func(int) coding.SectionKind { return doc.SectionAt(s.Start) }) {
		for _, n := range e.Norms {
			count(n, n)
		}
	}
	return len(tells), len(isGeneral)
}

// apparatus are words of titles that say how a code stands to its neighbours.
var apparatus = wordSet(`unspecified other specified nos nec elsewhere classified site type initial subsequent encounter sequela
	and or not of the in with without to by due condition left right bilateral both current long term use status personal history
	family part stage grade mild moderate severe routine healing for on at a an patient person 1 2 3 4 5 6 7 8 9 0`)

// genericNorms are genericWords as the lexicon compares words.
var genericNorms = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for w := range genericWords {
		for _, n := range lexicon.Norms(w) {
			out[n] = true
		}
	}
	return out
})

// measures says which measurement proves which codes.
var measures = []struct {
	fact  coding.FactKind
	codes []string
}{
	{coding.FactBMI, []string{"Z68", "E66", "R63", "E43", "E44", "E46"}},
	{coding.FactBloodPressure, []string{"I10", "I11", "I12", "I13", "I15", "I16", "R03", "I95"}},
	{coding.FactHbA1c, []string{"E08", "E09", "E10", "E11", "E13", "R73"}},
	{coding.FactGlucose, []string{"E08", "E09", "E10", "E11", "E13", "R73", "E16", "P70"}},
	{coding.FactEGFR, []string{"N18", "N17", "N19", "I12", "I13", "E08.22", "E09.22", "E10.22", "E11.22", "E13.22"}},
	{coding.FactEF, []string{"I50", "I42", "I25.5", "I11", "I13"}},
	{coding.FactGestation, []string{"Z3A", "O", "Z34", "P07"}},
	{coding.FactPackYears, []string{"F17", "Z87.891", "Z72.0"}},
	{coding.FactSpO2, []string{"J96", "R09.02", "J80"}},
	{coding.FactTemperature, []string{"R50", "A40", "A41", "R65"}},
}

// measured reports whether a measurement at s proves the code.
func (c *chain) measured(code string, s coding.Span) bool {
	for _, f := range c.in.Doc.Facts {
		if !f.Overlaps(s) {
			continue
		}
		for _, m := range measures {
			if m.fact == f.Kind && slices.ContainsFunc(m.codes, func(p string) bool { return strings.HasPrefix(code, p) }) {
				return true
			}
		}
	}
	return false
}

// conventional reports whether the conventions give the code where a phrase at s
// is said.
func (c *chain) conventional(code string, s coding.Span) bool {
	text := c.in.Doc.Text[s.Start:s.End]
	for _, r := range conventions() {
		stem, _, _ := strings.Cut(r.gives, "{")
		if stem == "" || stem == "b" || r.absent || strings.HasPrefix(stem, "=") || !strings.HasPrefix(code, stem) {
			continue
		}
		if slices.ContainsFunc(r.words, func(w string) bool { return indexFold(text, w) >= 0 }) {
			return true
		}
	}
	return false
}
