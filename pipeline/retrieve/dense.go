package retrieve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"chartcode/internal/coding"
)

// mention is a stretch of the note that may name a condition: neighbouring
// words of meaning, as a noun phrase has them.
type mention struct {
	from, to int32
	text     string
}

const (
	mentionWords  = 8  // at most, of one mention
	mentionsKept  = 12 // searched for one note, see likely
	neighbours    = 10 // terms asked for a mention
	leastNeighbor = 0.55
)

// mentions lists the note's mentions in text order, each text once: the noun
// phrases, and of long ones also their last words, where English puts what is
// meant ("left lower lobe pneumonia"). Abbreviations are written out.
func (rd *reading) mentions() []mention {
	l := mentionList{rd: rd, seen: map[string]bool{}}
	for _, s := range rd.sentence {
		from := s.from
		for i := s.from; i <= s.to; i++ {
			if i < s.to && i > from && rd.chunk[i] == rd.chunk[i-1] && stated(rd.assert[i]) {
				continue
			}
			l.chunk(from, i)
			from = i
		}
	}
	return l.out
}

type mentionList struct {
	rd   *reading
	seen map[string]bool
	out  []mention
}

// chunk adds the mentions of the tokens [from, to).
func (l *mentionList) chunk(from, to int32) {
	rd := l.rd
	for to > from && !opens(&rd.tokens[to-1]) {
		to--
	}
	for from < to && !opens(&rd.tokens[from]) {
		from++
	}
	if from >= to || !stated(rd.assert[from]) {
		return
	}
	var starts []int32
	for i := from; i < to; i++ {
		if opens(&rd.tokens[i]) {
			starts = append(starts, i)
		}
	}
	n := len(starts)
	l.add(starts[max(0, n-mentionWords)], to)
	if n > tailWords+1 {
		l.add(starts[n-tailWords], to)
	}
}

// tailWords are the last words of a long noun phrase that are searched too.
const tailWords = 2

func (l *mentionList) add(from, to int32) {
	text := l.rd.plain(from, to)
	if len(text) >= 4 && !l.seen[text] {
		l.seen[text] = true
		l.out = append(l.out, mention{from, to - 1, text})
	}
}

// plain is the text of tokens [from, to) in lower case, with abbreviations
// written out.
func (rd *reading) plain(from, to int32) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		if e, ok := rd.expanded[i]; ok && e.Last <= int(to) {
			b.WriteString(e.Text)
			i = int32(e.Last) - 1
			continue
		}
		b.WriteString(rd.tokens[i].Lower)
	}
	return b.String()
}

// unexplained drops the mentions of which every word of meaning is part of a
// term that was found nearly whole: vectors are asked for what words leave open.
func (f *finding) unexplained(ms []mention) []mention {
	explained := make([]bool, len(f.rd.tokens))
	for i := range f.hits {
		if h := &f.hits[i]; h.share >= FoundShare && int(h.to-h.from)+1 <= 2*int(h.count) {
			for t := h.from; t <= h.to; t++ {
				explained[t] = true
			}
		}
	}
	out := ms[:0]
	for _, m := range ms {
		for t := m.from; t <= m.to; t++ {
			if !explained[t] && opens(&f.rd.tokens[t]) {
				out = append(out, m)
				break
			}
		}
	}
	return out
}

// likely keeps the mentions that likeliest name what is to be coded, in text
// order: those of the sections where problems are named, of words that terms
// have, and of more than one word. A search of the vectors takes as long as all
// that words do for a quarter of a note, and a long note has hundreds of mentions.
func (rd *reading) likely(ms []mention) []mention {
	if len(ms) <= mentionsKept {
		return ms
	}
	type scored struct {
		mention
		promise float32
	}
	list := make([]scored, len(ms))
	for i, m := range ms {
		words, known := float32(0), float32(0)
		for t := m.from; t <= m.to; t++ {
			if opens(&rd.tokens[t]) {
				words++
				known += truth(rd.weight[t] > 0)
			}
		}
		p := sideWeight(rd.doc.SectionAt(rd.tokens[m.from].Start)) * (known/max(words, 1) + unknownPromise)
		if words == 1 {
			p *= lonePromise
		}
		list[i] = scored{m, p}
	}
	slices.SortStableFunc(list, func(a, b scored) int { return cmp.Compare(b.promise, a.promise) })
	list = list[:mentionsKept]
	slices.SortFunc(list, func(a, b scored) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	out := make([]mention, len(list))
	for i := range list {
		out[i] = list[i].mention
	}
	return out
}

const (
	unknownPromise = 0.2 // of words that no term has: they may be misspelt
	lonePromise    = 0.5 // of one word, which words mostly find
)

// near searches the mentions among the stored vectors, in one round trip for
// those whose answer is not known yet.
func (r *Retriever) near(ctx context.Context, f *finding) error {
	ms := f.rd.likely(f.unexplained(f.rd.mentions()))
	known := make([][]coding.VectorHit, len(ms))
	var ask []string
	var asked []int
	for i, m := range ms {
		if h, ok := r.cache.get(m.text); ok {
			known[i] = h
			continue
		}
		ask = append(ask, m.text)
		asked = append(asked, i)
	}
	if len(ask) > 0 {
		vecs, err := r.cfg.Embedder.Embed(ctx, ask)
		if err != nil {
			return fmt.Errorf("embed mentions: %w", err)
		}
		found, err := r.cfg.Searcher.SearchVectors(ctx, r.cfg.Embedder.Name(), vecs, neighbours)
		if err != nil {
			return fmt.Errorf("search vectors: %w", err)
		}
		if len(found) != len(ask) {
			return fmt.Errorf("search vectors: %d answers to %d questions", len(found), len(ask))
		}
		for j, i := range asked {
			known[i] = found[j]
			r.cache.put(ask[j], found[j])
		}
	}
	f.dense = map[int32]denseHit{}
	for i, m := range ms {
		for _, h := range known[i] {
			sim := float32(h.Similarity)
			if sim < leastNeighbor {
				continue
			}
			for _, t := range r.index.byText[h.TextID] {
				if d, ok := f.dense[t]; !ok || sim > d.sim {
					f.dense[t] = denseHit{sim, f.rd.span(m.from, m.to)}
				}
			}
		}
	}
	return nil
}

// answers keeps what the vectors answered to a mention's text. The retriever
// belongs to one set of terms and one model, so the text is key enough.
type answers struct {
	mu   sync.Mutex
	now  map[string][]coding.VectorHit
	last map[string][]coding.VectorHit
}

// answersKept bounds one generation; two are held.
const answersKept = 20000

func newAnswers() *answers { return &answers{now: map[string][]coding.VectorHit{}} }

// Forget drops what is kept of the vectors' answers, so that a measurement can
// begin with nothing known.
func (r *Retriever) Forget() {
	r.cache.mu.Lock()
	defer r.cache.mu.Unlock()
	r.cache.now, r.cache.last = map[string][]coding.VectorHit{}, nil
}

func (a *answers) get(text string) ([]coding.VectorHit, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if h, ok := a.now[text]; ok {
		return h, true
	}
	h, ok := a.last[text]
	if ok {
		a.store(text, h)
	}
	return h, ok
}

func (a *answers) put(text string, h []coding.VectorHit) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.store(text, h)
}

func (a *answers) store(text string, h []coding.VectorHit) {
	if len(a.now) >= answersKept {
		a.last, a.now = a.now, make(map[string][]coding.VectorHit, answersKept)
	}
	a.now[text] = h
}
