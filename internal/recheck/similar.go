package recheck

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

const (
	// near is how much two titles must have in common (likeness) for one to be
	// offered for the other. The 12 codes that ICD-10-CM deleted from 2025 to 2026
	// are all answered above this, their successor first (TestLongOfficialReleases).
	near = 0.5
	// asNear is how near others must be, compared with the nearest.
	asNear = 0.7
)

// under gives the billable codes below a header, in code order.
func under(code string, table *codeset.Table) []coding.Code {
	var out []coding.Code
	for _, c := range table.BillableUnder(code) {
		if row, ok := table.Lookup(c); ok {
			out = append(out, row)
		}
	}
	return out
}

// similar gives what may be meant by a code that a table no longer has: codes
// of the same title wherever they are, else those of its category whose titles
// are near, the nearest first. The 7th character of an injury says which
// encounter it is, so it stays.
func similar(n named, table *codeset.Table, titled []coding.Code) []coding.Code {
	if len(titled) > 0 || n.title == "" {
		return titled
	}
	var rows []coding.Code
	category := coding.Category(n.Code)
	for c := range table.All {
		if c.Billable && strings.HasPrefix(c.Code, category) && sameSeventh(n.CodeKey, c.Code) {
			rows = append(rows, c)
		}
	}
	// A word is worth the more the fewer titles of the category have it.
	words := make([]map[string]bool, len(rows))
	titles := map[string]int{}
	for i, c := range rows {
		words[i] = wordsOf(c.Title)
		for w := range words[i] {
			titles[w]++
		}
	}
	worth := func(w string) float64 { return math.Log(1 + float64(len(rows)+1)/float64(titles[w]+1)) }
	own := wordsOf(n.title)
	type scored struct {
		coding.Code
		likeness float64
	}
	var found []scored
	for i, c := range rows {
		if l := likeness(own, words[i], worth); l >= near {
			found = append(found, scored{c, l})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.likeness, a.likeness), cmp.Compare(a.Code.Code, b.Code.Code))
	})
	var out []coding.Code
	for _, f := range found {
		if f.likeness < asNear*found[0].likeness {
			break
		}
		out = append(out, f.Code)
	}
	return out
}

// sameSeventh reports whether a code has the 7th character of another one of
// ICD-10-CM; one without any allows all.
func sameSeventh(of coding.CodeKey, code string) bool {
	const full = len("S30.1XXA")
	if of.System != coding.ICD10CM || len(of.Code) != full {
		return true
	}
	return len(code) == full && code[full-1] == of.Code[full-1]
}

// likeness is the weighted Dice coefficient of two sets of words, 0 to 1.
func likeness(a, b map[string]bool, worth func(string) float64) float64 {
	var both, all float64
	for w := range a {
		all += worth(w)
		if b[w] {
			both += 2 * worth(w)
		}
	}
	for w := range b {
		all += worth(w)
	}
	if all == 0 {
		return 0
	}
	return both / all
}

func wordsOf(title string) map[string]bool {
	out := map[string]bool{}
	for _, norm := range lexicon.Norms(title) {
		if !lexicon.IsStop(norm) {
			out[norm] = true
		}
	}
	return out
}
