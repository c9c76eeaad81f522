package coding

import "sort"

// Span is a half-open range of bytes of a note's text.
type Span struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// Len is the number of bytes.
func (s Span) Len() int { return s.End - s.Start }

// Overlaps reports whether the two share a byte.
func (s Span) Overlaps(o Span) bool { return s.Start < o.End && o.Start < s.End }

// Contains reports whether o lies within s.
func (s Span) Contains(o Span) bool { return s.Start <= o.Start && o.End <= s.End }

// Assertion is what the text claims of a mention.
type Assertion string

// The assertions.
const (
	Present      Assertion = "present"
	Negated      Assertion = "negated"
	Possible     Assertion = "possible"
	Historical   Assertion = "historical"
	Family       Assertion = "family"
	Hypothetical Assertion = "hypothetical"
)

// SectionKind is the meaning of a section, from its heading.
type SectionKind string

// The section kinds.
const (
	SectionUnknown        SectionKind = ""
	SectionChiefComplaint SectionKind = "chief_complaint"
	SectionHPI            SectionKind = "hpi"
	SectionPMH            SectionKind = "past_medical_history"
	SectionPSH            SectionKind = "past_surgical_history"
	SectionFamily         SectionKind = "family_history"
	SectionSocial         SectionKind = "social_history"
	SectionROS            SectionKind = "review_of_systems"
	SectionMedications    SectionKind = "medications"
	SectionAllergies      SectionKind = "allergies"
	SectionExam           SectionKind = "exam"
	SectionResults        SectionKind = "results"
	SectionCourse         SectionKind = "hospital_course"
	SectionProcedure      SectionKind = "procedure"
	SectionIndication     SectionKind = "indication"
	SectionPreopDx        SectionKind = "preoperative_diagnosis"
	SectionPostopDx       SectionKind = "postoperative_diagnosis"
	SectionAdmitDx        SectionKind = "admission_diagnosis"
	SectionDischargeDx    SectionKind = "discharge_diagnosis"
	SectionAssessment     SectionKind = "assessment"
	SectionPlan           SectionKind = "plan"
	SectionInstructions   SectionKind = "instructions"
	SectionOther          SectionKind = "other"
)

// Section is a stretch of text under one heading. Span covers heading and
// body; Heading is empty (Start == End) for text before the first heading.
type Section struct {
	Span
	Heading Span
	Kind    SectionKind
}

// Sentence is one sentence or list item; Section indexes Document.Sections.
type Sentence struct {
	Span
	Section int
	Item    bool // an item of a list
}

// Scope is a stretch of text for which a cue sets the assertion.
type Scope struct {
	Span
	Assertion Assertion
	Cue       Span
}

// FactKind says what a Fact measures or qualifies.
type FactKind string

// The kinds of facts. Values are in the unit named here whatever the note's.
const (
	FactAge           FactKind = "age"               // years; Unit year, month, week or day when the note says so
	FactBMI           FactKind = "bmi"               // kg/m2
	FactBloodPressure FactKind = "blood_pressure"    // mmHg: Value systolic, Second diastolic
	FactHbA1c         FactKind = "hba1c"             // percent
	FactEGFR          FactKind = "egfr"              // mL/min/1.73 m2
	FactGlucose       FactKind = "glucose"           // mg/dL
	FactWeight        FactKind = "weight"            // kg
	FactHeight        FactKind = "height"            // cm
	FactTemperature   FactKind = "temperature"       // degrees Celsius
	FactSpO2          FactKind = "spo2"              // percent
	FactHeartRate     FactKind = "heart_rate"        // per minute
	FactEF            FactKind = "ejection_fraction" // percent; of a range its lower end
	FactGestation     FactKind = "gestation"         // weeks, days as sevenths
	FactPackYears     FactKind = "pack_years"        // years
	FactLaterality    FactKind = "laterality"        // Word: left, right, bilateral
	FactAcuity        FactKind = "acuity"            // Word: acute, subacute, chronic, acute_on_chronic, recurrent
	FactEncounter     FactKind = "encounter"         // Word: initial, subsequent, sequela
	FactHealing       FactKind = "healing"           // Word: routine, delayed, nonunion, malunion
	FactOpenness      FactKind = "openness"          // Word: open, closed (of a fracture)
)

// Fact is a measurement or a qualifying word of the note. Value and Second are
// numbers in the unit of the kind; Unit is set only where the kind says so; Word
// is the canonical word of a qualifier. The span covers name and number, or the
// word. A fact says nothing of assertion: ask AssertionOf its span.
type Fact struct {
	Span
	Kind   FactKind
	Value  float64
	Second float64
	Unit   string
	Word   string
}

// Document is a segmented note: what segment gives to the later stages.
// Sections and Sentences are in text order and do not overlap among
// themselves; Scopes may overlap.
type Document struct {
	Text      string
	Setting   Setting // as stated by the note or assumed from the text
	Assumed   bool    // the setting was assumed
	Sections  []Section
	Sentences []Sentence
	Clauses   []Span // parts of sentences between which negation does not reach
	Scopes    []Scope
	Facts     []Fact // in text order
}

// strength orders assertions where scopes overlap: who it is about first, then
// whether it is so at all, then how sure and when.
var strength = map[Assertion]int{Family: 6, Negated: 5, Hypothetical: 4, Possible: 3, Historical: 2, Present: 1}

// Stronger gives the assertion that holds where scopes of both overlap.
func Stronger(a, b Assertion) Assertion {
	if strength[b] > strength[a] {
		return b
	}
	return a
}

// AssertionOf gives the assertion of the strongest scope that overlaps s;
// Present when there is none.
func (d *Document) AssertionOf(s Span) Assertion {
	best := Present
	for _, sc := range d.Scopes {
		if sc.Overlaps(s) && strength[sc.Assertion] > strength[best] {
			best = sc.Assertion
		}
	}
	return best
}

// DeniedAt reports whether words of s are denied, of whomever they are told: of "no
// family history of gout" AssertionOf says whom it is about.
func (d *Document) DeniedAt(s Span) bool {
	for _, sc := range d.Scopes {
		if sc.Assertion == Negated && sc.Overlaps(s) {
			return true
		}
	}
	return false
}

// SectionAt gives the kind of the section that holds byte offset at.
func (d *Document) SectionAt(at int) SectionKind {
	i := sort.Search(len(d.Sections), func(i int) bool { return d.Sections[i].End > at })
	if i < len(d.Sections) && d.Sections[i].Start <= at {
		return d.Sections[i].Kind
	}
	return SectionUnknown
}

// SentenceAt gives the index of the sentence that holds byte offset at, or -1.
func (d *Document) SentenceAt(at int) int {
	i := sort.Search(len(d.Sentences), func(i int) bool { return d.Sentences[i].End > at })
	if i < len(d.Sentences) && d.Sentences[i].Start <= at {
		return i
	}
	return -1
}

// VectorHit is one stored text near a searched vector. Similarity is the
// cosine, -1..1.
type VectorHit struct {
	TextID     int64
	Similarity float64
}
