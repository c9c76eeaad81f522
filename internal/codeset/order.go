package codeset

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"chartcode/internal/coding"
)

// Columns of an order file, counted in characters from 0: order number, code
// without the dot, 0 header or 1 billable, short title, long title.
const (
	colCode     = 6
	colCodeEnd  = 13
	colBillable = 14
	colShort    = 16
	colShortEnd = 76
	colLong     = 77
)

var codeShape = map[coding.System]*regexp.Regexp{
	coding.ICD10CM:  regexp.MustCompile(`^[A-Z][0-9A-Z]{2}[0-9A-Z]{0,4}$`),
	coding.ICD10PCS: regexp.MustCompile(`^[0-9A-HJ-NP-Z]{3}([0-9A-HJ-NP-Z]{4})?$`),
}

// readOrder reads codes with their titles. Lines may be in any order.
func (c *Content) readOrder(m member) error {
	data := bytes.TrimPrefix(m.data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return &Error{File: m.name, Reason: "it is not UTF-8 text"}
	}
	seen := make(map[string]int, 100000)
	shape := codeShape[c.Release.System]
	for n := 1; len(data) > 0; n++ {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		text := strings.TrimRight(string(line), "\r \t")
		if text == "" {
			continue
		}
		r := []rune(text)
		if len(r) <= colLong {
			return &Error{m.name, n, "it is shorter than the columns of an order file"}
		}
		code := strings.TrimSpace(string(r[colCode:colCodeEnd]))
		if shape != nil && !shape.MatchString(code) {
			return &Error{m.name, n, "columns 7 to 13 hold no code of " + string(c.Release.System)}
		}
		flag := r[colBillable]
		if flag != '0' && flag != '1' {
			return &Error{m.name, n, "column 15 is neither 0 nor 1"}
		}
		if c.Release.System == coding.ICD10CM {
			code = coding.DotCode(code)
		}
		if _, twice := seen[code]; twice {
			return &Error{m.name, n, "the code " + code + " is there a second time"}
		}
		seen[code] = len(c.Codes)
		c.Codes = append(c.Codes, coding.Code{
			System: c.Release.System, Code: code, Billable: flag == '1',
			Short: strings.TrimSpace(string(r[colShort:colShortEnd])), Title: strings.TrimSpace(string(r[colLong:])),
		})
		if flag == '1' {
			c.Release.Billable++
		}
	}
	if len(c.Codes) == 0 {
		return &Error{File: m.name, Reason: "there is no code in it"}
	}
	c.Release.Rows = len(c.Codes)
	for i := range c.Codes {
		c.Codes[i].Parent = parentOf(c.Codes[i].Code, seen)
	}
	if c.Release.System == coding.ICD10CM {
		c.titleTerms(seen)
	}
	return nil
}

// parentOf is the longest proper prefix of code that is a code.
func parentOf(code string, known map[string]int) string {
	for n := len(code) - 1; n >= 3; n-- {
		p := strings.TrimSuffix(code[:n], ".")
		if _, ok := known[p]; ok {
			return p
		}
	}
	return ""
}

var encounterTail = regexp.MustCompile(`, (initial|subsequent) encounter.*$|, sequela$`)

// titleTerms makes terms of the titles. What titles that differ only in the
// 7th character share leads to the header above them.
func (c *Content) titleTerms(known map[string]int) {
	stems := map[[2]string]bool{}
	for _, code := range c.Codes {
		c.Terms = append(c.Terms, coding.Term{Text: code.Title, Kind: coding.TermTitle, Code: code.Code})
		if len(code.Code) != 8 {
			continue
		}
		stem := encounterTail.ReplaceAllString(code.Title, "")
		if stem == code.Title {
			continue
		}
		key := [2]string{code.Parent, stem}
		if code.Parent != "" && !stems[key] && c.Codes[known[code.Parent]].Title != stem {
			c.Terms = append(c.Terms, coding.Term{Text: stem, Kind: coding.TermTitle, Code: code.Parent})
		}
		stems[key] = true
	}
}
