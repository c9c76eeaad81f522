package rank

import (
	"cmp"
	"slices"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// Some codes say why the patient came: an examination, chemotherapy, the
// removal of sutures. The note says so in words that are not those of the code,
// where it speaks of its own occasion. The table of purposes has such words; what
// follows finds them and makes candidates of their codes, which are judged like
// all others.

// termPurpose is the kind of a match by a purpose: its Term is the sentence
// that says why.
const termPurpose coding.TermKind = "purpose"

// occasion is a document as purposes see it.
type occasion struct {
	in        Input
	sentences [][]lexicon.Token // words and numbers of each sentence
	about     []bool            // sentences that say what the note is about
	first     []int             // the first sentence of each one's section
	stated    map[*phrase]bool  // what was looked for in all of those, or in the note
	age       float64           // days; -1 unknown
}

// mostTries bounds the places of a note that are looked at for a row.
const mostTries = 100

// WithPurposes adds candidates for what the encounter is for. Candidates that
// retrieval found have the words as a further place; the others of the Input are
// as they were, but for places where such a service is only talked of.
func WithPurposes(in Input) Input {
	rows := purposeRows()
	o := newOccasion(in)
	in = o.withoutRefused(in, rows)
	type hit struct {
		match coding.Match
		trust float64
	}
	hits := map[string]hit{}
	var order []string
	tries := make([]int, len(rows.rows))
	for i := range o.sentences {
		for _, f := range o.found(rows, i) {
			p := &rows.rows[f.row]
			if tries[f.row] >= mostTries {
				continue
			}
			tries[f.row]++
			m, code, ok := o.hold(p, f)
			if !ok {
				continue
			}
			tries[f.row] = mostTries // the first place is the one that names the visit
			old, again := hits[code]
			if !again {
				order = append(order, code)
			}
			if !again || p.trust > old.trust {
				hits[code] = hit{m, p.trust}
			}
		}
	}
	if len(order) == 0 {
		return in
	}
	in.Candidates = slices.Clone(in.Candidates)
	for _, code := range order {
		h := hits[code]
		at := slices.IndexFunc(in.Candidates, func(c coding.Candidate) bool { return c.Code == code })
		c := coding.Candidate{System: coding.ICD10CM, Code: code, Rank: len(in.Candidates) + 1}
		if at >= 0 {
			c = in.Candidates[at]
			in.Candidates = slices.Delete(in.Candidates, at, at+1)
		} else if t, ok := lookup(in.Table, code); ok {
			c.Display = t.Title
		} else {
			continue
		}
		c.Matches = slices.Insert(slices.Clone(c.Matches), 0, h.match)
		c.RetrievalScore = max(c.RetrievalScore, h.trust)
		before, _ := slices.BinarySearchFunc(in.Candidates, c.RetrievalScore, func(o coding.Candidate, s float64) int { return cmp.Compare(s, o.RetrievalScore) })
		in.Candidates = slices.Insert(in.Candidates, before, c)
	}
	return in
}

func lookup(t Table, code string) (coding.Code, bool) {
	if t == nil || !t.Billable(code) {
		return coding.Code{}, false
	}
	return t.Lookup(code)
}

func newOccasion(in Input) *occasion {
	doc := in.Doc
	o := &occasion{in: in, sentences: make([][]lexicon.Token, len(doc.Sentences)), about: make([]bool, len(doc.Sentences)), first: make([]int, len(doc.Sentences)), stated: map[*phrase]bool{}, age: -1}
	toks := lexicon.Words(doc.Text)
	k := 0
	for i, s := range doc.Sentences {
		for k < len(toks) && toks[k].Start < s.Start {
			k++
		}
		n := k
		for n < len(toks) && toks[n].End <= s.End {
			n++
		}
		o.sentences[i] = toks[k:n]
		k = n
		if i > 0 && doc.Sentences[i-1].Section == s.Section {
			o.first[i] = o.first[i-1]
		} else {
			o.first[i] = i
		}
		o.about[i] = o.placesOf(i)&(placeReason|placeTitle|placeDiagnosis) != 0
	}
	if years, ok := coding.AgeAt(in.Note.Patient.BirthDate, in.Note.ServiceDate); ok {
		o.age = in.Note.ServiceDate.Time().Sub(in.Note.Patient.BirthDate.Time()).Hours() / 24
		if years >= 18 {
			o.age = max(o.age, 18*yearDays)
		}
	} else if f := factOf(doc, coding.FactAge); f != nil {
		o.age = f.Value * yearDays
		for k := range doc.Facts { // a note on an infant tells the age of its mother too
			if f := &doc.Facts[k]; f.Kind == coding.FactAge && f.Unit != "year" && f.Value < 2 && doc.AssertionOf(f.Span) == coding.Present && o.isAbout(f.Start) {
				o.age = f.Value * yearDays
				break
			}
		}
	}
	return o
}

// isAbout reports whether a place is in a list of diagnoses or at the beginning
// of the note.
func (o *occasion) isAbout(at int) bool {
	i := o.in.Doc.SentenceAt(at)
	return i >= 0 && (i < 2 || o.placesOf(i)&placeDiagnosis != 0)
}

// placesOf gives the places that a sentence belongs to by its section, without
// placeVisit.
func (o *occasion) placesOf(i int) placeSet {
	s := o.in.Doc.Sentences[i]
	kind := o.in.Doc.Sections[s.Section].Kind
	var out placeSet
	if tells(kind) || kind == coding.SectionProcedure || kind == coding.SectionMedications {
		out = placeText
	}
	switch kind {
	case coding.SectionChiefComplaint:
		out |= placeReason
	case coding.SectionIndication:
		if i-o.first[i] < reasonSentences {
			out |= placeReason
		}
	case coding.SectionAssessment, coding.SectionDischargeDx, coding.SectionPostopDx, coding.SectionPreopDx, coding.SectionAdmitDx, coding.SectionPlan:
		out |= placeDiagnosis
	case coding.SectionProcedure:
		if len(o.sentences[i]) <= titleWords && i-o.first[i] < titleSentences {
			out |= placeTitle
		}
	case coding.SectionExam, coding.SectionUnknown, coding.SectionOther, coding.SectionResults:
		if i == 0 && len(o.sentences[i]) <= nameWords {
			out |= placeTitle
		}
	}
	return out
}

// An indication goes on to tell of the consent.
const reasonSentences = 8

// The name of a procedure is short and stands at the beginning of its section.
const titleWords, titleSentences, titleReach, nameWords, nameReach = 30, 8, 15, 20, 8

// foundCue is a cue in a sentence: tokens from first to before last.
type foundCue struct {
	row, sentence, first, last int
}

func (o *occasion) found(rows *purposes, i int) []foundCue {
	toks := o.sentences[i]
	var out []foundCue
	try := func(ref cueRef, at int) {
		if first, last := rows.rows[ref.row].cues[ref.cue].match(toks, at); last > first && first >= 0 {
			out = append(out, foundCue{ref.row, i, first, last})
		}
	}
	for at := range toks {
		for _, ref := range rows.byWord[toks[at].Norm] {
			try(ref, at)
		}
	}
	if len(toks) > 0 {
		for _, ref := range rows.atStart {
			try(ref, 0)
		}
	}
	return out
}

// near are the words of the sentence around a cue.
func (o *occasion) near(f foundCue) []lexicon.Token {
	toks := o.sentences[f.sentence]
	return toks[max(0, f.first-nearWords):min(len(toks), f.last+nearWords)]
}

// hold gives the match and the code of a cue, if it says what the encounter is
// for.
func (o *occasion) hold(p *purpose, f foundCue) (coding.Match, string, bool) {
	toks := o.sentences[f.sentence]
	span := coding.Span{Start: toks[f.first].Start, End: toks[f.last-1].End}
	near := o.near(f)
	none := coding.Match{}
	if !p.fits(o.ageFor(near)) || !o.placed(p, f) {
		return none, "", false
	}
	switch o.in.Doc.AssertionOf(span) {
	case coding.Negated:
		if !p.denied {
			return none, "", false
		}
	case coding.Historical:
		if !p.past {
			return none, "", false
		}
	case coding.Family:
		if o.age < 0 || o.age >= 18*yearDays { // a parent tells of a child
			return none, "", false
		}
	}
	if len(p.with) > 0 && !o.says(p.with, nil, false) {
		return none, "", false
	}
	if o.says(p.without, near, !p.nowhere) {
		return none, "", false
	}
	code, ok := o.fill(p, near)
	if !ok {
		return none, "", false
	}
	return coding.Match{
		Span: span, Term: p.because, TermCode: code, Kind: termPurpose, Lexical: 1,
		Assertion: coding.Present, Section: o.in.Doc.SectionAt(span.Start),
	}, code, true
}

func (p *purpose) fits(age float64) bool {
	if age < 0 {
		return p.ageless
	}
	return p.from <= age && age < p.to
}

// says reports whether the note has one of the phrases and does not deny it:
// anywhere, or only near the cue and where the note says what it is about.
func (o *occasion) says(phrases []phrase, near []lexicon.Token, about bool) bool {
	for n := range phrases {
		p := &phrases[n]
		if about && o.has(near, p, true) {
			return true
		}
		known, ok := o.stated[p]
		if !ok {
			for k := range o.sentences {
				if known = (!about || o.about[k]) && o.has(o.sentences[k], p, about); known {
					break
				}
			}
			o.stated[p] = known
		}
		if known {
			return true
		}
	}
	return false
}

func (o *occasion) has(toks []lexicon.Token, p *phrase, about bool) bool {
	for at := range toks {
		first, last := p.match(toks, at)
		if first < 0 || last <= first {
			continue
		}
		switch o.in.Doc.AssertionOf(coding.Span{Start: toks[first].Start, End: toks[last-1].End}) {
		case coding.Negated, coding.Family:
			continue
		case coding.Hypothetical:
			if about {
				continue
			}
		}
		return true
	}
	return false
}

var (
	// visitWords say that the patient comes for what comesFor leads to.
	visitWords = wordSet(`present presents presenting presented here comes come coming came return returns returning returned visit
		admitted referred brought bring brings arrives requests requesting requested seen scheduled undergo undergoes receive receives
		indicated taken`)
	comesFor    = wordSet(`for to because regarding after status requesting`)
	visitDirect = wordSet(`requests requesting requested receive receives undergo undergoes visit`)
	// planned say that something is to be done another time, doneBefore that it was
	// done before, refused that it is not done.
	planned = wordSet(`will would should schedule scheduled due overdue recommend recommended recommends advise advised plan plans
		planned planning consider considering needs need refer order ordered next future if until may might could again when
		eventually candidate awaiting pending encourage encouraged suggest suggested`)
	doneBefore = wordSet(`last previous previously prior history had underwent before since past ago finished received given following
		never status every`)
	refused      = wordSet(`decline declines declined refuse refused refuses defer deferred cancelled canceled`)
	nowWords     = wordSet(`today now here currently`)
	agoWords     = wordSet(`ago`)
	earlierVisit = wordSet(`had been last previously prior never`)
	told         = wordSet(`was were is are has had`)
)

// placed reports whether the cue stands where the row wants it, as what is done
// now.
func (o *occasion) placed(p *purpose, f foundCue) bool {
	toks := o.sentences[f.sentence]
	places := o.placesOf(f.sentence) & p.places
	kind := o.in.Doc.Sections[o.in.Doc.Sentences[f.sentence].Section].Kind
	any := func(set map[string]bool, from, to int) bool {
		for i := max(from, 0); i < min(to, len(toks)); i++ {
			if set[toks[i].Lower] {
				return true
			}
		}
		return false
	}
	if any(refused, f.first-beforeWords, f.last+afterWords) {
		return false
	}
	from, to := f.first-nearWords, f.last+nearWords
	now := any(nowWords, from, to)
	pastBefore := doneBefore
	if p.past {
		pastBefore = nil
	}
	reach := titleReach
	if kind != coding.SectionProcedure {
		reach = nameReach
	}
	if places&placeTitle != 0 && f.first < reach && !any(told, from, to) && !any(pastBefore, f.first-beforeWords, f.first) && !any(planned, from, f.first) {
		return true
	}
	later := any(planned, f.first-beforeWords, f.first) || any(planned, f.last, f.last+afterWords)
	earlier := any(pastBefore, f.first-beforeWords, f.first) || any(agoWords, f.last, f.last+afterWords)
	if kind == coding.SectionIndication && any(told, from, to) {
		places &^= placeReason // it tells what went before
	}
	if places&(placeReason|placeDiagnosis|placeText) != 0 && !earlier && (now || !later) {
		return true
	}
	if p.places&placeVisit == 0 || !occasional(kind) {
		return false
	}
	for v := f.first - 1; v >= max(0, f.first-visitReach); v-- {
		if !visitWords[toks[v].Lower] {
			continue
		}
		if v+1 < f.first && !any(comesFor, v+1, f.first) && !visitDirect[toks[v].Lower] {
			continue
		}
		return (now || !any(earlierVisit, v-3, v)) && !any(pastBefore, v+1, f.first) && !any(agoWords, f.last, f.last+afterWords) && (now || !any(planned, v-2, f.first)) && !elsewhen(toks[:min(len(toks), to)], max(0, from), v)
	}
	return false
}

// How far, in words, a cue is looked around; a sentence may be as long as the note.
const beforeWords, afterWords, visitReach, nearWords = 8, 6, 14, 40

// occasional reports whether a section may tell why the patient came.
func occasional(s coding.SectionKind) bool {
	switch s {
	case coding.SectionPMH, coding.SectionPSH, coding.SectionFamily, coding.SectionSocial, coding.SectionProcedure:
		return false
	}
	return tells(s)
}

// elsewhen reports whether the sentence tells of an earlier visit: one in a
// named year, or initially.
func elsewhen(toks []lexicon.Token, from, visit int) bool {
	for i := from; i < len(toks); i++ {
		switch toks[i].Lower {
		case "initially", "originally", "previously":
			return true
		case "in", "since":
			if i > visit && i+1 < len(toks) && len(toks[i+1].Lower) == 4 && toks[i+1].Kind == lexicon.Number {
				return true
			}
		}
	}
	return false
}

// purposeOf is how far a candidate is trusted to be what the encounter is for;
// 0 where no words say that it is.
func purposeOf(c *coding.Candidate) float64 {
	if slices.ContainsFunc(c.Matches, func(m coding.Match) bool { return m.Kind == termPurpose }) {
		return c.RetrievalScore
	}
	return 0
}
