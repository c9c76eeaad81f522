package rank

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// What the ranker chose are conditions, each on its own words. A coder reports
// some of them together as one code, some only with a second, and some not at
// all beside another. The table of conventions says which and names its
// sources; what follows applies it.

//go:embed tables/conventions.csv
var conventionTable []byte

// convention is a row of the table; the head of the file explains the columns.
type convention struct {
	group   string
	a, b    []codeset.Ref
	beside  bool // b only says when a is coded so: it gives no place and no confidence
	named   bool // b may be a candidate that the note names, though it was not chosen
	linked  bool // not where the note says that the two have nothing to do with each other
	sided   bool // not where the two are of different sides
	words   []string
	near    bool   // the words stand in the sentence of a or of b
	absent  bool   // the words stand nowhere in the note
	gives   string // a code, "b", or empty
	before  bool   // what is given stands before its parts
	drops   []string
	because string
}

// termConvention is the kind of a match that a convention made: its Term is
// the sentence that says why.
const termConvention coding.TermKind = "convention"

var conventions = sync.OnceValue(func() []convention {
	out, err := readConventions(conventionTable)
	if err != nil {
		panic(err) // a test reads the table
	}
	return out
})

func readConventions(table []byte) ([]convention, error) {
	r := csv.NewReader(bytes.NewReader(table))
	r.Comment = '#'
	r.FieldsPerRecord = 9
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("rank: conventions: %w", err)
	}
	var out []convention
	for i, f := range rows[1:] {
		c := convention{group: f[0], gives: f[5], drops: strings.Fields(f[6])}
		for k := range strings.FieldsSeq(f[1]) {
			switch k {
			case "linked":
				c.linked, c.before = true, true
			case "sided":
				c.sided = true
			case "beside":
				c.beside = true
			case "before":
				c.before = true
			case "after":
			default:
				return nil, fmt.Errorf("rank: conventions: row %d: unknown kind %q", i+1, k)
			}
		}
		c.a = refs(f[2])
		b, named := strings.CutPrefix(f[3], "named ")
		c.b, c.named = refs(b), named
		words := f[4]
		words, c.near = strings.CutPrefix(words, "near: ")
		words, c.absent = strings.CutPrefix(words, "not: ")
		if words != "" {
			c.words = strings.Split(words, "|")
		}
		if len(c.a) == 0 || f[7] == "" || !strings.HasSuffix(f[8], ".") || (c.gives == "" && len(c.drops) == 0) {
			return nil, fmt.Errorf("rank: conventions: row %d needs codes, an effect, a source and a sentence", i+1)
		}
		c.because = strings.TrimSuffix(f[8], ".") + " (" + f[7] + ")."
		out = append(out, c)
	}
	return out, nil
}

// refs reads sets of codes divided by blanks, each with all below it: I10,
// J12-J18.
func refs(s string) []codeset.Ref {
	var out []codeset.Ref
	for f := range strings.FieldsSeq(s) {
		from, to, _ := strings.Cut(f, "-")
		out = append(out, codeset.Ref{From: from, To: to})
	}
	return out
}

func anyRef(refs []codeset.Ref, code string) bool {
	for i := range refs {
		if refs[i].Match(code) {
			return true
		}
	}
	return false
}

// combine turns what was chosen into what is reported. Codes that were not
// among the candidates are added to those of the input that it returns; they
// stand on the words of the conditions and facts that they come from. The
// confidence of a code that is given is the least of its chosen parts'.
func combine(in Input, chosen []Billed) (Input, []Billed) {
	in, chosen = sharpen(in, chosen)
	return combineWith(in, chosen, conventions())
}

func combineWith(in Input, chosen []Billed, rows []convention) (Input, []Billed) {
	in.Candidates = slices.Clip(in.Candidates)
	for len(rows) > 0 { // by groups: the rows of one see the same codes
		n := 1
		for n < len(rows) && rows[n].group == rows[0].group {
			n++
		}
		in, chosen = combineGroup(in, chosen, rows[:n])
		rows = rows[n:]
	}
	return in, chosen
}

// given is a code that a convention asks for.
type given struct {
	code  string
	parts []int // of the chosen, first the one it takes its place from
	with  []coding.Match
	row   *convention
}

func combineGroup(in Input, chosen []Billed, rows []convention) (Input, []Billed) {
	code := func(i int) string { return in.Candidates[chosen[i].Candidate].Code }
	var adds []given
	gone := make([]bool, len(chosen))
	for k := range rows {
		row := &rows[k]
		for a := range chosen {
			if !anyRef(row.a, code(a)) {
				continue
			}
			g, ok := row.met(in, chosen, a)
			if !ok || (g.code != "" && !reportable(in, g.code)) {
				continue
			}
			for i := range chosen {
				if code(i) != g.code && row.drop(code(i), code(a), g) {
					gone[i] = true
				}
			}
			if g.code != "" && !slices.ContainsFunc(adds, func(o given) bool { return o.code == g.code }) {
				adds = append(adds, g)
			}
		}
	}
	var out []Billed
	put := func(i int, before bool) {
		for _, g := range adds {
			if at := slices.Min(g.parts); g.row.before == before && at == i {
				if !slices.ContainsFunc(chosen, func(o Billed) bool { return in.Candidates[o.Candidate].Code == g.code }) {
					var j Billed
					in, j = give(in, chosen, g)
					out = append(out, j)
				}
			}
		}
	}
	for i := range chosen {
		put(i, true)
		if !gone[i] {
			out = append(out, chosen[i])
		}
		put(i, false)
	}
	return in, out
}

// met reports whether the row holds for chosen code a, and what it gives.
func (r *convention) met(in Input, chosen []Billed, a int) (given, bool) {
	g := given{parts: []int{a}, row: r}
	codeOf := func(j Billed) string { return in.Candidates[j.Candidate].Code }
	own := codeOf(chosen[a])
	spans := []coding.Span{chosen[a].match.Span}
	gives := r.gives
	if len(r.b) > 0 {
		found := ""
		for b := range chosen {
			other := codeOf(chosen[b])
			if b == a || other == own || !anyRef(r.b, other) || (r.linked && unrelated(in.Doc, chosen[a].match.Span, chosen[b].match.Span)) ||
				(r.sided && otherSide(in.Candidates[chosen[a].Candidate].Display, in.Candidates[chosen[b].Candidate].Display)) {
				continue
			}
			if found = other; r.beside {
				g.with = append(g.with, *chosen[b].match)
			} else {
				g.parts = append(g.parts, b)
			}
			spans = append(spans, chosen[b].match.Span)
			break
		}
		if found == "" && r.named {
			if c, m := named(in, r.b); c != nil && !(r.linked && unrelated(in.Doc, chosen[a].match.Span, m.Span)) {
				g.with, found = append(g.with, *m), c.Code
				spans = append(spans, m.Span)
			}
		}
		if found == "" {
			return g, false
		}
		if gives == "b" {
			gives = found
		}
	}
	if len(r.words) > 0 {
		s, ok := said(in.Doc, r.words, spans, r.near)
		if ok == r.absent {
			return g, false
		}
		if ok {
			g.with = append(g.with, matchAt(in.Doc, s))
		}
	}
	if gives == "" {
		return g, true
	}
	stem, slot, measured := strings.Cut(strings.ReplaceAll(gives, "=", coding.Category(own)), "{")
	if !measured {
		g.code = stem
		return g, true
	}
	if slices.ContainsFunc(chosen, func(j Billed) bool { return strings.HasPrefix(codeOf(j), stem) }) {
		return g, false // the words have already said which
	}
	f, tail := measure(in.Doc, slot)
	if f == nil {
		return g, false
	}
	g.code = stem + tail
	g.with = append(g.with, matchAt(in.Doc, f.Span))
	return g, true
}

// drop reports whether a chosen code goes where the row holds.
func (r *convention) drop(code, a string, g given) bool {
	for _, d := range r.drops {
		switch {
		case d == "a":
			if code == a {
				return true
			}
		case d == "b":
			if code != a && anyRef(r.b, code) {
				return true
			}
		case strings.HasPrefix(code, strings.ReplaceAll(d, "=", coding.Category(a))):
			return true
		}
	}
	return false
}

// measure gives the end of a code that tells a measurement, with the fact it
// comes from; nil where the note has none.
func measure(doc *coding.Document, slot string) (*coding.Fact, string) {
	switch slot {
	case "weeks}", "trimester}":
		f := factOf(doc, coding.FactGestation)
		switch {
		case f == nil || f.Value < 4 || f.Value >= 43:
			return nil, ""
		case slot == "weeks}":
			return f, weeksCode(f.Value)
		}
		return f, trimester(f.Value)
	case "bmi}":
		if f := factOf(doc, coding.FactBMI); f != nil && !child(doc) && f.Value >= 10 && f.Value <= 120 {
			return f, bmiCode(f.Value)
		}
	}
	return nil, ""
}

// weeksCode is the end of Z3A: completed weeks, 01 under eight, 49 over 42.
func weeksCode(weeks float64) string {
	if weeks < 8 {
		return "01"
	}
	return fmt.Sprintf("%02d", int(weeks+1e-6))
}

// trimester counts as chapter 15 does: under 14 weeks 0 days, under 28, then.
func trimester(weeks float64) string {
	switch {
	case weeks < 14:
		return "1"
	case weeks < 28:
		return "2"
	}
	return "3"
}

// bmiCode is the end of Z68 of an adult.
func bmiCode(v float64) string {
	switch {
	case v < 20:
		return "1"
	case v < 40:
		return strconv.Itoa(int(v))
	case v < 45:
		return "41"
	case v < 50:
		return "42"
	case v < 60:
		return "43"
	case v < 70:
		return "44"
	}
	return "45"
}

// child reports whether the note tells an age under twenty: the codes of body
// mass index are then of percentiles.
func child(doc *coding.Document) bool {
	f := factOf(doc, coding.FactAge)
	return f != nil && f.Value < 20
}

// factOf is the first measurement of the patient as of now.
func factOf(doc *coding.Document, kind coding.FactKind) *coding.Fact {
	for i := range doc.Facts {
		f := &doc.Facts[i]
		if f.Kind != kind || doc.AssertionOf(f.Span) != coding.Present {
			continue
		}
		switch doc.SectionAt(f.Start) {
		case coding.SectionPMH, coding.SectionPSH, coding.SectionFamily, coding.SectionInstructions:
			continue
		}
		return f
	}
	return nil
}

// give makes the judged code of what a convention gives.
func give(in Input, chosen []Billed, g given) (Input, Billed) {
	best := g.parts[0]
	j := Billed{Odds: chosen[best].Odds}
	for _, i := range g.parts {
		p := &chosen[i]
		j.Odds = min(j.Odds, p.Odds)
		if g.row.before {
			j.First = max(j.First, p.First)
			if q, b := firstPlace(p.match.Section), firstPlace(chosen[best].match.Section); q < b || (q == b && p.match.Span.Start < chosen[best].match.Span.Start) {
				best = i
			}
		}
	}
	c := coding.Candidate{System: coding.ICD10CM, Code: g.code, Rank: len(in.Candidates) + 1}
	if have := slices.IndexFunc(in.Candidates, func(o coding.Candidate) bool { return o.Code == g.code }); have >= 0 {
		c = in.Candidates[have]
		c.Matches, c.Grounds = nil, nil
	} else if t, ok := in.Table.Lookup(g.code); ok {
		c.Display = t.Title
	}
	j.list = chosen[best].list
	add := func(m coding.Match) {
		m.Kind, m.Term, m.TermCode = termConvention, g.row.because, g.code
		c.Matches = append(c.Matches, m)
		c.Grounds = append(c.Grounds, coding.Ground{Span: m.Span, Assertion: m.Assertion, Support: 1}) // what the parts stand on
	}
	if !g.row.before && len(g.with) > 0 { // its own words say more than those of the code that asks for it
		j.list = false
	} else {
		add(*chosen[best].match)
	}
	for _, m := range g.with {
		add(m)
	}
	for _, i := range g.parts {
		if i != best {
			add(*chosen[i].match)
		}
	}
	if len(c.Matches) > evidenceKept {
		c.Matches = c.Matches[:evidenceKept]
	}
	j.Candidate, j.cand = len(in.Candidates), len(in.Candidates)
	in.Candidates = append(in.Candidates, c)
	j.match = &in.Candidates[j.Candidate].Matches[0]
	j.score = j.Odds
	return in, j
}

// reportable reports whether a code may be reported on the date.
func reportable(in Input, code string) bool {
	return slices.ContainsFunc(in.Candidates, func(c coding.Candidate) bool { return c.Code == code }) || (in.Table != nil && in.Table.Billable(code))
}
