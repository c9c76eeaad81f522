package lexicon

import (
	_ "embed"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed tables/abbreviations.csv
var abbreviationsCSV string

//go:embed tables/phrases.csv
var phrasesCSV string

//go:embed tables/equivalents.txt
var equivalentsText string

var (
	abbreviations = sync.OnceValue(readAbbreviations)
	phrases       = sync.OnceValue(readPhrases)
	equivalents   = sync.OnceValue(readEquivalents)
)

// caseRule says how an abbreviation must be written to count.
type caseRule uint8

const (
	caseAny   caseRule = iota
	caseExact          // as in the table, or in capitals
	caseWord           // exact; its lower-case form is an English word
)

// reading is one thing that an abbreviation or phrase may stand for.
type reading struct {
	written  string   // as in the table
	pattern  []string // the tokens that must follow each other: Lower of abbreviations, Norm of phrases
	text     string
	norms    []string
	weight   float64
	rule     caseRule
	context  map[string]bool // norms
	sections map[string]bool
}

// readTable gives the records of an embedded CSV after its header. The tables
// are part of the program: an error in one is a programming error, found by the
// package's tests.
func readTable(text string, columns int) [][]string {
	r := csv.NewReader(strings.NewReader(text))
	r.Comment = '#'
	r.FieldsPerRecord = columns
	recs, err := r.ReadAll()
	if err != nil {
		panic("lexicon: embedded table: " + err.Error())
	}
	return recs[1:]
}

func weightOf(s string) float64 {
	w, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic("lexicon: embedded table: " + err.Error())
	}
	return w
}

// readAbbreviations indexes the readings by the first token of their pattern.
func readAbbreviations() map[string][]*reading {
	m := make(map[string][]*reading, 1024)
	for _, rec := range readTable(abbreviationsCSV, 7) {
		r := &reading{written: rec[0], text: rec[1], norms: Norms(rec[1]), weight: weightOf(rec[2])}
		for _, t := range Tokenize(rec[0]) {
			r.pattern = append(r.pattern, t.Lower)
		}
		switch rec[3] {
		case "exact":
			r.rule = caseExact
		case "word":
			r.rule = caseWord
		}
		if rec[4] != "" {
			r.context = make(map[string]bool)
			for _, n := range Norms(rec[4]) {
				r.context[n] = true
			}
		}
		if rec[5] != "" {
			r.sections = set(rec[5])
		}
		m[r.pattern[0]] = append(m[r.pattern[0]], r)
	}
	return m
}

// readPhrases indexes the phrases by the norm of their first word.
func readPhrases() map[string][]*reading {
	m := make(map[string][]*reading, 512)
	for _, rec := range readTable(phrasesCSV, 3) {
		r := &reading{written: rec[0], pattern: Norms(rec[0]), text: rec[1], norms: Norms(rec[1]), weight: weightOf(rec[2])}
		if !slices.Equal(r.pattern, r.norms) {
			m[r.pattern[0]] = append(m[r.pattern[0]], r)
		}
	}
	return m
}

// Equivalent is another word of the same meaning. Weight, below 1, says how
// often the two can stand for each other.
type Equivalent struct {
	Norm   string
	Weight float64
}

// Equivalents gives the words that mean the same as a norm (kidney: renal),
// most alike first; nil when there are none. The result must not be changed.
func Equivalents(norm string) []Equivalent { return equivalents()[norm] }

func readEquivalents() map[string][]Equivalent {
	m := make(map[string][]Equivalent)
	put := func(a, b string, w float64) {
		if a == b {
			return
		}
		list := m[a]
		for i := range list {
			if list[i].Norm == b {
				list[i].Weight = max(list[i].Weight, w)
				return
			}
		}
		at := len(list)
		for at > 0 && list[at-1].Weight < w {
			at--
		}
		list = append(list, Equivalent{})
		copy(list[at+1:], list[at:])
		list[at] = Equivalent{b, w}
		m[a] = list
	}
	for _, l := range lines(equivalentsText) {
		weight, words, _ := strings.Cut(l, ":")
		w := weightOf(strings.TrimSpace(weight))
		norms := Norms(words)
		for i, a := range norms {
			for _, b := range norms[i+1:] {
				put(a, b, w)
				put(b, a, w)
			}
		}
	}
	return m
}
