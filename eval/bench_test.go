package eval

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"testing"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/learned"
	"chartcode/internal/testdata"
	"chartcode/pipeline/rank"
	"chartcode/pipeline/retrieve"
	"chartcode/pipeline/segment"
)

// official loads the official files, without a database and so without vectors.
func official(tb testing.TB) ([]coding.Term, *codeset.Table) {
	tb.Helper()
	var terms []coding.Term
	var table *codeset.Table
	for _, name := range []string{"icd10cm-2026.zip", "icd10cm-2021.zip", "icd10cm-index-2025.zip", "icd10cm-tables-2026.zip"} {
		contents, err := codeset.ReadFile(testdata.Path(tb, "codesets/"+name), codeset.ReadOptions{})
		if err != nil {
			tb.Fatal(err)
		}
		for _, c := range contents {
			if c.Release.ID == "icd10cm-2021" {
				continue
			}
			terms = append(terms, c.Terms...)
			if c.Release.ID == "icd10cm-2026" {
				table = codeset.NewTable(c.Release, c.Codes)
			}
		}
	}
	return terms, table
}

func lines(tb testing.TB, name string, limit int) []coding.Note {
	tb.Helper()
	f, err := os.Open(testdata.Path(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 4<<20)
	var out []coding.Note
	for s.Scan() && len(out) < limit {
		var n coding.Note
		if err := json.Unmarshal(s.Bytes(), &n); err != nil {
			tb.Fatal(err)
		}
		n.NoteType = ""
		out = append(out, n)
	}
	return out
}

// BenchmarkNote measures a note through segmentation, retrieval by words and
// ranking, without vectors.
func BenchmarkNote(b *testing.B) {
	terms, table := official(b)
	models, err := learned.Default()
	if err != nil {
		b.Fatal(err)
	}
	r, err := retrieve.New(retrieve.Config{Terms: terms, Models: models})
	if err != nil {
		b.Fatal(err)
	}
	l, err := rank.NewLocal(rank.LocalConfig{Models: models})
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	notes := lines(b, "notes/mtsamples.jsonl", 200)
	for _, style := range []coding.Style{coding.Billing, coding.Mentions} {
		b.Run(string(style), func(b *testing.B) {
			i := 0
			for b.Loop() {
				n := notes[i%len(notes)]
				i++
				doc := segment.Segment(n)
				c, err := r.Retrieve(ctx, doc, table, retrieve.Options{Style: style, NoDense: true})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := l.Rank(ctx, rank.Input{Note: n, Doc: doc, Style: style, Candidates: c, Table: table}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
