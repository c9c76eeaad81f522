package retrieve

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
	"chartcode/internal/lexicon"
)

// Embedder turns texts into unit vectors.
type Embedder interface {
	Name() string
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// Searcher finds the k stored texts nearest to each vector, nearest first, in
// one round trip.
type Searcher interface {
	SearchVectors(ctx context.Context, model string, vecs [][]float32, k int) ([][]coding.VectorHit, error)
}

// Config says what a retriever is made of.
type Config struct {
	Terms    []coding.Term // with TextID where vectors are stored
	Embedder Embedder      // nil with Searcher: lexical only
	Searcher Searcher
	Models   *learned.Models // a style without an order model is ordered by score; nil: all
}

// Retriever finds candidates. It is safe for concurrent use.
type Retriever struct {
	cfg    Config
	index  *index
	titles [][]int32 // by code number: words of its title
	pool   sync.Pool // *matcher
	cache  *answers

	mu    sync.Mutex
	views map[Table]*view
}

// ErrConfig is returned for a Config that makes no retriever.
var ErrConfig = errors.New("retrieval needs terms, and an embedder together with a searcher or neither")

// New builds the index over the terms; 240,000 terms take about a second.
func New(cfg Config) (*Retriever, error) {
	if len(cfg.Terms) == 0 || (cfg.Embedder == nil) != (cfg.Searcher == nil) {
		return nil, ErrConfig
	}
	if err := Fits(cfg.Models); err != nil {
		return nil, err
	}
	r := &Retriever{cfg: cfg, views: map[Table]*view{}, cache: newAnswers()}
	names, err := everyday()
	if err != nil {
		return nil, err
	}
	r.index = buildIndex(slices.Concat(cfg.Terms, names))
	r.cfg.Terms = nil
	r.titles = make([][]int32, len(r.index.codes))
	for _, t := range r.index.terms {
		if t.kind == coding.TermTitle && r.titles[t.code] == nil {
			for _, k := range lexicon.Words(t.text) {
				if w := r.index.lookup(termKey(t.text, &k)); w >= 0 {
					r.titles[t.code] = append(r.titles[t.code], w)
				}
			}
		}
	}
	r.pool.New = func() any { return newMatcher(r.index) }
	return r, nil
}

// Options of one retrieval.
type Options struct {
	Limit     int // at most so many candidates; 0: DefaultLimit
	Style     coding.Style
	NoDense   bool             // leave out vectors
	NoLexical bool             // leave out words and phrases
	LeaveOut  *learned.Without // the note itself if Memory learned from it
}

// DefaultLimit is the number of candidates without Options.Limit.
const DefaultLimit = 200

// pooled is how many codes are looked at by the order model.
const pooled = 600

// Retrieve gives the note's candidates: distinct billable codes of the table,
// most likely first, ties by code, ranks from 1 without gaps, RetrievalScore
// (a probability where the style has an order model) not increasing.
func (r *Retriever) Retrieve(ctx context.Context, doc *coding.Document, t Table, o Options) ([]coding.Candidate, error) {
	rows, f, v, err := r.rows(ctx, doc, t, o)
	if err != nil {
		return nil, err
	}
	order := r.cfg.Models.Style(o.Style).Order
	scores := make([]float64, len(rows))
	at := make([]int, len(rows))
	for i := range rows {
		at[i] = i
		scores[i] = float64(rows[i].score)
	}
	if order != nil {
		x := make([][]float32, len(rows))
		for i := range rows {
			x[i] = billed(rows[i].X, o.Style)
		}
		for i, odds := range order.Scores(x) {
			scores[i] = gbdt.Logistic(odds)
		}
	}
	if o.Style != coding.Mentions {
		settle(v, rows, scores)
		f.settleInjuries(v, rows, scores)
	}
	slices.SortFunc(at, func(a, b int) int {
		return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(rows[a].Code, rows[b].Code))
	})
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	out := make([]coding.Candidate, 0, min(o.Limit, len(at)))
	for n, i := range at[:min(o.Limit, len(at))] {
		out = append(out, coding.Candidate{
			System: coding.ICD10CM, Code: rows[i].Code, Rank: n + 1, RetrievalScore: scores[i],
			Display: v.title[rows[i].code].text, Matches: r.matches(f, &rows[i]), Grounds: r.grounds(v, f, &rows[i]), Support: rows[i].support(),
		})
	}
	return out, nil
}

// Rows gives the codes found in a note with the values that they are ordered
// by, best score first: what an order model is trained on.
func (r *Retriever) Rows(ctx context.Context, doc *coding.Document, t Table, o Options) ([]Row, error) {
	rows, _, _, err := r.rows(ctx, doc, t, o)
	return rows, err
}

func (r *Retriever) rows(ctx context.Context, doc *coding.Document, t Table, o Options) ([]Row, *finding, *view, error) {
	v := r.viewOf(t)
	f := &finding{rd: r.read(doc), mentions: o.Style == coding.Mentions}
	m := r.pool.Get().(*matcher)
	defer r.pool.Put(m)
	memory := r.cfg.Models.Style(o.Style).Memory
	f.note(m)
	f.sides, f.seventh = r.readSides(f.rd), f.encounters()
	if !o.NoLexical {
		f.find(r.index, m)
		if memory != nil {
			f.phrases(r.index, memory, o.LeaveOut)
		}
	}
	if r.cfg.Searcher != nil && !o.NoDense {
		if err := r.near(ctx, f); err != nil {
			return nil, nil, nil, err
		}
	}
	var rows []Row
	for _, ways := range f.likeliest(r.ways(v, f)) {
		row := Row{Code: r.index.codes[ways[0].code], X: make([]float32, featureCount), code: ways[0].code, ways: ways}
		r.describe(v, f, &row)
		rows = append(rows, row)
	}
	for i := range rows {
		if memory != nil {
			remember(&rows[i], memory, o.LeaveOut)
			rows[i].score *= 1 + 0.2*rows[i].X[fCodeFreq]
		}
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.Code, b.Code))
	})
	rows = rows[:min(len(rows), pooled)]
	f.compete(rows)
	return rows, f, v, nil
}

// note marks the words of the note; m's stamps serve for it.
func (f *finding) note(m *matcher) {
	m.noteGen++
	f.inNote, f.gen = m.inNote, m.noteGen
	for _, s := range f.rd.sentence {
		for _, w := range s.words {
			m.inNote[w.id] = m.noteGen
		}
	}
	for _, t := range f.rd.tokens {
		switch t.Lower {
		case "followup", "recheck", "aftercare", "healing", "postoperative", "rehabilitation":
			f.later = f.later || f.treated(t.Start)
		case "nondisplaced":
			f.unmoved = true
		case "sequela", "sequelae":
			f.sequel = true
		}
	}
}

// find matches the sentences and keeps the best hits.
func (f *finding) find(ix *index, m *matcher) {
	for i, s := range f.rd.sentence {
		f.hits = m.match(f.hits, s.words, int32(i), f.rd.clause)
		if len(f.hits) > 20*hitsKept { // a note of a megabyte must not hold all of its matches
			f.keepBest()
		}
	}
	f.keepBest()
	for i := range f.hits {
		h := &f.hits[i]
		h.assert = f.rd.assertionOf(h.from, h.to)
		if ix.denies[h.bag] {
			if h.assert == coding.Negated {
				h.assert = coding.Present
			} else {
				h.assert = coding.Negated
			}
		}
		h.neg = !stated(h.assert)
	}
	f.findWholes()
}

// keepBest sorts the hits, best first, and drops those beyond hitsKept.
func (f *finding) keepBest() {
	slices.SortFunc(f.hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.bag, b.bag), cmp.Compare(a.from, b.from))
	})
	f.hits = f.hits[:min(len(f.hits), hitsKept)]
}

// matchesKept is how many ways of a code travel on with a candidate.
const matchesKept = 4

// told is the assertion of a match: what a family does not have is denied and no
// family history.
func (f *finding) told(a coding.Assertion, s coding.Span) coding.Assertion {
	if a == coding.Family && f.rd.doc.DeniedAt(s) {
		return coding.Negated
	}
	return a
}

// matches turns the ways of a row into what later stages see, stated ones first.
func (r *Retriever) matches(f *finding, row *Row) []coding.Match {
	var out []coding.Match
	add := func(neg bool) {
		for _, w := range row.ways {
			if len(out) == matchesKept || w.hit < 0 || f.hits[w.hit].neg != neg {
				continue
			}
			h := &f.hits[w.hit]
			sp := f.rd.span(h.from, h.to)
			if slices.ContainsFunc(out, func(m coding.Match) bool { return m.Span == sp }) {
				continue
			}
			t := &r.index.terms[w.term]
			out = append(out, coding.Match{
				Span: sp, Term: t.text, Kind: t.kind, TermCode: r.index.codes[t.code], Lexical: float64(h.share),
				Assertion: f.told(h.assert, sp), Section: f.rd.doc.SectionAt(sp.Start),
			})
		}
	}
	add(false)
	if l, ok := f.links[row.code]; ok && len(out) < matchesKept {
		out = append(out, coding.Match{
			Span: l.span, Term: f.rd.doc.Text[l.span.Start:l.span.End], Kind: coding.TermLearned, TermCode: row.Code, Lexical: float64(l.best),
			Assertion: f.told(f.rd.doc.AssertionOf(l.span), l.span), Section: f.rd.doc.SectionAt(l.span.Start),
		})
	}
	for _, w := range row.ways {
		if w.hit >= 0 || w.term < 0 || len(out) >= matchesKept {
			continue
		}
		d, t := f.dense[w.term], &r.index.terms[w.term]
		if i := slices.IndexFunc(out, func(m coding.Match) bool { return m.Span.Overlaps(d.span) }); i >= 0 {
			out[i].Dense = max(out[i].Dense, float64(d.sim))
			continue
		}
		out = append(out, coding.Match{
			Span: d.span, Term: t.text, Kind: t.kind, TermCode: r.index.codes[t.code], Dense: float64(d.sim),
			Assertion: f.told(f.rd.doc.AssertionOf(d.span), d.span), Section: f.rd.doc.SectionAt(d.span.Start),
		})
	}
	add(true)
	return out
}

// With gives a retriever over the same terms and vectors with other models.
func (r *Retriever) With(m *learned.Models) (*Retriever, error) {
	if err := Fits(m); err != nil {
		return nil, err
	}
	c := &Retriever{cfg: r.cfg, index: r.index, titles: r.titles, cache: r.cache, views: map[Table]*view{}}
	c.cfg.Models = m
	c.pool.New = func() any { return newMatcher(c.index) }
	return c, nil
}

// WithEmbedder gives a retriever over the same terms that searches the vectors of
// another embedding model. Only one that searches vectors has another.
func (r *Retriever) WithEmbedder(e Embedder) *Retriever {
	c := &Retriever{cfg: r.cfg, index: r.index, titles: r.titles, cache: newAnswers(), views: map[Table]*view{}}
	c.cfg.Embedder = e
	c.pool.New = func() any { return newMatcher(c.index) }
	return c
}

// HasVectors reports whether vectors are searched.
func (r *Retriever) HasVectors() bool { return r.cfg.Searcher != nil }

// Terms is the number of distinct terms that are looked for.
func (r *Retriever) Terms() int { return len(r.index.terms) }

// Vectors names the embedding model, empty without one.
func (r *Retriever) Vectors() string {
	if r.cfg.Embedder == nil {
		return ""
	}
	return r.cfg.Embedder.Name()
}

// ErrFeatures is returned for models that were trained on other features.
var ErrFeatures = errors.New("the order model was trained on other features; train the models again")

// Fits returns ErrFeatures for models that this program cannot use.
func Fits(m *learned.Models) error {
	if m == nil {
		return nil
	}
	for _, s := range m.Styles {
		if s.Order != nil && !slices.Equal(s.Order.Features, featureNames[:]) {
			return ErrFeatures
		}
	}
	return nil
}
