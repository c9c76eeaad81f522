package measure

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Event is one decided suggestion, for drift.
type Event struct {
	At         time.Time
	Accepted   bool
	Reason     string // of a rejection; empty: none given, or accepted
	Confidence float64
	Depth      int // rank at which retrieval had the code; 0: not known
}

// Week is what was decided in one week, beginning on Monday, UTC.
type Week struct {
	Start      time.Time          `json:"start"`
	N          int                `json:"n"`
	Acceptance float64            `json:"acceptance"`
	Confidence float64            `json:"confidence"` // mean
	Depth      float64            `json:"depth"`      // median retrieval rank; 0: not known
	Reasons    map[string]float64 `json:"reasons"`    // shares of the rejections
	// Against the reference window: how many standard errors acceptance lies
	// from it, and how far the mixture of reasons has moved (total variation, 0..1).
	Deviation float64 `json:"deviation"`
	Moved     float64 `json:"moved"`
	// How many standard errors mean confidence lies from the reference window's, and
	// by how many more or fewer of the week's ranks than of the reference window's
	// lie above its median than below.
	ConfidenceDeviation float64 `json:"confidence_deviation"`
	DepthDeviation      float64 `json:"depth_deviation"`

	depths int // suggestions whose retrieval rank is known
}

// ChangePoint is the week from which a weekly figure is different, if it is. Before
// and After are its means over weeks, weighted by their suggestions.
type ChangePoint struct {
	Week   time.Time `json:"week"`
	Before float64   `json:"before"`
	After  float64   `json:"after"`
	// PValue is the share of orders of the weeks in which the greatest CUSUM
	// statistic is at least as great.
	PValue  float64 `json:"p_value"`
	Warning bool    `json:"warning"`
}

// Tested reports whether there were weeks enough to look for a change.
func (c ChangePoint) Tested() bool { return !c.Week.IsZero() }

// Drifting is what has changed over weeks.
type Drifting struct {
	Weeks     []Week      `json:"weeks"`
	Reference int         `json:"reference"` // first weeks that are compared against
	Change    ChangePoint `json:"change"`    // of acceptance

	ConfidenceChange ChangePoint `json:"confidence_change"` // of mean confidence
	DepthChange      ChangePoint `json:"depth_change"`      // of median retrieval rank
}

// The least of a change that is warned of: one that comes by chance in one of a
// hundred orders, and of two points, of acceptance or confidence, or of one rank at
// least.
const (
	driftPValue    = 0.01
	driftLeast     = 0.02
	driftLeastRank = 1.0
)

// Drift sums events up by week, compares each with the first reference weeks, and
// looks for one change point each of acceptance, mean confidence and median depth by
// the CUSUM statistic over weeks, weighted by their suggestions, with a permutation
// test (Pettitt-like; see Page 1954 for CUSUM). Fewer than four weeks have no change
// point.
func Drift(events []Event, reference int, o Options) Drifting {
	o = o.defaults()
	byWeek := map[time.Time][]Event{}
	for _, e := range events {
		w := monday(e.At)
		byWeek[w] = append(byWeek[w], e)
	}
	out := Drifting{Weeks: []Week{}, Reference: reference}
	var base []Event
	for w := range byWeek {
		out.Weeks = append(out.Weeks, newWeek(w, byWeek[w]))
	}
	slices.SortFunc(out.Weeks, func(a, b Week) int { return a.Start.Compare(b.Start) })
	out.Reference = min(max(reference, 1), len(out.Weeks))
	for _, w := range out.Weeks[:out.Reference] {
		base = append(base, byWeek[w.Start]...)
	}
	r := newWeek(time.Time{}, base)
	sure := newMoments(confidencesOf(base))
	deep := newMoments(sidesOf(base, r.Depth))
	for i := range out.Weeks {
		w := &out.Weeks[i]
		se := math.Sqrt(r.Acceptance * (1 - r.Acceptance) * (1/float64(w.N) + 1/float64(r.N)))
		if se > 0 {
			w.Deviation = (w.Acceptance - r.Acceptance) / se
		}
		w.Moved = variation(w.Reasons, r.Reasons)
		own := byWeek[w.Start]
		w.ConfidenceDeviation = sure.deviation(newMoments(confidencesOf(own)))
		w.DepthDeviation = deep.deviation(newMoments(sidesOf(own, r.Depth)))
	}
	var accepted, confidence, depth []weekly
	for _, w := range out.Weeks {
		accepted = append(accepted, weekly{w.Start, w.Acceptance, float64(w.N)})
		confidence = append(confidence, weekly{w.Start, w.Confidence, float64(w.N)})
		if w.depths > 0 {
			depth = append(depth, weekly{w.Start, w.Depth, float64(w.depths)})
		}
	}
	out.Change = changePoint(accepted, driftLeast, o)
	out.ConfidenceChange = changePoint(confidence, driftLeast, o)
	out.DepthChange = changePoint(depth, driftLeastRank, o)
	return out
}

func confidencesOf(events []Event) []float64 {
	out := make([]float64, len(events))
	for i, e := range events {
		out[i] = e.Confidence
	}
	return out
}

// sidesOf says of each known depth whether it lies above (1), at (0) or below (-1) a
// median: a median's own standard error would ask for the density around it, and a
// few great ranks would outweigh all others in a mean.
func sidesOf(events []Event, median float64) []float64 {
	var out []float64
	for _, e := range events {
		if e.Depth > 0 {
			out = append(out, float64(cmp.Compare(float64(e.Depth), median)))
		}
	}
	return out
}

// moments are how many values there are, their mean and their variance.
type moments struct {
	n, mean, variance float64
}

func newMoments(values []float64) moments {
	m := moments{n: float64(len(values))}
	for _, v := range values {
		m.mean += v / m.n
	}
	for _, v := range values {
		m.variance += (v - m.mean) * (v - m.mean) / m.n
	}
	return m
}

// deviation is how many standard errors a week's mean lies from that of the
// reference m, whose variance counts for both; 0 where one is empty or m has none.
func (m moments) deviation(w moments) float64 {
	if m.variance < 1e-12 || w.n == 0 {
		return 0
	}
	return (w.mean - m.mean) / math.Sqrt(m.variance*(1/w.n+1/m.n))
}

func monday(t time.Time) time.Time {
	t = t.UTC().Truncate(24 * time.Hour)
	return t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
}

func newWeek(start time.Time, events []Event) Week {
	w := Week{Start: start, N: len(events), Reasons: map[string]float64{}}
	var depths []float64
	rejected := 0.0
	for _, e := range events {
		w.Confidence += e.Confidence / float64(len(events))
		if e.Accepted {
			w.Acceptance += 1 / float64(len(events))
		} else {
			rejected++
			w.Reasons[cmp.Or(e.Reason, "none given")]++
		}
		if e.Depth > 0 {
			depths = append(depths, float64(e.Depth))
		}
	}
	for reason := range w.Reasons {
		w.Reasons[reason] /= rejected
	}
	if len(depths) > 0 {
		slices.Sort(depths)
		w.Depth = quantile(depths, 0.5)
	}
	w.depths = len(depths)
	return w
}

// variation is the total variation distance of two mixtures; 0 where one is empty.
func variation(a, b map[string]float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	sum := 0.0
	for k, x := range a {
		sum += math.Abs(x - b[k])
	}
	for k, x := range b {
		if _, ok := a[k]; !ok {
			sum += x
		}
	}
	return sum / 2
}

// weekly is a figure of one week and how many suggestions it was counted over.
type weekly struct {
	start    time.Time
	value, n float64
}

// DepthsKnown reports whether a week of the reference has a depth that others
// deviate from.
func (d *Drifting) DepthsKnown() bool {
	return slices.ContainsFunc(d.Weeks[:min(d.Reference, len(d.Weeks))], func(w Week) bool { return w.Depth > 0 })
}

func changePoint(weeks []weekly, least float64, o Options) ChangePoint {
	if len(weeks) < 4 {
		return ChangePoint{PValue: 1}
	}
	at, greatest := cusum(weeks)
	c := ChangePoint{Week: weeks[at].start, Before: weightedMean(weeks[:at]), After: weightedMean(weeks[at:])}
	shuffled, as := slices.Clone(weeks), 1
	for b := range o.Samples {
		r := rand.New(rand.NewPCG(o.Seed, uint64(b)))
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if _, g := cusum(shuffled); g >= greatest-1e-12 {
			as++
		}
	}
	c.PValue = float64(as) / float64(o.Samples+1)
	c.Warning = c.PValue <= driftPValue && math.Abs(c.After-c.Before) >= least
	return c
}

func weightedMean(weeks []weekly) float64 {
	sum, n := 0.0, 0.0
	for _, w := range weeks {
		sum += w.value * w.n
		n += w.n
	}
	return ratio(sum, n)
}

// cusum gives the first week behind the split whose cumulated deviation from
// the mean is greatest, scaled so that a split in the middle is not favoured.
func cusum(weeks []weekly) (at int, greatest float64) {
	mean, total, n, sum := weightedMean(weeks), 0.0, 0.0, 0.0
	for _, w := range weeks {
		total += w.n
	}
	greatest = -1
	for i, w := range weeks[:len(weeks)-1] {
		n += w.n
		sum += (w.value - mean) * w.n
		if s := math.Abs(sum) / math.Sqrt(n*(total-n)); s > greatest {
			at, greatest = i+1, s
		}
	}
	return at, greatest
}
