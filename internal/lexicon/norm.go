package lexicon

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normOf is the norm of a lower-case word.
func normOf(lower string) string {
	if !hasLetter(lower) {
		return lower
	}
	w := lower
	if i := strings.IndexByte(w, '\''); i >= 0 { // doesn't, o'clock
		w = strings.ReplaceAll(w, "'", "")
	}
	if v, ok := spellings().units[w]; ok {
		return v
	}
	return Stem(American(w))
}

func hasLetter(s string) bool {
	for i := 0; i < len(s); i++ {
		if isASCIILetter(s[i]) || s[i] >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// lowerASCII lowers ASCII letters; a text already in lower case is returned
// as it is, without allocation.
func lowerASCII(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i] >= 'A' && b[i] <= 'Z' {
					b[i] |= 0x20
				}
			}
			return string(b)
		}
	}
	return s
}

// foldLower lowers s and folds diacritics, ligatures, Greek letters and
// typographic apostrophes to ASCII where there is an equivalent.
func foldLower(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return lowerASCII(s)
	}
	var b strings.Builder
	b.Grow(len(s) + 4)
	for _, r := range norm.NFKD.String(s) {
		if unicode.IsMark(r) || r == '\u00ad' {
			continue
		}
		r = unicode.ToLower(r)
		if v, ok := foldings[r]; ok {
			b.WriteString(v)
			continue
		}
		b.WriteRune(r)
	}
	if b.Len() == 0 {
		return s
	}
	return b.String()
}

var foldings = map[rune]string{
	'\u2019': "'", '\u2018': "'", '\u02bc': "'",
	'æ': "ae", 'œ': "oe", 'ß': "ss", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ı': "i",
	'α': "alpha", 'β': "beta", 'γ': "gamma", 'δ': "delta", 'ε': "epsilon", 'κ': "kappa",
	'λ': "lambda", 'μ': "micro", 'ω': "omega", 'ς': "sigma", 'σ': "sigma", 'θ': "theta",
}

// stripPossessive removes 's and a final apostrophe.
func stripPossessive(lower string) string {
	if strings.HasSuffix(lower, "'s") {
		return lower[:len(lower)-2]
	}
	return strings.TrimSuffix(lower, "'")
}

// American gives the American spelling of a lower-case word; words that have
// none of their own are returned as they are.
func American(w string) string {
	if len(w) < 4 {
		return w
	}
	sp := spellings()
	for i := range sp.regular {
		if !strings.Contains(w, sp.regular[i].trigger) {
			continue
		}
		for _, p := range sp.regular[i].pairs {
			if at := strings.Index(w, p[0]); at >= 0 {
				w = w[:at] + p[1] + w[at+len(p[0]):]
			}
		}
	}
	if v, ok := sp.words[w]; ok {
		return v
	}
	for _, e := range zEndings {
		if len(w) > len(e[0])+3 && strings.HasSuffix(w, e[0]) {
			if sp.keep[w] {
				return w
			}
			return w[:len(w)-len(e[0])] + e[1]
		}
	}
	return w
}

var zEndings = [...][2]string{
	{"ise", "ize"}, {"ised", "ized"}, {"ises", "izes"}, {"ising", "izing"}, {"isation", "ization"}, {"isations", "izations"},
	{"yse", "yze"}, {"ysed", "yzed"}, {"ysing", "yzing"},
}

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}
