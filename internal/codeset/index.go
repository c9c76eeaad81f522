package codeset

import (
	"regexp"
	"strings"

	"chartcode/internal/coding"
)

// indexReader makes terms of an index.
type indexReader struct {
	content *Content
	kind    coding.TermKind
	mains   []*entry
	find    *resolver
	counts  map[string]int
}

// readIndex makes terms of the paths of an index: main term, then modifiers, in
// reading order, once without and once with the non-essential modifiers. Where
// an entry refers to a main term it gets that term's code, or the codes of what
// stands below it. What names no single code becomes a line; so do references
// to the neoplasm and drug tables, which Link turns into terms.
//
// Details count: main_terms, nested_terms, with_code, see, see_followed,
// see_table, see_guidance, see_unresolved, see_also, see_also_followed and
// see_also_unresolved (those at entries without a code), omit_code and
// code_elsewhere ("code to ...").
func (c *Content) readIndex(m member, kind coding.TermKind) error {
	x := &indexReader{content: c, kind: kind, counts: map[string]int{}}
	err := readXML(m, "ICD10CM.index", map[string]bool{"mainTerm": true}, func(n *node) error {
		x.mains = append(x.mains, entryOf(n, nil))
		return nil
	})
	if err != nil {
		return err
	}
	if len(x.mains) == 0 {
		return &Error{File: m.name, Reason: "there is no main term in it"}
	}
	x.find = newResolver(x.mains)
	for _, name := range []string{"nested_terms", "with_code", "see", "see_followed", "see_table", "see_guidance", "see_unresolved", "see_also", "see_also_followed", "see_also_unresolved", "omit_code", "code_elsewhere"} {
		x.counts[name] = 0
	}
	x.counts["main_terms"] = len(x.mains)
	for _, e := range x.mains {
		x.walk(e)
	}
	c.Release.Rows = x.counts["main_terms"] + x.counts["nested_terms"]
	for k, v := range x.counts {
		c.Release.Details[k] = v
	}
	return nil
}

func (x *indexReader) walk(e *entry) {
	codes := codesOf(e)
	if len(codes) > 0 {
		x.counts["with_code"]++
		for _, code := range codes {
			x.terms(e, code)
		}
	}
	for _, k := range e.node.kids {
		switch k.name {
		case "see":
			x.counts["see"]++
			x.counts["see_"+x.see(e, k.text)]++
		case "seeAlso":
			x.counts["see_also"]++
			if len(codes) > 0 { // it only adds to the code
				continue
			}
			switch x.see(e, k.text) {
			case "followed":
				x.counts["see_also_followed"]++
			case "unresolved":
				x.counts["see_also_unresolved"]++
			}
		case "subcat", "seecat":
			x.line(LineGuidance, e, "category "+k.text)
		}
	}
	for _, k := range e.kids {
		x.counts["nested_terms"]++
		x.walk(k)
	}
	if e.note != "" {
		if strings.HasPrefix(e.note, "omit code") {
			x.counts["omit_code"]++
		} else {
			x.counts["code_elsewhere"]++
		}
		x.line(LineGuidance, e, e.note)
	}
}

// codesOf gives the codes at an entry, without marks: the code, and the
// manifestation's where one stands beside it.
func codesOf(e *entry) []string {
	var out []string
	for _, k := range e.node.kids {
		if k.name == "code" || k.name == "manif" {
			if code, ok := plainCode(k.text); ok {
				out = append(out, code)
			}
		}
	}
	return out
}

var codeInText = regexp.MustCompile(`^[A-Z][0-9A-Z]{2}(\.[0-9A-Z]{1,4})?\.?-?$`)

// plainCode takes the marks off a code of the index: E11.- is the header E11.
func plainCode(code string) (string, bool) {
	code = strings.Trim(strings.TrimSpace(code), "[]")
	if !codeInText.MatchString(code) {
		return "", false
	}
	return strings.TrimSuffix(strings.TrimSuffix(code, "-"), "."), true
}

// terms adds the phrase of e for a code, and, where e or what is above it has
// non-essential modifiers, the phrase with them, which is looked up by words
// alone since the other one says the same.
func (x *indexReader) terms(e *entry, code string) {
	short, long := e.texts()
	if short != "" {
		x.content.Terms = append(x.content.Terms, coding.Term{Text: short, Kind: x.kind, Code: code})
	}
	if long != "" && long != short {
		x.content.Terms = append(x.content.Terms, coding.Term{Text: long, Kind: x.kind, Code: code, WordsOnly: short != ""})
	}
}

func (x *indexReader) line(kind string, e *entry, see string) {
	text, _ := e.texts()
	x.content.Lines = append(x.content.Lines, Line{Kind: kind, Text: text, See: see})
}

// Bounds of what a reference to an entry without a code of its own brings in.
const (
	maxHops     = 6
	maxBelow    = 40
	maxBelowLvl = 3
)

// see follows a reference and says what became of it: followed, table,
// guidance or unresolved.
func (x *indexReader) see(e *entry, named string) (outcome string) {
	target := named
	for hop := 0; hop < maxHops; hop++ {
		switch classify(target) {
		case toTable:
			x.line(LineReference, e, target)
			return "table"
		case toGuidance:
			x.line(LineGuidance, e, target)
			return "guidance"
		}
		found := x.find.find(target)
		if found == nil {
			break
		}
		if x.borrow(e, found) > 0 {
			return "followed"
		}
		target = found.node.textOf("see")
	}
	x.line(LineUnresolved, e, named)
	return "unresolved"
}

// borrow gives e the codes of the entry it refers to, or, where that has none,
// those of the entries below it with their phrases.
func (x *indexReader) borrow(e, from *entry) int {
	codes := codesOf(from)
	for _, code := range codes {
		x.terms(e, code)
	}
	if len(codes) > 0 {
		return len(codes)
	}
	n := 0
	short, _ := e.texts()
	var below func(at *entry, path []string)
	below = func(at *entry, path []string) {
		for _, k := range at.kids {
			p := append(path[:len(path):len(path)], k.title)
			for _, code := range codesOf(k) {
				if n < maxBelow {
					text := phrase(append([]string{short}, p...))
					x.content.Terms = append(x.content.Terms, coding.Term{Text: text, Kind: x.kind, Code: code})
					n++
				}
			}
			if len(p) < maxBelowLvl {
				below(k, p)
			}
		}
	}
	below(from, nil)
	return n
}

// Where a reference leads.
type destination int

const (
	toEntry    destination = iota // a main term, perhaps with terms below it
	toTable                       // a row of the neoplasm or drug table
	toGuidance                    // no single code: by site, by type, a category, the condition
)

var (
	guidanceWords = regexp.MustCompile(`(?i)(?:^|,)\s*by\s|\bby (?:site|type|category|drug|substance|cause|trimester)\b|^condition\b|, condition$|^omit code`)
	manyDrugs     = regexp.MustCompile(`(?i)^\s*$|\bmultiple\b|\bcategor|^\s*accident`)
	categoryWords = regexp.MustCompile(`^(?:categor|subcategor|codes? |block )|^[A-Z][0-9][0-9A-Z](?:\.|-|\b)`)
)

func classify(target string) destination {
	target = strings.TrimLeft(strings.TrimSpace(target), "- ")
	lower := strings.ToLower(target)
	switch {
	case target == "":
		return toEntry
	case guidanceWords.MatchString(target), categoryWords.MatchString(target), strings.HasPrefix(lower, "index to diseases"):
		return toGuidance
	case strings.HasPrefix(lower, "neoplasm,"), lower == "neoplasm", strings.HasPrefix(lower, "table of neoplasms,"):
		return toTable
	case strings.HasPrefix(lower, "table of "):
		if _, drug, ok := strings.Cut(target, ","); !ok || manyDrugs.MatchString(drug) {
			return toGuidance
		}
		return toTable
	}
	return toEntry
}
