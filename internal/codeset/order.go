package codeset

import (
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
	coding.HCPCS:    hcpcsShape,
	coding.CPT:      regexp.MustCompile(`^[0-9]{4}[0-9A-Z]$`),
}

var hcpcsShape = regexp.MustCompile(`^[A-Z][0-9]{4}$`)

// readOrder reads codes with their titles. Lines may be in any order and end
// with LF or CRLF.
func (c *Content) readOrder(m member) error {
	if err := m.checkText(); err != nil {
		return err
	}
	text := strings.TrimPrefix(string(m.data), "\ufeff")
	seen := make(map[string]int, len(text)/140)
	shape := codeShape[c.Release.System]
	for n := 1; text != ""; n++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		line = strings.TrimRight(line, "\r \t")
		if line == "" {
			continue
		}
		code, flag, short, long, ok := orderColumns(line)
		switch {
		case !ok || long == "":
			return &Error{m.name, n, "it is shorter than the columns of an order file"}
		case shape != nil && !shape.MatchString(code):
			return &Error{m.name, n, "columns 7 to 13 hold no code of " + string(c.Release.System)}
		case flag != "0" && flag != "1":
			return &Error{m.name, n, "column 15 is neither 0 nor 1"}
		}
		if c.Release.System == coding.ICD10CM {
			code = coding.DotCode(code)
		}
		if _, twice := seen[code]; twice {
			return &Error{m.name, n, "the code " + code + " is there a second time"}
		}
		seen[code] = len(c.Codes)
		c.Codes = append(c.Codes, coding.Code{System: c.Release.System, Code: code, Billable: flag == "1", Short: short, Title: long})
	}
	if len(c.Codes) == 0 {
		return &Error{File: m.name, Reason: "there is no code in it"}
	}
	c.finishCodes(seen)
	if c.Release.System == coding.ICD10CM {
		return c.everydayTerms(seen)
	}
	return nil
}

// orderColumns cuts a line. Columns count characters: only where a character
// of the first columns takes several bytes do bytes and columns differ.
func orderColumns(line string) (code, flag, short, long string, ok bool) {
	at := [...]int{colCode, colCodeEnd, colBillable, colBillable + 1, colShort, colShortEnd, colLong}
	if !ascii(line[:min(len(line), colLong)]) {
		bytes, chars, next := 0, 0, 0
		for next < len(at) {
			if chars == at[next] {
				at[next] = bytes
				next++
				continue
			}
			if bytes == len(line) {
				return "", "", "", "", false
			}
			_, size := utf8.DecodeRuneInString(line[bytes:])
			bytes += size
			chars++
		}
	}
	if len(line) < at[6] {
		return "", "", "", "", false
	}
	return strings.TrimSpace(line[at[0]:at[1]]), line[at[2]:at[3]], strings.TrimSpace(line[at[4]:at[5]]), strings.TrimSpace(line[at[6]:]), true
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// finishCodes fills what follows from all codes together: counts, parents and
// the terms of the titles. known leads from a code to its place in c.Codes.
func (c *Content) finishCodes(known map[string]int) {
	c.Release.Rows = len(c.Codes)
	headers := 0
	for i := range c.Codes {
		code := &c.Codes[i]
		if !code.Billable {
			headers++
		}
		if headered(c.Release.System) {
			code.Parent = parentOf(code.Code, known)
		}
	}
	c.Release.Billable = c.Release.Rows - headers
	c.Release.Details["headers"] = headers
	c.titleTerms(known)
}

// headered reports whether a code's place in the hierarchy follows from its
// characters.
func headered(s coding.System) bool { return s == coding.ICD10CM || s == coding.ICD10PCS }

// parentOf is the longest proper prefix of code that is a code.
func parentOf(code string, known map[string]int) string {
	for n := len(code) - 1; n >= 3; n-- {
		if n == 4 && code[3] == '.' {
			continue
		}
		if _, ok := known[code[:n]]; ok {
			return code[:n]
		}
	}
	return ""
}

// What the 7th character says of the encounter, the fetus or the time of a
// score, at the end of titles of injuries, poisonings, external causes,
// pathological fractures, pregnancies and comas. What other 7th characters add,
// such as an eye or a stage, is part of what the patient has.
var (
	encounterMarks = []string{", initial encounter", ", subsequent encounter"}
	encounterTails = []string{
		", sequela", ", sequela of fracture",
		", not applicable or unspecified", ", fetus 1", ", fetus 2", ", fetus 3", ", fetus 4", ", fetus 5", ", other fetus",
		", unspecified time", ", in the field [EMT or ambulance]", ", at arrival to emergency department",
		", at hospital admission", ", 24 hours or more after hospital admission",
	}
)

// stemOf gives the title of a code of seven characters without what its 7th
// character says of the encounter.
func stemOf(code coding.Code) (stem string, ok bool) {
	if len(code.Code) != len("S52.501A") {
		return "", false
	}
	for _, mark := range encounterMarks {
		if at := strings.LastIndex(code.Title, mark); at > 0 {
			rest := code.Title[at+len(mark):]
			return code.Title[:at], rest == "" || strings.HasPrefix(rest, " for ") && strings.Contains(rest, "fracture")
		}
	}
	for _, tail := range encounterTails {
		if stem, ok := strings.CutSuffix(code.Title, tail); ok {
			return stem, true
		}
	}
	return "", false
}

// titleTerms makes terms of the titles. Titles that differ only in what the 7th
// character says of the encounter share a stem, which leads to their header
// once; they themselves are looked up by words alone, as are those of
// ICD-10-PCS, which combine a few thousand words.
func (c *Content) titleTerms(known map[string]int) {
	type stemAt struct{ parent, stem string }
	stems := map[stemAt]bool{}
	c.Terms = make([]coding.Term, 0, len(c.Codes)+len(c.Codes)/16)
	for _, code := range c.Codes {
		t := coding.Term{Text: code.Title, Kind: coding.TermTitle, Code: code.Code, WordsOnly: c.Release.System == coding.ICD10PCS}
		at, ok := known[code.Parent]
		if stem, cut := stemOf(code); cut && ok && c.Release.System == coding.ICD10CM {
			t.WordsOnly = true
			if key := (stemAt{code.Parent, stem}); !stems[key] && stem != c.Codes[at].Title {
				stems[key] = true
				c.Terms = append(c.Terms, coding.Term{Text: stem, Kind: coding.TermTitle, Code: code.Parent})
			}
		}
		c.Terms = append(c.Terms, t)
	}
}
