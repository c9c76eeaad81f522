package validate

import (
	"fmt"
	"slices"
	"strings"

	"chartcode/internal/coding"
)

// side is what a title or the note says of sides.
type side string

const (
	left        side = "left"
	right       side = "right"
	bilateral   side = "bilateral"
	unspecified side = "unspecified"
)

// sideOf tells the side that a title names; empty if none. "unspecified" is
// only a side where the title has it of a part of the body, which nearOther
// tells from its siblings.
func sideOf(title string) side {
	var found side
	for word := range words(title) {
		switch s := side(word); s {
		case left, right:
			if found != "" && found != s && found != unspecified {
				return ""
			}
			found = s
		case bilateral:
			return bilateral
		case unspecified:
			if found == "" {
				found = unspecified
			}
		}
		if word == "both" {
			return bilateral
		}
	}
	return found
}

// words gives a text's words in lower case.
func words(text string) func(func(string) bool) {
	return strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9')
	})
}

// sideless gives a title's words without those of sides, sorted: codes that
// differ only in the side have the same.
func sideless(title string) string {
	var out []string
	for w := range words(title) {
		switch w {
		case "left", "right", "bilateral", "unilateral", "unspecified", "both", "eye", "eyes", "ear", "ears", "of", "the", "and", "side":
			continue
		}
		if len(w) > 3 {
			w = strings.TrimSuffix(w, "s")
		}
		out = append(out, w)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// maxFamily bounds the codes that are compared for one code.
const maxFamily = 400

// otherSide gives the code that differs from c only in having side s.
func (st *state) otherSide(c coding.Code, s side) (coding.Code, bool) {
	table := st.tableOf(c.System)
	want := sideless(c.Title)
	top := c
	for range 3 { // M16.0 and M16.11 meet two levels up; a 7th character adds one
		p, ok := table.Parent(top.Code)
		if !ok {
			break
		}
		top = p
		under := table.BillableUnder(top.Code)
		if len(under) > maxFamily {
			break
		}
		for _, code := range under {
			if o, ok := table.Lookup(code); ok && code != c.Code && mayName(o.Title, s) && sideOf(o.Title) == s && sideless(o.Title) == want {
				return o, true
			}
		}
	}
	return coding.Code{}, false
}

// paired reports whether a code leaves open a side of which there are two: it
// has siblings for left and for right. Heart failure has one for the right only.
func (st *state) paired(c coding.Code) bool {
	_, l := st.otherSide(c, left)
	_, r := st.otherSide(c, right)
	return l && r
}

// mayName is a quick look whether a title can name a side, in any case.
func mayName(title string, s side) bool {
	return strings.Contains(title, string(s[1:])) || s == bilateral && strings.Contains(title, "oth")
}

// noteSide gives the only side that the notes name where they support a code:
// in the supporting words, else in their clause; with the words that name it.
// Empty if there is none, or several.
func (st *state) noteSide(evidence []coding.Evidence) (found side, note string, spans []coding.Span) {
	for _, e := range evidence {
		doc := st.docs[e.NoteID]
		if doc == nil {
			continue
		}
		facts := sidesIn(doc, e.Span)
		if len(facts) == 0 {
			for _, c := range doc.Clauses {
				if c.Overlaps(e.Span) {
					facts = append(facts, sidesIn(doc, c)...)
				}
			}
		}
		for _, f := range facts {
			if found != "" && found != side(f.Word) {
				return "", "", nil
			}
			if found == "" {
				found, note = side(f.Word), e.NoteID
			}
			if e.NoteID == note && !slices.Contains(spans, f.Span) {
				spans = append(spans, f.Span)
			}
		}
	}
	return found, note, spans
}

// sidesIn gives the words of side within a span, which are in text order.
func sidesIn(doc *coding.Document, span coding.Span) []coding.Fact {
	var out []coding.Fact
	from, _ := slices.BinarySearchFunc(doc.Facts, span.Start, func(f coding.Fact, at int) int { return f.Start - at })
	for _, f := range doc.Facts[from:] {
		if f.Start >= span.End {
			break
		}
		if f.Kind == coding.FactLaterality && span.Contains(f.Span) {
			out = append(out, f)
		}
	}
	return out
}

// laterality: the side of a code against the side in the note.
func (st *state) laterality() {
	if len(st.docs) == 0 {
		return
	}
	for i := range st.list {
		it := &st.list[i]
		own := sideOf(it.code.Title)
		if !it.icd() || own == "" {
			continue
		}
		said, note, spans := st.noteSide(it.evidence)
		if said == "" || said == own || own == bilateral {
			continue
		}
		other, ok := st.otherSide(it.code, said)
		if !ok || own == unspecified && !st.paired(it.code) {
			continue
		}
		f := coding.Finding{Rule: RuleLaterality, Severity: coding.SeverityWarning, NoteID: note, Spans: spans, Source: guideline(st.table, "I.B.13"),
			Message: fmt.Sprintf("%s says %s, but the words that support it say %s; %s says so.", it.code.Code, own, said, other.Code)}
		if own == unspecified {
			f.Rule = RuleSideGiven
			f.Message = fmt.Sprintf("%s leaves the side open, but the words that support it say %s; %s says so.", it.code.Code, said, other.Code)
		}
		st.add(f, i)
	}
}

// bothSides: left and right of one condition are coded as bilateral where there
// is a code for it; without one, both codes are right.
func (st *state) bothSides() {
	for i := range st.list {
		if !st.list[i].icd() || sideOf(st.list[i].code.Title) != right {
			continue
		}
		var key string
		for j := range st.list {
			if !st.list[j].icd() || coding.Category(st.list[j].code.Code) != coding.Category(st.list[i].code.Code) || sideOf(st.list[j].code.Title) != left {
				continue
			}
			if key == "" {
				key = sideless(st.list[i].code.Title)
			}
			if sideless(st.list[j].code.Title) != key {
				continue
			}
			if both, ok := st.otherSide(st.list[i].code, bilateral); ok {
				st.add(coding.Finding{Rule: RuleBothSides, Severity: coding.SeverityWarning, Source: guideline(st.table, "I.B.13"),
					Message: fmt.Sprintf("%s and %s name both sides of one condition; %s is the bilateral code.", st.list[i].code.Code, st.list[j].code.Code, both.Code)}, i, j)
			}
		}
	}
}
