package embedding

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"chartcode/internal/lexicon"
)

// contrast moves word vectors so that two texts of one group lie closer than
// texts of different groups (InfoNCE with the batch's other texts as the
// negatives; van den Oord et al. 2018). A text's vector is the normed sum of
// its words' vectors.
type contrast struct {
	dims  int
	words *dense    // by word; the length is the word's weight
	adapt []float32 // Adagrad's sum of squares, by word
	rng   *rand.Rand
}

const (
	batchPairs  = 256
	temperature = 0.07
	rate        = 0.05
	dropWord    = 0.15 // of the first text's words: a note rarely has all of a term's words
)

// example is the words of two texts of one group.
type example struct{ a, b []int32 }

// train runs the epochs over groups, given as lists of texts, each a list of
// words. Neighbouring groups (siblings of the tabular list) share half of each
// batch, so that both coarse and fine differences are learned.
func (c *contrast) train(ctx context.Context, groups [][][]int32, epochs int) error {
	for e := range epochs {
		step := rate * float32(1-float64(e)/float64(epochs+1))
		order := c.shuffled(len(groups))
		for i := 0; i+batchPairs <= len(order); i += batchPairs {
			if err := ctx.Err(); err != nil {
				return err
			}
			batch := make([]example, 0, batchPairs)
			for _, g := range order[i : i+batchPairs] {
				batch = append(batch, c.pair(groups[g]))
			}
			c.step(batch, step)
		}
	}
	return nil
}

// shuffled gives the groups in an order in which runs of eight neighbours stay
// together.
func (c *contrast) shuffled(n int) []int {
	const run = 8
	starts := c.rng.Perm((n + run - 1) / run)
	out := make([]int, 0, n)
	for _, s := range starts {
		for i := s * run; i < min(n, (s+1)*run); i++ {
			out = append(out, i)
		}
	}
	return out
}

func (c *contrast) pair(texts [][]int32) example {
	i, j := c.rng.IntN(len(texts)), c.rng.IntN(len(texts))
	if i == j {
		j = (j + 1) % len(texts)
	}
	a := make([]int32, 0, len(texts[i]))
	for _, w := range texts[i] {
		if c.rng.Float64() >= dropWord {
			a = append(a, w)
		}
	}
	if len(a) == 0 {
		a = texts[i]
	}
	return example{a, texts[j]}
}

// side holds one side of a batch: unit vectors and the lengths before norming.
type side struct {
	unit *dense
	size []float32
	grad *dense
}

func (c *contrast) embed(n int, words func(int) []int32) side {
	s := side{newDense(n, c.dims), make([]float32, n), newDense(n, c.dims)}
	for i := range n {
		v := s.unit.row(i)
		for _, w := range words(i) {
			axpy(1, c.words.row(int(w)), v)
		}
		s.size[i] = float32(math.Sqrt(float64(dot(v, v)))) + 1e-9
		for k := range v {
			v[k] /= s.size[i]
		}
	}
	return s
}

func (c *contrast) step(batch []example, step float32) {
	n := len(batch)
	a := c.embed(n, func(i int) []int32 { return batch[i].a })
	b := c.embed(n, func(i int) []int32 { return batch[i].b })
	// p[i][j] is how likely text j is taken for the partner of i, less 1 for
	// the true partner: the gradient of the loss by the similarity.
	p := newDense(n, n)
	blocks(n, func(from, to int) {
		for i := from; i < to; i++ {
			r := p.row(i)
			top := float32(-1)
			for j := range r {
				r[j] = dot(a.unit.row(i), b.unit.row(j))
				top = max(top, r[j])
			}
			sum := float32(0)
			for j := range r {
				r[j] = float32(math.Exp(float64((r[j] - top) / temperature)))
				sum += r[j]
			}
			for j := range r {
				r[j] /= sum
			}
			r[i]--
			for j, x := range r {
				if x > 1e-4 || x < -1e-4 {
					axpy(x, b.unit.row(j), a.grad.row(i))
				}
			}
		}
	})
	blocks(n, func(from, to int) {
		for j := from; j < to; j++ {
			for i := range n {
				if x := p.row(i)[j]; x > 1e-4 || x < -1e-4 {
					axpy(x, a.unit.row(i), b.grad.row(j))
				}
			}
		}
	})
	c.update(a, step, func(i int) []int32 { return batch[i].a })
	c.update(b, step, func(i int) []int32 { return batch[i].b })
}

// update takes the gradients back through the norming to the words.
func (c *contrast) update(s side, step float32, words func(int) []int32) {
	for i := range s.size {
		g, v := s.grad.row(i), s.unit.row(i)
		axpy(-dot(g, v), v, g)
		norm := dot(g, g)
		if norm == 0 {
			continue
		}
		for _, w := range words(i) {
			c.adapt[w] += norm / float32(c.dims)
			axpy(-step/float32(math.Sqrt(float64(c.adapt[w])+1e-8)), g, c.words.row(int(w)))
		}
	}
}

// contrastWords gives each group's texts as lists of word numbers, groups
// without a pair left out.
func contrastWords(groups []Group, of map[string]int) [][][]int32 {
	var out [][][]int32
	for _, g := range groups {
		var texts [][]int32
		for _, t := range g.Texts {
			var ws []int32
			for _, w := range textWords(t) {
				if i, ok := of[w]; ok && !slices.Contains(ws, int32(i)) {
					ws = append(ws, int32(i))
				}
			}
			if len(ws) > 0 {
				texts = append(texts, ws)
			}
		}
		if len(texts) > 1 || (len(texts) == 1 && len(texts[0]) > 2) {
			out = append(out, texts)
		}
	}
	return out
}

// sameWords gives a group for each pair of words that mean the same, so that
// renal comes to lie by kidney also where no code has both.
func sameWords(v *vocabulary) [][][]int32 {
	var out [][][]int32
	for i, w := range v.list {
		for _, e := range lexicon.Equivalents(w) {
			if j, ok := v.of[e.Norm]; ok {
				out = append(out, [][]int32{{int32(i)}, {int32(j)}})
			}
		}
	}
	return out
}
