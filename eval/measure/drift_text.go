package measure

import (
	"fmt"
	"slices"
	"strings"
)

// DriftText is drift for people: a line for each week, the reasons, and whether
// something has changed.
func DriftText(d *Drifting) string {
	var b strings.Builder
	if len(d.Weeks) == 0 {
		return "nothing was finished in this period\n"
	}
	fmt.Fprintf(&b, "%-12s %11s %9s %10s %11s %7s %8s  %s\n", "week from", "suggestions", "accepted", "deviation", "confidence", "depth", "moved", "reasons of rejections")
	for i := range d.Weeks {
		w := &d.Weeks[i]
		depth := "-"
		if w.Depth > 0 {
			depth = Number(w.Depth)
		}
		what := ""
		if i < d.Reference {
			what = " (reference)"
		}
		fmt.Fprintf(&b, "%-12s %11d %8.1f%% %+10.1f %11.2f %7s %8.2f  %s%s\n", w.Start.Format("2006-01-02"), w.N, 100*w.Acceptance, w.Deviation, w.Confidence, depth, w.Moved, mixture(w.Reasons), what)
	}
	c := &d.Change
	switch {
	case len(d.Weeks) < 4:
		b.WriteString("fewer than four weeks: no change can be told\n")
	case c.Warning:
		fmt.Fprintf(&b, "CHANGE from the week of %s: %.1f%% accepted before, %.1f%% after, p = %.4f\n", c.Week.Format("2006-01-02"), 100*c.Before, 100*c.After, c.PValue)
	default:
		fmt.Fprintf(&b, "no change of the share accepted that chance does not explain (p = %.4f)\n", c.PValue)
	}
	return b.String()
}

// mixture names the shares of reasons, greatest first.
func mixture(reasons map[string]float64) string {
	names := sortedKeys(reasons)
	slices.SortStableFunc(names, func(a, b string) int {
		switch {
		case reasons[a] > reasons[b]:
			return -1
		case reasons[a] < reasons[b]:
			return 1
		}
		return 0
	})
	var parts []string
	for _, n := range names {
		parts = append(parts, fmt.Sprintf("%s %.0f%%", strings.ReplaceAll(n, "_", " "), 100*reasons[n]))
	}
	return strings.Join(parts, ", ")
}
