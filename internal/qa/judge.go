package qa

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// maxRemark is how long a remark or answer may be, in characters.
const maxRemark = 2000

// Coded is one coding of a case, beside the others.
type Coded struct {
	By    string // login; empty until the case is judged
	First bool   // the review that was drawn; false also until the case is judged
	Codes []coding.GivenCode
}

// Row is a code that a coding, or the judgement, has.
type Row struct {
	coding.GivenCode
	In    []bool // of the codings
	Leads []bool
	All   bool // all codings have it

	// What each coding states beside it.
	POAs    []coding.POA
	UnitsOf []int

	// Once the case is judged.
	Right, Acceptable, Lead bool
}

// Sides are a case's codings side by side.
type Sides struct {
	Case    coding.AuditCase
	Codings []Coded
	Rows    []Row
	// MayJudge: the user may judge it now; else Why says why not.
	MayJudge bool
	Why      error
	Findings []Finding // once it is judged: of everybody
}

// Case gives a case with its codings side by side. Until it is judged they have no
// names, and until it is coded again there are none. The look is entered in the
// audit trail with the item, so that who looked is no longer blind to it.
func (s *Service) Case(ctx context.Context, u coding.User, id int64) (Sides, error) {
	if !u.Role.MaySeeQuality() {
		return Sides{}, ErrForbidden
	}
	c, found, err := s.store.AuditCase(ctx, id)
	if err != nil {
		return Sides{}, failed("read a case", err)
	}
	if !found {
		return Sides{}, ErrNotFound
	}
	blind, err := s.store.Blind(ctx, u.Login, c.Item)
	if err != nil {
		return Sides{}, failed("look for a recoding", err)
	}
	if blind {
		return Sides{}, review.ErrBlind
	}
	v := Sides{Case: c}
	if !c.Recoded() {
		hide(&v.Case)
		v.Case.Notes = nil
		v.Why = ErrEarly
		return v, nil
	}
	ev := s.event(u.Login, string(coding.EventLooked), "case "+strconv.FormatInt(id, 10))
	ev.Item = c.Item
	if err := s.store.AppendAudit(ctx, ev); err != nil {
		return Sides{}, failed("record a look", err)
	}
	v.Codings = codings(&c)
	v.Rows = rows(v.Codings, c.Judgement)
	v.Why = mayJudge(u, &c)
	v.MayJudge = v.Why == nil
	if c.Judgement == nil {
		for i := range v.Codings {
			v.Codings[i].By, v.Codings[i].First = "", false
		}
		v.Case.Coder = ""
		hide(&v.Case)
		for i := range v.Case.Recodings {
			v.Case.Recodings[i].Coder = ""
		}
		return v, nil
	}
	v.Findings, err = s.answered(ctx, []coding.AuditCase{c}, "")
	return v, err
}

// Look enters in the audit trail that a user looked at a gold note, and refuses who
// is coding the note's item again just now. target says where it was; item is 0
// where the note is none.
func (s *Service) Look(ctx context.Context, u coding.User, target string, item int64) error {
	ev := s.event(u.Login, coding.AuditRecodeLooked, target)
	if item != 0 {
		blind, err := s.store.Blind(ctx, u.Login, item)
		if err != nil {
			return failed("look for a recoding", err)
		}
		if blind {
			return review.ErrBlind
		}
		ev.Action, ev.Item = string(coding.EventLooked), item
	}
	if err := s.store.AppendAudit(ctx, ev); err != nil {
		return failed("record a look", err)
	}
	return nil
}

// BlindNotes gives the notes of what a user is coding again just now, of which he
// must see no code.
func (s *Service) BlindNotes(ctx context.Context, u coding.User) (map[coding.NoteName]bool, error) {
	list, err := s.store.BlindNotes(ctx, u.Login)
	if err != nil {
		return nil, failed("read notes of recodings", err)
	}
	out := make(map[coding.NoteName]bool, len(list))
	for _, n := range list {
		out[n] = true
	}
	return out, nil
}

// codings gives the review and the finished recodings, in an order that follows
// from the case's number, so that it does not tell which is which.
func codings(c *coding.AuditCase) []Coded {
	out := []Coded{{By: c.Coder, First: true, Codes: c.Given}}
	for i := range c.Recodings {
		if r := &c.Recodings[i]; !r.FinishedAt.IsZero() {
			out = append(out, Coded{By: r.Coder, Codes: r.Given})
		}
	}
	mixed := uint64(c.ID) * 0x9E3779B97F4A7C15 >> 40
	n := int(mixed % uint64(len(out)))
	return append(slices.Clone(out[n:]), out[:n]...)
}

func rows(list []Coded, j *coding.Judgement) []Row {
	var out []Row
	at := map[coding.CodeKey]int{}
	row := func(g coding.GivenCode) *Row {
		i, ok := at[g.CodeKey]
		if !ok {
			i = len(out)
			at[g.CodeKey] = i
			g.Acceptable, g.POA, g.Units = false, "", 0
			out = append(out, Row{GivenCode: g, In: make([]bool, len(list)), Leads: make([]bool, len(list)), POAs: make([]coding.POA, len(list)), UnitsOf: make([]int, len(list))})
			return &out[i]
		}
		r := &out[i]
		r.Display = cmp.Or(r.Display, g.Display)
		for _, e := range g.Evidence {
			if !slices.Contains(r.Evidence, e) {
				r.Evidence = append(slices.Clip(r.Evidence), e)
			}
		}
		return r
	}
	for k, c := range list {
		for _, g := range c.Codes {
			r := row(g)
			r.In[k] = true
			r.Leads[k] = g.CodeKey == leading(c.Codes)
			r.POAs[k], r.UnitsOf[k] = g.POA, g.Units
		}
	}
	if j != nil {
		for _, g := range j.Codes {
			r := row(g)
			r.Right, r.Acceptable, r.Lead = !g.Acceptable, g.Acceptable, g.CodeKey == j.Lead()
			r.POA, r.Units = g.POA, g.Units
		}
	}
	for i := range out {
		out[i].All = !slices.Contains(out[i].In, false)
	}
	return out
}

// leading is the first diagnosis of a list; the zero key without one.
func leading(list []coding.GivenCode) coding.CodeKey {
	for _, g := range list {
		if g.System == coding.ICD10CM {
			return g.CodeKey
		}
	}
	return coding.CodeKey{}
}

func mayJudge(u coding.User, c *coding.AuditCase) error {
	switch {
	case !u.Role.MayAudit():
		return ErrForbidden
	case c.Judgement != nil:
		return ErrJudged
	case !c.Recoded():
		return ErrEarly
	case c.Coder == u.Login, slices.ContainsFunc(c.Recodings, func(r coding.Recoding) bool { return r.Coder == u.Login }):
		return ErrOwn
	}
	return nil
}

// Verdict is what a judge says of a code.
type Verdict struct {
	Code       coding.CodeKey
	Acceptable bool // right if given, not missed if not
	Lead       bool
	POA        coding.POA // of a diagnosis of a stay; empty: not judged
	Units      int        // of a HCPCS or CPT code; 0: not judged
}

// Judge keeps what is right about a case: the codes named, the others are wrong.
// Codes that no coding has are looked up. Where ICD-10-CM codes are right, one is to
// lead.
func (s *Service) Judge(ctx context.Context, u coding.User, id int64, verdicts []Verdict, remark string) error {
	remark = strings.TrimSpace(remark)
	if utf8.RuneCountInString(remark) > maxRemark {
		return ErrTooLong
	}
	c, found, err := s.store.AuditCase(ctx, id)
	if err != nil {
		return failed("read a case", err)
	}
	if !found {
		return ErrNotFound
	}
	if err := mayJudge(u, &c); err != nil {
		return err
	}
	verdicts, err = oneLead(verdicts)
	if err != nil {
		return err
	}
	known := rows(codings(&c), nil)
	j := coding.Judgement{Case: id, By: u.Login, At: s.moment(), Remark: remark}
	var lead []coding.GivenCode
	for _, v := range verdicts {
		if !detailFits(c.Setting, v.Code, v.POA, v.Units) {
			return ErrInput
		}
		g := coding.GivenCode{CodeKey: v.Code, Acceptable: v.Acceptable, POA: v.POA, Units: v.Units}
		if i := slices.IndexFunc(known, func(r Row) bool { return r.CodeKey == v.Code }); i >= 0 {
			g.Display, g.Evidence = known[i].Display, known[i].Evidence
		} else {
			code, err := s.lookUp(ctx, v.Code, served(c.Notes))
			if err != nil {
				return err
			}
			g.Display = code.Title
		}
		if v.Lead {
			lead = append(lead, g)
		} else {
			j.Codes = append(j.Codes, g)
		}
	}
	// What is only acceptable does not lead before what is right.
	slices.SortStableFunc(j.Codes, func(a, b coding.GivenCode) int { return btoi(a.Acceptable) - btoi(b.Acceptable) })
	j.Codes = append(lead, j.Codes...)
	ok, err := s.store.Judge(ctx, j, s.event(u.Login, coding.AuditJudged, "case "+strconv.FormatInt(id, 10)))
	if err == nil && !ok {
		return ErrJudged
	}
	return err
}

// oneLead merges verdicts on the same code, of which the first counts, and keeps one
// lead. A right diagnosis needs one: the order of the others says nothing.
func oneLead(verdicts []Verdict) ([]Verdict, error) {
	var out []Verdict
	leads, right := false, false
	for _, v := range verdicts {
		diagnosis := v.Code.System == coding.ICD10CM
		v.Lead = v.Lead && diagnosis && !leads
		leads = leads || v.Lead
		if i := slices.IndexFunc(out, func(o Verdict) bool { return o.Code == v.Code }); i >= 0 {
			out[i].Lead = out[i].Lead || v.Lead
			continue
		}
		right = right || diagnosis && !v.Acceptable
		out = append(out, v)
	}
	if right && !leads {
		return nil, ErrNoLead
	}
	return out, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Refused reports whether an error is one that its user can mend.
func Refused(err error) bool {
	return slices.ContainsFunc([]error{ErrNotFound, ErrForbidden, ErrNone, ErrFinished, ErrUnknown, ErrInput, ErrUndecided, ErrOwn, ErrEarly, ErrJudged, ErrNoReviews, review.ErrBlind},
		func(e error) bool { return errors.Is(err, e) })
}
