package lexicon

import (
	"slices"
	"strings"
	"testing"

	"chartcode/internal/coding"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// golden runs the cases of a txtar file: read gives what NAME is read as, which
// NAME.out says.
func golden(t *testing.T, path string, read func(text string) string) {
	t.Helper()
	ar, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range ar.Files {
		if name, ok := strings.CutSuffix(f.Name, ".out"); ok {
			want[name] = string(f.Data)
		}
	}
	for _, f := range ar.Files {
		if strings.HasSuffix(f.Name, ".out") {
			continue
		}
		if _, ok := want[f.Name]; !ok {
			t.Errorf("%s: %s says nothing", path, f.Name)
		}
		if d := cmp.Diff(want[f.Name], read(strings.TrimSuffix(string(f.Data), "\n"))); d != "" {
			t.Errorf("%s %s (-want +got):\n%s", path, f.Name, d)
		}
	}
}

func TestGoldenAbbreviations(t *testing.T) {
	golden(t, "testdata/abbreviations.txtar", func(text string) string {
		section := coding.SectionUnknown
		if rest, ok := strings.CutPrefix(text, "["); ok {
			s, body, _ := strings.Cut(rest, "] ")
			section, text = coding.SectionKind(s), body
		}
		toks := Tokenize(text)
		var b strings.Builder
		seen := -1
		for _, e := range Expand(text, toks, func(int) coding.SectionKind { return section }) {
			if e.Phrase || e.First == seen {
				continue
			}
			seen = e.First
			b.WriteString(text[toks[e.First].Start:toks[e.Last-1].End] + " = " + e.Text + "\n")
		}
		return b.String()
	})
}

func TestGoldenSpellings(t *testing.T) {
	golden(t, "testdata/spellings.txtar", func(text string) string {
		var b strings.Builder
		for l := range strings.SplitSeq(text, "\n") {
			one, other, ok := strings.Cut(l, " | ")
			if !ok {
				t.Fatalf("bad line %q", l)
			}
			if slices.Equal(Norms(one), Norms(other)) {
				b.WriteString("same\n")
			} else {
				b.WriteString("different\n")
			}
		}
		return b.String()
	})
}
