package segment

import "chartcode/internal/coding"

// closedKinds: an unknown heading after one of these is not about it.
var closedKinds = map[coding.SectionKind]bool{
	coding.SectionFamily: true, coding.SectionSocial: true, coding.SectionAllergies: true, coding.SectionMedications: true,
	coding.SectionChiefComplaint: true, coding.SectionPSH: true, coding.SectionROS: true, coding.SectionAdmitDx: true,
	coding.SectionDischargeDx: true, coding.SectionPreopDx: true, coding.SectionPostopDx: true,
}

// inner are the kinds whose parts may be headed by body systems.
var inner = map[coding.SectionKind]bool{
	coding.SectionROS: true, coding.SectionExam: true, coding.SectionCourse: true, coding.SectionAssessment: true, coding.SectionPlan: true,
	coding.SectionResults: true, coding.SectionPMH: true, coding.SectionProcedure: true, coding.SectionDischargeDx: true,
}

// sections turns the headings into sections that cover the text.
func (r *reader) sections() []coding.Section {
	var out []coding.Section
	r.dropKin()
	first := len(r.text)
	if len(r.headings) > 0 {
		first = r.headings[0].from
	}
	if s, e := trim(r.text, 0, first); s < e || len(r.headings) == 0 {
		out = append(out, coding.Section{Span: coding.Span{Start: 0, End: first}})
	} else {
		r.headings[0].from = 0 // white space before the first heading
	}
	parent, outer, outerParent := coding.SectionUnknown, coding.SectionUnknown, coding.SectionUnknown
	for i := range r.headings {
		h := &r.headings[i]
		end := len(r.text)
		if i+1 < len(r.headings) {
			end = r.headings[i+1].from
		}
		kind := h.kind
		switch kind {
		case kindReturn:
			kind, parent = outer, outerParent
		case kindSystem:
			kind = coding.SectionExam
			if inner[parent] {
				kind = parent
			}
		case kindKin:
			kind = coding.SectionFamily
		case kindInherit:
			kind = parent
			if closedKinds[parent] {
				kind = coding.SectionOther
				parent = kind
			}
		default:
			parent = kind
		}
		if !h.bulleted {
			outer, outerParent = kind, parent
		}
		out = append(out, coding.Section{
			Span:    coding.Span{Start: h.from, End: end},
			Heading: coding.Span{Start: h.start, End: h.end},
			Kind:    kind,
		})
	}
	return out
}

// dropKin removes headings that name a relative (Mother: 62, well) outside a
// family history.
func (r *reader) dropKin() {
	family := false
	kept := r.headings[:0]
	for _, h := range r.headings {
		switch h.kind {
		case kindKin:
			if !family {
				continue
			}
		case kindSystem, kindInherit, kindReturn:
		default:
			family = h.kind == coding.SectionFamily
		}
		kept = append(kept, h)
	}
	r.headings = kept
}
