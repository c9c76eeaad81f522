package review

import (
	"slices"

	"chartcode/internal/coding"
)

// Final gives the review of an item as it was finished last; ok is false unless
// the item is finished.
func Final(r coding.ItemRecord) (rev coding.Review, ok bool) {
	st := Replay(r.Decisions)
	if !st.Finished {
		return rev, false
	}
	last := len(r.Decisions) - 1
	for r.Decisions[last].Kind != coding.Finish {
		last--
	}
	d := r.Decisions[last]
	r.Decisions = r.Decisions[:last]
	return reviewOf(r, codeList(r, st), st, d), true
}

// reviewOf is the message that tells what was decided; d finishes the item. A
// returned item has no codes.
func reviewOf(r coding.ItemRecord, list []Code, st State, d coding.Decision) coding.Review {
	rev := coding.Review{
		Schema: 1, ReviewID: d.ReviewID, Source: r.Head.Source, EncounterID: r.Head.EncounterID,
		Disposition: d.Disposition, Coder: d.Coder, FinishedAt: d.At,
		NoteIDs: []string{}, Codes: []coding.ReviewedCode{}, Remark: st.Remark,
	}
	for _, n := range r.Notes {
		rev.NoteIDs = append(rev.NoteIDs, n.Note.NoteID)
	}
	for _, x := range append(slices.Clone(r.Decisions), d) {
		rev.Decisions = append(rev.Decisions, coding.ReviewedDecision{
			Seq: x.Seq, Kind: x.Kind, Coder: x.Coder, At: x.At, System: x.System, Code: x.Code, To: x.To,
			Rule: x.Rule, Reason: x.Reason, Why: x.ReasonCode,
		})
	}
	if d.Disposition == coding.DispositionReturned {
		return rev
	}
	for _, c := range list {
		if !c.Listed() {
			continue
		}
		rc := coding.ReviewedCode{
			System: c.System, Code: c.Code, Sequence: c.Final, Role: c.Role, Origin: c.Origin, Evidence: c.Evidence,
			Display: c.Title, Units: c.Units, Modifiers: c.Modifiers, DecidedBy: c.By, DecidedAt: c.At,
		}
		if c.POA.Valid() {
			poa := string(c.POA)
			rc.POA = &poa
		}
		for _, key := range c.Pointers {
			if i := slices.IndexFunc(list, func(x Code) bool { return x.CodeKey == key && x.Listed() }); i >= 0 {
				rc.Pointers = append(rc.Pointers, list[i].Final)
			}
		}
		rev.Codes = append(rev.Codes, rc)
	}
	slices.SortFunc(rev.Codes, func(a, b coding.ReviewedCode) int { return a.Sequence - b.Sequence })
	return rev
}

// Draft gives the codes of an item that is not finished in the form of a review:
// those accepted so far in their order, then the undecided suggestions. It has no
// id, coder or disposition, and undecided codes have no origin.
func Draft(r coding.ItemRecord) coding.Review {
	st := Replay(r.Decisions)
	list := codeList(r, st)
	rev := reviewOf(r, list, st, coding.Decision{})
	rev.Decisions = rev.Decisions[:len(r.Decisions)]
	for _, c := range list {
		if c.State == Undecided {
			rev.Codes = append(rev.Codes, coding.ReviewedCode{
				System: c.System, Code: c.Code, Sequence: len(rev.Codes) + 1, Role: c.Role, Evidence: c.Evidence, Display: c.Title,
			})
		}
	}
	return rev
}
