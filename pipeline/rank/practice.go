package rank

import (
	"slices"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/learned"
)

// BillingFeatures names the values by which the local ranker judges a candidate
// in the style of billing, in the order of a row: those of the style of
// mentions first.
func BillingFeatures() []string {
	return append(Features(), billingNames[:]...)
}

var billingNames = [...]string{
	"points",           // of the rules of billing (see sectionPoints), the best place and all else
	"place_points",     // of the best place alone
	"best_section",     // points of the section of the best place
	"in_assessment",    // a place in the assessment
	"in_final",         // in the discharge, final or postoperative diagnosis
	"in_before",        // in the admission or preoperative diagnosis
	"in_indication",    //
	"in_complaint",     //
	"in_hpi",           // history of present illness or hospital course
	"in_history",       // past history
	"in_plan",          //
	"in_findings",      // examination or results
	"in_systems",       // review of systems
	"in_procedure",     //
	"in_medications",   //
	"in_untitled",      // before any heading, or under one that says nothing
	"sections",         // kinds of sections with a place
	"item",             // the words make up most of an item of a list of problems
	"item_number",      // logarithm of the number of the sentence within its section
	"lasting",          // the condition goes on
	"encounter",        // a reason for a visit by itself
	"history_code",     //
	"family_code",      //
	"external",         //
	"denied_elsewhere", // another place denies it
	"uncertain",        // the best place is uncertain
	"generic",          // the words are one word that is part of many names
	"loose",            // words between the term's words
	"share",            // of the best place's term
	"below_header",     // the term leads to a header above the code
	"inpatient",        //
	"emergency",        //
	"has_assessment",   // the note has a list of problems
	"has_final",        // or of final diagnoses
	"has_procedure",    //
	"billed",           // logarithm of coded notes with the code
	"billed_category",  // logarithm of codes given in the category
	"billed_found",     // share of coded notes with the code's words that were given the code
	"billed_found_of",  // logarithm of their number
	"within_longer",    // the words lie within those of a better matched, longer name
	"longer_score",     // log odds of the best such candidate
	"span",             // bytes of the best place, logarithm
	"at",               // where the best place stands, 0..1
	"purpose",          // how far the note is trusted to say that it is what the encounter is for
	// of retrieval, see coding.Support
	"density",
	"resolution",
	"under",
	"sum",
	"places",
	"terms",
	"stated",
	"beaten",
	"beaten_longer",
	"ties",
	"title_share",
	"title_weight",
	"common",
	"side",
	"cover",
	"chapter",
}

const (
	bPoints = featureCount + iota
	bPlacePoints
	bBestSection
	bInAssessment
	bInFinal
	bInBefore
	bInIndication
	bInComplaint
	bInHPI
	bInHistory
	bInPlan
	bInFindings
	bInSystems
	bInProcedure
	bInMedications
	bInUntitled
	bSections
	bItem
	bItemNumber
	bLasting
	bEncounter
	bHistoryCode
	bFamilyCode
	bExternal
	bDenied
	bUncertain
	bGeneric
	bLoose
	bShare
	bBelowHeader
	bInpatient
	bEmergency
	bHasAssessment
	bHasFinal
	bHasProcedure
	bBilled
	bBilledCategory
	bBilledFound
	bBilledFoundOf
	bWithinLonger
	bLongerScore
	bSpan
	bAt
	bPurpose
	bDensity
	bResolution
	bUnder
	bSum
	bPlaces
	bTerms
	bStated
	bBeaten
	bBeatenLonger
	bTies
	bTitleShare
	bTitleWeight
	bCommon
	bSide
	bCover
	bChapter
	billingCount
)

// placeSlot is the feature that tells of a section.
func placeSlot(s coding.SectionKind) int {
	switch s {
	case coding.SectionAssessment:
		return bInAssessment
	case coding.SectionDischargeDx, coding.SectionPostopDx:
		return bInFinal
	case coding.SectionPreopDx, coding.SectionAdmitDx:
		return bInBefore
	case coding.SectionIndication:
		return bInIndication
	case coding.SectionChiefComplaint:
		return bInComplaint
	case coding.SectionHPI, coding.SectionCourse:
		return bInHPI
	case coding.SectionPMH, coding.SectionPSH, coding.SectionSocial, coding.SectionFamily:
		return bInHistory
	case coding.SectionPlan:
		return bInPlan
	case coding.SectionExam, coding.SectionResults:
		return bInFindings
	case coding.SectionROS:
		return bInSystems
	case coding.SectionProcedure:
		return bInProcedure
	case coding.SectionMedications, coding.SectionAllergies, coding.SectionInstructions:
		return bInMedications
	}
	return bInUntitled
}

// Billed is a candidate that may be billed, with the values by which it is
// judged.
type Billed struct {
	Candidate int // of Input.Candidates
	X         []float32
	Odds      float64 // that a coder accepts it, before calibration
	First     float64 // probability that it is first-listed
	was       int     // 1 + the candidate that gave way to this one; 0 without

	judged
}

// BillingRows gives those of the first Judged candidates that have a place at
// which the words of the note let them stand. practice counts how notes were
// billed and may be nil; own are the codes of the note itself where practice
// learned from it.
func BillingRows(in Input, practice *learned.Memory, own *learned.Without) []Billed {
	rows := Rows(in)
	var has [billingCount]bool
	for _, s := range in.Doc.Sections {
		has[placeSlot(s.Kind)] = true
	}
	var out []Billed
	for i := range rows {
		j, ok := judge(in, i)
		if !ok {
			continue
		}
		x := append(make([]float32, 0, billingCount), rows[i]...)
		x = x[:billingCount]
		c, m := &in.Candidates[i], j.match
		x[bPoints] = float32(j.score)
		x[bBestSection] = float32(sectionPoints[m.Section])
		if m.Kind == termPurpose {
			x[bBestSection] = purposePoints
		}
		if p, ok := placePoints(in, c.Code, m); ok {
			x[bPlacePoints] = float32(p)
		}
		for k := range c.Matches {
			o := &c.Matches[k]
			if _, ok := placePoints(in, c.Code, o); ok {
				if slot := placeSlot(o.Section); x[slot] == 0 {
					x[slot] = 1
					x[bSections]++
				}
			} else if o.Assertion == coding.Negated {
				x[bDenied] = 1
			}
		}
		words := in.Doc.Text[m.Span.Start:m.Span.End]
		x[bItem], x[bItemNumber] = truth(j.list), logp(float64(itemNumber(in.Doc, m.Span)))
		x[bLasting], x[bEncounter], x[bHistoryCode] = truth(lasting(c.Code)), truth(encounterCode(c.Code)), truth(historyCode(c.Code))
		x[bFamilyCode], x[bExternal] = truth(familyCode(c.Code)), truth(c.Code[0] >= 'V' && c.Code[0] <= 'Y')
		x[bUncertain], x[bGeneric], x[bLoose] = truth(m.Assertion == coding.Possible), truth(generic(words)), float32(looseWords(words, m.Term))
		x[bShare], x[bBelowHeader] = float32(m.Lexical), truth(m.TermCode != c.Code && strings.HasPrefix(c.Code, m.TermCode))
		x[bInpatient], x[bEmergency] = truth(in.Doc.Setting.InpatientRules()), truth(in.Doc.Setting == coding.Emergency)
		x[bHasAssessment], x[bHasFinal], x[bHasProcedure] = truth(has[bInAssessment]), truth(has[bInFinal]), truth(has[bInProcedure])
		x[bSpan], x[bAt] = logp(float64(m.Span.Len())), float32(m.Span.Start)/float32(len(in.Doc.Text)+1)
		x[bPurpose] = float32(purposeOf(c))
		if practice != nil {
			x[bBilled] = logp(float64(practice.CodeNotes(c.Code, own)))
			x[bBilledCategory] = logp(float64(practice.CategoryCodes(c.Code, own)))
			share, n := practice.GivenWhenFound(c.Code, 0.2, own)
			x[bBilledFound], x[bBilledFoundOf] = float32(share), logp(float64(n))
		}
		u := &c.Support
		x[bDensity] = u.Density
		x[bResolution] = u.Resolution
		x[bUnder] = u.Under
		x[bSum] = u.Sum
		x[bPlaces] = u.Places
		x[bTerms] = u.Terms
		x[bStated] = u.Stated
		x[bBeaten] = u.Beaten
		x[bBeatenLonger] = u.BeatenLonger
		x[bTies] = u.Ties
		x[bTitleShare] = u.TitleShare
		x[bTitleWeight] = u.TitleWeight
		x[bCommon] = u.Common
		x[bSide] = u.Side
		x[bCover] = u.Cover
		x[bChapter] = u.Chapter
		out = append(out, Billed{Candidate: i, X: x, Odds: j.score, judged: j})
	}
	for i := range out {
		out[i].X[bLongerScore] = absent
		mi := out[i].match
		for k := range out {
			if mk := out[k].match; k != i && mk.Span != mi.Span && mk.Span.Contains(mi.Span) && mk.Lexical >= exacterShare {
				out[i].X[bWithinLonger] = 1
				out[i].X[bLongerScore] = max(out[i].X[bLongerScore], out[k].X[fRetrieval])
			}
		}
	}
	return out
}

// itemNumber is the number, from 0, of the sentence of s within its section.
func itemNumber(doc *coding.Document, s coding.Span) int {
	i := doc.SentenceAt(s.Start)
	if i < 0 {
		return 0
	}
	first := slices.IndexFunc(doc.Sentences, func(o coding.Sentence) bool { return o.Section == doc.Sentences[i].Section })
	return i - first
}
