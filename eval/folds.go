package eval

import (
	"bufio"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// FoldSeed shuffles the articles before they are dealt into folds.
const FoldSeed = 20260101

//go:embed folds.txt
var foldList string

// Folds tells for each article in which fold it is held out.
type Folds struct {
	K  int
	of map[string]int
}

// NewFolds deals the notes' articles into k folds, after a shuffle with FoldSeed.
func NewFolds(notes []GoldNote, k int) Folds {
	seen := map[string]bool{}
	var articles []string
	for i := range notes {
		if a := notes[i].Article(); !seen[a] {
			seen[a] = true
			articles = append(articles, a)
		}
	}
	slices.Sort(articles)
	rng := rand.New(rand.NewPCG(FoldSeed, FoldSeed))
	rng.Shuffle(len(articles), func(i, j int) { articles[i], articles[j] = articles[j], articles[i] })
	f := Folds{K: k, of: make(map[string]int, len(articles))}
	for i, a := range articles {
		f.of[a] = i % k
	}
	return f
}

// KeptFolds gives the five folds of the list kept in folds.txt when it names
// every article of the notes, else new ones.
func KeptFolds(notes []GoldNote) Folds {
	kept, err := parseFolds(foldList)
	if err != nil {
		return NewFolds(notes, 5)
	}
	for i := range notes {
		if _, ok := kept.of[notes[i].Article()]; !ok {
			return NewFolds(notes, 5)
		}
	}
	return kept
}

// Of is the fold, from 0, in which the note is held out, or a negative number
// for one that never is.
func (f Folds) Of(n *GoldNote) int { return f.of[n.Article()] }

// never is the fold of notes that are not held out.
const never = -1

func (f Folds) has(article string) bool {
	_, ok := f.of[article]
	return ok
}

// heldOutside reports whether the note is held out in another fold than k.
func (f Folds) heldOutside(n *GoldNote, k int) bool {
	i := f.Of(n)
	return i != never && i != k
}

// String writes the list: one article and its fold a line, sorted.
func (f Folds) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# article fold; %d folds, seed %d\n", f.K, FoldSeed)
	articles := make([]string, 0, len(f.of))
	for a := range f.of {
		articles = append(articles, a)
	}
	slices.Sort(articles)
	for _, a := range articles {
		fmt.Fprintf(&b, "%s %d\n", a, f.of[a])
	}
	return b.String()
}

func parseFolds(text string) (Folds, error) {
	f := Folds{of: map[string]int{}}
	s := bufio.NewScanner(strings.NewReader(text))
	for s.Scan() {
		line := s.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		a, n, ok := strings.Cut(line, " ")
		k, err := strconv.Atoi(n)
		if !ok || err != nil || k < 0 {
			return Folds{}, fmt.Errorf("the list of folds has a bad line")
		}
		f.of[a] = k
		f.K = max(f.K, k+1)
	}
	if len(f.of) == 0 {
		return Folds{}, fmt.Errorf("the list of folds is empty")
	}
	return f, s.Err()
}
