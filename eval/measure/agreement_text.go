package measure

import (
	"fmt"
	"strings"
)

// CoderAccuracy are one coder's figures against adjudicated codes.
type CoderAccuracy struct {
	Coder  string `json:"coder"`
	Scores Scores `json:"scores"`
}

// AgreementReport is what is known of several coders.
type AgreementReport struct {
	Agreement
	Coders []CoderAccuracy `json:"accuracy"`
}

// Text is the report for people.
func (r *AgreementReport) Text() string {
	var b strings.Builder
	line := func(what string, f *Figure) {
		if f == nil {
			fmt.Fprintf(&b, "  %-52s not defined\n", what)
			return
		}
		fmt.Fprintf(&b, "  %-52s %s (%s to %s)\n", what, Number(f.Value), Number(f.Low), Number(f.High))
	}
	for i := range r.Pairs {
		p := &r.Pairs[i]
		fmt.Fprintf(&b, "%s and %s, %d notes that both coded\n", p.A, p.B, p.Notes)
		line("Cohen's kappa, first-listed code", p.KappaFirst)
		line("Cohen's kappa, each code of their vocabulary", p.Kappa)
		line("codes given by both, of those given (F1)", p.Agreed)
		line("notes with the same codes", p.Identical)
	}
	fmt.Fprintf(&b, "all coders, %d notes coded by two or more\n", r.Notes)
	line("Krippendorff's alpha, first-listed code", r.AlphaFirst)
	line("Krippendorff's alpha, codes that anybody gave", r.AlphaCodes)
	for i := range r.Coders {
		c := &r.Coders[i]
		fmt.Fprintf(&b, "%s against gold, %d notes\n", c.Coder, c.Scores.Notes)
		for _, name := range []string{"micro_precision", "micro_recall", "micro_f1", "category_f1", "first_listed", "all_right"} {
			if f, ok := c.Scores.Figure(name); ok {
				line(f.Title, &f)
			}
		}
	}
	return b.String()
}
