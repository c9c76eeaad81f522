package segment

import "strings"

// line is a stretch of text that the writer set on a line of its own: up to a
// line feed, or up to a comma that stands for one.
type line struct {
	start, end int  // without surrounding white space
	blank      bool // a blank line stands before it
	comma      bool // a comma, not a line feed, stands before it
}

// findLines cuts the text into lines. In some transcriptions every line break
// became a comma ("fever.,PLAN:,1.  Rest.,2.  Fluids"): a comma counts as a
// line break where no writer would put one.
func (r *reader) findLines() {
	t := r.text
	upper, lower := 0, 0
	for i := 0; i < len(t); i++ {
		if isUpper(t[i]) {
			upper++
		} else if isLower(t[i]) {
			lower++
		}
	}
	r.mostlyUpper = upper > 4*lower
	start, feeds, blank, comma := 0, 0, false, false
	flush := func(end int) {
		s, e := trim(t, start, end)
		if s < e {
			r.lines = append(r.lines, line{s, e, blank, comma})
			blank = false
		} else if !comma {
			blank = true
		}
	}
	for i := 0; i < len(t); i++ {
		switch {
		case t[i] == '\n':
			flush(i)
			start, comma = i+1, false
			feeds++
		case t[i] == ',' && r.commaBreaks(start, i, feeds):
			flush(i)
			start, comma = i+1, true
		}
	}
	flush(len(t))
}

// trim gives [start, end) without white space at its ends.
func trim(t string, start, end int) (int, int) {
	for start < end && isSpace(t[start]) {
		start++
	}
	for end > start && isSpace(t[end-1]) {
		end--
	}
	return start, end
}

// commaBreaks reports whether the comma at i stands for a line break; the
// current line begins at start, and feeds line feeds stand before it.
func (r *reader) commaBreaks(start, i, feeds int) bool {
	t := r.text
	p := i - 1
	for p >= start && isSpace(t[p]) {
		p--
	}
	if i+1 >= len(t) || t[i+1] == '\n' {
		return true
	}
	if p < start { // ".,,PLAN"
		return true
	}
	next := t[i+1]
	spaced := isSpace(next)
	switch t[p] {
	case ':':
		return true
	case '.', ';', '!', '?':
		return !spaced
	}
	if spaced || feeds > i/300 && len(t) > 600 { // a text with lines of its own
		return false
	}
	rest := t[i+1:]
	if isDigit(next) {
		return enumerator(rest) > 0 && !(isDigit(t[p]) && !strings.Contains(rest[:min(len(rest), 8)], " "))
	}
	if next == '*' || next == '#' {
		return true
	}
	if !isUpper(next) {
		return false
	}
	if s, e := trim(t, start, i); e-s < 80 && allCaps(t[s:e]) && r.knownHeading(s, e) {
		return true
	}
	end := 0
	for end < len(rest) && (isAlpha(rest[end])) {
		end++
	}
	word := rest[:end]
	if len(word) > 2 && isLower(word[1]) {
		return true // ,Then
	}
	return len(word) > 2 && r.headingAhead(i+1)
}

// enumerator gives the length of a list number at the start of s: "1.", "12)",
// "(3)", "#4." and, with what follows it, not a decimal; 0 when there is none.
func enumerator(s string) int {
	i := 0
	open := false
	if i < len(s) && (s[i] == '(' || s[i] == '#') {
		open = s[i] == '('
		i++
	}
	d := i
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i == d || i-d > 2 || i >= len(s) {
		return 0
	}
	switch {
	case s[i] == ')':
	case s[0] == '#' && s[i] == ' ': // "#1 Gout"
	case open:
		return 0
	case s[i] == '.':
		if i+1 < len(s) && isDigit(s[i+1]) {
			return 0
		}
	default:
		return 0
	}
	return i + 1
}

// bullet gives the length of a bullet mark and the space after it at the start
// of s; 0 when there is none.
func bullet(s string) int {
	for _, b := range [...]string{"•", "·", "▪", "◦", "●", "○", "‣", "–", "—", "*", "-", "+", ">", "o", "#"} {
		if !strings.HasPrefix(s, b) {
			continue
		}
		n := len(b)
		for strings.HasPrefix(s[n:], b) && b != "o" { // **, ##, --
			n += len(b)
		}
		m := n
		for m < len(s) && (s[m] == ' ' || s[m] == '\t') {
			m++
		}
		if (b == "-" || b == "+") && signedList(s) {
			return 0
		}
		if m > n || len(b) > 1 && m < len(s) || (b == "*" || b == "#") && m < len(s) && isAlpha(s[m]) {
			return m
		}
		if b == "-" && n < len(s) && isUpper(s[n]) {
			return n
		}
		return 0
	}
	return 0
}

// signedList reports whether a line lists findings with signs, of which the
// first looks like a bullet: "+ fatigue, - nausea".
func signedList(s string) bool {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		s = s[:i]
	}
	for _, mark := range [...]string{", -", ", +", "; -", "; +", "/ -", "/ +"} {
		if strings.Contains(s, mark) {
			return true
		}
	}
	return false
}

// letterMark recognizes "a. " and "B) "; capitals after F are initials.
func letterMark(s string) bool {
	return len(s) > 3 && (isLower(s[0]) || s[0] >= 'A' && s[0] <= 'F') && (s[1] == '.' || s[1] == ')') && isSpace(s[2]) && !isDigit(s[3])
}

// marker gives the length of what marks a list item at the start of s: a
// bullet, a number, a letter (a. b) or both; numbered tells of a number.
func marker(s string) (n int, numbered bool) {
	n = bullet(s)
	if e := enumerator(s[n:]); e > 0 {
		n += e
		numbered = true
	} else if letterMark(s[n:]) {
		n += 2
	}
	for n < len(s) && (s[n] == ' ' || s[n] == '\t') {
		n++
	}
	return n, numbered
}
