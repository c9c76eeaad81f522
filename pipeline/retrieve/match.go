package retrieve

import (
	"cmp"
	"math"
	"slices"

	"chartcode/internal/coding"
)

// word is one reading of a token of the note: most tokens have one, with
// factor 1; abbreviations and synonyms add further ones with less.
type word struct {
	id     int32 // in the index
	pos    int32 // token number in the note
	end    int32 // last token that it covers; an expansion stands for several words over one token
	factor float32
}

// hit is a term's bag found in a stretch of the note.
type hit struct {
	bag      int32
	sentence int32
	from, to int32   // tokens, both inclusive
	share    float32 // of the bag's weight that was found, 0..1
	weight   float32 // found weight
	score    float32
	count    int32 // words found
	neg      bool  // the words stand where the condition is denied, another's or only feared
	assert   coding.Assertion
}

// matcher holds what one goroutine needs to match sentences; it is reused.
type matcher struct {
	ix    *index
	stamp []int32 // by word: the sentence in which it was last seen
	slot  []int32 // by word: where its occurrences begin in occ
	seen  []int32 // by bag: the sentence in which it was last taken up
	gen   int32
	occ   []word
	found []word
	touch []int32

	inNote  []int32 // by word: the note in which it was last seen
	noteGen int32
}

func newMatcher(ix *index) *matcher {
	return &matcher{ix: ix, stamp: make([]int32, len(ix.spell)), slot: make([]int32, len(ix.spell)), seen: make([]int32, ix.bags()), inNote: make([]int32, len(ix.spell))}
}

// Limits that keep one sentence's work bounded; a transcribed note can be one
// sentence of thousands of words.
const (
	windowTokens    = 24  // words further apart than this do not make one term
	hitsPerSentence = 250 // best matches kept of one sentence
	gapCost         = 0.12
	clauseCost      = 0.25
)

// match appends to dst the terms found among words, which are the readings of
// one sentence's tokens in text order; clause gives the clause of a token.
func (m *matcher) match(dst []hit, words []word, sentence int32, clause []int32) []hit {
	if len(words) == 0 {
		return dst
	}
	m.gen++
	m.touch = m.touch[:0]
	// Occurrences sorted by word, so that a bag's words are looked up at once.
	m.occ = append(m.occ[:0], words...)
	slices.SortStableFunc(m.occ, func(a, b word) int { return cmp.Compare(a.id, b.id) })
	for i := range m.occ {
		w := m.occ[i].id
		if m.stamp[w] == m.gen {
			continue
		}
		m.stamp[w] = m.gen
		m.slot[w] = int32(i)
		for _, b := range m.ix.listOf(w) {
			if m.seen[b] != m.gen {
				m.seen[b] = m.gen
				m.touch = append(m.touch, b)
			}
		}
	}
	base := len(dst)
	for _, b := range m.touch {
		if h, ok := m.window(b, clause); ok {
			h.sentence = sentence
			dst = append(dst, h)
		}
	}
	own := dst[base:]
	if len(own) > hitsPerSentence {
		slices.SortFunc(own, func(a, b hit) int {
			if c := cmp.Compare(b.score, a.score); c != 0 {
				return c
			}
			return cmp.Compare(a.bag, b.bag)
		})
		dst = dst[:base+hitsPerSentence]
	}
	return dst
}

// window finds the stretch of the sentence that matches bag b best.
func (m *matcher) window(b int32, clause []int32) (hit, bool) {
	total := m.ix.total[b]
	m.found = m.found[:0]
	var reach float32
	bag := m.ix.bag(b)
	for _, w := range bag {
		if m.stamp[w] != m.gen {
			continue
		}
		best := float32(0)
		for i := int(m.slot[w]); i < len(m.occ) && m.occ[i].id == w; i++ {
			best = max(best, m.occ[i].factor)
			m.found = append(m.found, m.occ[i])
		}
		reach += best * m.ix.weight[w]
	}
	if reach < leastShare*total {
		return hit{}, false
	}
	f := m.found
	if len(f) > 1 {
		slices.SortFunc(f, func(a, b word) int {
			if c := cmp.Compare(a.pos, b.pos); c != 0 {
				return c
			}
			return cmp.Compare(a.id, b.id)
		})
	}
	out := hit{bag: b}
	for i := range f {
		m.extend(f[i:], clause, total, &out)
	}
	return out, out.score > 0
}

// extend tries the windows that begin at f[0] and keeps the best in out.
func (m *matcher) extend(f []word, clause []int32, total float32, out *hit) {
	var ids [16]int32
	var factor [16]float32
	n := 0
	var weight float32
	crossed := float32(0)
	end := f[0].end
	for j := range f {
		o := f[j]
		if o.pos-f[0].pos > windowTokens {
			break
		}
		if j > 0 && clause[o.pos] != clause[f[j-1].pos] {
			crossed++
		}
		k := slices.Index(ids[:n], o.id)
		switch {
		case k < 0 && n < len(ids):
			ids[n], factor[n] = o.id, o.factor
			n++
			weight += o.factor * m.ix.weight[o.id]
		case k >= 0 && o.factor > factor[k]:
			weight += (o.factor - factor[k]) * m.ix.weight[o.id]
			factor[k] = o.factor
		default:
			continue
		}
		end = max(end, o.end)
		share := weight / total
		if share < leastShare {
			continue
		}
		gaps := float32(max(0, int(end-f[0].pos)+1-n))
		score := share * share * sqrt(weight) / (1 + gapCost*gaps + clauseCost*crossed)
		if score > out.score {
			out.score, out.share, out.weight = score, share, weight
			out.from, out.to, out.count = f[0].pos, end, int32(n)
		}
	}
}

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }
