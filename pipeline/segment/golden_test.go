package segment

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"chartcode/internal/coding"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the expected output of the txtar cases")

// TestGolden runs the cases of testdata/*.txtar: NAME is the text of a note,
// NAME.out what it is read as.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases")
	}
	cases := 0
	for _, path := range files {
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
		out := &txtar.Archive{Comment: ar.Comment}
		for _, f := range ar.Files {
			if strings.HasSuffix(f.Name, ".out") {
				continue
			}
			cases++
			doc := Segment(coding.Note{Text: strings.TrimSuffix(string(f.Data), "\n")})
			got := render(doc, filepath.Base(path))
			out.Files = append(out.Files, f, txtar.File{Name: f.Name + ".out", Data: []byte(got)})
			if d := cmp.Diff(want[f.Name], got); d != "" && !*update {
				t.Errorf("%s %s (-want +got):\n%s", path, f.Name, d)
			}
		}
		if *update {
			if err := os.WriteFile(path, txtar.Format(out), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d cases", cases)
}

// TestCasesCoverTheSubjects counts the txtar cases of each subject, here and,
// for what words mean, beside the lexicon.
func TestCasesCoverTheSubjects(t *testing.T) {
	total := 0
	for _, subject := range []struct {
		name  string
		files []string
		least int
	}{
		{"headings and section kinds", []string{"testdata/headings.txtar"}, 45},
		{"headings whose line breaks became commas", []string{"testdata/comma-headings.txtar"}, 15},
		{"sentences and clauses", []string{"testdata/sentences.txtar"}, 35},
		{"lists", []string{"testdata/lists.txtar"}, 15},
		{"abbreviations", []string{"../../internal/lexicon/testdata/abbreviations.txtar"}, 25},
		{"spelling variants", []string{"../../internal/lexicon/testdata/spellings.txtar"}, 20},
		{"measurements", []string{"testdata/facts.txtar", "testdata/measurements.txtar"}, 40},
		{"laterality, acuity, encounter", []string{"testdata/qualifiers.txtar"}, 28},
		{"negation", []string{"testdata/negation.txtar"}, 50},
		{"templates, tables, questions", []string{"testdata/answers.txtar"}, 20},
		{"possible, historical, hypothetical", []string{"testdata/assertions.txtar", "testdata/doubt.txtar"}, 100},
		{"experiencer", []string{"testdata/experiencer.txtar"}, 18},
	} {
		n := 0
		for _, path := range subject.files {
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range ar.Files {
				if strings.HasSuffix(f.Name, ".out") {
					n++
				}
			}
		}
		t.Logf("%3d %s", n, subject.name)
		if n < subject.least {
			t.Errorf("%d cases of %s, want at least %d", n, subject.name, subject.least)
		}
		total += n
	}
	t.Logf("%3d in all", total)
	if total < 320 {
		t.Errorf("%d cases, want at least 320", total)
	}
}

// render writes a document for reading: sections, sentences (* for items),
// clauses where a sentence has several, scopes and facts.
func render(doc *coding.Document, file string) string {
	var b strings.Builder
	text := func(s coding.Span) string { return strings.ReplaceAll(doc.Text[s.Start:s.End], "\n", " / ") }
	section := -1
	clauses, scopes, facts := doc.Clauses, doc.Scopes, doc.Facts
	for i, s := range doc.Sentences {
		for section < s.Section {
			section++
			sec := doc.Sections[section]
			if sec.Heading.Len() > 0 || sec.Kind != "" {
				fmt.Fprintf(&b, "[%s] %s\n", sec.Kind, text(sec.Heading))
			}
		}
		mark := "-"
		if s.Item {
			mark = "*"
		}
		fmt.Fprintf(&b, "%s %s\n", mark, text(s.Span))
		var own []string
		for len(clauses) > 0 && clauses[0].Start < s.End {
			own = append(own, text(clauses[0]))
			clauses = clauses[1:]
		}
		if file == "sentences.txtar" && len(own) > 1 {
			fmt.Fprintf(&b, "    clauses %s\n", strings.Join(own, " | "))
		}
		for _, sc := range scopes {
			if sc.Start >= s.Start && sc.Start < s.End || sc.Start < s.Start && sc.End > s.Start && i > 0 && sc.Start >= doc.Sections[s.Section].Start && sc.Cue == doc.Sections[s.Section].Heading {
				fmt.Fprintf(&b, "    %s {%s}\n", sc.Assertion, text(coding.Span{Start: max(sc.Start, s.Start), End: min(sc.End, s.End)}))
			}
		}
		for len(facts) > 0 && facts[0].Start < s.End {
			f := facts[0]
			facts = facts[1:]
			if file != "facts.txtar" && file != "measurements.txtar" && file != "qualifiers.txtar" {
				continue
			}
			v := f.Word
			if v == "" {
				v = strconv.FormatFloat(f.Value, 'f', -1, 64)
				if len(v) > 6 {
					v = strconv.FormatFloat(f.Value, 'f', 2, 64)
				}
				if f.Second != 0 {
					v += "/" + strconv.FormatFloat(f.Second, 'f', -1, 64)
				}
				if f.Unit != "" {
					v += " given in " + f.Unit + "s"
				}
			}
			fmt.Fprintf(&b, "    %s %s {%s}\n", f.Kind, v, text(f.Span))
		}
	}
	for section+1 < len(doc.Sections) {
		section++
		fmt.Fprintf(&b, "[%s] %s\n", doc.Sections[section].Kind, text(doc.Sections[section].Heading))
	}
	return b.String()
}

// A measurement whose first word is not listed would never be found.
func TestMeasuresAreReachable(t *testing.T) {
	for name := range measures {
		first, _, _ := strings.Cut(name, " ")
		if !measureFirst[first] {
			t.Errorf("%q is not listed", first)
		}
	}
}
