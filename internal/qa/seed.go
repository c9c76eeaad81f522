package qa

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// between draws a place in a list and a confidence between its neighbours there; low
// and high are those of its ends. Places whose neighbours are equal, or stand
// against the order because a rule moved one, are taken only where there are no
// others.
func between(list []coding.PracticeSuggestion, low, high float64, rng *rand.Rand) (at int, confidence float64) {
	around := func(k int) (above, below float64) {
		above, below = high, low
		if k > 0 {
			above = list[k-1].Confidence
		}
		if k < len(list) {
			below = list[k].Confidence
		}
		return above, below
	}
	var places, equal []int
	for k := range len(list) + 1 {
		switch above, below := around(k); {
		case above > below:
			places = append(places, k)
		case above == below:
			equal = append(equal, k)
		}
	}
	if len(places) == 0 {
		places = equal
	}
	if len(places) == 0 { // not ordered at all
		places = []int{len(list)}
	}
	k := places[rng.IntN(len(places))]
	above, below := around(k)
	return k, below + (above-below)*(0.05+0.9*rng.Float64())
}

// otherWords draws words of a note that are no evidence of its suggestions yet, and,
// where there are such, none of gold: one stretch, or none where a suggestion that
// is drawn has none. Without any such words ok is false.
func otherWords(p *coding.PracticeNote, rng *rand.Rand) (words []coding.Evidence, ok bool) {
	if len(p.Suggested[rng.IntN(len(p.Suggested))].Evidence) == 0 {
		return []coding.Evidence{}, true
	}
	var taken, gold []coding.Span
	for i := range p.Suggested {
		for _, e := range p.Suggested[i].Evidence {
			taken = append(taken, e.Span)
		}
	}
	for i := range p.Gold {
		for _, e := range p.Gold[i].Evidence {
			gold = append(gold, e.Span)
		}
	}
	text := p.Note.Text
	used := map[string]bool{}
	for _, t := range taken {
		used[asRead(text, t)] = true
	}
	apart := func(s coding.Span, from []coding.Span) bool {
		return !slices.ContainsFunc(from, func(t coding.Span) bool { return s.Start < t.End && t.Start < s.End })
	}
	free := slices.DeleteFunc(stretches(text), func(s coding.Span) bool { return used[asRead(text, s)] || !apart(s, taken) })
	if best := slices.DeleteFunc(slices.Clone(free), func(s coding.Span) bool { return !apart(s, gold) }); len(best) > 0 {
		free = best
	}
	if len(free) == 0 {
		return nil, false
	}
	s := free[rng.IntN(len(free))]
	return []coding.Evidence{{NoteID: p.Note.NoteID, Span: s, Text: text[s.Start:s.End]}}, true
}

// asRead is a stretch of a text as it is read: however it is written and broken.
func asRead(text string, s coding.Span) string {
	return strings.ToLower(strings.Join(strings.Fields(text[s.Start:s.End]), " "))
}

// longestStretch is how many words a stretch has at most.
const longestStretch = 5

// stretches cuts a text into runs of words of meaning, as noun phrases are: broken
// by marks, ends of lines and words of grammar, and after five words. A stretch has
// a word of four letters at least.
func stretches(text string) []coding.Span {
	var out []coding.Span
	var run coding.Span
	words, letters, word := 0, 0, -1 // of the run; its longest word; where the present one begins
	end := func() {
		if words > 0 && letters >= 4 {
			out = append(out, run)
		}
		words, letters = 0, 0
	}
	take := func(to int) {
		w := text[word:to]
		start := word
		word = -1
		if lexicon.IsStop(strings.ToLower(w)) {
			end()
			return
		}
		if words == longestStretch {
			end()
		}
		if words == 0 {
			run.Start = start
		}
		run.End = to
		words++
		n := 0
		for _, c := range w {
			if unicode.IsLetter(c) {
				n++
			}
		}
		letters = max(letters, n)
	}
	for i, c := range text {
		if unicode.IsLetter(c) || unicode.IsDigit(c) || word >= 0 && (c == '-' || c == '\'' || unicode.IsMark(c)) {
			if word < 0 {
				word = i
			}
			continue
		}
		if word >= 0 {
			take(i)
		}
		if c != ' ' {
			end()
		}
	}
	if word >= 0 {
		take(len(text))
	}
	end()
	return out
}
