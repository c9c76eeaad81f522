package retrieve

import (
	"slices"
	"strings"
	"sync"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// A note says the side, and at which encounter an injury is seen, once and often
// far from the words that name the condition: "right ankle pain" as the
// complaint, "lateral ligament sprain" in the assessment. What is said of a body
// part anywhere in the note decides among codes that differ in nothing else.

// encounter is how well each 7th character of an injury suits the note, by its
// letter: A and B active treatment of a closed and an open fracture, D routine
// healing, G, K and P delayed, not and badly healed, S sequela (guideline
// I.C.19.a; the default of active treatment is for notes that do not say).
type encounter [256]float32

func (f *finding) encounters() encounter {
	var e encounter
	for i := range e {
		e[i] = 0.15
	}
	e['A'], e['B'], e['D'], e['S'] = 1, 0.3, 0.5, 0.2
	if f.later {
		e['A'], e['D'] = 0.8, 1
	}
	for _, x := range f.rd.doc.Facts {
		switch {
		case x.Kind == coding.FactOpenness && x.Word == "open" && stated(f.rd.assertionAt(x.Span)):
			e['B'] = 1.1
		case x.Kind == coding.FactHealing && f.treated(x.Start) && f.rd.assertionAt(x.Span) == coding.Present:
			switch x.Word {
			case "delayed":
				e['G'] = 1.1
			case "nonunion":
				e['K'] = 1.1
			case "malunion":
				e['P'] = 1.1
			}
		}
	}
	if e['K'] > 1 && e['P'] > 1 { // both are told of only where risks are listed
		e['K'], e['P'] = 0.15, 0.15
	}
	if f.sequel {
		e['S'] = 1.1
	}
	return e
}

// treated reports whether a byte stands where the note tells of what is, not of
// what may come.
func (f *finding) treated(at int) bool {
	switch f.rd.doc.SectionAt(at) {
	case coding.SectionPlan, coding.SectionInstructions, coding.SectionProcedure, coding.SectionPostopDx, coding.SectionROS:
		return false
	case coding.SectionUnknown, coding.SectionOther:
		return at < len(f.rd.doc.Text)/3
	}
	return true
}

// group is codes that differ in their 7th character alone, or one code.
type group []int32

// suits picks of a group the code whose 7th character suits the note, and the
// next best; -1 without one.
func (f *finding) suits(v *view, g group) (best, next int32) {
	best, next = -1, -1
	var b, n float32
	for _, c := range g {
		x := float32(1)
		if s := v.title[c].seventh; s != 0 {
			x = f.seventh[s]
		}
		switch {
		case x > b:
			next, n = best, b
			best, b = c, x
		case x > n:
			next, n = c, x
		}
	}
	return best, next
}

// encounterAt is where the part of a title begins that says the encounter, -1
// without one.
func encounterAt(code, title string) int {
	if len(code) != 8 {
		return -1
	}
	for _, s := range []string{", initial encounter", ", subsequent encounter", ", sequela"} {
		if i := strings.LastIndex(title, s); i >= 0 {
			return i
		}
	}
	return -1
}

// families gives the codes of a view that differ only in the side their family's
// number, from 1, and says of each whether the family has a code for both sides.
func (v *view) families(ix *index) {
	key := make([]string, len(v.title))
	type family struct {
		n                 int32
		left, right, both bool
	}
	known := map[string]*family{}
	for c := range v.title {
		t := &v.title[c]
		if t.text == "" {
			continue
		}
		cut := t.text
		if i := encounterAt(ix.codes[c], cut); i >= 0 {
			cut = cut[:i] + " " + ix.codes[c][7:]
		}
		low := strings.ToLower(cut)
		sided := strings.Contains(low, "left") || strings.Contains(low, "right") || strings.Contains(low, "bilateral") || strings.Contains(low, "both")
		if !sided && !strings.Contains(low, "unspecified") {
			continue
		}
		var ws []string
		for _, n := range lexicon.Norms(cut) {
			if !lexicon.IsStop(n) && !slices.Contains(ws, n) && !apart()[n] && (n != primary || !arthrosis(ix.codes[c])) {
				ws = append(ws, n)
			}
		}
		slices.Sort(ws)
		key[c] = coding.Category(ix.codes[c]) + " " + strings.Join(ws, " ")
		g := known[key[c]]
		if g == nil {
			g = &family{n: int32(len(known) + 1)}
			known[key[c]] = g
		}
		g.left, g.right, g.both = g.left || t.side == 'L', g.right || t.side == 'R', g.both || t.side == 'B'
	}
	for c := range v.title {
		g := known[key[c]]
		t := &v.title[c]
		if key[c] == "" || !(g.left && g.right) {
			if t.side == 'U' {
				t.side = 0
			}
			continue
		}
		t.family, t.pair = g.n, g.both
	}
}

// arthrosis reports whether a code is of the categories in which a side stated
// tells of primary osteoarthritis of that joint: their codes without a side are
// for notes that say neither.
func arthrosis(code string) bool {
	c := coding.Category(code)
	return c >= "M16" && c <= "M19"
}

var primary = lexicon.Norms("primary")[0]

// Norms of the words that tell a fracture whose parts have moved from others.
var (
	displaced    = lexicon.Norms("displaced")[0]
	nondisplaced = lexicon.Norms("nondisplaced")[0]
)

// apart are the norms of the words in which the titles of a family differ.
var apart = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields("left right bilateral both unspecified unilateral side") {
		for _, n := range lexicon.Norms(w) {
			out[n] = true
		}
	}
	return out
})

// settle, for bills, gives the codes of a family that name the side stated the family's best
// score, and those that name another a small part of it.
func settle(v *view, rows []Row, scores []float64) {
	best := map[int32]float64{}
	for i := range rows {
		if n := v.title[rows[i].code].family; n != 0 {
			best[n] = max(best[n], scores[i])
		}
	}
	right := map[int32]bool{}
	for i := range rows {
		t := &v.title[rows[i].code]
		if t.family != 0 && rows[i].X[fSide] == 1 {
			scores[i] = max(scores[i], best[t.family])
			right[t.family] = true
		}
	}
	for i := range rows {
		t := &v.title[rows[i].code]
		if t.family != 0 && right[t.family] && rows[i].X[fSide] < 0 {
			scores[i] *= otherSide
		}
	}
}

const otherSide = 0.15

// settleInjuries lowers the codes of a fracture as not displaced where the note
// does not say so, and those of an injury without a name beside one that has
// one: of the same part of the body, and likelier.
func (f *finding) settleInjuries(v *view, rows []Row, scores []float64) {
	best := map[string]float64{}
	for i := range rows {
		t := &v.title[rows[i].code]
		if t.seventh == 0 {
			continue
		}
		if t.moved != 0 && (t.moved < 0) != f.unmoved {
			scores[i] *= otherMoved
		}
		if p := rows[i].Code[:2]; !nameless(rows[i].Code) {
			best[p] = max(best[p], scores[i])
		}
	}
	for i := range rows {
		if rows[i].X[fInjury] == 1 && nameless(rows[i].Code) && best[rows[i].Code[:2]] > leastNamed*scores[i] {
			scores[i] *= besideNamed
		}
	}
}

const (
	otherMoved  = 0.4
	leastNamed  = 0.5
	besideNamed = 0.3
)

// nameless reports whether a code is of an unspecified injury: S09.9, S19.9 to
// S99.9.
func nameless(code string) bool {
	return code[0] == 'S' && len(code) > 4 && code[2:5] == "9.9"
}

// Frequencies at which an injury is judged for a bill.
const (
	injuryNotes  = 4
	injuryGroup  = 10
	injuryWithin = 0.3
)

// billed gives the values by which a code is ordered. The notes that the order
// is learned from are reports of cases of disease: they hold next to no
// injuries, so for bills an injury is ordered as a disease of middling frequency
// with the same words would be.
func billed(x []float32, s coding.Style) []float32 {
	if s != coding.Billing || x[fInjury] == 0 {
		return x
	}
	x = slices.Clone(x)
	x[fInjury], x[fDepth] = 0, min(x[fDepth], 6)
	x[fCodeFreq] = max(x[fCodeFreq], logp(injuryNotes))
	x[fCategoryFreq] = max(x[fCategoryFreq], logp(injuryGroup))
	x[fWithin] = max(x[fWithin], injuryWithin)
	return x
}
