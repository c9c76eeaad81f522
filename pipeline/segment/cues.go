package segment

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

//go:embed tables/cues.txt
var cuesText string

var cueTable = sync.OnceValue(readCues)

// Effects of a cue that are no assertion.
const (
	effectMask coding.Assertion = "mask"
	effectStop coding.Assertion = "stop"
)

type direction uint8

const (
	after direction = iota // the cue stands before what it speaks of
	before
	both
)

// reach says how far a cue carries.
type reach struct {
	kind  string // list, phrase, clause, sentence, words
	words int
}

// cuePattern is one line's pattern: a sequence of groups.
type cuePattern struct {
	effect coding.Assertion
	dir    direction
	reach  reach
	groups []group
}

// group is a set of alternatives, each a sequence of words; "_" is any word.
type group struct {
	alternatives [][]string
	optional     bool
}

// cueIndex finds the patterns that may begin with two words: of those that
// begin with the first, those that go on with the second, else those that may
// go on with any or end. Each list is in the order of the table.
type cueIndex map[string]*cuesOf

type cuesOf struct {
	all, open []*cuePattern
	second    map[string][]*cuePattern
}

// at gives the patterns that may begin with word and next.
func (x cueIndex) at(word, next string) []*cuePattern {
	c := x[word]
	if c == nil {
		return nil
	}
	if l, ok := c.second[next]; ok {
		return l
	}
	return c.open
}

// index sorts the patterns that begin with each word by their second.
func index(first map[string][]*cuePattern) cueIndex {
	x := make(cueIndex, len(first))
	for w, list := range first {
		c := &cuesOf{all: list, second: make(map[string][]*cuePattern)}
		words := make([]map[string]bool, len(list))
		for i, p := range list {
			words[i] = secondWords(p.groups, w)
			for s := range words[i] {
				c.second[s] = nil
			}
		}
		for i, p := range list {
			open := words[i][anyWord]
			if open {
				c.open = append(c.open, p)
			}
			for s := range c.second {
				if open || words[i][s] {
					c.second[s] = append(c.second[s], p)
				}
			}
		}
		x[w] = c
	}
	return x
}

// anyWord stands for any word, and for the end of a pattern.
const anyWord = "_"

// secondWords gives the words that may follow w where w begins the pattern.
func secondWords(groups []group, w string) map[string]bool {
	m := make(map[string]bool)
	for k, g := range groups {
		for _, alt := range g.alternatives {
			switch {
			case alt[0] != w:
			case len(alt) > 1:
				m[alt[1]] = true
			default:
				ends := true
				for _, rest := range groups[k+1:] {
					for _, a := range rest.alternatives {
						m[a[0]] = true
					}
					if !rest.optional {
						ends = false
						break
					}
				}
				if ends {
					m[anyWord] = true
				}
			}
		}
		if !g.optional {
			break
		}
	}
	return m
}

// readCues indexes the patterns by the words with which they may begin. The
// table is part of the program: an error in it is a programming error, found by
// the package's tests.
func readCues() cueIndex {
	m := make(map[string][]*cuePattern)
	for l := range strings.SplitSeq(cuesText, "\n") {
		if l = strings.TrimSpace(l); l == "" || l[0] == '#' {
			continue
		}
		head, list, ok := strings.Cut(l, ": ")
		if strings.HasPrefix(list, "phrase:") || !ok {
			panic("segment: cue table: " + l)
		}
		f := strings.Fields(head)
		if len(f) != 3 {
			panic("segment: cue table: " + head)
		}
		for pat := range strings.SplitSeq(list, "; ") {
			p := &cuePattern{effect: coding.Assertion(f[0]), groups: parsePattern(pat)}
			switch f[1] {
			case "before":
				p.dir = before
			case "both":
				p.dir = both
			}
			p.reach.kind = f[2]
			if n, err := strconv.Atoi(f[2]); err == nil {
				p.reach = reach{"words", n}
			}
			for w := range firstWords(p.groups) {
				m[w] = append(m[w], p)
			}
		}
	}
	return index(m)
}

// parsePattern reads "no (evidence|sign of)? _ word".
func parsePattern(s string) []group {
	var out []group
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if s[0] != '(' {
			word, rest, _ := strings.Cut(s, " ")
			out = append(out, group{alternatives: [][]string{lowers(word)}})
			s = rest
			continue
		}
		end := strings.IndexByte(s, ')')
		if end < 0 {
			panic("segment: cue table: " + s)
		}
		if strings.IndexByte(s[1:end], '(') >= 0 {
			panic("segment: cue table: groups do not nest: " + s)
		}
		g := group{}
		for alt := range strings.SplitSeq(s[1:end], "|") {
			g.alternatives = append(g.alternatives, lowers(alt))
		}
		s = s[end+1:]
		if strings.HasPrefix(s, "?") {
			g.optional = true
			s = s[1:]
		}
		out = append(out, g)
	}
	return out
}

// lowers gives the lower-case tokens of a pattern's words.
func lowers(s string) []string {
	var out []string
	for _, t := range lexicon.Tokenize(s) {
		out = append(out, t.Lower)
	}
	return out
}

// firstWords gives the words with which a pattern may begin.
func firstWords(groups []group) map[string]bool {
	m := make(map[string]bool)
	for _, g := range groups {
		for _, alt := range g.alternatives {
			m[alt[0]] = true
		}
		if !g.optional {
			break
		}
	}
	return m
}

// match gives the token after the longest match of the groups at token i
// before token to, 0 when there is none.
func (r *reader) match(groups []group, i, to int) int {
	if len(groups) == 0 {
		return i
	}
	best := 0
	g := &groups[0]
	for _, alt := range g.alternatives {
		if i+len(alt) > to {
			continue
		}
		fits := true
		for k, w := range alt {
			t := &r.toks[i+k]
			if t.Lower != w && (w != "_" || t.Kind == lexicon.Punct) {
				fits = false
				break
			}
		}
		if fits {
			best = max(best, r.match(groups[1:], i+len(alt), to))
		}
	}
	if g.optional {
		best = max(best, r.match(groups[1:], i, to))
	}
	return best
}

// cue is a pattern found at tokens [from, to).
type cue struct {
	from, to int
	p        *cuePattern
	also     *cuePattern // of the same length, with another direction
}

// findCues gives the cues of tokens [from, to), in order and without overlap:
// the longest at each place, of equally long ones the first of the table, and
// with it one of the other direction.
func (r *reader) findCues(from, to int) []cue {
	table := cueTable()
	wild := table[anyWord].all
	var out []cue
	for i := from; i < to; {
		var best cue
		next := ""
		if i+1 < to {
			next = r.toks[i+1].Lower
		}
		for _, list := range [...][]*cuePattern{table.at(r.toks[i].Lower, next), wild} {
			for _, p := range list {
				end := r.match(p.groups, i, to)
				if end <= i || !r.fitsPlace(p, i, end, to) {
					continue
				}
				switch {
				case end > best.to:
					best = cue{i, end, p, nil}
				case end == best.to && best.also == nil && p.dir != best.p.dir && p.effect == best.p.effect:
					best.also = p
				}
			}
		}
		if best.p == nil {
			i++
			continue
		}
		if m := r.maskFrom(i+1, best.to, to); m.p != nil { // "is not | taking her medication for"
			best = m
		}
		out = append(out, best)
		i = best.to
	}
	return out
}

// maskFrom gives a mask that begins at a token in [from, until) and ends after
// until: what looks like a cue is part of it.
func (r *reader) maskFrom(from, until, to int) cue {
	table := cueTable()
	for i := from; i < until; i++ {
		next := ""
		if i+1 < to {
			next = r.toks[i+1].Lower
		}
		for _, p := range table.at(r.toks[i].Lower, next) {
			if p.effect != effectMask {
				continue
			}
			if end := r.match(p.groups, i, to); end > until && r.fitsPlace(p, i, end, to) {
				return cue{i, end, p, nil}
			}
		}
	}
	return cue{}
}

// hasVerbIn reports whether tokens [from, to) hold a finite verb.
func (r *reader) hasVerbIn(from, to int) bool {
	for i := max(0, from); i < to; i++ {
		if verbs[r.toks[i].Lower] {
			return true
		}
	}
	return false
}

// callers are words that begin a return precaution, warnings the norms and words
// that tell one from an appointment.
var (
	callers  = set("return call come report notify seek")
	warnings = normSet("fever chills pain bleeding shortness breath breathing vomiting nausea redness swelling drainage dizziness weakness numbness headache rash syncope " +
		"fainting seizure confusion chest worse worsening increased increasing severe persistent new any signs symptoms difficulty diarrhea melena hematemesis palpitations cough dyspnea")
)

func normSet(words string) map[string]bool {
	m := make(map[string]bool)
	for _, t := range lexicon.Words(words) {
		m[t.Norm], m[t.Lower] = true, true
	}
	return m
}

var wanting = set("need needs needed decline declines declined refuse refuses refused offer offered want wants wanted request requests requested order ordered due schedule scheduled asks asked will recommend recommended get obtain for")

// wants reports whether the words before token i say that something is still
// to be done.
func (r *reader) wants(i int) bool {
	for j := i - 1; j >= max(0, i-6) && r.toks[j].Lower != "."; j-- {
		if wanting[r.toks[j].Lower] {
			return true
		}
	}
	return false
}

// fitsPlace applies what a pattern of words cannot say.
func (r *reader) fitsPlace(p *cuePattern, i, end, to int) bool {
	first := r.toks[i].Lower
	if p.dir == before && r.toks[end-1].Lower == "negative" && end < to && r.toks[end].Lower == "for" {
		return false
	}
	if r.toks[end-1].Lower == "for" && p.effect == coding.Hypothetical && callers[first] { // not "return for a recheck"
		return end < to && (warnings[r.toks[end].Norm] || warnings[r.lower(end+1)])
	}
	switch first {
	case "test", "tests", "testing": // "needs a tuberculosis test"
		return p.effect != coding.Hypothetical || r.wants(i)
	case ":", "-": // "fever: no": the answer must end there
		return end >= to || r.toks[end].Start > r.toks[end-1].End+1 || r.toks[end].Lower == "," || r.toks[end].Lower == ";" || r.toks[end].Lower == "." || r.toks[end].Lower == ")"
	case "?": // "?pneumonia" or "pneumonia?"
		if p.dir == after {
			return end < to && r.toks[end].Start == r.toks[i].End
		}
		return end >= to && !r.hasVerbIn(i-6, i)
	case "no":
		if end == i+1 { // "no." as an answer, "No. 5"
			return end >= to || r.toks[end].Lower != "." && !isDigit(r.text[r.toks[end].Start])
		}
	case "old":
		return p.effect == effectMask || i == 0 || r.toks[i-1].Kind != lexicon.Number && r.toks[i-1].Lower != "-" && r.toks[i-1].Lower != "year" && r.toks[i-1].Lower != "years"
	case "may": // the month
		return end >= to || r.toks[end-1].Kind != lexicon.Number
	}
	return true
}
