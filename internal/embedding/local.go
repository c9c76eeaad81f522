package embedding

import (
	"context"
	_ "embed"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"

	"chartcode/internal/lexicon"
)

//go:embed local.model
var localFile []byte

// Local is the local model. It is safe for concurrent use.
type Local struct {
	name  string
	dims  int
	words table
	grams table
}

// table holds vectors of bytes by key, each with a weight.
type table struct {
	of     map[string]int
	keys   []string
	weight []uint16 // in units of 1/1024
	vec    []byte   // dims a key, each an int8; of length about 127·sqrt(dims)/3
}

// ErrModel is returned for a model file that cannot be used.
var ErrModel = errors.New("the embedding model file is damaged or of another format")

// NewLocal gives the model that is part of the program, which is read once.
var NewLocal = sync.OnceValues(func() (*Local, error) { return ReadLocal(localFile) })

// Name is name@version; vectors are stored under it.
func (l *Local) Name() string { return l.name }

// Dims is the length of a vector.
func (l *Local) Dims() int { return l.dims }

// Embed gives a unit vector for each text; a text without any known word or
// letters gives the zero vector. It never fails.
func (l *Local) Embed(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	sum := make([]int64, l.dims)
	var toks []lexicon.Token
	for i, t := range texts {
		clear(sum)
		toks = lexicon.AppendTokens(toks[:0], t)
		for k := range toks {
			if toks[k].Kind != lexicon.Punct && !lexicon.IsStop(toks[k].Norm) {
				l.addWord(sum, toks[k].Norm)
			}
		}
		out[i] = unit(sum)
	}
	return out, nil
}

// gramFactor weighs a word known only by its letters against a known one.
const gramFactor = 9 * 1024 // in 1024ths: the weight of a rather rare word

func (l *Local) addWord(sum []int64, norm string) {
	if i, ok := l.words.of[norm]; ok {
		l.words.addTo(sum, i, 1024)
		return
	}
	gs := gramsOf(norm)
	n := 0
	for _, g := range gs {
		if _, ok := l.grams.of[g]; ok {
			n++
		}
	}
	if n == 0 {
		return
	}
	for _, g := range gs {
		if i, ok := l.grams.of[g]; ok {
			l.grams.addTo(sum, i, int64(gramFactor/n))
		}
	}
}

// addTo adds a key's vector. Nobody changes a table that is in use, and nobody else has the sum; the
// race detector makes it many times slower, and loading a code set does it a million times.
//
//go:norace
func (t *table) addTo(sum []int64, i int, factor int64) {
	w := int64(t.weight[i]) * factor
	for j, x := range t.vec[i*len(sum) : (i+1)*len(sum)] {
		sum[j] += w * int64(int8(x))
	}
}

func unit(sum []int64) []float32 {
	v := make([]float32, len(sum))
	var n float64
	for _, x := range sum {
		f := float64(x)
		n += float64(f * f) // the conversion forbids fusing, so all machines round alike
	}
	if n == 0 {
		return v
	}
	n = math.Sqrt(n)
	for i, x := range sum {
		v[i] = float32(float64(x) / n)
	}
	return v
}

const gramLen = 4

// gramsOf gives the distinct letter groups of a word, its ends marked.
func gramsOf(w string) []string {
	s := "<" + w + ">"
	if len(s) <= gramLen {
		return []string{s}
	}
	out := make([]string, 0, len(s))
	for i := 0; i+gramLen <= len(s); i++ {
		if g := s[i : i+gramLen]; !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	return out
}

// add appends a unit vector, rounded to bytes, and its weight.
func (l *Local) add(t *table, key string, unit []float64, weight float64) {
	t.keys = append(t.keys, strings.Clone(key))
	t.weight = append(t.weight, uint16(min(math.Round(weight*1024), math.MaxUint16)))
	scale := 127 * math.Sqrt(float64(l.dims)) / 4
	for _, x := range unit {
		t.vec = append(t.vec, byte(int8(max(-127, min(127, math.Round(x*scale))))))
	}
}

func (l *Local) ready() error {
	for _, t := range []*table{&l.words, &l.grams} {
		if len(t.weight) != len(t.keys) || len(t.vec) != len(t.keys)*l.dims {
			return ErrModel
		}
		t.of = make(map[string]int, len(t.keys))
		for i, k := range t.keys {
			t.of[k] = i
		}
	}
	if l.name == "" || l.dims <= 0 || len(l.words.keys) == 0 {
		return ErrModel
	}
	return nil
}
