package rank

import (
	"slices"

	"chartcode/internal/coding"
)

// Which of the codes of a bill is first says a model, learned from coded notes; some
// of it the guidelines decide, whatever codes usually go first.

// Advantages, in log odds, of the code that an assessment, or of a procedure the final
// diagnosis, names before all others: such lists begin with what the visit was for
// (guidelines II and IV.G, paraphrased), which the model, made from few notes, weighs
// less than the labels of the development notes do, on which they were chosen.
const (
	assessedFirst = 0.8
	postopFirst   = 0.6
)

// favorListed adds those advantages to the scores of the chosen codes.
func favorListed(in Input, chosen []Billed, score []float64) {
	may := func(i int) bool {
		code := in.Candidates[chosen[i].Candidate].Code
		return mayStandFirst(code) && code[0] != 'Z' && chosen[i].match.Assertion == coding.Present
	}
	if i := earliestListed(in, chosen, may, coding.SectionAssessment); i >= 0 {
		score[i] += assessedFirst
	}
	if i := earliestListed(in, chosen, func(i int) bool { return definitive(in, chosen[i]) }, coding.SectionPostopDx); i >= 0 {
		score[i] += postopFirst
	}
}

// sequenced puts the code first that the guidelines want there in place of the one
// that is.
func sequenced(in Input, chosen []Billed) []Billed {
	if len(chosen) < 2 || mustStandFirst(in, chosen) >= 0 {
		return chosen
	}
	first := in.Candidates[chosen[0].Candidate].Code
	// A poisoning goes before what it did (I.C.19.e.5.b), but for what the chapter of
	// pregnancy has (I.C.15.a.1).
	if poisoning(first) {
		return chosen
	}
	isPoisoning := func(j Billed) bool {
		return poisoning(in.Candidates[j.Candidate].Code) && j.match.Assertion == coding.Present
	}
	if i := slices.IndexFunc(chosen, isPoisoning); i > 0 && first[0] != 'O' {
		return toFront(chosen, i)
	}
	is := func(i int) bool { return definitive(in, chosen[i]) }
	lists := []coding.SectionKind{coding.SectionPostopDx, coding.SectionDischargeDx, coding.SectionAssessment}
	// A sign gives way to a definitive diagnosis of those lists, unless they name the
	// sign first (II.A, IV.D).
	if signLike(first) {
		own, best := listedAt(in, chosen[0], lists...), earliestListed(in, chosen, is, lists...)
		if best > 0 && (own < 0 || listedAt(in, chosen[best], lists...) < own) {
			return toFront(chosen, best)
		}
	}
	// What was found at an operation is more definite than what led to it (IV.N); what
	// a stay was for is said by the diagnoses at discharge (II), and the chapter of
	// pregnancy goes first.
	if first[0] != 'Z' && first[0] != 'O' && listedAt(in, chosen[0], coding.SectionPostopDx, coding.SectionDischargeDx) < 0 {
		if best := earliestListed(in, chosen, is, coding.SectionPostopDx); best > 0 {
			return toFront(chosen, best)
		}
	}
	return chosen
}

// definitive reports whether a code is of a condition that the note states, and no
// sign of one.
func definitive(in Input, j Billed) bool {
	code := in.Candidates[j.Candidate].Code
	return !signLike(code) && code[0] != 'Z' && mayStandFirst(code) && j.match.Assertion == coding.Present
}

// earliestListed gives the chosen code for which ok holds that sections of the kinds
// name first; -1 without one.
func earliestListed(in Input, chosen []Billed, ok func(i int) bool, kinds ...coding.SectionKind) int {
	best, at := -1, 0
	for i := range chosen {
		if !ok(i) {
			continue
		}
		if p := listedAt(in, chosen[i], kinds...); p >= 0 && (best < 0 || p < at) {
			best, at = i, p
		}
	}
	return best
}

// listedAt is the first byte at which sections of the kinds state a code; -1 where
// none does. Words that only go along with the condition do not count.
func listedAt(in Input, j Billed, kinds ...coding.SectionKind) int {
	at := -1
	c := &in.Candidates[j.Candidate]
	for k := range c.Matches {
		m := &c.Matches[k]
		if !stated(m.Assertion) || !slices.Contains(kinds, m.Section) || m.Lexical < heldFrom && m.Dense < denseHeldFrom {
			continue
		}
		if at < 0 || m.Span.Start < at {
			at = m.Span.Start
		}
	}
	return at
}

// poisoning reports whether a code is of a present poisoning or toxic effect, not of
// an adverse effect, of underdosing or of a sequela, before which goes what it is.
func poisoning(code string) bool {
	c := coding.Category(code)
	if c < "T36" || c > "T65" || len(code) != len("T36.0X1A") || code[7] == 'S' {
		return false
	}
	intent := code[6]
	if intent == 'X' { // of an unspecified drug it is the character before
		intent = code[5]
	}
	return c > "T50" || intent >= '1' && intent <= '4'
}
