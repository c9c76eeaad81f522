package measure

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// weeksOf makes events of as many weeks as shares: 200 a week.
func weeksOf(seed uint64, shares ...float64) []Event {
	r := rand.New(rand.NewPCG(seed, 3))
	var out []Event
	for w, p := range shares {
		for i := range 200 {
			at := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC).AddDate(0, 0, 7*w).Add(time.Duration(i) * 40 * time.Minute)
			out = append(out, Event{At: at, Accepted: r.Float64() < p, Confidence: 0.7, Depth: 3})
		}
	}
	return out
}

func TestDriftByHand(t *testing.T) {
	t.Parallel()
	sunday := time.Date(2026, 3, 15, 23, 0, 0, 0, time.UTC)
	d := Drift([]Event{
		{At: sunday, Accepted: true, Confidence: 0.8, Depth: 1}, {At: sunday, Reason: "not supported", Confidence: 0.4, Depth: 3},
		{At: sunday, Reason: "not supported", Confidence: 0.6, Depth: 8}, {At: sunday, Accepted: true, Confidence: 0.6},
		{At: sunday.Add(2 * time.Hour), Reason: "too vague", Confidence: 0.5},
	}, 1, Options{Samples: 10})
	if len(d.Weeks) != 2 || !d.Weeks[0].Start.Equal(time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)) {
		t.Fatalf("weeks %+v", d.Weeks)
	}
	a, b := d.Weeks[0], d.Weeks[1]
	if a.N != 4 || math.Abs(a.Acceptance-0.5) > 1e-12 || math.Abs(a.Confidence-0.6) > 1e-12 || a.Depth != 3 || a.Reasons["not supported"] != 1 || a.Moved != 0 || a.Deviation != 0 {
		t.Errorf("first week %+v", a)
	}
	// 0 against 0.5 of 4: -0.5 / sqrt(0.25 (1 + 1/4)).
	if b.N != 1 || math.Abs(b.Deviation+0.5/math.Sqrt(0.3125)) > 1e-12 || b.Moved != 1 {
		t.Errorf("second week %+v", b)
	}
	if d.Change.Warning || d.Change.PValue != 1 {
		t.Errorf("two weeks have a change point: %+v", d.Change)
	}
}

func TestDriftWarnsOfAChange(t *testing.T) {
	t.Parallel()
	d := Drift(weeksOf(1, 0.8, 0.8, 0.8, 0.8, 0.8, 0.65, 0.65, 0.65, 0.65, 0.65), 3, Options{Samples: 500})
	if !d.Change.Warning || !d.Change.Week.Equal(d.Weeks[5].Start) || d.Change.Before-d.Change.After < 0.1 {
		t.Errorf("a fall of 15 points in the sixth week: %+v", d.Change)
	}
	if d.Weeks[7].Deviation > -2 {
		t.Errorf("the eighth week lies %.1f standard errors away", d.Weeks[7].Deviation)
	}
	// Nothing changes: of 40 seeds at most two warn (a hundredth is expected).
	warned := 0
	for seed := range uint64(40) {
		if Drift(weeksOf(seed, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8), 3, Options{Samples: 200}).Change.Warning {
			warned++
		}
	}
	if warned > 2 {
		t.Errorf("%d of 40 series without a change warn", warned)
	}
}
