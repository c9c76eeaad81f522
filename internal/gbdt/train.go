package gbdt

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// Data are the training rows: X holds len(Y) rows of len(Features) values
// each, row after row; Y is 0 or 1; Weight may be nil (all 1).
type Data struct {
	Features []string
	X        []float32
	Y        []float32
	Weight   []float32
}

// Rows is the number of rows.
func (d *Data) Rows() int { return len(d.Y) }

// Row gives the values of row i.
func (d *Data) Row(i int) []float32 {
	n := len(d.Features)
	return d.X[i*n : (i+1)*n]
}

// Params steer the training. The zero value of a field means its default.
type Params struct {
	Trees        int     // default 200
	Leaves       int     // of one tree; default 16
	LearningRate float64 // default 0.08
	L2           float64 // ridge on the leaf values; default 1
	MinRows      int     // rows that a leaf must hold; default 20
	MinGain      float64 // what a split must gain; default 0
	Columns      float64 // share of features tried in a tree; default 1
	Sample       float64 // share of rows seen by a tree; default 1
	Seed         uint64
}

func (p Params) filled() Params {
	def := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	if p.Trees == 0 {
		p.Trees = 200
	}
	if p.Leaves == 0 {
		p.Leaves = 16
	}
	if p.MinRows == 0 {
		p.MinRows = 20
	}
	def(&p.LearningRate, 0.08)
	def(&p.L2, 1)
	def(&p.Columns, 1)
	def(&p.Sample, 1)
	return p
}

// ErrData is returned for rows that cannot be learned from.
var ErrData = errors.New("the training rows are empty, ragged, or all of one answer")

const maxBins = 255

// Train fits a model. The result depends on data and params alone, not on the
// number of processors. It stops with ctx's error when ctx ends.
func Train(ctx context.Context, d Data, p Params) (*Model, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	return train(ctx, d, binColumns(d), p)
}

// check gives ErrData for rows that nothing can be learned from.
func (d *Data) check() error {
	nf, n := len(d.Features), d.Rows()
	if nf == 0 || n == 0 || len(d.X) != n*nf || (d.Weight != nil && len(d.Weight) != n) {
		return ErrData
	}
	if pos, all := d.answers(); pos <= 0 || pos >= all {
		return ErrData
	}
	return nil
}

// answers gives the weight of the rows whose answer is yes, and of all.
func (d *Data) answers() (yes, all float64) {
	for i, y := range d.Y {
		w := d.weight(i)
		yes += w * float64(y)
		all += w
	}
	return yes, all
}

func train(ctx context.Context, d Data, columns []column, p Params) (*Model, error) {
	p = p.filled()
	nf, n := len(d.Features), d.Rows()
	pos, all := d.answers()
	g := &grower{data: d, params: p, columns: columns}
	m := &Model{Features: slices.Clone(d.Features), Base: math.Log(pos / (all - pos))}
	score := make([]float64, n)
	for i := range score {
		score[i] = m.Base
	}
	g.grad, g.hess = make([]float64, n), make([]float64, n)
	rng := rand.New(rand.NewPCG(p.Seed, 0x9e3779b97f4a7c15))
	for range p.Trees {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, y := range d.Y {
			q, w := Logistic(score[i]), d.weight(i)
			g.grad[i] = w * (q - float64(y))
			g.hess[i] = math.Max(w*q*(1-q), 1e-9)
		}
		t := g.grow(sample(rng, n, p.Sample), pick(rng, nf, p.Columns))
		for i := range score {
			score[i] += t.value(d.Row(i))
		}
		m.Trees = append(m.Trees, t)
	}
	return m, nil
}

func (d *Data) weight(i int) float64 {
	if d.Weight == nil {
		return 1
	}
	return float64(d.Weight[i])
}

func sample(rng *rand.Rand, n int, share float64) []int32 {
	rows := make([]int32, 0, n)
	for i := range n {
		if share >= 1 || rng.Float64() < share {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

func pick(rng *rand.Rand, n int, share float64) []int {
	k := max(1, int(math.Ceil(share*float64(n))))
	c := rng.Perm(n)[:k]
	slices.Sort(c)
	return c
}

// column holds one feature cut into bins: bin b holds values up to upper[b].
type column struct {
	bins  []uint8
	upper []float32
}

func binColumns(d Data) []column {
	cols := make([]column, len(d.Features))
	each(len(cols), func(f int) {
		n := d.Rows()
		vals := make([]float32, n)
		for i := range n {
			vals[i] = d.X[i*len(d.Features)+f]
		}
		sorted := slices.Clone(vals)
		slices.Sort(sorted)
		c := &cols[f]
		c.upper = cuts(sorted)
		c.bins = make([]uint8, n)
		for i, v := range vals {
			b, _ := slices.BinarySearch(c.upper, v)
			c.bins[i] = uint8(min(b, len(c.upper)-1))
		}
	})
	return cols
}

// cuts gives at most maxBins upper bounds, the last of them the largest value.
func cuts(sorted []float32) []float32 {
	distinct := slices.Compact(slices.Clone(sorted))
	if len(distinct) <= maxBins {
		return distinct
	}
	out := make([]float32, 0, maxBins)
	for b := 1; b <= maxBins; b++ {
		v := sorted[b*len(sorted)/maxBins-1]
		if len(out) == 0 || v > out[len(out)-1] {
			out = append(out, v)
		}
	}
	return out
}

// each runs f for 0..n-1 on all processors.
func each(n int, f func(int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}
