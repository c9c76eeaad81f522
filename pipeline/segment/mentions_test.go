package segment

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
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

// mention is a line of the JSONL files. A slash in a label allows either.
type mention struct {
	Note        string `json:"note"`
	Start       int    `json:"start"`
	End         int    `json:"end"`
	Assertion   string `json:"assertion"`
	Experiencer string `json:"experiencer"` // patient, family
	Laterality  string `json:"laterality"`  // none, left, right, bilateral
	Acuity      string `json:"acuity"`      // none or the word of a fact
}

// readMentions gives the mentions of a JSONL file, whose first line says where
// they come from and who labeled them.
func readMentions(t *testing.T, path string) []mention {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []mention
	for i, l := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		if i == 0 {
			var head struct {
				LabeledBy string `json:"labeled_by"`
			}
			if err := json.Unmarshal([]byte(l), &head); err != nil || head.LabeledBy == "" {
				t.Fatalf("%s does not say who labeled it", path)
			}
			continue
		}
		var m mention
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			t.Fatalf("%s:%d: %v", path, i+1, err)
		}
		out = append(out, m)
	}
	return out
}

// TestLabeledQualities measures assertion, experiencer, laterality and acuity
// of mentions in real notes against labels made before the program was run. The
// first line of each file has the figures of its first run; the floors are a
// little below what is reached now.
func TestLabeledQualities(t *testing.T) {
	notes := readNotes(t)
	for _, c := range []struct {
		file   string
		least  int
		floors map[string]float64
	}{
		{"mentions-fourth.jsonl", 100, map[string]float64{"assertion": 0.95, "experiencer": 0.98, "laterality": 0.94, "acuity": 0.96}},
		{"mentions-third.jsonl", 200, map[string]float64{"assertion": 0.97, "experiencer": 0.98, "laterality": 0.96, "acuity": 0.98}},
	} {
		t.Run(c.file, func(t *testing.T) {
			list := readMentions(t, "testdata/"+c.file)
			if len(list) < c.least {
				t.Errorf("%d mentions, want at least %d", len(list), c.least)
			}
			docs := make(map[string]*coding.Document)
			good := map[string]int{}
			total, right := map[string]int{}, map[string]int{}
			for _, m := range list {
				note, ok := notes[m.Note]
				if !ok || m.Start >= m.End || m.End > len(note.Text) {
					t.Fatalf("no mention %s [%d,%d)", m.Note, m.Start, m.End)
				}
				doc := docs[m.Note]
				if doc == nil {
					doc = Segment(note)
					docs[m.Note] = doc
				}
				s := coding.Span{Start: m.Start, End: m.End}
				a := string(doc.AssertionOf(s))
				experiencer := "patient"
				if a == string(coding.Family) {
					experiencer = "family"
				}
				first, _, _ := strings.Cut(m.Assertion, "/")
				total[first]++
				for _, q := range [...]struct{ name, got, want string }{
					{"assertion", a, m.Assertion}, {"experiencer", experiencer, m.Experiencer},
					{"laterality", qualifierOf(doc, s, coding.FactLaterality), m.Laterality}, {"acuity", qualifierOf(doc, s, coding.FactAcuity), m.Acuity},
				} {
					if contains(strings.Split(q.want, "/"), q.got) {
						good[q.name]++
						if q.name == "assertion" {
							right[first]++
						}
						continue
					}
					t.Logf("%s [%d,%d): %s %s, labeled %s", m.Note, m.Start, m.End, q.name, q.got, q.want)
				}
			}
			for _, a := range []string{"present", "negated", "possible", "historical", "family", "hypothetical"} {
				t.Logf("%-12s %3d of %3d", a, right[a], total[a])
			}
			for _, name := range []string{"assertion", "experiencer", "laterality", "acuity"} {
				share := float64(good[name]) / float64(len(list))
				t.Logf("%-12s %3d of %3d (%.3f)", name, good[name], len(list), share)
				if share < c.floors[name] {
					t.Errorf("%s: %.3f right, want at least %.3f", name, share, c.floors[name])
				}
			}
		})
	}
}

// qualifierOf gives what the facts of a kind say of a mention, as a reader
// takes it: the word within it, else the nearest in its clause from which no
// comma parts it, else for a side the only one of the clause; none where there
// is none.
func qualifierOf(doc *coding.Document, s coding.Span, kind coding.FactKind) string {
	clause := s
	for _, c := range doc.Clauses {
		if c.Overlaps(s) {
			clause = c
		}
	}
	best, only, distance := "", "", len(doc.Text)
	for _, f := range doc.Facts {
		if f.Kind != kind || !clause.Overlaps(f.Span) {
			continue
		}
		switch only {
		case "", f.Word:
			only = f.Word
		default:
			only = "several"
		}
		from, to := f.End, s.Start
		if f.Start >= s.Start {
			from, to = s.End, f.Start
		}
		if between := doc.Text[min(from, to):max(from, to)]; from > to || !strings.ContainsAny(between, ",;") && to-from < distance {
			best, distance = f.Word, max(0, to-from)
		}
	}
	if best == "" && kind == coding.FactLaterality && only != "several" {
		best = only
	}
	if best == "" {
		return "none"
	}
	return best
}

// labeledSpans gives the spans of all labeled mentions by note.
func labeledSpans(t *testing.T) map[string][][2]int {
	t.Helper()
	out := map[string][][2]int{}
	for _, name := range []string{"mentions.csv", "mentions-second.csv"} {
		raw, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(strings.NewReader(string(raw)))
		r.Comment = '#'
		recs, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range recs[1:] {
			start, _ := strconv.Atoi(rec[1])
			end, _ := strconv.Atoi(rec[2])
			out[rec[0]] = append(out[rec[0]], [2]int{start, end})
		}
	}
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		for _, m := range readMentions(t, path) {
			out[m.Note] = append(out[m.Note], [2]int{m.Start, m.End})
		}
	}
	return out
}
