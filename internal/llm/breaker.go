package llm

import (
	"sync"
	"time"
)

const (
	breakerFailures = 5 // in a row
	breakerMin      = 5 * time.Second
	breakerMax      = time.Minute
)

// breaker refuses calls after several failures in a row that are the endpoint's
// fault, and lets one through now and then to see whether it is back.
type breaker struct {
	now func() time.Time

	mu       sync.Mutex
	failures int
	pause    time.Duration
	until    time.Time
	trying   bool // the one call of an open breaker is under way
}

// allow reports whether a call may be made, and whether it is the trial of an
// open breaker.
func (b *breaker) allow() (ok, trial bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakerFailures {
		return true, false
	}
	if b.trying || b.now().Before(b.until) {
		return false, false
	}
	b.trying = true
	return true, true
}

// fail counts a failure of the endpoint; opened is true when that opens the breaker.
func (b *breaker) fail() (opened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
	b.failures++
	if b.failures < breakerFailures || b.now().Before(b.until) {
		return false // calls that were under way when it opened count once
	}
	opened = b.pause == 0
	b.pause = min(max(2*b.pause, breakerMin), breakerMax)
	b.until = b.now().Add(b.pause)
	return opened
}

// pass notes that the endpoint works; closed is true when the breaker was open.
func (b *breaker) pass() (closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	closed = b.pause > 0
	b.failures, b.pause, b.trying = 0, 0, false
	return closed
}

// abandon ends a trial that told nothing.
func (b *breaker) abandon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
}
