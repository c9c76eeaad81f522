package qa

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"chartcode/internal/coding"
)

// Finding is in what a coder's codes of a case differ from its judgement.
type Finding struct {
	Case, Item int64
	Coder      string
	Blind      bool // found in a blind recoding, not in a review
	Kind       coding.FindingKind
	coding.GivenCode
	Remark string                // of the judge, on the case
	Answer *coding.FindingAnswer // the coder's last
}

// Findings gives the findings on a user's own codes, of judged cases.
func (s *Service) Findings(ctx context.Context, u coding.User) ([]Finding, error) {
	cases, err := s.store.AuditCases(ctx, 0, u.Login)
	if err != nil {
		return nil, failed("read cases", err)
	}
	return s.answered(ctx, cases, u.Login)
}

// answered gives the findings of cases, of one coder or with an empty login of all,
// with their answers.
func (s *Service) answered(ctx context.Context, cases []coding.AuditCase, login string) ([]Finding, error) {
	var out []Finding
	var ids []int64
	for i := range cases {
		ids = append(ids, cases[i].ID)
		for _, f := range findings(&cases[i]) {
			if login == "" || f.Coder == login {
				out = append(out, f)
			}
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	answers, err := s.store.FindingAnswers(ctx, ids)
	if err != nil {
		return nil, failed("read answers", err)
	}
	for i := range out {
		f := &out[i]
		if k := slices.IndexFunc(answers, func(a coding.FindingAnswer) bool {
			return a.Case == f.Case && a.Coder == f.Coder && a.Kind == f.Kind && a.Code == f.CodeKey
		}); k >= 0 {
			f.Answer = &answers[k]
		}
	}
	return out, nil
}

func findings(c *coding.AuditCase) []Finding {
	if c.Judgement == nil {
		return nil
	}
	right := c.Judgement.Codes
	var out []Finding
	for _, k := range codings(c) {
		add := func(kind coding.FindingKind, g coding.GivenCode) {
			out = append(out, Finding{Case: c.ID, Item: c.Item, Coder: k.By, Blind: !k.First, Kind: kind, GivenCode: g, Remark: c.Judgement.Remark})
		}
		has := func(list []coding.GivenCode, key coding.CodeKey) bool {
			return slices.ContainsFunc(list, func(g coding.GivenCode) bool { return g.CodeKey == key })
		}
		for _, g := range k.Codes {
			if !has(right, g.CodeKey) {
				add(coding.FindingWrong, g)
			}
		}
		for _, g := range right {
			if !g.Acceptable && !has(k.Codes, g.CodeKey) {
				add(coding.FindingMissed, g)
			}
		}
		if want := c.Judgement.Lead(); want.Code != "" && has(k.Codes, want) && leading(k.Codes) != want {
			add(coding.FindingFirst, right[slices.IndexFunc(right, func(g coding.GivenCode) bool { return g.CodeKey == want })])
		}
		for _, g := range right {
			if own := slices.IndexFunc(k.Codes, func(o coding.GivenCode) bool { return o.CodeKey == g.CodeKey }); own >= 0 && !sameDetail(k.Codes[own], g) {
				add(coding.FindingDetail, g)
			}
		}
	}
	return out
}

// Answer keeps what a coder says to a finding on his own codes.
func (s *Service) Answer(ctx context.Context, u coding.User, a coding.FindingAnswer) error {
	a.Coder, a.At, a.Text = u.Login, s.moment(), strings.TrimSpace(a.Text)
	switch {
	case utf8.RuneCountInString(a.Text) > maxRemark:
		return ErrTooLong
	case !a.Agrees && a.Text == "":
		return ErrNoReason
	}
	c, found, err := s.store.AuditCase(ctx, a.Case)
	if err != nil {
		return failed("read a case", err)
	}
	if !found || !slices.ContainsFunc(findings(&c), func(f Finding) bool { return f.Coder == u.Login && f.Kind == a.Kind && f.CodeKey == a.Code }) {
		return ErrNotFound
	}
	return s.store.AnswerFinding(ctx, a, s.event(u.Login, coding.AuditAnswered, "case "+strconv.FormatInt(a.Case, 10)))
}

// countStated counts the codes that have what was judged of them, where it was.
func countStated(t *Taken, given []coding.GivenCode, j *coding.Judgement) {
	for _, g := range j.Codes {
		if g.POA == "" && g.Units == 0 {
			continue
		}
		if i := slices.IndexFunc(given, func(o coding.GivenCode) bool { return o.CodeKey == g.CodeKey }); i >= 0 {
			t.count(sameDetail(given[i], g))
		}
	}
}

// sameDetail reports whether a code has what was judged of it, if that was.
func sameDetail(given, judged coding.GivenCode) bool {
	return (judged.POA == "" || given.POA == judged.POA) && (judged.Units == 0 || given.Units == judged.Units)
}
