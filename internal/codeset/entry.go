package codeset

import (
	"regexp"
	"slices"
	"strings"
)

// entry is an entry of an index or a table: a main term or a term below one.
type entry struct {
	node  *node
	title string   // without brackets and apparatus
	mods  string   // non-essential modifiers, without brackets
	note  string   // what stands behind a dash: "omit code", "code by site under Abscess"
	names []string // folded: the title and its alternatives
	up    *entry
	kids  []*entry
}

var (
	apparatus = regexp.MustCompile(`\b(?:NEC|NOS)\b|[*#◊†]|\(see\b(?:[^()]|\([^()]*\))*\)`)
	howToCode = regexp.MustCompile(`\s-+\s*((?:omit code|code)\b.*)$`)
	bracketed = regexp.MustCompile(`\([^)]*\)|\[[^\]]*\]`)
	brackets  = strings.NewReplacer("(", " ", ")", " ")
)

// entryOf makes an entry of a mainTerm or term element.
func entryOf(n *node, up *entry) *entry {
	e := &entry{node: n, up: up}
	if t := n.kid("title"); t != nil {
		e.title = t.text
		for _, k := range t.kids {
			if k.name == "nemod" {
				e.mods = strings.TrimSpace(e.mods + " " + k.text)
			}
		}
	}
	if m := howToCode.FindStringSubmatchIndex(e.title); m != nil {
		e.title, e.note = e.title[:m[0]], foldBlanks(e.title[m[2]:m[3]])
	}
	if strings.Contains(e.mods, "(see") {
		e.mods = apparatus.ReplaceAllString(e.mods, " ")
	}
	if strings.ContainsAny(e.title, "*#◊†") || strings.Contains(e.title, "NEC") || strings.Contains(e.title, "NOS") || strings.Contains(e.title, "(see") {
		e.title = apparatus.ReplaceAllString(e.title, " ")
	}
	e.title = strings.Trim(foldBlanks(e.title), " ,-")
	if e.mods != "" {
		if e.mods = foldBlanks(brackets.Replace(e.mods)); e.mods == "s" || e.mods == "es" {
			e.mods = "" // a plural, as plant(s)
		}
	}
	kids := 0
	for _, k := range n.kids {
		if k.name == "term" {
			kids++
		}
	}
	if kids > 0 {
		e.kids = make([]*entry, 0, kids)
		for _, k := range n.kids {
			if k.name == "term" {
				e.kids = append(e.kids, entryOf(k, e))
			}
		}
	}
	return e
}

// called gives the folded names of an entry: its title and, where that has
// commas, each part: "Abdomen, abdominal" is called abdomen and abdominal.
func (e *entry) called() []string {
	if e.names == nil {
		e.names = []string{foldTerm(e.title)}
		if strings.Contains(e.title, ",") {
			for part := range strings.SplitSeq(e.title, ",") {
				e.names = append(e.names, foldTerm(part))
			}
		}
	}
	return e.names
}

// path is the entry's chain from its main term down.
func (e *entry) path() []*entry {
	var out []*entry
	for ; e != nil; e = e.up {
		out = append(out, e)
	}
	slices.Reverse(out)
	return out
}

// joining are words that bind what follows them to what stands before, so that
// no comma belongs there.
var joining = map[string]bool{
	"with": true, "without": true, "in": true, "due": true, "by": true, "of": true, "for": true, "from": true, "to": true, "on": true,
	"at": true, "and": true, "or": true, "as": true, "following": true, "during": true, "affecting": true, "complicating": true,
	"involving": true, "involved": false, "resulting": true, "after": true, "associated": true, "caused": true, "between": true, "into": true, "through": true,
}

// phrase joins the parts of a path as one reads them: commas between modifiers,
// none around with, in, due to and the like.
func phrase(parts []string) string {
	var b strings.Builder
	last := ""
	for _, p := range parts {
		if p == "" {
			continue
		}
		if b.Len() > 0 {
			first, _, _ := strings.Cut(p, " ")
			if !joining[strings.TrimSuffix(first, ",")] && !joining[last] {
				b.WriteByte(',')
			}
			b.WriteByte(' ')
		}
		b.WriteString(p)
		last = p[strings.LastIndexByte(p, ' ')+1:]
	}
	return b.String()
}

// texts gives the phrase of an entry without and with its non-essential
// modifiers; long is empty if there are none.
func (e *entry) texts() (short, long string) {
	path := e.path()
	plain, full := make([]string, len(path)), make([]string, len(path))
	mods := false
	for i, p := range path {
		plain[i], full[i] = p.title, p.title
		if p.mods != "" {
			full[i], mods = p.title+" "+p.mods, true
		}
	}
	short = phrase(plain)
	if mods {
		long = phrase(full)
	}
	return short, long
}

var foldTermReplacer = strings.NewReplacer(",", " ", "-", " ", "'s ", " ", "'", "", "’s ", " ", "’", "", ".", "", "(s)", "", "(es)", "")

// foldTerm makes names of entries comparable: lower case, no punctuation,
// brackets or apparatus, and without the plural s.
func foldTerm(s string) string {
	s = foldTermReplacer.Replace(s + " ")
	if strings.ContainsAny(s, "([") {
		s = bracketed.ReplaceAllString(s, " ")
	}
	words := strings.Fields(strings.ToLower(s))
	out := words[:0]
	for _, w := range words {
		if w == "nec" || w == "nos" {
			continue
		}
		if n := len(w); n > 3 && w[n-1] == 's' && w[n-2] != 's' && w[n-2] != 'u' && w[n-2] != 'i' {
			w = w[:n-1]
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}
