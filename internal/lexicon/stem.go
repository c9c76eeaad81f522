package lexicon

import "strings"

// Stem reduces a lower-case American word to what it shares with its variants:
// plurals (Latin and Greek ones too), -osis/-otic, -ia/-ic/-y, -ion/-ive/-ed,
// -ance/-ant. Words for which the rules would be wrong, and adjectives of the
// same root (tracheal, trachea), are in tables/stems.txt. It errs on the side of
// leaving words apart.
func Stem(w string) string {
	if v, ok := stems()[w]; ok {
		return v
	}
	if len(w) <= 3 {
		return w
	}
	if s := singular(w); len(s) != len(w) || s != w {
		if v, ok := stems()[s]; ok {
			return v
		}
		w = s
	}
	return root(w)
}

// singular undoes a plural.
func singular(w string) string {
	n := len(w)
	switch w[n-1] {
	case 's':
		if n < 4 {
			return w
		}
		switch {
		case strings.HasSuffix(w, "itides"):
			return w[:n-3] + "s"
		case n > 4 && strings.HasSuffix(w, "ies"):
			return w[:n-3] + "y"
		case n > 7 && (strings.HasSuffix(w, "oses") || strings.HasSuffix(w, "lyses") || strings.HasSuffix(w, "psies") ||
			strings.HasSuffix(w, "reses") || strings.HasSuffix(w, "theses") || strings.HasSuffix(w, "stases")):
			return w[:n-2] + "is"
		case strings.HasSuffix(w, "sses") || strings.HasSuffix(w, "shes") || strings.HasSuffix(w, "ches") ||
			strings.HasSuffix(w, "xes") || strings.HasSuffix(w, "zzes"):
			return w[:n-2]
		case w[n-2] == 's' || w[n-2] == 'u' || w[n-2] == 'i':
			return w
		}
		return w[:n-1]
	case 'a':
		if n > 6 && strings.HasSuffix(w, "mata") {
			return w[:n-2]
		}
	case 'e':
		if n > 5 && w[n-2] == 'a' {
			return w[:n-1]
		}
	case 'i':
		if n > 5 && strings.HasSuffix(w, "cci") {
			return w[:n-1] + "us"
		}
	}
	return w
}

type ending struct {
	suffix, with string
	least        int // letters that must be left before the suffix
}

// endings, by last letter, longest first: the first that fits is applied.
var endings = [26][]ending{
	'c' - 'a': {
		{"matic", "ma", 4}, {"lytic", "lys", 2}, {"plastic", "plas", 3}, {"static", "stas", 3}, {"paretic", "pares", 2},
		{"otic", "os", 4}, {"itic", "it", 4}, {"istic", "ist", 4}, {"ific", "if", 3}, {"ic", "", 4},
	},
	'd' - 'a': {{"ified", "if", 3}, {"eed", "eed", 0}, {"ied", "", 4}, {"osed", "os", 5}, {"ed", "", 4}},
	'e' - 'a': {{"ance", "an", 3}, {"ence", "en", 3}, {"ative", "at", 4}, {"itive", "itive", 0}, {"ive", "", 4}, {"able", "able", 0}, {"e", "", 4}},
	'g' - 'a': {{"ifying", "if", 3}, {"eing", "eing", 0}, {"ing", "", 4}},
	0:         {{"plasia", "plas", 2}, {"ia", "", 4}, {"ea", "ea", 0}},
	'l' - 'a': {{"ological", "olog", 2}, {"ical", "", 4}},
	'n' - 'a': {{"ification", "if", 3}, {"ation", "at", 3}, {"ition", "ition", 0}, {"ion", "", 4}},
	's' - 'a': {
		{"omatous", "oma", 2}, {"iousness", "ious", 2}, {"iness", "", 4}, {"ness", "", 4}, {"osis", "os", 3}, {"itis", "it", 2}, {"lysis", "lys", 2},
		{"stasis", "stas", 3}, {"asis", "as", 3}, {"esis", "es", 2}, {"psis", "ps", 2}, {"tious", "t", 4}, {"sis", "s", 3},
	},
	't' - 'a': {{"ant", "an", 4}, {"ment", "ment", 0}, {"ient", "ien", 3}, {"ent", "en", 4}},
	'y' - 'a': {
		{"ically", "", 4}, {"ally", "al", 4}, {"ously", "ous", 3}, {"ively", "", 4}, {"edly", "", 4}, {"ingly", "", 4}, {"antly", "an", 3},
		{"ently", "en", 3}, {"ately", "at", 3}, {"etely", "et", 3}, {"arly", "ar", 4}, {"erly", "er", 4}, {"tly", "t", 4}, {"dly", "d", 4},
		{"ancy", "an", 3}, {"ency", "en", 3}, {"icity", "", 4}, {"ivity", "", 4}, {"ity", "", 4}, {"atory", "at", 4}, {"ory", "ory", 0}, {"y", "", 4},
	},
}

func root(w string) string {
	last := w[len(w)-1]
	if last < 'a' || last > 'z' {
		return w
	}
	for _, e := range endings[last-'a'] {
		if !strings.HasSuffix(w, e.suffix) {
			continue
		}
		stem := w[:len(w)-len(e.suffix)]
		if e.with == e.suffix { // protected
			return w
		}
		if len(stem)+len(e.with) < 4 || len(stem) < e.least-boolInt(e.with != "") {
			continue
		}
		switch e.suffix {
		case "ed", "ing":
			if !hasVowel(stem) {
				return w
			}
			return undouble(stem)
		case "ion":
			if c := stem[len(stem)-1]; c != 's' && c != 't' {
				return w
			}
		}
		if e.with == "" {
			return stem
		}
		if strings.HasPrefix(e.suffix, e.with) {
			return w[:len(stem)+len(e.with)]
		}
		return stem + e.with
	}
	return w
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func hasVowel(s string) bool { return strings.ContainsAny(s, "aeiouy") }

// undouble removes the doubled consonant of "stopped".
func undouble(s string) string {
	n := len(s)
	if n > 4 && s[n-1] == s[n-2] {
		switch s[n-1] {
		case 'b', 'd', 'g', 'm', 'n', 'p', 'r', 't':
			return s[:n-1]
		}
	}
	return s
}
