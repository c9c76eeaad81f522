// Package segment reads a note as a clinician wrote it: sections under their
// headings, sentences and list items, clauses, the stretches in which something
// is negated, possible, historical, about the family or hypothetical, from cues,
// from sections and from the boxes, signs, table cells and questions of forms,
// and measurements and qualifiers as facts. What another person has who is no
// relative of blood is negated: it is not the patient's, and no family history.
//
// It works on the text alone, by rules whose words are in tables/, without a
// model; it is deterministic and never fails. It imports coding and lexicon and
// does no input or output.
package segment

import (
	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// Segment gives the document of a note. Sections, sentences and clauses are in
// text order; spans lie on rune boundaries of note.Text. Every word is in a
// heading, in a sentence, or marks a list item (1., a), •).
func Segment(note coding.Note) *coding.Document {
	r := &reader{text: note.Text, toks: lexicon.Tokenize(note.Text), serviceYear: serviceYear(note.ServiceDate)}
	r.findLines()
	r.findHeadings()
	doc := &coding.Document{Text: note.Text, Sections: r.sections()}
	r.doc = doc
	r.findSentences()
	r.findClauses()
	r.findScopes()
	r.findFacts()
	doc.Setting, doc.Assumed = note.Setting, false
	if !note.Setting.Valid() {
		doc.Setting, doc.Assumed = r.assumedSetting(), true
	}
	return doc
}

// reader carries what the steps share. Tokens cover the text without white
// space; a token index is valid for the whole note.
type reader struct {
	text        string
	toks        []lexicon.Token
	doc         *coding.Document
	serviceYear int // 0 when unknown
	lines       []line
	headings    []heading
	tokAt       int // cursor of firstToken
	mostlyUpper bool
	factEnd     int      // token after the last measurement found
	sentToks    [][2]int // tokens [from, to) of each sentence
	clauseToks  [][2]int // tokens [from, to) of each clause
}

// firstToken gives the index of the first token that starts at or after the
// byte offset at. It is fast for offsets that rise.
func (r *reader) firstToken(at int) int {
	i := r.tokAt
	if i > len(r.toks) {
		i = len(r.toks)
	}
	for i > 0 && r.toks[i-1].Start >= at {
		i--
	}
	for i < len(r.toks) && r.toks[i].Start < at {
		i++
	}
	r.tokAt = i
	return i
}

// raw is the text of token i as written.
func (r *reader) raw(i int) string { return r.text[r.toks[i].Start:r.toks[i].End] }

func serviceYear(d coding.Date) int {
	if d.IsZero() {
		return 0
	}
	return d.Time().Year()
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f'
}
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }
func isAlpha(c byte) bool { return isUpper(c) || isLower(c) }

// allCaps reports whether s has at least two letters and none of them is
// lower case.
func allCaps(s string) bool {
	n := 0
	for i := 0; i < len(s); i++ {
		if isLower(s[i]) {
			return false
		}
		if isUpper(s[i]) {
			n++
		}
	}
	return n >= 2
}
