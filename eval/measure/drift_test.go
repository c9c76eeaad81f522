package measure

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
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
	// Confidence 0.5 against 0.6, of 0.8 0.4 0.6 0.6 with variance 0.02:
	// -0.1 / sqrt(0.02 (1 + 1/4)). Depths 1 3 8 have 1 above, 1 at and 1 below; none is
	// known of the second week.
	if math.Abs(b.ConfidenceDeviation+0.1/math.Sqrt(0.025)) > 1e-12 || b.DepthDeviation != 0 || a.ConfidenceDeviation != 0 || a.DepthDeviation != 0 {
		t.Errorf("deviations of confidence and depth: %+v, %+v", a, b)
	}
	if d.Change.Warning || d.Change.PValue != 1 {
		t.Errorf("two weeks have a change point: %+v", d.Change)
	}
}

// Depths against the median of the reference weeks, by hand: of 1 3 8 one lies above,
// one below, variance 2/3; of 5 9 both lie above, mean 1.
func TestDepthDeviationByHand(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 9, 9, 0, 0, 0, time.UTC)
	var events []Event
	for _, depth := range []int{1, 3, 8, 0} {
		events = append(events, Event{At: at, Accepted: true, Depth: depth})
	}
	for _, depth := range []int{5, 9} {
		events = append(events, Event{At: at.AddDate(0, 0, 7), Accepted: true, Depth: depth})
	}
	d := Drift(events, 1, Options{Samples: 10})
	if got, want := d.Weeks[1].DepthDeviation, 1/math.Sqrt(2.0/3*(1.0/2+1.0/3)); math.Abs(got-want) > 1e-12 || d.Weeks[1].Depth != 7 {
		t.Errorf("deviation %g, want %g; week %+v", got, want, d.Weeks[1])
	}
}

// Confidence and depth change where acceptance does not, and are warned of by
// themselves.
func TestDriftWarnsOfConfidenceAndDepth(t *testing.T) {
	t.Parallel()
	share := slices.Repeat([]float64{0.8}, 10)
	steady := Drift(weeksOf(1, share...), 3, Options{Samples: 500})
	if steady.ConfidenceChange.Warning || steady.DepthChange.Warning {
		t.Errorf("nothing changes: %+v, %+v", steady.ConfidenceChange, steady.DepthChange)
	}
	events := weeksOf(1, share...)
	for i := range events {
		if i >= 5*200 {
			events[i].Confidence, events[i].Depth = 0.6, 5
		}
	}
	d := Drift(events, 3, Options{Samples: 500})
	c, r := d.ConfidenceChange, d.DepthChange
	if !c.Warning || !c.Week.Equal(d.Weeks[5].Start) || math.Abs(c.Before-0.7) > 1e-9 || math.Abs(c.After-0.6) > 1e-9 {
		t.Errorf("confidence %+v", c)
	}
	if !r.Warning || !r.Week.Equal(d.Weeks[5].Start) || r.Before != 3 || r.After != 5 || d.Change.Warning {
		t.Errorf("depth %+v, acceptance %+v", r, d.Change)
	}
	text := DriftText(&d)
	for _, want := range []string{"no change of the share accepted", "CHANGE of mean confidence from the week of 2026-02-09: 70.0% before, 60.0% after", "CHANGE of median depth from the week of 2026-02-09: 3.0 before, 5.0 after"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text does not say %q:\n%s", want, text)
		}
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
