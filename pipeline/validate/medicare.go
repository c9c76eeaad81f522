package validate

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// medicare are the lines of Medicare's files, by code.
type medicare struct {
	mceRelease, poaRelease coding.Release
	hcc                    []hccYear // the latest first
	ages                   map[string][]ageBand
	sex                    map[string]string
	manifestation          map[string]bool
	poaExempt              map[string]bool
}

// hccYear is the mapping of one payment year.
type hccYear struct {
	release coding.Release
	year    int
	of      map[string][]string // categories by code
}

// ageBand is an age edit: years from and to, both included.
type ageBand struct {
	name     string
	from, to int
}

// The bands of the Medicare Code Editor: perinatal/newborn 0, pediatric 0-17,
// maternity 9-64, adult 15-124.
var bandYears = regexp.MustCompile(`(\d+)(?:-(\d+))?(?: Only)?\)$`)

func newMedicare(cfg Config) *medicare {
	m := &medicare{mceRelease: cfg.MCE, poaRelease: cfg.POA, ages: map[string][]ageBand{},
		sex: map[string]string{}, manifestation: map[string]bool{}, poaExempt: map[string]bool{}}
	for _, l := range cfg.Lines {
		switch l.Kind {
		case codeset.LinePOAExempt:
			m.poaExempt[l.Code] = true
		case codeset.LineMCE:
			m.edit(l)
		}
	}
	for _, mapping := range cfg.HCC {
		y := hccYear{mapping.Release, mapping.Release.EffectiveFrom.Time().Year() + 1, map[string][]string{}}
		for _, l := range mapping.Lines {
			if l.Kind == codeset.LineHCC {
				y.of[l.Code] = append(y.of[l.Code], l.Text)
			}
		}
		m.hcc = append(m.hcc, y)
	}
	slices.SortFunc(m.hcc, func(a, b hccYear) int { return b.year - a.year })
	return m
}

// hccOn gives the mapping for a date of service and the year of payment; without
// one for that year the closest earlier one, else the earliest. Without a date it
// is the latest.
func (m *medicare) hccOn(date coding.Date) (mapping *hccYear, year int) {
	if len(m.hcc) == 0 {
		return nil, 0
	}
	if date.IsZero() {
		return &m.hcc[0], m.hcc[0].year
	}
	year = date.Time().Year() + 1
	for i := range m.hcc {
		if m.hcc[i].year <= year {
			return &m.hcc[i], year
		}
	}
	return &m.hcc[len(m.hcc)-1], year
}

func (m *medicare) edit(l codeset.Line) {
	lower := strings.ToLower(l.Text)
	switch {
	case l.Group == "Age":
		if y := bandYears.FindStringSubmatch(l.Text); y != nil {
			from, _ := strconv.Atoi(y[1]) // the expression lets only digits through
			to := from
			if y[2] != "" {
				to, _ = strconv.Atoi(y[2])
			}
			name, _, _ := strings.Cut(lower, " (")
			m.ages[l.Code] = append(m.ages[l.Code], ageBand{name, from, to})
		}
	case l.Group == "Sex" && strings.HasPrefix(lower, "female"):
		m.sex[l.Code] = "female"
	case l.Group == "Sex" && strings.HasPrefix(lower, "male"):
		m.sex[l.Code] = "male"
	case strings.HasPrefix(lower, "manifestation"):
		m.manifestation[l.Code] = true
	}
}

// sexEditsEnd is the first day of discharge for which the sex edits are listed
// as deactivated.
var sexEditsEnd = coding.NewDate(2024, 10, 1)

// medicareEdits: age and sex against the code. Warnings for an inpatient stay,
// whose claims the editor screens; information elsewhere. Never errors, as
// both have true exceptions.
func (st *state) medicareEdits() {
	m := st.v.medicare
	severity := coding.SeverityInformation
	if st.setting.InpatientRules() {
		severity = coding.SeverityWarning
	}
	source := "Medicare Code Editor " + m.mceRelease.Version
	age, sex := st.age(), st.sex()
	for i := range st.list {
		if !st.list[i].icd() {
			continue
		}
		code := st.list[i].code.Code
		for _, b := range m.ages[code] {
			if age.known && (age.years < b.from || age.years > b.to) {
				st.add(coding.Finding{Rule: RuleAge, Severity: severity, NoteID: age.note, Spans: age.spans, Source: source + ", age conflict",
					Message: fmt.Sprintf("%s is meant for %s patients (age %s), and this patient is %d.", code, b.name, b.span(), age.years)}, i)
			}
		}
		if want := m.sex[code]; want != "" && sex.word != "" && sex.word != want && !st.note.ServiceDate.IsZero() && st.note.ServiceDate.Before(sexEditsEnd) {
			st.add(coding.Finding{Rule: RuleSex, Severity: severity, NoteID: sex.note, Spans: sex.spans, Source: source + ", sex conflict",
				Message: fmt.Sprintf("%s is for %s patients only, and this patient is recorded as another sex.", code, want)}, i)
		}
	}
}

func (b ageBand) span() string {
	if b.from == b.to {
		return strconv.Itoa(b.from)
	}
	return fmt.Sprintf("%d-%d", b.from, b.to)
}

// patientFact is an age in whole years, or a sex (male, female), and the words
// that say so where it is from a note.
type patientFact struct {
	years int
	known bool
	word  string
	note  string
	spans []coding.Span
}

// age is the patient's: from the birth date where it is given, else the only age
// that the notes state.
func (st *state) age() patientFact {
	if years, ok := coding.AgeAt(st.note.Patient.BirthDate, st.note.ServiceDate); ok {
		return patientFact{years: years, known: true}
	}
	var out patientFact
	for note, doc := range st.docs {
		for _, f := range ages(doc) {
			years := int(f.Value + 1e-9) // in years, whatever the note's unit
			if out.known && years != out.years {
				return patientFact{}
			}
			out.add(note, f.Span)
			out.years = years
		}
	}
	return out
}

// ages gives the ages that a note states of its patient.
func ages(doc *coding.Document) []coding.Fact {
	var out []coding.Fact
	for _, f := range doc.Facts {
		if f.Kind == coding.FactAge && doc.AssertionOf(f.Span) != coding.Family {
			out = append(out, f)
		}
	}
	return out
}

// add enters words of a note; those of the first note in the order of ids stay.
func (p *patientFact) add(note string, span coding.Span) {
	switch {
	case !p.known || note < p.note:
		p.known, p.note, p.spans = true, note, []coding.Span{span}
	case note == p.note:
		p.spans = append(p.spans, span)
	}
}

// sexBehindAge is the word of sex behind an age: "58-year-old white female".
var sexBehindAge = regexp.MustCompile(`^(?:[ \t,-]+[A-Za-z]+){0,3}?[ \t,-]+(?i:(female|woman|lady|girl|male|man|gentleman|boy))\b`)

const sexReach = 60 // bytes behind an age

// sex is the patient's as recorded, else as the only word of sex behind the ages
// that the notes state.
func (st *state) sex() patientFact {
	switch strings.ToLower(st.note.Patient.Sex) {
	case "male", "m":
		return patientFact{word: "male"}
	case "female", "f":
		return patientFact{word: "female"}
	case "":
	default: // recorded as neither
		return patientFact{}
	}
	var out patientFact
	for note, doc := range st.docs {
		for _, f := range ages(doc) {
			behind := doc.Text[f.End:min(len(doc.Text), f.End+sexReach)]
			m := sexBehindAge.FindStringSubmatchIndex(behind)
			if m == nil {
				continue
			}
			word := "male"
			switch strings.ToLower(behind[m[2]:m[3]]) {
			case "female", "woman", "lady", "girl":
				word = "female"
			}
			if out.known && word != out.word {
				return patientFact{}
			}
			out.add(note, coding.Span{Start: f.End + m[2], End: f.End + m[3]})
			out.word = word
		}
	}
	return out
}

// medicareFacts: HCC categories, and codes that need no present-on-admission
// indicator, as information.
func (st *state) medicareFacts() {
	m := st.v.medicare
	mapping, year := m.hccOn(st.note.ServiceDate)
	for i := range st.list {
		if !st.list[i].icd() {
			continue
		}
		code := st.list[i].code.Code
		if mapping != nil && len(mapping.of[code]) > 0 {
			source := "CMS-HCC mapping " + mapping.release.Version
			if mapping.year != year {
				source += fmt.Sprintf(" (that of payment year %d is not loaded)", year)
			}
			st.add(coding.Finding{Rule: RuleHCC, Severity: coding.SeverityInformation, Source: source,
				Message: fmt.Sprintf("%s counts for HCC %s in payment year %d. This is information, not a reason to code it.", code, strings.Join(mapping.of[code], " and "), year)}, i)
		}
		if st.setting.InpatientRules() && m.poaExempt[code] {
			st.add(coding.Finding{Rule: RulePOAExempt, Severity: coding.SeverityInformation, Source: "CMS list of codes exempt from POA reporting, " + m.poaRelease.Version,
				Message: code + " needs no present-on-admission indicator."}, i)
		}
	}
}
