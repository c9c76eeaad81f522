package llm

import (
	"net/http"
	"testing"
	"time"
)

func TestLimitsAreRead(t *testing.T) {
	now := time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		remaining, reset, limit string
		want                    window
	}{
		"as OpenAI":       {"59", "1m2.5s", "60", window{true, 59, 60, now.Add(62500 * time.Millisecond)}},
		"milliseconds":    {"0", "20ms", "60", window{true, 0, 60, now.Add(20 * time.Millisecond)}},
		"as Azure":        {"3", "12", "", window{true, 3, 0, now.Add(12 * time.Second)}},
		"far too long":    {"0", "1e9", "", window{true, 0, 0, now.Add(maxReset)}},
		"no reset":        {"3", "", "60", window{}},
		"nothing":         {"", "", "", window{}},
		"a word":          {"many", "1s", "", window{}},
		"not a number":    {"NaN", "1s", "", window{}},
		"negative":        {"-1", "1s", "", window{}},
		"a past reset":    {"0", "-5s", "", window{}},
		"a limit of none": {"1", "1s", "0", window{true, 1, 0, now.Add(time.Second)}},
	} {
		h := http.Header{}
		h.Set("x-ratelimit-remaining-tokens", c.remaining)
		h.Set("x-ratelimit-reset-tokens", c.reset)
		h.Set("x-ratelimit-limit-tokens", c.limit)
		if got := limits(h, "tokens", now); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		if got := limits(h, "requests", now); got.known {
			t.Errorf("%s: read for requests too", name)
		}
	}
}

func FuzzLimits(f *testing.F) {
	f.Add("59", "1m2.5s", "60")
	f.Add("NaN", "Inf", "-Inf")
	f.Fuzz(func(t *testing.T, remaining, reset, limit string) {
		now := time.Unix(1e9, 0)
		h := http.Header{"X-Ratelimit-Remaining-Requests": {remaining}, "X-Ratelimit-Reset-Requests": {reset}, "X-Ratelimit-Limit-Requests": {limit}}
		w := limits(h, "requests", now)
		if w.known && (!(w.remaining >= 0) || !(w.limit >= 0) || w.reset.Before(now) || w.reset.After(now.Add(maxReset))) {
			t.Errorf("%+v", w)
		}
	})
}

// clocked is a pacer whose time stands still.
func clocked(rpm, tpm int) (*pacer, *time.Time) {
	now := time.Unix(1_000_000, 0)
	p := newPacer(rpm, tpm)
	p.now = func() time.Time { return now }
	return p, &now
}

func TestConfiguredLimits(t *testing.T) {
	p, now := clocked(60, 6000)
	taken := 0
	for p.try(10) == 0 {
		taken++
	}
	if taken != 60 {
		t.Errorf("%d at once of 60 a minute", taken)
	}
	*now = now.Add(time.Second)
	if p.try(10) != 0 || p.try(10) == 0 {
		t.Error("one a second is what 60 a minute leave")
	}
	*now = now.Add(time.Hour)
	// By tokens: 6000 are there, what is larger passes a full bucket alone.
	if p.try(9000) != 0 {
		t.Error("a call larger than the limit would never be made")
	}
	if wait := p.try(3000); wait != time.Minute { // 6000 - 9000 + 100 a second = 3000
		t.Errorf("wait of %v", wait)
	}
	p.settle(9000, 3000)
	if wait := p.try(3000); wait != 0 {
		t.Errorf("wait of %v after the call was smaller than expected", wait)
	}
}

func TestLimitsThatTheServerTells(t *testing.T) {
	p, now := clocked(0, 0)
	p.tell(&exchange{status: 200, requests: window{true, 2, 5, now.Add(10 * time.Second)}})
	for i, want := range []time.Duration{0, 0, 10 * time.Second, 10 * time.Second} {
		if wait := p.try(100); wait != want {
			t.Errorf("call %d: wait of %v", i, wait)
		}
	}
	*now = now.Add(10 * time.Second)
	taken := 0
	for p.try(100) == 0 {
		taken++
	}
	if taken != 5 {
		t.Errorf("%d at once after the reset, of 5", taken)
	}
	p, now = clocked(0, 0)
	p.tell(&exchange{status: 200, tokens: window{true, 500, 1000, now.Add(10 * time.Second)}})
	if p.try(400) != 0 || p.try(400) != 10*time.Second {
		t.Error("tokens are not counted")
	}
	*now = now.Add(10 * time.Second)
	if p.try(5000) != 0 {
		t.Error("a call larger than the limit would never be made")
	}
	p.tell(&exchange{status: 429, retryAfter: time.Minute})
	if p.try(1) != time.Minute {
		t.Error("Retry-After holds for the one call only")
	}
}
