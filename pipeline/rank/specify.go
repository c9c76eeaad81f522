package rank

import (
	"slices"
	"strings"

	"chartcode/internal/coding"
)

// otherSide reports whether two codes name the two sides of one condition, both
// of them stated by the note: where no code stands for both, each is billed
// (guideline I.B.13, paraphrased).
func otherSide(a, b *coding.Candidate) bool {
	if a.Support.Side != 1 || b.Support.Side != 1 {
		return false
	}
	x, y := strings.Fields(strings.ToLower(a.Display)), strings.Fields(strings.ToLower(b.Display))
	if len(x) != len(y) {
		return false
	}
	apart := 0
	for i := range x {
		if x[i] == y[i] {
			continue
		}
		pair := []string{strings.Trim(x[i], ",;"), strings.Trim(y[i], ",;")}
		slices.Sort(pair)
		if pair[0] != "left" || pair[1] != "right" {
			return false
		}
		apart++
	}
	return apart > 0
}
