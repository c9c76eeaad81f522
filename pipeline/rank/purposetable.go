package rank

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"chartcode/internal/codeset"
	"chartcode/internal/lexicon"
)

//go:embed tables/purposes.csv
var purposeTable []byte

// purpose is a row of the table; the head of the file explains the columns.
type purpose struct {
	code          string
	places        placeSet
	past          bool // history states it too
	denied        bool // the cue says what is not there
	cues          []phrase
	with, without []phrase
	nowhere       bool    // without holds for the whole note
	from, to      float64 // days of age: from <= age < to
	ageless       bool    // also where no age is known
	findings      []codeset.Ref
	trust         float64
	because       string
}

// placeSet are places of a note at which a cue counts.
type placeSet uint8

const (
	placeReason placeSet = 1 << iota
	placeVisit
	placeTitle
	placeDiagnosis
	placeText
)

var placeNames = map[string]placeSet{"reason": placeReason, "visit": placeVisit, "title": placeTitle, "diagnosis": placeDiagnosis, "text": placeText}

var trusts = map[string]float64{"high": 0.85, "fair": 0.6, "low": 0.35}

// phrase is a sequence of words, compared by their norms.
type phrase struct {
	parts      []part
	start, end bool // of the sentence
}

// part is one word of several, or a gap.
type part struct {
	words    map[string]bool
	optional bool
	gap      bool
}

// gapWords is how many words a gap may hold.
const gapWords = 4

// purposes are the rows with their cues by the norm of their first word.
type purposes struct {
	rows    []purpose
	byWord  map[string][]cueRef
	atStart []cueRef // that begin with a gap at the beginning of a sentence
}

// names reports whether a row gives the code as it is.
func (p *purposes) names(code string) bool {
	return slices.ContainsFunc(p.rows, func(r purpose) bool { return r.code == code })
}

type cueRef struct{ row, cue int }

var purposeRows = sync.OnceValue(func() *purposes {
	p, err := readPurposes(purposeTable)
	if err != nil {
		panic(err) // a test reads the table
	}
	return p
})

func readPurposes(table []byte) (*purposes, error) {
	r := csv.NewReader(bytes.NewReader(table))
	r.Comment = '#'
	r.FieldsPerRecord = 10
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("rank: purposes: %w", err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("rank: purposes: no rows")
	}
	out := &purposes{byWord: map[string][]cueRef{}}
	shared := map[string][]phrase{}
	for i, f := range rows[1:] {
		p := purpose{code: f[0], trust: trusts[f[7]], findings: refs(f[6]), because: f[9] + " (" + f[8] + ")."}
		f[4], p.nowhere = strings.CutPrefix(f[4], "anywhere: ")
		for _, c := range []struct {
			text string
			to   *[]phrase
		}{{f[2], &p.cues}, {f[3], &p.with}, {f[4], &p.without}} {
			if *c.to, err = readPhrases(c.text, shared); err != nil {
				return nil, fmt.Errorf("rank: purposes: row %d: %w", i+1, err)
			}
		}
		if strings.HasPrefix(p.code, "@") {
			shared[p.code] = p.cues
			continue
		}
		for name := range strings.FieldsSeq(f[1]) {
			switch {
			case name == "past":
				p.past = true
			case name == "denied":
				p.denied = true
			case placeNames[name] == 0:
				return nil, fmt.Errorf("rank: purposes: row %d: unknown place %q", i+1, name)
			}
			p.places |= placeNames[name]
		}
		if p.from, p.to, p.ageless, err = readAges(f[5]); err != nil {
			return nil, fmt.Errorf("rank: purposes: row %d: %w", i+1, err)
		}
		if len(p.cues) == 0 || p.places == 0 || p.trust == 0 || f[8] == "" || f[9] == "" || strings.HasSuffix(f[9], ".") {
			return nil, fmt.Errorf("rank: purposes: row %d needs places, cues, trust, a source and a sentence without its point", i+1)
		}
		n := len(out.rows)
		out.rows = append(out.rows, p)
		for k, c := range p.cues {
			ref := cueRef{n, k}
			if c.parts[0].gap {
				out.atStart = append(out.atStart, ref)
				continue
			}
			for _, q := range c.parts {
				if q.gap {
					break
				}
				for w := range q.words {
					out.byWord[w] = append(out.byWord[w], ref)
				}
				if !q.optional {
					break
				}
			}
		}
	}
	return out, nil
}

// readAges reads 0d-7d, 29d-17y, 18y-, with ? where the age may be unknown.
// Both ends are included.
func readAges(s string) (from, to float64, ageless bool, err error) {
	s, ageless = strings.CutSuffix(s, "?")
	if s == "" {
		if ageless {
			return 0, 0, true, nil // only where no age is known
		}
		return 0, noAge, true, nil
	}
	a, b, ok := strings.Cut(s, "-")
	if from, err = readDays(a); err != nil || !ok {
		return 0, 0, false, fmt.Errorf("an age is like 29d-17y, not %q", s)
	}
	if b == "" {
		return from, noAge, ageless, nil
	}
	if to, err = readDays(b); err != nil {
		return 0, 0, false, err
	}
	if strings.HasSuffix(b, "y") {
		return from, to + yearDays, ageless, nil
	}
	return from, to + 1, ageless, nil
}

const (
	noAge    = 1e9
	yearDays = 365.25
)

func readDays(s string) (float64, error) {
	if n, ok := strings.CutSuffix(s, "y"); ok {
		v, err := strconv.ParseFloat(n, 64)
		return v * yearDays, err
	}
	n, _ := strings.CutSuffix(s, "d")
	return strconv.ParseFloat(n, 64)
}

func readPhrases(s string, shared map[string][]phrase) ([]phrase, error) {
	var out []phrase
	if s == "" {
		return nil, nil
	}
	for text := range strings.SplitSeq(s, "|") {
		if text[:min(1, len(text))] == "@" {
			if shared[text] == nil {
				return nil, fmt.Errorf("there is no %s above", text)
			}
			out = append(out, shared[text]...)
			continue
		}
		var p phrase
		sure := false       // a word that cannot be missing
		var before []string // the words at the place before
		for w := range strings.FieldsSeq(text) {
			switch w {
			case "^":
				p.start = true
				before = nil
			case "$":
				p.end = true
			case "..":
				p.parts = append(p.parts, part{gap: true})
				before = nil
			default:
				w, optional := strings.CutSuffix(w, "?")
				q := part{words: map[string]bool{}, optional: optional}
				here := strings.Split(strings.ReplaceAll(strings.ReplaceAll(w, "/", " "), "%", "/"), " ")
				for _, one := range here {
					norms := lexicon.Norms(one)
					if len(norms) != 1 {
						return nil, fmt.Errorf("%q is not one word", one)
					}
					q.words[norms[0]] = true
					for _, b := range before {
						if len(lexicon.Norms(b+" "+one)) == 1 {
							return nil, fmt.Errorf("%q is read as one word in %q", b+" "+one, text)
						}
					}
				}
				before = here
				p.parts = append(p.parts, q)
				sure = sure || !optional
			}
		}
		if !sure || (p.parts[0].gap && !p.start) || p.parts[len(p.parts)-1].gap {
			return nil, fmt.Errorf("the phrase %q does not begin and end with words", text)
		}
		out = append(out, p)
	}
	return out, nil
}

// match gives the number of the token after the phrase that begins at token i,
// and of the first token of its words; -1 where it does not.
func (p *phrase) match(toks []lexicon.Token, i int) (first, last int) {
	if p.start && i > 0 {
		return -1, -1
	}
	first = -1
	last = matchParts(p.parts, toks, i, p.end, &first)
	return first, last
}

func matchParts(parts []part, toks []lexicon.Token, i int, end bool, first *int) int {
	if len(parts) == 0 {
		if end && i < len(toks) {
			return -1
		}
		return i
	}
	q := &parts[0]
	if q.gap {
		for n := 0; n <= gapWords && i+n < len(toks); n++ {
			if last := matchParts(parts[1:], toks, i+n, end, first); last >= 0 {
				return last
			}
		}
		return -1
	}
	if i < len(toks) && q.words[toks[i].Norm] {
		if last := matchParts(parts[1:], toks, i+1, end, first); last >= 0 {
			*first = i // the outermost call sets it last
			return last
		}
	}
	if q.optional {
		return matchParts(parts[1:], toks, i, end, first)
	}
	return -1
}
