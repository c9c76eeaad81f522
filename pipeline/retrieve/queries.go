package retrieve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/learned"
)

// Queries gives for each query the codes that its words may lead to: distinct
// billable codes of the table, likeliest first, at most limit of each, with
// siblings of the likeliest among them. Words and vectors are searched as for a
// note, the vectors of all queries in one round trip. Sides, stages and the kind
// of encounter are taken from the query's own words and else from the note.
func (r *Retriever) Queries(ctx context.Context, doc *coding.Document, t Table, queries []coding.Lookup, style coding.Style, limit int) ([][]coding.Found, error) {
	if len(queries) == 0 || limit <= 0 {
		return make([][]coding.Found, len(queries)), nil
	}
	v := r.viewOf(t)
	m := r.pool.Get().(*matcher)
	defer r.pool.Put(m)
	whole := &finding{rd: r.read(doc)}
	whole.note(m)
	memory := r.cfg.Models.Style(style).Memory
	asked := make([]*asked, len(queries))
	for i, q := range queries {
		asked[i] = r.ask(doc, q)
		f := asked[i].f
		full := f.rd.sentence
		f.note(m)
		f.seventh = asked[i].encounter(whole.encounters())
		f.sides = r.readSides(f.rd)
		f.rd.sentence = full[:min(len(full), asked[i].own)]
		f.find(r.index, m)
		if memory != nil {
			f.phrases(r.index, memory, nil)
		}
		asked[i].mentions = f.rd.likely(f.rd.mentions())
		f.rd.sentence = full
	}
	if r.cfg.Searcher != nil {
		if err := r.nearAll(ctx, asked); err != nil {
			return nil, err
		}
	}
	out := make([][]coding.Found, len(queries))
	for i, a := range asked {
		a.f.note(m) // the stamps of words are those of the last note
		out[i] = r.answer(v, a, memory, limit)
	}
	return out, nil
}

// asked is one query as a note of its own: its quote, its description, and the
// sentence of the quote, whose words only tell codes apart.
type asked struct {
	f        *finding
	own      int // sentences of it that are searched: quote and description
	split    int // byte at which the description begins
	mentions []mention
}

func (r *Retriever) ask(doc *coding.Document, q coding.Lookup) *asked {
	quote := doc.Text[q.Quote.Start:q.Quote.End]
	d := &coding.Document{Setting: doc.Setting}
	var text strings.Builder
	a := &asked{}
	add := func(s string) {
		s = strings.TrimSpace(s)
		if s == "" {
			return
		}
		at := text.Len()
		text.WriteString(s)
		d.Sentences = append(d.Sentences, coding.Sentence{Span: coding.Span{Start: at, End: text.Len()}})
		d.Clauses = append(d.Clauses, coding.Span{Start: at, End: text.Len()})
		text.WriteByte('\n')
	}
	add(quote)
	a.split = text.Len()
	add(q.Description)
	a.own = len(d.Sentences)
	if i := doc.SentenceAt(q.Quote.Start); i >= 0 {
		if s := doc.Sentences[i].Span; s.Len() > len(quote) && s.Len() <= longestContext {
			add(doc.Text[s.Start:s.End])
		}
	}
	d.Text = text.String()
	for _, f := range doc.Facts { // sides are read from facts; those of the note lie elsewhere here
		if f.Kind != coding.FactLaterality || !q.Quote.Overlaps(f.Span) {
			continue
		}
		at := f.Start - q.Quote.Start
		if at < 0 || f.End > q.Quote.End || at+f.Len() > len(d.Text) {
			continue
		}
		f.Span = coding.Span{Start: at, End: at + f.Len()}
		d.Facts = append(d.Facts, f)
	}
	d.Facts = append(d.Facts, sidesIn(d.Text, a.split)...)
	d.Sections = []coding.Section{{Span: coding.Span{End: len(d.Text)}, Heading: coding.Span{}, Kind: doc.SectionAt(q.Quote.Start)}}
	a.f = &finding{rd: r.read(d)}
	return a
}

// longestContext bounds the sentence that is read with a quote, in bytes.
const longestContext = 600

// sidesIn gives the words for sides in text from byte from on.
func sidesIn(text string, from int) []coding.Fact {
	var out []coding.Fact
	lower := strings.ToLower(text)
	if len(lower) != len(text) {
		return nil
	}
	for at := from; at < len(lower); {
		n := strings.IndexFunc(lower[at:], isLetter)
		if n < 0 {
			break
		}
		at += n
		end := at
		for end < len(lower) && isLetter(rune(lower[end])) {
			end++
		}
		word := lower[at:end]
		if word == "both" {
			word = "bilateral"
		}
		if word == "left" || word == "right" || word == "bilateral" {
			out = append(out, coding.Fact{Span: coding.Span{Start: at, End: end}, Kind: coding.FactLaterality, Word: word})
		}
		at = max(end, at+1)
	}
	return out
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' }

// encounter is the note's, unless the query names one.
func (a *asked) encounter(e encounter) encounter {
	text := strings.ToLower(a.f.rd.doc.Text)
	switch {
	case strings.Contains(text, "sequela"):
		e['S'] = named
	case strings.Contains(text, "subsequent encounter"):
		for _, c := range []byte("DGKPEFHJMNQR") {
			e[c] += 1
		}
	case strings.Contains(text, "initial encounter"):
		e['A'] += 1
		e['B'] += 1
	}
	if strings.Contains(text, "open fracture") {
		e['B'] = max(e['B'], e['A']*1.05)
	}
	return e
}

// named is how well a 7th character suits that is named.
const named = 3

// nearAll searches the mentions of all queries among the stored vectors, in one
// round trip for those whose answer is not known yet.
func (r *Retriever) nearAll(ctx context.Context, list []*asked) error {
	known := map[string][]coding.VectorHit{}
	var texts []string
	for _, a := range list {
		a.f.dense = map[int32]denseHit{}
		for _, m := range a.mentions {
			if _, ok := known[m.text]; ok {
				continue
			}
			h, ok := r.cache.get(m.text)
			known[m.text] = h
			if !ok {
				texts = append(texts, m.text)
			}
		}
	}
	if len(texts) > 0 {
		vecs, err := r.cfg.Embedder.Embed(ctx, texts)
		if err != nil {
			return fmt.Errorf("embed statements: %w", err)
		}
		found, err := r.cfg.Searcher.SearchVectors(ctx, r.cfg.Embedder.Name(), vecs, neighbours)
		if err != nil {
			return fmt.Errorf("search vectors: %w", err)
		}
		if len(found) != len(texts) {
			return fmt.Errorf("search vectors: %d answers to %d questions", len(found), len(texts))
		}
		for i, text := range texts {
			known[text] = found[i]
			r.cache.put(text, found[i])
		}
	}
	for _, a := range list {
		for _, m := range a.mentions {
			for _, h := range known[m.text] {
				sim := float32(h.Similarity)
				if sim < leastNeighbor {
					continue
				}
				for _, t := range r.index.byText[h.TextID] {
					if d, ok := a.f.dense[t]; !ok || sim > d.sim {
						a.f.dense[t] = denseHit{sim, a.f.rd.span(m.from, m.to)}
					}
				}
			}
		}
	}
	return nil
}

// answer orders the codes of one query. Its words were chosen to name one thing,
// so a code counts by how much of its term they say and how much of its title.
func (r *Retriever) answer(v *view, a *asked, memory *learned.Memory, limit int) []coding.Found {
	f := a.f
	type scored struct {
		row      Row
		byQuote  float32
		byDescr  float32
		score    float32
		resolved float32
	}
	var list []scored
	for _, ways := range f.likeliest(r.ways(v, f)) {
		s := scored{row: Row{Code: r.index.codes[ways[0].code], X: make([]float32, featureCount), code: ways[0].code, ways: ways}}
		r.describe(v, f, &s.row)
		if memory != nil {
			remember(&s.row, memory, nil)
		}
		for _, w := range ways {
			var share float32
			at := 0
			switch {
			case w.hit >= 0:
				h := &f.hits[w.hit]
				share, at = h.share*min(1, h.weight/tellingWeight), f.rd.tokens[h.from].Start
			case w.term >= 0:
				d := f.dense[w.term]
				share, at = d.sim*d.sim, d.span.Start
			default:
				share = f.links[w.code].best
			}
			if at < a.split {
				s.byQuote = max(s.byQuote, share)
			} else {
				s.byDescr = max(s.byDescr, share)
			}
			s.resolved = max(s.resolved, share*w.res)
		}
		x := s.row.X
		s.score = s.row.score*(0.4+0.6*s.resolved) + x[fTitleShare] + 0.15*x[fCommon] + 0.05*x[fCodeFreq] + 0.3*x[fGiven]
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.row.Code, b.row.Code))
	})
	out := make([]coding.Found, 0, limit)
	have := map[string]bool{}
	put := func(code int32, score, byQuote, byDescr float32, kin bool) {
		name := r.index.codes[code]
		if have[name] || len(out) == limit {
			return
		}
		have[name] = true
		out = append(out, coding.Found{Candidate: coding.Candidate{System: coding.ICD10CM, Code: name, Rank: len(out) + 1,
			RetrievalScore: float64(score), Display: v.title[code].text}, ByQuote: float64(min(byQuote, 1)), ByDescription: float64(min(byDescr, 1)), Kin: kin})
	}
	direct := max(1, limit*2/3)
	for i, s := range list {
		if i < direct {
			put(s.row.code, s.score, s.byQuote, s.byDescr, false)
		}
		if i >= kinOf && i >= direct {
			break
		}
	}
	for _, s := range list[:min(len(list), kinOf)] {
		for _, k := range r.kin(v, f, s.row.code) {
			if len(out) < limit {
				put(k, s.score, 0, 0, true)
			}
		}
	}
	for _, s := range list[min(len(list), direct):] {
		put(s.row.code, s.score, s.byQuote, s.byDescr, false)
	}
	return out
}

const (
	kinOf         = 2   // of so many codes siblings are added
	kinKept       = 3   // siblings of one
	tellingWeight = 2.0 // weight of words from which on a match tells something by itself
)

// kin gives siblings of a code, those first whose titles the words support best:
// codes below the nearest header that leads to several, one for each that differ
// in their 7th character alone.
func (r *Retriever) kin(v *view, f *finding, code int32) []int32 {
	name := r.index.codes[code]
	for range 3 {
		c, ok := v.table.Lookup(name)
		if !ok || c.Parent == "" {
			return nil
		}
		name = c.Parent
		n, ok := r.index.codeNum[name]
		if !ok {
			continue
		}
		groups := v.group[n]
		if len(groups) < 2 {
			continue
		}
		if len(groups) > largestFamily {
			return nil
		}
		have := r.headerWords(n)
		type scored struct {
			code int32
			res  float32
		}
		var list []scored
		for _, g := range groups {
			best, next := f.suits(v, g)
			if best == code {
				best = next
			}
			if best >= 0 && best != code {
				list = append(list, scored{best, f.resolve(r.index, &v.title[best], have, -1)})
			}
		}
		slices.SortFunc(list, func(a, b scored) int { return cmp.Or(cmp.Compare(b.res, a.res), cmp.Compare(a.code, b.code)) })
		out := make([]int32, 0, kinKept)
		for _, s := range list[:min(len(list), kinKept)] {
			out = append(out, s.code)
		}
		return out
	}
	return nil
}

// largestFamily is how many kinds of codes a header may lead to for its others to
// count as siblings of one.
const largestFamily = 40
