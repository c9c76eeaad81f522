package validate

import (
	"fmt"
	"math"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// The codes of chapter 15 beside which the weeks of gestation stand: not those
// of abortive outcomes, of the puerperium and of sequelae (Official Guidelines,
// I.C.21.c.11).
var (
	withWeeks    = []codeset.Ref{{From: "O09", To: "O84"}, {From: "O98", To: "O9A"}}
	weeksOfGest  = []codeset.Ref{{From: "Z3A"}}
	externalAny  = []codeset.Ref{{From: "V00", To: "Y99"}}
	injuries     = []codeset.Ref{{From: "S00", To: "T34"}, {From: "T66", To: "T71"}, {From: "T73", To: "T75"}}
	firstSight   = "ABC" // 7th characters of the first treatment
	minWeeksCode = 8     // before: Z3A.01
	maxWeeksCode = 42    // beyond: Z3A.49
)

// has reports whether a code of the list is of the sets.
func (st *state) has(refs []codeset.Ref) bool {
	for i := range st.list {
		if st.list[i].icd() && matchesAny(refs, st.list[i].code.Code) {
			return true
		}
	}
	return false
}

// weeks: codes of a pregnancy are followed by its weeks, if they are known.
func (st *state) weeks() {
	if !st.pregnant || st.style == coding.Mentions || st.has(weeksOfGest) {
		return
	}
	for i := range st.list {
		if !st.list[i].icd() || !matchesAny(withWeeks, st.list[i].code.Code) {
			continue
		}
		f := coding.Finding{Rule: RuleWeeks, Severity: coding.SeverityInformation, Source: guideline(st.table, "I.C.21.c.11"),
			Message: fmt.Sprintf("With %s, add the weeks of gestation (Z3A.-) if they are known.", st.list[i].code.Code)}
		if g := st.gestation(); g.known {
			f.Severity, f.NoteID, f.Spans = coding.SeverityWarning, g.note, g.spans
			f.Message = fmt.Sprintf("With %s, add the weeks of gestation, which the note states: %s.", st.list[i].code.Code, weeksCode(g.years))
		}
		st.add(f, i)
		return
	}
}

func weeksCode(weeks int) string {
	switch {
	case weeks < minWeeksCode:
		return "Z3A.01"
	case weeks > maxWeeksCode:
		return "Z3A.49"
	}
	return fmt.Sprintf("Z3A.%02d", weeks)
}

// gestation is the number of full weeks (years of patientFact) that the notes
// state, if it is only one.
func (st *state) gestation() patientFact {
	var out patientFact
	for note, doc := range st.docs {
		for _, f := range doc.Facts {
			if f.Kind != coding.FactGestation || doc.AssertionOf(f.Span) != coding.Present {
				continue
			}
			weeks := int(math.Floor(f.Value + 1e-9))
			if out.known && out.years != weeks {
				return patientFact{}
			}
			out.add(note, f.Span)
			out.years = weeks
		}
	}
	return out
}

// pregnancy: in pregnancy, childbirth and the puerperium the codes of chapter 15
// go before those of the condition.
func (st *state) pregnancy() {
	if !st.pregnant || st.style == coding.Mentions {
		return
	}
	for _, row := range st.v.pregnancy {
		if st.has(row.chapter15) {
			continue
		}
		for i := range st.list {
			if st.list[i].icd() && matchesAny(row.condition, st.list[i].code.Code) {
				st.add(coding.Finding{Rule: RulePregnancy, Severity: coding.SeverityWarning, Source: guideline(st.table, "I.C.15.a.1"),
					Message: fmt.Sprintf("With the codes of a pregnancy, %s needs the code for %s before it, unless the note says that the pregnancy is incidental.",
						st.list[i].code.Code, row.name)}, i)
				break
			}
		}
	}
}

// externalWanted: the cause of an injury may be told by a code of its own.
func (st *state) externalWanted() {
	if st.style == coding.Mentions || st.has(externalAny) {
		return
	}
	for i := range st.list {
		code := st.list[i].code.Code
		if !st.list[i].icd() || !matchesAny(injuries, code) || len(coding.UndotCode(code)) != 7 || !containsByte(firstSight, code[len(code)-1]) {
			continue
		}
		st.add(coding.Finding{Rule: RuleExternalWanted, Severity: coding.SeverityInformation, Source: guideline(st.table, "I.C.20.a"),
			Message: fmt.Sprintf("No external cause (V00-Y99) says how %s came about; add one if the note tells and the payer or state asks for it.", code)}, i)
		return
	}
}

func containsByte(s string, b byte) bool {
	for i := range len(s) {
		if s[i] == b {
			return true
		}
	}
	return false
}
