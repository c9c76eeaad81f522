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
}

// ChangePoint is the week from which acceptance is different, if it is.
type ChangePoint struct {
	Week   time.Time `json:"week"`
	Before float64   `json:"before"`
	After  float64   `json:"after"`
	// PValue is the share of orders of the weeks in which the greatest CUSUM
	// statistic is at least as great.
	PValue  float64 `json:"p_value"`
	Warning bool    `json:"warning"`
}

// Drifting is what has changed over weeks.
type Drifting struct {
	Weeks     []Week      `json:"weeks"`
	Reference int         `json:"reference"` // first weeks that are compared against
	Change    ChangePoint `json:"change"`
}

// The least of a change that is warned of: one that comes by chance in one of a
// hundred orders, and of two points at least.
const (
	driftPValue = 0.01
	driftLeast  = 0.02
)

// Drift sums events up by week, compares each with the first reference weeks, and
// looks for one change point of acceptance by the CUSUM statistic over weeks,
// weighted by their suggestions, with a permutation test (Pettitt-like; see Page
// 1954 for CUSUM). Fewer than four weeks have no change point.
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
	for i := range out.Weeks {
		w := &out.Weeks[i]
		se := math.Sqrt(r.Acceptance * (1 - r.Acceptance) * (1/float64(w.N) + 1/float64(r.N)))
		if se > 0 {
			w.Deviation = (w.Acceptance - r.Acceptance) / se
		}
		w.Moved = variation(w.Reasons, r.Reasons)
	}
	out.Change = changePoint(out.Weeks, o)
	return out
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

func changePoint(weeks []Week, o Options) ChangePoint {
	if len(weeks) < 4 {
		return ChangePoint{PValue: 1}
	}
	at, greatest := cusum(weeks)
	c := ChangePoint{Week: weeks[at].Start, Before: acceptance(weeks[:at]), After: acceptance(weeks[at:])}
	shuffled, as := slices.Clone(weeks), 1
	for b := range o.Samples {
		r := rand.New(rand.NewPCG(o.Seed, uint64(b)))
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if _, g := cusum(shuffled); g >= greatest-1e-12 {
			as++
		}
	}
	c.PValue = float64(as) / float64(o.Samples+1)
	c.Warning = c.PValue <= driftPValue && math.Abs(c.After-c.Before) >= driftLeast
	return c
}

func acceptance(weeks []Week) float64 {
	accepted, n := 0.0, 0.0
	for _, w := range weeks {
		accepted += w.Acceptance * float64(w.N)
		n += float64(w.N)
	}
	return ratio(accepted, n)
}

// cusum gives the first week behind the split whose cumulated deviation from
// the mean is greatest, scaled so that a split in the middle is not favoured.
func cusum(weeks []Week) (at int, greatest float64) {
	mean, total, n, sum := acceptance(weeks), 0.0, 0.0, 0.0
	for _, w := range weeks {
		total += float64(w.N)
	}
	greatest = -1
	for i, w := range weeks[:len(weeks)-1] {
		n += float64(w.N)
		sum += (w.Acceptance - mean) * float64(w.N)
		if s := math.Abs(sum) / math.Sqrt(n*(total-n)); s > greatest {
			at, greatest = i+1, s
		}
	}
	return at, greatest
}
