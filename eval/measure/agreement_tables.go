package measure

import (
	"iter"
	"slices"
)

// CohenKappa is the agreement of two coders over the same items beyond chance
// (Cohen 1960): (observed - expected) / (1 - expected), expected from each
// coder's own shares of labels. a and b are the labels, item by item.
func CohenKappa(a, b []string) (float64, error) {
	if len(a) != len(b) {
		return 0, ErrAgreement
	}
	return newLabels(a, b).kappa(ones(len(a)))
}

// labels are what two coders called the same items, as numbers of the labels, for
// the bootstrap counts them a thousand times.
type labels struct {
	a, b []int
	n    int // different labels
}

func newLabels(a, b []string) labels {
	at := numbered(slices.Values(a), slices.Values(b))
	l := labels{a: make([]int, len(a)), b: make([]int, len(b)), n: len(at)}
	for i := range a {
		l.a[i], l.b[i] = at[a[i]], at[b[i]]
	}
	return l
}

// kappa is Cohen's over the items, each as often as w says.
func (l labels) kappa(w []float64) (float64, error) {
	byA, byB := make([]float64, l.n), make([]float64, l.n)
	same, n := 0.0, 0.0
	for i := range l.a {
		byA[l.a[i]] += w[i]
		byB[l.b[i]] += w[i]
		n += w[i]
		if l.a[i] == l.b[i] {
			same += w[i]
		}
	}
	if n == 0 {
		return 0, ErrAgreement
	}
	chance := 0.0
	for k := range byA {
		chance += byA[k] / n * byB[k] / n
	}
	if 1-chance < 1e-12 {
		return 0, ErrAgreement
	}
	return (same/n - chance) / (1 - chance), nil
}

// Krippendorff is alpha for nominal data with missing judgements (Krippendorff,
// Computing Krippendorff's Alpha-Reliability, 2011): 1 - observed / expected
// disagreement. Each unit holds the labels that were given to it, an empty one
// for a coder who did not judge it; units with fewer than two labels say nothing.
func Krippendorff(units [][]string) (float64, error) {
	alone := make([][][]string, len(units))
	for i, u := range units {
		alone[i] = [][]string{u}
	}
	return newJudgements(alone).alpha(ones(len(units)))
}

// judgements are what alpha needs to know of each thing that the bootstrap draws,
// each of which holds several units: all of it is added up.
type judgements struct {
	of []judged
	n  int // different labels
}

type judged struct {
	total    float64 // labels
	observed float64 // disagreement
	given    []labelled
}

// labelled says how often a label was given.
type labelled struct {
	label int
	n     float64
}

func newJudgements(things [][][]string) judgements {
	at := numbered(func(yield func(string) bool) {
		for _, units := range things {
			for _, u := range units {
				for _, label := range u {
					if !yield(label) {
						return
					}
				}
			}
		}
	})
	out := judgements{of: make([]judged, len(things)), n: len(at)}
	for i, units := range things {
		t := &out.of[i]
		for _, u := range units {
			var given []labelled
			m := 0.0
			for _, label := range u {
				if label == "" {
					continue
				}
				m++
				given = addLabel(given, at[label], 1)
			}
			if m < 2 {
				continue
			}
			t.total += m
			for _, g := range given {
				t.observed += g.n * (m - g.n) / (m - 1)
				t.given = addLabel(t.given, g.label, g.n)
			}
		}
	}
	return out
}

func addLabel(list []labelled, label int, n float64) []labelled {
	for i := range list {
		if list[i].label == label {
			list[i].n += n
			return list
		}
	}
	return append(list, labelled{label, n})
}

// alpha is Krippendorff's over the things, each as often as w says.
func (j judgements) alpha(w []float64) (float64, error) {
	values := make([]float64, j.n)
	total, observed := 0.0, 0.0
	for i := range j.of {
		t := &j.of[i]
		total += w[i] * t.total
		observed += w[i] * t.observed
		for _, g := range t.given {
			values[g.label] += w[i] * g.n
		}
	}
	expected := 0.0
	for _, n := range values {
		expected += n * (total - n)
	}
	if total < 2 || expected == 0 {
		return 0, ErrAgreement
	}
	return 1 - observed/(expected/(total-1)), nil
}

// numbered numbers the different texts of lists.
func numbered(lists ...iter.Seq[string]) map[string]int {
	at := map[string]int{}
	for _, list := range lists {
		for s := range list {
			if _, ok := at[s]; !ok {
				at[s] = len(at)
			}
		}
	}
	return at
}
