package measure

import (
	"cmp"
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
