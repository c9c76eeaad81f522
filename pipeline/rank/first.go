package rank

import (
	"chartcode/internal/coding"
)

// FirstFeatures names the values by which it is judged which code of a bill is
// first-listed (or principal), in the order of a row. They compare a code with
// the others that may be billed: what the note names first in its list of
// problems, what it was written about, what is treated rather than noted.
func FirstFeatures() []string { return append([]string(nil), firstNames[:]...) }

var firstNames = [...]string{
	"odds",            // that it is accepted
	"odds_rank",       // place by them
	"codes",           // that may be billed, logarithm
	"listed",          // a place in a list of problems: assessment or diagnoses
	"listed_order",    // number of codes listed earlier
	"definite_before", // number of codes listed earlier that are no signs or status
	"final",           // in the discharge or postoperative diagnosis
	"before",          // in the admission or preoperative diagnosis
	"indication",      //
	"complaint",       // named in the chief complaint
	"complaint_kin",   // a code of its category, or for signs of its chapter, is named there
	"hpi",             //
	"history",         //
	"findings",        // examination or results
	"text_order",      // number of codes named earlier in the note
	"at",              // where it is first named, 0..1
	"sign",            //
	"status",          // chapter of factors (Z)
	"encounter",       // a reason for a visit by itself
	"purpose",         // how far the note is trusted to say that it is what the encounter is for
	"other_purpose",   // the most that another code is
	"lasting",         // goes on
	"acute",           // the title says acute, or injuries and poisonings
	"neoplasm",        //
	"pregnancy",       //
	"external",        //
	"uncertain",       //
	"item",            // the words make up most of an item
	"places",          // distinct places kept
	"inpatient",       //
	"emergency",       //
	"row",             // probability by the row alone
	"row_rank",        // place by it
	"accepted",        // how often notes were billed with the code, logarithm
}

const (
	gOdds = iota
	gOddsRank
	gCodes
	gListed
	gListedOrder
	gDefiniteBefore
	gFinal
	gBefore
	gIndication
	gComplaint
	gComplaintKin
	gHPI
	gHistory
	gFindings
	gTextOrder
	gAt
	gSign
	gStatus
	gEncounter
	gPurpose
	gOtherPurpose
	gLasting
	gAcute
	gNeoplasm
	gPregnancy
	gExternal
	gUncertain
	gItem
	gPlaces
	gInpatient
	gEmergency
	gRow
	gRowRank
	gAccepted
	firstCount
)

// FirstRows gives the values for each of the codes that may be billed.
func FirstRows(in Input, list []Billed) [][]float32 {
	type seen struct{ listed, any int } // bytes of the first place, in lists of problems and anywhere; -1 without
	places := make([]seen, len(list))
	complaints := map[string]bool{} // categories, and letters of chapters
	for i, j := range list {
		places[i] = seen{-1, -1}
		c := &in.Candidates[j.Candidate]
		for k := range c.Matches {
			m := &c.Matches[k]
			if !stated(m.Assertion) {
				continue
			}
			at := m.Span.Start
			if places[i].any < 0 || at < places[i].any {
				places[i].any = at
			}
			if listed(m.Section) && (places[i].listed < 0 || at < places[i].listed) {
				places[i].listed = at
			}
			if m.Section == coding.SectionChiefComplaint || m.Section == coding.SectionIndication {
				complaints[coding.Category(c.Code)] = true
			}
		}
	}
	rank := func(of func(i, k int) bool, i int) float32 {
		n := 0
		for k := range list {
			if k != i && of(i, k) {
				n++
			}
		}
		return float32(n)
	}
	out := make([][]float32, len(list))
	for i, j := range list {
		x := make([]float32, firstCount)
		out[i] = x
		c := &in.Candidates[j.Candidate]
		x[gOdds], x[gCodes] = float32(j.Odds), logp(float64(len(list)))
		x[gOddsRank] = rank(func(i, k int) bool { return list[k].Odds > list[i].Odds }, i)
		x[gRow] = float32(j.First)
		x[gRowRank] = rank(func(i, k int) bool { return list[k].First > list[i].First }, i)
		x[gListedOrder], x[gDefiniteBefore] = 99, 99
		if places[i].listed >= 0 {
			x[gListed] = 1
			earlier := func(i, k int) bool { return places[k].listed >= 0 && places[k].listed < places[i].listed }
			x[gListedOrder] = rank(earlier, i)
			x[gDefiniteBefore] = rank(func(i, k int) bool {
				code := in.Candidates[list[k].Candidate].Code
				return earlier(i, k) && !signLike(code) && code[0] != 'Z'
			}, i)
		}
		x[gTextOrder] = rank(func(i, k int) bool { return places[k].any >= 0 && places[k].any < places[i].any }, i)
		x[gAt] = float32(places[i].any) / float32(len(in.Doc.Text)+1)
		for k := range c.Matches {
			m := &c.Matches[k]
			if !stated(m.Assertion) {
				continue
			}
			x[gPlaces]++
			switch placeSlot(m.Section) {
			case bInFinal:
				x[gFinal] = 1
			case bInBefore:
				x[gBefore] = 1
			case bInIndication:
				x[gIndication] = 1
			case bInComplaint:
				x[gComplaint] = 1
			case bInHPI:
				x[gHPI] = 1
			case bInHistory:
				x[gHistory] = 1
			case bInFindings:
				x[gFindings] = 1
			}
		}
		x[gComplaintKin] = truth(complaints[coding.Category(c.Code)])
		x[gSign], x[gStatus], x[gEncounter], x[gLasting] = truth(signLike(c.Code)), truth(c.Code[0] == 'Z'), truth(encounterCode(c.Code)), truth(lasting(c.Code))
		x[gAcute] = truth(acute(c))
		x[gPurpose] = float32(purposeOf(c))
		for k := range list {
			if k != i {
				x[gOtherPurpose] = max(x[gOtherPurpose], float32(purposeOf(&in.Candidates[list[k].Candidate])))
			}
		}
		x[gNeoplasm], x[gPregnancy] = truth(c.Code[0] == 'C' || c.Code[0] == 'D' && c.Code[1] < '5'), truth(c.Code[0] == 'O')
		x[gExternal], x[gUncertain] = truth(c.Code[0] >= 'V' && c.Code[0] <= 'Y'), truth(j.match.Assertion == coding.Possible)
		x[gItem], x[gInpatient], x[gEmergency] = truth(j.list), truth(in.Doc.Setting.InpatientRules()), truth(in.Doc.Setting == coding.Emergency)
		if len(j.X) > bBilled {
			x[gAccepted] = j.X[bBilled]
		}
	}
	return out
}

// listed reports whether a section lists the problems of the encounter.
func listed(s coding.SectionKind) bool {
	switch s {
	case coding.SectionAssessment, coding.SectionDischargeDx, coding.SectionPostopDx, coding.SectionPreopDx, coding.SectionAdmitDx, coding.SectionPlan:
		return true
	}
	return false
}

func acute(c *coding.Candidate) bool {
	if c.Code[0] == 'S' || c.Code[0] == 'T' {
		return true
	}
	return words(c.Display)["acute"]
}
