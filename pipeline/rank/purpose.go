package rank

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/csv"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// Some codes say why the patient came: an examination, chemotherapy, the
// removal of sutures. The note says so in words that are not those of the code,
// where it speaks of its own occasion. The table of purposes has such words; what
// follows finds them and makes candidates of their codes, which are judged like
// all others.

//go:embed tables/purposes.csv
var purposeTable []byte

// termPurpose is the kind of a match by a purpose: its Term is the sentence
// that says why.
const termPurpose coding.TermKind = "purpose"

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
// as they were.
func WithPurposes(in Input) Input {
	rows := purposeRows()
	o := newOccasion(in)
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

// smallNumbers are the numbers of weeks and months that are written as words.
var smallNumbers = map[string]float64{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12}

var unitDays = map[string]float64{"day": 1, "week": 7, "month": yearDays / 12, "year": yearDays}

// ageFor is the age in days by what the sentence of a cue says ("two week
// check"), else the patient's; -1 where none is known. A sentence only makes an
// age exact that is not known to be another.
func (o *occasion) ageFor(toks []lexicon.Token) float64 {
	if o.age >= 18*yearDays {
		return o.age
	}
	for k := 0; k+1 < len(toks); k++ {
		v, err := strconv.ParseFloat(toks[k].Lower, 64)
		if n, ok := smallNumbers[toks[k].Lower]; ok {
			v, err = n, nil
		}
		days := unitDays[toks[k+1].Norm]
		if err != nil || days == 0 || v > 20 || k+2 >= len(toks) {
			continue
		}
		switch toks[k+2].Lower {
		case "old", "well", "check", "checkup", "physical", "visit":
			return v * days
		}
	}
	return o.age
}

// fill puts into a code what the note tells.
func (o *occasion) fill(p *purpose, near []lexicon.Token) (string, bool) {
	stem, rest, ok := strings.Cut(p.code, "{")
	if !ok {
		return p.code, true
	}
	code := stem
	for ok {
		slot, after, _ := strings.Cut(rest, "}")
		switch a, b, either := strings.Cut(slot, "|"); {
		case either && o.abnormal(p.findings):
			code += b
		case either:
			code += a
		case slot == "trimester":
			t := "0"
			if g := factOf(o.in.Doc, coding.FactGestation); g != nil && g.Value >= 1 && g.Value < 43 {
				t = trimester(g.Value)
			}
			code += t
		case slot == "order":
			code += pregnancyOrder(o.in.Doc.Text)
		case slot == "joint":
			j := jointCode(near)
			if j == "" {
				return "", false
			}
			code += j
		}
		stem, rest, ok = strings.Cut(after, "{")
		code += stem
	}
	return code, true
}

var gravida = regexp.MustCompile(`(?i)\bgravida[, ]{1,2}(\d+)|\bG ?(\d+)[, ]{0,2}P ?\d`)

// pregnancyOrder is the character of Z34 for a first, another, or a pregnancy of
// unknown order.
func pregnancyOrder(text string) string {
	if m := gravida.FindStringSubmatch(text); m != nil {
		if n := m[1] + m[2]; n == "1" {
			return "0"
		}
		return "8"
	}
	t := strings.ToLower(text)
	for _, w := range []string{"primigravida", "primip", "first pregnancy", "normal first"} {
		if strings.Contains(t, w) {
			return "0"
		}
	}
	for _, w := range []string{"multigravida", "multipara", "second pregnancy", "third pregnancy"} {
		if strings.Contains(t, w) {
			return "8"
		}
	}
	return "9"
}

// jointCode is the end of Z96 for an artificial joint that a sentence names.
func jointCode(toks []lexicon.Token) string {
	joint, side := "", ""
	for _, t := range toks {
		switch t.Lower {
		case "shoulder", "shoulders":
			joint = cmp.Or(joint, "61")
		case "elbow", "elbows":
			joint = cmp.Or(joint, "62")
		case "hip", "hips":
			joint = cmp.Or(joint, "64")
		case "knee", "knees":
			joint = cmp.Or(joint, "65")
		case "ankle", "ankles":
			joint = cmp.Or(joint, "66")
		case "right", "left", "bilateral":
			if side != "" && side != t.Lower {
				return ""
			}
			side = t.Lower
		}
	}
	if joint == "" {
		return ""
	}
	switch side {
	case "right":
		return joint + "1"
	case "left":
		return joint + "2"
	case "bilateral":
		if joint == "64" || joint == "65" {
			return joint + "3"
		}
	}
	return joint + "9"
}

// abnormal reports whether the examination found something of the kinds: a
// condition that the assessment states, and that is not one that goes on
// unchanged (guideline I.C.21.c.13, paraphrased: a finding of this examination,
// or a chronic condition that is worse).
func (o *occasion) abnormal(kinds []codeset.Ref) bool {
	doc := o.in.Doc
	for i := range o.in.Candidates[:min(len(o.in.Candidates), Judged)] {
		c := &o.in.Candidates[i]
		if c.RetrievalScore < findingFrom || !anyRef(kinds, c.Code) {
			continue
		}
		for k := range c.Matches {
			m := &c.Matches[k]
			if m.Lexical < thinFrom || m.Assertion != coding.Present || m.Section != coding.SectionAssessment || generic(doc.Text[m.Span.Start:m.Span.End]) {
				continue
			}
			if !lasting(c.Code) || earInfection(c.Code) || o.worse(m.Span) {
				return true
			}
		}
	}
	return false
}

// earInfection reports whether a code is of a disease of the ear that comes and
// goes.
func earInfection(code string) bool {
	c := coding.Category(code)
	return c >= "H60" && c <= "H67"
}

// findingFrom is the least retrieval score of what counts as found.
const findingFrom = 0.3

var worseWords = wordSet("new uncontrolled worse worsening worsened elevated poorly exacerbation flare abnormal slightly")

func (o *occasion) worse(s coding.Span) bool {
	i := o.in.Doc.SentenceAt(s.Start)
	if i < 0 {
		return false
	}
	return slices.ContainsFunc(o.sentences[i], func(t lexicon.Token) bool { return worseWords[t.Lower] })
}

// purposePoints are those of a place at which the note says what it is for,
// whatever its section: it is where the visit is named.
const purposePoints = 1.3

// firstOnly are the codes that may only be first-listed or principal
// (guideline I.C.21.c.16, paraphrased), if the note says that the encounter is
// for them.
var firstOnly = refs("Z00 Z01 Z02 Z04 Z31.81-Z31.84 Z33.2 Z34 Z38 Z39 Z40 Z42 Z51.0 Z51.1 Z52 Z76.1 Z76.2 Z99.12")

// mustStandFirst gives the chosen code that has to be first, -1 where there is
// none. Of several it is the one that the note is most trusted to name, then
// the surest.
func mustStandFirst(in Input, chosen []Billed) int {
	best, trust := -1, firstTrust
	for i, j := range chosen {
		c := &in.Candidates[j.Candidate]
		p := purposeOf(c)
		if p < trust || !anyRef(firstOnly, c.Code) {
			continue
		}
		if best < 0 || p > trust || j.Odds > chosen[best].Odds {
			best, trust = i, p
		}
	}
	return best
}

// firstTrust is the least trust of a cue by which a code is put first.
const firstTrust = 0.5

// purposeOf is how far a candidate is trusted to be what the encounter is for;
// 0 where no words say that it is.
func purposeOf(c *coding.Candidate) float64 {
	if slices.ContainsFunc(c.Matches, func(m coding.Match) bool { return m.Kind == termPurpose }) {
		return c.RetrievalScore
	}
	return 0
}
