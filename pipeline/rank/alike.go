package rank

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"chartcode/internal/coding"
)

// Models correct spelling and drop words when they copy. A longer quote is found
// though some letters differ, by edit distance (Sellers 1980) around places that
// share its longest words, so that the work is bounded whatever the note's length.

const (
	shortestAlike = 16   // bytes of a quote for which letters may differ
	alikeShare    = 0.12 // of its bytes may differ
	seedsTried    = 3    // words of it that are looked for
	placesTried   = 12   // of each
)

// alike finds a quote of which some letters differ. Numbers, sides and words
// that deny must be the same: a quote with another stage is another statement.
func (f *quoteFinder) alike(q string) (coding.Span, bool) {
	if len(q) < shortestAlike {
		return coding.Span{}, false
	}
	most := int(alikeShare * float64(len(q)))
	words := strings.FieldsFunc(q, func(r rune) bool { return !wordRune(r) })
	slices.SortStableFunc(words, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	bestFrom, bestTo, bestCost := -1, -1, most+1
	tried := map[int]bool{}
	for _, w := range words[:min(len(words), seedsTried)] {
		if len(w) < 4 {
			break
		}
		offset := strings.Index(q, w)
		for at, n := 0, 0; n < placesTried; n++ {
			i := strings.Index(f.folded[at:], w)
			if i < 0 {
				break
			}
			i += at
			at = i + len(w)
			from := max(0, i-offset-most)
			if tried[from/max(most, 1)] {
				continue
			}
			tried[from/max(most, 1)] = true
			to := min(len(f.folded), i-offset+len(q)+most)
			if to <= from {
				continue
			}
			if a, b, cost := nearest(q, f.folded[from:to], bestCost-1); cost < bestCost {
				bestFrom, bestTo, bestCost = from+a, from+b, cost
			}
		}
	}
	if bestFrom < 0 {
		return coding.Span{}, false
	}
	a, b := wordEdges(f.folded, bestFrom, bestTo)
	if !slices.Equal(decisive(q), decisive(f.folded[a:b])) {
		return coding.Span{}, false
	}
	return coding.Span{Start: f.starts[a], End: f.ends[b-1]}, true
}

// nearest gives the stretch of text that is nearest to q by edit distance, and
// the distance; most+1 when it is more than most.
func nearest(q, text string, most int) (from, to, cost int) {
	if most < 0 {
		return 0, 0, most + 1
	}
	n := len(q)
	dist, start := make([]int, n+1), make([]int, n+1)
	for i := range dist {
		dist[i] = i
	}
	cost = most + 1
	for j := 1; j <= len(text); j++ {
		diag, diagStart := dist[0], start[0]
		dist[0], start[0] = 0, j
		for i := 1; i <= n; i++ {
			d, s := diag, diagStart
			if q[i-1] != text[j-1] {
				d++
			}
			if dist[i]+1 < d { // a letter more in the text
				d, s = dist[i]+1, start[i]
			}
			if dist[i-1]+1 < d { // a letter less
				d, s = dist[i-1]+1, start[i-1]
			}
			diag, diagStart = dist[i], start[i]
			dist[i], start[i] = d, s
		}
		if dist[n] < cost {
			from, to, cost = start[n], j, dist[n]
		}
	}
	return from, to, cost
}

// wordEdges widens text[a:b] to whole words and drops white space at its ends.
func wordEdges(text string, a, b int) (int, int) {
	for a > 0 && b > a && wordByte(text[a-1]) && wordByte(text[a]) {
		a--
	}
	for b < len(text) && wordByte(text[b-1]) && wordByte(text[b]) {
		b++
	}
	for a < b-1 && text[a] == ' ' {
		a++
	}
	for b > a+1 && text[b-1] == ' ' {
		b--
	}
	return a, b
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80
}

// decisive are the words of a quote that must be the same: with digits, of sides
// and stages, and those that deny.
func decisive(folded string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(folded, func(r rune) bool { return !wordRune(r) }) {
		if strings.ContainsFunc(w, unicode.IsDigit) || decisiveWords[w] {
			out = append(out, w)
		}
	}
	slices.Sort(out)
	return out
}

var decisiveWords = wordSet(`left right bilateral both no not never without denies denied negative absent ruled out i ii iii iv v
	acute chronic mild moderate severe open closed type stage mother father brother sister family`)

// scattered finds the sentence that holds nearly all words of a quote, and gives
// the stretch from the first of them to the last.
func (f *quoteFinder) scattered(q string) (coding.Span, bool) {
	words := wordsOf(q)
	if len(words) < 2 || lettersAndDigits(q) < shortestAlike {
		return coding.Span{}, false
	}
	for _, s := range f.doc.Sentences {
		if s.Len() > 3*longestQuote {
			continue
		}
		text := f.doc.Text[s.Start:s.End]
		held := wordsOf(text)
		n := 0
		for w := range words {
			if held[w] {
				n++
			} else if strings.ContainsFunc(w, unicode.IsDigit) || decisiveWords[w] {
				n = -len(words)
			}
		}
		if float64(n) < sameWords*float64(len(words)) {
			continue
		}
		folded, starts, ends := fold(text)
		first, last := -1, -1
		for i := 0; i < len(folded); {
			j := i
			for j < len(folded) && wordByte(folded[j]) {
				j++
			}
			if j > i && words[folded[i:j]] {
				if first < 0 {
					first = i
				}
				last = j
			}
			i = max(j, i+1)
		}
		if first >= 0 && last > first {
			return coding.Span{Start: s.Start + starts[first], End: s.Start + ends[last-1]}, true
		}
	}
	return coding.Span{}, false
}
