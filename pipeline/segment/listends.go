package segment

import (
	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// positives are words that, after a comma, begin a positive finding.
var positives = set("mild moderate severe some slight occasional positive increased decreased normal intact clear regular soft stable good trace minimal " +
	"bilateral notable significant well alert pleasant oriented supple symmetric equal reactive full present chronic persistent ongoing worsening " +
	"complains reports endorses admits states but just only status s/p h/o hx history probable possible likely also marked rather associated")

// positiveAfter reports whether after the comma at token i, within the
// negation c, a positive statement begins.
func (s *sentence) positiveAfter(c *cue, i, end int) bool {
	j := i + 1
	if j >= end {
		return false
	}
	w := s.toks[j].Lower
	if w == "or" || w == "nor" || w == "and" && j+1 < end && s.orLater(j, end) {
		return false
	}
	if s.orLater(i, end) {
		return false
	}
	if s.toks[j].Kind == lexicon.Number || w == "+" || w == "(" && j+1 < end && s.toks[j+1].Lower == "+" {
		return true
	}
	if positives[w] {
		return true
	}
	if s.endsEarly(c, i, j, end) {
		return true
	}
	// "is not diabetic, ..." denies one thing; "no", "denies" deny a list.
	switch s.toks[c.from].Lower {
	case "not", "isn't", "wasn't", "never", "is", "was", "are", "were":
		return true
	}
	return false
}

// problemLists are the sections whose sentences list what the patient has.
var problemLists = map[coding.SectionKind]bool{
	coding.SectionPMH: true, coding.SectionAssessment: true, coding.SectionDischargeDx: true, coding.SectionAdmitDx: true,
	coding.SectionPreopDx: true, coding.SectionPostopDx: true, coding.SectionPSH: true, coding.SectionIndication: true,
}

// endsEarly reports whether a negation within an item ("migraine without aura,
// endometriosis") ends at the comma at token i: where problems are listed, or
// after "without" where what follows is longer than an item of a denied list.
func (s *sentence) endsEarly(c *cue, i, j, end int) bool {
	w := s.toks[c.from].Lower
	if w != "without" && w != "no" && w != "w/o" || c.from == s.from {
		return false
	}
	if p := &s.toks[c.from-1]; p.Kind == lexicon.Punct || verbs[p.Lower] {
		return false // it begins its statement: all of it is denied
	}
	if problemLists[s.doc.SectionAt(s.toks[c.from].Start)] {
		return true
	}
	n := 0
	for ; j < end && s.toks[j].Lower != ","; j++ {
		n++
	}
	return n > 3
}

// orLater reports whether an "or" or "nor" follows within the clause.
func (s *sentence) orLater(i, end int) bool {
	for j := i + 1; j < end; j++ {
		if w := s.toks[j].Lower; w == "or" || w == "nor" {
			return true
		}
	}
	return false
}
