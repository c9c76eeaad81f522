package lexicon

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is the kind of a token.
type Kind uint8

// The kinds of tokens.
const (
	Word   Kind = iota // letters, also with digits (T2DM, L5) or in slash form (s/p)
	Number             // 12, 2.5, 1,200
	Punct              // one mark
)

// Token is one word, number or mark of a text. Start and End are bytes of the
// text, on rune boundaries. Lower is the token in lower case with diacritics
// folded and a possessive removed; Norm is Lower in American spelling, reduced
// to the stem that it shares with its variants. Norm is for comparing, not for
// showing. Words and numbers have a Norm that is not empty.
type Token struct {
	Start, End int
	Lower      string
	Norm       string
	Kind       Kind
}

// Tokenize cuts text into tokens, in order and without overlap; white space is
// left out. Bytes that are not UTF-8 become marks.
func Tokenize(text string) []Token {
	return AppendTokens(make([]Token, 0, len(text)/5+4), text)
}

// AppendTokens appends the tokens of text to dst.
func AppendTokens(dst []Token, text string) []Token {
	sc := scanner{text: text, toks: dst, base: len(dst)}
	for sc.pos < len(text) {
		sc.next()
	}
	return sc.toks
}

// Words gives the tokens that are words or numbers.
func Words(text string) []Token {
	toks := Tokenize(text)
	out := toks[:0]
	for _, t := range toks {
		if t.Kind != Punct {
			out = append(out, t)
		}
	}
	return out
}

// Norms gives the norms of text's words and numbers, in order.
func Norms(text string) []string {
	toks := Words(text)
	out := make([]string, len(toks))
	for i, t := range toks {
		out[i] = t.Norm
	}
	return out
}

type scanner struct {
	text string
	pos  int
	toks []Token
	base int
}

func (s *scanner) next() {
	c := s.text[s.pos]
	switch {
	case c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\v' || c == '\f':
		s.pos++
	case isDigit(c), c == '.' && s.decimalPoint():
		s.number()
	case isASCIILetter(c):
		s.word()
	case c < utf8.RuneSelf:
		s.punct(1)
	default:
		r, n := utf8.DecodeRuneInString(s.text[s.pos:])
		switch {
		case r == utf8.RuneError && n <= 1:
			s.punct(n)
		case unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff':
			s.pos += n
		case unicode.IsLetter(r):
			s.word()
		default:
			s.punct(n)
		}
	}
}

func (s *scanner) punct(n int) {
	m := s.text[s.pos : s.pos+n]
	s.toks = append(s.toks, Token{s.pos, s.pos + n, m, m, Punct})
	s.pos += n
}

// decimalPoint reports whether the point at pos begins a number such as .25.
func (s *scanner) decimalPoint() bool {
	return s.pos+1 < len(s.text) && isDigit(s.text[s.pos+1]) &&
		(s.pos == 0 || s.text[s.pos-1] == ' ' || s.text[s.pos-1] == '\n')
}

func (s *scanner) number() {
	start, t := s.pos, s.text
	i := start
	commas := false
	for i < len(t) {
		switch {
		case isDigit(t[i]):
			i++
			continue
		case t[i] == '.' && i+1 < len(t) && isDigit(t[i+1]) && !strings.Contains(t[start:i], "."):
			i++
			continue
		case t[i] == ',' && i+3 < len(t) && isDigit(t[i+1]) && isDigit(t[i+2]) && isDigit(t[i+3]) &&
			(i+4 >= len(t) || !isDigit(t[i+4])) && i-start <= 3 && i > start:
			commas = true
			i++
			continue
		}
		break
	}
	// Ordinals (2nd) and substages (3b after "stage") are one word.
	if rest := t[i:]; len(rest) > 0 && isASCIILetter(rest[0]) && !strings.ContainsAny(t[start:i], ".,") {
		n := 0
		for n < len(rest) && isASCIILetter(rest[n]) {
			n++
		}
		if n == len(rest) || !isDigit(rest[n]) {
			suffix := lowerASCII(rest[:n])
			if suffix == "st" || suffix == "nd" || suffix == "rd" || suffix == "th" ||
				(n == 1 && suffix <= "d" && s.afterGrader()) {
				s.toks = append(s.toks, Token{start, i + n, t[start:i] + suffix, t[start:i] + suffix, Word})
				s.pos = i + n
				return
			}
		}
	}
	lower := t[start:i]
	if commas {
		lower = strings.ReplaceAll(lower, ",", "")
	}
	if lower[0] == '.' {
		lower = "0" + lower
	}
	s.toks = append(s.toks, Token{start, i, lower, lower, Number})
	s.pos = i
}

// word scans a word that begins at pos: letters and digits, an apostrophe
// within, single letters joined by slashes or points, a closed list of
// compounds across a hyphen or a space.
func (s *scanner) word() {
	start := s.pos
	if end, lower := s.pointed(start); end > 0 {
		s.add(start, end, lower)
		return
	}
	if end := s.slashed(start); end > 0 {
		s.add(start, end, lowerASCII(s.text[start:end]))
		return
	}
	end := s.run(start)
	if i := glued(s.text[start:end]); i > 0 { // BP121, CA125: two tokens
		end = start + i
		s.add(start, end, lowerASCII(s.text[start:end]))
		return
	}
	lower := foldLower(s.text[start:end])
	for {
		next, ok := s.compound(start, end, lower)
		if !ok {
			break
		}
		nextEnd := s.run(next)
		lower += foldLower(s.text[next:nextEnd])
		end = nextEnd
	}
	s.add(start, end, stripPossessive(lower))
}

func (s *scanner) add(start, end int, lower string) {
	if lower == "" { // an apostrophe alone, as in 's
		lower = s.text[start:end]
	}
	norm := normOf(lower)
	raw := s.text[start:end]
	if v, ok := romanValue(raw); ok && (len(v) > 1 || raw != "I" && raw != "V" && raw != "X") {
		if unambiguousRoman(raw) || s.afterGrader() {
			norm = v
		}
	} else if ok && s.afterGrader() {
		norm = v
	} else if v, ok := cardinals[lower]; ok && s.afterGrader() {
		norm = v
	}
	s.toks = append(s.toks, Token{start, end, lower, norm, Word})
	s.pos = end
}

// run gives the end of the run of letters, marks, digits and inner apostrophes.
func (s *scanner) run(start int) int {
	t, i := s.text, start
	for i < len(t) {
		c := t[i]
		if isASCIILetter(c) || isDigit(c) {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			if c == '\'' && i+1 < len(t) && isASCIILetter(t[i+1]) && i > start {
				i++
				continue
			}
			break
		}
		r, n := utf8.DecodeRuneInString(t[i:])
		if r == '\u2019' && i > start && i+n < len(t) && isASCIILetter(t[i+n]) {
			i += n
			continue
		}
		if r == utf8.RuneError && n <= 1 || !unicode.IsLetter(r) && !unicode.IsMark(r) && r != '\u00ad' {
			break
		}
		i += n
	}
	return i
}

// pointed recognizes q.d., p.o., e.g., M.D.: single letters each followed by a
// point, at least two. The last point may be missing.
func (s *scanner) pointed(start int) (end int, lower string) {
	t, i := s.text, start
	letters := 0
	for i < len(t) && isASCIILetter(t[i]) && (i+1 == len(t) || !isWordByte(t[i+1])) {
		letters++
		i++
		if i >= len(t) || t[i] != '.' {
			break
		}
		if i+1 >= len(t) || !isASCIILetter(t[i+1]) {
			i++
			break
		}
		if i+2 < len(t) && isWordByte(t[i+2]) { // b.i.d.Then
			i++
			break
		}
		i++
	}
	if letters < 2 {
		return 0, ""
	}
	var b [8]byte
	out := b[:0]
	for j := start; j < i; j++ {
		if t[j] != '.' {
			out = append(out, t[j]|0x20)
		}
	}
	return i, string(out)
}

// slashed recognizes s/p, c/o, h/o, n/v/d, y/o and w/: single letters joined
// by slashes.
func (s *scanner) slashed(start int) int {
	t := s.text
	if start+1 >= len(t) || t[start+1] != '/' {
		return 0
	}
	i := start + 1
	for i+1 < len(t) && t[i] == '/' && isASCIILetter(t[i+1]) && (i+2 == len(t) || !isWordByte(t[i+2])) {
		i += 2
	}
	if i == start+1 {
		if t[start]|0x20 == 'w' { // "w/ fever"
			return start + 2
		}
		return 0
	}
	return i
}

// compound reports whether the word that ends at end goes on across a hyphen
// or a space into the word at next, so that x-ray, x ray and xray, or
// non-toxic and nontoxic, are one token.
func (s *scanner) compound(start, end int, lower string) (next int, ok bool) {
	t := s.text
	if end+1 >= len(t) {
		return 0, false
	}
	next = end + 1
	if t[end] != '-' && t[end] != ' ' {
		if !strings.HasPrefix(t[end:], "\u2010") && !strings.HasPrefix(t[end:], "\u2011") {
			return 0, false
		}
		next = end + 3
	}
	if next >= len(t) {
		return 0, false
	}
	if !isASCIILetter(t[next]) {
		// B-12, L-5: one letter and a number.
		ok = t[end] == '-' && len(lower) == 1 && isDigit(t[next]) && start+1 == end
		return next, ok
	}
	stop := next
	for stop < len(t) && isWordByte(t[stop]) {
		stop++
	}
	if t[end] != ' ' && joinPrefix[lower] {
		return next, true
	}
	seconds, ok := compounds()[lower]
	if !ok {
		return 0, false
	}
	if seconds == nil {
		return next, true
	}
	return next, seconds[lowerASCII(t[next:stop])]
}

// afterGrader reports whether the last token is a word after which a Roman
// numeral, or a number word, grades: type, stage, class ...
func (s *scanner) afterGrader() bool {
	if len(s.toks) == s.base {
		return false
	}
	last := s.toks[len(s.toks)-1]
	if last.Lower == "-" && len(s.toks)-1 > s.base { // type-II
		last = s.toks[len(s.toks)-2]
	}
	return last.Kind == Word && graders[last.Lower]
}

// glued gives the length of the letters in a run of at least two letters
// followed by at least two digits and nothing else (HR103); 0 otherwise.
func glued(w string) int {
	i := 0
	for i < len(w) && isASCIILetter(w[i]) {
		i++
	}
	if i < 2 || len(w)-i < 2 {
		return 0
	}
	for j := i; j < len(w); j++ {
		if !isDigit(w[j]) {
			return 0
		}
	}
	return i
}

func isDigit(c byte) bool       { return c >= '0' && c <= '9' }
func isASCIILetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isWordByte(c byte) bool    { return isASCIILetter(c) || isDigit(c) || c >= utf8.RuneSelf }
