package review

import (
	"slices"
	"strconv"
	"time"

	"chartcode/internal/coding"
)

// ActionChecked is the action of an event: the item's codes were looked up again
// in releases that had changed.
const ActionChecked = "checked"

// view makes what the page of an item shows to a user.
func (s *Service) view(r coding.ItemRecord, u coding.User, now time.Time, rules Rules) Item {
	st := Replay(r.Decisions)
	list := codeList(r, st)
	applyRules(rules, r, list)
	applyCheck(list)
	it := Item{
		ItemHead: r.Head, Codes: list, Blockers: blockers(list, st), Timeline: folded(timeline(r)),
		CanUndo: st.CanUndo, CanRedo: st.CanRedo, ReviewID: st.ReviewID, Notes: []Note{},
		Check: r.Check(), Queries: r.Queries, Remark: st.Remark, AcceptAllFrom: s.allFrom,
	}
	if it.Queries == nil {
		it.Queries = []coding.Query{}
	}
	it.State = stateAt(r.Head, now)
	if !it.Claim.Held(now) {
		it.Claim = nil
	}
	if it.Codes == nil {
		it.Codes = []Code{}
	}
	for _, c := range list {
		if c.State == Undecided {
			it.Undecided++
		}
		if c.sure(s.allFrom) {
			it.AcceptAll++
		}
	}
	p := planner{user: u, now: now, lease: s.lease}
	it.MayDecide = p.mayWork(r.Head) == nil
	it.MayReopen = it.State == coding.ItemFinished && p.mayReopen()
	it.Mine = it.State == coding.ItemClaimed && it.Claim.Login == u.Login

	last := lastByPerson(r.Decisions)
	it.Changed = last != nil && last.Content < r.Head.Content
	for _, n := range r.Notes {
		it.Notes = append(it.Notes, s.noteView(n, it.Changed && n.StoredAt.After(last.At), it.Check))
	}
	return it
}

func (s *Service) noteView(n coding.ItemNote, changed bool, check *coding.ReleaseCheck) Note {
	v := Note{
		ID: n.ID, Revision: n.Revision, ReceivedAt: n.ReceivedAt, Changed: changed, Note: n.Note,
		SettingUsed: n.Note.Setting, Notices: []coding.Notice{},
	}
	if n.Set != nil {
		v.SettingUsed, v.Ranker, v.Degraded = n.Set.Setting, n.Set.Ranker, n.Set.Degraded
		if n.Set.DegradedReason != nil {
			v.DegradedReason = *n.Set.DegradedReason
		}
		v.Notices = append(v.Notices, noticesNow(*n.Set, check)...)
	}
	if s.sections != nil {
		v.Sections = s.sections(n.Note.Text, v.SettingUsed)
	}
	return v
}

// noticesNow gives the notices of a set; those of the choice of a release as a
// check found them, if it has anything to say of the set.
func noticesNow(set coding.SuggestionSet, check *coding.ReleaseCheck) []coding.Notice {
	if check == nil {
		return set.Notices
	}
	i := slices.IndexFunc(check.Sets, func(c coding.SetCheck) bool { return c.SetID == set.SetID })
	if i < 0 {
		return set.Notices
	}
	out := slices.Clone(check.Sets[i].Notices)
	for _, n := range set.Notices {
		if !n.OfRelease() {
			out = append(out, n)
		}
	}
	return out
}

// checkedAgainst says in a line what a check found.
func checkedAgainst(c coding.ReleaseCheck) string {
	line := c.Editions()
	if n := c.Invalid(); n > 0 {
		line += ": not valid " + strconv.Itoa(n)
	}
	return line
}

func lastByPerson(decisions []coding.Decision) *coding.Decision {
	for i := len(decisions) - 1; i >= 0; i-- {
		if decisions[i].Coder != coding.ByPipeline {
			return &decisions[i]
		}
	}
	return nil
}

// Notes gives notes as an item's page shows them, without anything that was
// suggested for them.
func (s *Service) Notes(list []coding.ItemNote) []Note {
	out := make([]Note, len(list))
	for i, n := range list {
		n.Set = nil
		out[i] = s.noteView(n, false, nil)
	}
	return out
}
