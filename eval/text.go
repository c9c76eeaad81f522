package eval

import (
	"fmt"
	"strings"
)

// Text is the report as a table for people, with the counts behind each figure.
func (r Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d notes of %d articles, %d folds by article; gold: %d codes billable in the release loaded\n\n", r.Notes, r.Articles, r.Folds, r.Full.Gold)
	fmt.Fprintf(&b, "%-34s %10s %10s %10s\n", "candidates", "recall@10", "recall@50", "recall@100")
	for _, l := range r.Lines {
		recalls(&b, l)
	}
	recalls(&b, Line{"fused and ordered by the model", r.Full})
	fmt.Fprintln(&b)
	shown(&b, Line{"shown, by models that saw other notes", r.Full})
	s := r.Full
	fmt.Fprintf(&b, "  counts: %d right, %d wrong, %d missed, %d dropped (header or absent in the release)\n", s.Right, s.Wrong, s.Missed, s.Dropped)
	fmt.Fprintf(&b, "  MAP over %d notes with gold; calibration error over %d suggestions\n", s.MAPNotes, s.ECEShown)
	fmt.Fprintf(&b, "  codes never seen in training: %d of %d; recall@50 %.3f, %d shown rightly\n", s.UnseenGold, s.Gold, s.UnseenRecall(50), s.UnseenRight)
	if len(r.Ablation) > 0 {
		fmt.Fprintf(&b, "\nwith each part left out in turn\n")
		for _, l := range r.Ablation {
			shown(&b, l)
		}
	}
	return b.String()
}

func recalls(b *strings.Builder, l Line) {
	fmt.Fprintf(b, "%-34s %10.3f %10.3f %10.3f\n", l.Name, l.Scores.Recall(10), l.Scores.Recall(50), l.Scores.Recall(100))
}

func shown(b *strings.Builder, l Line) {
	s := l.Scores
	fmt.Fprintf(b, "%s\n  recall@50 %.3f, MAP %.3f, micro precision %.3f, recall %.3f, F1 %.3f, calibration error %.3f\n",
		l.Name, s.Recall(50), s.MAP, s.Precision(), s.ShownRecall(), s.F1(), s.ECE)
}
