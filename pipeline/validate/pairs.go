package validate

import (
	"fmt"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// excludes: two codes of which one is excluded at the other, or above it. The
// closest note counts, and each pair is named once: where Excludes1 and
// Excludes2 both speak of it, by the first.
func (st *state) excludes() {
	done := map[[2]int]bool{}
	st.eachExcluded(done, func(p *place) []codeset.Line { return p.excludes1 }, func(i, j int, l codeset.Line) {
		st.add(coding.Finding{Rule: RuleExcludes1, Severity: coding.SeverityError,
			Message: fmt.Sprintf("%s and %s are not coded together, unless the note shows that the two conditions have nothing to do with each other.",
				st.list[i].code.Code, st.list[j].code.Code),
			Source: st.v.notes.source("Excludes1", l)}, i, j)
	})
	atCodes := func(p *place) []codeset.Line { // those of chapters would speak of every second pair
		if !p.diag {
			return nil
		}
		return p.excludes2
	}
	st.eachExcluded(done, atCodes, func(i, j int, l codeset.Line) {
		st.add(coding.Finding{Rule: RuleExcludes2, Severity: coding.SeverityInformation,
			Message: fmt.Sprintf("%s is not part of %s; both may be coded if the patient has both.", st.list[j].code.Code, st.list[i].code.Code),
			Source:  st.v.notes.source("Excludes2", l)}, i, j)
	})
}

// eachExcluded gives the pairs of which a line at the first, or above it, names
// the second, unless they are in done.
func (st *state) eachExcluded(done map[[2]int]bool, lines func(*place) []codeset.Line, found func(i, j int, l codeset.Line)) {
	for i := range st.list {
		own := st.list[i].code.Code
		for _, p := range st.list[i].places {
			for _, l := range lines(p) {
				for j := range st.list {
					pair := [2]int{min(i, j), max(i, j)}
					if j == i || done[pair] || !st.list[j].icd() || !matches(l, st.list[j].code.Code) || matches(l, own) {
						continue
					}
					done[pair] = true
					found(i, j, l)
				}
			}
		}
	}
}

// integralSigns: a sign is not coded beside the diagnosis that it belongs to.
func (st *state) integralSigns() {
	if st.style == coding.Mentions {
		return
	}
	for i := range st.list {
		if !st.list[i].icd() {
			continue
		}
		for _, row := range st.v.signs {
			if !matchesAny(row.sign, st.list[i].code.Code) {
				continue
			}
			for j := range st.list {
				if j == i || !st.list[j].icd() || !matchesAny(row.diagnoses, st.list[j].code.Code) {
					continue
				}
				st.add(coding.Finding{Rule: RuleIntegralSign, Severity: coding.SeverityWarning,
					Message: fmt.Sprintf("%s (%s) usually belongs to %s (%s); code it only if it has another cause.",
						st.list[i].code.Code, row.name, st.list[j].code.Code, st.list[j].code.Title),
					Source: guideline(st.table, "I.B.5")}, i, j)
				break
			}
		}
	}
}

// combinations: where one code is made for two conditions, it takes their place.
func (st *state) combinations() {
	if st.style == coding.Mentions {
		return
	}
	for _, row := range st.v.combined {
		for i := range st.list {
			if !st.list[i].icd() || !matchesAny(row.a, st.list[i].code.Code) {
				continue
			}
			for j := range st.list {
				if j == i || !st.list[j].icd() || !matchesAny(row.b, st.list[j].code.Code) {
					continue
				}
				st.add(coding.Finding{Rule: RuleCombination, Severity: coding.SeverityWarning,
					Message: fmt.Sprintf("%s and %s together are coded as %s, unless the note says that they are unrelated.",
						st.list[i].code.Code, st.list[j].code.Code, row.instead),
					Source: guideline(st.table, row.section)}, i, j)
				break
			}
		}
	}
}
