package eval

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"chartcode/internal/testdata"
)

var update = flag.Bool("update", false, "rewrite the kept files")

func TestKeptFoldsAreThoseOfTheSeed(t *testing.T) {
	d, err := ReadDataset(testdata.Path(t, "eval/codiesp-train.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	f := NewFolds(d.Notes, 5)
	if *update {
		if err := os.WriteFile("folds.txt", []byte(f.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if f.String() != foldList {
		t.Error("folds.txt is not what the seed gives; figures of earlier runs would not compare")
	}
	if got := KeptFolds(d.Notes).String(); got != foldList {
		t.Error("the kept list is not used for its own dataset")
	}
	if n := strings.Count(foldList, "\n") - 1; n != 483 {
		t.Errorf("%d articles, want 483", n)
	}
}

func TestNotesOfOneArticleShareAFold(t *testing.T) {
	var notes []GoldNote
	for i := range 40 {
		for j := 1; j <= 3; j++ {
			var n GoldNote
			n.NoteID = fmt.Sprintf("x-S%03d-%d", i, j)
			notes = append(notes, n)
		}
	}
	f := NewFolds(notes, 5)
	size := make([]int, 5)
	for i := range notes {
		if f.Of(&notes[i]) != f.Of(&notes[i/3*3]) {
			t.Fatal("an article is split over folds")
		}
		size[f.Of(&notes[i])]++
	}
	for k, n := range size {
		if n != 24 {
			t.Errorf("fold %d has %d notes, want 24", k, n)
		}
	}
}
