package validate

import (
	"fmt"
	"strings"

	"chartcode/internal/coding"
)

// assertion: what the note says of the words that support a code. A code with
// at least one place where the condition is stated of the patient is left alone.
func (st *state) assertion() {
	if len(st.docs) == 0 || st.style == coding.Mentions {
		return
	}
	for i := range st.list {
		it := &st.list[i]
		if !it.icd() || len(it.evidence) == 0 {
			continue
		}
		count := map[coding.Assertion]int{}
		for _, e := range it.evidence {
			if doc := st.docs[e.NoteID]; doc != nil {
				count[doc.AssertionOf(e.Span)]++
			} else {
				count[coding.Present]++ // of a note that is not at hand
			}
		}
		if count[coding.Present]+count[coding.Historical] > 0 {
			continue
		}
		note, spans := spansOf(it.evidence)
		family := strings.HasPrefix(it.code.Code, "Z8") && it.code.Code < "Z85"
		switch {
		case count[coding.Possible] > 0:
			st.uncertain(i, note, spans)
		case count[coding.Family] > 0 && !family:
			st.add(coding.Finding{Rule: RuleNotStated, Severity: coding.SeverityWarning, NoteID: note, Spans: spans,
				Message: fmt.Sprintf("The words that support %s speak of the patient's family; family history has codes of its own (Z80-Z84).", it.code.Code),
				Source:  guideline(st.table, "I.C.21.c.4")}, i)
		case count[coding.Negated] > 0 && it.code.Code[0] != 'Z':
			st.add(coding.Finding{Rule: RuleNotStated, Severity: coding.SeverityWarning, NoteID: note, Spans: spans,
				Message: fmt.Sprintf("The words that support %s say that the patient does not have it.", it.code.Code),
				Source:  guideline(st.table, "I.A.19")}, i)
		case count[coding.Hypothetical] > 0 && it.code.Code[0] != 'Z':
			st.add(coding.Finding{Rule: RuleNotStated, Severity: coding.SeverityWarning, NoteID: note, Spans: spans,
				Message: fmt.Sprintf("The words that support %s speak of what may come, not of what the patient has.", it.code.Code),
				Source:  guideline(st.table, "I.A.19")}, i)
		}
	}
}

// uncertain: a diagnosis that the note calls probable, suspected or the like.
func (st *state) uncertain(i int, note string, spans []coding.Span) {
	code := st.list[i].code.Code
	if !st.setting.InpatientRules() {
		if code[0] == 'R' || code[0] == 'Z' { // a sign is what is coded instead
			return
		}
		st.add(coding.Finding{Rule: RuleUncertain, Severity: coding.SeverityWarning, NoteID: note, Spans: spans,
			Message: fmt.Sprintf("The note calls %s uncertain; for an outpatient, code the sign, symptom or reason for the visit instead.", code),
			Source:  guideline(st.table, "IV.H")}, i)
		return
	}
	if g := inGroups(st.v.confirmed, code); g != nil {
		st.add(coding.Finding{Rule: RuleUncertain, Severity: coding.SeverityError, NoteID: note, Spans: spans,
			Message: fmt.Sprintf("The note calls %s uncertain; %s is coded only when it is confirmed, in an inpatient stay too.", code, g.name),
			Source:  guideline(st.table, g.section)}, i)
	}
}

// spansOf gives the words of the first note that supports a code.
func spansOf(evidence []coding.Evidence) (note string, spans []coding.Span) {
	for i, e := range evidence {
		if i == 0 {
			note = e.NoteID
		}
		if e.NoteID == note {
			spans = append(spans, e.Span)
		}
	}
	return note, spans
}
