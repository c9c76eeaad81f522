package learned

import (
	"math"
	"slices"
	"sort"
	"strings"

	"chartcode/internal/coding"
)

// Memory is what notes coded by people teach about codes: how often each was
// given, and which phrases went with it. It holds counts and phrases of at
// most MaxPhrase words that occur in at least MinNotes notes, nothing longer;
// where it is known whose notes they are, in those of as many patients, so that
// what names one patient is not kept. Where examples have weights, a count of notes is the sum of theirs.
//
// Counts of the style in which the notes were coded must not be used in
// another.
type Memory struct {
	Notes   int               `json:"notes"`
	Codes   map[string]int    `json:"codes"`   // notes with the code
	Phrases map[string]Phrase `json:"phrases"` // by norms joined with blanks
	Found   map[string]Found  `json:"found"`   // by code: how often its words were found, and it was given

	categories map[string]int
}

// Phrase is what a phrase went with. In a file it is one line, see counts.go.
type Phrase struct {
	Notes      int
	Codes      []CodeCount
	Categories []CodeCount
}

// Found counts the notes in which the words of one of a code's terms stand,
// and those of them that were given the code.
type Found struct {
	Notes int `json:"n"`
	Given int `json:"g"`
}

// CodeCount counts the notes that have both the phrase and the code.
type CodeCount struct {
	Code  string
	Notes int
}

// Limits of what is kept.
const (
	MaxPhrase = 5 // words
	MinNotes  = 3 // notes that a phrase must occur in, each of another group
	minBoth   = 2 // notes that phrase and code must share, likewise
	minShare  = 0.08
)

// Example is one coded note as Learn sees it: the distinct phrases that it
// states of the patient, and its distinct codes.
type Example struct {
	Phrases []string
	Codes   []string
	Found   []string // codes with a term whose words stand in the note
	Weight  int      // for how many notes it counts, 0: one; the limits of what is kept count it once
	Group   string   // notes of one group, such as a patient's, count once for the limits; empty: a group by itself
}

func (e *Example) weight() int { return max(e.Weight, 1) }

// tally counts notes that come in the order of their groups: groups once each,
// and notes by their weights.
type tally struct {
	groups, weight int
	last           string // group
}

func (t *tally) add(e *Example) {
	if e.Group == "" || e.Group != t.last {
		t.groups++
	}
	t.last = e.Group
	t.weight += e.weight()
}

func count(m map[string]*tally, key string, e *Example) {
	t := m[key]
	if t == nil {
		t = new(tally)
		m[key] = t
	}
	t.add(e)
}

// Learn counts codes and phrases over the examples.
func Learn(examples []Example) *Memory {
	m := &Memory{Codes: map[string]int{}, Phrases: map[string]Phrase{}, Found: map[string]Found{}}
	examples = slices.Clone(examples)
	slices.SortStableFunc(examples, func(a, b Example) int { return strings.Compare(a.Group, b.Group) })
	n, found := map[string]*tally{}, map[string]*tally{}
	categories := map[string]int{} // notes with a code of the category
	for i := range examples {
		e := &examples[i]
		m.Notes += e.weight()
		for _, c := range e.Codes {
			m.Codes[c] += e.weight()
		}
		for c := range categoriesOf(e.Codes) {
			categories[c] += e.weight()
		}
		for _, p := range e.Phrases {
			count(n, p, e)
		}
		for _, c := range e.Found {
			count(found, c, e)
		}
		m.countFound(e)
	}
	codes, cats := map[string]map[string]*tally{}, map[string]map[string]*tally{}
	for i := range examples {
		e := &examples[i]
		own := categoriesOf(e.Codes)
		for _, p := range e.Phrases {
			if n[p].groups < MinNotes {
				continue
			}
			if codes[p] == nil {
				codes[p], cats[p] = map[string]*tally{}, map[string]*tally{}
			}
			for _, c := range e.Codes {
				count(codes[p], c, e)
			}
			for c := range own {
				count(cats[p], c, e)
			}
		}
	}
	for p := range codes {
		all := n[p].weight
		ph := Phrase{Notes: all, Codes: m.links(codes[p], all, m.Codes), Categories: m.links(cats[p], all, categories)}
		if len(ph.Codes)+len(ph.Categories) > 0 {
			m.Phrases[strings.Clone(p)] = ph
		}
	}
	for c := range m.Found {
		if found[c].groups < MinNotes {
			delete(m.Found, c)
		}
	}
	m.Ready()
	return m
}

func (m *Memory) countFound(e *Example) {
	for _, c := range e.Found {
		f := m.Found[c]
		f.Notes += e.weight()
		if slices.Contains(e.Codes, c) {
			f.Given += e.weight()
		}
		m.Found[c] = f
	}
}

func categoriesOf(codes []string) map[string]bool {
	out := map[string]bool{}
	for _, c := range codes {
		out[coding.Category(c)] = true
	}
	return out
}

// links keeps what a phrase of n notes tells about, most frequent first.
func (m *Memory) links(both map[string]*tally, n int, all map[string]int) []CodeCount {
	var out []CodeCount
	for c, t := range both {
		if k := t.weight; t.groups >= minBoth && float64(k) >= minShare*float64(n) && m.telling(k, n, all[c]) {
			out = append(out, CodeCount{c, k})
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Notes != out[j].Notes {
			return out[i].Notes > out[j].Notes
		}
		return out[i].Code < out[j].Code
	})
	return out
}

// telling reports whether the phrase makes the code at least twice as likely.
func (m *Memory) telling(both, phrase, code int) bool {
	return float64(both)*float64(m.Notes) >= 2*float64(phrase)*float64(code)
}

// Ready fills what is derived; a Memory read from a file needs it once.
func (m *Memory) Ready() {
	m.categories = make(map[string]int, len(m.Codes))
	for c, n := range m.Codes {
		m.categories[coding.Category(c)] += n
	}
}

// WithoutPhrases gives the counts of codes alone.
func (m *Memory) WithoutPhrases() *Memory {
	out := *m
	out.Phrases = map[string]Phrase{}
	return &out
}

// Without tells of a note that is itself among those counted: its own part is
// then left out of every count. It is nil for any other note.
type Without struct {
	Codes  map[string]bool
	Weight int // as in its Example
}

func (w *Without) weight() int { return max(w.Weight, 1) }

func (w *Without) of(code string) int {
	if w != nil && w.Codes[code] {
		return w.weight()
	}
	return 0
}

// codes gives those of the note; none of nil.
func (w *Without) codes() map[string]bool {
	if w == nil {
		return nil
	}
	return w.Codes
}

// CodeNotes is the number of notes with the code.
func (m *Memory) CodeNotes(code string, w *Without) int { return m.Codes[code] - w.of(code) }

// CategoryCodes is the number of codes given in code's three-character category.
func (m *Memory) CategoryCodes(code string, w *Without) int {
	cat := coding.Category(code)
	n := m.categories[cat]
	for c := range w.codes() {
		if coding.Category(c) == cat {
			n -= w.weight()
		}
	}
	return n
}

// GivenWhenFound is the share of the notes with a code's words that were given
// the code, drawn towards prior by two notes' worth.
func (m *Memory) GivenWhenFound(code string, prior float64, w *Without) (share float64, notes int) {
	f := m.Found[code]
	if w != nil && f.Notes > 0 {
		// Whether the note itself had the words is not kept; it is looked at
		// because it has them.
		f.Notes -= w.weight()
		f.Given -= w.of(code)
	}
	return (float64(max(f.Given, 0)) + shrink*prior) / (float64(f.Notes) + shrink), f.Notes
}

// Link is how strongly a phrase speaks for a code or category.
type Link struct {
	Code  string
	Share float64 // of the notes with the phrase that have the code, drawn towards the code's frequency
	Lift  float64 // natural logarithm of Share over the code's frequency
	Notes int     // with phrase and code
}

const shrink = 2 // notes' worth of prior

// Links gives which codes a phrase speaks for; nothing for an unknown phrase.
func (m *Memory) Links(dst []Link, phrase []byte, w *Without) []Link {
	p, ok := m.Phrases[string(phrase)]
	if !ok {
		return dst
	}
	n, all := m.without(p.Notes, w)
	if n < MinNotes {
		return dst
	}
	for _, c := range p.Codes {
		if k := c.Notes - w.of(c.Code); k >= minBoth {
			dst = append(dst, link(c.Code, k, n, m.CodeNotes(c.Code, w), all))
		}
	}
	return dst
}

// CategoryLinks gives which categories a phrase speaks for.
func (m *Memory) CategoryLinks(dst []Link, phrase []byte, w *Without) []Link {
	p, ok := m.Phrases[string(phrase)]
	if !ok {
		return dst
	}
	n, all := m.without(p.Notes, w)
	if n < MinNotes {
		return dst
	}
	for _, c := range p.Categories {
		own := 0
		for code := range w.codes() {
			if coding.Category(code) == c.Code {
				own = w.weight()
			}
		}
		if k := c.Notes - own; k >= minBoth {
			dst = append(dst, link(c.Code, k, n, m.categories[c.Code]-own, all))
		}
	}
	return dst
}

func (m *Memory) without(notes int, w *Without) (n, all int) {
	if w != nil {
		return notes - w.weight(), m.Notes - w.weight()
	}
	return notes, m.Notes
}

func link(code string, both, phrase, codeNotes, all int) Link {
	base := (float64(max(codeNotes, 0)) + 0.5) / (float64(all) + 1)
	share := (float64(both) + shrink*base) / (float64(phrase) + shrink)
	return Link{code, share, math.Log(share / base), both}
}
