package measure

import "math"

// Proportion is k of n with Wilson's score interval (Wilson, JASA 1927), which
// holds for few and for none; the zero Figure where n is 0. The n are taken to be
// independent.
func Proportion(k, n int, level float64) Figure {
	if n == 0 {
		return Figure{}
	}
	low, high := wilson(float64(k), float64(n), level)
	return Figure{Value: float64(k) / float64(n), Low: low, High: high, Numerator: float64(k), Denominator: float64(n)}
}

func wilson(k, n, level float64) (low, high float64) {
	z := math.Sqrt2 * math.Erfinv(level)
	p := k / n
	mid := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(0, mid-half), min(1, mid+half)
}

// Few widens the intervals of the counted figures among figures, for people of whom
// few cases were judged: where all are right, or none, the bootstrap sees no spread
// at all. Each gets the wider ends of its bootstrap and of Wilson's interval: of
// precision, recall and shares of notes by their own counts; of micro F1 by the
// share of the codes given or required that both have, J, of which F1 is 2J/(1+J).
func Few(figures []Figure, level float64) {
	for i := range figures {
		f := &figures[i]
		if f.Denominator == 0 {
			continue
		}
		var low, high float64
		switch f.Name {
		case "micro_precision", "micro_recall", "first_listed", "all_right":
			low, high = wilson(f.Numerator, f.Denominator, level)
		case "micro_f1":
			both := f.Numerator / 2
			low, high = wilson(both, f.Denominator-both, level)
			low, high = 2*low/(1+low), 2*high/(1+high)
		default:
			continue
		}
		f.Low, f.High = min(f.Low, low), max(f.High, high)
	}
}
