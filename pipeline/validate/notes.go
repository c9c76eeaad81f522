package validate

import (
	"fmt"
	"strings"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// notes are the lines of the tabular list, found by code.
type notes struct {
	release coding.Release
	at      map[string]*place // by code
	ranges  []*place          // sections and chapters
}

// place is a code, section or chapter with its notes.
type place struct {
	name                                                     string
	diag                                                     bool
	excludes1, excludes2, codeFirst, useAdditional, codeAlso []codeset.Line
	sevenChr                                                 map[string]string
}

func newNotes(cfg Config) *notes {
	n := &notes{release: cfg.Tabular, at: map[string]*place{}}
	byRange := map[string]*place{}
	for _, l := range cfg.Lines {
		switch l.Kind {
		case "excludes1", "excludes2", "codeFirst", "useAdditionalCode", "codeAlso", codeset.LineSevenChr:
		default:
			continue
		}
		var p *place
		if l.Level == codeset.LevelDiag || l.Level == "" {
			if p = n.at[l.Code]; p == nil {
				p = &place{name: l.Code, diag: true}
				n.at[l.Code] = p
			}
		} else if p = byRange[l.Code]; p == nil {
			p = &place{name: l.Code}
			byRange[l.Code] = p
			n.ranges = append(n.ranges, p)
		}
		switch l.Kind {
		case "excludes1":
			p.excludes1 = append(p.excludes1, l)
		case "excludes2":
			p.excludes2 = append(p.excludes2, l)
		case "codeFirst":
			p.codeFirst = append(p.codeFirst, l)
		case "useAdditionalCode":
			p.useAdditional = append(p.useAdditional, l)
		case "codeAlso":
			p.codeAlso = append(p.codeAlso, l)
		case codeset.LineSevenChr:
			if p.sevenChr == nil {
				p.sevenChr = map[string]string{}
			}
			p.sevenChr[l.Char] = l.Text
		}
	}
	return n
}

// above gives the places whose notes hold for a code, the closest first: itself,
// what is above it, then sections and chapters.
func (n *notes) above(code string) []*place {
	var out []*place
	for end := len(code); end >= 3; end-- {
		if end == 4 && code[3] == '.' {
			continue
		}
		if p := n.at[code[:end]]; p != nil {
			out = append(out, p)
		}
	}
	for _, p := range n.ranges {
		if codeset.Section(p.name, code) {
			out = append(out, p)
		}
	}
	return out
}

// seventh gives the meaning of a code's 7th character.
func (n *notes) seventh(code, char string) string {
	for _, p := range n.above(code) {
		if p.sevenChr != nil {
			return p.sevenChr[char]
		}
	}
	return ""
}

// source quotes a line with its release.
func (n *notes) source(kind string, l codeset.Line) string {
	list := "ICD-10-CM Tabular List"
	if n.release.Version != "" {
		list += " " + n.release.Version
	}
	return fmt.Sprintf("%s, %s at %s: “%s”", list, kind, l.Code, strings.TrimSuffix(l.Text, ":"))
}

// matches reports whether one of the sets of codes of a line holds code.
func matches(l *codeset.Line, code string) bool {
	for _, r := range l.Refs {
		if r.Match(code) {
			return true
		}
	}
	return false
}
