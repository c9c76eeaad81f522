package llm

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// window is what a server said of one of its limits.
type window struct {
	known     bool
	remaining float64
	limit     float64   // of a whole window, 0: not said
	reset     time.Time // when the limit is whole again
}

// limits reads x-ratelimit-remaining-, -reset- and -limit- of what (requests or
// tokens). A window without a time to wait for says nothing.
func limits(h http.Header, what string, now time.Time) window {
	remaining, err := strconv.ParseFloat(strings.TrimSpace(h.Get("X-Ratelimit-Remaining-"+what)), 64)
	if err != nil || !(remaining >= 0) {
		return window{}
	}
	wait, ok := resetIn(h.Get("X-Ratelimit-Reset-" + what))
	if !ok {
		return window{}
	}
	limit, err := strconv.ParseFloat(strings.TrimSpace(h.Get("X-Ratelimit-Limit-"+what)), 64)
	if err != nil || !(limit > 0) {
		limit = 0
	}
	return window{known: true, remaining: remaining, limit: limit, reset: now.Add(wait)}
}

// maxReset is the longest wait that a header is believed.
const maxReset = 24 * time.Hour

// resetIn reads how long until a limit is whole again: "1m2.5s" and "20ms" as
// OpenAI writes it, or seconds as Azure does.
func resetIn(v string) (time.Duration, bool) {
	v = strings.TrimSpace(v)
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		if !(s >= 0) {
			return 0, false
		}
		return time.Duration(min(s, maxReset.Seconds()) * float64(time.Second)), true
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		return 0, false
	}
	return min(d, maxReset), true
}

// bucket holds what may be taken at once and fills with time. It may be drawn
// below zero, by what is taken before its size is known.
type bucket struct {
	perMinute float64 // 0: no limit
	level     float64
	at        time.Time
}

// wait is how long until amount may be taken. What is larger than the bucket may
// be taken when it is full.
func (b *bucket) wait(now time.Time, amount float64) time.Duration {
	if b.perMinute == 0 {
		return 0
	}
	if b.at.IsZero() {
		b.level = b.perMinute
	} else if d := now.Sub(b.at); d > 0 {
		b.level = min(b.level+b.perMinute*d.Minutes(), b.perMinute)
	}
	b.at = now
	lacking := min(amount, b.perMinute) - b.level
	if lacking <= 0 {
		return 0
	}
	return time.Duration(lacking / b.perMinute * float64(time.Minute))
}

// pacer keeps the calls to one endpoint within its limits: those configured, and
// those that it tells in its headers or by Retry-After. All of a process share it.
type pacer struct {
	now func() time.Time

	mu       sync.Mutex
	requests bucket
	tokens   bucket
	told     [2]window // requests, tokens
	paused   time.Time // nothing is sent before, for the endpoint said so
}

func newPacer(requestsPerMinute, tokensPerMinute int) *pacer {
	return &pacer{now: time.Now, requests: bucket{perMinute: float64(requestsPerMinute)}, tokens: bucket{perMinute: float64(tokensPerMinute)}}
}

// take waits until a call of about so many tokens may be made. false: not before
// deadline, which is known at once.
func (p *pacer) take(ctx context.Context, tokens float64, deadline time.Time) (bool, error) {
	for {
		wait := p.try(tokens)
		if wait <= 0 {
			return true, ctx.Err()
		}
		if p.now().Add(wait).After(deadline) {
			return false, nil
		}
		// A little more, so that those who wait do not all come back at once.
		if !sleep(ctx, wait+rand.N(wait/10+time.Millisecond)) {
			return false, ctx.Err()
		}
	}
}

// try takes, or says how long to wait before trying again.
func (p *pacer) try(tokens float64) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	wait := max(p.paused.Sub(now), p.requests.wait(now, 1), p.tokens.wait(now, tokens))
	amounts := [2]float64{1, tokens}
	for i := range p.told {
		w := &p.told[i]
		if w.known && !now.Before(w.reset) {
			// Whole again; without a limit told nothing is known until the next answer.
			w.known, w.remaining, w.reset = w.limit > 0, w.limit, now.Add(time.Minute)
		}
		if w.known && w.remaining < amounts[i] && (w.limit == 0 || w.remaining < w.limit) {
			wait = max(wait, w.reset.Sub(now))
		}
	}
	if wait > 0 {
		return wait
	}
	p.requests.level--
	p.tokens.level -= tokens
	for i := range p.told {
		p.told[i].remaining -= amounts[i]
	}
	return 0
}

// settle corrects the tokens of a call that was taken for fewer or more.
func (p *pacer) settle(taken, used float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens.level += taken - used
}

// tell takes up what an answer's headers say.
func (p *pacer) tell(x *exchange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, w := range []window{x.requests, x.tokens} {
		if w.known {
			p.told[i] = w
		}
	}
	if x.retryAfter > 0 && (x.status == http.StatusTooManyRequests || x.status == http.StatusServiceUnavailable) {
		if until := p.now().Add(x.retryAfter); until.After(p.paused) {
			p.paused = until
		}
	}
}

// sleep waits for d; false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
