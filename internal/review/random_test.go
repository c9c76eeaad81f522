package review_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// bring stores revision n of note i, each with other suggestions.
func (f *fixture) bring(i, n int) {
	text := visit
	if n > 0 {
		text += fmt.Sprintf(" Addendum %d.", n)
	}
	all := []sug{
		{code: "E11.40", words: "Type 2 diabetes with neuropathy", confidence: 0.9},
		{code: "I10", words: "Essential hypertension", confidence: 0.8},
		{code: "E78.5", words: "Hyperlipidemia", confidence: 0.7},
	}
	in := note(fmt.Sprint("D-", i), fmt.Sprint("E-", i), text)
	if i == 0 { // a stay: diagnoses say whether they were present on admission
		in.Setting = coding.Inpatient
	}
	f.save(in, slices.Delete(all, n%3, n%3+1)...)
}

// pick gives one of some values.
func pick[T any](rnd *rand.Rand, values ...T) T { return values[rnd.IntN(len(values))] }

// random does one act, mostly a sensible one.
func (f *fixture) random(rnd *rand.Rand, u coding.User, id int64, k string) error {
	if rnd.IntN(5) < 2 {
		return f.randomMove(rnd, u, id, k)
	}
	ctx := f.t.Context()
	codes := []string{"E11.40", "I10", "E78.5", "Z79.4", "J45.909"}
	a := review.Act{Code: key(pick(rnd, codes...)), To: key(pick(rnd, codes...)), Confirm: true, Key: k}
	a.Kind = pick(rnd, coding.Accept, coding.Accept, coding.Reject, coding.Modify, coding.Add, coding.Detail, coding.Remark, review.AcceptAll,
		coding.Undo, coding.Undo, coding.Redo, coding.Reorder, coding.Finish, coding.Reopen)
	switch a.Kind {
	case coding.Accept, coding.Add, coding.Modify, coding.Detail:
		a.Role = pick(rnd, "", "", coding.RolePrincipal, coding.RoleSecondary, coding.RoleAdmitting)
		a.POA = pick(rnd, "", coding.POAYes, coding.POANo, coding.POAClear)
	case coding.Reject:
		a.ReasonCode = pick(rnd, coding.RejectReasons()...).Code
	case coding.Remark:
		a.Remark = pick(rnd, "", "a remark", "another")
	case review.AcceptAll:
		a.Above = 0.9
	case coding.Reorder:
		a.Order = []coding.CodeKey{a.Code}
	}
	out, err := f.Decide(ctx, u, id, a)
	if err != nil {
		return err
	}
	f.invariants(out.Item)
	if rnd.IntN(4) == 0 { // the answer was lost: sent again
		again, err := f.Decide(ctx, u, id, a)
		if err != nil {
			return err
		}
		if !again.Repeated || again.Decision.Seq != out.Decision.Seq {
			f.t.Errorf("%s sent twice was done twice: %d and %d", a.Kind, out.Decision.Seq, again.Decision.Seq)
		}
	}
	return nil
}

// randomMove does what is no decision, sometimes twice with its key, which is also
// what it gives as its reason: history looks whether that counted once.
func (f *fixture) randomMove(rnd *rand.Rand, u coding.User, id int64, k string) error {
	ctx := f.t.Context()
	var do func() error
	switch rnd.IntN(12) {
	case 0:
		do = func() error { _, err := f.Claim(ctx, u, id); return err }
	case 1:
		do = func() error { _, err := f.Renew(ctx, u, id); return err }
	case 2:
		do = func() error { return f.Release(ctx, u, id, k) }
	case 3:
		do = func() error { return f.Hold(ctx, u, id, k, k) }
	case 4:
		do = func() error { return f.Resume(ctx, u, id, k) }
	case 5:
		do = func() error { return f.Skip(ctx, u, id, k, k) }
	case 6:
		to := pick(rnd, "casey", "robin", "sam", "kim")
		if to == u.Login {
			return nil
		}
		do = func() error { return f.Send(ctx, u, id, to, k, k) }
	case 7:
		do = func() error { return f.Return(ctx, u, id, k, k) }
	case 8:
		q := review.QueryRequest{To: pick(rnd, coding.ToAttending, coding.ToAuthor), Template: "laterality", Text: "Which side? " + k, Key: k}
		do = func() error { _, err := f.Ask(ctx, u, id, q); return err }
	case 9, 10:
		it, err := f.Item(ctx, u, id)
		if err != nil || len(it.Queries) == 0 {
			return err
		}
		number := 1 + rnd.IntN(len(it.Queries))
		if rnd.IntN(2) == 0 {
			do = func() error { return f.Answer(ctx, u, id, number, "The left one.", k) }
		} else {
			do = func() error { return f.Withdraw(ctx, u, id, number, "found it", k) }
		}
	default:
		q := coding.WorklistQuery{Sort: pick(rnd, coding.SortPriority, coding.SortNeed)}
		var first int64
		do = func() error {
			next, err := f.Next(ctx, u, q, k)
			if err == nil && first != 0 && next != first {
				f.t.Errorf("one key gave item %d, then %d", first, next)
			}
			first = next
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	if rnd.IntN(3) == 0 { // the answer was lost: sent again
		return do()
	}
	return nil
}

// expected are the refusals that people at work on the same items meet.
func expected(err error) bool {
	var claimed *review.ClaimedError
	var unready *review.UnreadyError
	for _, e := range []error{review.ErrChanged, review.ErrFinished, review.ErrState, review.ErrNoCode, review.ErrAlready, review.ErrNothing, review.ErrNoneLeft, review.ErrForbidden} {
		if errors.Is(err, e) {
			return true
		}
	}
	return errors.As(err, &claimed) || errors.As(err, &unready)
}
