package lexicon

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed tables/stems.txt
var stemsText string

//go:embed tables/compounds.txt
var compoundsText string

//go:embed tables/spellings.txt
var spellingsText string

//go:embed tables/stopwords.txt
var stopText string

// The tables are read once, on first use, and never written again.
var (
	stems     = sync.OnceValue(readStems)
	compounds = sync.OnceValue(readCompounds)
	stops     = sync.OnceValue(readStops)
	spellings = sync.OnceValue(readSpellings)
)

// lines gives the lines of a table that are neither empty nor comments.
func lines(text string) []string {
	var out []string
	for l := range strings.SplitSeq(text, "\n") {
		if l = strings.TrimSpace(l); l != "" && l[0] != '#' {
			out = append(out, l)
		}
	}
	return out
}

// readStems reads lines "norm: word word ..."; the norm itself is not a word
// unless listed.
func readStems() map[string]string {
	m := make(map[string]string, 2048)
	for _, l := range lines(stemsText) {
		norm, words, _ := strings.Cut(l, ":")
		norm = strings.TrimSpace(norm)
		for w := range strings.FieldsSeq(words) {
			m[w] = norm
		}
	}
	return m
}

// readCompounds reads lines "first: second second ..."; a star joins the first
// word with whatever follows.
func readCompounds() map[string]map[string]bool {
	m := make(map[string]map[string]bool)
	for _, l := range lines(compoundsText) {
		first, seconds, _ := strings.Cut(l, ":")
		first = strings.TrimSpace(first)
		if strings.TrimSpace(seconds) == "*" {
			m[first] = nil
			continue
		}
		m[first] = set(seconds)
	}
	return m
}

func readStops() map[string]bool {
	m := make(map[string]bool)
	for _, l := range lines(stopText) {
		for w := range strings.FieldsSeq(l) {
			m[normOf(w)] = true
		}
	}
	return m
}

// IsStop reports whether a norm is a word of grammar that carries no clinical
// meaning by itself. Words that decide between codes are never stop words:
// left, right, with, without, due, other, unspecified.
func IsStop(norm string) bool { return stops()[norm] }

// joinPrefix are prefixes that a hyphen joins to the next word.
var joinPrefix = set("non post pre anti peri intra inter extra hyper hypo micro macro pseudo retro semi supra sub trans ultra infra re un co " +
	"hemi mono multi bi uni poly para ante")

// spellingTable is what American needs: replacements by a trigger that a word
// must contain, whole words, words in -ise that stay, and units.
type spellingTable struct {
	regular []spellingGroup
	words   map[string]string
	keep    map[string]bool
	units   map[string]string
}

type spellingGroup struct {
	trigger string
	pairs   [][2]string // British, American
}

func readSpellings() *spellingTable {
	t := &spellingTable{words: map[string]string{}, units: map[string]string{}}
	for _, l := range lines(spellingsText) {
		name, list, _ := strings.Cut(l, ": ")
		g := spellingGroup{trigger: name}
		for f := range strings.FieldsSeq(list) {
			from, to, _ := strings.Cut(f, "=")
			switch name {
			case "words":
				t.words[from] = to
			case "units":
				t.units[from] = to
			case "keep":
			default:
				g.pairs = append(g.pairs, [2]string{from, to})
			}
		}
		switch {
		case name == "keep":
			t.keep = set(list)
		case g.pairs != nil:
			t.regular = append(t.regular, g)
		}
	}
	return t
}
