package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

func TestRelayOutbox(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := storetest.New(t)
	var want []string
	for i := range 5 {
		r := result(note(fmt.Sprint("D-", i), ""), i, suggestion("I10", 1, 0.9))
		want = append(want, r.Set.SetID)
		save(t, s, r, store.Created)
	}
	waiting, age, err := s.OutboxAge(ctx)
	if err != nil || waiting != 5 || age <= 0 {
		t.Errorf("%d wait for %v: %v", waiting, age, err)
	}

	var got []string
	broken := errors.New("stream is down")
	publish := func(_ context.Context, row store.OutboxRow) error {
		if len(got) == 3 {
			return broken
		}
		var set coding.SuggestionSet
		if err := json.Unmarshal(row.Payload, &set); err != nil || set.SetID != row.MessageID || row.Subject != "suggestions.ready.north" {
			t.Errorf("%s on %s: %v", row.MessageID, row.Subject, err)
		}
		got = append(got, row.MessageID)
		return nil
	}
	if sent, err := s.RelayOutbox(ctx, 2, publish); sent != 2 || err != nil {
		t.Errorf("sent %d: %v", sent, err)
	}
	if sent, err := s.RelayOutbox(ctx, 10, publish); sent != 1 || !errors.Is(err, broken) {
		t.Errorf("sent %d: %v, want 1 and the error of publish", sent, err)
	}
	if sent, err := s.RelayOutbox(ctx, 10, publish); sent != 0 || !errors.Is(err, broken) {
		t.Errorf("sent %d: %v, want none and the error of publish", sent, err)
	}
	sofar := got
	got = nil
	if sent, err := s.RelayOutbox(ctx, 10, publish); sent != 2 || err != nil {
		t.Errorf("sent %d: %v", sent, err)
	}
	if all := append(sofar, got...); !slices.Equal(all, want) {
		t.Errorf("published %q, want %q", all, want)
	}
	if sent, err := s.RelayOutbox(ctx, 10, publish); sent != 0 || err != nil {
		t.Errorf("sent %d: %v, want none", sent, err)
	}

	if n, err := s.CleanOutbox(ctx, noon, 10); err != nil || n != 0 {
		t.Errorf("removed %d sent after the time: %v", n, err)
	}
	save(t, s, result(note("D-9", ""), 9), store.Created)
	if n, err := s.CleanOutbox(ctx, time.Now().Add(time.Hour), 3); err != nil || n != 3 {
		t.Errorf("removed %d, want 3: %v", n, err)
	}
	if n, err := s.CleanOutbox(ctx, time.Now().Add(time.Hour), 10); err != nil || n != 2 {
		t.Errorf("removed %d, want 2 and not the one that waits: %v", n, err)
	}
	if waiting, _, err := s.OutboxAge(ctx); err != nil || waiting != 1 {
		t.Errorf("%d wait, want 1: %v", waiting, err)
	}
}

// Two relays share the work; neither sends what the other is sending.
func TestRelaysAtOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for i := range 40 {
		save(t, s, result(note(fmt.Sprint("D-", i), ""), i), store.Created)
	}
	var mu sync.Mutex
	times := map[string]int{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				waiting, _, err := s.OutboxAge(t.Context())
				if err != nil {
					t.Error(err)
				}
				if waiting == 0 || err != nil {
					return
				}
				if _, err := s.RelayOutbox(t.Context(), 7, func(_ context.Context, row store.OutboxRow) error {
					mu.Lock()
					defer mu.Unlock()
					times[row.MessageID]++
					return nil
				}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if len(times) != 40 {
		t.Errorf("%d announcements, want 40", len(times))
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("%s was sent %d times", id, n)
		}
	}
}

// What was sent before the relay was told to stop is not sent again.
func TestRelayIsStopped(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for i := range 3 {
		save(t, s, result(note(fmt.Sprint("D-", i), ""), i), store.Created)
	}
	ctx, cancel := context.WithCancel(t.Context())
	sent, err := s.RelayOutbox(ctx, 10, func(ctx context.Context, row store.OutboxRow) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		cancel()
		return nil
	})
	if sent != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("sent %d: %v", sent, err)
	}
	if waiting, _, err := s.OutboxAge(t.Context()); err != nil || waiting != 2 {
		t.Errorf("%d wait, want 2: %v", waiting, err)
	}
}
