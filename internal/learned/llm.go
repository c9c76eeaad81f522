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
