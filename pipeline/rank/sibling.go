package rank

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// The code of a condition is the one with the most detail that the note states
// (guideline I.B.2, paraphrased), and the detail often stands in another sentence
// than the name: "ovarian cyst" in the diagnosis, "the stricture was in the bulbous
// urethra" among the findings. A code that was chosen as unspecified gives way to
// a candidate of its category whose title has the same words and further ones, if
// the note says these of the condition; so do "other fracture" to a fracture that has a
// code, and a code of one side to that of both, or the reverse (I.B.13).

// siblingBecause is the sentence that a reader sees with such a code.
const siblingBecause = "The note says more of the condition, or another side, than the code that was found first (guidelines I.B.2, I.B.13)."

// How far apart words may stand that say one thing of one condition, in tokens.
const (
	furtherWithin = 6  // of the further words
	anchorWithin  = 12 // of the condition from these
)

// sharpen gives chosen codes that say unspecified, or without what the note states, or
// another side, to the siblings that say it.
func sharpen(in Input, chosen []Billed) (Input, []Billed) {
	var doc *placed
	row := &convention{before: true, because: siblingBecause}
	chosen = slices.Clone(chosen)
	for i := range chosen {
		c := &in.Candidates[chosen[i].Candidate]
		if !sharpens(c.Code) || !unspecified(c.Display) && !strings.Contains(c.Display, " without ") && !otherFracture(c) && sideOfTitle(c.Display) == "" {
			continue
		}
		if doc == nil {
			doc = place(in.Doc)
		}
		s := doc.sibling(in, c, chosen[i].match.Span)
		if s == nil || slices.ContainsFunc(chosen, func(j Billed) bool { return in.Candidates[j.Candidate].Code == in.Candidates[s.cand].Code }) {
			continue
		}
		g := given{code: in.Candidates[s.cand].Code, parts: []int{i}, with: []coding.Match{matchAt(in.Doc, s.at)}, row: row}
		in.Candidates = slices.Clip(in.Candidates)
		was := chosen[i].Candidate
		in, chosen[i] = give(in, chosen, g)
		chosen[i].was = was + 1
	}
	return in, chosen
}

// sibling finds the candidate that a code gives way to; nil without one.
func (p *placed) sibling(in Input, c *coding.Candidate, at coding.Span) *sibling {
	own := detail(c.Display, c.Code)
	anchors := p.anchors(own, c.Code, at)
	var found []sibling
	for k := range in.Candidates {
		o := &in.Candidates[k]
		if o.Code == c.Code || coding.Category(o.Code) != coding.Category(c.Code) || seventh(o.Code) != seventh(c.Code) {
			continue
		}
		if w := withIt(c.Display, o.Display); c.Code[0] == 'S' && len(w) > 0 { // elsewhere the tables say what goes together
			if s, ok := p.says(w, anchors); ok {
				return &sibling{k, w, s}
			}
			continue
		}
		if s, ok := p.otherSides(c, o, at); ok {
			return &sibling{k, nil, s}
		}
		if !unspecified(c.Display) && !otherFracture(c) {
			continue
		}
		if s, ok := p.sideOf(own, c, o); ok {
			return &sibling{k, nil, s}
		}
		if o.Support.Side < 0 || o.Code[0] == 'S' && unspecified(o.Display) {
			continue
		}
		if further, ok := furtherWords(in, own, o); ok {
			for _, w := range either(o.Display, further) {
				if s, ok := p.says(w, anchors); ok && !doubted(o, s) && !(strings.HasPrefix(o.Display, displaced) && (p.inPlace(at) || p.inPlace(s))) {
					found = append(found, sibling{k, w, s})
					break
				}
			}
		}
	}
	return most(found)
}

// doubted reports whether the words by which a candidate was found there do not
// state it.
func doubted(o *coding.Candidate, at coding.Span) bool {
	return slices.ContainsFunc(o.Matches, func(m coding.Match) bool { return m.Span.Overlaps(at) && m.Assertion != coding.Present })
}

// withIt gives the words of what one title is without and the other, which is the
// same but for that, is with.
func withIt(without, with string) []string {
	for at := 0; ; {
		i := strings.Index(without[at:], " without ")
		if i < 0 {
			return nil
		}
		at += i
		rest := without[at+len(" without "):]
		if without[:at]+" with "+rest == with {
			for _, end := range []string{",", " of ", " with"} {
				rest, _, _ = strings.Cut(rest, end)
			}
			var out []string
			for _, n := range lexicon.Norms(rest) {
				if !lexicon.IsStop(n) && n != "or" && n != "and" {
					out = append(out, n)
				}
			}
			return out
		}
		at += len(" without ")
	}
}

// either gives the sets of words of which one is to be said: "and" between places
// of a title means either (guideline I.A.14, paraphrased).
func either(title string, further []string) [][]string {
	out := [][]string{further}
	toks := lexicon.Words(title)
	for i := 1; i+1 < len(toks); i++ {
		a, b := toks[i-1].Norm, toks[i+1].Norm
		if toks[i].Lower == "with" {
			break
		}
		if toks[i].Lower == "and" && slices.Contains(further, a) && slices.Contains(further, b) && !weakWords()[a] && !weakWords()[b] {
			for _, w := range []string{a, b} {
				out = append(out, slices.DeleteFunc(slices.Clone(further), func(x string) bool { return x == w }))
			}
		}
	}
	return out
}

// sideNames are the words for sides as facts of a note have them, by norm, and
// paired the words that only some titles of a family have.
var (
	sideNames = map[string]string{normOf("left"): "left", normOf("right"): "right", normOf("bilateral"): "bilateral", normOf("both"): "bilateral"}
	paired    = map[string]bool{normOf("ear"): true, normOf("eye"): true, normOf("side"): true}
)

func normOf(word string) string { return lexicon.Norms(word)[0] }

// sideOf reports whether the note, which says no side of the condition, names one
// side throughout, and a title that differs in nothing else has it.
func (p *placed) sideOf(own map[string]bool, c, o *coding.Candidate) (coding.Span, bool) {
	at := coding.Span{Start: -1}
	if c.Support.Side != 0 {
		return at, false
	}
	side := ""
	theirs := detail(o.Display, o.Code)
	for w := range theirs {
		switch {
		case own[w]:
		case sideNames[w] != "":
			side = sideNames[w]
		default:
			return at, false
		}
	}
	for w := range own {
		if !theirs[w] && !sideWords()[w] && !paired[w] {
			return at, false
		}
	}
	if side == "" {
		return at, false
	}
	named := p.sidesNamed()
	if len(named[side]) == 0 {
		return at, false
	}
	at = named[side][0]
	if side == "bilateral" {
		return at, len(named["left"]) == len(named["right"])
	}
	return at, len(named) == 1
}

// sidesNamed are the places where the note names a side that is likely to be the ill
// one, by its word.
func (p *placed) sidesNamed() map[string][]coding.Span {
	out := map[string][]coding.Span{}
	for _, f := range p.doc.Facts {
		if f.Kind == coding.FactLaterality && p.doc.AssertionOf(f.Span) == coding.Present && namesSide(p.doc.SectionAt(f.Start)) {
			out[f.Word] = append(out[f.Word], f.Span)
		}
	}
	return out
}

// namesSide reports whether a side named in a section is likely to be the ill one:
// an examination looks at both, and what was had before may be elsewhere.
func namesSide(s coding.SectionKind) bool {
	switch s {
	case coding.SectionExam, coding.SectionPMH, coding.SectionPSH:
		return false
	}
	return placeTells(s)
}

// sibling is a candidate whose further words the note says.
type sibling struct {
	cand    int
	further []string
	at      coding.Span
}

// most gives the sibling that says all that the others do; nil where two say
// different things of the condition.
func most(found []sibling) *sibling {
	var best *sibling
	for i := range found {
		if best == nil || len(found[i].further) > len(best.further) {
			best = &found[i]
		}
	}
	for i := range found {
		for _, w := range found[i].further {
			if !slices.Contains(best.further, w) {
				return nil
			}
		}
	}
	return best
}

// sharpens reports whether the codes of a category differ by what else is said of
// one condition: mostly its site. Elsewhere further words as often name another
// condition.
func sharpens(code string) bool {
	if signLike(code) {
		return false
	}
	switch coding.Category(code) {
	case "I50", "M05", "M06": // types, not sites
		return false
	}
	switch code[0] {
	case 'C', 'G', 'H', 'I', 'K', 'L', 'M', 'N', 'S':
		return true
	}
	return code[0] == 'D' && code[1] < '5'
}

// seventh is the letter of the encounter, 0 without one.
func seventh(code string) byte {
	if len(code) == 8 {
		return code[7]
	}
	return 0
}

// emptyWords are those of titles that add nothing to what a note has to say.
var emptyWords = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, n := range lexicon.Norms("unspecified other nos specified site part of with without not elsewhere classified type region whether so stated mention initial subsequent encounter sequela for s") {
		out[n] = true
	}
	return out
})

// sideWords are words for sides: these are weighed where candidates are found.
var sideWords = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, n := range lexicon.Norms("left right bilateral unilateral both side") {
		out[n] = true
	}
	return out
})

// detail are the words of a title that a note would say: what it is without is
// left out, and the encounter.
func detail(title, code string) map[string]bool {
	if len(code) == 8 {
		for _, s := range []string{", initial encounter", ", subsequent encounter", ", sequela"} {
			if i := strings.LastIndex(title, s); i >= 0 {
				title = title[:i]
			}
		}
	}
	if strings.HasPrefix(code, "S") { // a fracture that is not said to be in place is coded as displaced (I.C.19.c)
		title = strings.TrimPrefix(title, displaced)
	}
	for _, s := range []string{" without ", ", not "} {
		for {
			i := strings.Index(title, s)
			if i < 0 {
				break
			}
			to := len(title)
			for _, end := range []string{",", " of "} {
				if k := strings.Index(title[i+len(s):], end); k >= 0 {
					to = min(to, i+len(s)+k)
				}
			}
			title = title[:i] + title[to:]
		}
	}
	out := map[string]bool{}
	for _, n := range lexicon.Norms(title) {
		if !lexicon.IsStop(n) && !emptyWords()[n] {
			out[n] = true
		}
	}
	return out
}

// furtherWords are the words that a candidate's title has beyond those of another
// code's; false where it lacks a word that the category has not either, or says
// nothing more.
func furtherWords(in Input, own map[string]bool, o *coding.Candidate) ([]string, bool) {
	theirs := detail(o.Display, o.Code)
	var out []string
	for w := range theirs {
		if own[w] {
			continue
		}
		if sideWords()[w] {
			if o.Support.Side != 1 {
				return nil, false
			}
			continue
		}
		out = append(out, w)
	}
	if len(out) == 0 {
		return nil, false
	}
	slices.Sort(out)
	var category map[string]bool
	for w := range own {
		if theirs[w] {
			continue
		}
		if category == nil {
			category = map[string]bool{}
			if in.Table != nil {
				if h, ok := in.Table.Lookup(coding.Category(o.Code)); ok {
					category = detail(h.Title, "")
				}
			}
		}
		if !category[w] {
			return nil, false
		}
	}
	return out, true
}

// placed is where the words of a note stand.
type placed struct {
	doc    *coding.Document
	tokens []lexicon.Token
	at     map[string][]int
}

func place(doc *coding.Document) *placed {
	p := &placed{doc: doc, tokens: lexicon.Tokenize(doc.Text), at: map[string][]int{}}
	for i := range p.tokens {
		t := &p.tokens[i]
		if t.Kind == lexicon.Punct || lexicon.IsStop(t.Norm) {
			continue
		}
		p.at[t.Norm] = append(p.at[t.Norm], i)
		for _, e := range lexicon.Equivalents(t.Norm) {
			if e.Weight >= 0.9 {
				p.at[e.Norm] = append(p.at[e.Norm], i)
			}
		}
	}
	return p
}

// weakWords name no condition by themselves.
var weakWords = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, n := range lexicon.Norms("acute chronic disease disorder syndrome tissue body left right bilateral unilateral both side upper lower severe mild history patient of the unspecified other pain status post") {
		out[n] = true
	}
	return out
})

var growths = lexicon.Norms("mass lesion tumor cancer carcinoma malignancy")

// anchors are the words by which a note speaks of a condition: those of its title
// and of where it was found.
func (p *placed) anchors(own map[string]bool, code string, at coding.Span) map[string]bool {
	out := map[string]bool{}
	put := func(n string) {
		if !lexicon.IsStop(n) && !weakWords()[n] && !emptyWords()[n] {
			out[n] = true
		}
	}
	for w := range own {
		put(w)
	}
	for _, n := range lexicon.Norms(p.doc.Text[at.Start:at.End]) {
		put(n)
	}
	if code[0] == 'C' || code[0] == 'D' && code[1] < '5' {
		for _, n := range growths {
			out[n] = true
		}
	}
	return out
}

// says finds a place where the note states words of what the anchors name.
func (p *placed) says(further []string, anchors map[string]bool) (coding.Span, bool) {
	for _, i := range p.at[further[0]] {
		s := p.doc.SentenceAt(p.tokens[i].Start)
		if s < 0 || !placeTells(p.doc.SectionAt(p.tokens[i].Start)) {
			continue
		}
		sentence := p.doc.Sentences[s].Span
		within := func(k, far int) bool {
			return k-i <= far && i-k <= far && p.tokens[k].Start >= sentence.Start && p.tokens[k].End <= sentence.End
		}
		span := coding.Span{Start: p.tokens[i].Start, End: p.tokens[i].End}
		ok := p.tied(i, further, anchors)
		for _, w := range further[1:] {
			k := slices.IndexFunc(p.at[w], func(k int) bool { return within(k, furtherWithin) && p.tied(k, further, anchors) })
			if k < 0 {
				ok = false
				break
			}
			t := &p.tokens[p.at[w][k]]
			span.Start, span.End = min(span.Start, t.Start), max(span.End, t.End)
		}
		if !ok || p.doc.AssertionOf(span) != coding.Present {
			continue
		}
		for w := range anchors {
			if !slices.Contains(further, w) && slices.ContainsFunc(p.at[w], func(k int) bool {
				return within(k, anchorWithin)
			}) {
				return span, true
			}
		}
	}
	return coding.Span{}, false
}

// tied reports whether a word that is said of many things stands next to a word
// for the condition or another of the further words: what is chronic in the same
// sentence may be something else.
func (p *placed) tied(i int, further []string, anchors map[string]bool) bool {
	if !weakWords()[p.tokens[i].Norm] {
		return true
	}
	for _, k := range []int{i - 1, i + 1} {
		if k >= 0 && k < len(p.tokens) && (anchors[p.tokens[k].Norm] || slices.Contains(further, p.tokens[k].Norm)) {
			return true
		}
	}
	return false
}

// placeTells reports whether words of a section say where the patient's condition is.
func placeTells(s coding.SectionKind) bool {
	switch s {
	case coding.SectionFamily, coding.SectionROS, coding.SectionInstructions, coding.SectionMedications, coding.SectionAllergies, coding.SectionSocial:
		return false
	}
	return true
}

// otherFracture reports whether a code is of a fracture that is none of those that
// have a code: where the note names one of these, it is that.
func otherFracture(c *coding.Candidate) bool {
	return c.Code[0] == 'S' && strings.HasPrefix(c.Display, "Other fracture of")
}

// otherSides reports whether the sentence of a condition says bilateral, where the code
// has one side, or names one side, where the code has both, the note says no other
// side elsewhere, and a sibling differs in nothing else.
func (p *placed) otherSides(c, o *coding.Candidate, at coding.Span) (coding.Span, bool) {
	none := coding.Span{Start: -1}
	mine, theirs := sideOfTitle(c.Display), sideOfTitle(o.Display)
	if mine == "" || theirs == "" || mine == theirs || (mine != "bilateral" && theirs != "bilateral") {
		return none, false
	}
	a, b := detail(c.Display, c.Code), detail(o.Display, o.Code)
	for _, x := range []struct{ in, of map[string]bool }{{a, b}, {b, a}} {
		for w := range x.in {
			if !x.of[w] && !sideWords()[w] && !paired[w] {
				return none, false
			}
		}
	}
	i := p.doc.SentenceAt(at.Start)
	if i < 0 {
		return none, false
	}
	found := none
	said := ""
	for _, f := range p.doc.Facts {
		if f.Kind != coding.FactLaterality || !p.doc.Sentences[i].Contains(f.Span) {
			continue
		}
		if said != "" && said != f.Word {
			return none, false
		}
		said, found = f.Word, f.Span
	}
	if said != theirs {
		return none, false
	}
	elsewhere := p.sidesNamed()
	delete(elsewhere, theirs)
	// Of both sides a note names the one and the other.
	if len(elsewhere) == 1 || len(elsewhere) > 1 && theirs != "bilateral" {
		return none, false
	}
	return found, p.doc.AssertionOf(found) == coding.Present
}

// displaced begins the titles of fractures that are not in place.
const displaced = "Displaced "

// inPlaceWords are the ways to say of a fracture that it is in place.
var inPlaceWords = regexp.MustCompile(`(?i)\b(?:non[- ]?displaced|un-?displaced|not displaced|(?:no|without)(?: significant| any)? displacement)\b`)

// inPlace reports whether the sentence at a place, or the next, says of a fracture that
// it is in place.
func (p *placed) inPlace(at coding.Span) bool {
	i := p.doc.SentenceAt(at.Start)
	if i < 0 {
		return false
	}
	end := p.doc.Sentences[min(i+1, len(p.doc.Sentences)-1)].End
	return inPlaceWords.MatchString(p.doc.Text[p.doc.Sentences[i].Start:end])
}

// sideOfTitle is the side that a title names, empty without one.
func sideOfTitle(title string) string {
	for _, n := range lexicon.Norms(title) {
		if s := sideNames[n]; s != "" {
			return s
		}
	}
	return ""
}
