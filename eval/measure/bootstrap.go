package measure

import "math/rand/v2"

// draw makes w the numbers of times that each unit is drawn in a sample.
//
//go:norace
func draw(w []float64, seed, sample uint64) {
	clear(w)
	r := rand.New(rand.NewPCG(seed, sample))
	for range w {
		w[r.IntN(len(w))]++
	}
}
