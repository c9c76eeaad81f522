// Package validate holds suggestions against the rules of coding before a
// coder sees them: it takes out what may not be reported at all, gives the
// codes their roles, and says of the others what a coder must know.
//
// It is pure: rules and code tables come in, findings go out. A finding names
// its rule, its severity, the codes it concerns and the source it rests on; it
// holds no note text.
package validate

import (
	"fmt"
	"strings"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// Config holds the rule data.
type Config struct {
	Lines []codeset.Line // notes of the tabular list
}

// Validator applies the rules. It is safe for concurrent use.
type Validator struct{}

// New makes a validator of the rule data.
func New(Config) (*Validator, error) { return &Validator{}, nil }

// Input is what is checked.
type Input struct {
	Note        coding.Note
	Doc         *coding.Document
	Table       *codeset.Table
	Style       coding.Style
	Suggestions []coding.Suggestion // best first
}

// Removed is a suggestion that may not be shown, and why.
type Removed struct {
	System coding.System
	Code   string
	Rule   string
}

// Output holds what may be shown, in order, with ranks, roles and findings.
type Output struct {
	Suggestions []coding.Suggestion
	Removed     []Removed
}

// The rules.
const (
	RuleNotValid    = "not_valid"    // not in the release of the date of service
	RuleNotBillable = "not_billable" // a header
	RuleDuplicate   = "duplicate"
	RuleExternal    = "external_cause_first"
)

// Validate takes out codes that are not billable in the release of the date of
// service and repeated ones, sees that no external cause is first while
// another code could be, and gives roles: the first is the principal diagnosis
// of a stay, the first-listed of any other visit.
func (v *Validator) Validate(in Input) Output {
	var out Output
	seen := map[string]bool{}
	for _, s := range in.Suggestions {
		rule := ""
		code, known := in.Table.Lookup(s.Code)
		switch {
		case !known:
			rule = RuleNotValid
		case !code.Billable:
			rule = RuleNotBillable
		case seen[s.Code]:
			rule = RuleDuplicate
		}
		if rule != "" {
			out.Removed = append(out.Removed, Removed{s.System, s.Code, rule})
			continue
		}
		seen[s.Code] = true
		s.Display = code.Title
		out.Suggestions = append(out.Suggestions, s)
	}
	list := out.Suggestions
	for i := range list {
		if !externalCause(list[i].Code) {
			first := list[i]
			copy(list[1:i+1], list[:i])
			list[0] = first
			break
		}
	}
	for i := range list {
		s := &list[i]
		s.Rank = i + 1
		s.Role = coding.RoleSecondary
		if i == 0 {
			s.Role = coding.RoleFirstListed
			if in.Doc != nil && in.Doc.Setting.InpatientRules() {
				s.Role = coding.RolePrincipal
			}
			if externalCause(s.Code) {
				s.Role = coding.RoleSecondary
				s.Warnings = append(s.Warnings, coding.Finding{Rule: RuleExternal, Severity: coding.SeverityError, Codes: []string{s.Code},
					Message: "An external cause is never the first code; the injury or condition that it explains is missing.",
					Source:  fmt.Sprintf("ICD-10-CM Official Guidelines FY%s, I.C.20.a.6 (paraphrased)", in.Table.Release().Version)})
			}
		}
	}
	return out
}

// externalCause reports whether a code is of V00-Y99.
func externalCause(code string) bool {
	return code != "" && strings.ContainsRune("VWXY", rune(code[0]))
}
