package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/store/storetest"
)

// Items that are read together are as those read alone, in the order asked for.
func TestItemRecordsAreThoseOfEach(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for i, n := range []coding.Note{note("D-1", "E-1"), note("D-2", "E-2"), note("D-3", "E-1"), note("D-4", "")} {
		if _, err := s.SaveResult(t.Context(), result(n, i+1, suggestion("I10", 1, 0.9))); err != nil {
			t.Fatal(err)
		}
	}
	var got []int64
	for r, err := range s.ItemRecords(t.Context(), []int64{3, 1, 99, 2}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.Head.ID)
		alone, found, err := s.ItemRecord(t.Context(), r.Head.ID, nil)
		if err != nil || !found || alone.Head.EncounterID != r.Head.EncounterID || len(alone.Notes) != len(r.Notes) {
			t.Fatalf("item %d alone: %+v, %v", r.Head.ID, alone.Head, err)
		}
		for k, n := range alone.Notes {
			if r.Notes[k].Note.NoteID != n.Note.NoteID || r.Notes[k].Set.SetID != n.Set.SetID {
				t.Errorf("note %d of item %d is %s, alone %s", k, r.Head.ID, r.Notes[k].Note.NoteID, n.Note.NoteID)
			}
		}
	}
	if !slices.Equal(got, []int64{3, 1, 2}) {
		t.Errorf("the items %v", got)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	for _, err := range s.ItemRecords(gone, []int64{1, 2}) {
		n++
		if err == nil {
			t.Error("read with an ended context")
		}
	}
	if n != 1 {
		t.Errorf("%d results after an error", n)
	}
}

// An item that cannot be read harms nobody who wants to know another one at the same time.
func TestADamagedItemHarmsNoOther(t *testing.T) {
	t.Parallel()
	a := newActing(t, 0)
	for i := range 4 {
		listed(t, a.s, fmt.Sprint("n", i), i, nil)
	}
	if _, err := a.owner.Exec(t.Context(), `INSERT INTO decisions (item_id, seq, kind, coder, at, content, detail) VALUES (3, 1, 'accept', 'casey', now(), 1, '"damaged"')`); err != nil {
		t.Fatal(err)
	}
	know := func(name string, id int64) {
		a.start(name, func() (bool, error) { return true, a.s.Know(t.Context(), id) })
	}
	a.lock("decisions")
	know("first", 1)
	a.blocked()
	a.begun = 0
	know("second", 2)
	know("damaged", 3)
	know("fourth", 4)
	a.free()
	for i, name := range []string{"first", "second", "fourth"} {
		a.want(name, true)
		if id := []int64{1, 2, 4}[i]; recent(t, a.s, id) == nil {
			t.Errorf("item %d is not known", id)
		}
	}
	if got := a.outcomes["damaged"]; got.err == nil {
		t.Error("the damaged item was read")
	}
}
