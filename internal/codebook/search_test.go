package codebook

import (
	_ "embed"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

//go:embed testdata/queries.txt
var queriesText string

type expected struct {
	query string
	codes []string
}

func expectations(t testing.TB) []expected {
	t.Helper()
	var out []expected
	for line := range strings.Lines(queriesText) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		query, codes, ok := strings.Cut(line, " | ")
		if !ok {
			t.Fatalf("no codes in %q", line)
		}
		out = append(out, expected{query, strings.Fields(codes)})
	}
	return out
}

// fits reports whether a code is one of those that were expected.
func (e expected) fits(code string) bool {
	return slices.ContainsFunc(e.codes, func(want string) bool {
		stem, below := strings.CutSuffix(want, "-")
		return code == stem || below && strings.HasPrefix(code, stem)
	})
}

// rank is the place of the first right code, from 1; 0 if there is none.
func (e expected) rank(hits []Hit) int {
	return 1 + slices.IndexFunc(hits, func(h Hit) bool { return e.fits(h.Code.Code) })
}

func written(hits []Hit) string {
	var parts []string
	for _, h := range hits[:min(4, len(hits))] {
		m := h.Matched
		if m == nil {
			m = &Matched{Text: h.Title}
		}
		parts = append(parts, h.Code.Code+" "+h.Title+" ("+m.Text+")")
	}
	return strings.Join(parts, "; ")
}

// derived gives 1,000 different queries in the way they are typed, from the
// titles and terms of the whole table, with the code that each is of: three
// words out of order, a text whose last word is not typed to its end, one with a
// letter missing, and codes without their dot.
func derived(t testing.TB, x *Index) []expected {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var out []expected
	seen := map[string]bool{}
	for len(out) < 1000 {
		e := rng.IntN(len(x.code))
		code := x.table.At(int(x.code[e])).Code
		var words []string
		for _, tok := range lexicon.Words(x.textOf(e)) {
			if !stop(tok.Norm) {
				words = append(words, tok.Lower)
			}
		}
		query := strings.Join(words, " ")
		switch last := words[len(words)-1]; len(out) % 4 {
		case 0:
			rng.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
			query = strings.Join(words, " ")
		case 1:
			if len(last) > 5 {
				query = query[:len(query)-len(last)+4]
			}
		case 2:
			for i, w := range words {
				if len(w) > 6 && w[3] < utf8.RuneSelf && w[2] < utf8.RuneSelf {
					words[i] = w[:3] + w[4:]
					break
				}
			}
			query = strings.Join(words, " ")
		default:
			query = strings.ToLower(strings.ReplaceAll(code, ".", ""))
			query = query[:max(3, len(query)-rng.IntN(2))]
		}
		if !seen[query] {
			seen[query] = true
			out = append(out, expected{query, []string{code}})
		}
	}
	return out
}

// BenchmarkSearch reports the 95th percentile of 1,000 different queries.
//
//	go test ./internal/codebook -run '^$' -bench Search -benchtime 3x
func BenchmarkSearch(b *testing.B) {
	x := full(b)
	list := derived(b, x)
	var took []time.Duration
	for b.Loop() {
		for _, e := range list {
			began := time.Now()
			x.Search(e.query, 20)
			took = append(took, time.Since(began))
		}
	}
	slices.Sort(took)
	at := func(p float64) float64 { return float64(took[int(p*float64(len(took)-1))].Microseconds()) / 1000 }
	b.ReportMetric(at(.5), "p50-ms")
	b.ReportMetric(at(.95), "p95-ms")
	b.ReportMetric(at(1), "max-ms")
}

// BenchmarkIndex makes the index of the full table and reports what it holds.
func BenchmarkIndex(b *testing.B) {
	all := official(b)
	var terms []coding.Term
	for _, c := range all {
		terms = append(terms, c.Terms...)
	}
	codes := all["icd10cm-2026"]
	table := codeset.NewTable(codes.Release, codes.Codes)
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		x := NewIndex(table, terms)
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(x)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
}

func FuzzSearch(f *testing.F) {
	starter, err := codeset.Starter()
	if err != nil {
		f.Fatal(err)
	}
	x := NewIndex(codeset.NewTable(starter.Release, starter.Codes), starter.Terms)
	for _, e := range expectations(f) {
		f.Add(e.query)
	}
	f.Add("\xff\x00 é ]]")
	f.Fuzz(func(t *testing.T, query string) {
		hits := x.Search(query, 5)
		if len(hits) > 5 {
			t.Fatalf("%d hits", len(hits))
		}
		for _, h := range hits {
			if _, ok := x.table.Lookup(h.Code.Code); !ok {
				t.Fatalf("%s is not in the table", h.Code.Code)
			}
		}
	})
}
