package review

import (
	"slices"

	"chartcode/internal/coding"
)

// CodesOf gives the code list of an item as its decisions leave it, without what
// the coding rules say now.
func CodesOf(r coding.ItemRecord) []Code { return codeList(r, Replay(r.Decisions)) }

// codeList joins suggestions and decisions to the list that a coder sees.
// Order: as a coder last put it; what came since follows as suggested, then as
// added; a code that came in place of another stands behind that one.
func codeList(r coding.ItemRecord, st State) []Code {
	var list []Code
	seen := make(map[coding.CodeKey]bool)
	for _, p := range merge(r.Notes, r.Head.Setting) {
		c := Code{
			CodeKey: coding.CodeKey{System: p.System, Code: p.Code}, Title: p.Display, Role: p.Role, State: Undecided,
			Evidence: p.Evidence, Warnings: p.Warnings,
			Suggested: true, Confidence: p.Confidence, Rationale: p.Rationale, NoteIDs: p.notes, Agreement: p.Agreement,
		}
		seen[c.CodeKey] = true
		list = append(list, c)
	}
	// Codes that were decided on and are suggested no longer, then those that a
	// coder named; in the order of the decisions.
	for _, d := range r.Decisions {
		key := coding.CodeKey{System: d.System, Code: d.Code}
		if e := st.codes[key]; e != nil && !seen[key] && !e.added {
			seen[key] = true
			list = append(list, Code{CodeKey: key, Outdated: true})
		}
	}
	for _, key := range st.named {
		e := st.codes[key]
		if e == nil || seen[key] {
			continue
		}
		seen[key] = true
		at := len(list)
		if e.replaces != nil {
			if i := slices.IndexFunc(list, func(c Code) bool { return c.CodeKey == *e.replaces }); i >= 0 {
				at = i + 1
			}
		}
		list = slices.Insert(list, at, Code{CodeKey: key})
	}
	texts := make(map[string]string, len(r.Notes))
	for _, n := range r.Notes {
		texts[n.Note.NoteID] = n.Note.Text
	}
	for i := range list {
		if e := st.codes[list[i].CodeKey]; e != nil {
			list[i].decide(e, texts)
		}
		if list[i].Evidence == nil {
			list[i].Evidence = []coding.Evidence{}
		}
		if list[i].Warnings == nil {
			list[i].Warnings = []coding.Finding{}
		}
		list[i].Check = r.Check().Of(list[i].CodeKey)
	}
	reorder(list, st.order)
	number(list, r.Head.Setting)
	needPOA(list, r.Head.Setting)
	return list
}

// decide enters what was decided about a code. The evidence of a suggestion is
// shown as it is now; that of a decision only where the text still says so.
func (c *Code) decide(e *entry, texts map[string]string) {
	c.State, c.Origin, c.ReplacedBy, c.Replaces = e.state, e.origin, e.became, e.replaces
	c.Reason, c.ReasonCode, c.By, c.At = e.by.Reason, e.by.ReasonCode, e.by.Coder, e.by.At
	c.POA, c.Units, c.Modifiers, c.Pointers = e.poa, e.units, e.modifiers, e.pointers
	if c.Title == "" {
		c.Title = e.display
	}
	if e.role != "" {
		c.Role, c.chosen = e.role, true
	}
	standing := make([]coding.Evidence, 0, len(e.evidence))
	for _, ev := range e.evidence {
		if stands(ev, texts) {
			standing = append(standing, ev)
		}
	}
	if len(standing) < len(e.evidence) && !c.Suggested {
		c.Outdated = true
	}
	c.Evidence = mergeEvidence(c.Evidence, standing)
}

// applyCheck enters the findings of the codes that the releases do not have,
// in place of what the rules say of the same: they look into the same tables.
func applyCheck(list []Code) {
	for i := range list {
		c := &list[i]
		if c.Check == nil || !c.Check.Invalid() {
			continue
		}
		refused := func(f coding.Finding) bool {
			return f.Rule == c.Check.Finding.Rule && slices.Equal(f.Codes, c.Check.Finding.Codes)
		}
		c.Warnings = append([]coding.Finding{c.Check.Finding}, slices.DeleteFunc(slices.Clone(c.Warnings), refused)...)
		if c.checked && c.Listed() {
			c.stops = append([]coding.Finding{c.Check.Finding}, slices.DeleteFunc(slices.Clone(c.stops), refused)...)
		}
	}
}

// invalid counts the codes of a list that have to go.
func invalid(list []Code) int {
	n := 0
	for _, c := range list {
		if c.Invalid() {
			n++
		}
	}
	return n
}

// stands reports whether the text still has the words of the evidence where
// they were.
func stands(ev coding.Evidence, texts map[string]string) bool {
	text, ok := texts[ev.NoteID]
	return ok && ev.Start >= 0 && ev.Start < ev.End && ev.End <= len(text) && text[ev.Start:ev.End] == ev.Text
}

// reorder puts the codes named in order first, in that order.
func reorder(list []Code, order []coding.CodeKey) {
	if len(order) == 0 {
		return
	}
	place := make(map[coding.CodeKey]int, len(order))
	for i, key := range order {
		place[key] = i
	}
	slices.SortStableFunc(list, func(a, b Code) int {
		i, ok := place[a.CodeKey]
		if !ok {
			i = len(order)
		}
		j, ok := place[b.CodeKey]
		if !ok {
			j = len(order)
		}
		return i - j
	})
}

// number gives sequence numbers, and to the codes of the review their roles:
// the one that a coder chose to lead leads, else the first that may; it is
// number 1, the rest follow in the order of the list.
func number(list []Code, setting coding.Setting) {
	lead := -1
	for i, c := range list {
		list[i].Sequence = i + 1
		if c.Listed() && c.chosen && leads(c.Role) {
			lead = i
		}
	}
	for i := 0; i < len(list) && lead < 0; i++ {
		if list[i].Listed() && mayLead(list[i]) {
			lead = i
		}
	}
	for i := 0; i < len(list) && lead < 0; i++ { // all that may were made secondary; one leads all the same
		if c := list[i]; c.Listed() && c.Role == coding.RoleSecondary && diagnosis(c) {
			lead = i
		}
	}
	final := 0
	if lead >= 0 {
		final = 1
		list[lead].Final, list[lead].Role = 1, leadingRole(setting)
	}
	for i := range list {
		if !list[i].Listed() || i == lead {
			continue
		}
		final++
		list[i].Final = final
		if leads(list[i].Role) || list[i].Role == "" {
			list[i].Role = coding.RoleSecondary
		}
	}
}

// mayLead: what leads is a diagnosis that no coder gave another role.
func mayLead(c Code) bool { return diagnosis(c) && (!c.chosen || leads(c.Role)) }

// diagnosis reports whether a code may lead at all: external causes (V00-Y99) are
// never principal or first-listed (Official Guidelines I.C.20.a.6, paraphrased).
func diagnosis(c Code) bool {
	return c.System == coding.ICD10CM && (c.Code < "V" || c.Code >= "Z")
}

// needPOA marks the diagnoses of a stay that must say whether they were present
// on admission: all but those on the exempt list, of which a finding tells, and
// the admitting diagnosis and reasons for a visit, which are no diagnoses of the
// stay. Where the exempt list is not loaded, a coder says that a code is exempt.
func needPOA(list []Code, setting coding.Setting) {
	for i := range list {
		c := &list[i]
		c.POANeeded = setting.InpatientRules() && c.System == coding.ICD10CM && (c.State == Undecided || c.Listed()) &&
			c.Role != coding.RoleAdmitting && c.Role != coding.RoleReason &&
			!slices.ContainsFunc(c.Warnings, func(f coding.Finding) bool { return f.Rule == coding.RulePOAExempt })
	}
}

// blockers gives the errors of coding rules that stand between the codes of
// the review. An error of the suggestions stands while its code is listed and
// none of the codes that it names is in the list of the item without being listed.
func blockers(list []Code, st State) []Blocker {
	out := []Blocker{}
	listed := make(map[string]bool)
	there := make(map[string]bool)
	for _, c := range list {
		there[c.Code] = true
		if c.Listed() {
			listed[c.Code] = true
		}
	}
	for _, c := range list {
		if !c.Listed() {
			continue
		}
		findings := c.Warnings
		if c.checked {
			findings = c.stops
		}
		for _, w := range findings {
			if w.Severity != coding.SeverityError || slices.ContainsFunc(w.Codes, func(code string) bool { return there[code] && !listed[code] }) {
				continue
			}
			b := Blocker{Finding: w, MustGo: c.Invalid() && sameFinding(w, c.Check.Finding)}
			codes := sortedCodes(w.Codes, c.Code)
			if slices.ContainsFunc(out, func(have Blocker) bool {
				return have.Rule == w.Rule && slices.Equal(have.Codes, codes)
			}) {
				continue // each of a pair carries the same finding
			}
			b.Codes = codes
			for _, o := range st.overrides {
				if !b.MustGo && o.rule == b.Rule && slices.Equal(o.codes, codes) {
					b.Overridden, b.Reason = true, o.reason
				}
			}
			out = append(out, b)
		}
	}
	return out
}

// sortedCodes gives the codes of a finding together with the one that carries
// it, each once.
func sortedCodes(codes []string, own string) []string {
	all := append(slices.Clone(codes), own)
	slices.Sort(all)
	return slices.Compact(all)
}
