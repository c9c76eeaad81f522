package auth

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// limit says how many attempts are free, and how long one waits at most after
// more: the wait doubles from one second with each attempt.
type limit struct {
	free int
	max  time.Duration
}

// The tight limit is on the pair of user and address, so that a stranger who
// guesses from elsewhere hardly hinders the real user.
var (
	limitPair    = limit{free: 5, max: 15 * time.Minute}
	limitUser    = limit{free: 50, max: time.Minute}
	limitAddress = limit{free: 30, max: 15 * time.Minute}
)

const (
	forgetAfter = time.Hour // without attempts
	maxCounters = 10_000
)

type counter struct {
	n    int
	last time.Time
}

// throttle slows down guessing. It counts in memory: each process of a site
// counts for itself, and a restart forgets.
type throttle struct {
	mu       sync.Mutex
	counters map[string]*counter
}

func newThrottle() *throttle { return &throttle{counters: make(map[string]*counter)} }

type throttleKey struct {
	key string
	limit
}

func throttleKeys(login, address string) []throttleKey {
	a := addressKey(address)
	return []throttleKey{
		{"p " + a + " " + login, limitPair},
		{"u " + login, limitUser},
		{"a " + a, limitAddress},
	}
}

// addressKey takes the port off an address, and of IPv6 the half that a
// client can choose freely.
func addressKey(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return address
		}
		ip = ap.Addr()
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}

// attempt counts an attempt before its password is looked at, so that many at
// once gain nothing. It gives the time to wait; if that is not zero, the
// attempt was not counted and must not be made.
func (t *throttle) attempt(login, address string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	keys := throttleKeys(login, address)
	var wait time.Duration
	for _, k := range keys {
		if c := t.counters[k.key]; c != nil {
			wait = max(wait, c.last.Add(k.wait(c.n)).Sub(now))
		}
	}
	if wait > 0 {
		return wait
	}
	for _, k := range keys {
		c := t.counters[k.key]
		switch {
		case c == nil:
			t.makeRoom(now)
			t.counters[k.key] = &counter{1, now}
		case now.Sub(c.last) > forgetAfter:
			*c = counter{1, now}
		default:
			c.n++
			c.last = now
		}
	}
	return 0
}

// wait is the time to wait after n attempts that failed.
func (l limit) wait(n int) time.Duration {
	over := n - l.free
	switch {
	case over < 0:
		return 0
	case over > 20: // more would overflow
		return l.max
	}
	return min(l.max, time.Second<<over)
}

// succeeded takes an attempt back that turned out right.
func (t *throttle) succeeded(login, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	keys := throttleKeys(login, address)
	delete(t.counters, keys[0].key)
	for _, k := range keys[1:] {
		if c := t.counters[k.key]; c != nil && c.n > 0 {
			c.n--
		}
	}
}

// makeRoom bounds the memory: it drops what is forgotten and, if that is not
// enough, the oldest quarter, so that it seldom has to look at all of them.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.counters) < maxCounters {
		return
	}
	times := make([]time.Time, 0, len(t.counters))
	for _, c := range t.counters {
		times = append(times, c.last)
	}
	slices.SortFunc(times, time.Time.Compare)
	oldest := times[len(times)/4]
	if forgotten := now.Add(-forgetAfter); forgotten.After(oldest) {
		oldest = forgotten
	}
	maps.DeleteFunc(t.counters, func(_ string, c *counter) bool { return !c.last.After(oldest) })
}
