package codeset

import (
	"cmp"
	"slices"

	"chartcode/internal/coding"
)

// ChangeKind says what became of a code from one release to another.
type ChangeKind string

// The kinds of changes. A code can be retitled and change its billing at once:
// it then has both.
const (
	Added        ChangeKind = "added"
	Deleted      ChangeKind = "deleted"
	Retitled     ChangeKind = "retitled"
	MadeHeader   ChangeKind = "made_header"   // was billable
	MadeBillable ChangeKind = "made_billable" // was a header
)

// ChangeKinds gives the kinds in the order in which they are shown.
func ChangeKinds() []ChangeKind {
	return []ChangeKind{Added, Deleted, Retitled, MadeHeader, MadeBillable}
}

// Change is one difference between two releases.
type Change struct {
	Kind     ChangeKind `json:"change"`
	Code     string     `json:"code"`
	Billable bool       `json:"billable"`            // in the new release; of a deleted code, in the old one
	OldTitle string     `json:"old_title,omitempty"` // empty: added
	NewTitle string     `json:"new_title,omitempty"` // empty: deleted
}

// Compare gives the differences of two releases' codes, in any order, by kind
// in the order of ChangeKinds, then by code. Titles are compared letter by letter, short
// titles not at all.
func Compare(before, after []coding.Code) []Change {
	old := make(map[string]coding.Code, len(before))
	for _, c := range before {
		old[c.Code] = c
	}
	var out []Change
	for _, c := range after {
		was, there := old[c.Code]
		if !there {
			out = append(out, Change{Added, c.Code, c.Billable, "", c.Title})
			continue
		}
		delete(old, c.Code)
		if was.Title != c.Title {
			out = append(out, Change{Retitled, c.Code, c.Billable, was.Title, c.Title})
		}
		switch {
		case was.Billable && !c.Billable:
			out = append(out, Change{MadeHeader, c.Code, false, was.Title, c.Title})
		case !was.Billable && c.Billable:
			out = append(out, Change{MadeBillable, c.Code, true, was.Title, c.Title})
		}
	}
	for _, c := range old {
		out = append(out, Change{Deleted, c.Code, c.Billable, c.Title, ""})
	}
	place := map[ChangeKind]int{}
	for i, k := range ChangeKinds() {
		place[k] = i
	}
	slices.SortFunc(out, func(a, b Change) int {
		return cmp.Or(cmp.Compare(place[a.Kind], place[b.Kind]), cmp.Compare(a.Code, b.Code))
	})
	return out
}

// Count counts changes by kind; every kind is there.
func Count(changes []Change) map[ChangeKind]int {
	n := map[ChangeKind]int{}
	for _, k := range ChangeKinds() {
		n[k] = 0
	}
	for _, c := range changes {
		n[c.Kind]++
	}
	return n
}
