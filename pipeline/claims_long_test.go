//go:build long

package pipeline_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/learned"
	"chartcode/internal/testdata"
	"chartcode/pipeline/rank"
	"chartcode/pipeline/retrieve"
	"chartcode/pipeline/segment"
)

// claim is a sentence or short note with a condition that it names.
type claim struct {
	kind  string
	word  string   // present, absent, past
	codes []string // beginnings of the condition's codes
	text  string
}

func readClaims(t *testing.T, path string) []claim {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []claim
	kind := ""
	for l := range strings.SplitSeq(string(raw), "\n") {
		if k, ok := strings.CutPrefix(l, "# kind: "); ok {
			kind = k
		}
		if l == "" || l[0] == '#' {
			continue
		}
		head, text, ok := strings.Cut(l, " | ")
		word, codes, two := strings.Cut(head, " ")
		if !ok || !two || word != "present" && word != "absent" && word != "past" {
			t.Fatalf("bad line %q", l)
		}
		out = append(out, claim{kind, word, strings.Split(codes, ","), strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(text)})
	}
	return out
}

// local is the way of a note without LLM and database: segmentation, retrieval
// by words in the official files, the local ranker with the shipped models.
type local struct {
	retriever *retrieve.Retriever
	ranker    *rank.Local
	table     *codeset.Table
}

func newLocal(t *testing.T) *local {
	t.Helper()
	l := &local{}
	var terms []coding.Term
	for _, name := range []string{"icd10cm-2026.zip", "icd10cm-index-2025.zip", "icd10cm-tables-2026.zip"} {
		contents, err := codeset.ReadFile(testdata.Path(t, "codesets/"+name), codeset.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range contents {
			terms = append(terms, c.Terms...)
			if c.Release.ID == "icd10cm-2026" {
				l.table = codeset.NewTable(c.Release, c.Codes)
			}
		}
	}
	if l.table == nil {
		t.Fatal("no code table of the release icd10cm-2026")
	}
	models, err := learned.Default()
	if err != nil {
		t.Fatal(err)
	}
	if l.retriever, err = retrieve.New(retrieve.Config{Terms: terms, Models: models}); err != nil {
		t.Fatal(err)
	}
	if l.ranker, err = rank.NewLocal(rank.LocalConfig{Models: models}); err != nil {
		t.Fatal(err)
	}
	return l
}

// suggested gives the suggested codes of a text; change, if not nil, alters the
// document first.
func (l *local) suggested(t *testing.T, text string, style coding.Style, change func(*coding.Document)) []string {
	t.Helper()
	n := coding.Note{NoteID: "claim", Text: text, Setting: coding.Outpatient}
	doc := segment.Segment(n)
	if change != nil {
		change(doc)
	}
	c, err := l.retriever.Retrieve(context.Background(), doc, l.table, retrieve.Options{Style: style, NoDense: true})
	if err != nil {
		t.Fatal(err)
	}
	out, err := l.ranker.Rank(context.Background(), rank.Input{Note: n, Doc: doc, Style: style, Candidates: c, Table: l.table})
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, s := range out.Suggestions {
		codes = append(codes, s.Code)
	}
	return codes
}

// under gives those of codes that begin with one of the beginnings.
func under(codes, beginnings []string) []string {
	var out []string
	for _, c := range codes {
		for _, b := range beginnings {
			if strings.HasPrefix(c, b) {
				out = append(out, c)
				break
			}
		}
	}
	return out
}

// settings are the texts in which a claim is tried: a sentence without a
// heading also where it weighs most, under that of the assessment.
func (c *claim) settings() []string {
	first, _, _ := strings.Cut(c.text, "\n")
	if c.word == "present" || strings.ContainsAny(first, ":[|") || first == strings.ToUpper(first) {
		return []string{c.text}
	}
	return []string{c.text, "ASSESSMENT: " + c.text}
}

// What is negated, of the family or hypothetical is not suggested, and what is
// there is. A sentence counts as wrong when an absent condition is suggested in
// any setting and style, a past one for a bill, or when a present one is not
// suggested for a bill.
func TestLongClaims(t *testing.T) {
	t.Parallel()
	l := newLocal(t)
	total, wrong := 0, 0
	for _, f := range []struct {
		name                   string
		least, absent, present int
	}{{"claims.txt", 150, 110, 35}, {"claims-second.txt", 60, 40, 15}, {"claims-third.txt", 50, 35, 10}, {"claims-fourth.txt", 50, 35, 10}} {
		t.Run(f.name, func(t *testing.T) {
			cases := readClaims(t, "testdata/"+f.name)
			bad := l.measure(t, cases, f.least, f.absent, f.present)
			if f.name == "claims.txt" && 100*bad > 3*len(cases) {
				t.Errorf("%d of %d wrong, more than 3%%", bad, len(cases))
			}
			wrong += bad
			total += len(cases)
		})
	}
	t.Logf("%d sentences, %d wrong (%.1f%%)", total, wrong, 100*float64(wrong)/float64(total))
	if 100*wrong > 5*total {
		t.Errorf("%d of %d wrong, more than 5%%", wrong, total)
	}
}

// measure counts the wrong ones of the cases.
func (l *local) measure(t *testing.T, cases []claim, least, leastAbsent, leastPresent int) int {
	t.Helper()
	wrong, absent, present, unguarded, shy := 0, 0, 0, 0, 0
	for i := range cases {
		c := &cases[i]
		bad, open := "", false
		for _, style := range []coding.Style{coding.Mentions, coding.Billing} {
			for _, text := range c.settings() {
				got := l.suggested(t, text, style, nil)
				found := under(got, c.codes)
				switch {
				case c.word == "present" && style == coding.Mentions:
					if len(found) == 0 {
						shy++
					}
				case c.word == "present":
					present++
					if len(found) == 0 {
						bad += " missed among " + strings.Join(got, " ")
					}
				case len(found) > 0 && (c.word == "absent" || style == coding.Billing):
					bad += " " + string(style) + " suggests " + strings.Join(found, " ")
				}
				if c.word == "absent" && !open {
					open = len(under(l.suggested(t, text, style, func(d *coding.Document) { d.Scopes = nil }), c.codes)) > 0
				}
			}
		}
		if c.word == "absent" {
			absent++
			if open {
				unguarded++
			}
		}
		if bad != "" {
			wrong++
			t.Logf("%s: %q:%s", c.kind, c.text, bad)
		}
	}
	n := len(cases)
	t.Logf("%d sentences, %d absent, %d present; %d wrong (%.1f%%)", n, absent, present, wrong, 100*float64(wrong)/float64(n))
	t.Logf("%d present ones are missed in the style mentions; with every assertion taken away %d absent ones are suggested", shy, unguarded)
	if n < least || absent < leastAbsent || present < leastPresent {
		t.Errorf("%d sentences, %d absent, %d present: want at least %d, %d and %d", n, absent, present, least, leastAbsent, leastPresent)
	}
	// Were the ranker too shy to suggest these conditions at all, the test would
	// show nothing of assertion.
	if 2*unguarded < absent {
		t.Errorf("only %d of %d absent conditions are suggested without assertions", unguarded, absent)
	}
	return wrong
}
