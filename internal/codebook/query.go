package codebook

import (
	"cmp"
	"slices"
	"strings"

	"chartcode/internal/lexicon"
)

// slot is one word that is looked for, in all the ways in which it may stand.
type slot struct {
	ways []way // surest first
	idf  float32
}

type way struct {
	word   uint32
	weight float32
}

// reading is one way to understand a query.
type reading struct {
	slots  []slot
	weight float32
}

const (
	maxSlots    = 12 // words of a query that are looked at
	maxReadings = 6

	completed = .85 // a word of which only the beginning was typed
	corrected = .8  // a word that was misspelled
)

// read gives the readings of a query: as it stands, with abbreviations and
// everyday phrases replaced by what they most probably stand for, and with one
// of them replaced by another meaning. The last word may be a beginning.
func (x *Index) read(query string) []reading {
	toks := lexicon.Tokenize(query)
	open := strings.TrimRight(query, " \t") == query // the last word may go on
	if len(toks) > 4*maxSlots {
		toks = toks[:4*maxSlots]
	}
	meanings := x.meanings(query, toks)
	readings := []reading{x.reading(toks, nil, open)}
	add := func(chosen []lexicon.Expansion) {
		if len(readings) < maxReadings {
			readings = append(readings, x.reading(toks, chosen, open))
		}
	}
	var best []lexicon.Expansion // that do not overlap, the longest first
	for _, m := range meanings {
		if !slices.ContainsFunc(best, func(b lexicon.Expansion) bool { return overlap(b, m) }) {
			best = append(best, m)
		}
	}
	if len(best) > 0 {
		add(best)
	}
	for _, m := range meanings {
		others := slices.DeleteFunc(slices.Clone(best), func(b lexicon.Expansion) bool { return overlap(b, m) })
		if len(others) < len(best) && !slices.ContainsFunc(best, func(b lexicon.Expansion) bool { return b.First == m.First && b.Text == m.Text }) {
			add(append(others, m))
		}
	}
	if len(best) > 1 {
		for _, m := range best {
			add([]lexicon.Expansion{m})
		}
	}
	return slices.DeleteFunc(readings, func(r reading) bool { return len(r.slots) == 0 })
}

func overlap(a, b lexicon.Expansion) bool { return a.First < b.Last && b.First < a.Last }

// meanings are what parts of the query may stand for, longest and surest first.
// Who searches writes abbreviations in small letters: short words are also
// looked at in capitals.
func (x *Index) meanings(query string, toks []lexicon.Token) []lexicon.Expansion {
	found := lexicon.Expand(query, toks, nil)
	raised := []byte(query)
	for _, t := range toks {
		if n := t.End - t.Start; t.Kind == lexicon.Word && n >= 2 && n <= 5 && query[t.Start:t.End] == t.Lower && !stop(t.Norm) {
			for i := t.Start; i < t.End; i++ {
				if raised[i] >= 'a' && raised[i] <= 'z' {
					raised[i] -= 'a' - 'A'
				}
			}
		}
	}
	if capitals := string(raised); capitals != query {
		if again := lexicon.Tokenize(capitals); len(again) >= len(toks) && sameSpans(again[:len(toks)], toks) {
			for _, m := range lexicon.Expand(capitals, again[:len(toks)], nil) {
				if m.Phrase || slices.ContainsFunc(found, func(f lexicon.Expansion) bool { return f.First == m.First && f.Text == m.Text }) {
					continue
				}
				if _, word := x.number[toks[m.First].Norm]; word {
					m.Weight *= .8
				}
				found = append(found, m)
			}
		}
	}
	// An ambiguous one is left open in a note; here it is all that there is.
	for i, t := range toks {
		if t.Kind == lexicon.Word && (!stop(t.Norm) || len(toks) == 1) && !slices.ContainsFunc(found, func(f lexicon.Expansion) bool { return f.First <= i && i < f.Last }) {
			if _, word := x.number[t.Norm]; word && len(t.Lower) > 3 {
				continue
			}
			for _, m := range lexicon.Readings(t.Lower) {
				m.First, m.Last = i, i+1
				found = append(found, m)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b lexicon.Expansion) int {
		return cmp.Or(cmp.Compare(b.Last-b.First, a.Last-a.First), cmp.Compare(b.Weight, a.Weight))
	})
	return found
}

func sameSpans(a, b []lexicon.Token) bool {
	return slices.EqualFunc(a, b, func(a, b lexicon.Token) bool { return a.Start == b.Start && a.End == b.End })
}

// reading replaces the chosen parts of the query by their meanings.
func (x *Index) reading(toks []lexicon.Token, chosen []lexicon.Expansion, open bool) reading {
	r := reading{weight: 1}
	var seen []uint32
	add := func(s slot) {
		if len(s.ways) > 0 && slices.Contains(seen, s.ways[0].word) || len(r.slots) == maxSlots {
			return
		}
		if len(s.ways) > 0 {
			seen = append(seen, s.ways[0].word)
		}
		r.slots = append(r.slots, s)
	}
	words := 0
	for _, t := range toks {
		if t.Kind != lexicon.Punct && !stop(t.Norm) {
			words++
		}
	}
	for i := 0; i < len(toks); i++ {
		if k := slices.IndexFunc(chosen, func(m lexicon.Expansion) bool { return m.First == i }); k >= 0 {
			m := chosen[k]
			r.weight *= float32(.7 + .3*m.Weight)
			for _, norm := range m.Norms {
				if !stop(norm) {
					add(x.known(norm))
				}
			}
			i = m.Last - 1
			continue
		}
		t := toks[i]
		if t.Kind == lexicon.Punct || words > 0 && stop(t.Norm) {
			continue
		}
		add(x.slot(t, open && i == len(toks)-1))
	}
	return r
}

// known looks a word up with those of the same meaning.
func (x *Index) known(norm string) slot {
	var s slot
	if w, ok := x.number[norm]; ok {
		s.ways = append(s.ways, way{w, 1})
	}
	for _, e := range lexicon.Equivalents(norm) {
		if w, ok := x.number[e.Norm]; ok {
			s.ways = append(s.ways, way{w, float32(e.Weight)})
		}
	}
	x.weigh(&s)
	return s
}

func (x *Index) weigh(s *slot) {
	s.idf = x.unknown
	if len(s.ways) > 0 {
		s.idf = x.idf[s.ways[0].word]
	}
}

// slot looks up a typed word: as it is, as the beginning of others if it is the
// last, else as a misspelling.
func (x *Index) slot(t lexicon.Token, last bool) slot {
	s := x.known(t.Norm)
	if last && len(t.Lower) >= 2 {
		s.ways = x.complete(s.ways, t.Lower)
	}
	if len(s.ways) == 0 && t.Kind == lexicon.Word {
		s.ways = x.correct(t.Lower, last)
	}
	x.weigh(&s)
	return s
}

// maxCompletions is how many words a beginning may stand for: the most frequent.
const maxCompletions = 40

// complete adds the words that begin with what was typed.
func (x *Index) complete(ways []way, typed string) []way {
	from, _ := slices.BinarySearchFunc(x.forms, typed, func(f form, typed string) int { return strings.Compare(f.lower, typed) })
	to := from
	for to < len(x.forms) && strings.HasPrefix(x.forms[to].lower, typed) {
		to++
	}
	found := slices.Clone(x.forms[from:to])
	slices.SortStableFunc(found, func(a, b form) int { return cmp.Compare(b.count, a.count) })
	added := 0
	for _, f := range found {
		if added == maxCompletions {
			break
		}
		if slices.ContainsFunc(ways, func(w way) bool { return w.word == f.word }) {
			continue
		}
		// Much left to type is less sure.
		ways = append(ways, way{f.word, completed - .1*float32(len(f.lower)-len(typed))/float32(len(f.lower))})
		added++
	}
	slices.SortStableFunc(ways, func(a, b way) int { return cmp.Compare(b.weight, a.weight) })
	return ways
}

// maxCorrections is how many words a misspelled one may stand for.
const maxCorrections = 5

// correct gives the words nearest to a misspelled one: first those that begin
// with the same letter. Part says that the word may not be complete.
func (x *Index) correct(typed string, part bool) []way {
	if len(typed) < 4 {
		return nil
	}
	most := 1
	if len(typed) >= 7 {
		most = 2
	}
	span := x.byLetter[typed[0]]
	found := x.near(x.forms[span[0]:span[1]], typed, most, part)
	if len(found) == 0 {
		found = x.near(x.forms, typed, most, part)
	}
	return found
}

func (x *Index) near(forms []form, typed string, most int, part bool) []way {
	type close struct {
		form
		distance int
	}
	var found []close
	var rows distanceRows
	for _, f := range forms {
		d := most + 1
		if diff := len(f.lower) - len(typed); diff <= most && -diff <= most {
			d = rows.distance(typed, f.lower, most)
		}
		if d > most && part && len(f.lower) > len(typed)+most && len(typed) >= 5 {
			d = rows.distance(typed, f.lower[:len(typed)], most-1)
			if d < most {
				d++ // and the rest is not typed yet
			} else {
				d = most + 1
			}
		}
		if d <= most {
			found = append(found, close{f, d})
			most = min(most, d+1)
		}
	}
	slices.SortStableFunc(found, func(a, b close) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(b.count, a.count))
	})
	var ways []way
	for _, f := range found {
		if len(ways) == maxCorrections {
			break
		}
		if !slices.ContainsFunc(ways, func(w way) bool { return w.word == f.word }) {
			ways = append(ways, way{f.word, corrected - .1*float32(f.distance-1) - .02*float32(len(ways))})
		}
	}
	return ways
}

// distanceRows are three rows of the matrix of edit distances.
type distanceRows [3][64]int

// distance counts the letters to put in, take out, replace or swap with the
// neighbour to make a of b, up to most; more is most+1. (Optimal string
// alignment, the restricted Damerau-Levenshtein distance.)
func (r *distanceRows) distance(a, b string, most int) int {
	if len(a) >= 64 || len(b) >= 64 {
		return most + 1
	}
	before, last, row := &r[0], &r[1], &r[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			row[j] = d
			least = min(least, d)
		}
		if least > most {
			return most + 1
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], most+1)
}
