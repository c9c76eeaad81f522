//go:build long

package pipeline_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/llmtest"
	"chartcode/internal/testdata"
	"chartcode/pipeline/intake"
	"chartcode/pipeline/rank"
)

// goldNote is a note with the codes that somebody gave it.
type goldNote struct {
	note  coding.Note
	known *llmtest.Known
}

// goldNotes are those of a dataset of the repository: with the texts of its own, or by
// id with those of folders of notes.
func goldNotes(t *testing.T, dataset string, most int, folders ...string) []goldNote {
	t.Helper()
	texts := map[string]coding.Note{}
	each := func(path string, f func(line []byte)) {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		in := bufio.NewScanner(file)
		in.Buffer(nil, 16<<20)
		for in.Scan() {
			f(in.Bytes())
		}
		if err := in.Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range folders {
		each(testdata.Path(t, f), func(line []byte) {
			if n, err := intake.Parse(line, ""); err == nil {
				texts[n.NoteID] = n
			}
		})
	}
	var out []goldNote
	each(filepath.Join("..", "eval", "datasets", dataset), func(line []byte) {
		var gold struct {
			NoteID string   `json:"note_id"`
			First  []string `json:"first"`
			Codes  []struct {
				Code, Tier string
				Evidence   []struct{ Start, End int }
			}
		}
		if err := json.Unmarshal(line, &gold); err != nil {
			t.Fatal(err)
		}
		n, ok := texts[gold.NoteID]
		if own, err := intake.Parse(line, ""); err == nil {
			n, ok = own, true
		}
		if !ok {
			t.Fatalf("no text of %s", gold.NoteID)
		}
		g := goldNote{n, &llmtest.Known{}}
		if len(gold.First) > 0 {
			g.known.First = gold.First[0]
		}
		for _, c := range gold.Codes {
			if c.Tier == "acceptable" {
				continue
			}
			k := llmtest.KnownCode{Code: c.Code, Confidence: 0.9}
			for _, e := range c.Evidence {
				k.Quotes = append(k.Quotes, n.Text[e.Start:e.End])
			}
			g.known.Codes = append(g.known.Codes, k)
		}
		out = append(out, g)
	})
	if len(out) > most { // from all over the file
		for i := range most {
			out[i] = out[i*len(out)/most]
		}
		out = out[:most]
	}
	return out
}

// TestLongWarningsOnHonestNotes counts how many notes that nobody tampered with get
// warnings that tell of tampering, or of rankers that differ: with a server that
// answers as the notes were coded, and with one that errs at stated rates. A warning
// that most notes carry is read by nobody.
func TestLongWarningsOnHonestNotes(t *testing.T) {
	db := loadedFrom(t, testdata.Path(t, "codesets/icd10cm-2026.zip"), testdata.Path(t, "codesets/icd10cm-index-2025.zip"), testdata.Path(t, "codesets/icd10cm-tables-2026.zip"))
	knowledge := knowledgeOf(t, db)
	tables, err := knowledge.At(t.Context(), []coding.System{coding.ICD10CM}, coding.NewDate(2026, 3, 1))
	if err != nil {
		t.Fatal(err)
	}
	title := func(code string) string {
		row, _ := tables.Main.Lookup(code)
		return row.Title
	}
	for _, set := range []struct {
		name  string
		notes []goldNote
	}{
		{"samples", goldNotes(t, "sample-notes.jsonl", 77)},
		{"notes of the public collections", goldNotes(t, "guideline-dev.jsonl", 200, "notes/mtsamples.jsonl", "notes/aci-bench.jsonl")},
	} {
		known := map[string]*llmtest.Known{}
		for _, n := range set.notes {
			known[llmtest.Letters(n.note.Text)] = n.known
		}
		for name, rates := range map[string]llmtest.Rates{"as coded": {}, "erring": llmtest.Stated} {
			server := llmtest.New(llmtest.Gold{Rates: rates, Title: title, Of: func(text string) *llmtest.Known { return known[llmtest.Letters(text)] }})
			p := llmPipeline(t, db, server.URL, nil)
			var mu sync.Mutex
			byRule, marks, suggestions := map[string]int{}, map[string]int{}, 0
			work := make(chan goldNote)
			var group sync.WaitGroup
			for range 2 {
				group.Go(func() {
					for n := range work {
						got, err := p.Process(t.Context(), n.note)
						if err != nil {
							t.Error(err)
							continue
						}
						seen := map[string]bool{}
						mu.Lock()
						for _, x := range got.Notices {
							if x.Code == coding.NoticeAddressed || x.Code == coding.NoticeDoubtful {
								seen["notice "+x.Code] = true
							}
						}
						for _, s := range got.Suggestions {
							suggestions++
							for _, w := range s.Warnings {
								if differs(w) {
									seen[w.Rule] = true
									marks[w.Rule]++
								}
							}
						}
						old, now := false, false
						for rule := range seen {
							byRule[rule]++
							now = true
							old = old || strings.HasSuffix(rule, coding.NoticeAddressed) || rule == rank.RuleApart
						}
						if old {
							byRule["any, before"]++
						}
						if now {
							byRule["any, now"]++
						}
						mu.Unlock()
					}
				})
			}
			for _, n := range set.notes {
				work <- n
			}
			close(work)
			group.Wait()
			server.Close()
			var b strings.Builder
			for _, rule := range slices.Sorted(maps.Keys(byRule)) {
				fmt.Fprintf(&b, "\n%-32s %3d notes, %3d codes", rule, byRule[rule], marks[rule])
			}
			t.Logf("%d %s, a server that answers %s: %d suggestions%s", len(set.notes), set.name, name, suggestions, b.String())
		}
	}
}
