package review_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// BenchmarkManyCoders: 200 coders take the next item, accept and finish it, at
// once, until none is left. It reports the 95th percentile and median of an
// act (next, accept, or finish). The test database does not wait for the disk.
func BenchmarkManyCoders(b *testing.B) {
	const coders, perLoop = 200, 1000
	f := setUp(b)
	var logins []string
	for i := range coders {
		logins = append(logins, fmt.Sprint("coder", i))
	}
	users := f.users(coding.RoleCoder, logins...)
	var all []time.Duration
	n := 0
	for b.Loop() {
		b.StopTimer()
		for range perLoop {
			n++
			f.save(note(fmt.Sprint("D-", n), "", visit), sug{code: "I10", words: "Essential hypertension", confidence: 0.8})
		}
		b.StartTimer()
		var mu sync.Mutex
		var wg sync.WaitGroup
		for _, u := range users {
			wg.Go(func() {
				times := f.workOff(u)
				mu.Lock()
				defer mu.Unlock()
				all = append(all, times...)
			})
		}
		wg.Wait()
	}
	slices.Sort(all)
	if len(all) < 3*n {
		b.Fatalf("%d acts on %d items", len(all), n)
	}
	b.ReportMetric(float64(all[len(all)*95/100].Microseconds())/1000, "p95-ms/act")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "median-ms/act")
	b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "acts/s")
}

// workOff takes items until none is left and gives how long each act took.
func (f *fixture) workOff(u coding.User) (times []time.Duration) {
	ctx := f.t.Context()
	timed := func(do func() error) error {
		start := time.Now()
		err := do()
		times = append(times, time.Since(start))
		return err
	}
	for {
		var id int64
		err := timed(func() (err error) { id, err = f.Next(ctx, u, coding.WorklistQuery{}, ""); return err })
		if errors.Is(err, review.ErrNoneLeft) {
			return times
		}
		if err == nil {
			err = timed(func() error { _, err := f.Decide(ctx, u, id, accept("I10")); return err })
		}
		if err == nil {
			err = timed(func() error { _, err := f.Decide(ctx, u, id, review.Act{Kind: coding.Finish}); return err })
		}
		if err != nil {
			f.t.Error(err)
			return times
		}
	}
}
