package rank

import (
	"slices"

	"chartcode/internal/coding"
)

// grounded reports whether a place of the note is likely enough to be what a
// coder would underline for the candidate.
func grounded(c *coding.Candidate) bool {
	return len(c.Grounds) > 0 && c.Grounds[0].Support >= groundedFrom
}

// How likely a place must be to support a code: for the code to stand on it, and
// to be shown beside a better one. The higher, the more of the evidence shown is
// right and the fewer codes are: `chartcode eval evidence` prints how it goes.
const groundedFrom, shownFrom = 0.75, 0.6

const evidenceKept = 3

// evidence gives those of the places, likeliest first, that support a code with at
// least a probability, without overlaps.
func evidence(doc *coding.Document, grounds []coding.Ground, least float64) []coding.Evidence {
	var out []coding.Evidence
	for i := range grounds {
		g := &grounds[i]
		if g.Support < least || len(out) == evidenceKept {
			break
		}
		if slices.ContainsFunc(out, func(e coding.Evidence) bool { return e.Overlaps(g.Span) }) {
			continue
		}
		out = append(out, coding.Evidence{Span: g.Span, Text: doc.Text[g.Start:g.End]})
	}
	return out
}
