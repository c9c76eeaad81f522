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
	sentence []part
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
	rd.assert = assertions(doc, rd.tokens)
	c := 0
	for i, t := range rd.tokens {
		for c < len(doc.Clauses) && doc.Clauses[c].End <= t.Start {
			c++
		}
		rd.clause[i] = int32(c)
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
			p.words = r.words(doc, rd.tokens, from, at)
			rd.sentence = append(rd.sentence, p)
		}
	}
	return rd
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
			t := toks[i]
			out[i] = doc.AssertionOf(coding.Span{Start: t.Start, End: t.End})
		}
	}
	return out
}

// words looks up the tokens [from, to).
func (r *Retriever) words(doc *coding.Document, toks []lexicon.Token, from, to int) []word {
	var out []word
	for i := from; i < to; i++ {
		t := &toks[i]
		if t.Kind == lexicon.Punct || lexicon.IsStop(t.Norm) {
			continue
		}
		w := r.index.lookup(t.Norm)
		if w >= 0 {
			out = append(out, word{id: w, pos: int32(i), end: int32(i), factor: 1})
		}
	}
	return out
}

// span gives the bytes of tokens from..to, both inclusive.
func (rd *reading) span(from, to int32) coding.Span {
	return coding.Span{Start: rd.tokens[from].Start, End: rd.tokens[to].End}
}

// assertionOf gives the strongest assertion over the words of a hit: the one
// that holds for most of its tokens.
func (rd *reading) assertionOf(from, to int32) coding.Assertion {
	return rd.doc.AssertionOf(rd.span(from, to))
}
