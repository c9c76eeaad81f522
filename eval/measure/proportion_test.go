package measure

import (
	"math"
	"testing"
)

func TestProportionByHand(t *testing.T) {
	t.Parallel()
	// Newcombe, Statistics in Medicine 1998, method 3 of table I: 81 of 263, 15 of
	// 148, 0 of 20, 1 of 29.
	for _, c := range []struct {
		k, n      int
		low, high float64
	}{{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}} {
		f := Proportion(c.k, c.n, 0.95)
		if math.Abs(f.Low-c.low) > 5e-5 || math.Abs(f.High-c.high) > 5e-5 {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", c.k, c.n, f.Low, f.High, c.low, c.high)
		}
	}
	if f := Proportion(0, 0, 0.95); f.Denominator != 0 {
		t.Errorf("of none %+v", f)
	}
}

func TestFewByHand(t *testing.T) {
	t.Parallel()
	// Two codes in each of two notes, all right: the bootstrap has no spread.
	one := Case{Required: []string{"I10", "E11.9"}, Shown: []Shown{{Code: "I10"}, {Code: "E11.9"}}}
	two := one
	one.NoteID, two.NoteID = "1", "2"
	s := Score([]Case{one, two}, Options{Samples: 50})
	Few(s.Figures, 0.95)
	// Wilson of 4 of 4: 4/(4+z^2) = 0.5101; of 2 of 2: 0.3424; F1 from J = 4 of 4.
	for name, want := range map[string]float64{"micro_precision": 0.5101, "micro_recall": 0.5101, "all_right": 0.3424, "micro_f1": 2 * 0.5101 / 1.5101} {
		if f, _ := s.Figure(name); math.Abs(f.Low-want) > 1e-4 || f.High != 1 {
			t.Errorf("%s from %.4f to %.4f, want %.4f", name, f.Low, f.High, want)
		}
	}
}
