package chart

import "testing"

func TestAxesEndAtRoundNumbers(t *testing.T) {
	t.Parallel()
	for highest, want := range map[float64]float64{0: 4, 1: 1, 3: 4, 52: 80, 3990: 4000, 4001: 8000, 16.6: 20, 0.0123: 0.02, 95: 100} {
		c := Chart{Kind: Stacked, Labels: []string{"a", "b"}, Series: []Series{{Values: []float64{highest / 4, 0}}, {Values: []float64{highest - highest/4, 0}}}}
		if got := c.most(); got < want*(1-1e-9) || got > want*(1+1e-9) {
			t.Errorf("%v ends at %v, want %v", highest, got, want)
		}
	}
}
