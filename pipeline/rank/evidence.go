package rank

import (
	"math"
	"slices"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
)

// Stands reports whether candidate i has words of the note to stand on.
func Stands(in Input, i int) bool { return grounded(&in.Candidates[i]) }

// grounded reports whether a place of the note is likely enough to be what a
// coder would underline for the candidate.
func grounded(c *coding.Candidate) bool {
	return len(c.Grounds) > 0 && c.Grounds[0].Support >= groundedFrom
}

// How likely a place must be to support a code: for the code to stand on it, and
// to be shown beside a better one.
const groundedFrom, shownFrom = 0.75, 0.6

// takenFrom is how likely it must be that the evidence of a code is taken for
// right. The higher, the fewer codes are shown: eval/datasets/README.md has the
// figures.
const takenFrom = 0.75

// taken is the probability that a coder finds the best place of a candidate to
// support it, given how likely the code itself is. It was fitted by logistic
// regression to 385 suggestions judged by reading. Signs are named as they are coded;
// infections by agents that were only tested for, skin and mental disorders and
// malformations often by words for something else.
func taken(c *coding.Candidate, confidence float64) float64 {
	if len(c.Grounds) == 0 {
		return 0
	}
	odds := 1.46 + 0.16*oddsOf(c.Grounds[0].Support) + 0.56*oddsOf(confidence)
	switch c.Code[0] {
	case 'R':
		odds += 0.53
	case 'B', 'F', 'L', 'Q':
		odds -= 1.40
	}
	return gbdt.Logistic(odds)
}

// IsTaken reports whether the evidence of a candidate of this confidence is likely
// enough to be taken for right.
func IsTaken(c *coding.Candidate, confidence float64) bool { return taken(c, confidence) >= takenFrom }

func oddsOf(p float64) float64 {
	p = min(max(p, 0.01), 0.99)
	return math.Log(p / (1 - p))
}

const evidenceKept = 3

// evidence gives the places that a coder could underline for the candidate,
// likeliest first, without overlaps.
func evidence(doc *coding.Document, c *coding.Candidate) []coding.Evidence {
	var out []coding.Evidence
	for i := range c.Grounds {
		g := &c.Grounds[i]
		if g.Support < shownFrom || len(out) == evidenceKept {
			break
		}
		if slices.ContainsFunc(out, func(e coding.Evidence) bool { return e.Overlaps(g.Span) }) {
			continue
		}
		out = append(out, coding.Evidence{Span: g.Span, Text: doc.Text[g.Start:g.End]})
	}
	return out
}
