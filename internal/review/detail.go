package review

import (
	"regexp"
	"slices"

	"chartcode/internal/coding"
)

// MaxUnits is the largest number of units of a code.
const MaxUnits = 9999

const (
	maxModifiers = 4 // of a line of a claim (CMS-1500, field 24D)
	maxPointers  = 4 // of a line of a claim (CMS-1500, field 24E)
)

var modifier = regexp.MustCompile(`^[A-Z0-9]{2}$`)

// service reports whether codes of a system are billed with units, modifiers
// and the diagnoses that they were for.
func service(s coding.System) bool { return s == coding.HCPCS || s == coding.CPT }

func validPOA(p coding.POA, system coding.System) bool {
	return p == "" || (system == coding.ICD10CM && (p == coding.POAClear || p.Valid()))
}

// decideDetail sets what an act names of a code that is in the review.
func decideDetail(list []Code, a Act, d *coding.Decision) error {
	i := slices.IndexFunc(list, func(c Code) bool { return c.CodeKey == a.Code })
	if i < 0 || !list[i].Listed() {
		return ErrNoCode
	}
	c := list[i]
	if !validRole(a.Role) || !validPOA(a.POA, c.System) {
		return ErrInput
	}
	if (a.Units != nil || a.Modifiers != nil || a.Pointers != nil) && !service(c.System) {
		return ErrInput
	}
	d.System, d.Code, d.Display, d.Role, d.POA = c.System, c.Code, c.Title, a.Role, a.POA
	changed := (a.Role != "" && a.Role != c.Role) || (a.POA != "" && a.POA != c.POA && (a.POA != coding.POAClear || c.POA != ""))
	if a.Units != nil {
		if *a.Units < 0 || *a.Units > MaxUnits {
			return ErrInput
		}
		d.Units, changed = a.Units, changed || *a.Units != c.Units
	}
	if a.Modifiers != nil {
		if len(*a.Modifiers) > maxModifiers || slices.ContainsFunc(*a.Modifiers, func(m string) bool { return !modifier.MatchString(m) }) || repeats(*a.Modifiers) {
			return ErrInput
		}
		m := append([]string{}, *a.Modifiers...)
		d.Modifiers, changed = &m, changed || !slices.Equal(m, c.Modifiers)
	}
	if a.Pointers != nil {
		if len(*a.Pointers) > maxPointers || repeats(*a.Pointers) {
			return ErrInput
		}
		for _, key := range *a.Pointers {
			if !slices.ContainsFunc(list, func(x Code) bool { return x.CodeKey == key && x.System == coding.ICD10CM }) {
				return ErrNoCode
			}
		}
		p := append([]coding.CodeKey{}, *a.Pointers...)
		d.Pointers, changed = &p, changed || !slices.Equal(p, c.Pointers)
	}
	if !changed {
		return ErrAlready
	}
	return nil
}

func repeats[T comparable](values []T) bool {
	for i, v := range values {
		if slices.Contains(values[:i], v) {
			return true
		}
	}
	return false
}

func decideRemark(st State, a Act, d *coding.Decision) error {
	if a.Remark == st.Remark {
		return ErrAlready
	}
	remark := a.Remark
	d.Remark = &remark
	return nil
}

// acceptAll gives a decision for each suggestion that all may be accepted with.
// The first carries the act's key.
func (p planner) acceptAll(list []Code, a Act, first coding.Decision) ([]coding.Decision, error) {
	if a.Above <= 0 || a.Above > 1 {
		return nil, ErrInput
	}
	if a.Above < p.allFrom {
		return nil, ErrTooLow
	}
	var out []coding.Decision
	for _, c := range list {
		if !c.sure(a.Above) {
			continue
		}
		d := first
		d.Kind, d.Seq = coding.Accept, first.Seq+len(out)
		if len(out) > 0 {
			d.Key = ""
		}
		d.DecisionDetail = coding.DecisionDetail{
			System: c.System, Code: c.Code, Display: c.Title, Evidence: c.Evidence, Batch: first.Seq, Above: a.Above,
		}
		out = append(out, d)
	}
	if len(out) == 0 {
		return nil, ErrAlready
	}
	return out, nil
}

// sure reports whether a code is among those that are accepted all at once.
func (c Code) sure(above float64) bool {
	return c.State == Undecided && c.Suggested && c.Confidence >= above && !c.Invalid() &&
		!slices.ContainsFunc(c.Warnings, func(f coding.Finding) bool { return f.Severity == coding.SeverityError })
}
