package learned

import (
	"maps"
	"math"
	"slices"
	"sort"
	"strings"

	"chartcode/internal/coding"
)

// Memory is what notes coded by people teach about codes: how often each was
// given, and which phrases went with it. It holds counts and phrases of at
// most MaxPhrase words that occur in at least MinNotes notes, nothing longer.
//
// Counts of the style in which the notes were coded must not be used in
// another.
type Memory struct {
	Notes   int               `json:"notes"`
	Codes   map[string]int    `json:"codes"`   // notes with the code
	Phrases map[string]Phrase `json:"phrases"` // by norms joined with blanks

	categories map[string]int
}

// Phrase is what a phrase went with.
type Phrase struct {
	Notes int         `json:"n"`
	Codes []CodeCount `json:"c"`
}

// CodeCount counts the notes that have both the phrase and the code.
type CodeCount struct {
	Code  string `json:"c"`
	Notes int    `json:"n"`
}

// Limits of what is kept.
const (
	MaxPhrase = 5 // words
	MinNotes  = 3 // notes that a phrase must occur in
	minBoth   = 2 // notes that phrase and code must share
	minShare  = 0.08
)

// Example is one coded note as Learn sees it: the distinct phrases that it
// states of the patient, and its distinct codes.
type Example struct {
	Phrases []string
	Codes   []string
}

// Learn counts codes and phrases over the examples.
func Learn(examples []Example) *Memory {
	m := &Memory{Notes: len(examples), Codes: map[string]int{}, Phrases: map[string]Phrase{}}
	n := map[string]int{}
	for _, e := range examples {
		for _, c := range e.Codes {
			m.Codes[c]++
		}
		for _, p := range e.Phrases {
			n[p]++
		}
	}
	both := map[string]map[string]int{}
	for _, e := range examples {
		for _, p := range e.Phrases {
			if n[p] < MinNotes {
				continue
			}
			b := both[p]
			if b == nil {
				b = map[string]int{}
				both[p] = b
			}
			for _, c := range e.Codes {
				b[c]++
			}
		}
	}
	for p, codes := range both {
		ph := Phrase{Notes: n[p]}
		for c, k := range codes {
			if k >= minBoth && float64(k) >= minShare*float64(n[p]) && m.telling(k, n[p], m.Codes[c]) {
				ph.Codes = append(ph.Codes, CodeCount{c, k})
			}
		}
		if len(ph.Codes) == 0 {
			continue
		}
		sort.Slice(ph.Codes, func(i, j int) bool {
			if ph.Codes[i].Notes != ph.Codes[j].Notes {
				return ph.Codes[i].Notes > ph.Codes[j].Notes
			}
			return ph.Codes[i].Code < ph.Codes[j].Code
		})
		m.Phrases[strings.Clone(p)] = ph
	}
	m.Ready()
	return m
}

// telling reports whether the phrase makes the code at least twice as likely.
func (m *Memory) telling(both, phrase, code int) bool {
	return float64(both)*float64(m.Notes) >= 2*float64(phrase)*float64(code)
}

// Ready fills what is derived; a Memory read from a file needs it once.
func (m *Memory) Ready() {
	m.categories = make(map[string]int, len(m.Codes))
	for c, n := range m.Codes {
		m.categories[coding.Category(c)] += n
	}
}

// Without holds the codes of a note that is itself among those counted: its
// own part is then left out of every count. It is nil for any other note.
type Without map[string]bool

func (w Without) of(code string) int {
	if w[code] {
		return 1
	}
	return 0
}

// CodeNotes is the number of notes with the code.
func (m *Memory) CodeNotes(code string, w Without) int { return m.Codes[code] - w.of(code) }

// CategoryCodes is the number of codes given in code's three-character category.
func (m *Memory) CategoryCodes(code string, w Without) int {
	cat := coding.Category(code)
	n := m.categories[cat]
	for c := range w {
		if coding.Category(c) == cat {
			n--
		}
	}
	return n
}

// Link is how strongly a phrase speaks for a code.
type Link struct {
	Code  string
	Share float64 // of the notes with the phrase that have the code, drawn towards the code's frequency
	Lift  float64 // natural logarithm of Share over the code's frequency
	Notes int     // with phrase and code
}

const shrink = 2 // notes' worth of prior

// Links gives what phrase speaks for, in the order kept; nil for an unknown phrase.
func (m *Memory) Links(dst []Link, phrase []byte, w Without) []Link {
	p, ok := m.Phrases[string(phrase)]
	if !ok {
		return dst
	}
	out := 0
	if w != nil {
		out = 1
	}
	n := p.Notes - out
	all := float64(m.Notes - out)
	if n < MinNotes {
		return dst
	}
	for _, c := range p.Codes {
		k := c.Notes - w.of(c.Code)
		if k < minBoth {
			continue
		}
		base := (float64(m.CodeNotes(c.Code, w)) + 0.5) / (all + 1)
		share := (float64(k) + shrink*base) / (float64(n) + shrink)
		dst = append(dst, Link{c.Code, share, math.Log(share / base), k})
	}
	return dst
}

// Prune drops phrases that say no more than a shorter phrase within them: each
// of their codes is as likely given a part of the phrase. It makes files small.
func (m *Memory) Prune() {
	better := func(p Phrase, c CodeCount) float64 { return float64(c.Notes) / (float64(p.Notes) + shrink) }
	for _, text := range slices.Sorted(maps.Keys(m.Phrases)) {
		p := m.Phrases[text]
		words := strings.Fields(text)
		if len(words) < 2 {
			continue
		}
		kept := p.Codes[:0:0]
		for _, c := range p.Codes {
			if !m.saidByPart(words, c.Code, better(p, c)) {
				kept = append(kept, c)
			}
		}
		if p.Codes = kept; len(kept) == 0 {
			delete(m.Phrases, text)
		} else {
			m.Phrases[text] = p
		}
	}
}

func (m *Memory) saidByPart(words []string, code string, least float64) bool {
	for i := range words {
		for j := i + 1; j <= len(words); j++ {
			if j-i == len(words) {
				continue
			}
			q, ok := m.Phrases[strings.Join(words[i:j], " ")]
			if !ok {
				continue
			}
			for _, c := range q.Codes {
				if c.Code == code && float64(c.Notes)/(float64(q.Notes)+shrink) >= least {
					return true
				}
			}
		}
	}
	return false
}
