package retrieve

import (
	"math"
	"slices"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// index finds terms by the words that they share with a stretch of text. It is
// read only once built.
//
// Each distinct bag of words is held once. A text is only entered under its
// rarest words, as many as it takes so that any stretch of text which holds at
// least leastShare of the bag's weight must hold one of them (prefix
// filtering); that keeps the lists of "fracture" or "left" short.
type index struct {
	words  map[string]int32 // norm -> word
	weight []float32        // by word: how much it tells
	apart  []bool           // by word: it tells sides apart, or displaced fractures from others
	region []byte           // by word: the part of the body, of words for body parts that have sides
	spell  []string         // by word: its norm

	first   []int32 // by bag: where its words begin in bagWord
	bagWord []int32 // words of bags, rarest first
	total   []float32
	denies  []bool   // by bag: its terms say that something is not (no appetite)
	site    []bool   // by word: it names a site of neoplasms, a part of the body
	test    []bool   // by word: a laboratory measures it
	organ   []organs // by word

	refFirst []int32 // by bag: where its references begin in refs
	refs     []ref

	post  []int32 // where the word's list begins in lists
	lists []int32 // bags

	codes   []string // by code number; headers too
	common  []bool   // by code number: it has an everyday name
	codeNum map[string]int32
	terms   []termRef
	byText  map[int64][]int32 // TextID -> terms
}

// ref says that a bag's text leads to a code.
type ref struct {
	code int32
	term int32 // index into terms
}

type termRef struct {
	text string
	kind coding.TermKind
	code int32
}

// leastShare is the least share of a term's weight that must be found for the
// term to count as matched. Lower finds little more and costs time.
const leastShare = 0.4

// weakWords are the words of the tabular list's apparatus: they say how a code
// stands to its neighbours, not what the patient has.
var weakWords = []string{
	"unspecified", "other", "specified", "nos", "nec", "elsewhere", "classified", "site", "type", "initial", "subsequent",
	"encounter", "sequela", "displaced", "and", "or", "not", "of", "the", "in", "with", "without", "to", "by", "due", "condition",
}

const weakFactor = 0.2

func buildIndex(terms []coding.Term) *index {
	ix := &index{words: make(map[string]int32, 40000), codeNum: make(map[string]int32, 100000), byText: map[int64][]int32{}}
	bags := ix.collect(terms)
	ix.weigh(bags)
	ix.region, ix.apart = make([]byte, len(ix.spell)), make([]bool, len(ix.spell))
	for w, norm := range ix.spell {
		ix.region[w], ix.apart[w] = regionOf()[norm], apart()[norm] || norm == displaced || norm == nondisplaced
	}
	ix.sites(terms)
	ix.layOut(bags)
	return ix
}

type bag struct {
	words  []int32
	refs   []ref
	denies bool
}

// collect tokenizes the terms and joins those with the same words.
func (ix *index) collect(terms []coding.Term) []bag {
	var bags []bag
	known := make(map[string]int32, len(terms))
	var toks []lexicon.Token
	var key []byte
	var ws []int32
	ix.terms = make([]termRef, 0, len(terms))
	titled := make(map[string]bool, len(terms)/2)
	for _, t := range terms {
		if t.Kind == coding.TermTitle {
			titled[t.Code] = true
		}
	}
	for _, t := range terms {
		toks = lexicon.AppendTokens(toks[:0], t.Text)
		ws = ws[:0]
		for i := range toks {
			k := &toks[i]
			if k.Kind == lexicon.Punct || lexicon.IsStop(k.Norm) {
				continue
			}
			w := ix.word(termKey(t.Text, k))
			if !slices.Contains(ws, w) {
				ws = append(ws, w)
			}
		}
		if len(ws) == 0 {
			continue
		}
		code := ix.code(t.Code)
		if t.Kind == coding.TermTitle && encounterAt(t.Code, t.Text) >= 0 && titled[strings.TrimRight(t.Code[:7], "X.")] {
			// The header's title has all that a note says; the 7th character comes from the note's context.
			n := int32(len(ix.terms))
			ix.terms = append(ix.terms, termRef{t.Text, t.Kind, code})
			if t.TextID != 0 {
				ix.byText[t.TextID] = append(ix.byText[t.TextID], n)
			}
			continue
		}
		if t.Kind == coding.TermEveryday {
			ix.common[code] = true
		}
		slices.Sort(ws)
		key = key[:0]
		no := denies(toks)
		if no {
			key = append(key, 0)
		}
		for _, w := range ws {
			key = append(key, byte(w), byte(w>>8), byte(w>>16))
		}
		b, ok := known[string(key)]
		if !ok {
			b = int32(len(bags))
			known[string(key)] = b
			bags = append(bags, bag{words: slices.Clone(ws), denies: no})
		}
		n := int32(-1)
		for _, r := range bags[b].refs {
			if r.code == code && ix.terms[r.term].kind == t.Kind {
				n = r.term // the same words in another release, or in another order
				break
			}
		}
		if n < 0 {
			n = int32(len(ix.terms))
			ix.terms = append(ix.terms, termRef{t.Text, t.Kind, code})
			bags[b].refs = append(bags[b].refs, ref{code, n})
		}
		if t.TextID != 0 && !slices.Contains(ix.byText[t.TextID], n) {
			ix.byText[t.TextID] = append(ix.byText[t.TextID], n)
		}
	}
	return bags
}

// denies reports whether a term says that something is not there or not done:
// "no appetite", "not taking insulin". Its words are only found where the note
// denies them.
func denies(toks []lexicon.Token) bool {
	return len(toks) > 1 && (toks[0].Lower == "no" || toks[0].Lower == "not")
}

func (ix *index) word(norm string) int32 {
	w, ok := ix.words[norm]
	if !ok {
		w = int32(len(ix.spell))
		norm = strings.Clone(norm)
		ix.words[norm] = w
		ix.spell = append(ix.spell, norm)
	}
	return w
}

func (ix *index) code(code string) int32 {
	c, ok := ix.codeNum[code]
	if !ok {
		c = int32(len(ix.codes))
		ix.codeNum[code] = c
		ix.common = append(ix.common, false)
		ix.codes = append(ix.codes, code)
	}
	return c
}

// weigh gives each word the logarithm of its rarity among subcategories (the
// first five characters of a code): among codes, the thousands of injury codes
// that differ in side and encounter would make their words look common. The
// same count tells which organs a word belongs to.
func (ix *index) weigh(bags []bag) {
	last := make([]int32, len(ix.spell))
	df := make([]int32, len(ix.spell))
	sub := map[string]int32{}
	organ := make([][len(organLetters)]int32, len(ix.spell))
	bits := []int{-1} // by subcategory
	type pair struct{ sub, bag int32 }
	var pairs []pair
	for i := range bags {
		for _, r := range bags[i].refs {
			s := ix.codes[r.code]
			s = s[:min(5, len(s))]
			n, ok := sub[s]
			if !ok {
				n = int32(len(sub) + 1)
				sub[s] = n
				bits = append(bits, organBit(s))
			}
			pairs = append(pairs, pair{n, int32(i)})
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return int(a.sub - b.sub) })
	for _, p := range pairs {
		for _, w := range bags[p.bag].words {
			if last[w] != p.sub {
				last[w] = p.sub
				df[w]++
				if b := bits[p.sub]; b >= 0 {
					organ[w][b]++
				}
			}
		}
	}
	ix.organ = make([]organs, len(ix.spell))
	for w := range organ {
		ix.organ[w] = organsOf(&organ[w])
	}
	ix.weight = make([]float32, len(ix.spell))
	n := float64(len(sub))
	for w := range ix.weight {
		ix.weight[w] = float32(math.Log(1 + n/float64(df[w]+1)))
	}
	for _, t := range weakWords {
		for _, norm := range lexicon.Norms(t) {
			if w, ok := ix.words[norm]; ok {
				ix.weight[w] *= weakFactor
			}
		}
	}
}

// layOut packs bags and lists into flat arrays.
func (ix *index) layOut(bags []bag) {
	counts := make([]int32, len(ix.spell)+1)
	prefix := make([]int32, len(bags))
	for i := range bags {
		b := &bags[i]
		slices.SortFunc(b.words, func(x, y int32) int {
			if ix.weight[x] != ix.weight[y] {
				if ix.weight[x] > ix.weight[y] {
					return -1
				}
				return 1
			}
			return int(x - y)
		})
		var sum, rest float32
		for _, w := range b.words {
			sum += ix.weight[w]
		}
		ix.first = append(ix.first, int32(len(ix.bagWord)))
		ix.bagWord = append(ix.bagWord, b.words...)
		ix.total, ix.denies = append(ix.total, sum), append(ix.denies, b.denies)
		ix.refFirst = append(ix.refFirst, int32(len(ix.refs)))
		ix.refs = append(ix.refs, b.refs...)
		rest = sum
		for k, w := range b.words {
			if rest < leastShare*sum {
				break
			}
			prefix[i] = int32(k + 1)
			counts[w]++
			rest -= ix.weight[w]
		}
	}
	ix.first = append(ix.first, int32(len(ix.bagWord)))
	ix.refFirst = append(ix.refFirst, int32(len(ix.refs)))
	ix.post = make([]int32, len(counts))
	var at int32
	for w, c := range counts {
		ix.post[w] = at
		at += c
	}
	ix.lists = make([]int32, at)
	next := slices.Clone(ix.post)
	for i := range bags {
		for _, w := range bags[i].words[:prefix[i]] {
			ix.lists[next[w]] = int32(i)
			next[w]++
		}
	}
}

func (ix *index) bag(i int32) []int32    { return ix.bagWord[ix.first[i]:ix.first[i+1]] }
func (ix *index) refsOf(i int32) []ref   { return ix.refs[ix.refFirst[i]:ix.refFirst[i+1]] }
func (ix *index) listOf(w int32) []int32 { return ix.lists[ix.post[w]:ix.post[w+1]] }
func (ix *index) bags() int              { return len(ix.total) }
func (ix *index) lookup(norm string) int32 {
	if w, ok := ix.words[norm]; ok {
		return w
	}
	return -1
}
