package rank

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"chartcode/internal/coding"
	"chartcode/prompts"
)

// batch is one prompt's list of statements with their numbered candidates.
type batch struct {
	part    int
	items   []prompts.ChooseItem
	tabular []prompts.TabularEntry
	offers  []offered // by number, from 1
}

// offered is a candidate as it was shown.
type offered struct {
	cand       int          // of the input's candidates
	statements []*statement // at which it stands
}

// offer numbers the candidates: those of a part in one list, or in several where
// it would be too long. A code that stands at several statements is listed once
// and named by its number after that.
func (c *chain) offer() {
	if c.known == nil {
		c.index()
	}
	var now *batch
	size := 0
	for _, s := range c.inOrder() {
		if len(s.found) == 0 {
			continue
		}
		need := 120 + len(s.description)
		for _, f := range s.found {
			need += lineBytes(f.Display)
		}
		if now == nil || now.part != s.part || size+need > c.cfg.ListBytes {
			now, size = &batch{part: s.part}, 0
			c.batches = append(c.batches, now)
		}
		size += need
		c.add(now, s)
	}
	for _, b := range c.batches {
		c.counts.Offered += len(b.offers)
		b.tabular = c.tabular(b)
	}
}

// lineBytes is about how long a candidate's line is.
func lineBytes(title string) int { return len(title) + 20 }

// inOrder are the statements by part, those found by words last of each.
func (c *chain) inOrder() []*statement {
	out := slices.Clone(c.statements)
	slices.SortStableFunc(out, func(a, b *statement) int {
		if a.part != b.part {
			return cmp.Compare(a.part, b.part)
		}
		switch {
		case a.words == b.words:
			return 0
		case a.words:
			return 1
		}
		return -1
	})
	return out
}

// add lists a statement. Its candidates stand in the order of the
// classification, so that neighbours stand together and the order says nothing
// of how they were found.
func (c *chain) add(b *batch, s *statement) {
	it := prompts.ChooseItem{Number: len(b.items) + 1, Words: s.words, Description: cmp.Or(s.description, "as quoted"), Kind: s.kind, Assertion: string(s.assertion)}
	if len(s.evidence) > 0 {
		it.Quote = c.quoted(s.evidence[0])
	}
	var also []string
	list := slices.Clone(s.found)
	slices.SortFunc(list, func(a, b coding.Found) int { return cmp.Compare(a.Code, b.Code) })
	for i := range list {
		f := &list[i]
		cand := c.candidate(&f.Candidate)
		if n := slices.IndexFunc(b.offers, func(o offered) bool { return o.cand == cand }); n >= 0 {
			b.offers[n].statements = append(b.offers[n].statements, s)
			also = append(also, strconv.Itoa(n+1))
			continue
		}
		b.offers = append(b.offers, offered{cand, []*statement{s}})
		line := prompts.Candidate{Number: len(b.offers), Code: f.Code, Title: f.Display}
		if q, ok := s.quotes[f.Code]; ok {
			line.Quote = c.quoted(q)
		}
		it.Candidates = append(it.Candidates, line)
	}
	it.Also = strings.Join(also, ", ")
	b.items = append(b.items, it)
}

// candidate is the place of a code among the input's candidates, where it is put
// if it is not there.
func (c *chain) candidate(k *coding.Candidate) int {
	i, ok := c.known[k.Code]
	if !ok {
		i = len(c.in.Candidates)
		c.known[k.Code] = i
		c.in.Candidates = append(c.in.Candidates, *k)
	}
	return i
}

const longestShownQuote = 160 // characters

// quoted is a stretch of the note on one line, in quotation marks.
func (c *chain) quoted(s coding.Span) string {
	return `"` + strings.ReplaceAll(oneLine(shown(c.in.Doc.Text, s, c.in.Addressed), longestShownQuote), `"`, "'") + `"`
}

// likely reports whether a code is among the first candidates of a statement,
// for which it is worth reading the tabular list.
func (s *statement) likely(code string) bool {
	return !s.words && slices.ContainsFunc(s.found[:min(len(s.found), readFor)], func(f coding.Found) bool { return f.Code == code })
}

// readFor is for how many candidates of a statement the tabular list is shown.
const readFor = 6

// tabularBytes bounds what of the tabular list is shown in one prompt.
const tabularBytes = 4_000

// notesAsked are the kinds of notes in the order in which they matter for a
// choice, with how much of one is shown. Excludes2 forbids nothing and is shown
// only where it names a candidate.
var notesAsked = []struct {
	kind   NoteKind
	length int
	named  bool // only where it names a candidate
}{
	{NoteExcludes1, 220, true}, {NoteCodeFirst, 200, false}, {NoteUseAdditional, 160, false}, {NoteCodeAlso, 160, false},
	{NoteSeventh, 240, false}, {NoteIncludes, 140, false}, {NoteExcludes2, 160, true},
}

// usualSevenths are the 7th characters that the prompt's instructions explain.
const usualSevenths = "A initial encounter; D subsequent encounter; S sequela"

// tabular gives what the tabular list says of the candidates at each code and
// header above them, in the order of the classification.
func (c *chain) tabular(b *batch) []prompts.TabularEntry {
	t := c.in.Beside.Tabular
	if t == nil {
		return nil
	}
	codes := make([]string, len(b.offers))
	var places []string
	for i, o := range b.offers {
		codes[i] = c.in.Candidates[o.cand].Code
		if !slices.ContainsFunc(o.statements, func(s *statement) bool { return s.likely(codes[i]) }) {
			continue
		}
		for end := 3; end <= len(codes[i]); end++ {
			if end != 4 {
				places = append(places, codes[i][:end])
			}
		}
	}
	slices.Sort(places)
	places = slices.Compact(places)
	notes := make([][]TabularNote, len(places))
	for i, p := range places {
		notes[i] = t.Notes(p)
	}
	lines := make([][]string, len(places))
	size := 0
	for _, k := range notesAsked {
		for i, p := range places {
			var texts []string
			for _, n := range notes[i] {
				if n.Kind != k.kind || n.Above && !k.named {
					continue
				}
				if k.named && !slices.ContainsFunc(codes, func(code string) bool { return n.Names != nil && n.Names(code) && !strings.HasPrefix(code, p) }) {
					continue
				}
				texts = append(texts, n.Text)
			}
			if len(texts) == 0 || strings.EqualFold(strings.Join(texts, "; "), usualSevenths) {
				continue
			}
			line := string(k.kind) + ": " + oneLine(strings.Join(texts, "; "), k.length)
			if size += len(line); size > tabularBytes {
				break
			}
			lines[i] = append(lines[i], line)
		}
	}
	var out []prompts.TabularEntry
	for i, p := range places {
		title := t.Place(p)
		if len(lines[i]) == 0 && (len(p) > 3 || title == "" || slices.Contains(codes, p)) {
			continue
		}
		out = append(out, prompts.TabularEntry{Code: p, Title: title, Notes: lines[i]})
	}
	return out
}
