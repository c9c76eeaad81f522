package intake

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds the nesting of skipped values.
const maxDepth = 1000

// flaw is what decoding a string found that JSON allows but a note may not hold.
type flaw uint8

const (
	flawSurrogate flaw = 1 << iota
	flawNUL
)

// scanner reads RFC 8259 JSON from b, which must be valid UTF-8. Each method
// starts at the first byte of its value and leaves pos after the last.
type scanner struct {
	b   []byte
	pos int
}

func (s *scanner) space() {
	for s.pos < len(s.b) {
		switch s.b[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek is the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.b) {
		return s.b[s.pos]
	}
	return 0
}

// take consumes c if it is next.
func (s *scanner) take(c byte) bool {
	if s.pos < len(s.b) && s.b[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) word(w string) bool {
	if bytes.HasPrefix(s.b[s.pos:], []byte(w)) {
		s.pos += len(w)
		return true
	}
	return false
}

var errSyntax = fail(InvalidJSON, "The body must be one JSON object; a JSON checker shows where it is broken.")

// object calls field for each member with the decoded name; field must consume
// the value.
func (s *scanner) object(field func(name string) error) error {
	if !s.take('{') {
		return errSyntax
	}
	s.space()
	if s.take('}') {
		return nil
	}
	for {
		s.space()
		if s.peek() != '"' {
			return errSyntax
		}
		name, _, err := s.str()
		if err != nil {
			return err
		}
		s.space()
		if !s.take(':') {
			return errSyntax
		}
		s.space()
		if err := field(name); err != nil {
			return err
		}
		s.space()
		if s.take('}') {
			return nil
		}
		if !s.take(',') {
			return errSyntax
		}
	}
}

// skip passes over one value of any kind.
func (s *scanner) skip(depth int) error {
	if depth > maxDepth {
		return fail(InvalidJSON, "The body's values are nested too deeply.")
	}
	switch c := s.peek(); {
	case c == '"':
		return s.skipString()
	case c == '{':
		return s.object(func(string) error { return s.skip(depth + 1) })
	case c == '[':
		s.pos++
		s.space()
		if s.take(']') {
			return nil
		}
		for {
			s.space()
			if err := s.skip(depth + 1); err != nil {
				return err
			}
			s.space()
			if s.take(']') {
				return nil
			}
			if !s.take(',') {
				return errSyntax
			}
		}
	case c == '-' || c >= '0' && c <= '9':
		_, err := s.number()
		return err
	case s.word("true"), s.word("false"), s.word("null"):
		return nil
	}
	return errSyntax
}

// number returns the literal.
func (s *scanner) number() (string, error) {
	start := s.pos
	s.take('-')
	if !s.take('0') && !s.digits() {
		return "", errSyntax
	}
	if s.take('.') && !s.digits() {
		return "", errSyntax
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		if !s.digits() {
			return "", errSyntax
		}
	}
	return string(s.b[start:s.pos]), nil
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.b) && s.b[s.pos] >= '0' && s.b[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

// plain passes over bytes that need no decoding and returns the byte that
// stopped it: a quote, a backslash, or a control character (0 at the end too).
func (s *scanner) plain() byte {
	for s.pos < len(s.b) {
		if c := s.b[s.pos]; c < 0x20 || c == '"' || c == '\\' {
			return c
		}
		s.pos++
	}
	return 0
}

// control is the error for the raw control character at pos, or the end.
func (s *scanner) control() error {
	if s.pos < len(s.b) && s.b[s.pos] == 0 {
		return errNUL
	}
	return errSyntax
}

var errNUL = fail(NULCharacter, "The body must not hold U+0000; remove the NUL characters.")

func (s *scanner) skipString() error {
	s.pos++
	for {
		switch s.plain() {
		case '"':
			s.pos++
			return nil
		case '\\':
			if _, err := s.escape(); err != nil {
				return err
			}
		default:
			return s.control()
		}
	}
}

// str decodes a string. A lone surrogate becomes U+FFFD in the value, and flaws
// tells of it.
func (s *scanner) str() (value string, flaws flaw, err error) {
	s.pos++
	start := s.pos
	if s.plain() == '"' { // nothing to decode
		value = string(s.b[start:s.pos])
		s.pos++
		return value, 0, nil
	}
	// The decoded text is never longer than the literal: finding its end first
	// saves growing the buffer of a long note many times.
	ahead := scanner{b: s.b, pos: start - 1}
	if err := ahead.skipString(); err != nil {
		return "", 0, err
	}
	buf := make([]byte, 0, ahead.pos-start)
	buf = append(buf, s.b[start:s.pos]...)
	for {
		from := s.pos
		c := s.plain()
		buf = append(buf, s.b[from:s.pos]...)
		switch c {
		case '"':
			s.pos++
			return string(buf), flaws, nil
		case '\\':
			r, err := s.escape()
			if err != nil {
				return "", 0, err
			}
			if utf16.IsSurrogate(r) {
				r = s.pair(r)
				if r == utf8.RuneError {
					flaws |= flawSurrogate
				}
			}
			if r == 0 {
				flaws |= flawNUL
			}
			buf = utf8.AppendRune(buf, r)
		default:
			return "", 0, s.control()
		}
	}
}

// pair joins the surrogate high with the escape that must follow; U+FFFD, with
// nothing consumed, when none does.
func (s *scanner) pair(high rune) rune {
	if s.peek() != '\\' {
		return utf8.RuneError
	}
	back := s.pos
	low, err := s.escape()
	if err == nil {
		if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
			return r
		}
	}
	s.pos = back
	return utf8.RuneError
}

// escape decodes the escape at pos; \u gives the code unit, which may be a surrogate.
func (s *scanner) escape() (rune, error) {
	s.pos++
	c := s.peek()
	s.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		if s.pos+4 > len(s.b) {
			return 0, errSyntax
		}
		var r rune
		for _, h := range s.b[s.pos : s.pos+4] {
			switch {
			case h >= '0' && h <= '9':
				r = r<<4 | rune(h-'0')
			case h >= 'a' && h <= 'f':
				r = r<<4 | rune(h-'a'+10)
			case h >= 'A' && h <= 'F':
				r = r<<4 | rune(h-'A'+10)
			default:
				return 0, errSyntax
			}
		}
		s.pos += 4
		return r, nil
	}
	return 0, errSyntax
}
