package codeset

import (
	"regexp"
	"strings"

	"chartcode/internal/coding"
)

var (
	apparatus  = regexp.MustCompile(`\b(NEC|NOS)\b|\(see also[^)]*\)|\(see [^)]*\)`)
	codeInText = regexp.MustCompile(`^[A-Z][0-9A-Z]{2}(\.[0-9A-Z]{1,4})?\.?-?$`)
)

// readIndex makes terms of the paths of an index: main term, then modifiers,
// in reading order, once without and once with the non-essential modifiers.
// Entries that only refer to a main term whose subterms the path names are
// followed.
func (c *Content) readIndex(m member, kind coding.TermKind) error {
	x := &indexReader{content: c, kind: kind, main: map[string]*node{}, counts: map[string]int{}}
	err := parseXML(m, "ICD10CM.index", func(n *node, _ int) error {
		x.counts["main_terms"]++
		title, _ := titleOf(n)
		x.mains = append(x.mains, n)
		if key := foldTerm(title); x.main[key] == nil {
			x.main[key] = n
		}
		return nil
	}, map[string]bool{"mainTerm": true})
	if err != nil {
		return err
	}
	if len(x.mains) == 0 {
		return &Error{File: m.name, Reason: "there is no main term in it"}
	}
	for _, n := range x.mains {
		x.walk(n, nil, nil)
	}
	c.Release.Rows = x.counts["main_terms"] + x.counts["nested_terms"]
	for k, v := range x.counts {
		c.Release.Details[k] = v
	}
	return nil
}

type indexReader struct {
	content *Content
	kind    coding.TermKind
	mains   []*node
	main    map[string]*node // by folded title
	counts  map[string]int
}

// titleOf gives a term's title without the apparatus, and its non-essential
// modifiers without brackets.
func titleOf(n *node) (title, modifiers string) {
	t := n.kid("title")
	if t == nil {
		return "", ""
	}
	title = strings.Join(strings.Fields(apparatus.ReplaceAllString(t.text, " ")), " ")
	for _, k := range t.kids {
		if k.name == "nemod" {
			modifiers += " " + k.text
		}
	}
	modifiers = strings.NewReplacer("(", " ", ")", " ").Replace(modifiers)
	return strings.Trim(title, " ,"), strings.Join(strings.Fields(modifiers), " ")
}

func foldTerm(s string) string {
	return strings.ToLower(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '-' }), " "))
}

func (x *indexReader) walk(n *node, path, full []string) {
	title, modifiers := titleOf(n)
	path = append(path[:len(path):len(path)], title)
	withModifiers := title
	if modifiers != "" {
		withModifiers += " " + modifiers
	}
	full = append(full[:len(full):len(full)], withModifiers)
	if code := n.textOf("code"); code != "" {
		x.term(code, path, full)
	} else if see := n.textOf("see"); see != "" {
		x.follow(see, path, full)
	}
	for _, k := range n.kids {
		if k.name == "term" {
			x.counts["nested_terms"]++
			x.walk(k, path, full)
		}
	}
}

func (x *indexReader) term(code string, path, full []string) {
	code, ok := plainCode(code)
	if !ok {
		x.counts["without_code"]++
		return
	}
	text := strings.Join(path, ", ")
	x.content.Terms = append(x.content.Terms, coding.Term{Text: text, Kind: x.kind, Code: code})
	if long := strings.Join(full, ", "); long != text {
		x.content.Terms = append(x.content.Terms, coding.Term{Text: long, Kind: x.kind, Code: code})
	}
	x.counts["with_code"]++
}

// follow gives the code of the entry that a "see" names to the path that
// refers to it.
func (x *indexReader) follow(see string, path, full []string) {
	x.counts["see"]++
	steps := strings.Split(see, ",")
	for head := len(steps); head > 0; head-- {
		n := x.main[foldTerm(strings.Join(steps[:head], ","))]
		if n == nil {
			continue
		}
		for _, step := range steps[head:] {
			if n = kidTerm(n, step); n == nil {
				break
			}
		}
		if n != nil {
			if code := n.textOf("code"); code != "" {
				x.counts["see_followed"]++
				x.term(code, path, full)
				return
			}
		}
	}
}

func kidTerm(n *node, step string) *node {
	want := foldTerm(step)
	for _, k := range n.kids {
		if k.name != "term" {
			continue
		}
		title, _ := titleOf(k)
		if t := foldTerm(title); t == want || strings.HasPrefix(t, want+" ") {
			return k
		}
	}
	return nil
}

// plainCode takes the marks off a code of the index: E11.- is the header E11.
func plainCode(code string) (string, bool) {
	code = strings.TrimSpace(code)
	if !codeInText.MatchString(code) {
		return "", false
	}
	return strings.TrimSuffix(strings.TrimSuffix(code, "-"), "."), true
}
