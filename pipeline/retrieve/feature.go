package retrieve

import (
	"math"
	"slices"

	"chartcode/internal/coding"
	"chartcode/internal/learned"
)

// Features names the values by which candidates are ordered, in the order of
// Row.X. The last ones rest on frequencies in coded notes and are 0 in a style
// that has none.
func Features() []string { return append([]string(nil), featureNames[:]...) }

var featureNames = [...]string{
	"score",           // best match: share of the term's words, squared, times the root of their weight, less for gaps
	"share",           // of the best match
	"weight",          // words found by the best match, by rarity
	"count",           // number of words of the best match
	"density",         // words found over tokens spanned
	"resolution",      // how well the note supports this code among those the term leads to
	"under",           // logarithm of how many codes the term leads to
	"title",           // best score by kind of term
	"inclusion",       //
	"index",           //
	"everyday",        //
	"other_kind",      //
	"dense",           // best similarity of a mention's vector to a term's
	"sum",             // of the scores over distinct places
	"places",          // distinct places, logarithm
	"terms",           // distinct terms, logarithm
	"first",           // where in the note it first stands, 0..1
	"stated",          // share of the weight of matches that is stated of the patient
	"possible",        //
	"historical",      //
	"beaten",          // best score of another code on overlapping words over the own score
	"beaten_longer",   // the same among matches that hold more words
	"ties",            // logarithm of the number of codes that share the best words and score
	"title_share",     // of the title's weight found anywhere in the note
	"title_weight",    // weight of the title
	"common",          // the code has everyday names: it is used often
	"vague",           // the title says unspecified or other
	"depth",           // characters of the code
	"sign",            // chapter of signs (R)
	"status",          // chapter of factors (Z)
	"injury",          // chapters S and T
	"side",            // 1 the title's side is stated by the match, -1 another side is
	"length",          // words of the note, logarithm
	"rank",            // place by score, logarithm
	"cover",           // found words over all words of the noun phrase around them, by rarity
	"chapter",         // share of the scores of the note's best codes that are of the same chapter
	"code_freq",       // logarithm of notes with the code
	"category_freq",   // logarithm of codes given in the category
	"within_category", // share of the category's codes
	"phrase",          // best share of notes with a phrase that have the code
	"phrase_lift",     // logarithm of how much likelier a phrase makes the code
	"phrase_sum",      // over all phrases
	"phrase_count",    //
	"phrase_category", // best share of notes with a phrase that have a code of the category
	"category_lift",   // logarithm of how much likelier a phrase makes the category
	"given",           // share of the notes with the code's words that were given the code
	"given_notes",     // logarithm of their number
}

const (
	fScore = iota
	fShare
	fWeight
	fCount
	fDensity
	fResolution
	fUnder
	fTitle
	fInclusion
	fIndex
	fEveryday
	fOtherKind
	fDense
	fSum
	fPlaces
	fTerms
	fFirst
	fStated
	fPossible
	fHistorical
	fBeaten
	fBeatenLonger
	fTies
	fTitleShare
	fTitleWeight
	fCommon
	fVague
	fDepth
	fSign
	fStatus
	fInjury
	fSide
	fLength
	fRank
	fCover
	fChapter
	fCodeFreq
	fCategoryFreq
	fWithin
	fPhrase
	fPhraseLift
	fPhraseSum
	fPhraseCount
	fPhraseCategory
	fCategoryLift
	fGiven
	fGivenNotes
	featureCount
)

// Row is a code found in a note with the values by which it is ordered.
type Row struct {
	Code string
	X    []float32

	code  int32
	ways  []way // of the code, best first
	score float32
	best  int32 // hit of the best way, -1 without
}

func logp(n float64) float32 { return float32(math.Log1p(n)) }

// kindSlot is the feature that holds a kind's best score.
func kindSlot(k coding.TermKind) int {
	switch k {
	case coding.TermTitle:
		return fTitle
	case coding.TermInclusion:
		return fInclusion
	case coding.TermIndex:
		return fIndex
	case coding.TermEveryday:
		return fEveryday
	}
	return fOtherKind
}

// describe fills the values of one code that depend on that code alone.
func (r *Retriever) describe(v *view, f *finding, row *Row) {
	x := row.X
	rd := f.rd
	var stated, possible, historical, all float32
	var places []place
	var terms []int32
	first := float32(1)
	row.best = -1
	for _, w := range row.ways {
		if w.hit < 0 {
			if w.term >= 0 {
				x[fDense] = max(x[fDense], f.dense[w.term].sim*(0.5+0.5*w.res))
			}
			continue
		}
		h := &f.hits[w.hit]
		s := w.score * w.res
		if !slices.Contains(terms, w.term) {
			terms = append(terms, w.term)
		}
		slot := kindSlot(r.index.terms[w.term].kind)
		if !h.neg {
			x[slot] = max(x[slot], s)
			places = putPlace(places, place{h.sentence, h.from, s})
			first = min(first, float32(h.from)/float32(len(rd.tokens)+1))
		}
		all += s
		switch h.assert {
		case coding.Present:
			stated += s
		case coding.Possible:
			possible += s
		case coding.Historical:
			historical += s
		}
		if row.best < 0 || (f.hits[row.best].neg && !h.neg) {
			row.best = w.hit
			row.score = s
			x[fScore], x[fShare], x[fWeight], x[fCount] = s, h.share, h.weight, float32(h.count)
			x[fDensity] = float32(h.count) / float32(h.to-h.from+1)
			x[fResolution], x[fUnder] = w.res, logp(float64(w.under))
		}
	}
	if row.best >= 0 && f.hits[row.best].neg {
		row.score *= 0.2
	}
	for _, p := range places {
		x[fSum] += p.score
	}
	x[fPlaces], x[fTerms], x[fFirst] = logp(float64(len(places))), logp(float64(len(terms))), first
	if all > 0 {
		x[fStated], x[fPossible], x[fHistorical] = stated/all, possible/all, historical/all
	}
	t := &v.title[row.code]
	var sum, got float32
	for _, w := range t.words {
		sum += r.index.weight[w]
		if f.inNote[w] == f.gen {
			got += r.index.weight[w]
		}
	}
	if sum > 0 {
		x[fTitleShare] = got / sum
	}
	x[fTitleWeight] = sum
	x[fCommon] = truth(r.index.common[row.code])
	x[fVague] = truth(t.vague)
	x[fDepth] = float32(len(row.Code))
	x[fSign] = truth(row.Code[0] == 'R')
	x[fStatus] = truth(row.Code[0] == 'Z')
	x[fInjury] = truth(row.Code[0] == 'S' || row.Code[0] == 'T')
	x[fLength] = logp(float64(len(rd.tokens)))
	if row.best >= 0 {
		x[fSide] = f.sideFits(t, &f.hits[row.best])
		if x[fSide] < 0 {
			row.score *= 1 + 0.4*x[fSide]
		}
		x[fCover] = f.cover(&f.hits[row.best])
	}
	if l, ok := f.categories[coding.Category(row.Code)]; ok {
		x[fPhraseCategory], x[fCategoryLift] = l.best, l.lift
	}
	if l, ok := f.links[row.code]; ok {
		x[fPhrase], x[fPhraseLift], x[fPhraseSum], x[fPhraseCount] = l.best, l.lift, l.sum, logp(float64(l.count))
		row.score += l.best * 1.5
	}
	row.score = max(row.score, 0.8*denseScore(x[fDense]))
}

// cover is the found weight over the weight of all words of the noun phrases
// that the hit touches: less than 1 where the note says more than the term.
func (f *finding) cover(h *hit) float32 {
	rd := f.rd
	from, to := int(h.from), int(h.to)
	for from > 0 && rd.chunk[from-1] == rd.chunk[from] {
		from--
	}
	for to+1 < len(rd.chunk) && rd.chunk[to+1] == rd.chunk[to] {
		to++
	}
	var all float32
	for i := from; i <= to; i++ {
		all += rd.weight[i]
	}
	if all <= 0 {
		return 1
	}
	return min(1, h.weight/all)
}

// place is where in the note a code was found, with the best score there.
type place struct {
	sentence, from int32
	score          float32
}

func putPlace(ps []place, p place) []place {
	for i := range ps {
		if ps[i].sentence == p.sentence && ps[i].from == p.from {
			ps[i].score = max(ps[i].score, p.score)
			return ps
		}
	}
	return append(ps, p)
}

func truth(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

// remember fills the values that rest on frequencies.
func remember(row *Row, m *learned.Memory, own *learned.Without) {
	n, c := m.CodeNotes(row.Code, own), m.CategoryCodes(row.Code, own)
	row.X[fCodeFreq], row.X[fCategoryFreq] = logp(float64(n)), logp(float64(c))
	row.X[fWithin] = (float32(n) + 0.1) / (float32(c) + 1)
	if row.X[fShare] >= FoundShare {
		share, notes := m.GivenWhenFound(row.Code, 0.2, own)
		row.X[fGiven], row.X[fGivenNotes] = float32(share), logp(float64(notes))
	}
}

// FoundShare is the share of a term's words from which on its code counts as
// found in the note.
const FoundShare = 0.8

// chapterOf is how many of the best codes tell what the note is about.
const chapterOf = 60

// compete fills the values that compare the codes of a note: which other
// codes stand on the same words with a better or longer match.
func (f *finding) compete(rows []Row) {
	n := len(f.rd.tokens)
	bestAt := make([]float32, n)    // by token: best score of a match over it
	longestAt := make([]float32, n) // by token: best weight of a full match over it
	for i := range rows {
		if b := rows[i].best; b >= 0 {
			h := &f.hits[b]
			for t := h.from; t <= h.to; t++ {
				bestAt[t] = max(bestAt[t], rows[i].X[fScore])
				if h.share > 0.7 {
					longestAt[t] = max(longestAt[t], h.weight)
				}
			}
		}
	}
	type key struct {
		from, to int32
		score    float32
	}
	ties := map[key]int{}
	for i := range rows {
		if b := rows[i].best; b >= 0 {
			h := &f.hits[b]
			ties[key{h.from, h.to, rows[i].X[fScore]}]++
		}
	}
	var chapters [256]float32
	var all float32
	for i := range rows[:min(len(rows), chapterOf)] {
		chapters[rows[i].Code[0]] += rows[i].score
		all += rows[i].score
	}
	for i := range rows {
		x := rows[i].X
		x[fChapter] = chapters[rows[i].Code[0]] / (all + 1e-6)
		x[fRank] = logp(float64(i))
		b := rows[i].best
		if b < 0 {
			continue
		}
		h := &f.hits[b]
		var best, longest float32
		for t := h.from; t <= h.to; t++ {
			best = max(best, bestAt[t])
			longest = max(longest, longestAt[t])
		}
		x[fBeaten] = best / x[fScore]
		x[fBeatenLonger] = longest / h.weight
		x[fTies] = logp(float64(ties[key{h.from, h.to, x[fScore]}]))
	}
}

// support is what of a row travels on with the candidate.
func (row *Row) support() coding.Support {
	x := row.X
	return coding.Support{
		Density:      x[fDensity],
		Resolution:   x[fResolution],
		Under:        x[fUnder],
		Sum:          x[fSum],
		Places:       x[fPlaces],
		Terms:        x[fTerms],
		Stated:       x[fStated],
		Beaten:       x[fBeaten],
		BeatenLonger: x[fBeatenLonger],
		Ties:         x[fTies],
		TitleShare:   x[fTitleShare],
		TitleWeight:  x[fTitleWeight],
		Common:       x[fCommon],
		Side:         x[fSide],
		Cover:        x[fCover],
		Chapter:      x[fChapter],
	}
}
