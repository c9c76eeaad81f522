package measure

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Options of scoring. The zero value means 1,000 samples, seed 0, 95%.
type Options struct {
	Samples int
	Seed    uint64
	Level   float64 // of the intervals
	Slices  bool    // also score slices
	Only    string  // of a comparison: the one figure to compare; empty: all
}

func (o Options) defaults() Options {
	if o.Samples <= 0 {
		o.Samples = 1000
	}
	if o.Level <= 0 {
		o.Level = 0.95
	}
	return o
}

// Figure is one number with what it was counted over and its interval.
type Figure struct {
	Name  string  `json:"name"`
	Title string  `json:"title"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	// Numerator over Denominator is Value, but for F1 of tiers, where they say
	// only what was counted, and times.
	Numerator   float64 `json:"numerator"`
	Denominator float64 `json:"denominator"`
	Of          string  `json:"of"` // what the denominator counts
}

// SliceFigures are the counts and figures of one slice.
type SliceFigures struct {
	Slice
	Notes   int      `json:"notes"`
	Figures []Figure `json:"figures"` // micro_precision, micro_recall, micro_f1, where defined
}

// ReliabilityBin is one bin of the reliability table.
type ReliabilityBin struct {
	From       float64 `json:"from"`
	To         float64 `json:"to"`
	N          int     `json:"n"`
	Confidence float64 `json:"confidence"` // mean
	Right      float64 `json:"right"`      // share
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
}

// Scores are the figures of one run. A figure that nothing was counted for is
// left out: unscored is not zero.
type Scores struct {
	Notes       int              `json:"notes"`
	Clusters    int              `json:"clusters"` // units of the bootstrap: notes, or patients where known
	Samples     int              `json:"samples"`
	Seed        uint64           `json:"seed"`
	Level       float64          `json:"level"`
	Figures     []Figure         `json:"figures"`
	Slices      []SliceFigures   `json:"slices"`
	Reliability []ReliabilityBin `json:"reliability"`
}

// Figure gives a figure by its name.
func (s *Scores) Figure(name string) (Figure, bool) {
	for _, f := range s.Figures {
		if f.Name == name {
			return f, true
		}
	}
	return Figure{}, false
}

// Score computes every figure of the cases, with percentile intervals of the
// bootstrap over notes, or over patients where they are known. A resample has
// fewer different codes than the notes have, which moves the mean over codes:
// intervals of macro figures are moved back by that bias.
func Score(cases []Case, o Options) Scores {
	o = o.defaults()
	t := newTable(cases, o.Slices, false)
	defs := definitions()
	out := Scores{Notes: len(cases), Clusters: len(t.units), Samples: o.Samples, Seed: o.Seed, Level: o.Level, Figures: []Figure{}, Slices: []SliceFigures{}, Reliability: []ReliabilityBin{}}
	n := len(defs) + 3*len(t.slices)
	evaluate := func(s *sums) []value {
		v := make([]value, n)
		for i := range defs {
			v[i] = defs[i].value(s)
		}
		for i := range t.slices {
			sliceValues(s.slices[perSlice*i:], v[len(defs)+3*i:])
		}
		return v
	}
	s := newSums(t)
	s.add(ones(len(t.units)))
	at := evaluate(s)
	samples := resample(len(t.units), o, func() func(w []float64) []value {
		s := newSums(t)
		return func(w []float64) []value { s.add(w); return evaluate(s) }
	})
	for i, d := range defs {
		if at[i].den > 0 {
			out.Figures = append(out.Figures, figure(d.name, d.title, d.of, at[i], samples, i, o.Level))
		}
	}
	for i := range t.slices {
		sf := SliceFigures{Slice: t.slices[i], Notes: int(s.slices[perSlice*i+4]), Figures: []Figure{}}
		for k, name := range []string{"micro_precision", "micro_recall", "micro_f1"} {
			if j := len(defs) + 3*i + k; at[j].den > 0 {
				sf.Figures = append(sf.Figures, figure(name, defs[k].title, defs[k].of, at[j], samples, j, o.Level))
			}
		}
		out.Slices = append(out.Slices, sf)
	}
	slices.SortStableFunc(out.Slices, compareSlices)
	for i := range coarseBins {
		b := s.coarse(i)
		if b.n == 0 {
			continue
		}
		r := ReliabilityBin{From: float64(i) / coarseBins, To: float64(i+1) / coarseBins, N: int(b.n), Confidence: b.conf / b.n, Right: b.right / b.n}
		j := slices.IndexFunc(defs, func(d definition) bool { return d.name == "reliability_0" }) + i
		r.Low, r.High = percentiles(samples, j, o.Level)
		out.Reliability = append(out.Reliability, r)
	}
	return out
}

func compareSlices(a, b SliceFigures) int {
	kinds := SliceKinds()
	if d := slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind); d != 0 {
		return d
	}
	if a.Kind != "chapter" && a.Kind != "length" && a.Notes != b.Notes {
		return b.Notes - a.Notes
	}
	if a.Name < b.Name {
		return -1
	}
	return 1
}

func sliceValues(c []float32, v []value) {
	right, acceptable, wrong, missed := float64(c[0]), float64(c[1]), float64(c[2]), float64(c[3])
	v[0] = quotient(right+acceptable, right+acceptable+wrong)
	v[1] = quotient(right, right+missed)
	v[2] = value{f1(right, acceptable, wrong, missed), 2*right + acceptable, 2*right + acceptable + wrong + missed}
}

func figure(name, title, of string, at value, samples [][]value, i int, level float64) Figure {
	f := Figure{Name: name, Title: title, Of: of, Value: at.v, Numerator: at.num, Denominator: at.den}
	f.Low, f.High = percentiles(samples, i, level)
	if strings.HasPrefix(name, "macro") {
		var v []float64
		for _, s := range samples {
			if s[i].den > 0 {
				v = append(v, s[i].v)
			}
		}
		bias := mean(v) - at.v
		f.Low, f.High = f.Low-bias, f.High-bias
	}
	return f
}

// percentiles gives the interval of the samples in which the figure is defined.
func percentiles(samples [][]value, i int, level float64) (low, high float64) {
	var v []float64
	for _, s := range samples {
		if s[i].den > 0 {
			v = append(v, s[i].v)
		}
	}
	if len(v) == 0 {
		return 0, 0
	}
	slices.Sort(v)
	return quantile(v, (1-level)/2), quantile(v, (1+level)/2)
}

// quantile interpolates between the two nearest of sorted values (Hyndman and
// Fan's type 7).
func quantile(sorted []float64, q float64) float64 {
	h := q * float64(len(sorted)-1)
	i := int(math.Floor(h))
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (h-float64(i))*(sorted[i+1]-sorted[i])
}

func ones(n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = 1
	}
	return w
}

// resample draws o.Samples times as many units as there are, with replacement,
// and gives what evaluate makes of each sample, in order. start is called once
// for each goroutine.
func resample[T any](units int, o Options, start func() func(weight []float64) T) []T {
	out := make([]T, o.Samples)
	if units == 0 {
		evaluate := start()
		for b := range out {
			out[b] = evaluate(nil)
		}
		return out
	}
	workers := min(runtime.GOMAXPROCS(0), o.Samples)
	var group sync.WaitGroup
	for k := range workers {
		group.Go(func() {
			evaluate, w := start(), make([]float64, units)
			for b := k; b < o.Samples; b += workers {
				draw(w, o.Seed, uint64(b))
				out[b] = evaluate(w)
			}
		})
	}
	group.Wait()
	return out
}
