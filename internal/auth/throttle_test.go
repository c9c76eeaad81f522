package auth

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func TestThrottleSlowsGuessingDown(t *testing.T) {
	t.Parallel()
	th, now := newThrottle(), noon
	for i := range limitPair.free {
		if w := th.attempt("casey", "192.0.2.1:5000", now); w != 0 {
			t.Fatalf("attempt %d has to wait %v", i+1, w)
		}
	}
	var waits []time.Duration
	for range 12 {
		w := th.attempt("casey", "192.0.2.1:6000", now) // another port is no other place
		if w <= 0 {
			t.Fatalf("after waits %v an attempt is free", waits)
		}
		waits = append(waits, w)
		now = now.Add(w)
		if w := th.attempt("casey", "192.0.2.1", now); w != 0 {
			t.Fatalf("after waiting %v it is refused for %v more", waits, w)
		}
	}
	if waits[0] != time.Second || waits[3] != 8*time.Second || waits[11] != limitPair.max {
		t.Errorf("waits do not double up to the limit: %v", waits)
	}
	if w := th.attempt("casey", "198.51.100.7", now); w != 0 {
		t.Errorf("the user elsewhere has to wait %v for a stranger's guesses", w)
	}
	if w := th.attempt("casey", "192.0.2.1", now.Add(forgetAfter+limitPair.max)); w != 0 {
		t.Errorf("an hour later it is not forgotten: wait %v", w)
	}
}

func TestThrottleBoundsManyUsersFromOneAddress(t *testing.T) {
	t.Parallel()
	th := newThrottle()
	for i := range limitAddress.free {
		if w := th.attempt(fmt.Sprint("user", i), "2001:db8:1:2:aaaa::1", noon); w != 0 {
			t.Fatalf("attempt %d has to wait %v", i+1, w)
		}
	}
	// The other half of an IPv6 address is the client's to choose.
	if w := th.attempt("another", "2001:db8:1:2:bbbb::2", noon); w == 0 {
		t.Error("one network may guess for any number of users")
	}
}

func TestThrottleForgetsAfterSuccess(t *testing.T) {
	t.Parallel()
	th := newThrottle()
	for range 100 {
		if w := th.attempt("casey", "192.0.2.1", noon); w != 0 {
			t.Fatalf("who signs in rightly has to wait %v", w)
		}
		th.succeeded("casey", "192.0.2.1")
	}
}

// Attempts count before their password is looked at: of many at once no more
// get through than one after the other.
func TestThrottleCountsConcurrentAttempts(t *testing.T) {
	t.Parallel()
	th := newThrottle()
	var wg sync.WaitGroup
	var mu sync.Mutex
	through := 0
	for range 200 {
		wg.Go(func() {
			if th.attempt("casey", "192.0.2.1", noon) == 0 {
				mu.Lock()
				through++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if through != limitPair.free {
		t.Errorf("%d attempts got through, want %d", through, limitPair.free)
	}
}

func TestThrottleMemoryIsBounded(t *testing.T) {
	t.Parallel()
	th := newThrottle()
	for i := range maxCounters {
		th.attempt(fmt.Sprint("user", i), fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), noon.Add(time.Duration(i)*time.Millisecond))
	}
	if n := len(th.counters); n > maxCounters || n < maxCounters/2 {
		t.Errorf("%d counters, want at most %d, and not all thrown away", n, maxCounters)
	}
	// Also when all came at the same moment.
	th = newThrottle()
	for i := range maxCounters {
		th.attempt(fmt.Sprint("user", i), fmt.Sprint("10.0.0.", i%256), noon)
	}
	if n := len(th.counters); n > maxCounters {
		t.Errorf("%d counters of one moment, want at most %d", n, maxCounters)
	}
}
