package eval

import (
	"math"
	"slices"

	"chartcode/internal/coding"
)

// Result is what the system proposed for one gold note.
type Result struct {
	Note       *GoldNote
	Candidates []string  // distinct codes in retrieval's order
	Shown      []Shown   // distinct, in the order shown
	Known      CodeKnown // which codes the training notes had; nil counts none as unseen
}

// Shown is one code of the list shown, with its confidence.
type Shown struct {
	Code       string
	Confidence float64
	Evidence   []coding.Evidence
}

// CodeKnown reports whether a code occurred in the training notes.
type CodeKnown func(code string) bool

// Scores are the figures over many notes. Rates are 0..1; a rate whose
// denominator is 0 is NaN.
type Scores struct {
	Notes, Gold int

	Found map[int]int // gold codes among the first k candidates, by k

	MAP      float64
	MAPNotes int // notes with gold

	// Of what is shown: Right are required gold codes, Acceptable the ones that
	// gold allows without asking for them, Dropped count neither way. Missed are
	// required codes that are not shown.
	Right, Acceptable, Wrong, Missed, Dropped int

	UnseenGold  int         // gold codes that the training notes never had
	UnseenFound map[int]int // of those, found by k
	UnseenRight int

	ECE       float64
	ECEShown  int // suggestions that the calibration error is counted over
	FirstGold int // notes whose first shown code is a gold code, of notes with gold and something shown
	FirstOf   int

	FirstRight int // notes whose first shown code is right as first-listed
	FirstAsked int // notes for which that was labelled
}

// Ks are the depths at which recall is measured.
func Ks() []int { return []int{10, 50, 100} }

const (
	apDepth  = 100
	eceParts = 10
)

// Score computes the figures. Recall at k is summed over all codes of all
// notes; average precision is taken over the shown list extended by the
// candidates to 100 and averaged over the notes with gold; for precision and
// recall of what is shown, a suggestion under a gold code that is a header or
// absent in the edition counts neither way, and an acceptable one is right
// without being asked for.
func Score(results []Result) Scores {
	s := Scores{Notes: len(results), Found: map[int]int{}, UnseenFound: map[int]int{}}
	var ap float64
	var parts [eceParts]struct{ n, right, conf float64 }
	for i := range results {
		r := &results[i]
		required, acceptable := r.Note.Gold()
		s.Gold += len(required)
		unseen := func(code string) bool { return r.Known != nil && !r.Known(code) }
		for c := range required {
			if unseen(c) {
				s.UnseenGold++
			}
		}
		for j, c := range r.Candidates {
			if !required[c] {
				continue
			}
			for _, k := range Ks() {
				if j < k {
					s.Found[k]++
					if unseen(c) {
						s.UnseenFound[k]++
					}
				}
			}
		}
		if len(required) > 0 {
			ap += averagePrecision(r, required)
			s.MAPNotes++
			if len(r.Shown) > 0 {
				s.FirstOf++
				if required[r.Shown[0].Code] {
					s.FirstGold++
				}
			}
		}
		if len(r.Note.First) > 0 {
			s.FirstAsked++
			if len(r.Shown) > 0 && slices.Contains(r.Note.First, r.Shown[0].Code) {
				s.FirstRight++
			}
		}
		hit := 0
		for _, sh := range r.Shown {
			right := required[sh.Code]
			switch {
			case right:
				hit++
				s.Right++
				if unseen(sh.Code) {
					s.UnseenRight++
				}
			case acceptable[sh.Code]:
				right = true
				s.Acceptable++
			case r.Note.Dropped(sh.Code):
				s.Dropped++
				continue
			default:
				s.Wrong++
			}
			p := &parts[min(int(sh.Confidence*eceParts), eceParts-1)]
			p.n++
			p.conf += sh.Confidence
			if right {
				p.right++
			}
			s.ECEShown++
		}
		s.Missed += len(required) - hit
	}
	s.MAP = ap / float64(s.MAPNotes)
	for _, p := range parts {
		if p.n > 0 {
			s.ECE += math.Abs(p.right-p.conf) / float64(s.ECEShown)
		}
	}
	return s
}

func averagePrecision(r *Result, gold map[string]bool) float64 {
	seen := map[string]bool{}
	hits, sum := 0, 0.0
	add := func(code string) {
		if len(seen) >= apDepth || seen[code] {
			return
		}
		seen[code] = true
		if gold[code] {
			hits++
			sum += float64(hits) / float64(len(seen))
		}
	}
	for _, c := range r.Shown {
		add(c.Code)
	}
	for _, c := range r.Candidates {
		add(c)
	}
	return sum / float64(len(gold))
}

// Recall is the share of gold codes among the first k candidates.
func (s *Scores) Recall(k int) float64 { return float64(s.Found[k]) / float64(s.Gold) }

// UnseenRecall is Recall over the codes that the training notes never had.
func (s *Scores) UnseenRecall(k int) float64 {
	return float64(s.UnseenFound[k]) / float64(s.UnseenGold)
}

// Precision is the share of shown suggestions that are right or acceptable.
func (s *Scores) Precision() float64 {
	return float64(s.Right+s.Acceptable) / float64(s.Right+s.Acceptable+s.Wrong)
}

// ShownRecall is the share of required gold codes that are shown.
func (s *Scores) ShownRecall() float64 { return float64(s.Right) / float64(s.Right+s.Missed) }

// F1 is the harmonic mean of Precision and ShownRecall; 0 when nothing is right.
func (s *Scores) F1() float64 {
	if s.Right == 0 {
		return 0
	}
	p, r := s.Precision(), s.ShownRecall()
	return 2 * p * r / (p + r)
}

// Codes gives the codes of candidates, in order.
func Codes(c []coding.Candidate) []string {
	out := make([]string, len(c))
	for i := range c {
		out[i] = c[i].Code
	}
	return out
}
