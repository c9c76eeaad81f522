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
	doc    *coding.Document
	folded string
	starts []int // of each byte of folded: where its rune starts in the text
	ends   []int // and ends
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
	keep := func(s coding.Span) {
		if len(out) < evidenceKept && !slices.ContainsFunc(out, func(e coding.Evidence) bool { return e.Overlaps(s) }) {
			out = append(out, coding.Evidence{Span: s, Text: f.doc.Text[s.Start:s.End]})
		}
	}
	for _, quote := range quotes {
		spans := f.locate(c, quote)
		if len(spans) == 0 {
			if s, ok := f.reformatted(c, quote); ok {
				counts.QuotesReformatted++
				keep(s)
			} else {
				counts.QuotesMissing++
			}
			continue
		}
		supported := false
		for _, s := range spans {
			if f.supports(c, s) {
				supported = true
				keep(s)
			}
		}
		switch {
		case !supported:
			counts.QuotesUnsupported++
		case len(spans) == 1 && f.doc.Text[spans[0].Start:spans[0].End] == strings.TrimSpace(quote):
			counts.QuotesExact++
		default:
			counts.QuotesTolerant++
		}
	}
	return out
}

// locate finds a quote; one with words left out (a ... b) gives a place for each
// part, all of which must be there in this order. nil means that it is not in
// the note, or nothing that could be evidence.
func (f *quoteFinder) locate(c *coding.Candidate, quote string) []coding.Span {
	q, _, _ := fold(quote)
	q = strings.Trim(q, " \"'`.,;:")
	if len(q) > longestQuote {
		return nil
	}
	if s, ok := f.best(c, q, 0); ok {
		return []coding.Span{s}
	}
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
		s, ok := f.best(c, part, from)
		if !ok {
			return nil
		}
		from = s.End
		spans = append(spans, s)
	}
	return spans
}

// best gives the place of a folded quote, at or after byte from of the text:
// of several one that supports the candidate, else the first.
func (f *quoteFinder) best(c *coding.Candidate, q string, from int) (coding.Span, bool) {
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
		if f.supports(c, s) {
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
	switch a := f.doc.AssertionOf(s); {
	case family:
		return a != coding.Negated
	case a == coding.Family:
		return false
	default:
		return stated(a) || c.Code[0] == 'Z'
	}
}

// reformatted falls back to the words that retrieval found, for a quote that is
// not in the note but made of the words of the very sentence they stand in.
func (f *quoteFinder) reformatted(c *coding.Candidate, quote string) (coding.Span, bool) {
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
