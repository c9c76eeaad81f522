package validate

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// medicare are the lines of Medicare's files, by code.
type medicare struct {
	hccRelease, mceRelease, poaRelease coding.Release
	hcc                                map[string][]string
	ages                               map[string][]ageBand
	sex                                map[string]string
	manifestation                      map[string]bool
	poaExempt                          map[string]bool
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
	m := &medicare{hccRelease: cfg.HCC, mceRelease: cfg.MCE, poaRelease: cfg.POA, hcc: map[string][]string{}, ages: map[string][]ageBand{},
		sex: map[string]string{}, manifestation: map[string]bool{}, poaExempt: map[string]bool{}}
	for _, l := range cfg.Lines {
		switch l.Kind {
		case codeset.LineHCC:
			m.hcc[l.Code] = append(m.hcc[l.Code], l.Text)
		case codeset.LinePOAExempt:
			m.poaExempt[l.Code] = true
		case codeset.LineMCE:
			m.edit(l)
		}
	}
	return m
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
	years, aged := st.age()
	sex := strings.ToLower(st.note.Patient.Sex)
	for i := range st.list {
		if !st.list[i].icd() {
			continue
		}
		code := st.list[i].code.Code
		for _, b := range m.ages[code] {
			if aged && (years < b.from || years > b.to) {
				st.add(coding.Finding{Rule: RuleAge, Severity: severity, Source: source + ", age conflict",
					Message: fmt.Sprintf("%s is meant for %s patients (age %s), and this patient is %d.", code, b.name, b.span(), years)}, i)
			}
		}
		want := m.sex[code]
		if want != "" && (sex == "male" || sex == "female" || sex == "m" || sex == "f") && sex[0] != want[0] &&
			!st.note.ServiceDate.IsZero() && st.note.ServiceDate.Before(sexEditsEnd) {
			st.add(coding.Finding{Rule: RuleSex, Severity: severity, Source: source + ", sex conflict",
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

// age is the patient's age in whole years: from the birth date where it is
// given, else the only age that the note states; ok is false if neither says.
func (st *state) age() (years int, ok bool) {
	if years, ok = coding.AgeAt(st.note.Patient.BirthDate, st.note.ServiceDate); ok || st.doc == nil {
		return years, ok
	}
	for _, f := range st.doc.Facts {
		if f.Kind != coding.FactAge || st.doc.AssertionOf(f.Span) == coding.Family {
			continue
		}
		y := int(f.Value)
		if f.Unit != "" && f.Unit != "year" {
			y = 0
			if f.Unit == "month" {
				y = int(f.Value) / 12
			}
		}
		if ok && y != years {
			return 0, false
		}
		years, ok = y, true
	}
	return years, ok
}

// medicareFacts: HCC categories, and codes that need no present-on-admission
// indicator, as information.
func (st *state) medicareFacts() {
	m := st.v.medicare
	for i := range st.list {
		if !st.list[i].icd() {
			continue
		}
		code := st.list[i].code.Code
		if hcc := m.hcc[code]; len(hcc) > 0 {
			st.add(coding.Finding{Rule: RuleHCC, Severity: coding.SeverityInformation, Source: "CMS-HCC mapping " + m.hccRelease.Version,
				Message: fmt.Sprintf("%s counts for HCC %s. This is information, not a reason to code it.", code, strings.Join(hcc, " and "))}, i)
		}
		if st.setting.InpatientRules() && m.poaExempt[code] {
			st.add(coding.Finding{Rule: RulePOAExempt, Severity: coding.SeverityInformation, Source: "CMS list of codes exempt from POA reporting, " + m.poaRelease.Version,
				Message: code + " needs no present-on-admission indicator."}, i)
		}
	}
}
