package measure

import (
	"cmp"
	"math"
	"slices"
)

// Hint is a chapter in which somebody's codes were found to be wrong or missing.
type Hint struct {
	Chapter string     `json:"chapter"`
	Right   int        `json:"right"`
	Wrong   int        `json:"wrong"`
	Missed  int        `json:"missed"`
	Figure  *Figure    `json:"f1"`    // micro F1 of the chapter; nil: not defined
	Codes   []HintCode `json:"codes"` // most frequent first
}

// HintCode is a code that was wrongly given or missed.
type HintCode struct {
	Code   string `json:"code"`
	Missed bool   `json:"missed"` // else wrongly given
	N      int    `json:"n"`
}

// Hints gives the chapters with errors, those with most first, from cases and
// their scores with slices.
func Hints(cases []Case, scores *Scores) []Hint {
	at := map[string]*Hint{}
	chapter := func(code string) *Hint {
		name := Chapter(code)
		if at[name] == nil {
			at[name] = &Hint{Chapter: name}
		}
		return at[name]
	}
	type key struct {
		code   string
		missed bool
	}
	codes := map[key]int{}
	for i := range cases {
		o := cases[i].Outcome()
		for k, v := range o.Verdicts {
			code := cases[i].Shown[k].Code
			switch v {
			case Right, Allowed:
				chapter(code).Right++
			case Wrong:
				chapter(code).Wrong++
				codes[key{code, false}]++
			}
		}
		for _, m := range o.Missed {
			chapter(m.Code).Missed++
			codes[key{m.Code, true}]++
		}
	}
	for k, n := range codes {
		h := chapter(k.code)
		h.Codes = append(h.Codes, HintCode{k.code, k.missed, n})
	}
	out := []Hint{}
	for _, h := range at {
		if h.Wrong+h.Missed == 0 {
			continue
		}
		slices.SortFunc(h.Codes, func(a, b HintCode) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Code, b.Code)) })
		for _, s := range scores.Slices {
			for _, f := range s.Figures {
				if s.Kind == "chapter" && s.Name == h.Chapter && f.Name == "micro_f1" {
					h.Figure = &f
				}
			}
		}
		out = append(out, *h)
	}
	slices.SortFunc(out, func(a, b Hint) int {
		return cmp.Or(cmp.Compare(b.Wrong+b.Missed, a.Wrong+a.Missed), cmp.Compare(a.Chapter, b.Chapter))
	})
	return out
}

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
