package learned

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// A file has a quarter of a million counts of phrases. As JSON objects they took most
// of the time in which the program starts, so each phrase is one string, such as
//
//	"9 R69:5 I10:3 / R69:5 N28:4"
//
// for 9 notes with the phrase, 5 of them with R69, and so on; categories follow the
// stroke.

var errPhrase = errors.New("a phrase's counts cannot be read")

// MarshalJSON writes the line.
func (p Phrase) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 16+8*(len(p.Codes)+len(p.Categories))), '"')
	b = strconv.AppendInt(b, int64(p.Notes), 10)
	b = appendCounts(b, p.Codes)
	if len(p.Categories) > 0 {
		b = appendCounts(append(b, " /"...), p.Categories)
	}
	return append(b, '"'), nil
}

func appendCounts(b []byte, counts []CodeCount) []byte {
	for _, c := range counts {
		b = append(append(b, ' '), c.Code...)
		b = strconv.AppendInt(append(b, ':'), int64(c.Notes), 10)
	}
	return b
}

// UnmarshalJSON reads the line, or the object that files had before.
func (p *Phrase) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		return p.readObject(b)
	}
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return errPhrase
	}
	return p.readLine(string(b[1 : len(b)-1])) // one string that all codes are parts of
}

func (p *Phrase) readLine(line string) error {
	field, rest, _ := strings.Cut(line, " ")
	var ok bool
	if p.Notes, ok = count32(field); !ok {
		return errPhrase
	}
	codes, categories, _ := strings.Cut(rest, "/")
	if p.Codes, ok = readCounts(codes); !ok {
		return errPhrase
	}
	if p.Categories, ok = readCounts(categories); !ok {
		return errPhrase
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
		return errPhrase
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
