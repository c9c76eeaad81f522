package simulate_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/simulate"
)

func config(until time.Time, days int) simulate.Config {
	return simulate.Config{
		Until: until, Days: days, Coders: 2, Notes: 200, Seed: 1, Zone: time.UTC,
		Write: func(context.Context, []coding.Story) error { return nil },
	}
}

// However little time there is, inventing comes to an end, and nothing happens later
// than the end.
func TestShortTimes(t *testing.T) {
	t.Parallel()
	midnight := time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)
	if _, err := simulate.Run(t.Context(), config(midnight, 1)); !errors.Is(err, simulate.ErrNoTime) {
		t.Errorf("no time at all gave %v", err)
	}
	for until, days := range map[time.Time]int{midnight: 2, midnight.Add(time.Second): 1, midnight.Add(90 * time.Minute): 1, midnight.Add(13 * time.Hour): 3} {
		cfg, notes := config(until, days), 0
		cfg.Write = func(_ context.Context, stories []coding.Story) error {
			for _, st := range stories {
				for _, n := range st.Notes {
					notes++
					if n.ReceivedAt.After(until) || n.StoredAt.After(until) {
						t.Errorf("until %v: a note came at %v and was there at %v", until, n.ReceivedAt, n.StoredAt)
					}
				}
			}
			return nil
		}
		r, err := simulate.Run(t.Context(), cfg)
		if err != nil || r.Notes != notes || notes == 0 && until.Sub(r.From) > time.Minute {
			t.Errorf("until %v: %d notes were said, %d written: %v", until, r.Notes, notes, err)
		}
	}
}

func TestInventingStopsWhenTold(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	cfg := config(time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC), 30)
	cfg.Notes = 1 << 40
	if _, err := simulate.Run(ctx, cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("told to stop, it gave %v", err)
	}
}
