package retrieve

import (
	"cmp"
	"slices"

	"chartcode/internal/coding"
	"chartcode/internal/learned"
)

// way is one way in which a code was reached.
type way struct {
	code  int32 // billable
	hit   int32 // index into finding.hits; -1 for a phrase
	term  int32 // index into index.terms; -1 for a phrase
	via   int32 // the header that leads to the code, or the code itself
	under int32 // how many billable codes the header leads to; 1 when direct
	res   float32
	score float32
}

// finding is all that was found in one note.
type finding struct {
	mentions   bool // the style asked for
	rd         *reading
	hits       []hit
	wholes     map[int32][]int32  // by sentence: the hits that are whole names of conditions
	bySentence map[int32][]int32  // hits
	dense      map[int32]denseHit // by term: the nearest mention
	links      map[int32]phraseSum

	categories map[string]phraseSum
	inNote     []int32 // by word: generation stamp of words in the note
	gen        int32
	later      bool // the note tells of follow-up care
	sequel     bool
	unmoved    bool // and of a fracture that is not displaced
	seventh    encounter
	sides      *sides
}

type denseHit struct {
	sim  float32
	span coding.Span
}

// phraseSum gathers what learned phrases say for one code.
type phraseSum struct {
	best, lift, sum float32
	count           int
	span            coding.Span
}

const (
	hitsKept     = 1500 // of a note, best first
	headerSpread = 6    // descendants of a large header that are taken up
	openScore    = 0.5  // least score of a hit that opens a header of many codes
	smallHeader  = 3
)

// ways lists how each billable code was reached, sorted by code and then best
// first.
func (r *Retriever) ways(v *view, f *finding) []way {
	var out []way
	ix := r.index
	for h := range f.hits {
		hit := &f.hits[h]
		for _, rf := range ix.refsOf(hit.bag) {
			out = f.open(out, r, v, rf.code, way{hit: int32(h), term: rf.term, score: hit.score})
		}
	}
	for t, d := range f.dense {
		out = f.open(out, r, v, ix.terms[t].code, way{hit: -1, term: t, score: denseScore(d.sim)})
	}
	for c := range f.links {
		if len(v.under[c]) == 1 && v.under[c][0] == c {
			out = append(out, way{code: c, hit: -1, term: -1, via: c, under: 1, res: 1})
		}
	}
	slices.SortFunc(out, func(a, b way) int {
		return cmp.Or(cmp.Compare(a.code, b.code), cmp.Compare(b.score*b.res, a.score*a.res), cmp.Compare(a.hit, b.hit), cmp.Compare(a.term, b.term))
	})
	return out
}

func denseScore(sim float32) float32 { return max(0, sim-0.5) }

// described is how many codes are looked at closely; of the thousands that share
// a word with a long note, the others have no chance.
const described = 1200

// waysKept is how many ways of one code are looked at, best first.
const waysKept = 64

// likeliest cuts the sorted ways by code and keeps the codes with the best
// single way, in the order of the codes' numbers.
func (f *finding) likeliest(ways []way) [][]way {
	var groups [][]way
	for i := 0; i < len(ways); {
		j := i + 1
		for j < len(ways) && ways[j].code == ways[i].code {
			j++
		}
		groups = append(groups, ways[i:min(j, i+waysKept):j])
		i = j
	}
	if len(groups) <= described {
		return groups
	}
	promise := func(g []way) float32 {
		return max(g[0].score*g[0].res, f.links[g[0].code].best)
	}
	slices.SortStableFunc(groups, func(a, b []way) int { return cmp.Compare(promise(b), promise(a)) })
	groups = groups[:described]
	slices.SortFunc(groups, func(a, b []way) int { return cmp.Compare(a[0].code, b[0].code) })
	return groups
}

// open appends w for the billable codes that code leads to: itself, or the
// descendants that the note's words support best.
func (f *finding) open(out []way, r *Retriever, v *view, code int32, w way) []way {
	groups := v.group[code]
	w.via, w.under = code, int32(len(groups))
	if len(groups) == 0 {
		return out
	}
	if len(groups) > smallHeader && w.score < openScore {
		return out
	}
	if len(groups) > 1 {
		return append(out, f.spread(r, v, code, groups, w)...)
	}
	best, next := f.suits(v, groups[0])
	w.code, w.res = best, 1
	if best != code {
		w.res = 0.95
	}
	out = append(out, w)
	if next >= 0 {
		w.code, w.res = next, w.res*nextEncounter
		out = append(out, w)
	}
	return out
}

// nextEncounter is how well the second best 7th character is supported.
const nextEncounter = 0.6

// spread scores a header's descendants by how much of what their titles add to
// the header's words is in the note.
func (f *finding) spread(r *Retriever, v *view, code int32, groups []group, w way) []way {
	have := r.headerWords(code)
	out := make([]way, 0, headerSpread+1)
	for _, g := range groups {
		w.code, _ = f.suits(v, g)
		w.res = f.resolve(r.index, &v.title[w.code], have, w.hit)
		at, _ := slices.BinarySearchFunc(out, w, func(a, b way) int {
			return cmp.Or(cmp.Compare(b.res, a.res), cmp.Compare(a.code, b.code))
		})
		if at < headerSpread {
			out = slices.Insert(out, at, w)
			if len(out) > headerSpread {
				out = out[:headerSpread]
			}
		}
	}
	return out
}

// resolve is how well the note supports a descendant, 0..1.
func (f *finding) resolve(ix *index, t *title, have []int32, on int32) float32 {
	var all, got float32
	for _, w := range t.words {
		if ix.apart[w] || slices.Contains(have, w) {
			continue
		}
		x := ix.weight[w]
		all += x
		if f.inNote[w] == f.gen {
			got += x
		}
	}
	res := float32(0.9)
	if all > 0 {
		res = 0.15 + 0.75*got/all
	}
	if t.vague {
		res = max(res, 0.55)
	}
	if t.side != 0 {
		var h *hit
		if on >= 0 {
			h = &f.hits[on]
		}
		switch fits := f.sideFits(t, h); {
		case fits == 1:
			res = min(1, res*1.1)
		case fits == -1:
			res *= 0.4
		case fits < 0:
			res *= 0.7
		}
	}
	// Not said, a fracture is coded as displaced (guideline I.C.19.c).
	if t.moved != 0 && (t.moved < 0) != f.unmoved {
		res *= 0.5
	}
	return res
}

// headerWords are the words that a header's own title has.
func (r *Retriever) headerWords(code int32) []int32 {
	return r.titles[code]
}

// phrases looks the note's phrases up in what was learned.
func (f *finding) phrases(ix *index, m *learned.Memory, own *learned.Without) {
	f.links, f.categories = map[int32]phraseSum{}, map[string]phraseSum{}
	var links []learned.Link
	seen := map[string]bool{}
	eachPhrase(f.rd, func(key []byte, from, to int) {
		if _, ok := m.Phrases[string(key)]; !ok || seen[string(key)] {
			return
		}
		seen[string(key)] = true
		span := f.rd.span(int32(from), int32(to))
		links = m.Links(links[:0], key, own)
		for _, l := range links {
			if c, ok := ix.codeNum[l.Code]; ok {
				f.links[c] = f.links[c].with(l, span)
			}
		}
		links = m.CategoryLinks(links[:0], key, own)
		for _, l := range links {
			f.categories[l.Code] = f.categories[l.Code].with(l, span)
		}
	})
}

func (s phraseSum) with(l learned.Link, span coding.Span) phraseSum {
	s.count++
	s.sum += float32(l.Lift)
	s.lift = max(s.lift, float32(l.Lift))
	// Of phrases that say as much, the shortest says it: "psoriasis", not "shows psoriasis".
	if x := float32(l.Share); x > s.best || x == s.best && span.Len() < s.span.Len() {
		s.best, s.span = float32(l.Share), span
	}
	return s
}
