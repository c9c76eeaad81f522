package rank

import (
	"cmp"
	"math"
	"slices"

	"chartcode/internal/coding"
)

// LeadFrom is the least confidence of the codes among which the model of the
// first code looks for it: a bill needs a first code, and the likeliest one is
// worth a look although it would not be shown for itself.
const LeadFrom = 0.15

// leadMargin is by how much, in log odds, a code must be likelier first than each
// of those shown to be shown for that alone.
const leadMargin = 0.1

// leading gives the candidate that is likelier first-listed than all that were
// chosen; -1 if one of these is.
func leading(in Input, rows, chosen []Billed, sel Selection) int {
	if sel.Lead == nil {
		return -1
	}
	wide := sel
	wide.Threshold = LeadFrom
	all, list := Chosen(in, rows, wide)
	lead, score, shown := -1, math.Inf(-1), math.Inf(-1)
	for k, x := range FirstRows(all, list) {
		i := list[k].Candidate
		if was := list[k].was; was > 0 {
			i = was - 1
		}
		s := sel.Lead.Score(x)
		switch {
		case !mayStandFirst(all.Candidates[list[k].Candidate].Code):
		case i >= len(in.Candidates) || slices.ContainsFunc(chosen, func(j Billed) bool { return j.Candidate == i }):
			shown = max(shown, s)
		case s > score:
			lead, score = i, s
		}
	}
	if score <= shown+leadMargin {
		return -1
	}
	return lead
}

// firstListed puts the code that answers for the encounter first: of an
// inpatient the first discharge diagnosis, else the first diagnosis of the
// assessment, of a procedure note the postoperative one; without such a place
// the surest definitive code. The rest follow by confidence. lead is the
// candidate that was chosen to be first, -1 if none was.
func firstListed(in Input, chosen []Billed, sel Selection, lead int) []Billed {
	if i := mustStandFirst(in, chosen); i >= 0 {
		return toFront(chosen, i)
	}
	if i := slices.IndexFunc(chosen, func(j Billed) bool { return lead >= 0 && (j.Candidate == lead || j.was == lead+1) }); i >= 0 {
		return toFront(chosen, i)
	}
	if sel.First {
		score := make([]float64, len(chosen))
		for i, j := range chosen {
			score[i] = j.First
		}
		if sel.Lead != nil {
			for i, x := range FirstRows(in, chosen) {
				score[i] = sel.Lead.Score(x)
			}
			favorListed(in, chosen, score)
		}
		best := -1
		for i, j := range chosen {
			if mayStandFirst(in.Candidates[j.Candidate].Code) && (best < 0 || score[i] > score[best]) {
				best = i
			}
		}
		return toFront(chosen, best)
	}
	best := -1
	key := func(j Billed) (place int, kind int, at int) {
		c := in.Candidates[j.Candidate].Code
		place = firstPlace(j.match.Section)
		if encounterCode(c) && j.match.Section == coding.SectionChiefComplaint && !in.Doc.Setting.InpatientRules() {
			return -1, 0, j.match.Span.Start
		}
		if signLike(c) || c[0] == 'Z' {
			kind = 1
		}
		return place, kind, j.match.Span.Start
	}
	for i, j := range chosen {
		if !mayStandFirst(in.Candidates[j.Candidate].Code) {
			continue
		}
		if best < 0 {
			best = i
			continue
		}
		p, k, at := key(j)
		bp, bk, bat := key(chosen[best])
		if cmp.Or(cmp.Compare(p, bp), cmp.Compare(k, bk)) < 0 || (p == bp && k == bk && p < noFirstPlace && at < bat) {
			best = i
		}
	}
	return toFront(chosen, best)
}

func toFront(chosen []Billed, best int) []Billed {
	if best > 0 {
		j := chosen[best]
		chosen = slices.Insert(slices.Delete(slices.Clone(chosen), best, best+1), 0, j)
	}
	slices.SortStableFunc(chosen[min(1, len(chosen)):], func(a, b Billed) int { return cmp.Compare(b.Odds, a.Odds) })
	return chosen
}

// codedAfter names the codes that the tabular list has follow others (code first,
// use additional code): the stage of a kidney disease and the kind of a heart
// failure after the hypertension that caused them (guidelines I.C.9.a).
var codedAfter = []struct{ code, others string }{{"N18", "I12 I13"}, {"I50", "I11 I13"}}

const noFirstPlace = 3

func firstPlace(s coding.SectionKind) int {
	switch s {
	case coding.SectionDischargeDx, coding.SectionPostopDx:
		return 0
	case coding.SectionAssessment:
		return 1
	case coding.SectionPlan, coding.SectionPreopDx, coding.SectionIndication, coding.SectionAdmitDx:
		return 2
	}
	return noFirstPlace
}

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
