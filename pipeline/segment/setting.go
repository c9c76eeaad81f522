package segment

import (
	"strings"

	"chartcode/internal/coding"
)

// assumedSetting guesses where care took place: inpatient when the text is a
// discharge summary, emergency when its headings say so, else outpatient.
func (r *reader) assumedSetting() coding.Setting {
	top := strings.ToLower(r.text[:min(len(r.text), 400)])
	if strings.Contains(top, "discharge summary") || strings.Contains(top, "death summary") || strings.Contains(top, "hospital summary") {
		return coding.Inpatient
	}
	var discharge, admit, course, emergency bool
	for _, s := range r.doc.Sections {
		h := strings.ToLower(strings.TrimSpace(r.text[s.Heading.Start:s.Heading.End]))
		switch {
		case strings.Contains(h, "emergency") || strings.HasPrefix(h, "ed ") || strings.HasPrefix(h, "er course"):
			emergency = true
		case strings.Contains(h, "discharge diagnos") || strings.Contains(h, "diagnoses on discharge") || strings.Contains(h, "diagnosis on discharge") ||
			strings.Contains(h, "discharge medication") || strings.Contains(h, "date of discharge") || h == "discharged" || h == "discharge date" || h == "condition on discharge" || h == "discharge condition":
			discharge = true
		case strings.Contains(h, "admission") || strings.Contains(h, "admitting") || strings.Contains(h, "admitted"):
			admit = true
		case strings.Contains(h, "hospital course") || strings.Contains(h, "course in hospital") || strings.Contains(h, "course of hospitalization") || strings.Contains(h, "hospital stay"):
			course = true
		}
	}
	firstLine, _, _ := strings.Cut(strings.TrimSpace(top), "\n")
	firstLine, _, _ = strings.Cut(firstLine, ".")
	for _, title := range [...]string{"emergency department", "emergency room", "emergency medicine", "ed note", "ed visit", "ed provider", "ed physician", "er note", "er visit"} {
		if strings.HasPrefix(firstLine, title) && len(firstLine) < 60 {
			emergency = true
		}
	}
	switch {
	case discharge && (course || admit):
		return coding.Inpatient
	case course && admit:
		return coding.Inpatient
	case emergency:
		return coding.Emergency
	}
	return coding.Outpatient
}
