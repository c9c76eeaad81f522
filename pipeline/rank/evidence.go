package rank

import (
	"slices"

	"chartcode/internal/coding"
)

// Evidence gives what is shown as evidence for candidate i, likeliest first; none
// if it has no words of the note to stand on, and then it is not suggested.
func Evidence(in Input, i int) []coding.Evidence {
	if !grounded(&in.Candidates[i]) {
		return nil
	}
	return evidence(in.Doc, &in.Candidates[i])
}

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
