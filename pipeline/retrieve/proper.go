package retrieve

import (
	"strings"
	"sync"

	"chartcode/internal/lexicon"
)

// Some names are common words but for their capitals: AIDS and aids, PrEP and
// prep, Wells' disease and well. In a term such a word is entered under a key of
// its own, which only a word of the note written with capitals can meet.
const properMark = "^"

// eponyms are the persons' names that are common words too, by norm.
var eponyms = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields("wells still best down downs graves hand black hunt hunter little pick rich bright white brown bell bells fox banks short rose long") {
		for _, n := range lexicon.Norms(w) {
			out[n] = true
		}
	}
	return out
})

// capitals counts the capital letters of a word.
func capitals(raw string) int {
	n := 0
	for i := range len(raw) {
		if raw[i] >= 'A' && raw[i] <= 'Z' {
			n++
		}
	}
	return n
}

// termKey is the key of a term's token: its norm, marked where only capitals
// tell it from a common word.
func termKey(text string, t *lexicon.Token) string {
	raw := text[t.Start:t.End]
	n := capitals(raw)
	if n >= 2 || (n == 1 && raw[0] >= 'A' && raw[0] <= 'Z' && eponyms()[t.Norm] && (strings.ContainsRune(raw, '\'') || t.Start > 0 || followedByName(text[t.End:]))) {
		return properMark + t.Norm
	}
	return t.Norm
}

// followedByName reports whether a text goes on with a word that eponyms stand
// before.
func followedByName(rest string) bool {
	rest = strings.TrimPrefix(strings.TrimLeft(rest, "'\u2019"), "s ")
	f := strings.Fields(rest)
	if len(f) == 0 {
		return false
	}
	switch strings.ToLower(strings.Trim(f[0], ",.;()")) {
	case "syndrome", "disease", "palsy", "phenomenon", "sign":
		return true
	}
	return false
}

// properKey is the marked key of a token of the note; empty when its writing
// makes no name of it.
func properKey(text string, t *lexicon.Token) string {
	raw := text[t.Start:t.End]
	n := capitals(raw)
	if n >= 2 || (eponyms()[t.Norm] && (n == 1 || followedByName(text[t.End:min(len(text), t.End+20)]))) {
		return properMark + t.Norm
	}
	return ""
}
