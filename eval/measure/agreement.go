package measure

import (
	"errors"
	"slices"
)

// ErrAgreement is returned where agreement is not defined: nothing was judged by
// two, or all judgements are the same, so that none is expected by chance.
var ErrAgreement = errors.New("agreement is not defined: there are no two judgements of one thing, or all judgements are the same")

// CohenKappa is the agreement of two coders over the same items beyond chance
// (Cohen 1960): (observed - expected) / (1 - expected), expected from each
// coder's own shares of labels. a and b are the labels, item by item.
func CohenKappa(a, b []string) (float64, error) {
	if len(a) != len(b) || len(a) == 0 {
		return 0, ErrAgreement
	}
	n := float64(len(a))
	sharesA, sharesB := map[string]float64{}, map[string]float64{}
	same := 0.0
	for i := range a {
		sharesA[a[i]] += 1 / n
		sharesB[b[i]] += 1 / n
		if a[i] == b[i] {
			same += 1 / n
		}
	}
	chance := 0.0
	for _, label := range sorted(sharesA) { // in order, so that the last digit is always the same
		chance += sharesA[label] * sharesB[label]
	}
	if 1-chance < 1e-12 {
		return 0, ErrAgreement
	}
	return (same - chance) / (1 - chance), nil
}

func sorted(m map[string]float64) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Krippendorff is alpha for nominal data with missing judgements (Krippendorff,
// Computing Krippendorff's Alpha-Reliability, 2011): 1 - observed / expected
// disagreement. Each unit holds the labels that were given to it, an empty one
// for a coder who did not judge it; units with fewer than two labels say nothing.
func Krippendorff(units [][]string) (float64, error) {
	total, observed := 0.0, 0.0
	values := map[string]float64{}
	for _, u := range units {
		given := map[string]float64{}
		m := 0.0
		for _, label := range u {
			if label != "" {
				given[label]++
				m++
			}
		}
		if m < 2 {
			continue
		}
		total += m
		for _, label := range sorted(given) {
			values[label] += given[label]
			observed += given[label] * (m - given[label]) / (m - 1)
		}
	}
	expected := 0.0
	for _, label := range sorted(values) {
		expected += values[label] * (total - values[label])
	}
	if total < 2 || expected == 0 {
		return 0, ErrAgreement
	}
	return 1 - observed/(expected/(total-1)), nil
}

// Coding is one coder's codes of one note.
type Coding struct {
	NoteID  string
	Cluster string
	First   string // the first-listed code; empty: nothing coded
	Codes   []string
}

// Agreement is how far coders agree.
type Agreement struct {
	Notes int           `json:"notes"` // coded by at least two
	Pairs []PairFigures `json:"pairs"`
	// Alpha over all coders, with what they did not judge missing: of whether each
	// code that anybody gave to the note belongs to it, and of the first-listed code.
	// nil: not defined.
	AlphaCodes *Figure `json:"alpha_codes"`
	AlphaFirst *Figure `json:"alpha_first"`
}

// PairFigures are the agreement of two coders over the notes that both coded.
type PairFigures struct {
	A     string `json:"a"`
	B     string `json:"b"`
	Notes int    `json:"notes"`
	// Kappa is over every pair of a note and a code of the vocabulary that either
	// uses anywhere; most of these are agreed to be absent, so that it lies near
	// the share of codes given by both (Agreed), its counterpart without chance.
	Kappa      *Figure `json:"kappa"`
	KappaFirst *Figure `json:"kappa_first"`
	Agreed     *Figure `json:"agreed"` // 2 both / (A's + B's codes)
	Identical  *Figure `json:"identical"`
}

// Agree compares coders over the notes that they share. codings are by coder;
// coders and their order are given. Intervals are percentiles of the bootstrap
// over notes.
func Agree(coders []string, codings map[string][]Coding, o Options) (Agreement, error) {
	o = o.defaults()
	out := Agreement{Pairs: []PairFigures{}}
	byNote := map[string]map[string]*Coding{}
	var notes []string
	for _, who := range coders {
		for i := range codings[who] {
			c := &codings[who][i]
			if byNote[c.NoteID] == nil {
				byNote[c.NoteID] = map[string]*Coding{}
				notes = append(notes, c.NoteID)
			}
			byNote[c.NoteID][who] = c
		}
	}
	notes = slices.DeleteFunc(notes, func(id string) bool { return len(byNote[id]) < 2 })
	out.Notes = len(notes)
	if len(notes) == 0 {
		return out, ErrAgreement
	}
	for i, a := range coders {
		for _, b := range coders[i+1:] {
			out.Pairs = append(out.Pairs, pair(a, b, notes, byNote, o))
		}
	}
	units := make([][][]string, len(notes)) // of each note: a row for each code
	first := make([][]string, len(notes))
	for i, id := range notes {
		rows := map[string][]string{}
		for _, c := range byNote[id] {
			for _, code := range c.Codes {
				rows[code] = nil
			}
		}
		for _, code := range sortedKeys(rows) {
			var row []string
			for _, who := range coders {
				switch c := byNote[id][who]; {
				case c == nil:
					row = append(row, "")
				case slices.Contains(c.Codes, code):
					row = append(row, "given")
				default:
					row = append(row, "not given")
				}
			}
			units[i] = append(units[i], row)
		}
		for _, who := range coders {
			if c := byNote[id][who]; c != nil {
				first[i] = append(first[i], firstLabel(c))
			}
		}
	}
	codes := func(w []float64) (float64, error) {
		var all [][]string
		for i := range units {
			for range int(w[i]) {
				all = append(all, units[i]...)
			}
		}
		return Krippendorff(all)
	}
	firsts := func(w []float64) (float64, error) {
		var all [][]string
		for i := range first {
			for range int(w[i]) {
				all = append(all, first[i])
			}
		}
		return Krippendorff(all)
	}
	out.AlphaCodes, out.AlphaFirst = bootstrapOf(len(notes), o, codes), bootstrapOf(len(notes), o, firsts)
	return out, nil
}

func firstLabel(c *Coding) string {
	if c.First == "" {
		return "nothing"
	}
	return c.First
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// bootstrapOf gives a statistic with its percentile interval over units; nil
// where it is not defined.
func bootstrapOf(units int, o Options, f func(w []float64) (float64, error)) *Figure {
	v, err := f(ones(units))
	if err != nil {
		return nil
	}
	type one struct {
		v   float64
		err error
	}
	got := resample(units, o, func() func(w []float64) one {
		return func(w []float64) one { v, err := f(w); return one{v, err} }
	})
	var all []float64
	for _, g := range got {
		if g.err == nil {
			all = append(all, g.v)
		}
	}
	fig := Figure{Value: v, Low: v, High: v, Denominator: float64(units), Of: "notes"}
	if len(all) > 0 {
		fig.Low, fig.High, _ = interval(all, o.Level)
	}
	return &fig
}

func pair(a, b string, notes []string, byNote map[string]map[string]*Coding, o Options) PairFigures {
	p := PairFigures{A: a, B: b}
	type counts struct{ both, onlyA, onlyB float64 }
	var of []counts
	var firstA, firstB []string
	vocabulary := map[string]bool{}
	for _, id := range notes {
		ca, cb := byNote[id][a], byNote[id][b]
		if ca == nil || cb == nil {
			continue
		}
		var c counts
		for _, code := range ca.Codes {
			vocabulary[code] = true
			if slices.Contains(cb.Codes, code) {
				c.both++
			} else {
				c.onlyA++
			}
		}
		for _, code := range cb.Codes {
			vocabulary[code] = true
			if !slices.Contains(ca.Codes, code) {
				c.onlyB++
			}
		}
		of = append(of, c)
		firstA, firstB = append(firstA, firstLabel(ca)), append(firstB, firstLabel(cb))
	}
	p.Notes = len(of)
	if len(of) == 0 {
		return p
	}
	add := func(w []float64) (c counts, n float64) {
		for i := range of {
			c.both += w[i] * of[i].both
			c.onlyA += w[i] * of[i].onlyA
			c.onlyB += w[i] * of[i].onlyB
			n += w[i]
		}
		return c, n * float64(len(vocabulary))
	}
	p.Kappa = bootstrapOf(len(of), o, func(w []float64) (float64, error) {
		c, n := add(w)
		return kappa2(c.both, c.onlyA, c.onlyB, n-c.both-c.onlyA-c.onlyB)
	})
	p.Agreed = bootstrapOf(len(of), o, func(w []float64) (float64, error) {
		c, _ := add(w)
		if c.both+c.onlyA+c.onlyB == 0 {
			return 0, ErrAgreement
		}
		return 2 * c.both / (2*c.both + c.onlyA + c.onlyB), nil
	})
	p.Identical = bootstrapOf(len(of), o, func(w []float64) (float64, error) {
		same, n := 0.0, 0.0
		for i := range of {
			n += w[i]
			if of[i].onlyA+of[i].onlyB == 0 {
				same += w[i]
			}
		}
		return same / n, nil
	})
	p.KappaFirst = bootstrapOf(len(of), o, func(w []float64) (float64, error) {
		var x, y []string
		for i := range firstA {
			for range int(w[i]) {
				x, y = append(x, firstA[i]), append(y, firstB[i])
			}
		}
		return CohenKappa(x, y)
	})
	return p
}

// kappa2 is Cohen's kappa of a two by two table.
func kappa2(both, onlyA, onlyB, neither float64) (float64, error) {
	n := both + onlyA + onlyB + neither
	if n == 0 {
		return 0, ErrAgreement
	}
	pa, pb := (both+onlyA)/n, (both+onlyB)/n
	chance := pa*pb + (1-pa)*(1-pb)
	if 1-chance < 1e-12 {
		return 0, ErrAgreement
	}
	return ((both+neither)/n - chance) / (1 - chance), nil
}
