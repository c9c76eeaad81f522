package rank

import (
	"strings"

	"chartcode/internal/coding"
)

var termNames = map[coding.TermKind]string{
	coding.TermTitle: "the title", coding.TermInclusion: "the inclusion term", coding.TermIndex: "the index entry",
	coding.TermExternal: "the index entry", coding.TermNeoplasm: "the neoplasm table's", coding.TermDrug: "the drug table's",
	coding.TermEveryday: "the everyday name",
}

var sectionNames = map[coding.SectionKind]string{
	coding.SectionChiefComplaint: "Chief Complaint", coding.SectionHPI: "History of Present Illness", coding.SectionPMH: "Past Medical History",
	coding.SectionPSH: "Past Surgical History", coding.SectionFamily: "Family History", coding.SectionSocial: "Social History",
	coding.SectionROS: "Review of Systems", coding.SectionMedications: "Medications", coding.SectionAllergies: "Allergies",
	coding.SectionExam: "Examination", coding.SectionResults: "Results", coding.SectionCourse: "Hospital Course",
	coding.SectionProcedure: "Procedure", coding.SectionIndication: "Indication", coding.SectionPreopDx: "Preoperative Diagnosis",
	coding.SectionPostopDx: "Postoperative Diagnosis", coding.SectionAdmitDx: "Admission Diagnosis", coding.SectionDischargeDx: "Discharge Diagnosis",
	coding.SectionAssessment: "Assessment", coding.SectionPlan: "Plan", coding.SectionInstructions: "Instructions",
}

var assertionNames = map[coding.Assertion]string{
	coding.Present: "stated as present", coding.Possible: "stated as possible", coding.Family: "told of the family", coding.Historical: "stated as history",
}

// rationale says in one sentence what the candidate rests on. It quotes terms,
// never the note.
func rationale(c *coding.Candidate) string {
	m := bestMatch(c)
	if m == nil {
		return ""
	}
	return rationaleOf(c, m)
}

func rationaleOf(c *coding.Candidate, m *coding.Match) string {
	var b strings.Builder
	if m.Kind == termConvention || m.Kind == termPurpose {
		return m.Term
	}
	switch name := termNames[m.Kind]; {
	case m.Kind == coding.TermLearned:
		b.WriteString("Words that coders have given this code for")
	case m.Lexical > 0 && m.Lexical < 0.85:
		b.WriteString("Matches most of " + name + " '" + m.Term + "'")
	case m.Lexical > 0:
		b.WriteString("Matches " + name + " '" + m.Term + "'")
	default:
		b.WriteString("Means about the same as " + name + " '" + m.Term + "'")
	}
	if s := sectionNames[m.Section]; s != "" {
		b.WriteString(" in " + s)
	}
	if a := assertionNames[m.Assertion]; a != "" {
		b.WriteString("; " + a)
	}
	if m.TermCode != c.Code && m.TermCode != "" && m.Kind != coding.TermLearned {
		b.WriteString("; the term leads to " + m.TermCode + ", of which this is the code that the note supports")
	}
	b.WriteByte('.')
	return b.String()
}
