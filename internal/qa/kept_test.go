package qa

import (
	"context"
	"errors"
	"sync"
	"testing"
)

// While one computes, others get the last result or wait for the new one, and who
// gives up does not take the others with him.
func TestKeptResults(t *testing.T) {
	t.Parallel()
	var k kept[string, int]
	never := func(int) bool { return false }
	give := func(n int) func(context.Context) (int, error) {
		return func(context.Context) (int, error) { return n, nil }
	}
	want := func(what string, got int, err error, n int) {
		t.Helper()
		if err != nil || got != n {
			t.Errorf("%s: %d, %v, want %d", what, got, err, n)
		}
	}
	n, err := k.get(t.Context(), "a", never, true, give(1))
	want("the first", n, err, 1)
	n, err = k.get(t.Context(), "a", func(v int) bool { return v == 1 }, false, give(2))
	want("fresh", n, err, 1)

	begun, end := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		n, err := k.get(t.Context(), "a", never, true, func(context.Context) (int, error) {
			close(begun)
			<-end
			return 3, nil
		})
		want("computed", n, err, 3)
	})
	<-begun
	n, err = k.get(t.Context(), "a", never, true, give(9))
	want("the last result meanwhile", n, err, 1)
	n, err = k.get(t.Context(), "b", never, true, give(4))
	want("something else meanwhile", n, err, 4)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = k.get(gone, "a", never, false, give(9)); !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up waiting: %v", err)
	}
	all.Go(func() {
		n, err := k.get(t.Context(), "a", func(v int) bool { return v == 3 }, false, give(9))
		want("after waiting", n, err, 3)
	})
	close(end)
	all.Wait()

	// What fails leaves what was kept, and the next one computes.
	failure := errors.New("no")
	if _, err = k.get(t.Context(), "a", never, false, func(context.Context) (int, error) { return 7, failure }); !errors.Is(err, failure) {
		t.Errorf("the failure: %v", err)
	}
	n, err = k.get(t.Context(), "a", func(v int) bool { return v == 3 }, false, give(9))
	want("after a failure", n, err, 3)
	func() {
		defer func() { _ = recover() }()
		_, _ = k.get(t.Context(), "a", never, false, func(context.Context) (int, error) { panic("no") })
	}()
	n, err = k.get(t.Context(), "a", never, false, give(5))
	want("after a panic", n, err, 5)
}
