package measure

import (
	"fmt"
	"slices"
)

// Slice is a part of the notes, or of the codes of all notes, that is scored by
// itself.
type Slice struct {
	Kind string `json:"kind"` // setting, specialty, length, agreement (notes); chapter, frequency (codes)
	Name string `json:"name"`
}

// SliceKinds gives the kinds in the order in which they are shown.
func SliceKinds() []string {
	return []string{"setting", "specialty", "length", "agreement", "chapter", "frequency"}
}

// slice adds a note's counts to the slices it belongs to.
func (t *table) slice(u *unit, c *Case, o *Outcome, bands map[string]string) {
	all := counts{float32(o.Right), float32(o.Acceptable), float32(o.Wrong), float32(len(o.Missed))}
	for _, s := range []Slice{
		{"setting", orNone(c.Setting)}, {"specialty", orNone(c.Specialty)}, {"length", lengthBand(c.Bytes)}, {"agreement", agreementBand(c)},
	} {
		u.addSlice(t.sliceOf(s), all, 1)
	}
	seen := map[int32]bool{}
	code := func(code string, place int) {
		var one counts
		one[place] = 1
		for _, s := range []Slice{{"chapter", Chapter(code)}, {"frequency", band(bands, code)}} {
			at := t.sliceOf(s)
			notes := float32(0)
			if !seen[at] {
				seen[at], notes = true, 1
			}
			u.addSlice(at, one, notes)
		}
	}
	for i, v := range o.Verdicts {
		if place := slices.Index([]Verdict{Right, Allowed, Wrong}, v); place >= 0 {
			code(c.Shown[i].Code, place)
		}
	}
	for _, m := range o.Missed {
		code(m.Code, 3)
	}
}

func orNone(s string) string {
	if s == "" {
		return "not stated"
	}
	return s
}

func (t *table) sliceOf(s Slice) int32 {
	i, ok := t.sliceAt[s]
	if !ok {
		i = int32(len(t.slices))
		t.sliceAt[s] = i
		t.slices = append(t.slices, s)
	}
	return i
}

func (u *unit) addSlice(at int32, c counts, notes float32) {
	for k, n := range c {
		put(&u.slices, perSlice*at+int32(k), n)
	}
	put(&u.slices, perSlice*at+4, notes)
}

func lengthBand(bytes int) string {
	from := 0
	for _, to := range []int{1000, 2000, 4000, 8000} {
		if bytes < to {
			return fmt.Sprintf("%d to %d bytes", from, to-1)
		}
		from = to
	}
	return "8000 bytes and more"
}

// agreementBand says how far ranker and retrieval agree on a note: the share of
// what is shown that stands among as many first candidates.
func agreementBand(c *Case) string {
	n := len(c.Shown)
	if n == 0 {
		return "nothing shown"
	}
	first := c.Candidates[:min(n, len(c.Candidates))]
	same := 0
	for i := range c.Shown {
		if slices.Contains(first, c.Shown[i].Code) {
			same++
		}
	}
	switch share := float64(same) / float64(n); {
	case share == 1:
		return "ranker as retrieval"
	case share >= 0.5:
		return "half or more as retrieval"
	default:
		return "less than half as retrieval"
	}
}

// frequencyBands tells for each gold code in how many notes of the dataset it
// is gold.
func frequencyBands(cases []Case) map[string]string {
	n := map[string]int{}
	for i := range cases {
		for _, c := range cases[i].Required {
			n[c]++
		}
		for _, c := range cases[i].Acceptable {
			n[c]++
		}
	}
	out := make(map[string]string, len(n))
	for code, k := range n {
		switch {
		case k == 1:
			out[code] = "gold in 1 note"
		case k <= 5:
			out[code] = "gold in 2 to 5 notes"
		case k <= 20:
			out[code] = "gold in 6 to 20 notes"
		default:
			out[code] = "gold in more than 20 notes"
		}
	}
	return out
}

func band(bands map[string]string, code string) string {
	if b, ok := bands[code]; ok {
		return b
	}
	return "never gold"
}
