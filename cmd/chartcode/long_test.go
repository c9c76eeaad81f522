//go:build long

package main

import (
	"fmt"
	"testing"
	"time"
)

// TestLongWorkersKilled: 2,000 notes, and of two workers one killed again and
// again while they are under way. Each note has exactly one suggestion set.
func TestLongWorkersKilled(t *testing.T) {
	s, _ := newServers(t)
	const notes = 2000
	if _, code := s.run("submit", s.file("notes.jsonl", noteLines("long", notes))); code != 0 {
		t.Fatalf("submit ended with %d", code)
	}
	workers := []*process{s.start("work"), s.start("work")}
	kills, last := 0, -1
	for {
		st := s.status()
		if st.Notes.InFlight == 0 && st.Notes.Received == notes {
			break
		}
		if st.Notes.Received > last { // something was done since the last kill
			last = st.Notes.Received
			workers[kills%2].kill()
			workers[kills%2] = s.start("work")
			kills++
			t.Logf("killed %d times, %d notes received", kills, last)
		}
		// The time between kills: a worker takes a few seconds to load the terms.
		time.Sleep(10 * time.Second)
	}
	st := s.settled(notes)
	if got := fmt.Sprint(st.Notes, st.SuggestionSets); st.Notes.Received != notes || st.Notes.Items != notes || st.SuggestionSets != notes || st.Notes.Dead != 0 {
		t.Errorf("after %d kills: %s", kills, got)
	}
	if kills < 3 {
		t.Errorf("the workers were killed only %d times: that shows little", kills)
	}
}
