package review_test

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// times keeps how long acts took, by name. Its zero value is ready for use by
// several goroutines.
type times struct {
	mu   sync.Mutex
	took map[string][]time.Duration
}

// of does something that must succeed, and keeps the time.
func (tm *times) of(name string, do func() error, t testing.TB) {
	began := time.Now()
	err := do()
	took := time.Since(began)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	tm.mu.Lock()
	defer tm.mu.Unlock()
	if tm.took == nil {
		tm.took = make(map[string][]time.Duration)
	}
	tm.took[name] = append(tm.took[name], took)
}

// print writes the median and 95th percentile of each kind of act and of all.
func (tm *times) print(t testing.TB) {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	var names []string
	var all []time.Duration
	for name, took := range tm.took {
		names = append(names, name)
		all = append(all, took...)
	}
	slices.Sort(names)
	line := func(name string, took []time.Duration) {
		slices.Sort(took)
		t.Logf("%-24s %6d  median %7.1f ms  95th percentile %7.1f ms", name, len(took), ms(took[len(took)/2]), ms(took[len(took)*95/100]))
	}
	for _, name := range names {
		line(name, tm.took[name])
	}
	line("all", all)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
