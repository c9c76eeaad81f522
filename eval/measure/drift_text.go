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
	fmt.Fprintf(&b, "%-12s %11s %9s %10s %11s %10s %7s %10s %8s  %s\n", "week from", "suggestions", "accepted", "deviation", "confidence", "deviation", "depth", "deviation", "moved", "reasons of rejections")
	for i := range d.Weeks {
		w := &d.Weeks[i]
		depth, deep := "-", "-"
		if w.Depth > 0 {
			depth = Number(w.Depth)
			if d.DepthsKnown() {
				deep = fmt.Sprintf("%+.1f", w.DepthDeviation)
			}
		}
		what := ""
		if i < d.Reference {
			what = " (reference)"
		}
		fmt.Fprintf(&b, "%-12s %11d %8.1f%% %+10.1f %11.2f %+10.1f %7s %10s %8.2f  %s%s\n", w.Start.Format("2006-01-02"), w.N, 100*w.Acceptance, w.Deviation, w.Confidence, w.ConfidenceDeviation, depth, deep, w.Moved, mixture(w.Reasons), what)
	}
	if len(d.Weeks) < 4 {
		b.WriteString("fewer than four weeks: no change can be told\n")
		return b.String()
	}
	percent := func(x float64) string { return fmt.Sprintf("%.1f%%", 100*x) }
	for _, x := range []struct {
		what string
		c    *ChangePoint
		text func(float64) string
	}{
		{"the share accepted", &d.Change, percent},
		{"mean confidence", &d.ConfidenceChange, percent},
		{"median depth", &d.DepthChange, func(x float64) string { return fmt.Sprintf("%.1f", x) }},
	} {
		switch {
		case !x.c.Tested():
			fmt.Fprintf(&b, "%s is known for fewer than four weeks: no change can be told\n", x.what)
		case x.c.Warning:
			fmt.Fprintf(&b, "CHANGE of %s from the week of %s: %s before, %s after, p = %.4f\n", x.what, x.c.Week.Format("2006-01-02"), x.text(x.c.Before), x.text(x.c.After), x.c.PValue)
		default:
			fmt.Fprintf(&b, "no change of %s that chance does not explain (p = %.4f)\n", x.what, x.c.PValue)
		}
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
