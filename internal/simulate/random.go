package simulate

import (
	"math"
	"math/rand/v2"
	"time"
)

type weighted[T any] struct {
	value  T
	weight float64
}

// pick takes one of several values by their weights.
func pick[T any](r *rand.Rand, from []weighted[T]) T {
	sum := 0.0
	for _, w := range from {
		sum += w.weight
	}
	at := r.Float64() * sum
	for _, w := range from {
		if at -= w.weight; at < 0 {
			return w.value
		}
	}
	return from[len(from)-1].value
}

// around is log-normal: half of the values are below the middle.
func around(r *rand.Rand, middle, spread float64) float64 {
	return middle * math.Exp(spread*r.NormFloat64())
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Truncate(time.Microsecond)
}
