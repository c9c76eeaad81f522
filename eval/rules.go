package eval

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/pipeline/validate"
)

// RuleReport says what the coding rules find in the lists of codes that people
// gave to notes.
type RuleReport struct {
	Notes, Codes, Pairs int
	Rules               []RuleCount // errors, warnings, informations; the most frequent first
	table               *codeset.Table
}

// RuleCount is one rule at one severity.
type RuleCount struct {
	Rule     string
	Severity coding.Severity
	Pair     bool           // its findings name two codes; else one
	Flagged  int            // pairs or codes flagged, each once a note
	Vague    int            // pairs with a sign (chapter 18) or an unspecified condition
	Which    map[string]int // "E10.9 E11.9" -> notes
}

// Rules checks the gold codes of each note by the rules, as those of a stay at
// the note's date of service (none: the newest release). The order of gold codes
// says nothing, so rules about it are silent. Codes that are not billable in
// table are left out.
func Rules(d *Dataset, table *codeset.Table, v *validate.Validator) RuleReport {
	rep := RuleReport{Notes: len(d.Notes), table: table}
	type key struct {
		rule     string
		severity coding.Severity
		pair     bool
	}
	counts := map[key]*RuleCount{}
	for i := range d.Notes {
		n := &d.Notes[i]
		in := validate.CheckInput{Table: table, Setting: cmp.Or(n.Setting, coding.Inpatient), Patient: n.Patient, Date: n.ServiceDate, Unordered: true}
		required, acceptable := n.Gold()
		maps.Copy(required, acceptable)
		for _, code := range slices.Sorted(maps.Keys(required)) {
			if table.Billable(code) {
				in.Codes = append(in.Codes, validate.Coded{System: coding.ICD10CM, Code: code})
			}
		}
		rep.Codes += len(in.Codes)
		rep.Pairs += len(in.Codes) * (len(in.Codes) - 1) / 2
		for _, f := range v.Check(in) {
			for _, codes := range concerned(f) {
				k := key{f.Rule, f.Severity, len(codes) > 1}
				c := counts[k]
				if c == nil {
					c = &RuleCount{Rule: f.Rule, Severity: f.Severity, Pair: k.pair, Which: map[string]int{}}
					counts[k] = c
				}
				c.Flagged++
				c.Which[strings.Join(codes, " ")]++
				if slices.ContainsFunc(codes, rep.vague) {
					c.Vague++
				}
			}
		}
	}
	for _, c := range counts {
		rep.Rules = append(rep.Rules, *c)
	}
	order := map[coding.Severity]int{coding.SeverityError: 0, coding.SeverityWarning: 1, coding.SeverityInformation: 2}
	slices.SortFunc(rep.Rules, func(a, b RuleCount) int {
		return cmp.Or(cmp.Compare(order[a.Severity], order[b.Severity]), cmp.Compare(b.Flagged, a.Flagged), cmp.Compare(a.Rule, b.Rule))
	})
	return rep
}

// concerned gives the pair of codes that a finding is about, sorted, or each of
// the codes that share one note.
func concerned(f coding.Finding) [][]string {
	codes := slices.Sorted(slices.Values(f.Codes))
	if f.Rule != validate.RuleUseAdditional && f.Rule != validate.RuleCodeAlso {
		return [][]string{codes}
	}
	var out [][]string
	for _, c := range codes {
		out = append(out, []string{c})
	}
	return out
}

// vague reports whether a code is a sign, or of a condition that its title
// leaves unspecified.
func (r *RuleReport) vague(code string) bool {
	c, _ := r.table.Lookup(code)
	return code[0] == 'R' || strings.Contains(strings.ToLower(c.Title), "unspecified")
}

// Share is the part of all pairs, or of all codes, that the rule flags.
func (r *RuleReport) Share(c RuleCount) float64 {
	if c.Pair {
		return float64(c.Flagged) / float64(max(1, r.Pairs))
	}
	return float64(c.Flagged) / float64(max(1, r.Codes))
}

// Text is the report as a table; top is how many of the most frequent codes or
// pairs are named for each rule.
func (r *RuleReport) Text(top int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d notes with %d billable codes, %d pairs of codes of one note\n\n", r.Notes, r.Codes, r.Pairs)
	fmt.Fprintf(&b, "%-24s %-12s %8s %-6s %7s %24s\n", "rule", "severity", "flagged", "of", "share", "with a sign, unspecified")
	for _, c := range r.Rules {
		of := "codes"
		if c.Pair {
			of = "pairs"
		}
		fmt.Fprintf(&b, "%-24s %-12s %8d %-6s %6.2f%% %24d\n", c.Rule, c.Severity, c.Flagged, of, 100*r.Share(c), c.Vague)
	}
	if top <= 0 {
		return b.String()
	}
	for _, c := range r.Rules {
		fmt.Fprintf(&b, "\n%s (%s)\n", c.Rule, c.Severity)
		which := slices.SortedFunc(maps.Keys(c.Which), func(x, y string) int { return cmp.Or(cmp.Compare(c.Which[y], c.Which[x]), cmp.Compare(x, y)) })
		for _, w := range which[:min(top, len(which))] {
			fmt.Fprintf(&b, "  %4d  %s\n", c.Which[w], r.titled(w))
		}
	}
	return b.String()
}

// titled adds their titles to codes divided by blanks.
func (r *RuleReport) titled(codes string) string {
	var out []string
	for code := range strings.FieldsSeq(codes) {
		c, _ := r.table.Lookup(code)
		out = append(out, code+" "+c.Title)
	}
	return strings.Join(out, " | ")
}
