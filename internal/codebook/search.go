package codebook

import (
	"cmp"
	"slices"
	"strings"

	"chartcode/internal/coding"
)

// Hit is a code that was found.
type Hit struct {
	coding.Code
	// Matched is the text through which it was found; nil when the code itself
	// was typed.
	Matched *Matched `json:"matched,omitempty"`
	// Under is how many billable codes lie under a header.
	Under int `json:"billable_under,omitempty"`
	// Seventh are the codes of a header that lacks nothing but the 7th character.
	Seventh []Seventh `json:"seventh,omitempty"`
}

// Matched is a text that leads to a code.
type Matched struct {
	Text string          `json:"text"`
	Kind coding.TermKind `json:"kind"`
}

// Seventh is a 7th character. Code is empty where no code of the release has it.
type Seventh struct {
	Char    string `json:"char"`
	Meaning string `json:"meaning"`
	Code    string `json:"code,omitempty"`
}

// scratch is what one search needs, kept for the next one.
type scratch struct {
	mask    []uint32  // by entry: the slots that it matches
	have    []float32 // by entry: the weight of the query that it matches
	its     []float32 // by entry: the weight of its own words that match
	touched []uint32
}

func newScratch(n int) *scratch {
	return &scratch{mask: make([]uint32, n), have: make([]float32, n), its: make([]float32, n)}
}

// candidate is an entry, or a code below that of an entry, that was found.
type candidate struct {
	at    int32 // place of the code in the table
	entry int32 // -1: found by what was typed
	mask  uint32
	have  float32
	its   float32
	score float32
}

const (
	maxCandidates = 400 // entries that are looked at closely
	maxOpened     = 60  // headers under which a better code is looked for
	maxBelow      = 800 // codes that are looked at under one

	// A word that stands in more entries than this does not bring in entries that
	// have none of the rarer words.
	frequent = 4000

	leastCover = .34 // of the weight of those words that any text has
)

// Search gives at most limit codes that fit a query, best first. See Book.Search.
func (x *Index) Search(query string, limit int) []Hit {
	query = strings.TrimLeft(query, " \t\r\n")
	if strings.TrimSpace(query) == "" || limit <= 0 {
		return nil
	}
	found := x.byCode(query, limit)
	if len(found) == 0 || len(query) < 3 || strings.Contains(query, " ") && len(found) < limit {
		best := map[int32]candidate{}
		for _, r := range x.read(query) {
			for _, c := range x.find(r) {
				if old, ok := best[c.at]; !ok || c.score > old.score {
					best[c.at] = c
				}
			}
		}
		found = x.merge(found, best, limit)
	}
	hits := make([]Hit, len(found))
	for i, c := range found {
		hits[i] = x.hit(c)
	}
	return hits
}

func (x *Index) hit(c candidate) Hit {
	h := Hit{Code: x.table.At(int(c.at))}
	if c.entry >= 0 {
		h.Matched = &Matched{x.textOf(int(c.entry)), kinds[x.kind[c.entry]]}
	}
	if h.Billable {
		return h
	}
	under := x.table.BillableUnder(h.Code.Code)
	h.Under = len(under)
	h.Seventh = x.sevenths(under)
	return h
}

// sevenths gives the 7th characters of codes that differ in nothing else; nil
// if that is not so.
func (x *Index) sevenths(codes []string) []Seventh {
	var out []Seventh
	for _, code := range codes {
		c, _ := x.table.Lookup(code)
		ending, ok := x.seventh(c)
		if !ok || code[:7] != codes[0][:7] {
			return nil
		}
		out = append(out, Seventh{Char: code[7:], Meaning: ending, Code: code})
	}
	return out
}

// byCode finds the codes that begin with what was typed. Words may follow a
// whole code.
func (x *Index) byCode(query string, limit int) []candidate {
	typed, rest, _ := strings.Cut(strings.TrimSpace(query), " ")
	typed = strings.TrimRight(strings.ToUpper(typed), ".-:,")
	if !looksLikeCode(typed) {
		return nil
	}
	system := x.table.Release().System
	if system == coding.ICD10CM {
		typed = coding.DotCode(strings.ReplaceAll(typed, ".", ""))
	}
	from, to := x.table.Beginning(typed)
	if rest != "" && (from == to || x.table.At(from).Code != typed) {
		return nil // "b12 deficiency"
	}
	var out []candidate
	if from == to && len(typed) > 3 && system == coding.ICD10CM {
		// No such code: what it would stand under, if it is typed to more than that.
		if at, ok := x.above(typed); ok {
			return []candidate{{at: at, entry: -1, score: 1}}
		}
	}
	short := len(typed) < 3 && system == coding.ICD10CM
	for i := from; i < to && len(out) < limit; i++ {
		if short && x.table.At(i).Parent != "" {
			continue // of A0, the categories
		}
		out = append(out, candidate{at: int32(i), entry: -1, score: 1})
		if rest != "" {
			break
		}
	}
	return out
}

// above is the longest beginning of a code that is a code.
func (x *Index) above(code string) (at int32, ok bool) {
	for n := len(code) - 1; n >= 3; n-- {
		if i, ok := x.table.Place(code[:n]); ok {
			return int32(i), true
		}
	}
	return 0, false
}

// looksLikeCode reports whether a word may begin a code of any system: letters
// and digits, with a digit among the first three.
func looksLikeCode(s string) bool {
	if len(s) < 2 || len(s) > 8 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c != '.' || i != 3) {
			return false
		}
	}
	return strings.ContainsAny(s[:min(3, len(s))], "0123456789")
}

// find scores the entries that a reading leads to: how much of the query they
// have, and how little else.
func (x *Index) find(r reading) []candidate {
	s, _ := x.scratch.Get().(*scratch)
	defer func() {
		for _, e := range s.touched {
			s.mask[e], s.have[e], s.its[e] = 0, 0, 0
		}
		s.touched = s.touched[:0]
		x.scratch.Put(s)
	}()
	whole, there := float32(0), float32(0) // weight of the query, and of its words that any text has
	order := make([]int, len(r.slots))
	for i := range r.slots {
		order[i] = i
		whole += r.slots[i].idf
		if len(r.slots[i].ways) > 0 {
			there += r.slots[i].idf
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(r.slots[b].idf, r.slots[a].idf) })
	for _, i := range order {
		bit := uint32(1) << i
		for _, w := range r.slots[i].ways {
			entries := x.entries(w.word)
			closed := len(s.touched) > 0 && len(entries) > frequent
			gain, own := r.slots[i].idf*w.weight, x.idf[w.word]*w.weight
			for _, e := range entries {
				switch m := s.mask[e]; {
				case m&bit != 0:
					continue
				case m == 0:
					if closed {
						continue
					}
					s.touched = append(s.touched, e)
				}
				s.mask[e] |= bit
				s.have[e] += gain
				s.its[e] += own
			}
		}
	}
	list := make([]candidate, 0, maxCandidates)
	least := float32(0)
	for _, e := range s.touched {
		c := candidate{at: x.code[e], entry: int32(e), mask: s.mask[e], have: s.have[e], its: s.its[e]}
		if c.have < leastCover*there {
			continue
		}
		c.score = x.score(c, whole, x.weight[e]) * r.weight
		if c.score < least {
			continue
		}
		if len(list) == cap(list) { // drop the worse half
			slices.SortFunc(list, byScore)
			list = list[:maxCandidates/2]
			least = list[len(list)-1].score
		}
		list = append(list, c)
	}
	slices.SortFunc(list, byScore)
	return x.open(list, r, whole)
}

func byScore(a, b candidate) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.at, b.at), cmp.Compare(a.entry, b.entry))
}

// score is 1 for an entry with just the words of the query.
func (x *Index) score(c candidate, whole, weight float32) float32 {
	cover := c.have / whole
	exact := min(1, c.its/weight)
	score := cover * cover * (.55 + .45*exact) * trust[x.kind[c.entry]]
	if x.usual[c.at] {
		score *= 1.04
	}
	return score
}

// open looks under the best headers for codes that have the words which the
// header's own text lacks, such as the side or the encounter.
func (x *Index) open(list []candidate, r reading, whole float32) []candidate {
	opened := map[[2]uint32]bool{}
	slots := slotsOf(r)
	for _, c := range list[:len(list):len(list)] {
		if len(opened) == maxOpened {
			break
		}
		if c.mask == 1<<len(r.slots)-1 {
			continue
		}
		header, ok := x.header(c.at)
		key := [2]uint32{uint32(header), c.mask}
		if !ok || opened[key] {
			continue
		}
		opened[key] = true
		list = append(list, x.below(c, header, r, slots, whole)...)
	}
	return list
}

// slotsOf gives the slot of each word that a reading looks for.
func slotsOf(r reading) map[uint32]int {
	slots := map[uint32]int{}
	for i := range r.slots {
		for _, w := range r.slots[i].ways {
			if _, ok := slots[w.word]; !ok {
				slots[w.word] = i
			}
		}
	}
	return slots
}

// header is where codes that say more than the one at a place are looked for:
// there if it is a header, above it if it leaves something unspecified.
func (x *Index) header(at int32) (header int32, ok bool) {
	c := x.table.At(int(at))
	if !c.Billable {
		return at, true
	}
	if !strings.Contains(c.Title, "nspecified") {
		return 0, false
	}
	if _, ok := x.seventh(c); ok {
		c, _ = x.table.Parent(c.Code)
	}
	parent, ok := x.table.Place(c.Parent)
	return int32(parent), ok
}

// below gives the codes under a header that have the most of the words left by a
// candidate, which is the header or stands under it; of these the ones whose own
// titles say most of the query and least else.
func (x *Index) below(c candidate, header int32, r reading, slots map[uint32]int, whole float32) []candidate {
	from, to := x.table.Beginning(x.table.At(int(header)).Code)
	weight := x.weight[c.entry]
	// Of another code than the header, the words that its title has must stay:
	// from the left side no way leads to the right one.
	var stay []uint32
	if header != c.at {
		for _, w := range x.titleWords(c.at) {
			if _, ok := slots[w]; ok && !slices.Contains(x.titleWords(header), w) {
				stay = append(stay, w)
			}
		}
	}
	var best []candidate
	for at := from + 1; at < min(to, from+maxBelow); at++ {
		var words []uint32
		if e := x.title[at]; e >= 0 {
			words = x.wordsOf(int(e))
		} else {
			ending, _ := x.seventh(x.table.At(at))
			words = x.endings[ending]
		}
		b, others, said := c, float32(0), float32(0)
		b.at = int32(at)
		for _, w := range words {
			i, ok := slots[w]
			if !ok {
				others += x.idf[w]
				continue
			}
			said += r.slots[i].idf
			if b.mask&(1<<i) == 0 {
				b.mask |= 1 << i
				b.have += r.slots[i].idf * wayOf(r.slots[i], w)
				b.its += x.idf[w]
			}
		}
		if b.mask == c.mask || stay != nil && !hasAll(x.titleWords(int32(at)), stay) {
			continue
		}
		// What the title of the header has, the code's has too: only few of the others are new.
		b.score = x.score(b, whole, weight+(b.its-c.its)) * r.weight * (1 - min(.1, others/1000)) * (1 + min(.03, .03*said/whole))
		if strings.Contains(x.table.At(at).Title, "nspecified") {
			b.score *= 1.01
		}
		if header != c.at { // the other code's text would mislead
			b.entry = x.titleEntry(b.at)
		}
		best = append(best, b)
	}
	slices.SortFunc(best, byScore)
	return best[:min(len(best), 8)]
}

// titleEntry is the entry of a code's title; of one that differs from the header
// above in the 7th character alone, the header's.
func (x *Index) titleEntry(at int32) int32 {
	if e := x.title[at]; e >= 0 {
		return e
	}
	parent, _ := x.table.Place(x.table.At(int(at)).Parent)
	return x.title[parent]
}

// titleWords gives the words of a code's title without its 7th character.
func (x *Index) titleWords(at int32) []uint32 { return x.wordsOf(int(x.titleEntry(at))) }

func hasAll(words, wanted []uint32) bool {
	return !slices.ContainsFunc(wanted, func(w uint32) bool { return !slices.Contains(words, w) })
}

func wayOf(s slot, word uint32) float32 {
	for _, w := range s.ways {
		if w.word == word {
			return w.weight
		}
	}
	return 0
}

// merge puts what words found behind what the code found. Codes that differ
// from a header before them in the 7th character alone are left to it.
func (x *Index) merge(found []candidate, best map[int32]candidate, limit int) []candidate {
	there := map[int32]bool{}
	for _, c := range found {
		there[c.at] = true
	}
	list := make([]candidate, 0, len(best))
	for _, c := range best {
		if !there[c.at] {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, byScore)
	for i, c := range list {
		if len(found) >= limit || i > 0 && c.score < list[0].score*.3 {
			break
		}
		code := x.table.At(int(c.at))
		parent := int32(-1)
		if _, ok := x.seventh(code); ok {
			at, _ := x.table.Place(code.Parent)
			parent = int32(at)
		}
		if there[c.at] || there[parent] && i > 0 {
			continue
		}
		there[c.at] = true
		found = append(found, c)
		// A header in the first place is followed by a code that can be reported.
		if i == 0 && !code.Billable && len(found) < limit {
			if at, ok := x.plain(code.Code); ok && !there[at] {
				c.at = at
				there[at] = true
				found = append(found, c)
			}
		}
	}
	return found
}

// plain is the billable code under a header that says least: without
// complications or unspecified, at the initial encounter; else the first.
func (x *Index) plain(header string) (at int32, ok bool) {
	for _, code := range x.table.BillableUnder(header) {
		i, _ := x.table.Place(code)
		if !ok {
			at, ok = int32(i), true
		}
		title := strings.ToLower(x.table.At(i).Title)
		if strings.Contains(title, "without complication") || strings.Contains(title, "unspecified") {
			return int32(i), true
		}
	}
	return at, ok
}
