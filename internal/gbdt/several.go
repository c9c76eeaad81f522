package gbdt

import (
	"context"
	"errors"
	"sync"
)

// TrainSeveral trains n models that differ in their seeds alone and gives their
// mean as one model. Where rows are few, what one model owes to the rows and
// columns that it happened to draw is evened out.
func TrainSeveral(ctx context.Context, d Data, p Params, n int) (*Model, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	columns := binColumns(d)
	models, errs := make([]*Model, n), make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			q := p
			q.Seed += seedStep * uint64(i)
			models[i], errs[i] = train(ctx, d, columns, q)
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	out := Model{Features: models[0].Features, Base: models[0].Base}
	for _, m := range models {
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
