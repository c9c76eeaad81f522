package dataset

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Text is the record for people.
func (a About) Text() string {
	var b strings.Builder
	for _, x := range [][2]string{{"name", a.Name}, {"sha256", a.SHA256}, {"licence", a.Licence}, {"gold", a.Gold}, {"edition", a.Edition}, {"chosen", a.Chosen}} {
		fmt.Fprintf(&b, "%-9s %s\n", x[0], cmp.Or(x[1], "not stated"))
	}
	return b.String()
}

// Text counts what is in a dataset.
func (d *Dataset) Text() string {
	var b strings.Builder
	required, acceptable, evidence, first := 0, 0, 0, 0
	settings := map[string]int{}
	for i := range d.Notes {
		n := &d.Notes[i]
		r, a := n.Gold()
		required, acceptable = required+len(r), acceptable+len(a)
		for _, c := range n.Codes {
			if len(c.Evidence) > 0 {
				evidence++
			}
		}
		if len(n.First) > 0 {
			first++
		}
		settings[cmp.Or(string(n.Setting), "not stated")]++
	}
	fmt.Fprintf(&b, "notes     %d, %d with a labelled first diagnosis\ncodes     %d required, %d acceptable, %d with evidence\n", len(d.Notes), first, required, acceptable, evidence)
	names := make([]string, 0, len(settings))
	for s := range settings {
		names = append(names, s)
	}
	slices.Sort(names)
	for _, s := range names {
		fmt.Fprintf(&b, "setting   %s: %d\n", s, settings[s])
	}
	return b.String()
}

// AuditorsFirst puts the notes that count for more, those of auditors, first.
func (d *Dataset) AuditorsFirst() {
	slices.SortStableFunc(d.Notes, func(a, b Note) int { return cmp.Compare(max(b.Weight, 1), max(a.Weight, 1)) })
}
