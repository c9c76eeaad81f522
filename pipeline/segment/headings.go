package segment

import (
	_ "embed"
	"strings"
	"sync"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

//go:embed tables/headings.txt
var headingsText string

// Kinds of headings that take their section's kind from the heading above.
const (
	kindSystem  coding.SectionKind = "system"  // a body system, in an examination or review of systems
	kindKin     coding.SectionKind = "kin"     // a relative, in a family history
	kindInherit coding.SectionKind = "inherit" // an unknown heading
	kindReturn  coding.SectionKind = "return"  // no heading: the end of a bulleted one
)

// headingNode is a node of the trie of known headings, by norm.
type headingNode struct {
	next map[string]*headingNode
	kind coding.SectionKind
	leaf bool
}

var headingTrie = sync.OnceValue(readHeadings)

// smallWords do not tell headings apart.
var smallWords = map[string]bool{"of": true, "the": true, "and": true, "for": true, "in": true, "&": true, "/": true, "'": true, "patient's": true}

func readHeadings() *headingNode {
	root := &headingNode{next: map[string]*headingNode{}}
	for l := range strings.SplitSeq(headingsText, "\n") {
		if l = strings.TrimSpace(l); l == "" || l[0] == '#' {
			continue
		}
		kind, list, _ := strings.Cut(l, ":")
		for phrase := range strings.SplitSeq(list, ";") {
			at := root
			for _, t := range lexicon.Tokenize(phrase) {
				if smallWords[t.Lower] {
					continue
				}
				n := at.next[t.Norm]
				if n == nil {
					n = &headingNode{next: map[string]*headingNode{}}
					at.next[t.Norm] = n
				}
				at = n
			}
			if !at.leaf {
				at.leaf, at.kind = true, coding.SectionKind(kind)
			}
		}
	}
	return root
}

// heading is a heading found in the text.
type heading struct {
	from       int // where its section begins: the list mark before the words
	start, end int // the words
	body       int // where the text under it begins
	kind       coding.SectionKind
	bulleted   bool // it heads an item of a bulleted list, and ends with it
}

// known matches the longest known heading that begins at token i and ends
// before byte limit; last is the token after it, words how many it has.
func (r *reader) known(i, limit int) (kind coding.SectionKind, last, words int) {
	at := headingTrie()
	n := 0
	for j := i; j < len(r.toks) && r.toks[j].End <= limit && j < i+12; j++ {
		if smallWords[r.toks[j].Lower] && j > i {
			continue
		}
		next := at.next[r.toks[j].Norm]
		if next == nil {
			break
		}
		at = next
		n++
		if at.leaf {
			kind, last, words = at.kind, j+1, n
		}
	}
	return kind, last, words
}

// knownHeading reports whether bytes [start, end) are a known heading and
// nothing else.
func (r *reader) knownHeading(start, end int) bool {
	i := r.firstToken(start)
	if i >= len(r.toks) {
		return false
	}
	_, last, words := r.known(i, end)
	return words > 0 && (last >= len(r.toks) || r.toks[last].Start >= end)
}

// headingAhead reports whether at byte at a heading in capitals begins that a
// colon, a comma or the end of the text follows.
func (r *reader) headingAhead(at int) bool {
	i := r.firstToken(at)
	if i >= len(r.toks) || r.toks[i].Start != at {
		return false
	}
	_, last, words := r.known(i, len(r.text))
	if words == 0 {
		// Unknown, in capitals up to a colon.
		j := i
		for j < len(r.toks) && j < i+8 && allCapsOrMark(r.raw(j)) {
			j++
		}
		return j > i && j < len(r.toks) && r.raw(j) == ":"
	}
	if !allCaps(r.text[at:r.toks[last-1].End]) {
		return false
	}
	return last >= len(r.toks) || r.raw(last) == ":" || r.raw(last) == "," || r.raw(last) == "(" || r.raw(last) == "#"
}

func allCapsOrMark(s string) bool {
	for i := 0; i < len(s); i++ {
		if isLower(s[i]) || s[i] == '.' || s[i] == ':' || s[i] == ',' {
			return false
		}
	}
	return true
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
			return h, caps && !r.mostlyUpper && len(raw) > 2 && (words > 1 || strongAlone[r.toks[i].Lower]) && r.plainAfter(last, l.end)
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
	case t[i] == ':' || strings.HasPrefix(t[i:limit], "."+":"):
		i += strings.IndexByte(t[i:], ':') + 1
		for i < limit && (t[i] == ' ' || t[i] == '*' || t[i] == '\t' || t[i] == ':') {
			i++
		}
		return ':', i
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

// keywordKinds classify unknown headings by a word in them; the first that
// fits, in this order.
var keywordKinds = []struct {
	norm string
	kind coding.SectionKind
}{
	{"famil", coding.SectionFamily}, {"family", coding.SectionFamily}, {"allerg", coding.SectionAllergies}, {"medicat", coding.SectionMedications},
	{"drug", coding.SectionMedications}, {"prescrib", coding.SectionMedications}, {"preop", coding.SectionPreopDx}, {"preoperat", coding.SectionPreopDx},
	{"postop", coding.SectionPostopDx}, {"postoperat", coding.SectionPostopDx}, {"diagnos", coding.SectionAssessment}, {"impress", coding.SectionAssessment}, {"assess", coding.SectionAssessment},
	{"indicat", coding.SectionIndication}, {"reason", coding.SectionIndication}, {"instruct", coding.SectionInstructions}, {"educat", coding.SectionInstructions},
	{"plan", coding.SectionPlan}, {"recommendat", coding.SectionPlan}, {"social", coding.SectionSocial}, {"habit", coding.SectionSocial},
	{"surgery", coding.SectionProcedure}, {"procedur", coding.SectionProcedure}, {"operat", coding.SectionProcedure}, {"techniqu", coding.SectionProcedure},
	{"inject", coding.SectionProcedure}, {"history", coding.SectionPMH}, {"histor", coding.SectionPMH}, {"exam", coding.SectionExam}, {"examin", coding.SectionExam}, {"course", coding.SectionCourse},
	{"cours", coding.SectionCourse}, {"lab", coding.SectionResults}, {"laborator", coding.SectionResults}, {"stud", coding.SectionResults},
	{"result", coding.SectionResults}, {"imag", coding.SectionResults}, {"mri", coding.SectionResults}, {"ct", coding.SectionResults},
	{"xray", coding.SectionResults}, {"ultrasound", coding.SectionResults}, {"scan", coding.SectionResults}, {"finding", coding.SectionResults},
	{"test", coding.SectionResults}, {"echocardiogram", coding.SectionResults}, {"ekg", coding.SectionResults}, {"patholog", coding.SectionResults},
	{"angiogram", coding.SectionResults}, {"angiograph", coding.SectionResults}, {"arter", coding.SectionResults}, {"complaint", coding.SectionChiefComplaint},
}

// unknownHeading takes up to eight words in capitals, or up to five in title
// case with a telling word among them, before a colon, for a heading.
func (r *reader) unknownHeading(l line, i int) (heading, bool) {
	caps, title := true, true
	words, letters := 0, 0
	j := i
	for ; j < len(r.toks) && r.toks[j].End <= l.end && j < i+10; j++ {
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

// leaf kinds: an unknown heading after one of these is not about it.
var closedKinds = map[coding.SectionKind]bool{
	coding.SectionFamily: true, coding.SectionSocial: true, coding.SectionAllergies: true, coding.SectionMedications: true,
	coding.SectionChiefComplaint: true, coding.SectionPSH: true, coding.SectionROS: true,
}

// inner are the kinds whose parts may be headed by body systems.
var inner = map[coding.SectionKind]bool{
	coding.SectionROS: true, coding.SectionExam: true, coding.SectionCourse: true, coding.SectionAssessment: true, coding.SectionPlan: true,
	coding.SectionResults: true, coding.SectionPMH: true, coding.SectionProcedure: true, coding.SectionDischargeDx: true,
}

// sections turns the headings into sections that cover the text.
func (r *reader) sections() []coding.Section {
	var out []coding.Section
	r.dropKin()
	first := len(r.text)
	if len(r.headings) > 0 {
		first = r.headings[0].from
	}
	if s, e := trim(r.text, 0, first); s < e || len(r.headings) == 0 {
		out = append(out, coding.Section{Span: coding.Span{Start: 0, End: first}})
	} else {
		r.headings[0].from = 0 // white space before the first heading
	}
	parent, outer, outerParent := coding.SectionUnknown, coding.SectionUnknown, coding.SectionUnknown
	for i := range r.headings {
		h := &r.headings[i]
		end := len(r.text)
		if i+1 < len(r.headings) {
			end = r.headings[i+1].from
		}
		kind := h.kind
		switch kind {
		case kindReturn:
			kind, parent = outer, outerParent
		case kindSystem:
			kind = coding.SectionExam
			if inner[parent] {
				kind = parent
			}
		case kindKin:
			kind = coding.SectionFamily
		case kindInherit:
			kind = parent
			if closedKinds[parent] {
				kind = coding.SectionOther
				parent = kind
			}
		default:
			parent = kind
		}
		if !h.bulleted {
			outer, outerParent = kind, parent
		}
		out = append(out, coding.Section{
			Span:    coding.Span{Start: h.from, End: end},
			Heading: coding.Span{Start: h.start, End: h.end},
			Kind:    kind,
		})
	}
	return out
}

// dropKin removes headings that name a relative (Mother: 62, well) outside a
// family history.
func (r *reader) dropKin() {
	family := false
	kept := r.headings[:0]
	for _, h := range r.headings {
		switch h.kind {
		case kindKin:
			if !family {
				continue
			}
		case kindSystem, kindInherit, kindReturn:
		default:
			family = h.kind == coding.SectionFamily
		}
		kept = append(kept, h)
	}
	r.headings = kept
}
