package embedding

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"chartcode/internal/lexicon"
)

// Group is a set of texts that mean about the same: the terms of one code.
// Context holds texts that say what the group belongs to (titles of its
// headers); their words count ContextWeight.
type Group struct {
	Texts   []string
	Context []string
}

// TrainConfig steers Train. The zero value of a field means its default.
type TrainConfig struct {
	Groups []Group
	Name   string  // of the model, name@version
	Dims   int     // default 256
	Words  int     // words that get a vector of their own; default 14000
	Grams  int     // groups of letters that get a vector; default 8000
	Power  float64 // of the singular values in a word's vector; default 0.25
	Epochs int     // of contrastive training after that; 0 for none
	Seed   uint64
}

const contextWeight = 0.4

// ErrTrain is returned when there is nothing to learn from.
var ErrTrain = errors.New("training vectors needs at least a hundred groups of terms")

// Train makes a local model: the words' directions in the space that best
// explains which words lead to which group (latent semantic analysis: singular
// vectors of the weighted matrix of words by groups), and for each group of
// letters the mean over the words that have it. The result depends on the
// config alone, up to rounding of sums on machines with other arithmetic.
func Train(ctx context.Context, c TrainConfig) (*Local, error) {
	if len(c.Groups) < 100 {
		return nil, ErrTrain
	}
	c.Dims = cmp.Or(c.Dims, 256)
	c.Words = cmp.Or(c.Words, 14000)
	c.Grams = cmp.Or(c.Grams, 8000)
	c.Power = cmp.Or(c.Power, 0.25)
	words, a := wordMatrix(c.Groups)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	u, s := leftSingular(a, c.Dims, c.Seed)
	k := &contrast{dims: c.Dims, words: newDense(len(words.list), c.Dims), adapt: make([]float32, len(words.list)), rng: rand.New(rand.NewPCG(c.Seed, 11))}
	for i := range words.list {
		// The direction is learned from the groups; how much a word counts
		// begins as its rarity.
		v := k.words.row(i)
		for j, x := range u.row(i) {
			v[j] = float32(float64(x) * math.Pow(s[j]/s[0], c.Power))
		}
		if n := dot(v, v); n > 0 {
			scale := float32(words.idf[i] / math.Sqrt(float64(n)))
			for j := range v {
				v[j] *= scale
			}
		}
	}
	if err := k.train(ctx, append(contrastWords(c.Groups, words.of), sameWords(words)...), c.Epochs); err != nil {
		return nil, err
	}
	vecs := map[string][]float64{}
	weight := map[string]float64{}
	for i, w := range words.list {
		v := make([]float64, c.Dims)
		n := math.Sqrt(float64(dot(k.words.row(i), k.words.row(i))))
		if n == 0 {
			continue
		}
		for j, x := range k.words.row(i) {
			v[j] = float64(x) / n
		}
		vecs[w], weight[w] = v, n
	}
	return assemble(c, vecs, weight, words.df)
}

type vocabulary struct {
	of   map[string]int
	list []string
	df   map[string]int
	idf  []float64
}

// wordMatrix has a row for each word and a column for each group.
func wordMatrix(groups []Group) (*vocabulary, *sparse) {
	v := &vocabulary{of: map[string]int{}, df: map[string]int{}}
	type cell struct {
		w int32
		x float32
	}
	cols := make([][]cell, len(groups))
	for g, gr := range groups {
		tf := map[string]float64{}
		add := func(texts []string, weight float64) {
			for _, t := range texts {
				for _, w := range textWords(t) {
					tf[w] = max(tf[w], weight)
				}
			}
		}
		add(gr.Texts, 1)
		add(gr.Context, contextWeight)
		for _, w := range slices.Sorted(maps.Keys(tf)) {
			i, ok := v.of[w]
			if !ok {
				i = len(v.list)
				v.of[w] = i
				v.list = append(v.list, w)
			}
			v.df[w]++
			cols[g] = append(cols[g], cell{int32(i), float32(tf[w])})
		}
	}
	v.idf = make([]float64, len(v.list))
	for i, w := range v.list {
		v.idf[i] = math.Log(1 + float64(len(groups))/float64(v.df[w]))
	}
	t := &sparse{rows: len(groups), cols: len(v.list), first: []int{0}}
	for g := range groups {
		n := 0.0
		for _, c := range cols[g] {
			x := float64(c.x) * v.idf[c.w]
			n += x * x
		}
		for _, c := range cols[g] {
			t.col = append(t.col, c.w)
			t.val = append(t.val, c.x*float32(v.idf[c.w]/math.Sqrt(n)))
		}
		t.first = append(t.first, len(t.col))
	}
	return v, t.transposed()
}

func textWords(text string) []string {
	var out []string
	for _, t := range lexicon.Tokenize(text) {
		if t.Kind != lexicon.Punct && !lexicon.IsStop(t.Norm) {
			out = append(out, t.Norm)
		}
	}
	return out
}

// assemble keeps the most frequent words and letter groups and rounds their
// vectors to bytes.
func assemble(c TrainConfig, vecs map[string][]float64, weight map[string]float64, df map[string]int) (*Local, error) {
	words := slices.SortedFunc(maps.Keys(vecs), func(a, b string) int {
		return cmp.Or(cmp.Compare(df[b], df[a]), cmp.Compare(a, b))
	})
	grams := map[string][]float64{}
	count := map[string]int{}
	for _, w := range words {
		for _, g := range gramsOf(w) {
			v := grams[g]
			if v == nil {
				v = make([]float64, c.Dims)
				grams[g] = v
			}
			count[g]++
			for j, x := range vecs[w] {
				v[j] += x
			}
		}
	}
	kept := slices.SortedFunc(maps.Keys(grams), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	kept = kept[:min(len(kept), c.Grams)]
	words = words[:min(len(words), c.Words)]
	l := &Local{name: c.Name, dims: c.Dims}
	for _, w := range words {
		l.add(&l.words, w, vecs[w], weight[w])
	}
	for _, g := range kept {
		// Letters shared by many words say little: their mean is short, and that
		// is kept as the weight.
		v := grams[g]
		n := 0.0
		for _, x := range v {
			n += x * x
		}
		n = math.Sqrt(n)
		for j := range v {
			v[j] /= n
		}
		l.add(&l.grams, g, v, n/float64(count[g]))
	}
	return l, l.ready()
}
