package review

import (
	"cmp"
	"slices"

	"chartcode/internal/coding"
)

// proposal is what the current suggestions of an item's notes say of one code.
type proposal struct {
	coding.Suggestion // evidence names its note; Role and Confidence are the item's
	notes             []string
}

// merge makes one list of the suggestions of an item's notes. A single note's
// list keeps its order. Of several notes each code appears once, with the
// highest confidence and its rationale, and all evidence and warnings; the code
// that leads a note in the way that fits the setting comes first and leads
// alone; the others follow by confidence. Equal ones follow rank, then code, so
// the order is always the same.
func merge(notes []coding.ItemNote, setting coding.Setting) []proposal {
	byKey := make(map[coding.CodeKey]*proposal)
	var keys []coding.CodeKey
	sets := 0
	for _, n := range notes {
		if n.Set == nil {
			continue
		}
		sets++
		for _, s := range n.Set.Suggestions {
			key := coding.CodeKey{System: s.System, Code: s.Code}
			evidence := make([]coding.Evidence, len(s.Evidence))
			for i, ev := range s.Evidence {
				ev.NoteID = n.Note.NoteID
				evidence[i] = ev
			}
			s.Evidence = evidence
			s.Warnings = slices.Clone(s.Warnings)
			for i := range s.Warnings {
				if len(s.Warnings[i].Spans) > 0 {
					s.Warnings[i].NoteID = n.Note.NoteID
				}
			}
			p := byKey[key]
			if p == nil {
				byKey[key] = &proposal{Suggestion: s, notes: []string{n.Note.NoteID}}
				keys = append(keys, key)
				continue
			}
			p.join(s, n.Note.NoteID, setting)
		}
	}
	list := make([]proposal, 0, len(keys))
	for _, key := range keys {
		list = append(list, *byKey[key])
	}
	if sets > 1 {
		slices.SortStableFunc(list, func(a, b proposal) int {
			return cmp.Or(
				cmp.Compare(roleOrder(a.Role, setting), roleOrder(b.Role, setting)),
				cmp.Compare(b.Confidence, a.Confidence),
				cmp.Compare(a.Rank, b.Rank),
				cmp.Compare(a.System, b.System),
				cmp.Compare(a.Code, b.Code))
		})
	}
	led := false
	for i := range list {
		if leads(list[i].Role) {
			if led {
				list[i].Role = coding.RoleSecondary
			} else {
				list[i].Role = leadingRole(setting)
			}
			led = true
		}
		sortFindings(list[i].Warnings)
	}
	return list
}

func (p *proposal) join(s coding.Suggestion, noteID string, setting coding.Setting) {
	p.notes = append(p.notes, noteID)
	p.Evidence = append(p.Evidence, s.Evidence...)
	for _, w := range s.Warnings {
		if !slices.ContainsFunc(p.Warnings, func(have coding.Finding) bool { return sameFinding(have, w) }) {
			p.Warnings = append(p.Warnings, w)
		}
	}
	if s.Confidence > p.Confidence {
		p.Confidence, p.Rationale, p.Display, p.Agreement = s.Confidence, s.Rationale, s.Display, s.Agreement
	}
	p.Rank = min(p.Rank, s.Rank)
	if roleOrder(s.Role, setting) < roleOrder(p.Role, setting) {
		p.Role = s.Role
	}
}

func leads(r coding.Role) bool { return r == coding.RolePrincipal || r == coding.RoleFirstListed }

func leadingRole(setting coding.Setting) coding.Role {
	if setting.InpatientRules() {
		return coding.RolePrincipal
	}
	return coding.RoleFirstListed
}

// roleOrder is the place of a role in a merged list: in an inpatient encounter
// the principal diagnosis goes before what an outpatient note lists first.
func roleOrder(r coding.Role, setting coding.Setting) int {
	switch {
	case r == leadingRole(setting):
		return 0
	case leads(r):
		return 1
	}
	return 2
}

func sameFinding(a, b coding.Finding) bool {
	return a.Rule == b.Rule && a.Severity == b.Severity && a.Message == b.Message && slices.Equal(a.Codes, b.Codes)
}

var severityOrder = map[coding.Severity]int{coding.SeverityError: 0, coding.SeverityWarning: 1, coding.SeverityInformation: 2}

func sortFindings(f []coding.Finding) {
	slices.SortStableFunc(f, func(a, b coding.Finding) int {
		return cmp.Compare(severityOrder[a.Severity], severityOrder[b.Severity])
	})
}

// mergeEvidence gives a followed by what of b is not in it.
func mergeEvidence(a, b []coding.Evidence) []coding.Evidence {
	out := slices.Clone(a)
	for _, e := range b {
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}
