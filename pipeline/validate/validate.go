package validate

import (
	"cmp"
	"slices"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// Config holds the rule data.
type Config struct {
	// Lines are those of the newest tabular list and, where they are loaded, of the
	// Medicare Code Editor and the POA-exempt list.
	Lines []codeset.Line
	// Tabular, MCE and POA name the releases that the lines are of, for the sources
	// of findings; the zero release where there are no such lines.
	Tabular, MCE, POA coding.Release
	// HCC are the CMS-HCC mappings, one for each payment year that is loaded.
	HCC []HCCMapping
}

// HCCMapping is one year's mapping of codes to CMS-HCC categories. It takes
// effect with the year of service, one before the year of payment.
type HCCMapping struct {
	Release coding.Release
	Lines   []codeset.Line
}

// Validator applies the rules. It is safe for concurrent use.
type Validator struct {
	notes          *notes
	medicare       *medicare
	firstOnly      []codeGroup
	secondaryOnly  []codeGroup
	confirmed      []codeGroup
	signs          []signRow
	combined       []combinationRow
	contradictions []contradictionRow
	acute          []acuteRow
	pregnancy      []pregnancyRow
}

// New makes a validator of the rule data. It fails only on a broken table of
// the program's own.
func New(cfg Config) (*Validator, error) {
	v := &Validator{notes: newNotes(cfg), medicare: newMedicare(cfg)}
	return v, v.readTables()
}

// Input is what is checked.
type Input struct {
	Note        coding.Note
	Doc         *coding.Document
	Table       *codeset.Table // ICD-10-CM
	Others      map[coding.System]*codeset.Table
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

// Validate takes out codes that are not billable in the release of the date of
// service, of a system without a table, or repeated; puts the others in
// sequence, gives roles, ranks from 1 and findings. The input is left as it is.
//
// For billing, a code that may not stand first gives way to the best one that
// may, the best that may only stand first comes first, and a manifestation comes
// after its etiology; otherwise the order stays.
// For mentions the order always stays, being that of confidence, and only the
// first code that may be first has the role.
func (v *Validator) Validate(in Input) Output {
	var out Output
	st := &state{v: v, table: in.Table, note: &in.Note, docs: map[string]*coding.Document{}, style: in.Style, unordered: in.Style == coding.Mentions, others: in.Others}
	if in.Doc != nil {
		st.docs[""], st.setting = in.Doc, in.Doc.Setting
	}
	seen := map[string]bool{}
	for _, s := range in.Suggestions {
		code, rule := st.lookup(s.System, s.Code)
		if rule == "" && seen[string(s.System)+s.Code] {
			rule = RuleDuplicate
		}
		if rule == "" && s.System == coding.ICD10PCS && !st.setting.InpatientRules() {
			rule = RulePCSSetting
		}
		if rule != "" {
			out.Removed = append(out.Removed, Removed{s.System, s.Code, rule})
			continue
		}
		seen[string(s.System)+s.Code] = true
		s.Display = code.Title
		s.Warnings = slices.Clone(s.Warnings)
		st.append(code, s.Evidence, s)
	}
	st.sequence()
	st.run()
	for i := range st.list {
		s := st.list[i].suggestion
		s.Rank = i + 1
		s.Warnings = append(s.Warnings, st.list[i].findings...)
		out.Suggestions = append(out.Suggestions, s)
	}
	return out
}

// Coded is one code of a coder's list, with the words that support it. Evidence
// names its note as CheckInput.Docs does.
type Coded struct {
	System   coding.System
	Code     string
	Evidence []coding.Evidence
}

// CheckInput is a coder's list of codes, first-listed or principal first.
type CheckInput struct {
	Table   *codeset.Table // ICD-10-CM
	Others  map[coding.System]*codeset.Table
	Setting coding.Setting
	Patient coding.Patient
	Payer   string
	Date    coding.Date // of service; discharge of a stay
	Codes   []Coded
	Style   coding.Style                // billing when empty
	Docs    map[string]*coding.Document // the notes by their ids; may be empty
	// Unordered is set where the order of the codes says nothing; rules about it
	// are then silent.
	Unordered bool
}

// Check gives what the rules say of a list of codes: what Validate says, and for
// each code that may not be reported why, and what may be meant. Nothing is
// removed or put in another order. Findings come in the order of the list, each
// once. Without notes the rules about their words are silent.
func (v *Validator) Check(in CheckInput) []coding.Finding {
	note := coding.Note{Patient: in.Patient, Payer: in.Payer, ServiceDate: in.Date, Setting: in.Setting}
	st := &state{v: v, table: in.Table, others: in.Others, note: &note, docs: in.Docs, setting: in.Setting, style: cmp.Or(in.Style, coding.Billing), unordered: in.Unordered}
	var out []coding.Finding
	seen := map[string]bool{}
	for _, c := range in.Codes {
		code, rule := st.lookup(c.System, c.Code)
		switch {
		case rule != "":
			out = append(out, st.refusal(c, code, rule))
		case seen[string(c.System)+c.Code]:
			out = append(out, coding.Finding{Rule: RuleDuplicate, Severity: coding.SeverityError, Codes: []string{c.Code},
				Message: c.Code + " is there twice; a code is reported once.", Source: guideline(st.table, "I.B.12")})
		case c.System == coding.ICD10PCS && !in.Setting.InpatientRules():
			out = append(out, coding.Finding{Rule: RulePCSSetting, Severity: coding.SeverityError, Codes: []string{c.Code},
				Message: "ICD-10-PCS codes are only reported for inpatient stays.", Source: "HIPAA code set standard, 45 CFR 162.1002(c)(3) (paraphrased)"})
		default:
			seen[string(c.System)+c.Code] = true
			st.append(code, c.Evidence, coding.Suggestion{})
		}
	}
	st.run()
	for _, it := range st.list {
		for _, f := range it.findings {
			if !slices.ContainsFunc(out, func(have coding.Finding) bool { return sameFinding(have, f) }) {
				out = append(out, f)
			}
		}
	}
	return out
}

func sameFinding(a, b coding.Finding) bool {
	return a.Rule == b.Rule && a.Severity == b.Severity && a.Message == b.Message && a.Source == b.Source && slices.Equal(a.Codes, b.Codes)
}
