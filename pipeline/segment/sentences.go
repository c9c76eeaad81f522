package segment

import (
	"sort"
	"strings"
	"unicode"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// findSentences cuts the bodies of the sections into sentences and list items.
func (r *reader) findSentences() {
	doc := r.doc
	wrap := r.wrapWidth()
	h := 0 // next heading
	for si, sec := range doc.Sections {
		body := sec.Start
		for h < len(r.headings) && r.headings[h].from < sec.Start {
			h++
		}
		if h < len(r.headings) && r.headings[h].from == sec.Start {
			body = r.headings[h].body
		}
		r.sectionSentences(si, body, sec.End, wrap)
	}
	r.sentToks = make([][2]int, len(doc.Sentences))
	for i, s := range doc.Sentences {
		from := r.firstToken(s.Start)
		to := from
		for to < len(r.toks) && r.toks[to].End <= s.End {
			to++
		}
		r.sentToks[i] = [2]int{from, to}
	}
}

// sectionSentences appends the sentences of bytes [body, end).
func (r *reader) sectionSentences(section, body, end, wrap int) {
	first := sort.Search(len(r.lines), func(i int) bool { return r.lines[i].end > body })
	type piece struct {
		start, end int
		item       bool
	}
	var open *piece // a line that may go on in the next
	flush := func() {
		if open != nil {
			r.splitLine(section, open.start, open.end, open.item)
			open = nil
		}
	}
	for k := first; k < len(r.lines) && r.lines[k].start < end; k++ {
		l := r.lines[k]
		s, e := trim(r.text, max(l.start, body), min(l.end, end))
		if s >= e {
			continue
		}
		n, item := 0, false
		if s == l.start {
			n, _ = marker(r.text[s:e])
			if s+n >= e {
				n = 0
			}
			item = n > 0
		} else if k == first && enumerator(r.text[s:e]) > 0 && firstNumber(r.text[s:e]) { // "ASSESSMENT: 1. Gout."
			n = enumerator(r.text[s:e])
			item = true
		}
		if open != nil && !item && !l.blank && r.continues(open.start, open.end, s, l, wrap) {
			open.end = e
			continue
		}
		flush()
		open = &piece{s + n, e, item}
	}
	flush()
}

// firstNumber reports whether s begins with the list number 1 and a word.
func firstNumber(s string) bool {
	n := enumerator(s)
	rest := strings.TrimLeft(s[n:], " \t")
	return atoi(s[:n]) == 1 && rest != "" && isAlpha(rest[0])
}

// wrapWidth gives the width at which the text was wrapped, 0 when it was not:
// most lines that another follows directly end within 15 columns of the widest.
func (r *reader) wrapWidth() int {
	widest, followed := 0, 0
	for k := 0; k+1 < len(r.lines); k++ {
		if l := r.lines[k]; !r.lines[k+1].blank && !r.lines[k+1].comma && !l.comma {
			widest = max(widest, l.end-l.start)
			followed++
		}
	}
	if followed < 6 || widest > 130 || widest < 50 {
		return 0
	}
	near := 0
	for k := 0; k+1 < len(r.lines); k++ {
		if l := r.lines[k]; !r.lines[k+1].blank && widest-(l.end-l.start) <= 15 {
			near++
		}
	}
	if near*2 < followed {
		return 0
	}
	return widest
}

// continues reports whether the line l, whose text begins at s, goes on with
// the sentence of the line before it, bytes [start, end).
func (r *reader) continues(start, end, s int, l line, wrap int) bool {
	last := r.text[end-1]
	if strings.IndexByte(".:;!?", last) >= 0 {
		return false
	}
	c := r.text[s]
	if isLower(c) {
		return true
	}
	if l.comma {
		return false
	}
	if wrap > 0 {
		lineStart := strings.LastIndexByte(r.text[:end], '\n') + 1
		return end-max(start, lineStart) >= wrap-18
	}
	return last == ',' || isDigit(c) && (end-start > 60 || r.dangles(start, end))
}

// dangles reports whether the line of bytes [start, end) ends in a word with
// which no sentence ends.
func (r *reader) dangles(start, end int) bool {
	w := r.text[start:end]
	w = w[strings.LastIndexByte(w, ' ')+1:]
	return dangling[strings.ToLower(w)]
}

var dangling = set("was is were are of with and the or a an at about by than to for from")

// notEnding are abbreviations after whose point a sentence goes on.
var notEnding = set("dr mr mrs ms prof st vs no approx fig cf inc ltd co jr sr ca al dept est hosp lt rt wt ht temp resp vol gr tab tabs cap caps " +
	"inj susp supp pt pts hx dx tx rx max min avg neg pos ext exam eval ref sec min hr hrs wk mo yr")

// starters are words that begin sentences: after an abbreviation with a point,
// one of them in capitals tells that the sentence ended.
var starters = set("the he she his her they their there this that these those it its patient we i a an no on in at after before during upon when while once " +
	"then if as for with otherwise however today plan follow return continue will would has had is was no denies denied reports patient's mr mrs ms dr all our " +
	"she's he's lungs heart abdomen extremities skin neck chest general blood labs")

// longestSentence is the number of tokens after which a sentence is cut: no
// writer means it, and the steps within a sentence may take the square of its
// length.
const longestSentence = 400

// splitLine cuts bytes [start, end) into sentences.
func (r *reader) splitLine(section, start, end int, item bool) {
	from, words := start, 0
	lastNumber := 0
	if item { // the number that marks this item
		lastNumber = numberBefore(r.text, start)
	}
	emit := func(to int) {
		s, e := trim(r.text, from, to)
		if s < e && hasWord(r.text[s:e]) {
			r.doc.Sentences = append(r.doc.Sentences, coding.Sentence{Span: coding.Span{Start: s, End: e}, Section: section, Item: item})
		}
	}
	for i := r.firstToken(start); i < len(r.toks) && r.toks[i].End <= end; i++ {
		t := &r.toks[i]
		// A list number in the middle of a line: "1. Rest. 2. Fluids".
		if t.Start > start && (t.Kind == lexicon.Number || t.Lower == "(") {
			if n := enumerator(r.text[t.Start:end]); n > 0 && r.itemNumber(t.Start, start, end, n, lastNumber) {
				emit(t.Start)
				lastNumber = atoi(r.text[t.Start : t.Start+n])
				from = t.Start + n
				item = true
				i = r.firstToken(from) - 1
				continue
			}
		}
		// A bullet in the middle of a line.
		if t.Start > from && (t.Lower == "•" || t.Lower == "▪" || t.Lower == "●") {
			emit(t.Start)
			from, item = t.End, true
			continue
		}
		if e := r.sentenceEnd(i, end); e > 0 {
			emit(e)
			from, words = e, 0
		} else if words++; words >= longestSentence {
			emit(t.End)
			from, words = t.End, 0
		}
	}
	emit(end)
}

// itemNumber reports whether the number of n bytes at byte at begins a list
// item: it follows the one before it, or begins at 1 after the end of a
// sentence, a colon or two spaces.
func (r *reader) itemNumber(at, from, end, n, last int) bool {
	if at+n >= end {
		return false
	}
	v := atoi(r.text[at : at+n])
	p := at - 1
	for p >= from && isSpace(r.text[p]) {
		p--
	}
	if p < from || p == at-1 && r.text[p] != '.' && r.text[p] != ':' && r.text[p] != ',' {
		return false
	}
	rest := strings.TrimLeft(r.text[at+n:end], " \t")
	if rest == "" || !isAlpha(rest[0]) && rest[0] != '"' {
		return false
	}
	ended := strings.IndexByte(".!?:;", r.text[p]) >= 0 || at-p > 2
	closes := r.text[at+n-1] == ')'
	switch {
	case last > 0 && v == last+1:
		return ended || closes || isUpper(rest[0])
	case v == 1:
		return ended && isUpper(rest[0]) || closes && strings.IndexByte(r.text[at:end], '2') > 0 && strings.Contains(r.text[at:end], "2"+r.text[at+n-1:at+n])
	}
	return ended && isUpper(rest[0]) && v <= 40 && !closes && p >= from && r.text[p] == '.'
}

// sentenceEnd gives the byte after the sentence that token i ends, 0 when it
// ends none.
func (r *reader) sentenceEnd(i, end int) int {
	t := &r.toks[i]
	raw := r.raw(i)
	last := raw[len(raw)-1]
	if last != '.' && last != '!' && last != '?' {
		return 0
	}
	if t.Kind == lexicon.Punct && last == '.' && i+1 < len(r.toks) && r.raw(i+1) == "." {
		return 0 // an ellipsis: at its last point
	}
	to := t.End
	for to < end && strings.IndexByte("\"')]*", r.text[to]) >= 0 {
		to++
	}
	if to >= end {
		return to
	}
	next := to
	for next < end && isSpace(r.text[next]) {
		next++
	}
	if next >= end {
		return to
	}
	c := r.text[next]
	spaced := next > to
	if !spaced {
		// "clear.Heart": a word, a point, a capitalised word.
		if last != '.' || !isUpper(c) || i == 0 || len(r.toks[i-1].Lower) < 3 || r.toks[i-1].Kind != lexicon.Word ||
			r.toks[i-1].End != t.Start || next+1 >= end || !isLower(r.text[next+1]) {
			return 0
		}
		return to
	}
	if isLower(c) {
		// Transcribers do forget the capital; after two spaces it is one.
		if last == '.' && t.Kind == lexicon.Punct && next-to >= 2 && i > 0 && len(r.toks[i-1].Lower) > 3 {
			return to
		}
		return 0
	}
	if last != '.' {
		return to
	}
	if t.Kind == lexicon.Word { // q.d. The
		j := r.firstToken(next)
		if next-to >= 2 || j < len(r.toks) && starters[r.toks[j].Lower] {
			return to
		}
		return 0
	}
	if i == 0 || r.toks[i-1].End != t.Start {
		return to
	}
	prev := &r.toks[i-1]
	if notEnding[prev.Lower] && prev.Kind == lexicon.Word {
		if prev.Lower == "no" { // "No. 5", but "He said no. She left."
			return boolTo(!isDigit(c), to)
		}
		if next-to >= 2 && !titles[prev.Lower] {
			return to
		}
		if titles[prev.Lower] || len(prev.Lower) < 3 && prev.Lower != "pt" {
			j := r.firstToken(next)
			return boolTo(!titles[prev.Lower] && j < len(r.toks) && starters[r.toks[j].Lower], to)
		}
		j := r.firstToken(next)
		return boolTo(j < len(r.toks) && starters[r.toks[j].Lower], to)
	}
	if prev.End-prev.Start == 1 && isUpper(r.text[prev.Start]) && prev.Kind == lexicon.Word {
		// An initial: "J. Smith"; but "vitamin D. She".
		j := r.firstToken(next)
		return boolTo(next-to >= 2 || j < len(r.toks) && starters[r.toks[j].Lower] || i >= 2 && isLower(r.text[r.toks[i-2].Start]), to)
	}
	return to
}

var titles = set("dr mr mrs ms prof st vs fig cf")

func boolTo(ok bool, v int) int {
	if ok {
		return v
	}
	return 0
}

func hasWord(s string) bool {
	for _, c := range s {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return true
		}
	}
	return false
}

// atoi reads the digits of a list number.
func atoi(s string) int {
	v := 0
	for i := 0; i < len(s); i++ {
		if isDigit(s[i]) {
			v = v*10 + int(s[i]-'0')
		}
	}
	return v
}

// numberBefore gives the list number that stands right before byte at, 0 when
// there is none.
func numberBefore(t string, at int) int {
	e := at
	for e > 0 && isSpace(t[e-1]) && t[e-1] != '\n' {
		e--
	}
	s := e
	for s > 0 && (isDigit(t[s-1]) || strings.IndexByte(".)(#", t[s-1]) >= 0) {
		s--
	}
	return atoi(t[s:e]) % 100
}

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}
