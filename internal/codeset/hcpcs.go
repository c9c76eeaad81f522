package codeset

import (
	"strings"

	"chartcode/internal/coding"
)

// Columns of the HCPCS file as CMS publishes it (HCPC2024_JUL_ANWEB.txt), counted
// from 0: code, sequence number, record, long and short description, the day from
// which the code no longer holds. They follow CMS's description of the record;
// the reader was written without such a file at hand.
const (
	hcpcsCode      = 5
	hcpcsKind      = 10
	hcpcsLong      = 11
	hcpcsLongEnd   = 91
	hcpcsShortEnd  = 119
	hcpcsTermin    = 284
	hcpcsTerminEnd = 292
)

// readHCPCSRecords reads the records of HCPCS Level II: of a code the first
// (kind 3) and those that go on with its description (kind 4). Modifiers (7 and
// 8) are no codes and left out, as are codes that ended before the release.
func (c *Content) readHCPCSRecords(m member) error {
	if err := m.checkText(); err != nil {
		return err
	}
	seen := map[string]int{}
	ended := strings.ReplaceAll(c.Release.EffectiveFrom.String(), "-", "")
	text := strings.TrimPrefix(string(m.data), "\ufeff")
	last := -1 // place of the code that goes on; -1: none, or one that is left out
	for n := 1; text != ""; n++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		line = strings.TrimRight(line, "\r \t")
		if line == "" {
			continue
		}
		if len(line) <= hcpcsLong || !hcpcsRecord.MatchString(line) {
			return &Error{m.name, n, "it is no record of an HCPCS file"}
		}
		code, long := line[:hcpcsCode], column(line, hcpcsLong, hcpcsLongEnd)
		switch line[hcpcsKind] {
		case '7', '8':
			last = -1
		case '4':
			if last >= 0 && c.Codes[last].Code == code && long != "" {
				c.Codes[last].Title += " " + long
			}
		case '3':
			last = -1
			if _, twice := seen[code]; twice {
				return &Error{m.name, n, "the code " + code + " is there a second time"}
			}
			if day := column(line, hcpcsTermin, hcpcsTerminEnd); len(day) == 8 && strings.Trim(day, "0123456789") == "" && day < ended {
				continue
			}
			if long == "" {
				return &Error{m.name, n, "the code " + code + " has no title"}
			}
			last = len(c.Codes)
			seen[code] = last
			c.Codes = append(c.Codes, coding.Code{System: coding.HCPCS, Code: code, Title: long, Short: column(line, hcpcsLongEnd, hcpcsShortEnd), Billable: true})
		}
	}
	if len(c.Codes) == 0 {
		return &Error{File: m.name, Reason: "there is no code in it"}
	}
	c.finishCodes(seen)
	return nil
}

// column gives the characters [from, to) of a line, as far as they are there.
func column(line string, from, to int) string {
	if !ascii(line) {
		chars := []rune(line)
		return strings.TrimSpace(string(chars[min(len(chars), from):min(len(chars), to)]))
	}
	return strings.TrimSpace(line[min(len(line), from):min(len(line), to)])
}
