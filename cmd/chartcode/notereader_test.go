package main

import (
	"fmt"
	"reflect"
	"sync"
	"testing"

	"chartcode/internal/coding"
	"chartcode/pipeline/segment"
)

func TestNoteReaderKeepsTheLatest(t *testing.T) {
	t.Parallel()
	var r noteReader
	text := func(i int) string {
		return fmt.Sprintf("HISTORY: denies fever %d.\nFAMILY HISTORY: mother had asthma.\n", i)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range keptNotes + 50 {
				r.scopes(text(i), coding.Outpatient)
			}
		})
	}
	group.Wait()
	if len(r.known) != keptNotes || len(r.recent) != keptNotes {
		t.Errorf("%d notes are kept, %d listed, want %d", len(r.known), len(r.recent), keptNotes)
	}
	for _, i := range []int{0, keptNotes + 49} {
		want := segment.Segment(coding.Note{Text: text(i), Setting: coding.Outpatient})
		if got := r.scopes(text(i), coding.Outpatient); len(got) == 0 || !reflect.DeepEqual(got, want.Scopes) {
			t.Errorf("note %d has the scopes %v, want %v", i, got, want.Scopes)
		}
		if got := r.sections(text(i), coding.Outpatient); len(got) == 0 || !reflect.DeepEqual(got, want.Sections) {
			t.Errorf("note %d has the sections %v, want %v", i, got, want.Sections)
		}
	}
}
