package learned

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Counts are in a file as lines, with tabs between fields:
//
//	notes	500
//	code	E11.9	12
//	found	E11.9	15	11
//	phrase	chest pain	9 R69:5 I10:3 / R69:5 N28:4
//
// for 500 notes, 12 of which have E11.9; its words were found in 15, 11 of which were given it; 9 notes
// have the phrase, 5 of them R69, and so on. Categories follow the stroke.

var errCounts = errors.New("counts cannot be read")

// file writes the lines, in the order of the alphabet.
func (m *Memory) file() []byte {
	b := strconv.AppendInt([]byte("notes\t"), int64(m.Notes), 10)
	field := func(n int) { b = strconv.AppendInt(append(b, '\t'), int64(n), 10) }
	for _, code := range slices.Sorted(maps.Keys(m.Codes)) {
		b = append(append(b, "\ncode\t"...), code...)
		field(m.Codes[code])
	}
	for _, code := range slices.Sorted(maps.Keys(m.Found)) {
		b = append(append(b, "\nfound\t"...), code...)
		field(m.Found[code].Notes)
		field(m.Found[code].Given)
	}
	for _, words := range slices.Sorted(maps.Keys(m.Phrases)) {
		b = append(append(b, "\nphrase\t"...), words...)
		b = m.Phrases[words].appendLine(append(b, '\t'))
	}
	return append(b, '\n')
}

// readCountsFile reads what file wrote. The strings of the result are parts of the text.
func readCountsFile(text string) (*Memory, error) {
	m := &Memory{Codes: map[string]int{}, Found: map[string]Found{}, Phrases: make(map[string]Phrase, strings.Count(text, "\nphrase\t"))}
	for text != "" {
		line, rest, whole := strings.Cut(text, "\n")
		if !whole || !m.readLine(line) {
			return nil, errCounts
		}
		text = rest
	}
	return m, nil
}

func (m *Memory) readLine(line string) bool {
	kind, rest, _ := strings.Cut(line, "\t")
	if kind == "notes" {
		var ok bool
		m.Notes, ok = count32(rest)
		return ok
	}
	key, rest, more := strings.Cut(rest, "\t")
	if !more {
		return false
	}
	switch kind {
	case "code":
		n, ok := count32(rest)
		m.Codes[key] = n
		return ok
	case "found":
		notes, given, _ := strings.Cut(rest, "\t")
		n, ok := count32(notes)
		g, also := count32(given)
		m.Found[key] = Found{n, g}
		return ok && also
	case "phrase":
		var p Phrase
		err := p.readLine(rest)
		m.Phrases[key] = p
		return err == nil
	}
	return false
}

func (p Phrase) appendLine(b []byte) []byte {
	b = strconv.AppendInt(b, int64(p.Notes), 10)
	b = appendCounts(b, p.Codes)
	if len(p.Categories) > 0 {
		b = appendCounts(append(b, " /"...), p.Categories)
	}
	return b
}

func appendCounts(b []byte, counts []CodeCount) []byte {
	for _, c := range counts {
		b = append(append(b, ' '), c.Code...)
		b = strconv.AppendInt(append(b, ':'), int64(c.Notes), 10)
	}
	return b
}

// UnmarshalJSON reads what files had before: the line as a string, or still earlier an object.
func (p *Phrase) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		return p.readObject(b)
	}
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return errCounts
	}
	return p.readLine(string(b[1 : len(b)-1])) // one string that all codes are parts of
}

func (p *Phrase) readLine(line string) error {
	field, rest, _ := strings.Cut(line, " ")
	var ok bool
	if p.Notes, ok = count32(field); !ok {
		return errCounts
	}
	codes, categories, _ := strings.Cut(rest, "/")
	if p.Codes, ok = readCounts(codes); !ok {
		return errCounts
	}
	if p.Categories, ok = readCounts(categories); !ok {
		return errCounts
	}
	return nil
}

// readCounts reads "R69:5 I10:3".
//
// Nobody else has what it works on, and the race detector makes it many times
// slower; tests start the program often.
//
//go:norace
func readCounts(s string) ([]CodeCount, bool) {
	n := strings.Count(s, ":")
	if n == 0 {
		return nil, strings.TrimSpace(s) == ""
	}
	out := make([]CodeCount, 0, n)
	for i := 0; i < len(s); {
		if s[i] == ' ' {
			i++
			continue
		}
		from := i
		for i < len(s) && s[i] != ':' && s[i] != ' ' {
			i++
		}
		code := s[from:i]
		if code == "" || i == len(s) || s[i] != ':' {
			return nil, false
		}
		i++
		from = i
		for i < len(s) && s[i] != ' ' {
			i++
		}
		k, ok := count32(s[from:i])
		if !ok {
			return nil, false
		}
		out = append(out, CodeCount{code, k})
	}
	return out, true
}

// count32 reads a count of up to nine digits.
//
//go:norace
func count32(s string) (int, bool) {
	if s == "" || len(s) > 9 {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n, true
}

func (p *Phrase) readObject(b []byte) error {
	type count struct {
		Code  string `json:"c"`
		Notes int    `json:"n"`
	}
	var o struct {
		Notes      int     `json:"n"`
		Codes      []count `json:"c"`
		Categories []count `json:"k"`
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return errCounts
	}
	*p = Phrase{Notes: o.Notes}
	for _, c := range o.Codes {
		p.Codes = append(p.Codes, CodeCount(c))
	}
	for _, c := range o.Categories {
		p.Categories = append(p.Categories, CodeCount(c))
	}
	return nil
}
