package segment

import (
	"sort"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// findScopes finds for what stretches a cue or a section sets the assertion.
func (r *reader) findScopes() {
	ci := 0
	var carried *cue // of a sentence that leaves its list to the items after it
	for si := range r.doc.Sentences {
		from, to := r.sentToks[si][0], r.sentToks[si][1]
		first := ci
		for ci < len(r.clauseToks) && r.clauseToks[ci][0] < to {
			ci++
		}
		clauses := r.clauseToks[first:ci]
		s := sentence{reader: r, from: from, to: to, clauses: clauses, cues: r.findCues(from, to)}
		if carried != nil {
			if r.doc.Sentences[si].Item && r.doc.Sentences[si].Section == r.doc.Sentences[si-1].Section {
				r.addScope(from, to, carried)
			} else {
				carried = nil
			}
		}
		next := to
		if si+1 < len(r.doc.Sentences) && r.doc.Sentences[si+1].Section == r.doc.Sentences[si].Section {
			next = r.sentToks[si+1][1]
		}
		before := len(r.doc.Scopes)
		asked := s.question(next)
		for k := range s.cues {
			if asked == noQuestion || s.toks[s.cues[k].from].Lower != "?" {
				s.apply(k)
			}
		}
		s.supposed(before)
		s.signs()
		s.answers()
		s.tested()
		s.relatives()
		s.ofOthers()
		s.years()
		if n := len(s.cues); n > 0 {
			c := &s.cues[n-1]
			open := c.to >= to || r.toks[to-1].Lower == ":" && to-c.to <= 3
			if open && c.p.dir == after && c.p.effect != effectMask && c.p.effect != effectStop {
				carried = c
			}
		}
	}
	r.sectionScopes()
	sort.SliceStable(r.doc.Scopes, func(i, j int) bool { return r.doc.Scopes[i].Start < r.doc.Scopes[j].Start })
}

// sectionScopes sets the assertion of whole sections: a family history is about
// the family, a list of past operations is history.
func (r *reader) sectionScopes() {
	next := 0
	for si, sec := range r.doc.Sections {
		first := next
		for next < len(r.doc.Sentences) && r.doc.Sentences[next].Section == si {
			next++
		}
		var a coding.Assertion
		switch {
		case sec.Kind == coding.SectionFamily:
			a = coding.Family
		case sec.Kind == coding.SectionPSH:
			a = coding.Historical
		case r.uncertainHeading(sec.Heading):
			a = coding.Possible
		default:
			continue
		}
		if first < next {
			span := coding.Span{Start: r.doc.Sentences[first].Start, End: r.doc.Sentences[next-1].End}
			r.doc.Scopes = append(r.doc.Scopes, coding.Scope{Span: span, Assertion: a, Cue: sec.Heading})
		}
	}
}

var uncertain = set("working differential provisional tentative presumptive ddx suspected")

// uncertainHeading reports whether a heading says that what stands under it
// is not certain: WORKING DIAGNOSIS, DIFFERENTIAL.
func (r *reader) uncertainHeading(h coding.Span) bool {
	if h.Len() == 0 {
		return false
	}
	for i := r.firstToken(h.Start); i < len(r.toks) && r.toks[i].End <= h.End; i++ {
		if uncertain[r.toks[i].Lower] {
			return true
		}
	}
	return false
}

func (r *reader) addScope(from, to int, c *cue) {
	r.addScopeOf(from, to, c.p.effect, c.from, c.to)
}

// supposed turns what is possible in a sentence that begins with "if" into what
// is hypothetical: "if redness spreads, cellulitis must be considered".
func (s *sentence) supposed(first int) {
	if s.from >= s.to || s.toks[s.from].Lower != "if" {
		return
	}
	for i := first; i < len(s.doc.Scopes); i++ {
		if s.doc.Scopes[i].Assertion == coding.Possible {
			s.doc.Scopes[i].Assertion = coding.Hypothetical
		}
	}
}

func conjunction(w string) bool { return w == "and" || w == "or" || w == "but" }

// addScopeOf adds a scope over tokens [from, to), less marks at its ends, with
// the cue at tokens [cueFrom, cueTo).
func (r *reader) addScopeOf(from, to int, a coding.Assertion, cueFrom, cueTo int) {
	for from < to && r.toks[from].Kind == lexicon.Punct {
		from++
	}
	for to > from && (r.toks[to-1].Kind == lexicon.Punct || to-from > 1 && conjunction(r.toks[to-1].Lower)) {
		to--
	}
	if from >= to {
		return
	}
	r.doc.Scopes = append(r.doc.Scopes, coding.Scope{
		Span:      coding.Span{Start: r.toks[from].Start, End: r.toks[to-1].End},
		Assertion: a,
		Cue:       coding.Span{Start: r.toks[cueFrom].Start, End: r.toks[cueTo-1].End},
	})
}

// sentence is the sentence whose scopes are being found.
type sentence struct {
	*reader
	from, to int
	clauses  [][2]int
	cues     []cue
}

// clauseOf gives the tokens of the clause that holds token i.
func (s *sentence) clauseOf(i int) (from, to int) {
	k := sort.Search(len(s.clauses), func(k int) bool { return i < s.clauses[k][1] })
	if k < len(s.clauses) {
		return min(s.clauses[k][0], i), s.clauses[k][1]
	}
	return s.from, s.to
}

// apply adds the scopes of cue k.
func (s *sentence) apply(k int) {
	c := &s.cues[k]
	if c.p.effect == effectMask || c.p.effect == effectStop {
		return
	}
	forward, backward := c.p, (*cuePattern)(nil)
	switch {
	case c.p.dir == both:
		backward = c.p
	case c.also != nil:
		if c.p.dir == before {
			forward = c.also
		}
		if s.nothingAfter(c.to) { // "pneumonia is likely": it speaks of what stands before it
			forward, backward = nil, c.p
			if c.p.dir == after {
				backward = c.also
			}
		}
	case c.p.dir == before:
		forward, backward = nil, c.p
	}
	if forward != nil {
		if end := s.forwardEnd(k, forward); end > c.to && !(forward.effect == coding.Historical && s.forDays(c.to, end)) {
			s.addScope(c.to, end, c)
		}
	}
	if backward != nil {
		if backward.effect == coding.Historical && s.lasts(c) {
			return
		}
		if start := s.backwardStart(k, backward); start < c.from {
			s.addScope(start, c.from, c)
		}
	}
}

// forDays recognizes a history that still goes on: "history of swelling for four
// days".
func (s *sentence) forDays(from, to int) bool {
	for i := from; i+2 < to; i++ {
		if s.toks[i].Lower == "," {
			return false
		}
		if s.toks[i].Lower != "for" {
			continue
		}
		for j := i + 2; j < min(to, i+5); j++ {
			if spans[s.toks[j].Lower] {
				return true
			}
		}
	}
	return false
}

var spans = set("hour hours day days week weeks month months year years")

// lasts reports whether a time in the past (three years ago) is that at which
// something began that still is.
func (s *sentence) lasts(c *cue) bool {
	switch s.toks[c.to-1].Lower {
	case "resolved", "remission", "subsided", "cleared", "healed", "away":
		return false
	}
	from, _ := s.clauseOf(c.from)
	for i := from; i < c.from; i++ {
		w := s.toks[i].Lower
		if lasting[w] || i >= c.from-2 && (w == "than" || w == "from" || w == "to") { // "worse than a year ago"
			return true
		}
	}
	return false
}

// prepositions after a cue tell that it speaks of what stands before it:
// "pneumonia possible on the left", "PE unlikely given the normal scan".
var prepositions = set("given as in on at of by from with without during to since because due , . ; ) and or but when than this that today bilaterally throughout currently now here also again")

func (s *sentence) nothingAfter(i int) bool {
	_, to := s.clauseOf(i - 1)
	if i >= to {
		return true
	}
	return prepositions[s.toks[i].Lower]
}

// forwardEnd gives the token at which the scope of cue k, which speaks of what
// follows it, ends.
func (s *sentence) forwardEnd(k int, p *cuePattern) int {
	c := &s.cues[k]
	_, end := s.clauseOf(c.to - 1)
	if c.to >= end { // the cue ends its clause: "denies, however, fever"
		_, end = s.clauseOf(c.to)
	}
	switch p.reach.kind {
	case "sentence":
		return s.to
	case "words":
		return min(end, c.to+p.reach.words)
	}
	next := k + 1
	for i := c.to; i < end; i++ {
		for next < len(s.cues) && s.cues[next].from < i {
			next++
		}
		if next < len(s.cues) && s.cues[next].from == i && s.ends(c, &s.cues[next], p) {
			return i
		}
		if p.effect == coding.Historical && p.reach.kind == "list" && i > c.to && fresh[s.toks[i].Lower] &&
			(s.toks[i-1].Lower == "and" || s.toks[i-1].Lower == ",") {
			return i - 1 // "history of lung cancer and acute hemoptysis"
		}
		if s.toks[i].Lower == "with" && p.effect == coding.Possible && i > c.to && i+1 < end && positives[s.toks[i+1].Lower] {
			return i // "consistent with a fracture with marked swelling"
		}
		if s.toks[i].Lower == "with" && p.effect == coding.Historical && p.reach.kind == "phrase" && i > c.to {
			return i // "old stroke with left hemiparesis": the hemiparesis is there
		}
		if s.toks[i].Lower != "," {
			continue
		}
		switch p.reach.kind {
		case "phrase":
			if i > c.to && !s.listGoesOn(i, end) {
				return i
			}
		case "list":
			if p.effect == coding.Negated && i > c.to && s.positiveAfter(c, i, end) {
				return i
			}
		}
	}
	return end
}

// fresh are words of what is there now.
var fresh = set("acute new recent current active worsening increasing newly ongoing")

// ends reports whether the scope of c, with pattern p, ends where the cue n
// begins.
func (s *sentence) ends(c, n *cue, p *cuePattern) bool {
	if n.p.effect == effectStop {
		if p.effect == coding.Negated || p.reach.kind != "clause" {
			return !s.stopIsInside(c, n)
		}
		return false
	}
	if n.p.effect == effectMask || n.p.dir != after && n.also == nil {
		return false
	}
	if n.from == c.to {
		return false
	}
	prev := s.toks[n.from-1].Lower
	listed := prev == "," || prev == "and" || prev == ")" || prev == ":"
	if p.effect == coding.Negated {
		switch s.toks[n.from].Lower { // "denies kidney stones, prior DVT, and gout"
		case "prior", "previous", "past", "recent", "old":
			return false
		}
		if n.p.effect == coding.Historical && s.toks[c.from].Lower[0] == 'd' && prev == "and" {
			return false
		}
		return listed && n.p.effect != coding.Negated
	}
	return listed && n.p.effect == coding.Negated
}

// stopIsInside recognizes stop words that only seem to end a scope: "denies
// fever as well as a cough", "no complaints today", "denies having had".
func (s *sentence) stopIsInside(c, n *cue) bool {
	w := s.toks[n.from].Lower
	switch w {
	case "as": // "as well as", "as a result of"
		return s.toks[n.from+1].Lower == "well" && c.p.effect == coding.Negated
	case "in":
		return n.to-n.from == 3 && s.toks[n.from+1].Lower == "addition"
	case "today", "now", "currently", "presently":
		return c.p.effect == coding.Negated && n.to < s.to && s.toks[n.to].Lower != ","
	case "who", "whom", "which", "whose", "while", "so", "until", "for":
		return false
	case "due", "secondary", "related", "caused", "resulting", "attributed":
		// "likely due to pneumonia", "no dyspnea due to asthma": the cause is
		// part of what is possible, but not of what is denied.
		return c.p.effect != coding.Negated
	}
	return false
}

// listGoesOn reports whether at the comma at token i a list goes on that an
// "or" ends: "possible pneumonia, bronchitis, or asthma".
func (s *sentence) listGoesOn(i, end int) bool {
	if i+1 < end && (s.toks[i+1].Lower == "or" || s.toks[i+1].Lower == "versus" || s.toks[i+1].Lower == "vs") {
		return true
	}
	run := 0
	for j := i + 1; j < end; j++ {
		w := s.toks[j].Lower
		switch {
		case w == "or" || w == "versus" || w == "vs":
			return true
		case w == ",":
			run = 0
		case w == "and" || verbs[w] || w == "with" || w == "who":
			return false
		default:
			if run++; run > 4 {
				return false
			}
		}
	}
	return false
}

// backwardStart gives the token at which the scope of cue k, which speaks of
// what stands before it, begins.
func (s *sentence) backwardStart(k int, p *cuePattern) int {
	c := &s.cues[k]
	start, _ := s.clauseOf(c.from)
	if start == c.from && c.from > s.from && s.toks[c.from].Lower == "-" { // "HTN - No": the dash began a clause
		start, _ = s.clauseOf(c.from - 1)
	}
	if p.reach.kind == "words" {
		first := start
		for start = max(first, c.from-p.reach.words); start > first && start < c.from-1 && conjunction(s.toks[start-1].Lower); {
			start = max(first, start-1-p.reach.words) // "hepatitis A and hepatitis B vaccines"
		}
	}
	// Not over a statement that another cue ends.
	for j := k - 1; j >= 0; j-- {
		if s.cues[j].p.effect == effectStop && s.cues[j].to <= c.from {
			start = max(start, s.cues[j].to)
			break
		}
	}
	// "chest pain with infarction ruled out": a cue without a verb speaks of the
	// nearest noun alone.
	if !verbs[s.toks[c.from].Lower] {
		for j := c.from - 1; j > start && s.toks[j].Lower != ","; j-- {
			if s.toks[j].Lower == "with" {
				start = j + 1
				break
			}
		}
	}
	if p.reach.kind == "clause" {
		return start
	}
	// Back to the comma; over more commas while a list of short items leads here.
	seg := c.from
	for seg > start && s.toks[seg-1].Lower != "," {
		seg--
	}
	if p.reach.kind != "list" || seg <= start || !s.coordinates(seg, c.from) {
		return seg
	}
	for seg > start {
		prev := seg - 1 // the comma
		item := prev
		for item > start && s.toks[item-1].Lower != "," {
			item--
		}
		if prev-item > 4 && item > start || s.hasVerb(item, prev) {
			break
		}
		seg = item
		if item == start {
			break
		}
	}
	return seg
}

// coordinates reports whether tokens [from, to) end a list: they begin with or
// contain "and" or "or".
func (s *sentence) coordinates(from, to int) bool {
	for i := from; i < to; i++ {
		if w := s.toks[i].Lower; w == "and" || w == "or" {
			return true
		}
	}
	return false
}

func (s *sentence) hasVerb(from, to int) bool {
	for i := from; i < to; i++ {
		if verbs[s.toks[i].Lower] {
			return true
		}
	}
	return false
}
