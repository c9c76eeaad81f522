package rank

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"chartcode/internal/coding"
)

const (
	longestQuote    = 600 // bytes; more is no evidence that a coder could check at a glance
	shortestQuote   = 2   // letters and digits
	occurrencesRead = 50
	sameWords       = 0.8 // share of a quote's words that its sentence must hold
)

// quoteFinder locates quotes in one note. Models change white space, case,
// dashes and quotation marks when they copy; both sides are brought to one form
// and the place found there is mapped back to bytes of the text.
type quoteFinder struct {
	doc       *coding.Document
	addressed []coding.Span // text that speaks to a program
	// backs reports whether words lead to a candidate; nil: all do.
	backs func(c *coding.Candidate, s coding.Span) bool

	folded string
	starts []int // of each byte of folded: where its rune starts in the text
	ends   []int // and ends
}

// how a quote was found.
type how int

const (
	missing     how = iota
	exact           // letter by letter
	tolerant        // but for white space, case, dashes or quotation marks
	near            // but for some letters
	reformatted     // its words stand in one sentence
)

func (n *LLMCounts) located(h how) {
	switch h {
	case missing:
		n.QuotesMissing++
	case exact:
		n.QuotesExact++
	case tolerant:
		n.QuotesTolerant++
	case near:
		n.QuotesNear++
	case reformatted:
		n.QuotesReformatted++
	}
}

func newQuoteFinder(doc *coding.Document) *quoteFinder {
	f := &quoteFinder{doc: doc}
	f.folded, f.starts, f.ends = fold(doc.Text)
	return f
}

// fold gives the form in which quotes are compared.
func fold(text string) (folded string, starts, ends []int) {
	out := make([]byte, 0, len(text))
	starts, ends = make([]int, 0, len(text)), make([]int, 0, len(text))
	for i, r := range text {
		if r < utf8.RuneSelf && !unicode.IsSpace(r) {
			out = append(out, byte(unicode.ToLower(r)))
			starts, ends = append(starts, i), append(ends, i+1)
			continue
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		form := foldRune(r)
		if form == " " && len(out) > 0 && out[len(out)-1] == ' ' {
			ends[len(ends)-1] = i + size
			continue
		}
		for k := 0; k < len(form); k++ {
			out = append(out, form[k])
			starts, ends = append(starts, i), append(ends, i+size)
		}
	}
	return string(out), starts, ends
}

// foldRune is for white space and what is not ASCII.
func foldRune(r rune) string {
	if unicode.IsSpace(r) {
		return " "
	}
	switch r {
	case '‐', '‑', '‒', '–', '—', '―', '−', '﹣', '－':
		return "-"
	case '‘', '’', '‚', '‛', '′', '´':
		return "'"
	case '“', '”', '„', '‟', '″', '«', '»':
		return `"`
	case '…':
		return "..."
	case '\u00ad', '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff': // soft hyphen, zero width
		return ""
	}
	return string(unicode.ToLower(r))
}

// evidence gives the places of the quotes that state the candidate of the
// patient, at most evidenceKept and without overlaps.
func (f *quoteFinder) evidence(c *coding.Candidate, quotes []string, counts *LLMCounts) []coding.Evidence {
	var out []coding.Evidence
	for _, quote := range quotes[:min(len(quotes), quotesRead)] {
		spans, h := f.find(quote, func(s coding.Span) bool { return !f.toModel(s) && f.supports(c, s) })
		if len(spans) == 0 {
			s, ok := f.ofMatch(c, quote)
			if !ok {
				counts.QuotesMissing++
				continue
			}
			spans, h = []coding.Span{s}, reformatted
		}
		held := false
		for _, s := range spans {
			if !f.holds(c, s, counts) {
				continue
			}
			held = true
			if len(out) < evidenceKept && !slices.ContainsFunc(out, func(e coding.Evidence) bool { return e.Overlaps(s) }) {
				out = append(out, f.at(s))
			}
		}
		if held {
			counts.located(h)
		}
	}
	return out
}

// quotesRead bounds the quotes of one choice that are looked for.
const quotesRead = 8

func (f *quoteFinder) at(s coding.Span) coding.Evidence {
	return coding.Evidence{Span: s, Text: f.doc.Text[s.Start:s.End]}
}

// holds reports whether words of the note are evidence of a candidate, and
// counts why not.
func (f *quoteFinder) holds(c *coding.Candidate, s coding.Span, counts *LLMCounts) bool {
	switch {
	case s.Len() <= 0:
		return false
	case f.toModel(s):
		counts.QuotesAddressed++
		return false
	case !f.supports(c, s):
		counts.QuotesUnsupported++
		return false
	case f.backs != nil && !f.backs(c, s):
		counts.QuotesUnrelated++
		return false
	}
	return true
}

// toModel reports whether the words touch text that speaks to a program.
func (f *quoteFinder) toModel(s coding.Span) bool {
	return slices.ContainsFunc(f.addressed, func(a coding.Span) bool { return a.Overlaps(s) })
}

// find locates a quote; one with words left out (a ... b) gives a place for each
// part, all of which must be there in this order. Of several places the first
// that good likes is taken. No place means that it is not in the note, or nothing
// that could be evidence.
func (f *quoteFinder) find(quote string, good func(coding.Span) bool) ([]coding.Span, how) {
	if len(quote) > 2*longestQuote {
		return nil, missing
	}
	q, _, _ := fold(quote)
	q = strings.Trim(q, " \"'`.,;:")
	if len(q) > longestQuote {
		return nil, missing
	}
	if s, ok := f.best(q, 0, good); ok {
		if f.doc.Text[s.Start:s.End] == strings.TrimSpace(quote) {
			return []coding.Span{s}, exact
		}
		return []coding.Span{s}, tolerant
	}
	if spans := f.inParts(q, good); spans != nil {
		return spans, tolerant
	}
	if s, ok := f.alike(q); ok {
		return []coding.Span{s}, near
	}
	if s, ok := f.scattered(q); ok {
		return []coding.Span{s}, reformatted
	}
	return nil, missing
}

// inParts finds a quote with words left out.
func (f *quoteFinder) inParts(q string, good func(coding.Span) bool) []coding.Span {
	parts := strings.Split(q, "...")
	if len(parts) < 2 {
		return nil
	}
	var spans []coding.Span
	from := 0
	for _, part := range parts {
		part = strings.Trim(part, " \"'`.,;:[]")
		if part == "" {
			continue
		}
		s, ok := f.best(part, from, good)
		if !ok {
			return nil
		}
		from = s.End
		spans = append(spans, s)
	}
	return spans
}

// best gives the place of a folded quote, at or after byte from of the text:
// of several one that good likes, else the first.
func (f *quoteFinder) best(q string, from int, good func(coding.Span) bool) (coding.Span, bool) {
	if lettersAndDigits(q) < shortestQuote {
		return coding.Span{}, false
	}
	var first coding.Span
	found := false
	for at, n := 0, 0; n < occurrencesRead; {
		i := strings.Index(f.folded[at:], q)
		if i < 0 {
			break
		}
		i += at
		at = i + 1
		if !wholeWords(f.folded, i, i+len(q)) || f.starts[i] < from {
			continue
		}
		n++
		s := coding.Span{Start: f.starts[i], End: f.ends[i+len(q)-1]}
		if good(s) {
			return s, true
		}
		if !found {
			first, found = s, true
		}
	}
	return first, found
}

// wholeWords reports whether text[i:j] neither begins nor ends within a word.
func wholeWords(text string, i, j int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:i])
	head, _ := utf8.DecodeRuneInString(text[i:])
	tail, _ := utf8.DecodeLastRuneInString(text[:j])
	after, _ := utf8.DecodeRuneInString(text[j:])
	return !(i > 0 && wordRune(before) && wordRune(head)) && !(j < len(text) && wordRune(tail) && wordRune(after))
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func lettersAndDigits(s string) (n int) {
	for _, r := range s {
		if wordRune(r) {
			n++
		}
	}
	return n
}

// supports reports whether the words there can stand for the candidate: where
// retrieval found it stated on them, or they are not denied, feared or told of
// somebody else. Codes of statuses and encounters (Z) live on such words
// ("never smoked", "screening for"), codes of family history on the family's.
func (f *quoteFinder) supports(c *coding.Candidate, s coding.Span) bool {
	family := familyCode(c.Code)
	for i := range c.Matches {
		m := &c.Matches[i]
		if m.Span.Overlaps(s) && (stated(m.Assertion) || family && m.Assertion == coding.Family) {
			return true
		}
	}
	for _, sec := range f.doc.Sections {
		if sec.Heading.Contains(s) {
			return false
		}
	}
	switch a := f.assertionOf(s); {
	case family:
		return a != coding.Negated && !f.doc.DeniedAt(s)
	case a == coding.Family:
		return false
	default:
		return stated(a) || c.Code[0] == 'Z'
	}
}

// leastStated is the share of a quote that must lie outside what is denied,
// feared or another's for the rest to state something.
const leastStated = 0.4

// assertionOf is the assertion of a quote: that of its strongest scope, unless a
// good part of it lies outside such scopes ("dementia without behavioral
// disturbance").
func (f *quoteFinder) assertionOf(s coding.Span) coding.Assertion {
	a := f.doc.AssertionOf(s)
	if stated(a) {
		return a
	}
	free := 0
	rest := coding.Present
	for at := s.Start; at < s.End; at++ {
		held := false
		for _, sc := range f.doc.Scopes {
			if sc.Overlaps(s) && (sc.Start <= at && at < sc.End || sc.Cue.Start <= at && at < sc.Cue.End) {
				if !stated(sc.Assertion) {
					held = true
				} else {
					rest = coding.Stronger(rest, sc.Assertion)
				}
			}
		}
		if !held {
			free++
		}
	}
	if float64(free) < leastStated*float64(s.Len()) {
		return a
	}
	return rest
}

// ofMatch falls back to the words that retrieval found, for a quote that is
// not in the note but made of the words of the very sentence they stand in.
func (f *quoteFinder) ofMatch(c *coding.Candidate, quote string) (coding.Span, bool) {
	words := wordsOf(quote)
	if len(words) == 0 || len(quote) > longestQuote {
		return coding.Span{}, false
	}
	for i := range c.Matches {
		m := &c.Matches[i]
		at := f.doc.SentenceAt(m.Span.Start)
		if at < 0 || !f.supports(c, m.Span) {
			continue
		}
		s := f.doc.Sentences[at]
		sentence := wordsOf(f.doc.Text[s.Start:s.End])
		held := 0
		for w := range words {
			if sentence[w] {
				held++
			}
		}
		if float64(held) < sameWords*float64(len(words)) {
			continue
		}
		for w := range wordsOf(f.doc.Text[m.Span.Start:m.Span.End]) {
			if words[w] {
				return m.Span, true
			}
		}
	}
	return coding.Span{}, false
}

// wordsOf are the distinct folded words.
func wordsOf(text string) map[string]bool {
	folded, _, _ := fold(text)
	words := make(map[string]bool)
	for _, w := range strings.FieldsFunc(folded, func(r rune) bool { return !wordRune(r) }) {
		words[w] = true
	}
	return words
}
