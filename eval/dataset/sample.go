package dataset

import (
	"math/rand/v2"
	"slices"
)

// Sample gives the places of limit notes drawn by seed, in the order of the
// dataset; all of them where limit is 0 or too large.
func Sample(notes, limit int, seed uint64) []int {
	all := make([]int, notes)
	for i := range all {
		all[i] = i
	}
	if limit <= 0 || limit >= notes {
		return all
	}
	r := rand.New(rand.NewPCG(seed, 1))
	r.Shuffle(notes, func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = all[:limit]
	slices.Sort(all)
	return all
}
