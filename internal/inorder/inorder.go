// Package inorder does several things at once and takes their results one by one,
// in order. It imports nothing of ours and touches nothing.
package inorder

import (
	"context"
	"sync"
)

// Each calls work for from, from+1 ... n-1, at most workers at a time (at least
// one), and take with each result in this order, never two at a time. It stops at
// the first error of either, in order, or when ctx ends, and returns it when
// nothing is at work any more.
func Each[T any](ctx context.Context, from, n, workers int, work func(ctx context.Context, i int) (T, error), take func(i int, v T) error) error {
	ctx, cancel := context.WithCancel(ctx)
	type result struct {
		v   T
		err error
	}
	results := make([]chan result, max(n-from, 0))
	for i := range results {
		results[i] = make(chan result, 1) // nobody waits to leave one
	}
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	slots := make(chan struct{}, max(workers, 1))
	group.Go(func() {
		for i, ch := range results {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				ch <- result{err: ctx.Err()}
				return
			}
			group.Go(func() {
				defer func() { <-slots }()
				v, err := work(ctx, from+i)
				ch <- result{v, err}
			})
		}
	})
	for i, ch := range results {
		r := <-ch
		if r.err != nil {
			return r.err
		}
		if err := take(from+i, r.v); err != nil {
			return err
		}
	}
	return nil
}
