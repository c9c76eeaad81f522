package retrieve

import (
	"slices"

	"chartcode/internal/lexicon"
)

// organs are the systems of the body that a word belongs to: the chapters of the
// terms that have it, as bits. None where the terms say little of it.
type organs uint16

// Chapters of organs, blood and infections, by letter; A and B are one, and C
// with the D of tumours, injuries, signs, births and factors are none: they speak
// of all organs.
const organLetters = "ADEFGHIJKLMN"

const (
	organTerms = 4    // subcategories that a word must occur in
	organMost  = 0.5  // share of the chapter that a word belongs to
	organAlso  = 0.05 // share of another that it belongs to as well
)

// organBit gives the place of a code's chapter in organLetters, -1 for none.
func organBit(code string) int {
	c := code[0]
	switch {
	case c == 'B':
		c = 'A'
	case c == 'D' && code < "D50":
		return -1
	}
	for i := range organLetters {
		if organLetters[i] == c {
			return i
		}
	}
	return -1
}

// organsOf reads a word's numbers of subcategories by organBit.
func organsOf(counts *[len(organLetters)]int32) organs {
	var sum, most int32
	for _, n := range counts {
		sum, most = sum+n, max(most, n)
	}
	if sum < organTerms || float64(most) < organMost*float64(sum) {
		return 0
	}
	var o organs
	for i, n := range counts {
		if float64(n) >= organAlso*float64(sum) {
			o |= 1 << i
		}
	}
	return o
}

// organReach is how far before or after the words found another word of the same
// noun phrase may stand and say whose they are.
const organReach = 2

// otherOrgan reports whether the name of a part of the body beside the words found
// says that they speak of an organ of another chapter: "optic neuropathy" is no neuropathy of the limbs.
func (f *finding) otherOrgan(ix *index, code string, t *title, h *hit) bool {
	bit, tumour := organBit(code), chapterLetter(code) == "C" && t.sited(ix)
	if bit < 0 && !tumour {
		return false
	}
	rd := f.rd
	beside := func(i int32) bool {
		if i < 0 || int(i) >= len(rd.tokens) || rd.tokens[i].Kind != lexicon.Word || lexicon.IsStop(rd.tokens[i].Norm) {
			return false
		}
		other, site := false, false
		for _, w := range rd.sentence[h.sentence].words {
			if w.pos != i {
				continue
			}
			if tumour { // "choroid melanoma" is none of the skin
				if slices.Contains(t.words, w.id) {
					return false
				}
				other, site = other || ix.site[w.id], true
				continue
			}
			site = site || ix.site[w.id]
			switch o := ix.organ[w.id]; {
			case o == 0:
			case o&(1<<bit) != 0:
				return false
			default:
				other = true
			}
		}
		return other && site
	}
	for d := int32(1); d <= organReach; d++ {
		if i := h.from - d; i >= 0 && rd.chunk[i] == rd.chunk[h.from] && beside(i) {
			return true
		}
		if i := h.to + d; int(i) < len(rd.tokens) && rd.chunk[i] == rd.chunk[h.to] && beside(i) {
			return true
		}
	}
	return false
}

// sited reports whether the title names a part of the body.
func (t *title) sited(ix *index) bool {
	return slices.ContainsFunc(t.words, func(w int32) bool { return ix.site[w] })
}
