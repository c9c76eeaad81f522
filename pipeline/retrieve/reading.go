package retrieve

import (
	"sort"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// reading is a note as the index sees it: its tokens, and for each sentence
// the words of the index that its tokens can stand for.
type reading struct {
	doc      *coding.Document
	tokens   []lexicon.Token
	clause   []int32            // by token
	assert   []coding.Assertion // by token
	chunk    []int32            // by token: its noun phrase; words of grammar and marks are their own
	weight   []float32          // by token: rarity of its word, 0 for words of grammar and marks
	sentence []part
	expanded map[int32]lexicon.Expansion // by first token: the likeliest reading of an abbreviation
}

// part is the tokens [from, to) of one sentence and their words.
type part struct {
	from, to int32
	words    []word
}

// read tokenizes the note and looks its words up.
func (r *Retriever) read(doc *coding.Document) *reading {
	rd := &reading{doc: doc, tokens: lexicon.Tokenize(doc.Text)}
	n := len(rd.tokens)
	rd.clause = make([]int32, n)
	r.chunks(rd)
	rd.assert = assertions(doc, rd.tokens)
	c := 0
	for i, t := range rd.tokens {
		for c < len(doc.Clauses) && doc.Clauses[c].End <= t.Start {
			c++
		}
		rd.clause[i] = int32(c)
	}
	ex := lexicon.Expand(doc.Text, rd.tokens, doc.SectionAt)
	rd.expanded = make(map[int32]lexicon.Expansion, len(ex))
	for _, e := range ex {
		if _, ok := rd.expanded[int32(e.First)]; !ok && e.Weight >= 0.5 {
			rd.expanded[int32(e.First)] = e
		}
	}
	at := 0
	for _, s := range doc.Sentences {
		for at < n && rd.tokens[at].Start < s.Start {
			at++
		}
		from := at
		for at < n && rd.tokens[at].Start < s.End {
			at++
		}
		if at > from {
			p := part{from: int32(from), to: int32(at)}
			for len(ex) > 0 && ex[0].First < from {
				ex = ex[1:]
			}
			p.words = r.words(doc.Text, rd.tokens, from, at, ex)
			rd.sentence = append(rd.sentence, p)
		}
	}
	return rd
}

// chunks cuts the tokens into noun phrases: runs of words of meaning, joined
// over "of".
func (r *Retriever) chunks(rd *reading) {
	rd.chunk, rd.weight = make([]int32, len(rd.tokens)), make([]float32, len(rd.tokens))
	c := int32(0)
	open := false
	for i := range rd.tokens {
		t := &rd.tokens[i]
		meant := t.Kind == lexicon.Word && !lexicon.IsStop(t.Norm)
		if meant {
			if w := r.index.lookup(t.Norm); w >= 0 {
				rd.weight[i] = r.index.weight[w]
			}
		}
		joins := open && (t.Kind == lexicon.Number || t.Lower == "of" || t.Lower == "the" || t.Lower == "-")
		if !open || !(meant || joins) {
			c++
		}
		open = meant || joins
		rd.chunk[i] = c
	}
}

// assertions gives each token the strongest assertion over it.
func assertions(doc *coding.Document, toks []lexicon.Token) []coding.Assertion {
	out := make([]coding.Assertion, len(toks))
	for i := range out {
		out[i] = coding.Present
	}
	for _, sc := range doc.Scopes {
		i := sort.Search(len(toks), func(i int) bool { return toks[i].End > sc.Start })
		for ; i < len(toks) && toks[i].Start < sc.End; i++ {
			out[i] = coding.Stronger(out[i], sc.Assertion)
		}
	}
	return out
}

// words looks up the tokens [from, to): each as it stands, then what an
// abbreviation or everyday phrase there stands for, then words of the same
// meaning. ex are the expansions that begin in the stretch.
func (r *Retriever) words(text string, toks []lexicon.Token, from, to int, ex []lexicon.Expansion) []word {
	out := make([]word, 0, to-from)
	for i := from; i < to; i++ {
		t := &toks[i]
		if t.Kind != lexicon.Punct && !lexicon.IsStop(t.Norm) {
			at := word{pos: int32(i), end: int32(i), factor: 1}
			out = r.readings(out, t.Norm, at)
			if key := properKey(text, t); key != "" {
				if at.id = r.index.lookup(key); at.id >= 0 {
					out = append(out, at)
				}
			}
		}
		for ; len(ex) > 0 && ex[0].First == i; ex = ex[1:] {
			for _, n := range ex[0].Norms {
				if !lexicon.IsStop(n) {
					at := word{pos: int32(i), end: int32(ex[0].Last - 1), factor: float32(ex[0].Weight)}
					out = r.readings(out, n, at)
					if at.id = r.index.lookup(properMark + n); at.id >= 0 { // "HIV" written out
						out = append(out, at)
					}
				}
			}
		}
	}
	return out
}

// readings appends the word with the norm and its equivalents.
func (r *Retriever) readings(out []word, norm string, w word) []word {
	if w.id = r.index.lookup(norm); w.id >= 0 {
		out = append(out, w)
	}
	full := w.factor
	for _, e := range lexicon.Equivalents(norm) {
		if w.id = r.index.lookup(e.Norm); w.id >= 0 {
			w.factor = full * float32(e.Weight)
			out = append(out, w)
		}
	}
	return out
}

// span gives the bytes of tokens from..to, both inclusive.
func (rd *reading) span(from, to int32) coding.Span {
	return coding.Span{Start: rd.tokens[from].Start, End: rd.tokens[to].End}
}

// assertionOf gives the strongest assertion over the tokens from..to.
func (rd *reading) assertionOf(from, to int32) coding.Assertion {
	a := coding.Present
	for _, b := range rd.assert[from : to+1] {
		a = coding.Stronger(a, b)
	}
	return a
}

// assertionAt gives the strongest assertion over the tokens of a stretch of
// bytes: what Document.AssertionOf gives, without a look at every scope.
func (rd *reading) assertionAt(s coding.Span) coding.Assertion {
	a := coding.Present
	i := sort.Search(len(rd.tokens), func(i int) bool { return rd.tokens[i].End > s.Start })
	for ; i < len(rd.tokens) && rd.tokens[i].Start < s.End; i++ {
		a = coding.Stronger(a, rd.assert[i])
	}
	return a
}
