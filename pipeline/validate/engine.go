package validate

import (
	"fmt"
	"strings"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// The rules.
const (
	RuleNotValid       = "not_valid"                   // not in the release of the date of service
	RuleNotBillable    = "not_billable"                // a header
	RuleSeventh        = "seventh_character"           // 7th character missing or not allowed, or placeholder X missing
	RuleDuplicate      = "duplicate"                   // twice
	RulePCSSetting     = "pcs_setting"                 // ICD-10-PCS outside an inpatient stay
	RuleExternal       = "external_cause_first"        // external cause without the condition it explains
	RuleManifestation  = "manifestation_first"         // manifestation as principal or first-listed
	RuleCodeFirst      = "code_first"                  // etiology missing, or after its manifestation
	RuleUseAdditional  = "use_additional_code"         // a code that the tabular list asks to add
	RuleCodeAlso       = "code_also"                   // a code that the tabular list asks to add, in either order
	RuleExcludes1      = "excludes1"                   // not coded together
	RuleExcludes2      = "excludes2"                   // may both be coded
	RuleFirstOnly      = "first_listed_only"           // Z code that may only be first
	RuleSecondaryOnly  = "secondary_only"              // code that only adds to another, first
	RuleUncertain      = "uncertain_diagnosis"         // uncertain diagnosis of an outpatient
	RuleNotStated      = "not_stated_of_patient"       // negated, hypothetical, or of the family
	RuleLaterality     = "laterality"                  // another side than the note's
	RuleBothSides      = "both_sides"                  // left and right where a bilateral code exists
	RuleSideGiven      = "unspecified_side"            // unspecified where the note has the side
	RuleIntegralSign   = "integral_sign"               // sign with the diagnosis that explains it
	RuleCombination    = "combination_code"            // two codes where one is made for both
	RuleUnspecified    = "unspecified_beside_specific" // unspecified code of a condition, beside one that says more
	RuleContradiction  = "contradiction"               // two codes of which one says that the other is not so
	RuleAcuteFirst     = "acute_before_chronic"        // chronic before acute of one condition
	RuleWeeks          = "weeks_of_gestation"          // pregnancy without its weeks
	RulePregnancy      = "pregnancy_chapter"           // condition in pregnancy without its code of chapter 15
	RuleExternalWanted = "external_cause_missing"      // injury without a cause
	RuleAge            = "mce_age"                     // Medicare Code Editor: age
	RuleSex            = "mce_sex"                     // Medicare Code Editor: sex
	RuleHCC            = "hcc"                         // CMS-HCC category
	RulePOAExempt      = coding.RulePOAExempt          // needs no present-on-admission indicator
)

// rules are applied in this order.
var rules = []func(*state){
	(*state).externalCause, (*state).manifestationFirst, (*state).firstOnly,
	(*state).secondaryOnly, (*state).excludes, (*state).codeFirst, (*state).useAdditional, (*state).codeAlso,
	(*state).assertion, (*state).laterality, (*state).bothSides,
	(*state).integralSigns, (*state).combinations, (*state).contradictions, (*state).unspecifiedBeside, (*state).acuteFirst,
	(*state).weeks, (*state).pregnancy, (*state).externalWanted, (*state).medicareEdits, (*state).medicareFacts,
}

// state is one list of codes under examination.
type state struct {
	v      *Validator
	table  *codeset.Table
	others map[coding.System]*codeset.Table
	note   *coding.Note
	// docs are the notes, by the note id that evidence gives; empty: codes alone.
	docs    map[string]*coding.Document
	setting coding.Setting
	style   coding.Style
	// unordered: the order of the list says nothing, being that of confidence or
	// of no meaning.
	unordered bool
	list      []item
	pregnant  bool // some code is of chapter 15
}

// item is one code of the list.
type item struct {
	code       coding.Code
	evidence   []coding.Evidence
	suggestion coding.Suggestion
	findings   []coding.Finding
	places     []*place // whose notes hold for the code, the closest first
	excluded   []int    // the items that Excludes1 forbids beside it
}

func (st *state) append(code coding.Code, evidence []coding.Evidence, s coding.Suggestion) {
	it := item{code: code, evidence: evidence, suggestion: s}
	if it.icd() {
		it.places = st.v.notes.above(code.Code)
	}
	st.list = append(st.list, it)
}

func (st *state) run() {
	for i := range st.list {
		st.pregnant = st.pregnant || st.list[i].icd() && st.list[i].code.Code[0] == 'O'
	}
	for _, rule := range rules {
		rule(st)
	}
}

// add gives a finding to the items it concerns, and names their codes in it.
func (st *state) add(f coding.Finding, items ...int) {
	for _, i := range items {
		f.Codes = append(f.Codes, st.list[i].code.Code)
	}
	for _, i := range items {
		st.list[i].findings = append(st.list[i].findings, f)
	}
}

// icd reports whether the item is of ICD-10-CM, of which most rules speak.
func (it *item) icd() bool { return it.code.System == coding.ICD10CM }

// lookup gives a code's row, or the rule by which it may not be reported.
func (st *state) lookup(system coding.System, code string) (coding.Code, string) {
	table := st.tableOf(system)
	if table == nil {
		return coding.Code{}, RuleNotValid
	}
	c, ok := table.Lookup(code)
	switch {
	case !ok:
		return c, RuleNotValid
	case !c.Billable:
		return c, RuleNotBillable
	}
	return c, ""
}

func (st *state) tableOf(system coding.System) *codeset.Table {
	if st.table != nil && st.table.Release().System == system {
		return st.table
	}
	return st.others[system]
}

// refusal says why a code may not be reported and what may be meant.
func (st *state) refusal(c Coded, code coding.Code, rule string) coding.Finding {
	f := coding.Finding{Rule: rule, Severity: coding.SeverityError, Codes: []string{c.Code}}
	table := st.tableOf(c.System)
	if table == nil {
		f.Message = fmt.Sprintf("No %s release is loaded, so %s cannot be checked; it may not be reported.", c.System, c.Code)
		f.Source = "the code sets that are loaded"
		return f
	}
	rel := table.Release()
	f.Source = fmt.Sprintf("%s %s", rel.System, rel.Version)
	if c.System == coding.ICD10CM {
		if m := st.seventh(c.Code); m != "" {
			f.Rule, f.Message = RuleSeventh, m
			return f
		}
	}
	if rule == RuleNotBillable {
		under := table.BillableUnder(c.Code)
		f.Message = fmt.Sprintf("%s (%s) is a header; report one of the %d codes below it, such as %s.", c.Code, code.Title, len(under), first(under, 3))
		return f
	}
	f.Message = fmt.Sprintf("%s is no code of %s %s, which holds on the date of service.", c.Code, rel.System, rel.Version)
	return f
}

// seventh explains a code that fails for its 7th character; empty if that is
// not what is wrong.
func (st *state) seventh(code string) string {
	plain := coding.UndotCode(code)
	if len(plain) < 3 {
		return ""
	}
	if len(plain) == 7 {
		stem := strings.TrimRight(plain[:6], "X")
		under := st.table.BillableUnder(coding.DotCode(plain[:6]))
		if len(under) == 0 && len(stem) >= 3 {
			under = sevens(st.table.BillableUnder(coding.DotCode(stem)), plain[:6])
		}
		if len(under) == 0 {
			return ""
		}
		return fmt.Sprintf("The 7th character %s is not allowed for %s; allowed are %s.", plain[6:], coding.DotCode(stem), st.characters(under))
	}
	if c, ok := st.table.Lookup(code); ok && !c.Billable {
		under := sevens(st.table.BillableUnder(code), padded(plain))
		if len(under) > 0 {
			return fmt.Sprintf("%s needs a 7th character: %s.", code, st.characters(under))
		}
		return ""
	}
	// S52.5A, where S52.5XXA is meant: the last character given is the 7th.
	if len(plain) >= 4 {
		meant := coding.DotCode(padded(plain[:len(plain)-1]) + plain[len(plain)-1:])
		if st.table.Billable(meant) {
			return fmt.Sprintf("The 7th character stands in the 7th place; fill the places before it with X: %s.", meant)
		}
	}
	return ""
}

// padded fills a code without its dot up to six places.
func padded(plain string) string { return plain + strings.Repeat("X", max(0, 6-len(plain))) }

// sevens gives the codes whose first six characters are stem.
func sevens(codes []string, stem string) []string {
	var out []string
	for _, c := range codes {
		if p := coding.UndotCode(c); len(p) == 7 && p[:6] == stem {
			out = append(out, c)
		}
	}
	return out
}

// characters lists 7th characters with what they mean.
func (st *state) characters(codes []string) string {
	const explained = 7 // more would hide the characters among their meanings
	var parts []string
	for _, c := range codes {
		char := c[len(c)-1:]
		if text := st.v.notes.seventh(c, char); text != "" && len(codes) <= explained {
			char += " (" + text + ")"
		}
		parts = append(parts, char)
	}
	return strings.Join(parts, ", ")
}

func first(list []string, n int) string {
	return strings.Join(list[:min(n, len(list))], ", ")
}

// guideline names a section of the Official Guidelines of the table's year; a
// source of another kind is written out and stays as it is.
func guideline(t *codeset.Table, section string) string {
	if strings.HasPrefix(section, "ICD-10-CM") {
		return section
	}
	year := ""
	if t != nil {
		year = " FY" + t.Release().Version
	}
	return fmt.Sprintf("ICD-10-CM Official Guidelines%s, %s (paraphrased)", year, section)
}
