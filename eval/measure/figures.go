package measure

import (
	"fmt"
	"slices"
	"strings"
)

// sums are the statistics of a weighted set of units.
type sums struct {
	dense  [sDense]float64
	codes  []float32 // perCode for each code
	bins   [fineBins]binSum
	slices []float32 // perSlice for each slice
	table  *table
	weight []float64 // by unit
	only   int       // as many dense sums and nothing else; 0: everything
}

type binSum struct{ n, conf, right float64 }

func newSums(t *table) *sums {
	return &sums{codes: make([]float32, perCode*len(t.codes)), slices: make([]float32, perSlice*len(t.slices)), table: t}
}

// add fills s with the units, each as often as its weight says. One goroutine has s, and nobody writes to the
// table, so that there is nothing for the race detector to find; a comparison draws thousands of samples.
//
//go:norace
func (s *sums) add(weight []float64) {
	s.weight = weight
	s.dense = [sDense]float64{}
	s.bins = [fineBins]binSum{}
	clear(s.codes)
	clear(s.slices)
	for i, w := range weight {
		if w == 0 {
			continue
		}
		u := &s.table.units[i]
		if s.only > 0 {
			for k, x := range u.dense[:s.only] {
				s.dense[k] += w * x
			}
			continue
		}
		for k := range u.dense {
			s.dense[k] += w * u.dense[k]
		}
		for _, b := range u.bins {
			to := &s.bins[b.at]
			to.n += w * float64(b.n)
			to.conf += w * b.conf
			to.right += w * float64(b.right)
		}
		f := float32(w)
		for _, c := range u.codes {
			s.codes[c.at] += f * c.n
		}
		for _, c := range u.slices {
			s.slices[c.at] += f * c.n
		}
	}
}

// sumsNeeded is how many of the dense sums a figure needs; 0: it needs more than
// these.
func sumsNeeded(name string) int {
	begins := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
	}
	switch {
	case name == "" || begins("macro", "ece", "reliability", "risk", "aurc"):
		return 0
	case begins("micro"):
		return sCodes + 4
	case begins("category", "chapter"):
		return sNotes
	default:
		return sDense
	}
}

// value is a figure with what it was counted over; den 0: undefined.
type value struct{ v, num, den float64 }

// definition is one figure.
type definition struct {
	name, title, of string
	value           func(s *sums) value
}

func simple(name, title, of string, f func(s *sums) value) definition {
	return definition{name, title, of, f}
}

func share(name, title, of string, num, den int) definition {
	return simple(name, title, of, func(s *sums) value { return quotient(s.dense[num], s.dense[den]) })
}

func quotient(num, den float64) value { return value{ratio(num, den), num, den} }

// definitions gives every figure, in the order in which they are shown.
func definitions() []definition {
	var d []definition
	level := func(prefix, title, of string, at int) {
		d = append(d,
			simple(prefix+"_precision", title+" precision", of+" suggested", func(s *sums) value {
				x := s.dense[at : at+4]
				return quotient(x[0]+x[1], x[0]+x[1]+x[2])
			}),
			simple(prefix+"_recall", title+" recall", of+" required", func(s *sums) value {
				x := s.dense[at : at+4]
				return quotient(x[0], x[0]+x[3])
			}),
			simple(prefix+"_f1", title+" F1", of+" suggested and required", func(s *sums) value {
				x := s.dense[at : at+4]
				return value{f1(x[0], x[1], x[2], x[3]), 2*x[0] + x[1], 2*x[0] + x[1] + x[2] + x[3]}
			}))
	}
	level("micro", "micro", "codes", sCodes)
	for i, n := range []string{"precision", "recall", "f1"} {
		d = append(d, simple("macro_"+n, "macro "+title(n), "codes, each as much", func(s *sums) value { return s.macro()[i] }))
	}
	level("category", "category", "categories", sCategory)
	level("chapter", "chapter", "chapters", sChapter)
	d = append(d,
		share("hierarchical_precision", "hierarchical precision", "nodes suggested", sHierRight, sHierShown),
		share("hierarchical_recall", "hierarchical recall", "nodes required", sHierFound, sHierRequired),
		simple("hierarchical_f1", "hierarchical F1", "nodes suggested and required", func(s *sums) value {
			p, r := ratio(s.dense[sHierRight], s.dense[sHierShown]), ratio(s.dense[sHierFound], s.dense[sHierRequired])
			return value{harmonic(p, r), s.dense[sHierRight] + s.dense[sHierFound], s.dense[sHierShown] + s.dense[sHierRequired]}
		}),
		share("first_listed", "first-listed diagnosis right", "notes with a labelled first diagnosis", sFirstRight, sFirstAsked),
		share("all_right", "notes all right", "notes", sAllRight, sNotes),
		share("map", "mean average precision", "notes with required codes", sAP, sWithGold))
	for i, k := range rankDepths() {
		d = append(d, simple(fmt.Sprintf("precision_at_%d", k), fmt.Sprintf("precision at %d", k), fmt.Sprintf("places 1 to %d of notes with required codes", k),
			func(s *sums) value { return quotient(s.dense[sHits+i], float64(k)*s.dense[sWithGold]) }))
	}
	for i, k := range rankDepths() {
		d = append(d, share(fmt.Sprintf("recall_at_%d", k), fmt.Sprintf("recall at %d", k), "codes required", sFound+i, sGold))
	}
	for i, k := range retrievalDepths() {
		d = append(d, share(fmt.Sprintf("retrieval_recall_at_%d", k), fmt.Sprintf("retrieval recall at %d", k), "codes required", sFoundFirst+i, sGold))
	}
	d = append(d, share("retrieval_recall", "retrieval recall, all candidates", "codes required", sRetrieved, sGold))
	for i, l := range Losses() {
		d = append(d, share(fmt.Sprintf("lost_%d", i+1), "lost: "+string(l), "codes required", sLost+i, sGold))
	}
	d = append(d,
		share("evidence_precision", "evidence precision", "bytes shown as evidence of right codes", sEvBoth, sEvShown),
		share("evidence_recall", "evidence recall", "bytes labelled as evidence of right codes", sEvBoth, sEvGold),
		simple("evidence_f1", "evidence overlap F1", "bytes shown and labelled", func(s *sums) value {
			return quotient(2*s.dense[sEvBoth], s.dense[sEvShown]+s.dense[sEvGold])
		}),
		share("evidence_touching", "right codes whose evidence overlaps gold's", "right codes with labelled evidence", sEvTouching, sEvCodes),
		simple("ece", "expected calibration error", "suggestions", (*sums).ece),
		share("brier", "Brier score", "suggestions", sSquared, sScored))
	for i := range coarseBins {
		d = append(d, simple(fmt.Sprintf("reliability_%d", i), fmt.Sprintf("right at confidence %.1f to %.1f", float64(i)/coarseBins, float64(i+1)/coarseBins), "suggestions",
			func(s *sums) value { b := s.coarse(i); return quotient(b.right, b.n) }))
	}
	for i := 1; i <= 10; i++ {
		d = append(d, simple(fmt.Sprintf("risk_at_%d", 10*i), fmt.Sprintf("wrong among the surest %d%%", 10*i), "suggestions",
			func(s *sums) value { return s.risk(float64(i) / 10) }))
	}
	d = append(d,
		simple("aurc", "area under the risk-coverage curve", "suggestions", (*sums).aurc),
		share("invalid", "invalid codes shown", "suggestions", sInvalid, sShown),
		share("shown_per_note", "suggestions per note", "notes", sShown, sNotes),
		share("cost_per_note", "cost per note, US dollars", "notes", sCost, sNotes),
		share("tokens_per_note", "tokens per note", "notes", sTokens, sNotes),
		share("ms_mean", "milliseconds per note, mean", "notes", sMillis, sTimed),
		simple("ms_median", "milliseconds per note, median", "notes", func(s *sums) value { return s.millis(0.5) }),
		simple("ms_p90", "milliseconds per note, 90th percentile", "notes", func(s *sums) value { return s.millis(0.9) }))
	return d
}

func title(n string) string {
	if n == "f1" {
		return "F1"
	}
	return n
}

// macro is the mean over codes of precision, recall and F1, 0 where a
// denominator is: over the codes that are required or wrongly shown in the
// sample, as scikit-learn's average="macro" with zero_division=0 is where no
// code is acceptable.
func (s *sums) macro() [3]value {
	var p, r, f, n float64
	for i := 0; i < len(s.codes); i += perCode {
		c := s.codes[i : i+perCode]
		right, acceptable, wrong, missed := float64(c[0]), float64(c[1]), float64(c[2]), float64(c[3])
		if right+wrong+missed == 0 {
			continue
		}
		n++
		cp, cr := ratio(right+acceptable, right+acceptable+wrong), ratio(right, right+missed)
		p += cp
		r += cr
		f += harmonic(cp, cr)
	}
	return [3]value{quotient(p, n), quotient(r, n), quotient(f, n)}
}

func (s *sums) coarse(i int) binSum {
	var b binSum
	for _, x := range s.bins[i*finePerBin : (i+1)*finePerBin] {
		b.n += x.n
		b.conf += x.conf
		b.right += x.right
	}
	return b
}

// ece is the mean distance, over ten bins of equal width, of mean confidence
// from share right, weighted by suggestions (Naeini et al., AAAI 2015).
func (s *sums) ece() value {
	sum := 0.0
	for i := range coarseBins {
		b := s.coarse(i)
		d := b.conf - b.right
		sum += max(d, -d)
	}
	return quotient(sum, s.dense[sScored])
}

// risk is the share wrong among the surest suggestions that make up the given
// share of all (El-Yaniv and Wiener, JMLR 2010). Suggestions of one hundredth of
// confidence count as equally sure.
func (s *sums) risk(coverage float64) value {
	want := coverage * s.dense[sScored]
	left, wrong := want, 0.0
	for i := fineBins - 1; i >= 0 && left > 0; i-- {
		b := &s.bins[i]
		if b.n == 0 {
			continue
		}
		take := min(left, b.n)
		wrong += (b.n - b.right) * take / b.n
		left -= take
	}
	return quotient(wrong, want)
}

// aurc is the mean over suggestions, surest first, of the share wrong among
// those at least as sure.
func (s *sums) aurc() value {
	n, wrong, area := 0.0, 0.0, 0.0
	for i := fineBins - 1; i >= 0; i-- {
		b := &s.bins[i]
		if b.n == 0 {
			continue
		}
		n += b.n
		wrong += b.n - b.right
		area += b.n * wrong / n
	}
	return quotient(area, n)
}

// millis is the time that the given share of the notes does not exceed.
func (s *sums) millis(q float64) value {
	want, n := q*s.dense[sTimed], 0.0
	for _, t := range s.table.timed {
		if n += s.weight[t.unit]; n >= want && s.weight[t.unit] > 0 {
			return value{t.ms, t.ms, s.dense[sTimed]}
		}
	}
	return value{}
}
