package learned

import (
	"math"

	"chartcode/internal/gbdt"
)

// LLM turns what an LLM says of its confidence in a code into the probability
// that a coder accepts it: the logistic function of a sum over the log odds of
// what it says, those of the local ranker for the same code, and whether both
// suggest it.
type LLM struct {
	Stated float64 `json:"stated"`
	Local  float64 `json:"local"`
	Both   float64 `json:"both"`
	Offset float64 `json:"offset"`
}

// Probability of a code.
func (l LLM) Probability(stated, local float64, both bool) float64 {
	x := l.features(LLMAnswer{Stated: stated, Local: local, Both: both})
	return gbdt.Logistic(l.Stated*x[0] + l.Local*x[1] + l.Both*x[2] + l.Offset)
}

// LLMAnswer is a suggestion of an LLM ranker and whether a coder accepted it.
type LLMAnswer struct {
	Stated, Local float64 // probabilities
	Both          bool    // the local ranker suggested the code too
	Accepted      bool
}

// surest bounds the log odds that one number may bring.
const surest = 4.0

func (LLM) features(a LLMAnswer) [4]float64 {
	odds := func(p float64) float64 {
		return min(max(math.Log(p/(1-p)), -surest), surest)
	}
	x := [4]float64{odds(a.Stated), odds(a.Local), 0, 1}
	if a.Both {
		x[2] = 1
	}
	return x
}

// PriorLLM is used until reviews have taught something better. Models say 0.9 of
// what is right in two of three cases, and a second way to the same code is worth
// about as much as half of that; the weights are set by hand so that 0.9 becomes
// 0.87 where both rankers agree and 0.6 where the search for words has nothing for
// the code.
var PriorLLM = LLM{Stated: 0.7, Local: 0.25, Both: 0.5, Offset: -0.2}

// LeastLLM is how many decided suggestions of an LLM it takes to fit its
// calibration.
const LeastLLM = 200

// priorWeight is for how many answers' worth of curvature the prior stands, so that
// a weight that the answers say nothing of stays as it was.
const priorWeight = 5.0

// CalibrateLLM fits the weights to decisions by Newton's method, held to the prior;
// the prior itself for fewer than LeastLLM answers.
func CalibrateLLM(list []LLMAnswer) LLM {
	if len(list) < LeastLLM {
		return PriorLLM
	}
	prior := [4]float64{PriorLLM.Stated, PriorLLM.Local, PriorLLM.Both, PriorLLM.Offset}
	w := prior
	for range 50 {
		var g [4]float64
		var h [4][4]float64
		for i := range w {
			g[i] = priorWeight * (w[i] - prior[i])
			h[i][i] = priorWeight
		}
		for _, a := range list {
			x := LLM{}.features(a)
			z := 0.0
			for i := range w {
				z += w[i] * x[i]
			}
			p := gbdt.Logistic(z)
			d := p
			if a.Accepted {
				d--
			}
			for i := range w {
				g[i] += d * x[i]
				for k := range w {
					h[i][k] += p * (1 - p) * x[i] * x[k]
				}
			}
		}
		step := solve(h, g)
		size := 0.0
		for i := range w {
			w[i] -= step[i]
			size += math.Abs(step[i])
		}
		if size < 1e-9 {
			break
		}
	}
	return LLM{Stated: w[0], Local: w[1], Both: w[2], Offset: w[3]}
}

// solve gives x of h x = g, for a positive definite h.
func solve(h [4][4]float64, g [4]float64) [4]float64 {
	for i := range g {
		for k := i + 1; k < len(g); k++ {
			f := h[k][i] / h[i][i]
			for j := i; j < len(g); j++ {
				h[k][j] -= f * h[i][j]
			}
			g[k] -= f * g[i]
		}
	}
	var x [4]float64
	for i := len(g) - 1; i >= 0; i-- {
		x[i] = g[i]
		for j := i + 1; j < len(g); j++ {
			x[i] -= h[i][j] * x[j]
		}
		x[i] /= h[i][i]
	}
	return x
}
