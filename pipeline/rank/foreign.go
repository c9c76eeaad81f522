package rank

import (
	"strings"
	"sync"
	"unicode"
)

// An order in a language for which there is no pattern still stands out: it is a
// sentence of another language in an English note that names a code. A sentence of
// another language alone is none: patients are quoted in theirs.

// ordersAbroad reports whether a sentence of another language names a code.
func ordersAbroad(plain string) bool {
	return holdsCode(plain) && codeWord(plain) && (otherScript(plain) || otherTongue(plain))
}

// codeWord reports whether a word has the form of a code: a letter, a digit, a digit
// or letter, and after a dot up to four more.
func codeWord(plain string) bool {
	for w := range strings.FieldsFuncSeq(plain, func(r rune) bool { return r >= 0x80 || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' }) {
		w = strings.Trim(w, ".")
		stem, rest, dot := strings.Cut(w, ".")
		if len(stem) == 3 && isLower(stem[0]) && isDigit(stem[1]) && (!dot || len(rest) >= 1 && len(rest) <= 4) {
			return true
		}
	}
	return false
}

// leastOtherLetters is how many letters of another script are more than the Greek
// letters and the name that English sentences have.
const leastOtherLetters = 8

// otherScript reports whether words are of another script than the Latin.
func otherScript(plain string) bool {
	n, run := 0, 0
	for _, r := range plain {
		switch {
		case unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) || run > 0 && unicode.IsMark(r):
			if run++; run == 3 {
				n += 3
			} else if run > 3 {
				n++
			}
		default:
			run = 0
		}
	}
	return n >= leastOtherLetters
}

// otherTongue reports whether a sentence has words of grammar of other languages,
// or words with letters that only these have, two or more, and fewer of English.
func otherTongue(plain string) bool {
	english, other := 0, map[string]bool{}
	for w := range strings.FieldsFuncSeq(plain, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
		switch {
		case otherWords()[w] || strings.IndexFunc(w, func(r rune) bool { return r >= 0x100 && r < 0x250 }) >= 0: // Latin letters that neither English nor its eponyms have
			other[w] = true
		case englishWords()[w]:
			english++
		}
	}
	return len(other) >= 2 && len(other) > english
}

// leastEnglish is how many different words of English grammar an English note has.
// Who puts text into a note cannot make them fewer.
const leastEnglish = 3

// isEnglish reports whether a text is mainly, or at least in good part, English.
func isEnglish(text string) bool {
	seen := map[string]bool{}
	for w := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if w = strings.ToLower(w); englishWords()[w] {
			if seen[w] = true; len(seen) >= leastEnglish {
				return true
			}
		}
	}
	return false
}

var englishWords = sync.OnceValue(func() map[string]bool {
	return wordSet(`the of and with for to is was were are from has have had her his she he not by at or this that these on
		be been which who your you if when only all any without within after before`)
})

// otherWords are words of grammar that are neither English words nor abbreviations
// of notes: Spanish, Portuguese, French, Italian, German, Dutch, Danish, Norwegian,
// Swedish, Finnish, Polish, Czech, Hungarian, Romanian, Turkish, Vietnamese,
// Indonesian, Swahili, Tagalog.
var otherWords = sync.OnceValue(func() map[string]bool {
	return wordSet(`las del que para por una como sus todos todas este esta y según solo sólo más
		não uma à às também apenas pelo pela sem
		et dans pour avec une sur cette tous toutes aux sans seulement également
		gli della delle dello nel alla tutti tutte questo questa solamente anche
		der und mit für dem eine einen auf nicht alle nur bitte zu bei von oder auch über wie
		het een van voor niet alleen aan bij naar ook deze  het
		och till från det att för inte alla endast ovan og fra ikke kun til 
		ja kaikki vain tämä sekä älä kaikkia
		nie się oraz jest że tylko  wszystkie dla przez
		je pouze všechny  nebo až
		és nem minden csak egy hogy az
		și toate doar este din pentru
		bir için tüm sadece ile bu
		và các những của cho này không mọi chỉ hãy trước
		dan yang untuk semua ini dari dengan hanya dalam atas ke
		ya wa kwa hii yote za katika 
		ang mga lahat ito lamang huwag `)
})
