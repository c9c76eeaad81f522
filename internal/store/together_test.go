package store_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chartcode/internal/store"
)

// What comes alone is done at once; what comes meanwhile is done together, in its
// order, and no more of it at once than there is a bound.
func TestTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var done [][]int
		g := store.NewTogether(func(_ context.Context, some []int) {
			time.Sleep(time.Second)
			done = append(done, slices.Clone(some))
		})
		began := time.Now()
		if err := g.Wait(t.Context(), -1); err != nil || time.Since(began) != time.Second {
			t.Errorf("one alone took %v, %v", time.Since(began), err)
		}
		for i := range 101 {
			go func() {
				if err := g.Wait(t.Context(), i); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
		}
		g.End()
		var sizes, all []int
		for _, some := range done {
			sizes, all = append(sizes, len(some)), append(all, some...)
		}
		if !slices.Equal(sizes, []int{1, 1, 64, 36}) || !slices.IsSorted(all) {
			t.Errorf("done together were %v: %v", sizes, all)
		}
	})
}

// Who goes gets the error of their context at once and takes nobody along; what nobody
// waits for any more is ended.
func TestWhoGoesHarmsNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var done []int
		var ended error
		g := store.NewTogether(func(ctx context.Context, some []int) {
			select {
			case <-time.After(20 * time.Second):
			case <-ctx.Done():
				mu.Lock()
				ended = ctx.Err()
				mu.Unlock()
				return
			}
			mu.Lock()
			done = append(done, some...)
			mu.Unlock()
		})
		wait := func(i int, stay time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), stay)
			defer cancel()
			began := time.Now()
			err := g.Wait(ctx, i)
			if stay < time.Hour && (!errors.Is(err, context.DeadlineExceeded) || time.Since(began) != stay) || stay == time.Hour && err != nil {
				t.Errorf("%d came back after %v: %v", i, time.Since(began), err)
			}
		}
		start := func(i int, stay time.Duration) {
			go wait(i, stay)
			synctest.Wait()
		}
		start(1, time.Hour)
		start(2, 30*time.Second) // goes while it is done, and is the first
		start(3, time.Hour)
		start(4, 10*time.Second) // goes before its turn
		g.End()
		if !slices.Equal(done, []int{1, 2, 3}) || ended != nil {
			t.Errorf("done are %v, %v", done, ended)
		}
		start(5, time.Second)
		start(6, 2*time.Second) // comes while 5 is under way
		g.End()
		if !slices.Equal(done, []int{1, 2, 3}) || !errors.Is(ended, context.Canceled) {
			t.Errorf("done are %v, %v", done, ended)
		}
	})
}
