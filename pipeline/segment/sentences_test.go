package segment

import (
	"os"
	"strings"
	"testing"

	"chartcode/internal/coding"
)

// labeled is a text with one mention in it and the assertions that a reader
// takes for right.
type labeled struct {
	text   string
	span   coding.Span
	labels []string
}

func readLabeled(t *testing.T, path string) []labeled {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []labeled
	for l := range strings.SplitSeq(string(raw), "\n") {
		if l == "" || l[0] == '#' {
			continue
		}
		label, text, ok := strings.Cut(l, " | ")
		open, shut := strings.IndexByte(text, '['), strings.IndexByte(text, ']')
		if !ok || open < 0 || shut < open {
			t.Fatalf("bad line %q", l)
		}
		text = text[:open] + text[open+1:shut] + text[shut+1:]
		out = append(out, labeled{text, coding.Span{Start: open, End: shut - 1}, strings.Split(label, "/")})
	}
	return out
}

// TestLabeledSentences measures the assertions on sentences labeled by hand.
func TestLabeledSentences(t *testing.T) {
	wrong, dangerous := 0, 0
	cases := readLabeled(t, "testdata/sentences.txt")
	for _, c := range cases {
		doc := Segment(coding.Note{Text: c.text})
		got := string(doc.AssertionOf(c.span))
		if contains(c.labels, got) {
			continue
		}
		wrong++
		if got == string(coding.Present) {
			dangerous++
		}
		t.Logf("%q: %q is %s, labeled %s", c.text, c.text[c.span.Start:c.span.End], got, strings.Join(c.labels, "/"))
	}
	n := len(cases)
	t.Logf("%d sentences, %d wrong (%.1f%%), of them %d taken for present", n, wrong, 100*float64(wrong)/float64(n), dangerous)
	if n < 150 {
		t.Errorf("%d sentences, want at least 150", n)
	}
	if 100*wrong > 3*n {
		t.Errorf("%d of %d wrong, more than 3%%", wrong, n)
	}
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
