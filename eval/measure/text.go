package measure

import (
	"fmt"
	"strings"
)

// Text is the table of figures for people.
func (s *Scores) Text() string {
	var b strings.Builder
	unit := "notes"
	if s.Clusters < s.Notes {
		unit = "patients"
	}
	fmt.Fprintf(&b, "%d notes; %.0f%% intervals from %d bootstrap samples of %d %s, seed %d\n\n", s.Notes, 100*s.Level, s.Samples, s.Clusters, unit, s.Seed)
	fmt.Fprintf(&b, "%-42s %9s  %-19s %s\n", "", "value", "interval", "counted over")
	for _, f := range s.Figures {
		if strings.HasPrefix(f.Name, "reliability_") {
			continue
		}
		fmt.Fprintf(&b, "%-42s %9s  %-19s %s %s\n", f.Title, Number(f.Value), Number(f.Low)+" to "+Number(f.High), Number(f.Denominator), f.Of)
	}
	return b.String()
}

// Number writes a figure: thousandths where it is small, fewer digits where not.
func Number(x float64) string {
	switch a := max(x, -x); {
	case x == float64(int(x)) && a >= 10:
		return fmt.Sprintf("%d", int(x))
	case a >= 100:
		return fmt.Sprintf("%.0f", x)
	case a >= 10:
		return fmt.Sprintf("%.1f", x)
	case a > 0 && a < 0.01:
		return fmt.Sprintf("%.4f", x)
	default:
		return fmt.Sprintf("%.3f", x)
	}
}

// Text is the comparison for people: differences, tests, and the first notes
// that changed.
func (c *Comparison) Text(changes int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d notes, %d the same in both; B minus A, %.0f%% intervals from %d paired samples, seed %d\n\n", c.Notes, c.Same, 100*c.Level, c.Samples, c.Seed)
	fmt.Fprintf(&b, "%-42s %8s %8s %9s  %-20s %s\n", "", "A", "B", "B - A", "interval", "smallest difference to be seen")
	for _, d := range c.Differences {
		if strings.HasPrefix(d.Name, "reliability_") || strings.HasPrefix(d.Name, "risk_at_") {
			continue
		}
		seen := "none of these notes differs"
		if d.Detectable > 0 {
			seen = Number(d.Detectable)
		}
		fmt.Fprintf(&b, "%-42s %8s %8s %9s  %-20s %s\n", d.Title, Number(d.A), Number(d.B), signed(d.Value), signed(d.Low)+" to "+signed(d.High), seen)
	}
	fmt.Fprintln(&b)
	for _, t := range c.Tests {
		fmt.Fprintf(&b, "McNemar, %s: %d better in A, %d better in B, p %s\n", t.Of, t.BetterA, t.BetterB, t.P())
	}
	if len(c.Changes) > 0 {
		fmt.Fprintf(&b, "\nnotes that changed, worst first (%d of %d)\n", min(changes, len(c.Changes)), len(c.Changes))
	}
	for _, x := range c.Changes[:min(changes, len(c.Changes))] {
		fmt.Fprintf(&b, "  %-24s F1 %.2f to %.2f%s\n", x.NoteID, x.A, x.B, x.Text())
	}
	return b.String()
}

// P is the p-value with its sign of comparison: "= 0.0312" or "< 0.0001".
func (t Test) P() string {
	if t.PValue < 0.0001 {
		return "< 0.0001"
	}
	return fmt.Sprintf("= %.4f", t.PValue)
}

// Text names the codes that changed.
func (c *Change) Text() string {
	var b strings.Builder
	for _, x := range []struct {
		what  string
		codes []string
	}{{"lost", c.Lost}, {"new wrong", c.NewWrong}, {"gained", c.Gained}, {"no longer wrong", c.GoneWrong}} {
		if len(x.codes) > 0 {
			fmt.Fprintf(&b, "; %s %s", x.what, strings.Join(x.codes, " "))
		}
	}
	return b.String()
}

func signed(x float64) string {
	if x > 0 {
		return "+" + Number(x)
	}
	return Number(x)
}

// Text is the decision in one line.
func (g *Gate) Text() string {
	s := fmt.Sprintf("%s: %s by B - A = %s (90%% interval %s to %s, %d notes), margin %s", g.Metric, g.Decision, signed(g.Diff.Value), signed(g.Diff.Low), signed(g.Diff.High), g.Notes, Number(g.Margin))
	if g.Decision == CannotTell {
		if g.Needed > 0 {
			s += fmt.Sprintf("; about %d notes like these would be needed", g.Needed)
		} else {
			s += "; the difference lies at the margin, and no number of notes would tell"
		}
	}
	return s
}
