package gbdt

import "slices"

// grower grows one tree after another over the same binned columns.
type grower struct {
	data       Data
	params     Params
	columns    []column
	grad, hess []float64
}

type bin struct {
	g, h float64
	n    int32
}

// leaf is a part of the rows that may still be split.
type leaf struct {
	rows    []int32
	g, h    float64
	hist    [][]bin // by position in the tree's columns
	gain    float64
	feature int // position in the tree's columns; -1 when no split gains
	cut     int
	parent  int // node that points here, -1 at the root
	right   bool
}

func (g *grower) grow(rows []int32, cols []int) Tree {
	var t Tree
	root := &leaf{rows: rows, parent: -1}
	for _, r := range rows {
		root.g += g.grad[r]
		root.h += g.hess[r]
	}
	g.histogram(root, cols)
	g.best(root, cols)
	open := []*leaf{root}
	for len(open) < g.params.Leaves {
		at := -1
		for i, l := range open {
			if l.feature >= 0 && (at < 0 || l.gain > open[at].gain) {
				at = i
			}
		}
		if at < 0 {
			break
		}
		l := open[at]
		node := len(t.Feature)
		c := &g.columns[cols[l.feature]]
		t.Feature = append(t.Feature, cols[l.feature])
		t.Threshold = append(t.Threshold, c.upper[l.cut])
		t.Mean = append(t.Mean, g.leafValue(l))
		t.Left = append(t.Left, 0)
		t.Right = append(t.Right, 0)
		t.link(l, node)
		a, b := g.split(l, cols, node)
		open[at] = a
		open = append(open, b)
	}
	for i, l := range open {
		t.Value = append(t.Value, g.leafValue(l))
		t.link(l, ^i)
	}
	return t
}

func (t *Tree) link(l *leaf, child int) {
	switch {
	case l.parent < 0:
	case l.right:
		t.Right[l.parent] = child
	default:
		t.Left[l.parent] = child
	}
}

func (g *grower) leafValue(l *leaf) float64 {
	return -g.params.LearningRate * l.g / (l.h + g.params.L2)
}

// split divides l's rows, keeping their order; the smaller side's histogram is
// counted and the larger one's is the difference.
func (g *grower) split(l *leaf, cols []int, node int) (a, b *leaf) {
	c := &g.columns[cols[l.feature]]
	a, b = &leaf{parent: node}, &leaf{parent: node, right: true}
	g.divide(l, c.bins, a, b)
	small, large := a, b
	if len(b.rows) < len(a.rows) {
		small, large = b, a
	}
	g.histogram(small, cols)
	large.hist = l.hist
	for f, h := range large.hist {
		subtract(h, small.hist[f])
	}
	l.hist, l.rows = nil, nil
	g.best(a, cols)
	g.best(b, cols)
	return a, b
}

// divide gives the rows of l to a and b, with the race detector off as in count.
//
//go:norace
func (g *grower) divide(l *leaf, bins []uint8, a, b *leaf) {
	a.rows = make([]int32, 0, len(l.rows))
	b.rows = make([]int32, 0, len(l.rows)/2)
	for _, r := range l.rows {
		if int(bins[r]) <= l.cut {
			a.rows = append(a.rows, r)
			a.g += g.grad[r]
			a.h += g.hess[r]
		} else {
			b.rows = append(b.rows, r)
			b.g += g.grad[r]
			b.h += g.hess[r]
		}
	}
}

// subtract takes the counts of s from those of h, with the race detector off as in count.
//
//go:norace
func subtract(h, s []bin) {
	for i := range s {
		h[i].g -= s[i].g
		h[i].h -= s[i].h
		h[i].n -= s[i].n
	}
}

func (g *grower) histogram(l *leaf, cols []int) {
	l.hist = make([][]bin, len(cols))
	each(len(cols), func(i int) {
		c := &g.columns[cols[i]]
		h := make([]bin, len(c.upper))
		g.count(h, c.bins, l.rows)
		l.hist[i] = h
	})
}

// count adds the rows to a histogram, which nobody else has yet, from what nobody
// writes meanwhile. Race detection is off in it, as in Tree.value: it is where training
// spends its time, and watching these reads takes ten times as long as making them.
//
//go:norace
func (g *grower) count(h []bin, bins []uint8, rows []int32) {
	for _, r := range rows {
		b := &h[bins[r]]
		b.g += g.grad[r]
		b.h += g.hess[r]
		b.n++
	}
}

// best finds l's best split; ties go to the first feature and the lowest cut. The race detector
// is off in it as in count.
//
//go:norace
func (g *grower) best(l *leaf, cols []int) {
	l.feature = -1
	if len(l.rows) < 2*g.params.MinRows {
		return
	}
	type found struct {
		gain float64
		cut  int
	}
	res := make([]found, len(cols))
	whole := l.g * l.g / (l.h + g.params.L2)
	for i := range cols {
		res[i].gain = g.params.MinGain
		res[i].cut = -1
		var gl, hl float64
		var nl int32
		h := l.hist[i]
		for b := range len(h) - 1 {
			gl += h[b].g
			hl += h[b].h
			nl += h[b].n
			if int(nl) < g.params.MinRows || h[b].n == 0 {
				continue
			}
			if len(l.rows)-int(nl) < g.params.MinRows {
				break
			}
			gr, hr := l.g-gl, l.h-hl
			gain := gl*gl/(hl+g.params.L2) + gr*gr/(hr+g.params.L2) - whole
			if gain > res[i].gain+1e-12 {
				res[i] = found{gain, b}
			}
		}
	}
	i := slices.IndexFunc(res, func(f found) bool { return f.cut >= 0 })
	if i < 0 {
		return
	}
	for j := i + 1; j < len(res); j++ {
		if res[j].cut >= 0 && res[j].gain > res[i].gain {
			i = j
		}
	}
	l.feature, l.cut, l.gain = i, res[i].cut, res[i].gain
}
