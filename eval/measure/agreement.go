package measure

import (
	"errors"
	"slices"
)

// ErrAgreement is returned where agreement is not defined: nothing was judged by
// two, or all judgements are the same, so that none is expected by chance.
var ErrAgreement = errors.New("agreement is not defined: there are no two judgements of one thing, or all judgements are the same")

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
	of := map[string][]string{} // notes by coder
	for _, id := range notes {
		for who := range byNote[id] {
			of[who] = append(of[who], id)
		}
	}
	for i, a := range coders {
		for _, b := range coders[i+1:] {
			out.Pairs = append(out.Pairs, pair(a, b, of[a], byNote, o))
		}
	}
	units := make([][][]string, len(notes)) // of each note: a row for each code
	first := make([][][]string, len(notes))
	for i, id := range notes {
		rows := map[string]bool{}
		for _, c := range byNote[id] {
			for _, code := range c.Codes {
				rows[code] = true
			}
		}
		for _, code := range sortedKeys(rows) {
			var row []string
			for _, who := range coders {
				switch c := byNote[id][who]; {
				case c == nil:
				case slices.Contains(c.Codes, code):
					row = append(row, "given")
				default:
					row = append(row, "not given")
				}
			}
			units[i] = append(units[i], row)
		}
		var row []string
		for _, who := range coders {
			if c := byNote[id][who]; c != nil {
				row = append(row, firstLabel(c))
			}
		}
		first[i] = [][]string{row}
	}
	alphas := bootstrapOf(len(notes), o, newJudgements(units).alpha, newJudgements(first).alpha)
	out.AlphaCodes, out.AlphaFirst = alphas[0], alphas[1]
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

// bootstrapOf gives statistics with their percentile intervals over units; nil for
// one that is not defined. All are computed of the same samples.
func bootstrapOf(units int, o Options, statistics ...func(w []float64) (float64, error)) []*Figure {
	type one struct {
		v   float64
		err error
	}
	evaluate := func(w []float64) []one {
		out := make([]one, len(statistics))
		for i, f := range statistics {
			out[i].v, out[i].err = f(w)
		}
		return out
	}
	at := evaluate(ones(units))
	samples := resample(units, o, func() func(w []float64) []one { return evaluate })
	figures := make([]*Figure, len(statistics))
	for i := range statistics {
		if at[i].err != nil {
			continue
		}
		var all []float64
		for _, s := range samples {
			if s[i].err == nil {
				all = append(all, s[i].v)
			}
		}
		f := Figure{Value: at[i].v, Low: at[i].v, High: at[i].v, Denominator: float64(units), Of: "notes"}
		if len(all) > 0 {
			f.Low, f.High, _ = interval(all, o.Level)
		}
		figures[i] = &f
	}
	return figures
}

// pair compares two coders; notes are those of the first.
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
	figures := bootstrapOf(len(of), o, func(w []float64) (float64, error) {
		c, n := add(w)
		return kappa2(c.both, c.onlyA, c.onlyB, n-c.both-c.onlyA-c.onlyB)
	}, newLabels(firstA, firstB).kappa, func(w []float64) (float64, error) {
		c, _ := add(w)
		if c.both+c.onlyA+c.onlyB == 0 {
			return 0, ErrAgreement
		}
		return 2 * c.both / (2*c.both + c.onlyA + c.onlyB), nil
	}, func(w []float64) (float64, error) {
		same, n := 0.0, 0.0
		for i := range of {
			n += w[i]
			if of[i].onlyA+of[i].onlyB == 0 {
				same += w[i]
			}
		}
		return same / n, nil
	})
	p.Kappa, p.KappaFirst, p.Agreed, p.Identical = figures[0], figures[1], figures[2], figures[3]
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
