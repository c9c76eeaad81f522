package qa

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// Waiting is what waits for a user.
type Waiting struct {
	Cases    int // that the user could code again
	Practice int // notes not yet practised

	// Numbers of the recodings that the user has begun; 0: none.
	OpenCase, OpenPractice int64
}

// Waiting counts what waits for a user to be coded.
func (s *Service) Waiting(ctx context.Context, u coding.User) (w Waiting, err error) {
	if !u.Role.MayRecode() {
		return w, nil
	}
	if w.OpenCase, w.OpenPractice, err = s.store.OpenRecodings(ctx, u.Login); err != nil {
		return w, failed("read recodings", err)
	}
	if w.Cases, err = s.store.CasesFree(ctx, u.Login); err != nil {
		return w, failed("count cases", err)
	}
	if w.Practice, err = s.store.PracticeFree(ctx, u.Login); err != nil {
		return w, failed("count practice notes", err)
	}
	return w, nil
}

// TakeCase gives the number of the recoding that the user has begun, or of a case
// that now is the user's to code. ErrNone: nothing waits.
func (s *Service) TakeCase(ctx context.Context, u coding.User) (int64, error) {
	return s.taken(ctx, u, s.store.TakeCase)
}

// TakePractice is TakeCase for practice notes.
func (s *Service) TakePractice(ctx context.Context, u coding.User) (int64, error) {
	return s.taken(ctx, u, s.store.TakePractice)
}

func (s *Service) taken(ctx context.Context, u coding.User, take func(context.Context, string, coding.AuditEvent) (int64, bool, error)) (int64, error) {
	if !u.Role.MayRecode() {
		return 0, ErrForbidden
	}
	id, found, err := take(ctx, u.Login, s.event(u.Login, coding.AuditRecodeTaken, ""))
	switch {
	case err != nil:
		return 0, failed("take a case", err)
	case !found:
		return 0, ErrNone
	}
	return id, nil
}

// Recoding gives a user's own recoding with its notes, and enters the look in the
// audit trail. Of a practice note that is not finished it says neither what is
// right nor what was seeded.
func (s *Service) Recoding(ctx context.Context, u coding.User, id int64) (coding.Recoding, error) {
	ev := s.event(u.Login, coding.AuditRecodeLooked, "recoding "+strconv.FormatInt(id, 10))
	r, found, err := s.store.Recoding(ctx, id, &ev)
	switch {
	case err != nil:
		return r, failed("read a recoding", err)
	case !found || r.Coder != u.Login: // other people's are nobody's business
		return coding.Recoding{}, ErrNotFound
	}
	if r.FinishedAt.IsZero() {
		r.Gold = nil
		for i := range r.Suggested {
			r.Suggested[i].Seeded = false
		}
	}
	return r, nil
}

// RecodeKind is what is done to a recoding.
type RecodeKind string

// The acts.
const (
	Give   RecodeKind = "add"
	Remove RecodeKind = "remove"
	Lead   RecodeKind = "lead"   // makes a code the first
	Detail RecodeKind = "detail" // says what is stated beside a code
	Accept RecodeKind = "accept" // a suggestion of a practice note
	Reject RecodeKind = "reject"
	Finish RecodeKind = "finish"
	Return RecodeKind = "return" // the case, for somebody else
)

// RecodeAct is one act on one's own recoding.
type RecodeAct struct {
	Kind     RecodeKind
	Code     coding.CodeKey
	Evidence []coding.Evidence // add: spans of the notes; Text may be empty
	POA      coding.POA        // detail: of a diagnosis of a stay; empty: not stated
	Units    int               // detail: of a HCPCS or CPT code; 0: not stated
}

// Recode does one act on one's own recoding. What is done already stays done.
func (s *Service) Recode(ctx context.Context, u coding.User, id int64, a RecodeAct) error {
	if a.Kind == Return {
		found, err := s.store.ReturnRecoding(ctx, id, u.Login, s.event(u.Login, coding.AuditRecodeGiven, "recoding "+strconv.FormatInt(id, 10)))
		if err == nil && !found {
			return ErrNotFound
		}
		return err
	}
	var named coding.Code
	if a.Kind == Give {
		var err error
		if named, err = s.named(ctx, u, id, a.Code); err != nil {
			return err
		}
	}
	found, err := s.store.ChangeRecoding(ctx, id, func(r *coding.Recoding) (*coding.AuditEvent, error) {
		switch {
		case r.Coder != u.Login:
			return nil, ErrNotFound
		case !r.FinishedAt.IsZero() && a.Kind == Finish:
			return nil, nil // sent twice
		case !r.FinishedAt.IsZero():
			return nil, ErrFinished
		}
		return s.apply(r, a, named)
	})
	if err == nil && !found {
		return ErrNotFound
	}
	return err
}

// Release takes a case back from somebody who does not finish it.
func (s *Service) Release(ctx context.Context, u coding.User, recoding int64) error {
	if !u.Role.MayAudit() {
		return ErrForbidden
	}
	found, err := s.store.ReturnRecoding(ctx, recoding, "", s.event(u.Login, coding.AuditRecodeGiven, "recoding "+strconv.FormatInt(recoding, 10)))
	if err == nil && !found {
		return ErrNotFound
	}
	return err
}

// named looks a code up on the date of service.
func (s *Service) named(ctx context.Context, u coding.User, id int64, key coding.CodeKey) (coding.Code, error) {
	if !key.System.Valid() || key.Code == "" {
		return coding.Code{}, ErrInput
	}
	r, found, err := s.store.Recoding(ctx, id, nil)
	if err != nil {
		return coding.Code{}, failed("read a recoding", err)
	}
	if !found || r.Coder != u.Login {
		return coding.Code{}, ErrNotFound
	}
	return s.lookUp(ctx, key, served(r.Notes))
}

func (s *Service) lookUp(ctx context.Context, key coding.CodeKey, on coding.Date) (coding.Code, error) {
	c, found, err := s.store.ReportableCode(ctx, key, on)
	if err != nil {
		return c, failed("look up a code", err)
	}
	if !found {
		return c, ErrUnknown
	}
	return c, nil
}

// served is the latest date of service of notes.
func served(notes []coding.ItemNote) coding.Date {
	var on coding.Date
	for i := range notes {
		if d := notes[i].Note.ServiceDate; on.IsZero() || d.Time().After(on.Time()) {
			on = d
		}
	}
	return on
}

func (s *Service) apply(r *coding.Recoding, a RecodeAct, named coding.Code) (*coding.AuditEvent, error) {
	at := slices.IndexFunc(r.Given, func(g coding.GivenCode) bool { return g.CodeKey == a.Code })
	suggested := slices.IndexFunc(r.Suggested, func(p coding.PracticeSuggestion) bool { return p.System == a.Code.System && p.Code == a.Code.Code })
	take := func() {
		if at >= 0 {
			r.Given = slices.Delete(r.Given, at, at+1)
		}
	}
	put := func(g coding.GivenCode) {
		r.Rejected = slices.DeleteFunc(r.Rejected, func(k coding.CodeKey) bool { return k == g.CodeKey })
		if at < 0 {
			r.Given = append(r.Given, g)
		}
	}
	switch a.Kind {
	case Give:
		evidence, err := quoted(r.Notes, a.Evidence)
		if err != nil {
			return nil, err
		}
		put(coding.GivenCode{CodeKey: a.Code, Display: named.Title, Evidence: evidence})
	case Remove:
		take()
	case Lead:
		if at < 0 {
			return nil, ErrInput
		}
		g := r.Given[at]
		take()
		r.Given = slices.Insert(r.Given, 0, g)
	case Detail:
		if at < 0 || !detailFits(r.Setting, a.Code, a.POA, a.Units) {
			return nil, ErrInput
		}
		r.Given[at].POA, r.Given[at].Units = a.POA, a.Units
	case Accept, Reject:
		if suggested < 0 {
			return nil, ErrInput
		}
		p := r.Suggested[suggested]
		if a.Kind == Accept {
			put(coding.GivenCode{CodeKey: a.Code, Display: p.Display, Evidence: p.Evidence})
			break
		}
		take()
		if !slices.Contains(r.Rejected, a.Code) {
			r.Rejected = append(r.Rejected, a.Code)
		}
	case Finish:
		for i := range r.Suggested {
			if Decided(r, &r.Suggested[i]) == "" {
				return nil, ErrUndecided
			}
		}
		r.FinishedAt = s.moment()
		ev := s.event(r.Coder, coding.AuditRecodeDone, fmt.Sprintf("recoding %d", r.ID))
		return &ev, nil
	default:
		return nil, ErrInput
	}
	return nil, nil
}

// HasPOA reports whether a code of a setting says whether it was present on
// admission, and HasUnits whether a code has units.
func HasPOA(setting coding.Setting, code coding.CodeKey) bool {
	return setting.InpatientRules() && code.System == coding.ICD10CM
}

// HasUnits is said with HasPOA.
func HasUnits(code coding.CodeKey) bool {
	return code.System == coding.HCPCS || code.System == coding.CPT
}

func detailFits(setting coding.Setting, code coding.CodeKey, poa coding.POA, units int) bool {
	return (poa == "" || poa.Valid() && HasPOA(setting, code)) && units >= 0 && units <= review.MaxUnits && (units == 0 || HasUnits(code))
}

// Decided says what became of a suggestion of a practice note: Accept, Reject, or
// nothing yet.
func Decided(r *coding.Recoding, p *coding.PracticeSuggestion) RecodeKind {
	key := coding.CodeKey{System: p.System, Code: p.Code}
	switch {
	case slices.ContainsFunc(r.Given, func(g coding.GivenCode) bool { return g.CodeKey == key }):
		return Accept
	case slices.Contains(r.Rejected, key):
		return Reject
	}
	return ""
}

// quoted checks spans against the notes and enters their words.
func quoted(notes []coding.ItemNote, list []coding.Evidence) ([]coding.Evidence, error) {
	var out []coding.Evidence
	for _, e := range list {
		i := slices.IndexFunc(notes, func(n coding.ItemNote) bool { return n.Note.NoteID == e.NoteID })
		if i < 0 || e.Start < 0 || e.End > len(notes[i].Note.Text) || e.Start >= e.End {
			return nil, ErrInput
		}
		e.Text = notes[i].Note.Text[e.Start:e.End]
		out = append(out, e)
	}
	return out, nil
}
