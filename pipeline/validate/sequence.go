package validate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// externalCauseCode reports whether a code is of V00-Y99.
func externalCauseCode(code string) bool {
	return code != "" && strings.IndexByte("VWXY", code[0]) >= 0
}

// organismCode reports whether a code is of B95-B97, which name the cause of a
// disease classified elsewhere.
func organismCode(code string) bool {
	switch coding.Category(code) {
	case "B95", "B96", "B97":
		return true
	}
	return false
}

// manifestation reports whether a code is only for diseases classified
// elsewhere, by its title or the Medicare Code Editor's list.
func (st *state) manifestation(it *item) bool {
	return it.icd() && (strings.Contains(it.code.Title, "in diseases classified elsewhere") ||
		strings.Contains(it.code.Title, "in other diseases classified elsewhere") || st.v.medicare.manifestation[it.code.Code])
}

// mayBeFirst reports whether a code may be principal or first-listed.
func (st *state) mayBeFirst(it *item) bool {
	return it.icd() && !externalCauseCode(it.code.Code) && !organismCode(it.code.Code) && !st.manifestation(it) &&
		inGroups(st.v.secondaryOnly, it.code.Code) == nil
}

// sequence orders the list and gives the roles; see Validate.
func (st *state) sequence() {
	if st.style != coding.Mentions {
		st.etiologyBefore()
		if i := slices.IndexFunc(st.list, func(it item) bool { return st.mayBeFirst(&it) }); i >= 0 {
			st.move(i, 0)
		}
		if i := slices.IndexFunc(st.list, func(it item) bool { return it.icd() && inGroups(st.v.firstOnly, it.code.Code) != nil }); i > 0 {
			st.move(i, 0)
		}
	}
	lead := coding.RoleFirstListed
	if st.setting.InpatientRules() {
		lead = coding.RolePrincipal
	}
	given := false
	for i := range st.list {
		s := &st.list[i].suggestion
		switch {
		case !given && st.mayBeFirst(&st.list[i]):
			s.Role, given = lead, true
		case s.Role == "" || s.Role == coding.RolePrincipal || s.Role == coding.RoleFirstListed:
			s.Role = coding.RoleSecondary
		}
	}
}

// move puts the item at from to an earlier place.
func (st *state) move(from, to int) {
	it := st.list[from]
	copy(st.list[to+1:from+1], st.list[to:from])
	st.list[to] = it
}

// etiologyBefore puts a code that a note asks to code first, and that stands
// later in the list, before the code with the note.
func (st *state) etiologyBefore() {
	for i := 0; i < len(st.list); i++ {
		for _, g := range st.codeFirstGroups(i) {
			if g.before < 0 && g.after >= 0 && !st.manifestation(&st.list[g.after]) {
				st.move(g.after, i)
				i++ // the code with the note, which has moved on
				break
			}
		}
	}
}

// firstGroup is the code-first note of one place for one item: where in the
// list a code that it names stands before or after the item, or -1.
type firstGroup struct {
	lines         []codeset.Line
	underlying    bool // asks for the underlying disease
	conditional   bool // only if it applies
	named         bool // names codes at all
	elsewhere     bool // names only pregnancies and reasons for a visit, which few patients have
	before, after int
	match         codeset.Line
}

// codeFirstGroups gives the code-first notes that hold for item i, those of the
// closest place first. A note that names the item's own codes does not count.
func (st *state) codeFirstGroups(i int) []firstGroup {
	var out []firstGroup
	own := st.list[i].code.Code
	for _, p := range st.list[i].places {
		if len(p.codeFirst) == 0 {
			continue
		}
		g := firstGroup{lines: p.codeFirst, before: -1, after: -1, match: p.codeFirst[0], elsewhere: true}
		g.underlying = strings.HasPrefix(strings.TrimPrefix(strings.ToLower(g.match.Text), "the "), "underlying ")
		for k := range p.codeFirst {
			l := &p.codeFirst[k]
			g.conditional = g.conditional || conditional.MatchString(l.Text)
			g.named = g.named || len(l.Refs) > 0
			for _, r := range l.Refs {
				g.elsewhere = g.elsewhere && (r.From[0] == 'O' || r.From[0] == 'Z')
			}
			for j := range st.list {
				if j == i || !st.list[j].icd() || !matches(l, st.list[j].code.Code) || matches(l, own) {
					continue
				}
				if j < i && g.before < 0 {
					g.before = j
				}
				if j > i && g.after < 0 {
					g.after, g.match = j, *l
				}
			}
		}
		g.elsewhere = g.elsewhere && g.named
		out = append(out, g)
	}
	return out
}

// conditional notes ask only where the condition is there.
var conditional = regexp.MustCompile(`(?i)\bif\b|where applicable`)

// codeFirst: the etiology is coded, and before its manifestation.
func (st *state) codeFirst() {
	for i := range st.list {
		if !st.list[i].icd() {
			continue
		}
		code := st.list[i].code
		for _, g := range st.codeFirstGroups(i) {
			f := coding.Finding{Rule: RuleCodeFirst, Source: st.v.notes.source("code first", g.match)}
			switch {
			case g.before < 0 && g.after < 0 && st.style == coding.Mentions:
				// which conditions are coded is not asked here
			case g.before >= 0:
			case g.after >= 0 && st.unordered:
			case g.after >= 0:
				f.Severity = coding.SeverityError
				f.Message = fmt.Sprintf("%s must come before %s: the underlying condition is coded first.", st.list[g.after].code.Code, code.Code)
				st.add(f, i, g.after)
			case g.elsewhere && !st.pregnant, g.conditional, !g.named && !g.underlying:
			case !g.named || !g.underlying && !st.manifestation(&st.list[i]):
				f.Severity = coding.SeverityInformation
				f.Message = fmt.Sprintf("Before %s, code first what the note at %s names, if it applies: %s.", code.Code, g.match.Code, st.quoted(g.lines))
				st.add(f, i)
			default:
				f.Severity = coding.SeverityWarning
				f.Message = fmt.Sprintf("%s needs its underlying condition coded before it, and none of the list is one: %s.", code.Code, st.quoted(g.lines))
				st.add(f, i)
			}
		}
	}
}

// quoted gives the first lines of a note as one text, without those that are
// only for pregnancies where the list has none.
func (st *state) quoted(lines []codeset.Line) string {
	const shown = 4
	if !st.pregnant {
		lines = slices.DeleteFunc(slices.Clone(lines), func(l codeset.Line) bool {
			return len(l.Refs) > 0 && !slices.ContainsFunc(l.Refs, func(r codeset.Ref) bool { return r.From[0] != 'O' })
		})
	}
	var b strings.Builder
	for i, l := range lines {
		if i == shown {
			b.WriteString("…")
			break
		}
		text := strings.Trim(l.Text, ",. ")
		b.WriteString(text)
		switch {
		case i == len(lines)-1:
		case strings.HasSuffix(text, ":"):
			b.WriteByte(' ')
		default:
			b.WriteString("; ")
		}
	}
	return strings.TrimSuffix(b.String(), ":")
}

// useAdditional tells of codes that the note at a code asks to add, unless one
// of them is there.
func (st *state) useAdditional() {
	st.wanted(func(p *place) []codeset.Line { return p.useAdditional }, RuleUseAdditional, "use additional code", "With %s, add if the note supports it: %s.")
}

// codeAlso does so for codes that may stand before or after it.
func (st *state) codeAlso() {
	st.wanted(func(p *place) []codeset.Line { return p.codeAlso }, RuleCodeAlso, "code also", "With %s, code also if the note supports it, in either order: %s.")
}

// wanted tells of notes of which no code is there, each note once for all codes
// below it. Left out are notes of sections and chapters, which hold for whole
// specialities, and those that ask only where something applies.
func (st *state) wanted(lines func(*place) []codeset.Line, rule, kind, message string) {
	if st.style == coding.Mentions {
		return
	}
	told := map[*place]bool{}
	for i := range st.list {
		p := closest(st.list[i].places, lines)
		if !st.list[i].icd() || p == nil || told[p] {
			continue
		}
		told[p] = true
		note := lines(p)
		if !worthTelling(note, kind) || st.hasOther(i, note) {
			continue
		}
		of := []int{i}
		codes := st.list[i].code.Code
		for j := i + 1; j < len(st.list); j++ {
			if st.list[j].icd() && closest(st.list[j].places, lines) == p {
				of = append(of, j)
				codes += ", " + st.list[j].code.Code
			}
		}
		st.add(coding.Finding{Rule: rule, Severity: coding.SeverityInformation,
			Message: fmt.Sprintf(message, codes, st.quoted(note)), Source: st.v.notes.source(kind, note[0])}, of...)
	}
}

// closest gives the closest place at or above a code that has lines of a kind; it
// speaks for those above it. Nil if that is a section or chapter, or none.
func closest(places []*place, lines func(*place) []codeset.Line) *place {
	for _, p := range places {
		if p.diag && len(lines(p)) > 0 {
			return p
		}
	}
	return nil
}

// hasOther reports whether a note names a code of the list other than item i.
func (st *state) hasOther(i int, note []codeset.Line) bool {
	for k := range note {
		for j := range st.list {
			if j != i && st.list[j].icd() && matches(&note[k], st.list[j].code.Code) {
				return true
			}
		}
	}
	return false
}

// worthTelling reports whether a note asks without a condition, and names codes
// that are more than a drug, a poison or, of those that may stand in either
// order, a reason for the visit.
func worthTelling(note []codeset.Line, kind string) bool {
	for k := range note {
		if conditional.MatchString(note[k].Text) {
			return false
		}
		for _, r := range note[k].Refs {
			if !(r.From >= "T36" && r.From < "T66") && !(kind == "code also" && r.From[0] == 'Z') {
				return true
			}
		}
	}
	return false
}

// externalCause: an external cause is never first.
func (st *state) externalCause() {
	if len(st.list) == 0 || !st.leads(0) || !externalCauseCode(st.list[0].code.Code) {
		return
	}
	st.add(coding.Finding{Rule: RuleExternal, Severity: coding.SeverityError,
		Message: "An external cause is never the first code; the injury or condition that it explains is missing or stands after it.",
		Source:  guideline(st.table, "I.C.20.a.6")}, 0)
}

// leads reports whether the place of item i makes it first: where the order
// says nothing it does not, unless nothing in the list could be first.
func (st *state) leads(i int) bool {
	if !st.list[i].icd() {
		return false
	}
	if !st.unordered {
		return i == 0
	}
	for j := range st.list {
		if st.mayBeFirst(&st.list[j]) {
			return false
		}
	}
	return i == 0
}

// manifestationFirst: a manifestation is never first.
func (st *state) manifestationFirst() {
	if len(st.list) == 0 || !st.leads(0) {
		return
	}
	it := &st.list[0]
	switch {
	case st.manifestation(it):
		st.add(coding.Finding{Rule: RuleManifestation, Severity: coding.SeverityError,
			Message: it.code.Code + " is a manifestation of another disease and never the first code; that disease is coded before it.",
			Source:  guideline(st.table, "I.A.13")}, 0)
	case organismCode(it.code.Code):
		st.add(coding.Finding{Rule: RuleManifestation, Severity: coding.SeverityError,
			Message: it.code.Code + " names the cause of a disease classified elsewhere; the disease is coded before it.",
			Source:  guideline(st.table, "I.C.1.b")}, 0)
	}
}

// firstOnly: some Z codes may only be first.
func (st *state) firstOnly() {
	if st.unordered {
		return
	}
	for i := 1; i < len(st.list); i++ {
		if it := &st.list[i]; it.icd() && inGroups(st.v.firstOnly, it.code.Code) != nil {
			st.add(coding.Finding{Rule: RuleFirstOnly, Severity: coding.SeverityWarning,
				Message: fmt.Sprintf("%s may only be the first code of an encounter; here it is number %d.", it.code.Code, i+1),
				Source:  guideline(st.table, "I.C.21.c.16")}, i)
		}
	}
}

// secondaryOnly: some codes only add to another.
func (st *state) secondaryOnly() {
	if len(st.list) == 0 || !st.leads(0) {
		return
	}
	code := st.list[0].code.Code
	if g := inGroups(st.v.secondaryOnly, code); g != nil {
		st.add(coding.Finding{Rule: RuleSecondaryOnly, Severity: coding.SeverityWarning, Source: guideline(st.table, g.section),
			Message: fmt.Sprintf("%s is not the first code: %s.", code, g.name)}, 0)
	}
}
