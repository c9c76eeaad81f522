package measure

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// manyCases are notes with 30 suggestions and about 8 gold codes each, of a
// vocabulary of 5,000 codes used as often as codes are: few often, many seldom.
func manyCases(notes int) []Case {
	r := rand.New(rand.NewPCG(5, 5))
	pick := func(n int, taken map[string]bool) []string {
		var out []string
		for len(out) < n {
			u := r.Float64()
			i := int(5000 * u * u * u)
			code := fmt.Sprintf("%c%02d.%d", 'A'+i%26, i/26%100, i/2600)
			if !taken[code] {
				taken[code] = true
				out = append(out, code)
			}
		}
		return out
	}
	cases := make([]Case, notes)
	for i := range cases {
		c := Case{NoteID: fmt.Sprint(i), Setting: []string{"inpatient", "outpatient"}[i%2], Specialty: fmt.Sprint("s", i%30), Bytes: 500 + r.IntN(9000), Millis: r.Float64() * 100}
		c.Required = pick(1+r.IntN(12), map[string]bool{})
		c.Acceptable = pick(2, set(c.Required))
		taken := map[string]bool{}
		var shown []string
		for _, code := range c.Required {
			if r.Float64() < 0.6 {
				taken[code] = true
				shown = append(shown, code)
			}
		}
		shown = append(shown, pick(30-len(shown), taken)...)
		for _, code := range shown {
			c.Shown = append(c.Shown, Shown{Code: code, Confidence: r.Float64()})
		}
		c.Candidates = append(pick(20, taken), shown...)
		cases[i] = c
	}
	return cases
}

// BenchmarkScore scores 10,000 notes of 30 suggestions with 1,000 samples, all
// figures and slices.
func BenchmarkScore(b *testing.B) {
	cases := manyCases(10_000)
	b.ResetTimer()
	for range b.N {
		Score(cases, Options{Samples: 1000, Slices: true})
	}
}
