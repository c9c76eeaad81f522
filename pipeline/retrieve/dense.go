package retrieve

import (
	"context"
	"fmt"
	"sync"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// mention is a stretch of the note that may name a condition: neighbouring
// words of meaning, as a noun phrase has them.
type mention struct {
	from, to int32
	text     string
}

const (
	mentionWords  = 8  // at most, of one mention
	mentionsKept  = 64 // searched for one note
	neighbours    = 30 // terms asked for a mention
	leastNeighbor = 0.55
)

// mentions lists the note's mentions in text order, each text once.
func (rd *reading) mentions() []mention {
	var out []mention
	seen := map[string]bool{}
	for _, s := range rd.sentence {
		from := int32(-1)
		last := int32(-1)
		n := 0
		flush := func() {
			if from >= 0 && n > 0 {
				sp := rd.span(from, last)
				text := rd.doc.Text[sp.Start:sp.End]
				if len(text) >= 4 && !seen[text] {
					seen[text] = true
					out = append(out, mention{from, last, text})
				}
			}
			from, n = -1, 0
		}
		for i := s.from; i < s.to; i++ {
			t := &rd.tokens[i]
			switch {
			case t.Kind == lexicon.Word && !lexicon.IsStop(t.Norm) && stated(rd.assert[i]):
				if from < 0 {
					from = i
				}
				last = i
				if n++; n == mentionWords {
					flush()
				}
			case from >= 0 && (t.Kind == lexicon.Number || t.Lower == "of" || t.Lower == "the" || t.Lower == "-"):
			default:
				flush()
			}
		}
		flush()
	}
	return out
}

// near searches the mentions among the stored vectors, in one round trip for
// those whose answer is not known yet.
func (r *Retriever) near(ctx context.Context, f *finding) error {
	ms := f.rd.mentions()
	ms = ms[:min(len(ms), mentionsKept)]
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
