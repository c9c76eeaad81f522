package segment

import (
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// heading is a heading found in the text.
type heading struct {
	from       int // where its section begins: the list mark before the words
	start, end int // the words
	body       int // where the text under it begins
	kind       coding.SectionKind
	bulleted   bool // it heads an item of a bulleted list, and ends with it
}

// strongAlone are headings of one word that need no colon in capitals, and
// that may stand in the middle of a line in title case.
var strongAlone = map[string]bool{
	"impression": true, "impressions": true, "assessment": true, "plan": true, "findings": true, "diagnosis": true, "diagnoses": true,
	"allergies": true, "medications": true, "procedure": true, "procedures": true, "indication": true, "indications": true, "recommendations": true,
	"disposition": true, "conclusion": true, "conclusions": true, "history": true, "results": true, "technique": true, "complications": true,
	"subjective": true, "objective": true, "hpi": true, "ros": true, "pmh": true, "psh": true, "meds": true, "vitals": true, "labs": true,
	"anesthesia": true, "instructions": true, "comparison": true, "discussion": true,
}

// findHeadings finds the headings: at the start of each line, and in
// the middle of a line after the end of a sentence.
func (r *reader) findHeadings() {
	inItem := false // under a bulleted heading
	for k, l := range r.lines {
		n, numbered := marker(r.text[l.start:l.end])
		content := l.start + n
		i := r.firstToken(content)
		if h, ok := r.lineHeading(k, l, n, i); ok {
			h.from = l.start
			h.bulleted = n > 0 && !numbered && !markdown(r.text[l.start:content])
			inItem = h.bulleted
			r.headings = append(r.headings, h)
			i = r.firstToken(h.body)
		} else if inItem && (n == 0 || numbered) && !l.comma && !r.wrapped(k) {
			inItem = false
			r.headings = append(r.headings, heading{from: l.start, start: l.start, end: l.start, body: l.start, kind: kindReturn})
		}
		for ; i < len(r.toks) && r.toks[i].End <= l.end; i++ {
			if h, ok := r.inlineHeading(l, i); ok {
				h.from = h.start
				r.headings = append(r.headings, h)
				i = max(i, r.firstToken(h.body)-1)
			}
		}
	}
}

// markdown reports whether a line's mark is that of a heading: ## or **.
func markdown(mark string) bool {
	return strings.Trim(mark, "#* ") == "" && mark != "" && mark[0] != ' '
}

// wrapped reports whether line k goes on with the line before it.
func (r *reader) wrapped(k int) bool {
	if k == 0 || r.lines[k].blank {
		return false
	}
	last := r.text[r.lines[k-1].end-1]
	return isLower(r.text[r.lines[k].start]) && strings.IndexByte(".:;!?", last) < 0
}

// lineHeading looks for a heading at token i, the first of line k, whose list
// marker has n bytes.
func (r *reader) lineHeading(k int, l line, n, i int) (heading, bool) {
	if i >= len(r.toks) || r.toks[i].End > l.end || r.toks[i].Kind == lexicon.Punct {
		return heading{}, false
	}
	if markdown(r.text[l.start : l.start+n]) {
		n = 0
	}
	kind, last, words := r.known(i, l.end)
	if words > 0 {
		start, end := r.toks[i].Start, r.toks[last-1].End
		raw := r.text[start:end]
		caps := allCaps(raw) || len(raw) == 1 && isUpper(raw[0])
		mark, body := r.terminator(end, l.end)
		h := heading{start: start, end: end, body: body, kind: kind}
		if kind == coding.SectionExam && words == 1 && r.imagingAt(body) {
			h.kind = coding.SectionProcedure // "EXAM: MRI of the knee" names what was done
		}
		switch mark {
		case ':':
			if len(raw) == 1 && !caps || raw == "all" || raw == "All" {
				return heading{}, false
			}
			return h, true
		case '-':
			return h, (caps || words > 1 || strongAlone[r.toks[i].Lower] && isUpper(raw[0])) && len(raw) > 2
		case '.':
			return h, n == 0 && (caps && len(raw) > 3 && !r.mostlyUpper || words > 1 && body < l.end && kind != kindSystem && isUpper(raw[0]) && titled(raw))
		case 0: // the end of the line
			if len(raw) < 3 && !caps || len(raw) < 2 || k+1 >= len(r.lines) && !caps {
				return heading{}, false
			}
			return h, caps || n == 0 && isUpper(raw[0])
		default:
			if caps && !r.mostlyUpper && len(raw) > 2 && (words > 1 || strongAlone[r.toks[i].Lower]) && r.plainAfter(last, l.end) {
				return h, true
			}
		}
	}
	return r.unknownHeading(l, i)
}

var modalities = set("mri ct cat xray xrays x-ray ultrasound mammogram pet spect sonogram echocardiogram radiograph angiogram doppler fluoroscopy")

// imagingAt reports whether an imaging study is named within the four tokens
// from byte at.
func (r *reader) imagingAt(at int) bool {
	i := r.firstToken(at)
	for j := i; j < min(len(r.toks), i+4); j++ {
		if w := r.toks[j].Lower; modalities[w] {
			return true
		} else if w == "." || w == ":" {
			return false
		}
	}
	return false
}

// plainAfter reports whether the token at i begins ordinary text: a word not
// in capitals, or a number.
func (r *reader) plainAfter(i, limit int) bool {
	if i >= len(r.toks) || r.toks[i].Start >= limit {
		return false
	}
	raw := r.raw(i)
	return r.toks[i].Kind == lexicon.Word && isUpper(raw[0]) && !allCaps(raw) && len(raw) > 1
}

// terminator looks at what follows a heading's words at byte at: ':' or '-' or
// '.', 0 for the end of the line, 'x' for anything else; body is where the text
// under the heading begins.
func (r *reader) terminator(at, limit int) (mark byte, body int) {
	t := r.text
	i := at
	for range 3 { // "(ES)", "#1", "**", "IS"
		for i < limit && (t[i] == ' ' || t[i] == '*' || t[i] == '\t') {
			i++
		}
		if i < limit && t[i] == '(' {
			if c := strings.IndexByte(t[i:limit], ')'); c > 0 && c < 60 {
				j := i + c + 1
				for j < limit && (t[j] == ' ' || t[j] == '*') {
					j++
				}
				if j >= limit || t[j] == ':' {
					i = j
				}
			}
		}
		if i+1 < limit && t[i] == '#' && isDigit(t[i+1]) {
			i += 2
		}
	}
	if i >= limit {
		return 0, limit
	}
	switch {
	case t[i] == ':' || strings.HasPrefix(t[i:limit], "."+":") || strings.HasPrefix(t[i:limit], ",:"):
		i += strings.IndexByte(t[i:], ':') + 1
		for i < limit && (t[i] == ' ' || t[i] == '*' || t[i] == '\t' || t[i] == ':') {
			i++
		}
		return ':', i
	case t[i] == '-' && i > at && i+1 <= limit && strings.HasPrefix(t[i+1:], ","): // "S -, A man"
		return ':', min(i+2, limit)
	case t[i] == '-' && i > at && i+1 < limit && (t[i+1] == ' ' || t[i+1] == '-'):
		for i < limit && (t[i] == ' ' || t[i] == '-') {
			i++
		}
		return '-', i
	case strings.HasPrefix(t[i:limit], "– ") || strings.HasPrefix(t[i:limit], "— "):
		return '-', i + len("– ")
	case t[i] == '.' && (i+1 >= limit || isSpace(t[i+1])):
		i++
		for i < limit && isSpace(t[i]) {
			i++
		}
		return '.', i
	}
	return 'x', i
}

// titled reports whether each word of s but the small ones begins with a
// capital.
func titled(s string) bool {
	for w := range strings.FieldsSeq(s) {
		if !isUpper(w[0]) && !smallWords[w] && w[0] != '/' && !isDigit(w[0]) {
			return false
		}
	}
	return true
}

// inlineHeading looks for a heading at token i within a line: it needs a colon
// and the end of a sentence, or two spaces, before it.
func (r *reader) inlineHeading(l line, i int) (heading, bool) {
	t := &r.toks[i]
	if t.Kind != lexicon.Word || !isUpper(r.text[t.Start]) {
		return heading{}, false
	}
	p := t.Start - 1
	gap := 0
	for p >= l.start && isSpace(r.text[p]) {
		p--
		gap++
	}
	if p > l.start && gap > 0 && (r.text[p] == '-' || strings.HasSuffix(r.text[:p+1], "•")) { // "icing. - Medical Treatment:"
		for p >= l.start && !isAlpha(r.text[p]) && r.text[p] != '.' && r.text[p] != ')' {
			p--
		}
	}
	if p < l.start || gap == 0 && r.text[p] != '.' && r.text[p] != ')' {
		return heading{}, false
	}
	ended := strings.IndexByte(".!?;)", r.text[p]) >= 0
	if !ended && gap < 2 {
		return heading{}, false
	}
	kind, last, words := r.known(i, l.end)
	if words == 0 {
		return heading{}, false
	}
	raw := r.text[t.Start:r.toks[last-1].End]
	mark, body := r.terminator(r.toks[last-1].End, l.end)
	if mark != ':' {
		return heading{}, false
	}
	h := heading{start: t.Start, end: r.toks[last-1].End, body: body, kind: kind}
	switch {
	case allCaps(raw):
		return h, len(raw) > 2 || raw == "PE" || raw == "CC" || kind == kindSystem
	case !titled(raw) && kind != kindSystem && words < 3:
		return heading{}, false
	case kind == kindKin:
		return heading{}, false
	}
	return h, words > 1 || strongAlone[t.Lower] || kind == kindSystem || kind == coding.SectionExam || kind == coding.SectionSocial
}

// unknownHeading takes some words in capitals, or up to five in title
// case with a telling word among them, before a colon, for a heading.
func (r *reader) unknownHeading(l line, i int) (heading, bool) {
	caps, title := true, true
	words, letters := 0, 0
	j := i
	for ; j < len(r.toks) && r.toks[j].End <= l.end && j < i+18; j++ {
		raw := r.raw(j)
		if raw == ":" {
			break
		}
		if strings.IndexByte(".;?!", raw[0]) >= 0 {
			return heading{}, false
		}
		if r.toks[j].Kind == lexicon.Word {
			words++
			letters += len(raw)
			caps = caps && (allCaps(raw) || len(raw) == 1)
			title = title && (isUpper(raw[0]) || smallWords[r.toks[j].Lower])
		}
	}
	if j >= len(r.toks) || r.toks[j].End > l.end || r.raw(j) != ":" || words == 0 || letters < 4 {
		return heading{}, false
	}
	caps = caps && !r.mostlyUpper
	if !caps && (!title || words < 2 || words > 5) {
		return heading{}, false
	}
	_, body := r.terminator(r.toks[j].Start, l.end)
	h := heading{start: r.toks[i].Start, end: r.toks[j-1].End, body: body, kind: kindInherit}
	if r.mixedHistory(i, j) {
		h.kind = coding.SectionPMH
		return h, true
	}
	if r.hasWord(i, j, "family") && (r.hasWord(i, j, "social") || r.hasWord(i, j, "personal")) {
		h.kind = coding.SectionSocial // what is the patient's must not be taken for the family's
		return h, true
	}
	for _, kw := range keywordKinds {
		if !caps && (kw.kind == coding.SectionResults || kw.kind == coding.SectionProcedure || kw.kind == coding.SectionExam) {
			continue // "McMurray's Test:" within an examination
		}
		for k := i; k < j; k++ {
			if r.toks[k].Norm == kw.norm {
				h.kind = kw.kind
				return h, true
			}
		}
	}
	return h, caps
}

func (r *reader) hasWord(from, to int, word string) bool {
	for i := from; i < to; i++ {
		if r.toks[i].Lower == word {
			return true
		}
	}
	return false
}

// mixedHistory reports whether tokens [from, to) name the family's history
// and the patient's own.
func (r *reader) mixedHistory(from, to int) bool {
	family, own := false, false
	for i := from; i < to; i++ {
		switch r.toks[i].Lower {
		case "family":
			family = true
		case "medical", "surgical", "past":
			own = own || i == from || r.toks[i-1].Lower != "family"
		}
	}
	return family && own
}
