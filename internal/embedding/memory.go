package embedding

import (
	"context"
	"slices"
	"sync"

	"chartcode/internal/coding"
)

// Memory searches vectors in the process's own memory, exactly up to its first
// pass: it scans all vectors over their leading dimensions and compares the
// best of them in full. It is for measuring without a database and for finding
// what an index loses; the store serves production.
type Memory struct {
	ids   []int64
	lead  []float32
	full  []float32
	dims  int
	first int
}

// leadDims are scanned for every vector; vectors of Train carry most in front.
const leadDims = 96

// NewMemory holds one unit vector an id; all have the same length.
func NewMemory(ids []int64, vecs [][]float32) *Memory {
	m := &Memory{ids: ids}
	if len(vecs) == 0 {
		return m
	}
	m.dims = len(vecs[0])
	m.first = min(leadDims, m.dims)
	for _, v := range vecs {
		m.lead = append(m.lead, v[:m.first]...)
		m.full = append(m.full, v...)
	}
	return m
}

// SearchVectors gives the k texts nearest to each vector, nearest first, ties
// by id. The model's name is not looked at.
func (m *Memory) SearchVectors(ctx context.Context, _ string, vecs [][]float32, k int) ([][]coding.VectorHit, error) {
	out := make([][]coding.VectorHit, len(vecs))
	var wg sync.WaitGroup
	const parts = 2
	for p := range parts {
		wg.Go(func() {
			for i := p; i < len(vecs) && ctx.Err() == nil; i += parts {
				out[i] = m.search(vecs[i], k)
			}
		})
	}
	wg.Wait()
	return out, ctx.Err()
}

func (m *Memory) search(v []float32, k int) []coding.VectorHit {
	type near struct {
		i   int
		sim float32
	}
	wide := 20 * k
	best := make([]near, 0, 2*wide)
	least := float32(-2)
	head := v[:m.first]
	for i := range m.ids {
		s := dot(head, m.lead[i*m.first:(i+1)*m.first])
		if s <= least {
			continue
		}
		best = append(best, near{i, s})
		if len(best) == cap(best) {
			slices.SortFunc(best, func(a, b near) int { return compareSim(a.sim, b.sim, a.i, b.i) })
			best = best[:wide]
			least = best[wide-1].sim
		}
	}
	for j := range best {
		i := best[j].i
		best[j].sim = dot(v, m.full[i*m.dims:(i+1)*m.dims])
	}
	slices.SortFunc(best, func(a, b near) int { return compareSim(a.sim, b.sim, a.i, b.i) })
	hits := make([]coding.VectorHit, 0, k)
	for _, b := range best[:min(k, len(best))] {
		hits = append(hits, coding.VectorHit{TextID: m.ids[b.i], Similarity: float64(b.sim)})
	}
	return hits
}

func compareSim(a, b float32, i, j int) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return i - j
}
