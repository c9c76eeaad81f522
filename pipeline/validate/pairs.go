package validate

import (
	"fmt"
	"strings"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// exclusion is what the tabular list says at one code of another.
type exclusion int

const (
	notExcluded exclusion = iota
	excluded2
	excluded1
)

// excludes: two codes of which one is excluded at the other, or above it. The
// closest note counts, and each pair is named once.
//
// Where the two codes do not agree (Excludes1 at one, Excludes2 at the other:
// J01 and J32), the book allows both in one reading, and the pair is a question.
// Codes of the left and of the right are of different places, which have nothing
// to do with each other (Official Guidelines, I.A.12.a).
func (st *state) excludes() {
	for i := range st.list {
		for j := i + 1; j < len(st.list); j++ {
			if !st.list[i].icd() || !st.list[j].icd() {
				continue
			}
			there, line := st.exclusionAt(i, j)
			back, other := st.exclusionAt(j, i)
			at, named := i, j
			if back > there {
				at, named, line, there, back = j, i, other, back, there
			}
			switch there {
			case excluded1:
				st.excludes1(at, named, line, back)
			case excluded2:
				st.add(coding.Finding{Rule: RuleExcludes2, Severity: coding.SeverityInformation,
					Message: fmt.Sprintf("%s is not part of %s; both may be coded if the patient has both.", st.list[named].code.Code, st.list[at].code.Code),
					Source:  st.v.notes.source("Excludes2", *line)}, at, named)
			}
		}
	}
}

// excludes1 adds the finding for a line at item i that names item j.
func (st *state) excludes1(i, j int, line *codeset.Line, back exclusion) {
	a, b := st.list[i].code, st.list[j].code
	f := coding.Finding{Rule: RuleExcludes1, Severity: coding.SeverityError, Source: st.v.notes.source("Excludes1", *line),
		Message: fmt.Sprintf("%s and %s are not coded together, unless the note shows that the two conditions have nothing to do with each other.", a.Code, b.Code)}
	switch {
	case oppositeSides(a.Title, b.Title):
		f.Severity = coding.SeverityInformation
		f.Message = fmt.Sprintf("%s and %s exclude each other at one place; here one is of the left and one of the right.", a.Code, b.Code)
	case back == excluded2:
		f.Severity = coding.SeverityWarning
		f.Message = fmt.Sprintf("%s and %s are not coded together unless the patient has both conditions apart from each other; the tabular list forbids it at one and allows it at the other.", a.Code, b.Code)
	default:
		if term := excludedTerm(line.Text); term != "" && !shareWord(term, b.Title) {
			f.Message += fmt.Sprintf(" The tabular list excludes “%s”; look whether %s means that here.", term, b.Code)
		}
	}
	if row := st.combined(i, j); row != nil {
		f.Message += fmt.Sprintf(" If they belong together, they are coded as %s.", row.instead)
	}
	st.list[i].excluded = append(st.list[i].excluded, j)
	st.list[j].excluded = append(st.list[j].excluded, i)
	st.add(f, min(i, j), max(i, j))
}

// exclusionAt gives what the notes at item i or above it say of item j: the
// closest that names it. Excludes2 of sections and chapters, which speak of
// every second pair, and notes that name item i itself do not count.
func (st *state) exclusionAt(i, j int) (exclusion, *codeset.Line) {
	for _, p := range st.list[i].places {
		if l := naming(p.excludes1, st.list[i].code, st.list[j].code); l != nil {
			return excluded1, l
		}
		if p.diag {
			if l := naming(p.excludes2, st.list[i].code, st.list[j].code); l != nil {
				return excluded2, l
			}
		}
	}
	return notExcluded, nil
}

// naming gives the line that names a code, and not the one at which it stands:
// the first with a word of its title, else the first.
func naming(lines []codeset.Line, at, code coding.Code) *codeset.Line {
	var found *codeset.Line
	for k := range lines {
		l := &lines[k]
		if !matches(l, code.Code) || matches(l, at.Code) {
			continue
		}
		if shareWord(excludedTerm(l.Text), code.Title) {
			return l
		}
		if found == nil {
			found = l
		}
	}
	return found
}

// excludedPair reports whether Excludes1 speaks of two items.
func (st *state) excludedPair(i, j int) bool {
	for _, k := range st.list[i].excluded {
		if k == j {
			return true
		}
	}
	return false
}

// oppositeSides reports whether one title is of the left and the other of the
// right.
func oppositeSides(a, b string) bool {
	x, y := sideOf(a), sideOf(b)
	return x == left && y == right || x == right && y == left
}

// excludedTerm is the condition that a note names, without its codes.
func excludedTerm(text string) string {
	term, _, _ := strings.Cut(text, " (")
	return strings.TrimRight(term, " :,")
}

// shareWord reports whether two texts have a word in common, by its beginning.
func shareWord(a, b string) bool {
	const enough = 5
	for x := range words(a) {
		if len(x) < enough-1 || commonWords[x] {
			continue
		}
		for y := range words(b) {
			if len(y) >= enough-1 && x[:min(enough, len(x))] == y[:min(enough, len(y))] {
				return true
			}
		}
	}
	return false
}

// commonWords stand in many titles and tell no condition from another.
var commonWords = map[string]bool{"with": true, "without": true, "other": true, "disease": true, "disorder": true, "disorders": true, "syndrome": true,
	"unspecified": true, "specified": true, "conditions": true, "elsewhere": true, "classified": true}

// asks reports whether the tabular list asks at item i, or above it, to code item
// j beside it, or at j to code i first.
func (st *state) asks(i, j int) bool {
	names := func(lines []codeset.Line, code string) bool {
		for k := range lines {
			if matches(&lines[k], code) {
				return true
			}
		}
		return false
	}
	for _, p := range st.list[i].places {
		if names(p.useAdditional, st.list[j].code.Code) || names(p.codeAlso, st.list[j].code.Code) {
			return true
		}
	}
	for _, p := range st.list[j].places {
		if names(p.codeFirst, st.list[i].code.Code) {
			return true
		}
	}
	return false
}

// eachPair gives the pairs of items of which one is of a and the other of b.
func (st *state) eachPair(a, b []codeset.Ref, f func(i, j int) (more bool)) {
	for i := range st.list {
		if !st.list[i].icd() || !matchesAny(a, st.list[i].code.Code) {
			continue
		}
		for j := range st.list {
			if j != i && st.list[j].icd() && matchesAny(b, st.list[j].code.Code) && !f(i, j) {
				break
			}
		}
	}
}

// integralSigns: a sign is not coded beside the diagnosis that it belongs to.
func (st *state) integralSigns() {
	if st.style == coding.Mentions {
		return
	}
	for _, row := range st.v.signs {
		st.eachPair(row.sign, row.diagnoses, func(i, j int) bool {
			sign, diagnosis := st.list[i].code, st.list[j].code
			if st.excludedPair(i, j) || st.asks(j, i) || oppositeSides(sign.Title, diagnosis.Title) {
				return true
			}
			st.add(coding.Finding{Rule: RuleIntegralSign, Severity: coding.SeverityWarning,
				Message: fmt.Sprintf("%s (%s) usually belongs to %s (%s); code it only if it has another cause.", sign.Code, row.name, diagnosis.Code, diagnosis.Title),
				Source:  guideline(st.table, "I.B.5")}, i, j)
			return false
		})
	}
}

// combinations: where one code is made for two conditions, it takes their place.
func (st *state) combinations() {
	if st.style == coding.Mentions {
		return
	}
	for _, row := range st.v.combined {
		st.eachPair(row.a, row.b, func(i, j int) bool {
			if st.excludedPair(i, j) { // which says it
				return false
			}
			st.add(coding.Finding{Rule: RuleCombination, Severity: coding.SeverityWarning,
				Message: fmt.Sprintf("%s and %s together are coded as %s, unless the note says that they are unrelated.",
					st.list[i].code.Code, st.list[j].code.Code, row.instead),
				Source: guideline(st.table, row.section)}, i, j)
			return false
		})
	}
}

// combined gives the row of the combination of two items, or nil.
func (st *state) combined(i, j int) *combinationRow {
	a, b := st.list[i].code.Code, st.list[j].code.Code
	for k := range st.v.combined {
		row := &st.v.combined[k]
		if matchesAny(row.a, a) && matchesAny(row.b, b) || matchesAny(row.a, b) && matchesAny(row.b, a) {
			return row
		}
	}
	return nil
}

// contradictions: two codes of which one says that the other is not so.
func (st *state) contradictions() {
	if st.style == coding.Mentions {
		return
	}
	for _, row := range st.v.contradictions {
		st.eachPair(row.a, row.b, func(i, j int) bool {
			if !st.excludedPair(i, j) {
				st.add(coding.Finding{Rule: RuleContradiction, Severity: row.severity, Source: guideline(st.table, row.section),
					Message: fmt.Sprintf("%s and %s: %s.", st.list[i].code.Code, st.list[j].code.Code, row.message)}, i, j)
			}
			return false
		})
	}
}

// unspecifiedBeside: a code that leaves open what another code of its category
// says of the same condition.
func (st *state) unspecifiedBeside() {
	if st.style == coding.Mentions {
		return
	}
	for i := range st.list {
		vague := st.list[i].code
		if !st.list[i].icd() || strings.IndexByte("STVWXYZ", vague.Code[0]) >= 0 || !leavesOpen(vague.Title) {
			continue
		}
		for j := range st.list {
			if j == i || !st.list[j].icd() || coding.Category(st.list[j].code.Code) != coding.Category(vague.Code) ||
				!saysMore(vague.Title, st.list[j].code.Title) || st.excludedPair(i, j) || st.asks(i, j) || st.asks(j, i) {
				continue
			}
			st.add(coding.Finding{Rule: RuleUnspecified, Severity: coding.SeverityWarning, Source: guideline(st.table, "I.B.18"),
				Message: fmt.Sprintf("%s (%s) says less than %s (%s); code the condition once, as exactly as the note allows.",
					vague.Code, vague.Title, st.list[j].code.Code, st.list[j].code.Title)}, i, j)
			break
		}
	}
}

// leavesOpen reports whether a title leaves something open.
func leavesOpen(title string) bool {
	lower := strings.ToLower(title)
	return strings.Contains(lower, "unspecified") || strings.Contains(lower, "without complication") || strings.HasSuffix(lower, ", uncomplicated")
}

// openWords of a title say only that something is left open.
var openWords = map[string]bool{"unspecified": true, "without": true, "complication": true, "complications": true, "uncomplicated": true, "organism": true,
	"site": true, "type": true, "of": true, "the": true, "and": true, "part": true, "as": true, "to": true}

// saysMore reports whether a title has all words of a vague one and others.
func saysMore(vague, title string) bool {
	have := map[string]bool{}
	for w := range words(title) {
		if !openWords[w] {
			have[w] = true
		}
	}
	said := map[string]bool{}
	for w := range words(vague) {
		if openWords[w] {
			continue
		}
		if !have[w] {
			return false
		}
		said[w] = true
	}
	return len(said) > 0 && len(have) > len(said)
}

// acuteFirst: of the acute and the chronic form of a condition the acute goes
// first.
func (st *state) acuteFirst() {
	if st.unordered {
		return
	}
	for _, row := range st.v.acute {
		st.eachPair(row.acute, row.chronic, func(i, j int) bool {
			if j < i {
				st.add(coding.Finding{Rule: RuleAcuteFirst, Severity: coding.SeverityInformation, Source: guideline(st.table, "I.B.8"),
					Message: fmt.Sprintf("%s is acute and goes before %s, the chronic form.", st.list[i].code.Code, st.list[j].code.Code)}, j, i)
			}
			return false
		})
	}
}
