package codeset

import (
	"regexp"
	"strings"

	"chartcode/internal/coding"
)

// Ref is a set of ICD-10-CM codes as a note of the tabular list names it: a
// code with all below it (A05, A04.7), or a range of them (A00-A09), perhaps
// only those with given characters at a place (T36-T50 with fifth or sixth
// character 5). Marks such as the hyphen of A05.- are taken off.
type Ref struct {
	From string `json:"from"`
	To   string `json:"to,omitempty"` // inclusive, with all below it; empty: From alone
	// At are places in the code without its dot, counted from 1; 0 is the code's
	// end. One of Chars must stand at one of them. Both are empty where any will do.
	At    []int    `json:"at,omitempty"`
	Chars []string `json:"chars,omitempty"`
}

// Match reports whether code, with its dot, is one of the set.
func (r *Ref) Match(code string) bool {
	if r.To == "" {
		if !strings.HasPrefix(code, r.From) {
			return false
		}
	} else if !strings.HasPrefix(code, r.To) && !strings.HasPrefix(code, r.From) {
		key := orderKey(code)
		if key < orderKey(r.From) || key > orderKey(r.To) {
			return false
		}
	}
	if len(r.At) == 0 {
		return true
	}
	plain := coding.UndotCode(code)
	for _, at := range r.At {
		for _, c := range r.Chars {
			switch {
			case at == 0:
				if strings.HasSuffix(plain, c) {
					return true
				}
			case len(plain) >= at && strings.HasPrefix(plain[at-1:], c):
				return true
			}
		}
	}
	return false
}

// String is the set as a person writes it.
func (r Ref) String() string {
	s := r.From
	if r.To != "" {
		s += "-" + r.To
	}
	return s
}

// Categories with a letter stand elsewhere than their characters say: after the
// category given here.
var letterCategories = map[string]string{
	"C4A": "C43", "C7A": "C75", "C7B": "C75", "D3A": "D36", "M1A": "M08", "O9A": "O99", "Z3A": "Z36",
}

// orderKey gives a text by which ICD-10-CM codes sort as in the tabular list.
func orderKey(code string) string {
	if len(code) >= 3 && code[2] > '9' {
		if after, ok := letterCategories[code[:3]]; ok {
			return after + "~" + code[2:]
		}
	}
	return code
}

// Section reports whether code lies in a section or chapter, named by its range
// (A00-A09) or its only category (B20).
func Section(section, code string) bool {
	from, to, _ := strings.Cut(section, "-")
	r := Ref{From: from, To: to}
	return r.Match(code)
}

// refScanner reads the codes named in a note.
type refScanner struct {
	text  string
	pos   int
	depth int // of brackets
	refs  []Ref
	inner []Ref // those of refs that stand in brackets
	outer int   // how many do not
	bad   bool
	known func(category string) bool
}

// parseRefs gives the sets of codes that a note names, in its order. Codes
// outside brackets count only if their category is known, since words such as
// B12 look like codes, as do those of a category with a letter, such as M1A.
// Where codes stand in brackets, those outside only describe the condition
// ("tuberculosis, any type in A15 (J65)"). unread is set if the note seems to name codes, or to
// restrict a set, in a way that was not understood.
func parseRefs(text string, known func(category string) bool) (refs []Ref, unread bool) {
	s := &refScanner{text: text, known: known}
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '(':
			s.depth++
		case c == ')':
			s.depth = max(0, s.depth-1)
		case c >= 'A' && c <= 'Z' && !s.inWord():
			if s.reference() {
				continue
			}
			if s.depth > 0 && looksCut.MatchString(s.text[s.pos:]) {
				s.bad = true
			}
		}
		s.pos++
	}
	if s.outer == 0 || s.outer == len(s.refs) {
		return s.refs, s.bad
	}
	return s.inner, s.bad
}

// looksCut is a code with an error of writing in it, as T8I.2 or Z 89.5.
var looksCut = regexp.MustCompile(`^[A-Z] ?[0-9IO][0-9A-Z]\.[0-9-]|^[A-Z] [0-9]{2}\b`)

func (s *refScanner) inWord() bool { return s.pos > 0 && wordByte(s.text[s.pos-1]) }

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= 0x80
}

var codeAt = regexp.MustCompile(`^[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?`)

// code reads a code and its marks at pos; end lies behind them.
func (s *refScanner) code(pos int) (code string, end int, ok bool) {
	code = codeAt.FindString(s.text[pos:])
	end = pos + len(code)
	if code == "" || end < len(s.text) && wordByte(s.text[end]) {
		return "", 0, false
	}
	if len(code) == 3 && end < len(s.text) && s.text[end] == '.' { // "E11.-", "I69. with"
		if end+1 >= len(s.text) || !wordByte(s.text[end+1]) {
			end++
		}
	}
	return code, end, true
}

var (
	rangeMark = regexp.MustCompile(`^-?(?:-| - | to )`)
	hyphens   = regexp.MustCompile(`^-+`)
)

// reference reads a code or range with its restriction at pos and moves behind it.
func (s *refScanner) reference() bool {
	from, end, ok := s.code(s.pos)
	if !ok || !s.known(from[:3]) && (s.depth == 0 || from[2] > '9') {
		return false
	}
	ref := Ref{From: from}
	if mark := rangeMark.FindString(s.text[end:]); mark != "" {
		if to, toEnd, ok := s.code(end + len(mark)); ok && orderKey(from) < orderKey(to) {
			ref.To, end = to, toEnd
		}
	}
	end += len(hyphens.FindString(s.text[end:]))
	s.pos = end
	inside := s.depth > 0
	if inside && strings.HasPrefix(s.text[end:], ")") && withPlaces.MatchString(s.text[end+1:]) { // "(T36-T50) with fifth character 6"
		s.pos++
		s.depth--
	}
	s.restrict(&ref)
	s.refs = append(s.refs, ref)
	if inside {
		s.inner = append(s.inner, ref)
	} else {
		s.outer++
	}
	return true
}

var (
	withPlaces  = regexp.MustCompile(`(?i)^,? *with ((?:(?:fourth|fifth|sixth|six|seventh|4th|5th|6th|7th)[- ]?(?:or|to)? ?)+)[- ]?characters?`)
	withFinal   = regexp.MustCompile(`(?i)^,? *with final characters? `)
	withDotted  = regexp.MustCompile(`^,? *with +\.`)
	withOne     = regexp.MustCompile(`^ *with ([0-9])(?:[,;)]|$)`)
	withOpen    = regexp.MustCompile(`(?i)^ *with open fracture 7th character`)
	placeWords  = map[string]int{"fourth": 4, "4th": 4, "fifth": 5, "5th": 5, "sixth": 6, "six": 6, "6th": 6, "seventh": 7, "7th": 7}
	value       = regexp.MustCompile(`^[ .]*-?([0-9A-Z]{1,3})(?:-\.?([0-9A-Z]{1,3}))?-?`)
	nextValue   = regexp.MustCompile(`^(?: *or +| *, *| +and +)-?\.?[0-9A-Z]{1,3}(?:-\.?[0-9A-Z]{1,3})?(?:[ ,;)]|$)`)
	nextDotted  = regexp.MustCompile(`^[,. ]+\.([0-9]{1,3})-?`)
	openFigures = []string{"B", "C", "E", "F", "H", "J", "M", "N", "Q", "R"} // open fractures of every encounter
)

// restrict reads "with ..." behind a code, and moves behind it.
func (s *refScanner) restrict(ref *Ref) {
	rest := s.text[s.pos:]
	if m := withPlaces.FindStringSubmatch(rest); m != nil {
		places := strings.FieldsFunc(strings.ToLower(m[1]), func(r rune) bool { return r == ' ' || r == '-' })
		span := false
		for _, w := range places {
			if at, ok := placeWords[w]; ok && !span {
				ref.At = append(ref.At, at)
			}
			span = span || w == "to" // "fifth to sixth characters 51": from the fifth on
		}
		s.pos += len(m[0])
		if strings.HasPrefix(s.text[s.pos:], " to indicate") { // any character of that place
			ref.At = nil
			return
		}
		s.values(ref)
		return
	}
	switch {
	case withOpen.MatchString(rest):
		ref.At, ref.Chars = []int{7}, openFigures
		s.pos += len(withOpen.FindString(rest))
	case withFinal.MatchString(rest):
		ref.At = []int{0}
		s.pos += len(withFinal.FindString(rest))
		s.values(ref)
	case withDotted.MatchString(rest):
		ref.At = []int{4}
		s.pos += len(withDotted.FindString(rest)) - 1
		s.values(ref)
		if len(ref.Chars) == 0 {
			return
		}
		for m := nextDotted.FindStringSubmatch(s.text[s.pos:]); m != nil; m = nextDotted.FindStringSubmatch(s.text[s.pos:]) {
			ref.Chars = append(ref.Chars, m[1])
			s.pos += len(m[0])
		}
	case withOne.MatchString(rest):
		m := withOne.FindStringSubmatch(rest)
		ref.At, ref.Chars = []int{5}, []string{m[1]}
		s.pos += len(m[0]) - 1
	case strings.HasPrefix(rest, " with ") && s.depth > 0:
		s.bad = true
	}
}

// values reads "1-4 or 6", ".51-.52", "B or C".
func (s *refScanner) values(ref *Ref) {
	for {
		m := value.FindStringSubmatch(s.text[s.pos:])
		if m == nil {
			break
		}
		ref.Chars = append(ref.Chars, spread(m[1], m[2])...)
		s.pos += len(m[0])
		next := nextValue.FindString(s.text[s.pos:])
		if next == "" || codeAt.MatchString(strings.TrimLeft(next, " ,orand")) {
			break
		}
		s.pos += strings.IndexFunc(next, func(r rune) bool { return r == '.' || r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' })
	}
	if len(ref.Chars) == 0 || len(ref.At) == 0 {
		s.bad = true
		ref.At, ref.Chars = nil, nil
	}
}

// spread gives the values of a range that differ in the last character: 1-4 is
// 1, 2, 3, 4 and 51-52 is 51, 52.
func spread(from, to string) []string {
	if to == "" || len(to) != len(from) || from[:len(from)-1] != to[:len(to)-1] || to < from {
		if to == "" {
			return []string{from}
		}
		return []string{from, to}
	}
	var out []string
	head := from[:len(from)-1]
	for c := from[len(from)-1]; c <= to[len(to)-1]; c++ {
		out = append(out, head+string(rune(c)))
	}
	return out
}
