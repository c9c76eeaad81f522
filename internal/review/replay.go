package review

import (
	"slices"

	"chartcode/internal/coding"
)

// entry is what the decisions say of one code.
type entry struct {
	state    CodeState // never Undecided
	by       coding.Decision
	display  string
	role     coding.Role
	evidence []coding.Evidence
	origin   coding.Origin
	became   *coding.CodeKey // Modified: the code that came in its place
	replaces *coding.CodeKey // came in place of that code
	added    bool            // a coder named it, whatever happened to it since

	poa       coding.POA
	units     int
	modifiers []string
	pointers  []coding.CodeKey
}

// override is an error of a rule that a coder answered for.
type override struct {
	rule   string
	codes  []string // sorted
	reason string
}

// State is what an item's decisions amount to, apart from its suggestions.
type State struct {
	Finished    bool
	Disposition string
	ReviewID    string // of the last finishing, also after reopening
	CanUndo     bool
	CanRedo     bool
	Remark      string

	codes     map[coding.CodeKey]*entry
	named     []coding.CodeKey // codes that a coder named, in that order
	order     []coding.CodeKey // as last put in order by a coder
	overrides []override
	undone    *coding.Decision // what an undo would take back; of several the first
	redone    *coding.Decision // what a redo would bring back; of several the first
}

// Replay gives the state to which decisions lead that are taken in the order
// of their Seq. It accepts whatever is stored: a decision that makes no sense
// where it stands changes nothing.
//
// Undo takes back the latest decision on the codes that still counts, and with it
// those of the same batch; redo brings back the latest taken back; any other decision on the codes ends what
// can be redone. Neither reaches over a finishing or reopening: what was sent
// as a review is changed by new decisions, not unmade.
func Replay(decisions []coding.Decision) State {
	var st State
	var counting []coding.Decision
	var undone [][]coding.Decision
	barrier := 0
	for _, d := range decisions {
		switch d.Kind {
		case coding.Undo:
			if from := lastAct(counting, barrier); from < len(counting) {
				undone = append(undone, slices.Clone(counting[from:]))
				counting = counting[:from]
			}
		case coding.Redo:
			if len(undone) > 0 {
				counting = append(counting, undone[len(undone)-1]...)
				undone = undone[:len(undone)-1]
			}
		case coding.Finish, coding.Reopen:
			st.Finished = d.Kind == coding.Finish
			if st.Finished {
				st.Disposition, st.ReviewID = d.Disposition, d.ReviewID
			}
			barrier, undone = len(counting), nil
		default:
			counting, undone = append(counting, d), nil
		}
	}
	if from := lastAct(counting, barrier); !st.Finished && from < len(counting) {
		st.undone = &counting[from]
	}
	if !st.Finished && len(undone) > 0 {
		st.redone = &undone[len(undone)-1][0]
	}
	st.CanUndo, st.CanRedo = st.undone != nil, st.redone != nil
	st.codes = make(map[coding.CodeKey]*entry)
	for _, d := range counting {
		st.apply(d)
	}
	return st
}

// lastAct is where the decisions of the last act begin that an undo may take
// back; behind the end when there is none.
func lastAct(counting []coding.Decision, barrier int) int {
	from := len(counting)
	if from == barrier {
		return from
	}
	for from--; from > barrier && counting[from].Batch != 0 && counting[from-1].Batch == counting[from].Batch; {
		from--
	}
	return from
}

// Open reports whether a code is in the list and may come to be in the review:
// it is undecided, accepted or added. Suggested says whether the current
// suggestions have it.
func (st State) Open(key coding.CodeKey, suggested bool) bool {
	e := st.codes[key]
	if e == nil {
		return suggested
	}
	return e.state == Accepted || e.state == Added
}

func (st *State) apply(d coding.Decision) {
	key := coding.CodeKey{System: d.System, Code: d.Code}
	old := st.codes[key]
	switch d.Kind {
	case coding.Accept:
		e := st.decided(key, old, d)
		e.state = Accepted
		if e.added {
			e.state = Added // taken back into the list
		} else {
			e.origin = coding.OriginAccepted
		}
	case coding.Reject:
		e := st.decided(key, old, d)
		e.state = Rejected
	case coding.Modify:
		if d.To == nil || *d.To == key {
			return
		}
		e := st.decided(key, old, d)
		e.state, e.became = Modified, d.To
		st.replace(key, *d.To, d)
	case coding.Add:
		e := st.decided(key, old, d)
		e.state, e.added, e.origin = Added, true, d.Origin
		st.name(key)
	case coding.Detail:
		if old != nil {
			st.codes[key] = old.with(d)
		}
	case coding.Remark:
		if d.Remark != nil {
			st.Remark = *d.Remark
		}
	case coding.Reorder:
		st.order = d.Order
	case coding.Override:
		codes := slices.Clone(d.Codes)
		slices.Sort(codes)
		st.overrides = append(st.overrides, override{d.Rule, codes, d.Reason})
	}
	if leads(d.Role) {
		st.leadAlone(key, d)
	}
}

// leadAlone takes the leading role from the codes that a coder gave it before.
func (st *State) leadAlone(key coding.CodeKey, d coding.Decision) {
	if d.Kind == coding.Modify && d.To != nil {
		key = *d.To
	}
	for k, e := range st.codes {
		if k != key && leads(e.role) {
			other := *e
			other.role = ""
			st.codes[k] = &other
		}
	}
}

// decided begins a new entry for a code. What the old one had brought in its
// place goes with it.
func (st *State) decided(key coding.CodeKey, old *entry, d coding.Decision) *entry {
	e := &entry{by: d, display: d.Display, role: d.Role, evidence: d.Evidence}
	if old != nil {
		e.added, e.origin, e.replaces = old.added, old.origin, old.replaces
		e.poa, e.units, e.modifiers, e.pointers = old.poa, old.units, old.modifiers, old.pointers
		if e.display == "" {
			e.display = old.display
		}
		if len(e.evidence) == 0 {
			e.evidence = old.evidence
		}
		if old.became != nil {
			if r := st.codes[*old.became]; r != nil && r.replaces != nil && *r.replaces == key {
				delete(st.codes, *old.became)
			}
		}
	}
	e.present(d.POA)
	st.codes[key] = e
	return e
}

// with is the entry with the details that a decision sets; who decided on the
// code, and when, stays.
func (e *entry) with(d coding.Decision) *entry {
	out := *e
	out.present(d.POA)
	if d.Role != "" {
		out.role = d.Role
	}
	if d.Units != nil {
		out.units = *d.Units
	}
	if d.Modifiers != nil {
		out.modifiers = *d.Modifiers
	}
	if d.Pointers != nil {
		out.pointers = *d.Pointers
	}
	return &out
}

func (e *entry) present(p coding.POA) {
	switch {
	case p == coding.POAClear:
		e.poa = ""
	case p != "":
		e.poa = p
	}
}

// replace enters the code that comes in place of another. One that is in the
// list already stays what it is and gains the evidence.
func (st *State) replace(from, to coding.CodeKey, d coding.Decision) {
	if e := st.codes[to]; e != nil && (e.state == Accepted || e.state == Added) {
		kept := *e // entries may be shared with nothing, but keep what was decided intact
		kept.evidence = mergeEvidence(e.evidence, d.Evidence)
		st.codes[to] = &kept
		return
	}
	st.codes[to] = &entry{
		state: Added, by: d, display: d.ToDisplay, role: d.Role, evidence: d.Evidence,
		origin: coding.OriginModified, replaces: &from, added: true,
		poa: st.codes[from].poa, // the same condition under another code
	}
	st.name(to)
}

func (st *State) name(key coding.CodeKey) {
	if !slices.Contains(st.named, key) {
		st.named = append(st.named, key)
	}
}

// DecidedCode is what decisions made of one code.
type DecidedCode struct {
	coding.CodeKey
	State  CodeState // never Undecided
	By     coding.Decision
	Origin coding.Origin
	Added  bool // a coder named it, whatever happened to it since
}

// Decided gives the codes that were decided on, in no order.
func (st State) Decided() []DecidedCode {
	out := make([]DecidedCode, 0, len(st.codes))
	for key, e := range st.codes {
		out = append(out, DecidedCode{key, e.state, e.by, e.origin, e.added})
	}
	return out
}
