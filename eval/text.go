package eval

import (
	"fmt"
	"strings"
)

// Text is the report as a table for people, with the counts behind each figure.
func (r Report) Text() string {
	var b strings.Builder
	f := &r.Full
	fmt.Fprintf(&b, "%d notes of %d articles, %d folds by article; every note is measured by models that did not see it\n", r.Notes, r.Articles, r.Folds)
	fmt.Fprintf(&b, "gold: %d codes billable in the release; %d of them never occur in their training folds\n\n", f.Gold, f.UnseenGold)
	fmt.Fprintf(&b, "%-36s %8s %8s %8s\n", "candidates: recall at", "10", "50", "100")
	for _, l := range r.Lines {
		fmt.Fprintf(&b, "%-36s %8.3f %8.3f %8.3f\n", l.Name, l.Scores.Recall(10), l.Scores.Recall(50), l.Scores.Recall(100))
	}
	fmt.Fprintf(&b, "%-36s %8.3f %8.3f %8.3f\n", "fused and ordered by the model", f.Recall(10), f.Recall(50), f.Recall(100))
	fmt.Fprintf(&b, "%-36s %8.3f %8.3f %8.3f\n\n", "  of codes never seen in training", f.UnseenRecall(10), f.UnseenRecall(50), f.UnseenRecall(100))
	fmt.Fprintf(&b, "MAP %.3f over %d notes with gold\n", f.MAP, f.MAPNotes)
	fmt.Fprintf(&b, "shown: micro-precision %.3f (%d of %d), micro-recall %.3f (%d of %d), micro-F1 %.3f\n",
		f.Precision(), f.Right+f.Acceptable, f.Right+f.Acceptable+f.Wrong, f.ShownRecall(), f.Right, f.Right+f.Missed, f.F1())
	fmt.Fprintf(&b, "  %d dropped (under a gold code that is a header or absent in the release); never seen in training: %d of %d shown\n", f.Dropped, f.UnseenRight, f.UnseenGold)
	fmt.Fprintf(&b, "expected calibration error %.3f over %d suggestions; thresholds by fold %.3f\n", f.ECE, f.ECEShown, r.Threshold)
	if len(r.Ablation) > 0 {
		fmt.Fprintf(&b, "\n%-36s %8s %8s %8s %8s %8s\n", "with each part left out in turn", "R@50", "R@100", "MAP", "F1", "ECE")
		for _, l := range append([]Line{{"nothing left out", r.Full}}, r.Ablation...) {
			s := &l.Scores
			fmt.Fprintf(&b, "%-36s %8.3f %8.3f %8.3f %8.3f %8.3f\n", l.Name, s.Recall(50), s.Recall(100), s.MAP, s.F1(), s.ECE)
		}
	}
	return b.String()
}
