package rank

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Text in an encoding is not written for people, whatever it says. These are read:
// base64, base32, hexadecimal, binary and decimal numbers of characters, percent
// signs, quoted-printable, escapes of programs, Morse; and letters put backwards or
// thirteen places on.

// leastEncoded is the least length of a word that is read as an encoding.
const leastEncoded = 24

// leastMarks is the least number of digits and marks of characters written as numbers.
const leastMarks = 24

var (
	encodedWord = regexp.MustCompile(`[A-Za-z0-9+/_-]{24,}`)
	byteNumbers = regexp.MustCompile(`(?:\b[01]{8}\b[ ,]*){8,}|(?:\b[0-9]{2,3}\b[ ,;]+){16,}`)
	escapes     = regexp.MustCompile(`(?:(?:%[0-9A-Fa-f]{2}|=[0-9A-F]{2})[A-Za-z0-9._~,;:-]*){3,}`)
	unicodes    = regexp.MustCompile(`(?:\\u\{?[0-9A-Fa-f]{4,6}\}?|\\x[0-9A-Fa-f]{2}|U\+[0-9A-Fa-f]{4,6}[ ,]*){6,}`)
	morse       = regexp.MustCompile(`(?:[.\-·−–]{1,6}[ /|]+){8,}`)
)

// encoded reports whether a part of the text is text in an encoding.
func encoded(s string) bool {
	if strings.ContainsAny(s, `%=\`) {
		for _, w := range escapes.FindAllString(s, 4) {
			if strings.Contains(w, "=") && strings.Count(w, "=20") < 2 { // "HR=76,RR=20" is no quoted-printable
				continue
			}
			if t, err := url.PathUnescape(strings.ReplaceAll(w, "=", "%")); err == nil && isText([]byte(t)) {
				return true
			}
		}
		if unicodes.MatchString(s) {
			return true
		}
	}
	run, longest, marks := 0, 0, 0
	for i := range len(s) {
		if run++; s[i] == ' ' {
			run = 0
		}
		longest = max(longest, run)
		if isDigit(s[i]) || s[i] == '-' || s[i] == '.' || s[i] >= 0x80 {
			marks++
		}
	}
	if longest >= leastEncoded {
		for _, w := range encodedWord.FindAllString(s, 8) {
			if decodes(w) {
				return true
			}
		}
	}
	if marks < leastMarks {
		return marks >= 8 && morseCode(s)
	}
	for _, w := range byteNumbers.FindAllString(s, 4) {
		if isText(numbers(w)) {
			return true
		}
	}
	return morseCode(s)
}

// decodes reports whether a word is text in base64, base32 or hexadecimal.
func decodes(w string) bool {
	if b, err := hex.DecodeString(w[:len(w)/2*2]); err == nil && isText(b) {
		return true
	}
	if b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(w[:len(w)/8*8]); err == nil && isText(b) {
		return true
	}
	w = strings.NewReplacer("-", "+", "_", "/").Replace(w)
	b, err := base64.RawStdEncoding.DecodeString(w[:len(w)/4*4])
	return err == nil && isText(b)
}

// numbers are the bytes that binary or decimal numbers stand for; none where one is
// no byte.
func numbers(s string) []byte {
	var out []byte
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return r < '0' || r > '9' }) {
		base := 10
		if len(w) == 8 {
			base = 2
		}
		n, err := strconv.ParseUint(w, base, 8)
		if err != nil {
			return nil
		}
		out = append(out, byte(n))
	}
	return out
}

// morseCode reports whether dots and dashes make at least four different letters;
// lines of one mark divide a page.
func morseCode(s string) bool {
	for _, w := range morse.FindAllString(s, 4) {
		different := map[string]bool{}
		for g := range strings.FieldsFuncSeq(w, func(r rune) bool { return r == ' ' || r == '/' || r == '|' }) {
			different[g] = true
		}
		if len(different) >= 4 && strings.ContainsAny(w, ".·") {
			return true
		}
	}
	return false
}

// isText reports whether bytes are words: printable, mostly letters, with blanks.
func isText(b []byte) bool {
	blanks, letters := 0, 0
	for _, c := range b {
		switch {
		case c < ' ' && c != '\n' || c > '~':
			return false
		case c == ' ':
			blanks++
		case isLower(c | 0x20):
			letters++
		}
	}
	return len(b) > 0 && blanks >= max(1, len(b)/12) && 10*letters >= 6*len(b)
}

// ciphered reports whether two words of English grammar stand there backwards, or
// thirteen letters on.
func ciphered(plain string) bool {
	var back, shifted string // the first such word
	for w := range strings.FieldsFuncSeq(plain, func(r rune) bool { return r < 'a' || r > 'z' }) {
		switch w {
		case "eht", "lla", "ylno", "htiw", "eseht", "siht", "taht", //nolint:misspell // a word backwards
			"morf", "ruoy", "edoc", "ton", "dna":
			if back != "" && back != w {
				return true
			}
			back = w
		case "gur", "naq", "nyy", "bayl", "jvgu", "gurfr", "guvf", "gung", "sebz", "lbhe", "pbqr", "abg":
			if shifted != "" && shifted != w {
				return true
			}
			shifted = w
		}
	}
	return false
}
