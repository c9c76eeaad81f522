package qa

import (
	"context"
	"sync"
)

// kept keeps the last result of each of some things that take long to compute. Each
// is computed by one goroutine at a time, and no lock is held meanwhile.
type kept[K comparable, V any] struct {
	mu   sync.Mutex
	last map[K]*result[V]
}

type result[V any] struct {
	value     V
	has       bool
	computing chan struct{} // closed at the end; nil: nobody computes
}

// get gives the result that is kept, if it is fresh; else it computes it anew. While
// another goroutine does that it gives the old one, if old says that this is good
// enough and there is one, or waits. A computation that fails, or whose context ends,
// leaves what was kept; who waited for it then computes in its turn.
func (k *kept[K, V]) get(ctx context.Context, key K, fresh func(V) bool, old bool, compute func(context.Context) (V, error)) (V, error) {
	for {
		r, turn := k.look(key, fresh, old)
		if turn == nil {
			return r, nil
		}
		if turn.mine {
			return k.fill(ctx, key, compute)
		}
		select {
		case <-turn.wait:
		case <-ctx.Done():
			return r, ctx.Err()
		}
	}
}

// turn is what to do without a result: to compute it, or to wait.
type turn struct {
	mine bool
	wait <-chan struct{}
}

func (k *kept[K, V]) look(key K, fresh func(V) bool, old bool) (value V, t *turn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.last == nil {
		k.last = map[K]*result[V]{}
	}
	r := k.last[key]
	if r == nil {
		r = &result[V]{}
		k.last[key] = r
	}
	switch {
	case r.has && (fresh(r.value) || old && r.computing != nil):
		return r.value, nil
	case r.computing != nil:
		return value, &turn{wait: r.computing}
	}
	r.computing = make(chan struct{})
	return value, &turn{mine: true}
}

func (k *kept[K, V]) fill(ctx context.Context, key K, compute func(context.Context) (V, error)) (value V, err error) {
	done := false
	defer func() { // also after a panic
		k.mu.Lock()
		defer k.mu.Unlock()
		r := k.last[key]
		if done && err == nil {
			r.value, r.has = value, true
		}
		close(r.computing)
		r.computing = nil
	}()
	value, err = compute(ctx)
	done = true
	return value, err
}
