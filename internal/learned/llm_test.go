package learned

import (
	"math"
	"math/rand/v2"
	"testing"

	"chartcode/internal/gbdt"
)

// Fitted weights give back the probabilities that the decisions were drawn with.
func TestCalibrateLLM(t *testing.T) {
	truth := LLM{Stated: 0.4, Local: 0.6, Both: 0.2, Offset: -0.9}
	rng := rand.New(rand.NewPCG(7, 8))
	var list []LLMAnswer
	for range 6000 {
		a := LLMAnswer{Stated: 0.5 + 0.49*rng.Float64(), Local: rng.Float64(), Both: rng.IntN(2) == 0}
		a.Accepted = rng.Float64() < truth.Probability(a.Stated, a.Local, a.Both)
		list = append(list, a)
	}
	got := CalibrateLLM(list)
	worst := 0.0
	for _, a := range list[:500] {
		worst = max(worst, math.Abs(got.Probability(a.Stated, a.Local, a.Both)-truth.Probability(a.Stated, a.Local, a.Both)))
	}
	if worst > 0.06 {
		t.Errorf("%+v is off by %.3f", got, worst)
	}
	if few := CalibrateLLM(list[:LeastLLM-1]); few != PriorLLM {
		t.Errorf("few answers give %+v", few)
	}
	for i := range list {
		list[i].Accepted = true
	}
	all := CalibrateLLM(list)
	if p := all.Probability(0.9, 0.5, true); math.IsNaN(p) || p < 0.9 || p >= 1 {
		t.Errorf("all accepted: %+v gives %v", all, p)
	}
	if p := PriorLLM.Probability(0, 1, true); p <= gbdt.Logistic(-10) || p >= 1 {
		t.Errorf("%v", p)
	}
}
