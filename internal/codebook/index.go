package codebook

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// Index finds the codes of one release by words. It is read only and safe for
// concurrent use.
//
// An entry is one text that leads to a code: its title, or a term. Texts, words
// and places lie in few large slices, so that 98,000 codes with 100,000 terms
// take about 40 MB and the garbage collector has little to look at. Codes that
// differ from the header above them in the 7th character alone have no entry of
// their own: the header's leads to them, and the words of the 7th character are
// looked at afterwards.
type Index struct {
	table *codeset.Table

	// By entry, in the order of their codes.
	code   []int32 // place in table
	kind   []uint8 // place in kinds
	start  []uint32
	length []uint16 // of the text, in texts from start; 0: the code's title
	first  []uint32 // of its words, in words; one more than there are entries
	weight []float32
	texts  string
	words  []uint32

	// By word.
	norms  []string
	number map[string]uint32
	idf    []float32
	// unknown is the weight of a word that no text has.
	unknown float32
	from    []uint32 // of its entries, in posted; one more than there are words
	posted  []uint32

	forms    []form // spellings of words, sorted
	byLetter [256][2]int

	title   []int32 // by place in table: the title's entry; -1 where the header's stands for it
	usual   []bool  // by place in table: the starter set has the code
	endings map[string][]uint32

	scratch sync.Pool
}

// form is a word as texts write it, in lower case.
type form struct {
	lower string
	word  uint32
	count uint32
}

var kinds = []coding.TermKind{coding.TermTitle, coding.TermInclusion, coding.TermIndex, coding.TermExternal,
	coding.TermNeoplasm, coding.TermDrug, coding.TermEveryday, coding.TermLearned}

// trust is how much an entry of a kind counts beside a title. External causes
// and drugs are many and seldom meant.
var trust = []float32{1, .99, .985, .93, .97, .95, 1.01, .98}

// builder collects what NewIndex makes.
type builder struct {
	x      *Index
	places map[string]uint32 // of texts in texts
	texts  strings.Builder
	forms  map[string]*form
	df     []uint32
	toks   []lexicon.Token
	seen   map[uint32]bool
}

// NewIndex makes the index of a table and of terms that lead to its codes;
// terms of other codes, and titles, are left out. Everyday names count as such
// whatever release they are of.
func NewIndex(table *codeset.Table, terms []coding.Term) *Index {
	x := &Index{table: table, number: map[string]uint32{}, title: make([]int32, table.Len()), usual: make([]bool, table.Len()), endings: map[string][]uint32{}}
	b := &builder{x: x, places: map[string]uint32{}, forms: map[string]*form{}, seen: map[uint32]bool{}}
	type placed struct {
		at   int32
		term *coding.Term
	}
	list := make([]placed, 0, len(terms))
	for i := range terms {
		t := &terms[i]
		if t.Kind == coding.TermTitle {
			continue
		}
		if at, ok := table.Place(t.Code); ok {
			list = append(list, placed{int32(at), t})
			x.usual[at] = x.usual[at] || t.Kind == coding.TermEveryday
		}
	}
	slices.SortStableFunc(list, func(a, b placed) int { return cmp.Compare(a.at, b.at) })
	for at := range table.Len() {
		c := table.At(at)
		x.title[at] = -1
		if ending, ok := x.seventh(c); ok {
			b.ending(ending)
		} else {
			x.title[at] = int32(len(x.code))
			b.entry(at, 0, c.Title, true)
		}
		for ; len(list) > 0 && int(list[0].at) == at; list = list[1:] {
			b.entry(at, uint8(slices.Index(kinds, list[0].term.Kind)), list[0].term.Text, false)
		}
	}
	b.finish()
	return x
}

// seventh gives what the 7th character adds to the title of the header above,
// where that is all by which the two differ.
func (x *Index) seventh(c coding.Code) (ending string, ok bool) {
	if c.System != coding.ICD10CM || len(c.Code) != len("S52.501A") || c.Parent == "" {
		return "", false
	}
	at, ok := x.table.Place(c.Parent)
	if !ok {
		return "", false
	}
	return strings.CutPrefix(c.Title, x.table.At(at).Title+", ")
}

func (b *builder) entry(at int, kind uint8, text string, title bool) {
	x := b.x
	if len(text) > math.MaxUint16 {
		return
	}
	x.code = append(x.code, int32(at))
	x.kind = append(x.kind, kind)
	x.first = append(x.first, uint32(len(x.words)))
	clear(b.seen)
	for _, w := range b.wordsOf(text) {
		if !b.seen[w] {
			b.seen[w] = true
			b.df[w]++
			x.words = append(x.words, w)
		}
	}
	if title {
		x.start, x.length = append(x.start, 0), append(x.length, 0)
		return
	}
	start, ok := b.places[text]
	if !ok {
		start = uint32(b.texts.Len())
		b.places[text] = start
		b.texts.WriteString(text)
	}
	x.start, x.length = append(x.start, start), append(x.length, uint16(len(text)))
}

// ending notes the words of a 7th character. They count as often as they stand
// in titles, so that they weigh little.
func (b *builder) ending(text string) {
	words, ok := b.x.endings[text]
	if !ok {
		words = b.wordsOf(text)
		b.x.endings[text] = words
	}
	for _, w := range words {
		b.df[w]++
	}
}

// wordsOf gives the words of a text, stop words left out unless there is
// nothing else.
func (b *builder) wordsOf(text string) []uint32 {
	b.toks = lexicon.AppendTokens(b.toks[:0], text)
	words := make([]uint32, 0, len(b.toks))
	for pass := range 2 {
		for _, t := range b.toks {
			if t.Kind != lexicon.Punct && (pass == 1 || !stop(t.Norm)) {
				words = append(words, b.word(t))
			}
		}
		if len(words) > 0 {
			break
		}
	}
	return words
}

// stop reports whether a word says nothing. Words of denial do here: without
// aura is not with aura.
func stop(norm string) bool { return lexicon.IsStop(norm) && norm != "no" && norm != "not" }

func (b *builder) word(t lexicon.Token) uint32 {
	f := b.forms[t.Lower]
	if f == nil {
		w, ok := b.x.number[t.Norm]
		if !ok {
			w = uint32(len(b.x.norms))
			norm := strings.Clone(t.Norm)
			b.x.norms = append(b.x.norms, norm)
			b.x.number[norm] = w
			b.df = append(b.df, 0)
		}
		f = &form{lower: strings.Clone(t.Lower), word: w}
		b.forms[f.lower] = f
	}
	f.count++
	return f.word
}

func (b *builder) finish() {
	x := b.x
	x.texts = b.texts.String()
	x.first = append(x.first, uint32(len(x.words)))
	x.unknown = float32(math.Log(1+float64(len(x.code)))) / 2
	x.idf = make([]float32, len(x.norms))
	for w, n := range b.df {
		x.idf[w] = float32(math.Log(1 + float64(len(x.code))/float64(max(n, 1))))
	}
	x.weight = make([]float32, len(x.code))
	x.from = make([]uint32, len(x.norms)+1)
	for e := range x.code {
		for _, w := range x.wordsOf(e) {
			x.weight[e] += x.idf[w]
			x.from[w+1]++
		}
	}
	for w := range x.norms {
		x.from[w+1] += x.from[w]
	}
	x.posted = make([]uint32, len(x.words))
	next := slices.Clone(x.from)
	for e := range x.code {
		for _, w := range x.wordsOf(e) {
			x.posted[next[w]] = uint32(e)
			next[w]++
		}
	}
	x.forms = make([]form, 0, len(b.forms))
	for _, f := range b.forms {
		x.forms = append(x.forms, *f)
	}
	slices.SortFunc(x.forms, func(a, b form) int { return strings.Compare(a.lower, b.lower) })
	for i, f := range x.forms {
		span := &x.byLetter[f.lower[0]]
		if span[1] == 0 {
			span[0] = i
		}
		span[1] = i + 1
	}
	x.scratch.New = func() any { return newScratch(len(x.code)) }
}

// wordsOf gives the different words of an entry.
func (x *Index) wordsOf(e int) []uint32 { return x.words[x.first[e]:x.first[e+1]] }

func (x *Index) textOf(e int) string {
	if x.length[e] == 0 {
		return x.table.At(int(x.code[e])).Title
	}
	return x.texts[x.start[e] : x.start[e]+uint32(x.length[e])]
}

// entries gives the entries of a word, ascending.
func (x *Index) entries(w uint32) []uint32 { return x.posted[x.from[w]:x.from[w+1]] }
