package retrieve

import (
	"slices"
	"sort"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// deniesAfter are words that, behind what was found in its sentence, may say that
// it is not there: "cardiac and pulmonary consolidation were normal".
var deniesAfter = map[string]bool{"negative": true, "negatives": true, "normal": true, "normality": true, "absent": true, "absence": true, "ruled": true, "excluded": true,
	"discarded": true, "denied": true, "unremarkable": true, "unaltered": true, "preserved": true, "not": true, "no": true}

// surroundings fills what the sentence around a place says of it.
func (r *Retriever) surroundings(v *view, f *finding, row *Row, p *spot, x *[groundCount]float64) {
	rd := f.rd
	var h *hit
	var from, to int32
	if p.way != nil {
		h = &f.hits[p.way.hit]
		from, to = h.from, h.to
	} else {
		from = int32(sort.Search(len(rd.tokens), func(i int) bool { return rd.tokens[i].End > p.span.Start }))
		to = int32(sort.Search(len(rd.tokens), func(i int) bool { return rd.tokens[i].Start >= p.span.End })) - 1
	}
	s := sort.Search(len(rd.sentence), func(i int) bool { return rd.sentence[i].to > from })
	x[gExact], x[gTitleHere] = 1, 1
	if s == len(rd.sentence) || from < rd.sentence[s].from || to < from {
		return
	}
	sentence := &rd.sentence[s]
	x[gAt] = float64(from) / float64(len(rd.tokens)+1)
	var before float32
	for i := from; i > 0 && rd.chunk[i-1] == rd.chunk[from]; i-- {
		before += rd.weight[i-1]
	}
	x[gBefore] = float64(min(before, 20)) / 10
	numbers := 0
	for i := sentence.from; i < sentence.to; i++ {
		t := &rd.tokens[i]
		if t.Kind == lexicon.Number {
			numbers++
		}
		if i > to && deniesAfter[t.Lower] {
			x[gDeniedAfter] = 1
		}
	}
	x[gNumbers] = float64(numbers) / float64(sentence.to-sentence.from)
	var all, here, missing float32
	for _, id := range v.title[row.code].words {
		w := r.index.weight[id]
		all += w
		if slices.ContainsFunc(sentence.words, func(k word) bool { return k.id == id }) {
			here += w
		} else {
			missing = max(missing, w)
		}
	}
	if all > 0 {
		x[gTitleHere] = float64(here / all)
	}
	x[gTitleMissing] = float64(missing) / 10
	for _, k := range sentence.words {
		if slices.Contains(v.title[row.code].without, k.id) && stated(rd.assert[k.pos]) {
			x[gExcluded] = 1
		}
		if slices.Contains(v.title[row.code].opposite, k.id) && rd.chunk[k.pos] == rd.chunk[from] {
			x[gExcluded] = 1
		}
	}
	if h != nil {
		r.rivals(f, row, h, x)
	}
}

// rivals compares a hit with those of other codes on the same words.
func (r *Retriever) rivals(f *finding, row *Row, h *hit, x *[groundCount]float64) {
	var full float32
	for _, w := range r.index.bag(h.bag) {
		if f.within(h, w) {
			full += r.index.weight[w]
		}
	}
	if full > 0 {
		x[gExact] = float64(h.weight / full)
	}
	category := coding.Category(row.Code)
	var kin, longer float32
	for _, i := range f.bySentence[h.sentence] {
		o := &f.hits[i]
		if o.to < h.from || o.from > h.to || o.bag == h.bag {
			continue
		}
		own, ofKin := false, false
		for _, rf := range r.index.refsOf(o.bag) {
			c := r.index.codes[rf.code]
			own = own || c == row.Code
			ofKin = ofKin || coding.Category(c) == category
		}
		switch {
		case own:
		case ofKin:
			kin = max(kin, o.score/h.score)
		case o.share >= FoundShare && o.from <= h.from && o.to >= h.to:
			longer = max(longer, o.weight-h.weight)
		}
	}
	x[gKinBetter], x[gOtherLonger] = float64(min(kin, 3)), float64(min(longer, 10))/5
}

// opposites are words of titles and those that say otherwise of the same words.
var opposites = map[string]string{"acute": "chronic", "chronic": "acute", "unifocal": "multifocal", "multifocal": "unifocal", "complete": "partial", "partial": "complete",
	"single": "multiple", "multiple": "single", "benign": "malignant", "malignant": "benign", "primary": "secondary", "secondary": "primary"}

// excluded gives the words of what a title excludes: those after "without", and the
// last of those after "except", "without hemorrhage or perforation" and "except renal
// pelvis".
func (ix *index) excluded(text string, toks []lexicon.Token) (out []int32) {
	after, last := "", int32(-1)
	for i := range toks {
		k := &toks[i]
		switch k.Lower {
		case "without", "except":
			after = k.Lower
			continue
		case ",", ";", "with", "not":
			after = ""
		}
		w := ix.lookup(termKey(text, k))
		if after == "" || w < 0 || k.Kind != lexicon.Word || ix.weight[w] < titleWeight {
			continue
		}
		if after == "without" {
			out = append(out, w)
		} else {
			last = w
		}
	}
	if last >= 0 {
		out = append(out, last)
	}
	return out
}

// opposed gives the words that say otherwise than the title's, unless it has both.
func (ix *index) opposed(toks []lexicon.Token) (out []int32) {
	for i := range toks {
		other := opposites[toks[i].Lower]
		if other == "" || slices.ContainsFunc(toks, func(k lexicon.Token) bool { return k.Lower == other }) {
			continue
		}
		for _, n := range lexicon.Norms(other) {
			if w := ix.lookup(n); w >= 0 {
				out = append(out, w)
			}
		}
	}
	return out
}
