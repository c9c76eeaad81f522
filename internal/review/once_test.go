package review_test

import (
	"sync"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// Acts that are no decisions count once too, however often they are sent with their
// key, and whatever happened to the item meanwhile.
func TestKeysOfOtherActs(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ctx := t.Context()
	us := f.users(coding.RoleCoder, "casey", "robin")
	casey, robin := us[0], us[1]
	id := f.one()
	number := 0
	ask := func(text, key string) (err error) {
		number, err = f.Ask(ctx, casey, id, review.QueryRequest{To: coding.ToAttending, Text: text, Key: key})
		return err
	}
	steps := []struct {
		name  string
		do    func(key string) error
		other func(key string) error // something else with the same key
		then  func() error           // what brings the item to where the next step begins
	}{
		{"hold", func(k string) error { return f.Hold(ctx, casey, id, "why", k) },
			func(k string) error { return f.Hold(ctx, casey, id, "for another reason", k) },
			func() error { return f.Resume(ctx, casey, id, "") }},
		{"release", func(k string) error { return f.Release(ctx, casey, id, k) },
			func(k string) error { return f.Return(ctx, casey, id, "", k) },
			func() error { _, err := f.Claim(ctx, casey, id); return err }},
		{"skip", func(k string) error { return f.Skip(ctx, casey, id, "not mine", k) },
			func(k string) error { return f.Hold(ctx, casey, id, "not mine", k) },
			func() error { _, err := f.Claim(ctx, casey, id); return err }},
		{"send", func(k string) error { return f.Send(ctx, casey, id, "robin", "look", k) },
			func(k string) error { return f.Send(ctx, casey, id, "robin", "look again", k) },
			func() error { return nil }},
		{"return", func(k string) error { return f.Return(ctx, casey, id, "", k) },
			func(k string) error { return f.Return(ctx, casey, id, "lunch", k) },
			func() error { _, err := f.Claim(ctx, casey, id); return err }},
		{"query", func(k string) error { return ask("Which side?", k) },
			func(k string) error { return ask("Since when?", k) },
			func() error { return f.Answer(ctx, robin, id, 1, "The left one.", "robin's") }},
		{"query again", func(k string) error { return ask("Since when?", k) },
			func(k string) error { return ask("Which side?", k) },
			func() error { return nil }},
		{"answer", func(k string) error { return f.Answer(ctx, casey, id, 2, "Long.", k) },
			func(k string) error { return f.Answer(ctx, casey, id, 2, "Not long.", k) },
			func() error { return ask("What now?", "") }},
		{"withdraw", func(k string) error { return f.Withdraw(ctx, casey, id, 3, "", k) },
			func(k string) error { return f.Withdraw(ctx, casey, id, 2, "", k) },
			func() error { return f.Hold(ctx, casey, id, "once more", "") }},
		{"resume", func(k string) error { return f.Resume(ctx, casey, id, k) },
			func(k string) error { return f.Release(ctx, casey, id, k) },
			func() error { return nil }},
	}
	events := func() int {
		all, err := f.store.ItemEvents(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	for _, s := range steps {
		before := events()
		if err := s.do(s.name); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if got := events() - before; got != 1 {
			t.Errorf("%s left %d events", s.name, got)
		}
		asked := number
		wantErr(t, "the key of "+s.name+" for something else", s.other(s.name), review.ErrKeyReused)
		if err := s.then(); err != nil {
			t.Fatalf("after %s: %v", s.name, err)
		}
		before, head := events(), f.item(casey, id).ItemHead
		if err := s.do(s.name); err != nil {
			t.Errorf("%s sent again: %v", s.name, err)
		}
		now := f.item(casey, id).ItemHead
		if events() != before+2 || now.Version != head.Version || now.State != head.State { // two looks
			t.Errorf("%s sent again did something: %d events, version %d -> %d", s.name, events()-before, head.Version, now.Version)
		}
		if s.name == "query" && (asked != 1 || number != 1) || s.name == "query again" && (asked != 2 || number != 2) {
			t.Errorf("%s gave number %d, then %d", s.name, asked, number)
		}
	}
	// The next item is not what another act was done to, and takes nothing with its key.
	f.save(note("D-2", "", visit))
	_, err := f.Next(ctx, casey, coding.WorklistQuery{}, "skip")
	wantErr(t, "the key of skip for the next item", err, review.ErrKeyReused)
	page, err := f.Worklist(ctx, coding.WorklistQuery{States: []coding.ItemState{coding.ItemOpen}})
	if err != nil || len(page.Items) != 1 {
		t.Errorf("%d items are open, %v; want the new one", len(page.Items), err)
	}
	other, err := f.Next(ctx, casey, coding.WorklistQuery{}, "the next")
	if err != nil || other == id {
		t.Errorf("the next item is %d, %v", other, err)
	}
	wantErr(t, "the key of the next item for a hold", f.Hold(ctx, casey, other, "why", "the next"), review.ErrKeyReused)
	// Keys of others have nothing to do with it; those that are none are refused.
	if err := f.Hold(ctx, casey, id, "a reason", "robin's"); err != nil {
		t.Error(err)
	}
	wantErr(t, "a key with a control character", f.Resume(ctx, casey, id, "a\x00b"), review.ErrInput)
}

// The next item that was asked for with a key is the same however often and however
// much at once it is asked for; another key gives another one.
func TestNextOnce(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	for _, id := range []string{"D-1", "D-2", "D-3"} {
		f.save(note(id, "", visit))
	}
	us := f.users(coding.RoleCoder, "casey", "robin")
	next := func(u coding.User, key string) int64 {
		id, err := f.Next(t.Context(), u, coding.WorklistQuery{}, key)
		if err != nil {
			t.Error(err)
		}
		return id
	}
	const many = 8
	got := make([]int64, many)
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() { got[i] = next(us[0], "one") })
	}
	wg.Wait()
	for _, id := range got {
		if id != got[0] {
			t.Errorf("one key gave items %v", got)
			break
		}
	}
	if second := next(us[0], "two"); second == got[0] {
		t.Errorf("another key gave item %d again", second)
	}
	if third := next(us[1], "one"); third == got[0] {
		t.Errorf("the same key of another user gave item %d", third)
	}
	page, err := f.Worklist(t.Context(), coding.WorklistQuery{States: []coding.ItemState{coding.ItemClaimed}, Holder: "casey"})
	if err != nil || len(page.Items) != 2 {
		t.Errorf("%d items are taken with two keys, %v", len(page.Items), err)
	}
	events, err := f.store.ItemEvents(t.Context(), got[0])
	if err != nil || len(events) != 1 {
		t.Errorf("taking one item once left %d events, %v", len(events), err)
	}
	// Once it is given back, the key still stands for it and takes nothing.
	if err := f.Release(t.Context(), us[0], got[0], ""); err != nil {
		t.Fatal(err)
	}
	if id := next(us[0], "one"); id != got[0] || f.item(us[0], id).State != coding.ItemOpen {
		t.Errorf("the key took item %d again", id)
	}
}
