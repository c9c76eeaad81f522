package measure

import (
	"errors"
	"math"
	"strings"
)

// Decision is what a gate says of a candidate.
type Decision string

// The decisions.
const (
	NotWorse   Decision = "not worse"
	Worse      Decision = "worse"
	CannotTell Decision = "cannot tell"
)

// GateLevel is the level of the interval that a gate decides by: with 90% each
// of its ends errs in one case of twenty.
const GateLevel = 0.90

// ErrMetric is returned for a figure that the runs do not have or that has no
// better direction.
var ErrMetric = errors.New("the gate cannot use this metric: it is not known, or nothing was counted for it")

// Gate is the decision on one metric. Where less of it is better, the difference
// that is judged is A minus B; the one that is given is always B minus A.
type Gate struct {
	Metric   string     `json:"metric"`
	Margin   float64    `json:"margin"`
	Decision Decision   `json:"decision"`
	Diff     Difference `json:"difference"` // B minus A, with its 90% interval
	Notes    int        `json:"notes"`
	// Needed is how many notes like these would be needed to decide, if the
	// difference is as it was measured; 0: decided, or no number would do.
	Needed int `json:"needed"`
}

// JudgeEstimate decides by the estimate alone: worse where it lies below minus
// the margin, else not worse. It is for continuous integration on a few notes
// that are always the same, where a fall is looked at note by note.
func JudgeEstimate(c *Comparison, metric string, margin float64) (Gate, error) {
	g, err := Judge(c, metric, margin)
	if err != nil {
		return g, err
	}
	g.Decision, g.Needed = NotWorse, 0
	if direction(metric)*g.Diff.Value < -margin {
		g.Decision = Worse
	}
	return g, nil
}

// direction is 1 for metrics of which more is better, -1 for those that count what
// should be little, and 0 for those that are neither good nor bad.
func direction(metric string) float64 {
	for _, p := range []string{"ece", "brier", "aurc", "invalid", "risk_at_", "lost_", "cost_", "tokens_", "ms_"} {
		if strings.HasPrefix(metric, p) {
			return -1
		}
	}
	if metric == "shown_per_note" || strings.HasPrefix(metric, "reliability_") {
		return 0
	}
	return 1
}

// Judge decides from a comparison at GateLevel: the candidate is not worse when
// the lower bound of the difference lies above minus the margin; worse when its
// upper bound lies below zero and its estimate below minus the margin; otherwise
// these notes cannot tell.
func Judge(c *Comparison, metric string, margin float64) (Gate, error) {
	d, ok := c.Difference(metric)
	sign := direction(metric)
	if !ok || margin <= 0 || sign == 0 {
		return Gate{}, ErrMetric
	}
	g := Gate{Metric: metric, Margin: margin, Diff: d, Notes: c.Notes}
	low, high, v := d.Low, d.High, d.Value
	if sign < 0 {
		low, high, v = -high, -low, -v
	}
	switch {
	case low > -margin:
		g.Decision = NotWorse
	case high < 0 && v < -margin:
		g.Decision = Worse
	default:
		g.Decision = CannotTell
		// The half widths shrink with the root of the number of notes.
		half, room := v-low, v+margin
		if v < -margin {
			half, room = high-v, -v
		}
		if room > 1e-9 && half > 0 {
			ratio := half / room
			g.Needed = int(math.Ceil(float64(c.Notes)*ratio*ratio - 1e-6))
		}
	}
	return g, nil
}
