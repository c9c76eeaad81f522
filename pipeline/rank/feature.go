package rank

import (
	"math"
	"strings"

	"chartcode/internal/coding"
)

// Features names the values by which the local ranker judges a candidate in
// the style of mentions, in the order of a row.
func Features() []string { return append([]string(nil), featureNames[:]...) }

var featureNames = [...]string{
	"retrieval",          // log odds of the retrieval score
	"rank",               // logarithm of the rank
	"ahead",              // log odds less those of the best candidate of the note
	"lexical",            // best share of a term's words found
	"dense",              // best similarity
	"matches",            // number of distinct places kept
	"learned",            // a phrase of coded notes leads here
	"title_or_inclusion", // the best match is one of the tabular list's own words
	"words",              // words of the best match
	"possible",           // the best match is uncertain
	"historical",         // the best match is history
	"first",              // where the best match stands, 0..1
	"overlap",            // best log odds of a better candidate on the same words
	"overlap_count",      // better candidates on the same words
	"inside",             // a better candidate's words hold these and more
	"around",             // these words hold a better candidate's and more
	"category",           // best log odds of another candidate of the category
	"category_count",     // better candidates of the category
	"subcategory",        // best log odds of another candidate with the same first four characters
	"sentence_count",     // better candidates in the same sentence
	"vague_beside_exact", // unspecified or other, where the category has a better exact code
	"vague",              //
	"sign",               //
	"status",             //
	"expected",           // sum of the retrieval scores: how much the note has to code
	"length",             // of the note, logarithm of bytes
}

const (
	fRetrieval = iota
	fRank
	fAhead
	fLexical
	fDense
	fMatches
	fLearned
	fTabular
	fWords
	fPossible
	fHistorical
	fFirst
	fOverlap
	fOverlapCount
	fInside
	fAround
	fCategory
	fCategoryCount
	fSubcategory
	fSentenceCount
	fVagueBeside
	fVague
	fSign
	fStatus
	fExpected
	fLength
	featureCount
)

// Judged is how many candidates are judged; the rest have no chance.
const Judged = 150

// absent stands for the log odds of a candidate that is not there.
const absent = -12

// Rows gives the features of the first Judged candidates, in their order.
func Rows(in Input) [][]float32 {
	cands := in.Candidates[:min(len(in.Candidates), Judged)]
	rows := make([][]float32, len(cands))
	odds := make([]float32, len(cands))
	sentence := make([]int, len(cands))
	var expected float64
	for i := range cands {
		odds[i] = float32(logOdds(cands[i].RetrievalScore))
		expected += cands[i].RetrievalScore
		sentence[i] = -1
		if m := bestMatch(&cands[i]); m != nil {
			sentence[i] = in.Doc.SentenceAt(m.Span.Start)
		}
	}
	for i := range cands {
		x := make([]float32, featureCount)
		rows[i] = x
		c := &cands[i]
		x[fRetrieval], x[fRank], x[fAhead] = odds[i], logp(float64(i)), odds[i]-odds[0]
		x[fExpected], x[fLength] = float32(expected), logp(float64(len(in.Doc.Text)))
		x[fVague], x[fSign], x[fStatus] = truth(vague(c.Display)), truth(c.Code[0] == 'R'), truth(c.Code[0] == 'Z')
		own(x, c, len(in.Doc.Text))
		beside(x, cands, odds, sentence, i)
	}
	return rows
}

// own fills what the candidate's own matches say.
func own(x []float32, c *coding.Candidate, length int) {
	x[fMatches] = float32(len(c.Matches))
	for i := range c.Matches {
		m := &c.Matches[i]
		if m.Kind == coding.TermLearned {
			x[fLearned] = max(x[fLearned], float32(m.Lexical))
		} else {
			x[fLexical] = max(x[fLexical], float32(m.Lexical))
		}
		x[fDense] = max(x[fDense], float32(m.Dense))
	}
	m := bestMatch(c)
	if m == nil {
		return
	}
	x[fTabular] = truth(m.Kind == coding.TermTitle || m.Kind == coding.TermInclusion)
	x[fWords] = float32(strings.Count(m.Term, " ") + 1)
	x[fPossible], x[fHistorical] = truth(m.Assertion == coding.Possible), truth(m.Assertion == coding.Historical)
	x[fFirst] = float32(m.Span.Start) / float32(length+1)
}

// beside fills what the other candidates say.
func beside(x []float32, cands []coding.Candidate, odds []float32, sentence []int, i int) {
	x[fOverlap], x[fCategory], x[fSubcategory] = absent, absent, absent
	m := bestMatch(&cands[i])
	for j := range cands {
		if j == i {
			continue
		}
		if coding.Category(cands[j].Code) == coding.Category(cands[i].Code) {
			x[fCategory] = max(x[fCategory], odds[j])
			if j < i {
				x[fCategoryCount]++
				if vague(cands[i].Display) && !vague(cands[j].Display) {
					x[fVagueBeside] = 1
				}
			}
			if len(cands[i].Code) > 4 && len(cands[j].Code) > 4 && cands[i].Code[:5] == cands[j].Code[:5] {
				x[fSubcategory] = max(x[fSubcategory], odds[j])
			}
		}
		if j > i || m == nil {
			continue
		}
		if sentence[i] >= 0 && sentence[j] == sentence[i] {
			x[fSentenceCount]++
		}
		o := bestMatch(&cands[j])
		if o == nil || !o.Span.Overlaps(m.Span) {
			continue
		}
		x[fOverlap] = max(x[fOverlap], odds[j])
		x[fOverlapCount]++
		if o.Span != m.Span {
			if o.Span.Contains(m.Span) {
				x[fInside] = 1
			} else if m.Span.Contains(o.Span) {
				x[fAround] = 1
			}
		}
	}
}

// bestMatch is the first match that is stated of the patient, else the first.
func bestMatch(c *coding.Candidate) *coding.Match {
	for i := range c.Matches {
		if stated(c.Matches[i].Assertion) {
			return &c.Matches[i]
		}
	}
	if len(c.Matches) > 0 {
		return &c.Matches[0]
	}
	return nil
}

// stated reports whether an assertion lets a code stand for the patient.
func stated(a coding.Assertion) bool {
	return a == coding.Present || a == coding.Possible || a == coding.Historical || a == ""
}

func vague(title string) bool {
	t := strings.ToLower(title)
	return strings.Contains(t, "unspecified") || strings.HasPrefix(t, "other ") || strings.Contains(t, "not elsewhere classified")
}

func logOdds(p float64) float64 {
	p = min(max(p, 1e-5), 1-1e-5)
	return math.Log(p / (1 - p))
}

func logp(n float64) float32 { return float32(math.Log1p(n)) }

func truth(b bool) float32 {
	if b {
		return 1
	}
	return 0
}
