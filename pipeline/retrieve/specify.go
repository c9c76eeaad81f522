package retrieve

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// A note says the side, and at which encounter an injury is seen, once and often
// far from the words that name the condition: "right ankle pain" as the
// complaint, "lateral ligament sprain" in the assessment. What is said of a body
// part anywhere in the note decides among codes that differ in nothing else.

// Sides, as indices of votes.
const (
	sideLeft = iota
	sideRight
	sideBoth
	sideCount
)

// votes is how strongly the note states each side.
type votes [sideCount]float32

func (v *votes) add(o votes, factor float32) {
	for i := range v {
		v[i] += factor * o[i]
	}
}

func (v votes) sum() float32 { return v[sideLeft] + v[sideRight] + v[sideBoth] }

// sides is what a note says of left and right.
type sides struct {
	at     []int32 // tokens that name a side, in text order
	said   []votes // by entry of at: its side, weighted by section and assertion
	word   map[int32]votes
	region map[byte]votes
	all    votes
}

// regions are the body parts that have sides, by the part of the body that they
// belong to. General anatomy, written by hand.
var regions = []string{
	"arm shoulder elbow forearm wrist hand finger thumb humerus humeral radius radial ulna ulnar clavicle scapula rotator cuff biceps triceps metacarpal carpal axilla epicondyle epicondylitis olecranon scaphoid palm supraspinatus acromioclavicular",
	"leg hip knee ankle foot toe thigh calf shin heel femur femoral tibia tibial fibula fibular patella patellar patellofemoral meniscus cruciate metatarsal hallux achilles plantar tarsal malleolus trimalleolar bimalleolar acetabulum popliteal",
	"eye eyelid lid brow eyebrow cataract cornea corneal retina retinal conjunctiva pupil vision orbit lacrimal macular vitreous",
	"ear tympanic tympanum eustachian hearing otitis auricle pinna mastoid cochlea",
	"breast nipple mammary",
	"lung pleura pleural bronchus",
	"kidney renal ureter ureteral renal",
	"ovary ovarian adnexa fallopian",
	"testis testicle testicular epididymis scrotum spermatic",
	"groin inguinal femoral",
	"carotid cerebral hemisphere",
	"adrenal", "tonsil", "maxillary", "nostril", "cheek", "mandible", "rib", "buttock", "flank", "limb", "extremity", "temple", "vertebral", "iliac",
}

// regionOf gives the regions by norm; 0 is none.
var regionOf = sync.OnceValue(func() map[string]byte {
	out := map[string]byte{}
	for i, line := range regions {
		for _, w := range strings.Fields(line) {
			for _, n := range lexicon.Norms(w) {
				if out[n] == 0 {
					out[n] = byte(i + 1)
				}
			}
		}
	}
	return out
})

// sideNorms gives the sides by norm.
var sideNorms = sync.OnceValue(func() map[string]int {
	return map[string]int{
		lexicon.Norms("left")[0]: sideLeft, lexicon.Norms("right")[0]: sideRight,
		lexicon.Norms("bilateral")[0]: sideBoth, lexicon.Norms("both")[0]: sideBoth,
	}
})

// sideWeight is how much a section's word counts: an examination looks at both
// sides, the assessment names the one that is ill.
func sideWeight(s coding.SectionKind) float32 {
	switch s {
	case coding.SectionAssessment, coding.SectionDischargeDx, coding.SectionPostopDx, coding.SectionIndication, coding.SectionChiefComplaint:
		return 3
	case coding.SectionPreopDx, coding.SectionAdmitDx, coding.SectionPlan, coding.SectionHPI, coding.SectionUnknown:
		return 2
	case coding.SectionPMH, coding.SectionPSH, coding.SectionFamily, coding.SectionROS:
		return 0.4
	}
	return 1
}

const (
	sideAhead  = 6   // words after the side that it may belong to
	sideBehind = 4   // and before it, where none after it is a body part
	otherSaid  = 0.2 // weight of a side in words that deny, fear or tell of others
)

// readSides gathers the sides that the note states, by the body parts that they
// are said of.
func (r *Retriever) readSides(rd *reading) *sides {
	s := &sides{word: map[int32]votes{}, region: map[byte]votes{}}
	named := func(i int, side int) {
		w := sideWeight(rd.doc.SectionAt(rd.tokens[i].Start))
		if !stated(rd.assert[i]) {
			w *= otherSaid
		}
		var v votes
		v[side] = w
		s.at, s.said = append(s.at, int32(i)), append(s.said, v)
		s.all.add(v, 1)
	}
	facts := rd.doc.Facts
	for i := range rd.tokens {
		t := &rd.tokens[i]
		for len(facts) > 0 && (facts[0].Start < t.Start || (facts[0].Start == t.Start && facts[0].Kind != coding.FactLaterality)) {
			facts = facts[1:]
		}
		switch {
		case len(facts) > 0 && facts[0].Start == t.Start:
			switch facts[0].Word {
			case "left":
				named(i, sideLeft)
			case "right":
				named(i, sideRight)
			case "bilateral":
				named(i, sideBoth)
			}
		case t.Lower == "rt":
			named(i, sideRight)
		case t.Lower == "lt":
			named(i, sideLeft)
		default:
			if e, ok := rd.expanded[int32(i)]; ok && len(e.Norms) > 1 { // RUE, OD, BLE
				if side, ok := sideNorms()[e.Norms[0]]; ok {
					named(i, side)
				}
			}
		}
	}
	p := 0
	for k, i := range s.at {
		for p < len(rd.sentence) && rd.sentence[p].to <= i {
			p++
		}
		if p == len(rd.sentence) || rd.sentence[p].from > i {
			continue
		}
		part := &rd.sentence[p]
		to := min(i+sideAhead, part.to-1)
		if k+1 < len(s.at) {
			to = min(to, s.at[k+1]-1)
		}
		for j := i + 1; j <= to; j++ {
			if w := rd.tokens[j].Lower; w == ";" || w == "." || w == "," || w == ":" {
				to = j - 1
			}
		}
		if s.give(r, part, i, to, s.said[k], 1) {
			continue
		}
		from := max(i-sideBehind, part.from)
		if k > 0 {
			from = max(from, s.at[k-1]+1)
		}
		s.give(r, part, from, i-1, s.said[k], 0.7)
	}
	return s
}

// give votes for the body parts among the tokens from..to; false without any.
func (s *sides) give(r *Retriever, p *part, from, to int32, v votes, factor float32) bool {
	any := false
	at, _ := slices.BinarySearchFunc(p.words, from, func(w word, pos int32) int { return cmp.Compare(w.pos, pos) })
	for ; at < len(p.words) && p.words[at].pos <= to; at++ {
		w := &p.words[at]
		g := r.index.region[w.id]
		if g == 0 || w.factor < 0.5 {
			continue
		}
		any = true
		a := s.word[w.id]
		a.add(v, factor*w.factor)
		s.word[w.id] = a
		if w.factor == 1 {
			b := s.region[g]
			b.add(v, factor)
			s.region[g] = b
		}
	}
	return any
}

// Weights of what speaks for a side: words beside the condition's, the same
// body part elsewhere, the same part of the body, anything in the note.
const (
	sideNear   = 4
	sideRegion = 0.4
	sideNote   = 0.1
	nearTokens = 4
)

// votesFor sums what speaks for each side of a title that stands on a hit; h may
// be nil.
func (f *finding) votesFor(t *title, h *hit) votes {
	var out votes
	s := f.sides
	if len(s.at) == 0 {
		return out
	}
	if h != nil {
		k, _ := slices.BinarySearch(s.at, h.from-nearTokens)
		for ; k < len(s.at) && s.at[k] <= h.to+nearTokens; k++ {
			if f.sentenceOf(s.at[k]) == h.sentence {
				out.add(s.said[k], sideNear)
			}
		}
	}
	if t.family == 0 { // "left" is part of a name: left ventricular failure
		return out
	}
	found := false
	for _, w := range t.parts {
		if v, ok := s.word[w]; ok {
			out.add(v, 1)
			found = true
		}
	}
	if !found && t.region != 0 {
		v, ok := s.region[t.region]
		out.add(v, sideRegion)
		found = ok
	}
	if !found && (s.all[sideLeft] == 0) != (s.all[sideRight] == 0) { // a note of one side alone
		out.add(s.all, sideNote)
	}
	return out
}

// sentenceOf gives the number of the sentence of a token, -1 between them.
func (f *finding) sentenceOf(token int32) int32 {
	ps := f.rd.sentence
	i, ok := slices.BinarySearchFunc(ps, token, func(p part, t int32) int { return cmp.Compare(p.from, t) })
	if !ok {
		i--
	}
	if i < 0 || token >= ps[i].to {
		return -1
	}
	return int32(i)
}

// Shares from which on a side is what the note says.
const (
	bothShare  = 0.35 // of the votes for "bilateral", or of the lesser side against the greater
	leastVotes = 0.2
)

// sideFits says how the side that a title names agrees with the note: 1 it is
// what the note says, -1 the note says another, -0.5 the note says none.
func (f *finding) sideFits(t *title, h *hit) float32 {
	if t.side == 0 {
		return 0
	}
	v := f.votesFor(t, h)
	sum := v.sum()
	if sum < leastVotes {
		if t.side == 'U' {
			return 0
		}
		return -0.5
	}
	l, r := v[sideLeft], v[sideRight]
	both := v[sideBoth] >= bothShare*sum || min(l, r) > 0.6*max(l, r)
	fits := false
	switch t.side {
	case 'B':
		fits = both
	case 'L':
		fits = l >= r && !both || both && !t.pair
	case 'R':
		fits = r > l && !both || both && !t.pair
	}
	if fits {
		return 1
	}
	return -1
}

// encounter is how well each 7th character of an injury suits the note, by its
// letter: A and B active treatment of a closed and an open fracture, D routine
// healing, G, K and P delayed, not and badly healed, S sequela (guideline
// I.C.19.a; the default of active treatment is for notes that do not say).
type encounter [256]float32

func (f *finding) encounters() encounter {
	var e encounter
	for i := range e {
		e[i] = 0.15
	}
	e['A'], e['B'], e['D'], e['S'] = 1, 0.3, 0.5, 0.2
	if f.later {
		e['A'], e['D'] = 0.8, 1
	}
	for _, x := range f.rd.doc.Facts {
		switch {
		case x.Kind == coding.FactOpenness && x.Word == "open" && stated(f.rd.assertionAt(x.Span)):
			e['B'] = 1.1
		case x.Kind == coding.FactHealing && f.treated(x.Start) && f.rd.assertionAt(x.Span) == coding.Present:
			switch x.Word {
			case "delayed":
				e['G'] = 1.1
			case "nonunion":
				e['K'] = 1.1
			case "malunion":
				e['P'] = 1.1
			}
		}
	}
	if e['K'] > 1 && e['P'] > 1 { // both are told of only where risks are listed
		e['K'], e['P'] = 0.15, 0.15
	}
	if f.sequel {
		e['S'] = 1.1
	}
	return e
}

// treated reports whether a byte stands where the note tells of what is, not of
// what may come.
func (f *finding) treated(at int) bool {
	switch f.rd.doc.SectionAt(at) {
	case coding.SectionPlan, coding.SectionInstructions, coding.SectionProcedure, coding.SectionPostopDx, coding.SectionROS:
		return false
	case coding.SectionUnknown, coding.SectionOther:
		return at < len(f.rd.doc.Text)/3
	}
	return true
}

// group is codes that differ in their 7th character alone, or one code.
type group []int32

// suits picks of a group the code whose 7th character suits the note, and the
// next best; -1 without one.
func (f *finding) suits(v *view, g group) (best, next int32) {
	best, next = -1, -1
	var b, n float32
	for _, c := range g {
		x := float32(1)
		if s := v.title[c].seventh; s != 0 {
			x = f.seventh[s]
		}
		switch {
		case x > b:
			next, n = best, b
			best, b = c, x
		case x > n:
			next, n = c, x
		}
	}
	return best, next
}

// encounterAt is where the part of a title begins that says the encounter, -1
// without one.
func encounterAt(code, title string) int {
	if len(code) != 8 {
		return -1
	}
	for _, s := range []string{", initial encounter", ", subsequent encounter", ", sequela"} {
		if i := strings.LastIndex(title, s); i >= 0 {
			return i
		}
	}
	return -1
}

// families gives the codes of a view that differ only in the side their family's
// number, from 1, and says of each whether the family has a code for both sides.
func (v *view) families(ix *index) {
	key := make([]string, len(v.title))
	type family struct {
		n                 int32
		left, right, both bool
	}
	known := map[string]*family{}
	for c := range v.title {
		t := &v.title[c]
		if t.text == "" {
			continue
		}
		cut := t.text
		if i := encounterAt(ix.codes[c], cut); i >= 0 {
			cut = cut[:i] + " " + ix.codes[c][7:]
		}
		low := strings.ToLower(cut)
		sided := strings.Contains(low, "left") || strings.Contains(low, "right") || strings.Contains(low, "bilateral") || strings.Contains(low, "both")
		if !sided && !strings.Contains(low, "unspecified") {
			continue
		}
		var ws []string
		for _, n := range lexicon.Norms(cut) {
			if !lexicon.IsStop(n) && !slices.Contains(ws, n) && !apart()[n] && (n != primary || !arthrosis(ix.codes[c])) {
				ws = append(ws, n)
			}
		}
		slices.Sort(ws)
		key[c] = coding.Category(ix.codes[c]) + " " + strings.Join(ws, " ")
		g := known[key[c]]
		if g == nil {
			g = &family{n: int32(len(known) + 1)}
			known[key[c]] = g
		}
		g.left, g.right, g.both = g.left || t.side == 'L', g.right || t.side == 'R', g.both || t.side == 'B'
	}
	for c := range v.title {
		g := known[key[c]]
		t := &v.title[c]
		if key[c] == "" || !(g.left && g.right) {
			if t.side == 'U' {
				t.side = 0
			}
			continue
		}
		t.family, t.pair = g.n, g.both
	}
}

// arthrosis reports whether a code is of the categories in which a side stated
// tells of primary osteoarthritis of that joint: their codes without a side are
// for notes that say neither.
func arthrosis(code string) bool {
	c := coding.Category(code)
	return c >= "M16" && c <= "M19"
}

var primary = lexicon.Norms("primary")[0]

// Norms of the words that tell a fracture whose parts have moved from others.
var (
	displaced    = lexicon.Norms("displaced")[0]
	nondisplaced = lexicon.Norms("nondisplaced")[0]
)

// apart are the norms of the words in which the titles of a family differ.
var apart = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields("left right bilateral both unspecified unilateral side") {
		for _, n := range lexicon.Norms(w) {
			out[n] = true
		}
	}
	return out
})

// settle, for bills, gives the codes of a family that name the side stated the family's best
// score, and those that name another a small part of it.
func settle(v *view, rows []Row, scores []float64) {
	best := map[int32]float64{}
	for i := range rows {
		if n := v.title[rows[i].code].family; n != 0 {
			best[n] = max(best[n], scores[i])
		}
	}
	right := map[int32]bool{}
	for i := range rows {
		t := &v.title[rows[i].code]
		if t.family != 0 && rows[i].X[fSide] == 1 {
			scores[i] = max(scores[i], best[t.family])
			right[t.family] = true
		}
	}
	for i := range rows {
		t := &v.title[rows[i].code]
		if t.family != 0 && right[t.family] && rows[i].X[fSide] < 0 {
			scores[i] *= otherSide
		}
	}
}

const otherSide = 0.15

// settleInjuries lowers the codes of a fracture as not displaced where the note
// does not say so, and those of an injury without a name beside one that has
// one: of the same part of the body, and likelier.
func (f *finding) settleInjuries(v *view, rows []Row, scores []float64) {
	best := map[string]float64{}
	for i := range rows {
		t := &v.title[rows[i].code]
		if t.seventh == 0 {
			continue
		}
		if t.moved != 0 && (t.moved < 0) != f.unmoved {
			scores[i] *= otherMoved
		}
		if p := rows[i].Code[:2]; !nameless(rows[i].Code) {
			best[p] = max(best[p], scores[i])
		}
	}
	for i := range rows {
		if rows[i].X[fInjury] == 1 && nameless(rows[i].Code) && best[rows[i].Code[:2]] > leastNamed*scores[i] {
			scores[i] *= besideNamed
		}
	}
}

const (
	otherMoved  = 0.4
	leastNamed  = 0.5
	besideNamed = 0.3
)

// nameless reports whether a code is of an unspecified injury: S09.9, S19.9 to
// S99.9.
func nameless(code string) bool {
	return code[0] == 'S' && len(code) > 4 && code[2:5] == "9.9"
}

// Frequencies at which an injury is judged for a bill.
const (
	injuryNotes  = 4
	injuryGroup  = 10
	injuryWithin = 0.3
)

// billed gives the values by which a code is ordered. The notes that the order
// is learned from are reports of cases of disease: they hold next to no
// injuries, so for bills an injury is ordered as a disease of middling frequency
// with the same words would be.
func billed(x []float32, s coding.Style) []float32 {
	if s != coding.Billing || x[fInjury] == 0 {
		return x
	}
	x = slices.Clone(x)
	x[fInjury], x[fDepth] = 0, min(x[fDepth], 6)
	x[fCodeFreq] = max(x[fCodeFreq], logp(injuryNotes))
	x[fCategoryFreq] = max(x[fCategoryFreq], logp(injuryGroup))
	x[fWithin] = max(x[fWithin], injuryWithin)
	return x
}
