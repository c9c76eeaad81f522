package throughput

import (
	"slices"
	"sort"
	"time"

	"chartcode/internal/coding"
)

// Steps are the upper ends of the steps in which durations are counted: of one
// second up to two minutes, then of at most a tenth, and a last one that is open.
// Whole hours up to three days and whole days up to 400 are among them.
func Steps() []time.Duration { return slices.Clone(steps) }

var steps = func() []time.Duration {
	var out []time.Duration
	at := time.Duration(0)
	for _, s := range []struct{ step, until time.Duration }{
		{time.Second, 2 * time.Minute}, {10 * time.Second, 10 * time.Minute}, {time.Minute, 2 * time.Hour},
		{5 * time.Minute, 12 * time.Hour}, {30 * time.Minute, 72 * time.Hour}, {6 * time.Hour, 30 * 24 * time.Hour},
		{24 * time.Hour, 400 * 24 * time.Hour},
	} {
		for at < s.until {
			at += s.step
			out = append(out, at)
		}
	}
	return out
}()

// StepOf is the number of the step that a duration belongs to: the first whose end
// it does not exceed.
func StepOf(d time.Duration) int {
	return sort.Search(len(steps), func(i int) bool { return d <= steps[i] })
}

// stepEnd is the upper end of a step; the open one shows its lower end.
func stepEnd(step int) time.Duration {
	return steps[min(step, len(steps)-1)]
}

// count is how many a distribution counts.
func count(s coding.Spread) (n int64) {
	for _, k := range s {
		n += k
	}
	return n
}

// quantile is the end of the step in which the share p of a distribution is
// reached: of 0.5 the median.
func quantile(s coding.Spread, p float64) (d time.Duration, ok bool) {
	n := count(s)
	if n == 0 {
		return 0, false
	}
	order := make([]int, 0, len(s))
	for step := range s {
		order = append(order, step)
	}
	slices.Sort(order)
	seen := int64(0)
	for _, step := range order {
		if seen += s[step]; float64(seen) >= p*float64(n) {
			return stepEnd(step), true
		}
	}
	return stepEnd(order[len(order)-1]), true
}

// within is how many of a distribution do not last longer than d, which must be
// the end of a step.
func within(s coding.Spread, d time.Duration) (n int64) {
	last := StepOf(d)
	for step, k := range s {
		if step <= last {
			n += k
		}
	}
	return n
}
