package review

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"chartcode/internal/coding"
)

const (
	maxReason   = 500 // characters
	maxKey      = 128 // characters
	maxRemark   = 2000
	maxEvidence = 50 // spans
	maxQuote    = 4096
)

// planner says what follows from an act of one user on one item at one moment.
// It is pure but for the ids it gives out.
type planner struct {
	user    coding.User
	now     time.Time // UTC, whole microseconds, as the database keeps them
	lease   time.Duration
	allFrom float64 // lowest confidence at which all may be accepted
	rules   Rules   // nil: the findings made with the suggestions stand
}

// plan gives the change to which an act leads, or why it may not be. Named is
// the code that an add or modify names, as the code set has it. A repeated act
// gives the zero change and the decision that stands.
func (p planner) plan(r coding.ItemRecord, a Act, named coding.Code) (c coding.ItemChange, d coding.Decision, repeated bool, err error) {
	if a.Key != "" {
		for _, have := range r.Decisions {
			if have.Key == a.Key {
				if have.Coder != p.user.Login || !sameAct(have, a) {
					return c, d, false, ErrKeyReused
				}
				return c, have, true, nil
			}
		}
	}
	if err := p.mayAct(r.Head, a.Kind); err != nil {
		return c, d, false, err
	}
	if a.Content != 0 && a.Content != r.Head.Content {
		return c, d, false, ErrChanged
	}
	d = coding.Decision{
		Seq: len(r.Decisions) + 1, Kind: a.Kind, Coder: p.user.Login, At: p.now, Key: a.Key, Content: r.Head.Content,
		DecisionDetail: coding.DecisionDetail{Reason: a.Reason},
	}
	st := Replay(r.Decisions)
	list := codeList(r, st)
	applyRules(p.rules, r, list)
	applyCheck(list)
	c.Decisions = []coding.Decision{d}
	switch a.Kind {
	case AcceptAll:
		c.Decisions, err = p.acceptAll(list, a, d)
	case coding.Finish:
		c.Outbox, err = p.finish(r, list, st, a, &c.Decisions[0])
	default:
		err = p.decide(r, list, st, a, named, &c.Decisions[0])
	}
	if err != nil {
		return coding.ItemChange{}, coding.Decision{}, false, err
	}
	if r.Check() != nil {
		r.Decisions = append(r.Decisions[:len(r.Decisions):len(r.Decisions)], c.Decisions...)
		n := invalid(codeList(r, Replay(r.Decisions)))
		c.Invalid = &n
	}
	switch {
	case a.Kind == coding.Finish:
		c.State = coding.ItemFinished
	case a.Kind == coding.Reopen && !p.user.Role.MayReview():
		c.State = coding.ItemOpen
	default:
		c.State, c.Claim = coding.ItemClaimed, p.claim()
	}
	for _, d := range c.Decisions {
		c.Events = append(c.Events, coding.AuditEvent{
			At: p.now, Actor: p.user.Login, Action: coding.AuditDecision + string(d.Kind), Item: r.Head.ID,
			Target: strconv.Itoa(d.Seq), Digest: d.Digest(),
		})
	}
	return c, c.Decisions[0], false, nil
}

// decide fills in a decision that concerns one code or the list.
func (p planner) decide(r coding.ItemRecord, list []Code, st State, a Act, named coding.Code, d *coding.Decision) error {
	switch a.Kind {
	case coding.Accept, coding.Reject, coding.Modify, coding.Add:
		return p.decideCode(r, list, a, named, d)
	case coding.Detail:
		return decideDetail(list, a, d)
	case coding.Remark:
		return decideRemark(st, a, d)
	case coding.Reorder:
		return decideOrder(list, a, d)
	case coding.Override:
		return decideOverride(list, st, a, d)
	case coding.Undo:
		return decideAgain(st.undone, d)
	case coding.Redo:
		return decideAgain(st.redone, d)
	case coding.Reopen:
		return nil
	}
	return ErrInput
}

// mayAct checks role, state and claim for a decision.
func (p planner) mayAct(h coding.ItemHead, kind coding.DecisionKind) error {
	if kind == coding.Reopen {
		switch {
		case !p.mayReopen():
			return ErrForbidden
		case h.State != coding.ItemFinished:
			return ErrState
		}
		return nil
	}
	return p.mayWork(h)
}

func (p planner) mayReopen() bool {
	r := p.user.Role
	return r.MayReview() || r == coding.RoleAuditor || r == coding.RoleManager
}

// mayWork checks that the user may work on the item now: it is free, or theirs.
func (p planner) mayWork(h coding.ItemHead) error {
	if !p.user.Role.MayReview() {
		return ErrForbidden
	}
	switch stateAt(h, p.now) {
	case coding.ItemFinished:
		return ErrFinished
	case coding.ItemHeld, coding.ItemQueried:
		return ErrState
	case coding.ItemClaimed:
		if h.Claim.Login != p.user.Login {
			return &ClaimedError{Claim: *h.Claim}
		}
	}
	return nil
}

func (p planner) claim() *coding.Claim {
	return &coding.Claim{Login: p.user.Login, Name: p.user.Name, Until: p.now.Add(p.lease)}
}

// stateAt is the item's state at a moment: a claim that has run out is none.
func stateAt(h coding.ItemHead, now time.Time) coding.ItemState {
	if h.State == coding.ItemClaimed && !h.Claim.Held(now) {
		return coding.ItemOpen
	}
	return h.State
}

func (p planner) decideCode(r coding.ItemRecord, list []Code, a Act, named coding.Code, d *coding.Decision) error {
	d.System, d.Code = a.Code.System, a.Code.Code
	i := slices.IndexFunc(list, func(c Code) bool { return c.CodeKey == a.Code })
	if i < 0 && a.Kind != coding.Add {
		return ErrNoCode
	}
	if !validRole(a.Role) || !validPOA(a.POA, a.Code.System) || (a.ReasonCode != "" && !a.ReasonCode.Valid()) {
		return ErrInput
	}
	if a.Kind == coding.Reject {
		d.ReasonCode = a.ReasonCode
	} else {
		d.Role, d.POA = a.Role, a.POA
	}
	evidence, err := quote(r.Notes, a.Evidence)
	if err != nil {
		return err
	}
	if i >= 0 {
		d.Display = list[i].Title
		if len(evidence) == 0 {
			evidence = list[i].Evidence
		}
	}
	switch a.Kind {
	case coding.Accept:
		if list[i].Listed() && (a.Role == "" || a.Role == list[i].Role) && (a.POA == "" || a.POA == list[i].POA) {
			return ErrAlready
		}
		d.Evidence = evidence
	case coding.Reject:
		if list[i].State == Rejected {
			return ErrAlready
		}
	case coding.Modify:
		if a.To == a.Code {
			return ErrAlready
		}
		if named.Code == "" {
			return ErrUnknown
		}
		if b := list[i].ReplacedBy; b != nil && *b == a.To {
			return ErrAlready
		}
		to := a.To
		d.To, d.ToDisplay, d.Evidence = &to, named.Title, evidence
	case coding.Add:
		if named.Code == "" {
			return ErrUnknown
		}
		d.Display, d.Origin, d.Evidence = named.Title, coding.OriginAdded, evidence
		if i >= 0 {
			if list[i].Listed() {
				return ErrAlready
			}
			if list[i].Suggested {
				d.Origin = coding.OriginAddedThoughProposed
			}
		}
	}
	return nil
}

func decideOrder(list []Code, a Act, d *coding.Decision) error {
	if len(a.Order) == 0 || len(a.Order) > len(list) {
		return ErrInput
	}
	seen := make(map[coding.CodeKey]bool)
	for _, key := range a.Order {
		if seen[key] {
			return ErrInput
		}
		seen[key] = true
		if !slices.ContainsFunc(list, func(c Code) bool { return c.CodeKey == key }) {
			return ErrNoCode
		}
	}
	d.Order = slices.Clone(a.Order)
	return nil
}

func decideOverride(list []Code, st State, a Act, d *coding.Decision) error {
	if strings.TrimSpace(a.Reason) == "" || len(a.Codes) == 0 {
		return ErrInput
	}
	codes := slices.Clone(a.Codes)
	slices.Sort(codes)
	for _, b := range blockers(list, st) {
		if b.Rule == a.Rule && slices.Equal(b.Codes, codes) {
			if b.MustGo {
				return ErrMustGo
			}
			if b.Overridden {
				return ErrAlready
			}
			d.Rule, d.Codes = a.Rule, codes
			return nil
		}
	}
	return ErrNoCode
}

// decideAgain names, for those who read the timeline, the code whose decision
// is undone or redone.
func decideAgain(about *coding.Decision, d *coding.Decision) error {
	if about == nil {
		return ErrNothing
	}
	d.System, d.Code, d.Display = about.System, about.Code, about.Display
	return nil
}

// finish checks that the item is ready and gives the announcement.
func (p planner) finish(r coding.ItemRecord, list []Code, st State, a Act, d *coding.Decision) (*coding.OutboxMessage, error) {
	d.Disposition = a.Disposition
	switch a.Disposition {
	case "":
		d.Disposition = coding.DispositionCompleted
		fallthrough
	case coding.DispositionCompleted:
		if err := ready(list, st, a.Confirm); err != nil {
			return nil, err
		}
	case coding.DispositionReturned:
		if strings.TrimSpace(a.Reason) == "" {
			return nil, ErrInput
		}
	default:
		return nil, ErrInput
	}
	d.ReviewID = newID()
	rev := reviewOf(r, list, st, *d)
	payload, err := json.Marshal(rev)
	if err != nil {
		return nil, fmt.Errorf("review: write the announcement: %w", err)
	}
	return &coding.OutboxMessage{Subject: "reviews.completed." + r.Head.Source, MessageID: rev.ReviewID, Payload: payload}, nil
}

// quote checks the spans that a user sent and fills in their words.
func quote(notes []coding.ItemNote, spans []coding.Evidence) ([]coding.Evidence, error) {
	if len(spans) > maxEvidence {
		return nil, ErrInput
	}
	var out []coding.Evidence
	for _, ev := range spans {
		if ev.NoteID == "" && len(notes) == 1 {
			ev.NoteID = notes[0].Note.NoteID
		}
		i := slices.IndexFunc(notes, func(n coding.ItemNote) bool { return n.Note.NoteID == ev.NoteID })
		if i < 0 {
			return nil, ErrInput
		}
		text := notes[i].Note.Text
		if ev.Start < 0 || ev.Start >= ev.End || ev.End > len(text) || ev.Len() > maxQuote {
			return nil, ErrInput
		}
		words := text[ev.Start:ev.End]
		if !utf8.ValidString(words) || (ev.Text != "" && ev.Text != words) {
			return nil, ErrInput
		}
		ev.Text = words
		out = append(out, ev)
	}
	return out, nil
}

// checkForm refuses what no item could accept, before anything is read.
func (a Act) checkForm() error {
	if utf8.RuneCountInString(a.Reason) > maxReason || utf8.RuneCountInString(a.Key) > maxKey || utf8.RuneCountInString(a.Remark) > maxRemark {
		return ErrInput
	}
	if a.badText() {
		return ErrInput
	}
	return nil
}

// badText reports whether a text of the act is no UTF-8 or has control
// characters other than line breaks and tabs.
func (a Act) badText() bool {
	for _, s := range append([]string{a.Reason, a.Remark, a.Key, a.Rule, a.Code.Code, string(a.Code.System), a.To.Code, string(a.To.System)}, a.Codes...) {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }) {
			return true
		}
	}
	return false
}

func validRole(r coding.Role) bool {
	switch r {
	case "", coding.RolePrincipal, coding.RoleFirstListed, coding.RoleSecondary, coding.RoleAdmitting, coding.RoleReason:
		return true
	}
	return false
}

// sameAct reports whether a stored decision is what the act asks for.
func sameAct(d coding.Decision, a Act) bool {
	if a.Kind == AcceptAll {
		return d.Kind == coding.Accept && d.Batch == d.Seq && d.Above == a.Above
	}
	if d.Kind != a.Kind {
		return false
	}
	switch a.Kind {
	case coding.Accept, coding.Reject, coding.Add, coding.Detail:
		return d.System == a.Code.System && d.Code == a.Code.Code
	case coding.Modify:
		return d.System == a.Code.System && d.Code == a.Code.Code && d.To != nil && *d.To == a.To
	case coding.Reorder:
		return slices.Equal(d.Order, a.Order)
	case coding.Override:
		codes := slices.Clone(a.Codes)
		slices.Sort(codes)
		return d.Rule == a.Rule && slices.Equal(d.Codes, codes)
	}
	return true
}

// newID gives a random UUID (RFC 9562, version 4).
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
