package segment

import (
	"slices"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// The index by the second word leaves out no pattern that would match.
func TestCueIndexLosesNothing(t *testing.T) {
	table := cueTable()
	notes := readNotes(t)
	ids := make([]string, 0, len(notes))
	for id := range notes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	left, matched := 0, 0
	for _, id := range ids[:150] {
		r := &reader{text: notes[id].Text, toks: lexicon.Tokenize(notes[id].Text)}
		for i := 0; i+1 < len(r.toks); i++ {
			c := table[r.toks[i].Lower]
			if c == nil {
				continue
			}
			kept := table.at(r.toks[i].Lower, r.toks[i+1].Lower)
			for _, p := range c.all {
				end := r.match(p.groups, i, len(r.toks))
				if end > i {
					matched++
				}
				if !slices.Contains(kept, p) {
					left++
					if end > i {
						t.Fatalf("%s [%d,%d): a cue of %s is not found", id, r.toks[i].Start, r.toks[end-1].End, p.effect)
					}
				}
			}
		}
	}
	if matched == 0 || left < matched {
		t.Errorf("%d matches, %d patterns left out: the index does nothing", matched, left)
	}
}

// What another person has is neither the patient's nor the family's.
func TestOthersAreNoFamily(t *testing.T) {
	text := "Her husband has influenza. Her mother has influenza."
	doc := Segment(coding.Note{Text: text})
	first, second := coding.Span{Start: 16, End: 25}, coding.Span{Start: 42, End: 51}
	if a := doc.AssertionOf(first); a != coding.Negated {
		t.Errorf("the husband's: %s", a)
	}
	if a := doc.AssertionOf(second); a != coding.Family {
		t.Errorf("the mother's: %s", a)
	}
}
