package measure

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// A simulated note has 1 to 9 required codes. A note is easy or hard, and in it
// each run finds a code with the chance of its kind of note; B decides by the
// same draw as A, so that the runs agree as two versions of one program do. Up to
// four wrong codes are shown, more in hard notes.
type simulation struct {
	easyA, hardA, easyB, hardB float64 // chances to find a code
	wrongA, wrongB             float64 // chance of each of four wrong codes in an easy note; twice that in a hard one
}

// difference is the true difference of micro-F1: that of the expected counts.
func (s simulation) difference() float64 {
	f := func(easy, hard, wrong float64) float64 {
		found := 5 * (easy + hard) / 2
		return 2 * found / (found + 4*1.5*wrong + 5)
	}
	return f(s.easyB, s.hardB, s.wrongB) - f(s.easyA, s.hardA, s.wrongA)
}

func (s simulation) draw(r *rand.Rand, notes int) (a, b []Case) {
	a, b = make([]Case, notes), make([]Case, notes)
	for i := range notes {
		n := 1 + r.IntN(9)
		hard := r.IntN(2) == 1
		pa, pb, wa, wb := s.easyA, s.easyB, s.wrongA, s.wrongB
		if hard {
			pa, pb, wa, wb = s.hardA, s.hardB, 2*wa, 2*wb
		}
		c := Case{NoteID: fmt.Sprint(i)}
		var sa, sb []Shown
		for k := range n {
			code := fmt.Sprintf("A%02d.%d", k, i%10)
			c.Required = append(c.Required, code)
			u := r.Float64()
			if r.IntN(2) == 1 { // half of the codes are decided by another draw
				u = s.show(&sa, code, u, pa, r)
				s.show(&sb, code, u, pb, r)
				continue
			}
			s.show(&sa, code, u, pa, r)
			s.show(&sb, code, u, pb, r)
		}
		for k := range 4 {
			code := fmt.Sprintf("B%02d.%d", k, i%10)
			u := r.Float64()
			s.show(&sa, code, u, wa, r)
			s.show(&sb, code, u, wb, r)
		}
		a[i], b[i] = c, c
		a[i].Shown, b[i].Shown = sa, sb
	}
	return a, b
}

// show adds a code where the draw says so, and gives a new draw.
func (simulation) show(to *[]Shown, code string, u, chance float64, r *rand.Rand) float64 {
	if u < chance {
		*to = append(*to, Shown{Code: code, Confidence: 0.5})
	}
	return r.Float64()
}

// coverage is the share of datasets whose 95% interval holds the true
// difference of micro-F1.
func coverage(t *testing.T, s simulation, datasets, notes, samples int) float64 {
	t.Helper()
	truth, held := s.difference(), 0
	for d := range datasets {
		a, b := s.draw(rand.New(rand.NewPCG(77, uint64(d))), notes)
		c, err := Compare(a, b, Options{Samples: samples, Seed: uint64(d), Only: "micro_f1"})
		if err != nil {
			t.Fatal(err)
		}
		if x, _ := c.Difference("micro_f1"); x.Low <= truth && truth <= x.High {
			held++
		}
	}
	return float64(held) / float64(datasets)
}

func simulations() []simulation {
	return []simulation{
		{0.7, 0.4, 0.75, 0.42, 0.2, 0.15},
		{0.9, 0.6, 0.9, 0.5, 0.1, 0.1},
	}
}

// TestCoverage is a small version of TestLongCoverage: of 100 datasets 95% are
// 95, and fewer than 87 come once in a thousand.
func TestCoverage(t *testing.T) {
	t.Parallel()
	for _, s := range simulations() {
		got := coverage(t, s, 100, 200, 200)
		t.Logf("true difference %+.4f: %.3f of 100 intervals hold it", s.difference(), got)
		if got < 0.87 || got > 0.995 {
			t.Errorf("%.3f of the intervals hold the true difference %+.4f", got, s.difference())
		}
	}
}

// gatePasses is the share of simulated candidates that pass the default gate:
// 500 notes, in which one code in ten is decided anew, right as often as before
// but for loss.
func gatePasses(t *testing.T, simulations int, worse float64) float64 {
	t.Helper()
	passed := 0
	for d := range simulations {
		r := rand.New(rand.NewPCG(78, uint64(d)))
		a := make([]Case, 500)
		b := make([]Case, 500)
		for i := range a {
			c := Case{NoteID: fmt.Sprint(i)}
			for k := range 2 + r.IntN(5) {
				c.Required = append(c.Required, fmt.Sprintf("A%02d", k))
			}
			a[i], b[i] = c, c
			for _, code := range c.Required {
				found := r.Float64() < 0.7
				again := found
				switch u := r.Float64(); {
				case u < 0.1:
					again = r.Float64() < 0.7
				case u < 0.1+worse/0.7:
					again = false
				}
				// What is not found shows a wrong code in its place: F1 is the chance to find.
				place := func(found bool) Shown {
					if found {
						return Shown{Code: code}
					}
					return Shown{Code: "B" + code[1:]}
				}
				a[i].Shown = append(a[i].Shown, place(found))
				b[i].Shown = append(b[i].Shown, place(again))
			}
		}
		c, err := Compare(a, b, Options{Samples: 200, Seed: uint64(d), Level: GateLevel, Only: "micro_f1"})
		if err != nil {
			t.Fatal(err)
		}
		g, err := Judge(&c, "micro_f1", 0.03)
		if err != nil {
			t.Fatal(err)
		}
		if g.Decision == NotWorse {
			passed++
		}
	}
	return float64(passed) / float64(simulations)
}

// TestGatePower is a small version of TestLongGatePower.
func TestGatePower(t *testing.T) {
	t.Parallel()
	gatePower(t, 30)
}

func gatePower(t *testing.T, simulations int) {
	t.Helper()
	equal, worse := gatePasses(t, simulations, 0), gatePasses(t, simulations, 0.06)
	t.Logf("of %d candidates each pass: equal %.3f, six points worse %.3f", simulations, equal, worse)
	if equal < 0.9 || worse > 0.05 {
		t.Errorf("equal candidates pass in %.3f, six points worse in %.3f; want at least 0.90, at most 0.05", equal, worse)
	}
}
