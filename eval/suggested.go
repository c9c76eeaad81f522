package eval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/learned"
	"chartcode/pipeline/rank"
	"chartcode/pipeline/retrieve"
)

// Suggested gives what retrieval and the local ranker with the given models
// suggest for the notes in a style.
func (d *Data) Suggested(ctx context.Context, m *learned.Models, style coding.Style) ([]Result, error) {
	r, err := d.Retriever.With(m)
	if err != nil {
		return nil, err
	}
	l, err := rank.NewLocal(rank.LocalConfig{Models: m})
	if err != nil {
		return nil, err
	}
	out := make([]Result, len(d.Notes))
	errs := make([]error, len(d.Notes))
	both(len(d.Notes), func(i int) {
		cands, err := r.Retrieve(ctx, d.Docs[i], d.Table, retrieve.Options{Style: style})
		if err != nil {
			errs[i] = err
			return
		}
		got, err := l.Rank(ctx, rank.Input{Note: d.Notes[i].Note, Doc: d.Docs[i], Style: style, Candidates: cands, Table: d.Table})
		errs[i] = err
		out[i] = Result{Note: &d.Notes[i], Candidates: Codes(cands)}
		for _, s := range got.Suggestions {
			out[i].Shown = append(out[i].Shown, Shown{s.Code, s.Confidence, s.Evidence})
		}
	})
	return out, errors.Join(errs...)
}

// ByNote lists, note by note, what was shown right, wrong and what was missed,
// with the rank at which retrieval had what was missed. It holds codes and
// their titles, nothing of the notes but their ids.
func ByNote(results []Result, t Table) string {
	var b strings.Builder
	title := func(code string) string {
		c, _ := t.Lookup(code)
		return c.Title
	}
	for i := range results {
		r := &results[i]
		required, acceptable := r.Note.Gold()
		fmt.Fprintf(&b, "%s first %v\n", r.Note.NoteID, r.Note.First)
		shown := map[string]bool{}
		for _, s := range r.Shown {
			mark := "wrong"
			switch {
			case required[s.Code]:
				mark = "right"
			case acceptable[s.Code]:
				mark = "acceptable"
			}
			shown[s.Code] = true
			fmt.Fprintf(&b, "  %-10s %.2f %-8s %s\n", mark, s.Confidence, s.Code, title(s.Code))
		}
		for _, c := range r.Note.Codes {
			if !required[c.Code] || shown[c.Code] {
				continue
			}
			at := "not retrieved"
			if k := slices.Index(r.Candidates, c.Code); k >= 0 {
				at = fmt.Sprintf("rank %d", k+1)
			}
			fmt.Fprintf(&b, "  missed          %-8s %s (%s)\n", c.Code, title(c.Code), at)
		}
	}
	return b.String()
}

// BillingText are the figures of notes coded as for a bill, with the counts
// behind each.
func BillingText(s *Scores) string {
	return fmt.Sprintf(`  candidates: recall at 10/50/100 %.3f/%.3f/%.3f of %d required codes
  shown: micro-precision %.3f (%d of %d, %d of them acceptable), micro-recall %.3f (%d of %d), micro-F1 %.3f
  first-listed diagnosis right in %.3f (%d of %d notes); expected calibration error %.3f
`,
		s.Recall(10), s.Recall(50), s.Recall(100), s.Gold,
		s.Precision(), s.Right+s.Acceptable, s.Right+s.Acceptable+s.Wrong, s.Acceptable, s.ShownRecall(), s.Right, s.Right+s.Missed, s.F1(),
		float64(s.FirstRight)/float64(max(s.FirstAsked, 1)), s.FirstRight, s.FirstAsked, s.ECE)
}
