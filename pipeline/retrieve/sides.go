package retrieve

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// What the note says of left and right, and which side a code's title names; specify.go
// says what for.

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
