package rank

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// seen is a sentence in the form in which patterns are matched: compatible forms
// and look-alike letters made plain, marks that cannot be seen left out, white
// space as blanks, in lower case. hidden is set where it is written so that people
// do not read it; other is a second reading, empty for ordinary sentences.
type seen struct {
	plain, other string
	hidden       bool
}

func visible(s string) seen {
	var v seen
	if strings.Contains(s, "&") {
		s = html.UnescapeString(s)
	}
	if isASCII(s) {
		v.plain = strings.ToLower(strings.Join(strings.Fields(s), " "))
	} else {
		v.plain, v.hidden = unmasked(s)
	}
	v.hidden = v.hidden || dotted(v.plain) || encoded(s) || ciphered(v.plain)
	v.other = digitsAsLetters(v.plain)
	if spaced(v.plain) && !v.hidden {
		v.other = closed(s)
		v.hidden = v.other == ""
	}
	return v
}

// unmasked makes plain letters of those that only look so.
func unmasked(s string) (plain string, hidden bool) {
	var b strings.Builder
	unseen := 0
	for _, r := range norm.NFKC.String(s) {
		switch {
		case r >= 0xE0020 && r <= 0xE007E: // tags spell ASCII that is not shown
			unseen += 2
			b.WriteRune(r - 0xE0000)
		case r == '\u202d' || r == '\u202e': // letters shown in another order than they have
			unseen = unseenWords
		case unicode.Is(unicode.Cf, r) || r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF:
			unseen++
		case r >= 0x300 && r <= 0x36F: // marks over a letter that are not part of it
		case unicode.IsSpace(r) || unicode.IsControl(r):
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	words := strings.Fields(b.String())
	for i, w := range words {
		if mixed(w) {
			words[i] = strings.Map(plainLetter, w)
		}
	}
	return strings.ToLower(strings.Join(words, " ")), unseen >= unseenWords
}

// spacedLetters is how many single letters in a row, and how many different ones,
// are words with blanks between their letters.
const (
	spacedLetters   = 12
	spacedDifferent = 6
)

// dotted reports whether the letters of words are divided by dots or the like, two
// words or more that are longer than any abbreviation: i.g.n.o.r.e r.u.l.e.s.
func dotted(plain string) bool {
	letters, words := 0, 0
	for w := range strings.FieldsSeq(plain) {
		n := 0
		for part := range strings.FieldsFuncSeq(w, unicode.IsPunct) {
			if utf8.RuneCountInString(part) != 1 {
				n = 0
				break
			}
			n++
		}
		if n >= dottedLetters {
			letters, words = letters+n, words+1
		}
	}
	return words >= 2 && letters >= spacedLetters-1
}

// dottedLetters is how many letters of a word are divided: H.E.E.N.T. has five.
const dottedLetters = 5

func spaced(plain string) bool {
	n := 0
	different := map[rune]bool{}
	for w := range strings.FieldsSeq(plain) {
		r, size := utf8.DecodeRuneInString(w)
		if size != len(w) || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			if unicode.IsPunct(r) && size == len(w) {
				continue
			}
			n = 0
			clear(different)
			continue
		}
		n++
		if unicode.IsLetter(r) {
			different[r] = true
		}
		if n >= spacedLetters && len(different) >= spacedDifferent {
			return true
		}
	}
	return false
}

// closed reads letters with blanks between them as the words that wider gaps divide,
// as headings are set; "" where nothing divides them.
func closed(s string) string {
	words := strings.FieldsFunc(widerGaps.Replace(strings.TrimSpace(s)), func(r rune) bool { return r == '\n' })
	if len(words) < 2 {
		return ""
	}
	for i, w := range words {
		words[i] = strings.ToLower(strings.Join(strings.Fields(w), ""))
	}
	return strings.Join(words, " ")
}

var widerGaps = strings.NewReplacer("   ", "\n", "  ", "\n", "\t", "\n")

var letterOf = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s")

// digitsAsLetters reads words like 1gn0re and pr3vi0us; it is empty unless there
// are two.
func digitsAsLetters(plain string) string {
	if !strings.ContainsAny(plain, "013457@$") {
		return ""
	}
	words := strings.Fields(plain)
	n := 0
	for i, w := range words {
		if letter, digit := kinds(w); letter >= 3 && digit >= 1 && letter > digit && !strings.ContainsAny(w, ".-/:%#") {
			words[i] = letterOf.Replace(w)
			n++
		}
	}
	if n < 2 {
		return ""
	}
	return strings.Join(words, " ")
}

func kinds(w string) (letters, digits int) {
	for _, r := range w {
		if unicode.IsLetter(r) {
			letters++
		} else if unicode.IsDigit(r) || r == '@' || r == '$' {
			digits++
		}
	}
	return letters, digits
}

func plainLetter(r rune) rune {
	if l, ok := lookAlikes[r]; ok {
		return l
	}
	return r
}

// unseenWords is how many invisible marks in one sentence are no accident.
const unseenWords = 8

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// mixed reports whether letters of Latin and a look-alike script stand in one
// word, as no language writes them.
func mixed(s string) bool {
	latin, other := false, false
	for _, r := range s {
		if _, ok := lookAlikes[r]; ok {
			other = true
		} else if r < 0x250 && unicode.IsLetter(r) {
			latin = true
		}
	}
	return latin && other
}

// lookAlikes are Cyrillic and Greek letters that look like Latin ones.
var lookAlikes = map[rune]rune{
	'а': 'a', 'е': 'e', 'о': 'o', 'р': 'p', 'с': 'c', 'у': 'y', 'х': 'x', 'і': 'i', 'ѕ': 's', 'ј': 'j', 'ԁ': 'd', 'һ': 'h', 'ո': 'n', 'ӏ': 'l', 'ү': 'y', 'к': 'k', 'м': 'm', 'т': 't', 'п': 'n', 'в': 'b', 'н': 'h',
	'А': 'A', 'В': 'B', 'Е': 'E', 'К': 'K', 'М': 'M', 'Н': 'H', 'О': 'O', 'Р': 'P', 'С': 'C', 'Т': 'T', 'Х': 'X', 'У': 'Y', 'І': 'I', 'Ѕ': 'S', 'Ј': 'J',
	'ο': 'o', 'α': 'a', 'ι': 'i', 'ν': 'v', 'ρ': 'p', 'υ': 'u', 'τ': 't', 'κ': 'k', 'ε': 'e', 'Ο': 'O', 'Α': 'A', 'Ι': 'I', 'Ε': 'E', 'Ν': 'N', 'Τ': 'T', 'Κ': 'K', 'Ρ': 'P', 'Χ': 'X', 'Μ': 'M', 'Η': 'H', 'Β': 'B', 'Ζ': 'Z', 'Υ': 'Y',
}
