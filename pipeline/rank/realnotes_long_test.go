//go:build long

package rank

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"chartcode/internal/testdata"
)

// Of 1,265 notes that people wrote for people, and more than 900 coded case
// reports, none speaks to a program.
func TestLongRealNotesDoNotSpeakToPrograms(t *testing.T) {
	n := 0
	for _, name := range []string{"notes/mtsamples.jsonl", "notes/aci-bench.jsonl", "eval/codiesp-train.jsonl"} {
		f, err := os.Open(testdata.Path(t, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		in := bufio.NewScanner(f)
		in.Buffer(nil, 16<<20)
		for in.Scan() {
			var note struct {
				NoteID string `json:"note_id"`
				Text   string `json:"text"`
			}
			if err := json.Unmarshal(in.Bytes(), &note); err != nil {
				t.Fatal(err)
			}
			n++
			for _, s := range AddressedToModel(note.Text) {
				t.Errorf("%s at %d: %q", note.NoteID, s.Start, note.Text[s.Start:min(s.End, s.Start+200)])
			}
		}
		if err := in.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if n < 1000 {
		t.Errorf("only %d notes", n)
	}
}

// Of notes that people wrote for people hardly any is to be read with more care than
// others: a notice that many have is read by nobody.
func TestLongFewRealNotesHaveDoubtfulPassages(t *testing.T) {
	t.Parallel()
	notes, told, passages := 0, 0, 0
	for _, name := range []string{"notes/mtsamples.jsonl", "notes/aci-bench.jsonl"} {
		f, err := os.Open(testdata.Path(t, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		in := bufio.NewScanner(f)
		in.Buffer(nil, 16<<20)
		for in.Scan() {
			var note struct{ Text string }
			if err := json.Unmarshal(in.Bytes(), &note); err != nil {
				t.Fatal(err)
			}
			notes++
			list := DoubtfulPassages(note.Text)
			passages += len(list)
			if len(list) > 0 {
				told++
			}
			for _, d := range list {
				t.Logf("%q", strings.TrimSpace(note.Text[d.Start:min(d.End, d.Start+160)]))
			}
		}
		if err := in.Err(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d notes, %d passages", told, notes, passages)
	if told > notes/100 {
		t.Errorf("%d of %d notes have doubtful passages", told, notes)
	}
}
