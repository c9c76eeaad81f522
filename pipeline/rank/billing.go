package rank

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
)

// Billing codes what was treated, watched or decided at the encounter, not
// every mention: definitive diagnoses before their signs (outpatient guideline
// IV.D, paraphrased), chronic conditions while they are managed (IV.I, IV.J),
// nothing uncertain for outpatients (IV.H), one code per condition. There are no
// labelled bills to learn from here, so the weights are set by hand, in log
// odds, and stand below where a person can read them.

// sectionPoints is what the place of a mention says about whether it is coded.
var sectionPoints = map[coding.SectionKind]float64{
	coding.SectionAssessment:     1.3,
	coding.SectionPlan:           0.4,
	coding.SectionDischargeDx:    2.6,
	coding.SectionPostopDx:       2.6,
	coding.SectionPreopDx:        1.8,
	coding.SectionAdmitDx:        1.2,
	coding.SectionIndication:     1.0,
	coding.SectionChiefComplaint: 0.3,
	coding.SectionHPI:            -0.2,
	coding.SectionCourse:         0.8,
	coding.SectionUnknown:        0.4,
	coding.SectionOther:          -0.2,
	coding.SectionPMH:            -0.4,
	coding.SectionPSH:            -1.2,
	coding.SectionSocial:         -1.0,
	coding.SectionFamily:         -1.0,
	coding.SectionMedications:    -2.0,
	coding.SectionAllergies:      -1.5,
	coding.SectionROS:            -2.6,
	coding.SectionExam:           -2.0,
	coding.SectionResults:        -1.2,
	coding.SectionProcedure:      -2.0,
	coding.SectionInstructions:   -3.0,
}

const (
	basePoints      = 0.6  // how much likelier a named condition is coded than the order model, made for any mention, says
	signPoints      = -0.6 // a sign or pain, where the note may have its cause
	signBeside      = -3.5 // such a one outside the list of problems, where a definitive diagnosis was already chosen
	signInList      = -1.0 // the same within the list of problems
	vaguePoints     = -0.3 // a code that says unspecified or other
	acutePastPoints = -3.0 // history of what does not last
	uncertainPoints = -9.0 // uncertain diagnosis of an outpatient
	externalPoints  = -1.0 // causes and places of injury
	statusPoints    = -0.6 // factors, history and status
	listedTwice     = 0.4  // for each further place, up to two
	genericPoints   = -5.0 // a lone word that is part of many names and no name itself
	thinFrom        = 0.9  // share of a term's words under which a match is too thin to bill on,
	thinPoints      = -6.0 // for each further share that is missing
	headedFrom      = 0.3  // where problems are listed, a sentence that is little but the condition
	headedPoints    = 1.6  // is an item of the list
	headedShare     = 0.5  // of the sentence's bytes
	loosePoints     = -0.6 // for each word between the term's words beyond looseFrom
	headerPoints    = -1.0 // the term leads to a header, and the code was chosen below it
	exacterPoints   = 0.2  // a match that holds another's words and more, over that other
	exacterShare    = 0.85 // of its term's words must be found
	leastBilling    = 0.42 // confidence shown
	mostBilling     = 15   // codes of one note
)

// billingScale turns the points into a probability without labels to fit it
// to: it keeps a sum of many hand-set parts from looking surer than it is.
var billingScale = learned.Calibration{Slope: 0.6}

// judged is a candidate with what speaks for it.
type judged struct {
	cand  int
	score float64
	match *coding.Match
	list  bool // the match is an item of a list of problems
}

func (l *Local) billing(in Input) []coding.Suggestion {
	style := l.models.Style(coding.Billing)
	in = WithPurposes(in)
	rows := BillingRows(in, style.Practice, nil)
	if style.Rank == nil {
		list := make([]judged, len(rows))
		for i := range rows {
			list[i] = rows[i].judged
		}
		preferExact(in.Doc, list)
		for i := range rows {
			rows[i].judged = list[i]
		}
		return Bill(in, rows, Selection{Calibration: billingScale, Threshold: leastBilling, Rules: true})
	}
	Judge(rows, style)
	return Bill(in, rows, Selection{Calibration: style.Calibration, Threshold: style.Threshold, First: style.First != nil, Lead: style.Lead, Rank: style.Rank})
}

// Judge fills in what the trained models say of the rows.
func Judge(rows []Billed, m *learned.StyleModels) {
	x := make([][]float32, len(rows))
	for i := range rows {
		x[i] = rows[i].X
	}
	for i, odds := range m.Rank.Scores(x) {
		rows[i].Odds = odds
	}
	if m.First == nil {
		return
	}
	for i, odds := range m.First.Scores(x) {
		rows[i].First = gbdt.Logistic(odds)
	}
}

// Selection says how the codes of a bill are chosen from judged candidates.
type Selection struct {
	Calibration learned.Calibration
	Threshold   float64     // least confidence shown
	First       bool        // Billed.First is there
	Lead        *gbdt.Model // says which of the chosen codes is first, by FirstRows; nil: Billed.First does
	Rank        *gbdt.Model // what judged, for explanations; nil: the rules
	Rules       bool        // the odds are those of the rules, which do not weigh a sign against what was chosen before it
}

func byOdds(rows []Billed) []Billed {
	list := slices.Clone(rows)
	slices.SortStableFunc(list, func(a, b Billed) int {
		return cmp.Or(cmp.Compare(b.Odds, a.Odds), cmp.Compare(a.Candidate, b.Candidate))
	})
	return list
}

// Chosen gives the codes of a bill before one is put first. Codes that a
// convention adds are candidates of the Input given back.
func Chosen(in Input, rows []Billed, sel Selection) (Input, []Billed) {
	return combine(in, choose(in, byOdds(rows), sel, -1))
}

// Bill chooses and orders the codes of a bill.
func Bill(in Input, rows []Billed, sel Selection) []coding.Suggestion {
	list := byOdds(rows)
	chosen := choose(in, list, sel, -1)
	lead := leading(in, rows, chosen, sel)
	if lead >= 0 {
		chosen = choose(in, list, sel, lead)
	}
	in, chosen = combine(in, chosen)
	out := make([]coding.Suggestion, 0, len(chosen))
	for _, j := range codeFirst(in, sequenced(in, firstListed(in, chosen, sel, lead))) {
		c := &in.Candidates[j.Candidate]
		s := coding.Suggestion{
			System: c.System, Code: c.Code, Display: c.Display, Confidence: sel.Calibration.Probability(j.Odds),
			Evidence: billedEvidence(in.Doc, c, j.match), Rationale: rationaleOf(c, j.match),
		}
		if in.Explain {
			s.Explanation = explainBilled(in, j, sel)
		}
		out = append(out, s)
	}
	number(in.Doc, out)
	return out
}

// judge adds up what speaks for a candidate at its best place.
func judge(in Input, i int) (judged, bool) {
	c := &in.Candidates[i]
	best := judged{cand: i, score: math.Inf(-1)}
	places := 0
	for k := range c.Matches {
		m := &c.Matches[k]
		p, ok := placePoints(in, c.Code, m)
		if !ok {
			continue
		}
		places++
		if p > best.score {
			best.score, best.match = p, m
		}
	}
	if best.match == nil {
		return best, false
	}
	best.list = headed(in.Doc, best.match.Span) && sectionPoints[best.match.Section] >= headedFrom
	best.score += logOdds(c.RetrievalScore) + basePoints + listedTwice*float64(min(places-1, 2))
	switch {
	case signLike(c.Code):
		best.score += signPoints
	case c.Code[0] == 'Z':
		best.score += statusPoints
	case c.Code[0] >= 'V' && c.Code[0] <= 'Y':
		best.score += externalPoints
	}
	if vague(c.Display) {
		best.score += vaguePoints
	}
	return best, true
}

// placePoints judges one place; false where the words there do not let the
// code stand.
func placePoints(in Input, code string, m *coding.Match) (float64, bool) {
	if m.Kind == termPurpose {
		return purposePoints, true
	}
	p := sectionPoints[m.Section]
	switch {
	case familyCode(code):
		if m.Assertion != coding.Family {
			return 0, false
		}
		p += 1.5
	case m.Assertion == coding.Possible:
		if !in.Doc.Setting.InpatientRules() || confirmedOnly(code) {
			p += uncertainPoints
		}
	case m.Assertion == coding.Historical:
		switch {
		case historyCode(code):
			p += 1.0
		case !lasting(code):
			p += acutePastPoints
		}
	case m.Assertion != coding.Present:
		return 0, false
	}
	if m.Section == coding.SectionPMH && !lasting(code) && !historyCode(code) {
		p += acutePastPoints / 2
	}
	if sectionPoints[m.Section] >= headedFrom && headed(in.Doc, m.Span) {
		p += headedPoints
	}
	if m.Dense < 0.85 && m.Lexical < thinFrom {
		p += thinPoints * (thinFrom - m.Lexical)
	}
	words := in.Doc.Text[m.Span.Start:m.Span.End]
	if generic(words) {
		p += genericPoints
	}
	p += loosePoints * float64(looseWords(words, m.Term))
	if m.TermCode != code && strings.HasPrefix(code, m.TermCode) && len(code) < 8 {
		p += headerPoints
	}
	if prevented(in.Doc.Text[m.Span.End:]) {
		return 0, false
	}
	return p, true
}

// headed reports whether the words make up most of their sentence.
func headed(doc *coding.Document, s coding.Span) bool {
	i := doc.SentenceAt(s.Start)
	return i >= 0 && float64(s.Len()) >= headedShare*float64(doc.Sentences[i].Len())
}

// looseWords is how many words the evidence has beyond those of the term and
// what usually stands between them.
func looseWords(words, term string) int {
	return max(0, len(strings.Fields(words))-len(strings.Fields(term))*3/2-1)
}

// preferExact lifts a candidate over those whose words lie within its own, if
// nearly all words of its term were found: of "osteoarthritis" and
// "osteoarthritis, left knee" on the same words the bill has the second.
func preferExact(doc *coding.Document, list []judged) {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(list[a].match.Span.Len(), list[b].match.Span.Len()) })
	for n, i := range order {
		if m := list[i].match; m.Lexical < exacterShare || looseWords(doc.Text[m.Span.Start:m.Span.End], m.Term) > 0 {
			continue
		}
		for _, k := range order[:n] {
			in, out := list[k].match.Span, list[i].match.Span
			if in != out && out.Contains(in) && list[k].match.Lexical >= exacterShare {
				list[i].score = max(list[i].score, list[k].score+exacterPoints)
			}
		}
	}
}

// choose takes the best codes, one for each condition. Where it is known what
// is likely to be first, the likeliest is taken before all others: candidate
// lead, if there is one.
func choose(in Input, list []Billed, sel Selection, lead int) []Billed {
	var out []Billed
	take := func(j Billed) {
		j = exacter(in, list, j)
		c := &in.Candidates[j.Candidate]
		if !slices.ContainsFunc(out, func(o Billed) bool {
			oc := &in.Candidates[o.Candidate]
			return sameCondition(oc, o.match, c, j.match) && !twoSides(in, oc, c)
		}) {
			out = append(out, j)
		}
	}
	best := -1
	if i := slices.IndexFunc(list, func(j Billed) bool { return j.Candidate == lead }); i >= 0 {
		take(list[i])
	}
	if sel.First {
		for i := range list {
			if mayStandFirst(in.Candidates[list[i].Candidate].Code) && (best < 0 || list[i].First > list[best].First) {
				best = i
			}
		}
		if best >= 0 && list[best].First >= firstAlone {
			take(list[best])
		}
	}
	definitive := false // something else than a sign was taken
	for _, j := range list {
		if len(out) == mostBilling {
			break
		}
		code := in.Candidates[j.Candidate].Code
		if sel.Rules && definitive && signLike(code) {
			if j.list {
				j.Odds += signInList
			} else {
				j.Odds += signBeside
			}
		}
		if sel.Calibration.Probability(j.Odds) >= sel.Threshold {
			take(j)
			definitive = definitive || (!signLike(code) && code[0] != 'Z')
		}
	}
	if len(out) == 0 && best >= 0 && sel.Calibration.Probability(list[best].Odds) >= loneConfidence {
		take(list[best])
	}
	return out
}

// loneConfidence is the least confidence of the code that is likeliest to be
// first where nothing else is shown: few notes have nothing to code.
const loneConfidence = 0.15

// firstAlone is the probability of being first-listed from which on a code is
// shown whatever its confidence: a bill needs a first code.
const firstAlone = 0.2

// sameCondition reports whether code b would say again what code a says: it
// stands on the same words, or is a vaguer, or a neighbouring, code of the same
// subcategory.
func sameCondition(a *coding.Candidate, am *coding.Match, b *coding.Candidate, bm *coding.Match) bool {
	if am.Span.Overlaps(bm.Span) {
		return true
	}
	if coding.Category(a.Code) != coding.Category(b.Code) {
		return false
	}
	return vague(a.Display) || vague(b.Display) || a.Code[:min(5, len(a.Code))] == b.Code[:min(5, len(b.Code))]
}

// codeFirst moves such codes behind the last of those that they follow.
func codeFirst(in Input, list []Billed) []Billed {
	category := func(j Billed) string { return coding.Category(in.Candidates[j.Candidate].Code) }
	for _, rule := range codedAfter {
		last := -1
		for i := range list {
			if strings.Contains(rule.others, category(list[i])) {
				last = i
			}
		}
		for i := last - 1; i >= 0; i-- {
			if category(list[i]) == rule.code {
				j := list[i]
				list = slices.Insert(slices.Delete(slices.Clone(list), i, i+1), last, j)
				last--
			}
		}
	}
	return list
}

// billedEvidence begins with the place that decided, unless that is less likely
// to support the code than a coder would want and another is likely enough.
func billedEvidence(doc *coding.Document, c *coding.Candidate, m *coding.Match) []coding.Evidence {
	decided := coding.Evidence{Span: m.Span, Text: doc.Text[m.Span.Start:m.Span.End]}
	others := evidence(doc, c.Grounds, shownFrom)
	if grounded(c) && slices.ContainsFunc(c.Grounds, func(g coding.Ground) bool { return g.Span == m.Span && g.Support < shownFrom }) {
		return others
	}
	out := []coding.Evidence{decided}
	for _, e := range others {
		if !e.Overlaps(m.Span) && len(out) < evidenceKept {
			out = append(out, e)
		}
	}
	return out
}
