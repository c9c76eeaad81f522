package review_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/review"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// heard keeps the names of what is sent to the database, a batch as one.
type heard struct {
	mu    sync.Mutex
	names []string
}

func (h *heard) Statement(_ context.Context, name string, _ time.Duration, _ bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.names = append(h.names, name)
}

func (h *heard) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.names
	h.names = nil
	return out
}

// Who codes an item waits for the database once for each decision.
func TestRoundTripsOfActs(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	id := f.one()
	casey := f.users(coding.RoleCoder, "casey")[0]
	var h heard
	s, err := store.Open(t.Context(), store.Config{URL: f.url, Logger: f.log(), Observer: &h})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rules := func(context.Context, coding.Date, []coding.System) (review.Rules, error) {
		return func(in coding.ListCheck) [][]coding.Finding { return make([][]coding.Finding, len(in.Lists)) }, nil
	}
	r, err := review.New(review.Config{Store: s, Logger: f.log(), Now: f.now, Lease: lease, Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"next", func() error {
			got, err := r.Next(t.Context(), casey, coding.WorklistQuery{}, "one")
			if got != id {
				t.Errorf("next gave %d", got)
			}
			return err
		}, []string{"BATCH"}},
		{"look", func() error { _, err := r.Item(t.Context(), casey, id); return err }, []string{"BATCH", "BATCH"}},
		{"accept", func() error { _, err := r.Decide(t.Context(), casey, id, accept("E11.40")); return err }, []string{"UPDATE items"}},
		{"reject", func() error { _, err := r.Decide(t.Context(), casey, id, reject("I10")); return err }, []string{"UPDATE items"}},
		{"accept what was decided on elsewhere", func() error {
			f.do(casey, id, reject("E78.5"))
			h.take()
			_, err := r.Decide(t.Context(), casey, id, accept("E78.5"))
			return err
		}, []string{"UPDATE items", "BATCH", "UPDATE items"}},
		{"undo", func() error {
			_, err := r.Decide(t.Context(), casey, id, review.Act{Kind: coding.Undo})
			return err
		}, []string{"UPDATE items"}},
		{"finish", func() error {
			_, err := r.Decide(t.Context(), casey, id, review.Act{Kind: coding.Finish, Confirm: true})
			return err
		}, []string{"UPDATE items"}},
	} {
		h.take()
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := h.take(); !slices.Equal(got, step.want) {
			t.Errorf("%s sent %q, want %q", step.name, got, step.want)
		}
	}
}

// What is not an act for an item as it is known is tried on it once, and then on the
// locked item.
func TestActsAreTriedOnce(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	id := f.one()
	casey := f.users(coding.RoleCoder, "casey")[0]
	asked := 0
	r, err := review.New(review.Config{Store: f.store, Logger: f.log(), Now: f.now, Lease: lease, Rules: func(context.Context, coding.Date, []coding.System) (review.Rules, error) {
		asked++
		return func(in coding.ListCheck) [][]coding.Finding { return make([][]coding.Finding, len(in.Lists)) }, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Decide(t.Context(), casey, id, accept("I10")); err != nil {
		t.Fatal(err)
	}
	asked = 0
	if _, err := r.Decide(t.Context(), casey, id, accept("I10")); !errors.Is(err, review.ErrAlready) || asked != 2 {
		t.Errorf("an act that is refused asked for the rules %d times, %v; want 2", asked, err)
	}
}

// elsewhere is the same list in another process.
func (f *fixture) elsewhere() *fixture {
	f.t.Helper()
	g := &fixture{t: f.t, store: storetest.Open(f.t, f.url), url: f.url}
	var err error
	g.Service, err = review.New(review.Config{Store: g.store, Logger: slog.New(slog.DiscardHandler), Now: f.now, Lease: lease})
	if err != nil {
		f.t.Fatal(err)
	}
	return g
}
