package gbdt

import "context"

// TrainSeveral trains n models that differ in their seeds alone and gives their
// mean as one model. Where rows are few, what one model owes to the rows and
// columns that it happened to draw is evened out.
func TrainSeveral(ctx context.Context, d Data, p Params, n int) (*Model, error) {
	var out Model
	for i := range n {
		m, err := Train(ctx, d, p)
		if err != nil {
			return nil, err
		}
		p.Seed += seedStep
		if i == 0 {
			out.Features, out.Base = m.Features, m.Base
		}
		for _, t := range m.Trees {
			out.Trees = append(out.Trees, t.scaled(1/float64(n)))
		}
	}
	return &out, nil
}

// seedStep keeps the seeds of several models apart from those of other models.
const seedStep = 1000

func (t Tree) scaled(by float64) Tree {
	scale := func(v []float64) []float64 {
		out := make([]float64, len(v))
		for i, x := range v {
			out[i] = x * by
		}
		return out
	}
	t.Value, t.Mean = scale(t.Value), scale(t.Mean)
	return t
}
