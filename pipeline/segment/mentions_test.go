package segment

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"os"
	"sort"
	"strconv"
	"strings"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/testdata"
)

// The share of the labeled mentions that must come out right. The figures of
// the first run on each file, before anything was changed for it, are in the
// file's head.
const mentionAccuracy = 0.95

// readNotes gives the notes of the development sets by id.
func readNotes(t testing.TB) map[string]coding.Note {
	t.Helper()
	out := make(map[string]coding.Note)
	for _, name := range []string{"notes/mtsamples.jsonl", "notes/aci-bench.jsonl"} {
		f, err := os.Open(testdata.Path(t, name))
		if err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(f)
		sc.Buffer(nil, 4<<20)
		for sc.Scan() {
			var n coding.Note
			if err := json.Unmarshal(sc.Bytes(), &n); err != nil {
				t.Fatalf("%s: not a note", name)
			}
			n.NoteType = ""
			out[n.NoteID] = n
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestLabeledMentions measures the assertions of mentions in real notes
// against labels made by hand; it prints where they differ by note and offset,
// without the notes' text.
func TestLabeledMentions(t *testing.T) {
	notes := readNotes(t)
	for _, name := range []string{"mentions.csv", "mentions-second.csv"} {
		t.Run(name, func(t *testing.T) { measureMentions(t, notes, "testdata/"+name) })
	}
}

func measureMentions(t *testing.T, notes map[string]coding.Note, path string) {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(string(raw)))
	r.Comment = '#'
	recs, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	docs := make(map[string]*coding.Document)
	total, right := map[string]int{}, map[string]int{}
	all, good := 0, 0
	for _, rec := range recs[1:] {
		note, ok := notes[rec[0]]
		if !ok {
			t.Fatalf("no note %s", rec[0])
		}
		start, err1 := strconv.Atoi(rec[1])
		end, err2 := strconv.Atoi(rec[2])
		if err1 != nil || err2 != nil || start >= end || end > len(note.Text) {
			t.Fatalf("bad offsets in %v", rec)
		}
		doc := docs[rec[0]]
		if doc == nil {
			doc = Segment(note)
			docs[rec[0]] = doc
		}
		labels := strings.Split(rec[3], "/")
		got := string(doc.AssertionOf(coding.Span{Start: start, End: end}))
		total[labels[0]]++
		all++
		if contains(labels, got) {
			right[labels[0]]++
			good++
			continue
		}
		t.Logf("%s [%d,%d): %s, labeled %s", rec[0], start, end, got, rec[3])
	}
	classes := make([]string, 0, len(total))
	for c := range total {
		classes = append(classes, c)
	}
	sort.Strings(classes)
	for _, c := range classes {
		t.Logf("%-12s %3d of %3d", c, right[c], total[c])
	}
	t.Logf("all          %3d of %3d (%.3f)", good, all, float64(good)/float64(all))
	if all < 100 {
		t.Errorf("%d mentions, want at least 100", all)
	}
	if float64(good) < mentionAccuracy*float64(all) {
		t.Errorf("accuracy %.3f, want at least %.3f", float64(good)/float64(all), mentionAccuracy)
	}
}
