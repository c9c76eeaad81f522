package inorder

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
)

func TestResultsComeInOrder(t *testing.T) {
	const n, workers = 200, 7
	var busy atomic.Int32
	gate := make(chan struct{})
	var got []int
	err := Each(t.Context(), 3, n, workers, func(_ context.Context, i int) (int, error) {
		if m := busy.Add(1); m > workers {
			t.Errorf("%d are at work at once", m)
		}
		defer busy.Add(-1)
		if i < 3+workers { // all workers are at it before the first ends
			if i == 3+workers-1 {
				close(gate)
			}
			<-gate
		}
		return i * i, nil
	}, func(i, v int) error {
		if v != i*i {
			t.Errorf("%d gave %d", i, v)
		}
		got = append(got, i)
		return nil
	})
	if err != nil || len(got) != n-3 || got[0] != 3 || !slices.IsSorted(got) {
		t.Errorf("%d results, in order %v: %v", len(got), slices.IsSorted(got), err)
	}
}

func TestStopsAtTheFirstError(t *testing.T) {
	bad := errors.New("bad")
	var running atomic.Int32
	taken := 0
	err := Each(t.Context(), 0, 1000, 4, func(ctx context.Context, i int) (int, error) {
		running.Add(1)
		defer running.Add(-1)
		if i == 5 {
			return 0, bad
		}
		return i, nil
	}, func(int, int) error { taken++; return nil })
	if !errors.Is(err, bad) || taken != 5 || running.Load() != 0 {
		t.Errorf("%d taken, %d still at work: %v", taken, running.Load(), err)
	}
	err = Each(t.Context(), 0, 10, 2, func(context.Context, int) (int, error) { return 0, nil }, func(i, _ int) error {
		if i == 2 {
			return bad
		}
		return nil
	})
	if !errors.Is(err, bad) {
		t.Errorf("an error of take gave %v", err)
	}
}

func TestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := Each(ctx, 0, 10, 1, func(ctx context.Context, _ int) (int, error) {
		cancel()
		<-ctx.Done()
		return 0, ctx.Err()
	}, func(int, int) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
