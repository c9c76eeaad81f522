package measure

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"
)

// ErrNotPaired is returned for runs that are not over the same notes.
var ErrNotPaired = errors.New("the two runs are not over the same notes in the same order: run both on the same dataset, limit and seed")

// Difference is B minus A of one figure, on the same notes.
type Difference struct {
	Name  string  `json:"name"`
	Title string  `json:"title"`
	A     float64 `json:"a"`
	B     float64 `json:"b"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Error float64 `json:"standard_error"`
	// Detectable is the smallest true difference that a dataset of this size and
	// spread shows in four of five cases at the 5% level: 2.80 standard errors.
	// 0: no note differs, so nothing can be said.
	Detectable float64 `json:"detectable"`
}

// Test is an exact McNemar test: of the units that differ, how many are better
// in A and in B. PValue is two-sided.
type Test struct {
	Of      string  `json:"of"`
	BetterA int     `json:"better_a"`
	BetterB int     `json:"better_b"`
	PValue  float64 `json:"p_value"`
}

// Change is a note whose suggestions differ between two runs in what is right,
// wrong or missed.
type Change struct {
	NoteID string  `json:"note_id"`
	A      float64 `json:"f1_a"`
	B      float64 `json:"f1_b"`

	Lost      []string `json:"lost"`      // right or acceptable in A, not shown in B
	Gained    []string `json:"gained"`    // the other way round
	NewWrong  []string `json:"new_wrong"` // wrong in B, not shown in A
	GoneWrong []string `json:"gone_wrong"`
}

// Comparison is what two runs over the same notes differ in.
type Comparison struct {
	Notes       int          `json:"notes"`
	Clusters    int          `json:"clusters"`
	Samples     int          `json:"samples"`
	Seed        uint64       `json:"seed"`
	Level       float64      `json:"level"`
	Differences []Difference `json:"differences"`
	Tests       []Test       `json:"tests"`
	Changes     []Change     `json:"changes"` // worst for B first
	Same        int          `json:"same"`    // notes with the same outcome
}

// Difference gives a difference by the name of its figure.
func (c *Comparison) Difference(name string) (Difference, bool) {
	for _, d := range c.Differences {
		if d.Name == name {
			return d, true
		}
	}
	return Difference{}, false
}

// Compare measures B against A by the paired bootstrap: each sample draws
// units and takes both runs' figures of the same units.
func Compare(a, b []Case, o Options) (Comparison, error) {
	o = o.defaults()
	if !paired(a, b) {
		return Comparison{}, ErrNotPaired
	}
	light := sumsNeeded(o.Only) == sCodes+4
	ta, tb := newTable(a, false, light), newTable(b, false, light)
	out := Comparison{Notes: len(a), Clusters: len(ta.units), Samples: o.Samples, Seed: o.Seed, Level: o.Level, Differences: []Difference{}, Changes: []Change{}}
	defs := definitions()
	if o.Only != "" {
		defs = slices.DeleteFunc(defs, func(d definition) bool { return d.name != o.Only })
	}
	start := func() func(w []float64) [][2]value {
		sa, sb := newSums(ta), newSums(tb)
		sa.only = sumsNeeded(o.Only)
		sb.only = sa.only
		return func(w []float64) [][2]value {
			sa.add(w)
			sb.add(w)
			v := make([][2]value, len(defs))
			for i, d := range defs {
				v[i] = [2]value{d.value(sa), d.value(sb)}
			}
			return v
		}
	}
	at := start()(ones(len(ta.units)))
	samples := resample(len(ta.units), o, start)
	for i, d := range defs {
		if at[i][0].den == 0 || at[i][1].den == 0 {
			continue
		}
		diff := Difference{Name: d.name, Title: d.title, A: at[i][0].v, B: at[i][1].v, Value: at[i][1].v - at[i][0].v}
		var v []float64
		for _, s := range samples {
			if s[i][0].den > 0 && s[i][1].den > 0 {
				v = append(v, s[i][1].v-s[i][0].v)
			}
		}
		if len(v) > 0 {
			diff.Low, diff.High, diff.Error = interval(v, o.Level)
			if strings.HasPrefix(d.name, "macro") { // as in Score
				bias := mean(v) - diff.Value
				diff.Low, diff.High = diff.Low-bias, diff.High-bias
			}
		}
		diff.Detectable = detectable * diff.Error
		out.Differences = append(out.Differences, diff)
	}
	out.Tests = tests(a, b)
	for i := range a {
		if c, changed := change(&a[i], &b[i]); changed {
			out.Changes = append(out.Changes, c)
		} else {
			out.Same++
		}
	}
	slices.SortStableFunc(out.Changes, func(x, y Change) int {
		return cmp.Or(cmp.Compare(x.B-x.A, y.B-y.A), cmp.Compare(len(y.Lost)+len(y.NewWrong), len(x.Lost)+len(x.NewWrong)), cmp.Compare(x.NoteID, y.NoteID))
	})
	return out, nil
}

// detectable is the sum of the normal quantiles at 0.975 and 0.8.
const detectable = 1.959964 + 0.841621

// interval is that of the percentiles, and the standard deviation of v.
func interval(v []float64, level float64) (low, high, sd float64) {
	v = slices.Clone(v)
	slices.Sort(v)
	m := mean(v)
	for _, x := range v {
		sd += (x - m) * (x - m)
	}
	if len(v) > 1 {
		sd = math.Sqrt(sd / float64(len(v)-1))
	}
	return quantile(v, (1-level)/2), quantile(v, (1+level)/2), sd
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return ratio(sum, float64(len(v)))
}

func paired(a, b []Case) bool {
	if len(a) != len(b) || len(a) == 0 {
		return false
	}
	for i := range a {
		if a[i].NoteID != b[i].NoteID || a[i].Cluster != b[i].Cluster {
			return false
		}
	}
	return true
}

// tests counts by patient where notes of one patient are known, so that what is
// counted is independent: a patient counts for the run that has more of her
// notes, or of her codes, right.
func tests(a, b []Case) []Test {
	type sides struct{ notes, codes int }
	units := map[string]*sides{}
	for i := range a {
		key := "n" + a[i].NoteID
		if a[i].Cluster != "" {
			key = "c" + a[i].Cluster
		}
		if units[key] == nil {
			units[key] = &sides{}
		}
		oa, ob := a[i].Outcome(), b[i].Outcome()
		units[key].notes += count(ob.AllRight()) - count(oa.AllRight())
		units[key].codes += ob.Right - oa.Right
	}
	all, codes := Test{Of: "notes all right"}, Test{Of: "notes with more required codes found"}
	if len(units) < len(a) {
		all.Of, codes.Of = "patients with more notes all right", "patients with more required codes found"
	}
	for _, u := range units {
		all.side(u.notes)
		codes.side(u.codes)
	}
	all.PValue, codes.PValue = McNemar(all.BetterA, all.BetterB), McNemar(codes.BetterA, codes.BetterB)
	return []Test{all, codes}
}

func (t *Test) side(d int) {
	switch {
	case d < 0:
		t.BetterA++
	case d > 0:
		t.BetterB++
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// McNemar gives the exact two-sided p-value for b and c units that differ one
// way and the other: twice the binomial tail at 1/2, at most 1; 1 where none
// differs (McNemar 1947; exact form: Fagerland et al., BMC Med Res Methodol 2013).
func McNemar(b, c int) float64 {
	n, k := b+c, min(b, c)
	if n == 0 {
		return 1
	}
	total, _ := math.Lgamma(float64(n + 1))
	sum := 0.0
	for i := range k + 1 {
		x, _ := math.Lgamma(float64(i + 1))
		y, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(total - x - y - float64(n)*math.Ln2)
	}
	return min(1, 2*sum)
}

func change(a, b *Case) (Change, bool) {
	oa, ob := a.Outcome(), b.Outcome()
	c := Change{NoteID: a.NoteID, A: oa.F1(), B: ob.F1(), Lost: []string{}, Gained: []string{}, NewWrong: []string{}, GoneWrong: []string{}}
	lists := func(from *Case, o *Outcome, other *Case, right, wrong *[]string) {
		for i, v := range o.Verdicts {
			code := from.Shown[i].Code
			if slices.ContainsFunc(other.Shown, func(s Shown) bool { return s.Code == code }) {
				continue
			}
			switch v {
			case Right, Allowed:
				*right = append(*right, code)
			case Wrong:
				*wrong = append(*wrong, code)
			}
		}
	}
	lists(a, &oa, b, &c.Lost, &c.GoneWrong)
	lists(b, &ob, a, &c.Gained, &c.NewWrong)
	return c, len(c.Lost)+len(c.Gained)+len(c.NewWrong)+len(c.GoneWrong) > 0
}
