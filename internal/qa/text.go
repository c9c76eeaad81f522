package qa

import (
	"fmt"
	"strings"

	"chartcode/eval/measure"
)

// Text is what audits say of coders, for people at a console.
func (p *People) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d cases, %d coded again, %d judged\n", p.Cases, p.Recoded, p.Judged)
	if p.Together == nil {
		b.WriteString("nothing was coded twice yet\n")
	} else {
		b.WriteString((&measure.AgreementReport{Agreement: *p.Together}).Text())
	}
	if p.Persons != nil {
		b.WriteString("\nby person\n" + (&measure.AgreementReport{Agreement: *p.Persons}).Text())
	}
	for i := range p.Coders {
		c := &p.Coders[i]
		kind := "reviews"
		if c.Blind {
			kind = "blind codings"
		}
		below := ""
		if c.Below() {
			below = fmt.Sprintf(", below the bar of %.0f%%", 100*QualityBar)
		}
		fmt.Fprintf(&b, "\n%s, %d %s judged%s\n", c.Coder, c.Cases, kind, below)
		for _, name := range []string{"micro_precision", "micro_recall", "micro_f1", "first_listed", "all_right"} {
			if f, ok := c.Scores.Figure(name); ok {
				fmt.Fprintf(&b, "  %-52s %s (%s to %s)\n", f.Title, measure.Number(f.Value), measure.Number(f.Low), measure.Number(f.High))
			}
		}
		if f := c.Stated; f.Denominator > 0 {
			fmt.Fprintf(&b, "  %-52s %s (%s to %s)\n", "present on admission and units as judged", measure.Number(f.Value), measure.Number(f.Low), measure.Number(f.High))
		}
		for _, h := range c.Hints {
			fmt.Fprintf(&b, "  train: %s, %d right, %d not right, %d missed:", h.Chapter, h.Right, h.Wrong, h.Missed)
			for k, x := range h.Codes {
				if k == 5 {
					break
				}
				what := "not right"
				if x.Missed {
					what = "missed"
				}
				fmt.Fprintf(&b, " %s %s %d", x.Code, what, x.N)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// Text is automation bias for people at a console; empty where nobody practised.
func (p *Practice) Text() string {
	if p.All.Notes == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nautomation bias: suggestions of practice notes that were accepted (95%% intervals)\n")
	line := func(name string, x *Bias) {
		fmt.Fprintf(&b, "  %-20s %3d notes", name, x.Notes)
		for _, k := range []struct {
			what string
			t    *Taken
		}{{"wrong on purpose", &x.Seeded}, {"wrong by the ranker", &x.Wrong}, {"right", &x.Right}} {
			fmt.Fprintf(&b, "; %s %d of %d", k.what, k.t.Accepted, k.t.Of)
			if k.t.Of > 0 {
				fmt.Fprintf(&b, " = %.2f (%.2f to %.2f)", k.t.Share.Value, k.t.Share.Low, k.t.Share.High)
			}
		}
		b.WriteString("\n")
	}
	line("everybody", &p.All)
	for i := range p.Coders {
		line(p.Coders[i].Coder, &p.Coders[i])
	}
	return b.String()
}
