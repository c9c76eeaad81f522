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
			if o, ok := table.Lookup(code); ok && code != c.Code && sideOf(o.Title) == s && sideless(o.Title) == want {
				return o, true
			}
		}
	}
	return coding.Code{}, false
}

// noteSide gives the only side that the note names where it supports a code:
// in the supporting words, else in their clause. Empty if there is none, or
// several.
func (st *state) noteSide(evidence []coding.Evidence) side {
	var found side
	for _, e := range evidence {
		s := st.sidesIn(e.Span)
		if len(s) == 0 {
			for _, c := range st.doc.Clauses {
				if c.Overlaps(e.Span) {
					s = append(s, st.sidesIn(c)...)
				}
			}
		}
		for _, one := range s {
			if found != "" && found != one {
				return ""
			}
			found = one
		}
	}
	return found
}

func (st *state) sidesIn(span coding.Span) []side {
	var out []side
	for _, f := range st.doc.Facts {
		if f.Kind == coding.FactLaterality && span.Contains(f.Span) && !slices.Contains(out, side(f.Word)) {
			out = append(out, side(f.Word))
		}
	}
	return out
}

// laterality: the side of a code against the side in the note.
func (st *state) laterality() {
	if st.doc == nil {
		return
	}
	for i := range st.list {
		it := &st.list[i]
		own := sideOf(it.code.Title)
		if !it.icd() || own == "" {
			continue
		}
		said := st.noteSide(it.evidence)
		if said == "" || said == own || own == bilateral {
			continue
		}
		other, ok := st.otherSide(it.code, said)
		if !ok {
			continue
		}
		f := coding.Finding{Rule: RuleLaterality, Severity: coding.SeverityWarning, Source: guideline(st.table, "I.B.13"),
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
