package review

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"chartcode/internal/coding"
)

const (
	maxQuery       = 4000 // characters of a question or answer
	maxOpenQueries = 20   // of an item
)

// QueryRequest is a question as a user asks it.
type QueryRequest struct {
	To       coding.QueryTo
	NoteID   string // as its source names it: the note that it is about; empty: the encounter
	Template string // id of the coding.QueryTemplate that it was made from; may be empty
	Text     string // at most 4000 characters
	Key      string // makes it safe to repeat, as Act.Key does a decision
}

// Ask puts an item aside until the attending or author has answered. More may be
// asked while a query is open. The item is queried as long as one is, and nobody
// decides on it meanwhile. It gives the query's number. The same question of the same
// user while it is open is that query: sent twice, it is asked once.
func (s *Service) Ask(ctx context.Context, u coding.User, id int64, q QueryRequest) (number int, err error) {
	text, err := queryText(q.Text)
	if err != nil {
		return 0, err
	}
	if q.To != coding.ToAttending && q.To != coding.ToAuthor {
		return 0, ErrInput
	}
	if q.Template != "" && !slices.ContainsFunc(coding.QueryTemplates(), func(t coding.QueryTemplate) bool { return t.ID == q.Template }) {
		return 0, ErrInput
	}
	p := s.planner(u)
	same := func(have coding.Query) bool {
		return have.AskedBy == u.Login && have.To == q.To && have.NoteID == q.NoteID && have.Text == text
	}
	err = s.once(ctx, u, id, q.Key, []string{"query", string(q.To), q.NoteID, q.Template, text}, func(r coding.ItemRecord) (coding.ItemChange, error) {
		for _, have := range r.Queries {
			if have.Status == coding.QueryOpen && same(have) {
				number = have.Number
				return coding.ItemChange{}, nil
			}
		}
		if r.Head.State != coding.ItemQueried || !u.Role.MayReview() {
			if err := p.mayWork(r.Head); err != nil {
				return coding.ItemChange{}, err
			}
		}
		person, ok := asked(r.Notes, q)
		if !ok || r.Head.OpenQueries >= maxOpenQueries {
			return coding.ItemChange{}, ErrInput
		}
		number = len(r.Queries) + 1
		return coding.ItemChange{
			State: coding.ItemQueried, Reason: short(text),
			Asked: &coding.Query{
				Number: number, To: q.To, Person: person, NoteID: q.NoteID, Template: q.Template, Text: text,
				AskedBy: u.Login, AskedAt: p.now, Status: coding.QueryOpen,
			},
			Events: p.said(coding.EventQueried, id, strconv.Itoa(number), ""),
		}, nil
	})
	if err != nil || number != 0 {
		return number, err
	}
	// It was asked before with this key.
	r, _, err := s.store.ItemRecord(ctx, id, nil)
	if err != nil {
		return 0, fmt.Errorf("review: read an item: %w", err)
	}
	for _, have := range r.Queries {
		if same(have) {
			number = have.Number
		}
	}
	return number, nil
}

// Query asks the attending what the reason says.
func (s *Service) Query(ctx context.Context, u coding.User, id int64, reason string) error {
	_, err := s.Ask(ctx, u, id, QueryRequest{To: coding.ToAttending, Text: reason})
	return err
}

// Answer enters the answer to a query. When it was the last open one, the item
// waits for who asked.
func (s *Service) Answer(ctx context.Context, u coding.User, id int64, number int, answer, key string) error {
	text, err := queryText(answer)
	if err != nil {
		return err
	}
	return s.closeQuery(ctx, u, id, number, coding.QueryAnswered, coding.EventAnswered, text, key)
}

// Withdraw takes a query back; the reason may be empty.
func (s *Service) Withdraw(ctx context.Context, u coding.User, id int64, number int, reason, key string) error {
	reason, err := reasoned(reason, false)
	if err != nil {
		return err
	}
	return s.closeQuery(ctx, u, id, number, coding.QueryWithdrawn, coding.EventWithdrew, reason, key)
}

func (s *Service) closeQuery(ctx context.Context, u coding.User, id int64, number int, status coding.QueryStatus, kind coding.ItemEventKind, text, key string) error {
	p := s.planner(u)
	if !p.mayReopen() {
		return ErrForbidden
	}
	users, err := s.store.Users(ctx)
	if err != nil {
		return fmt.Errorf("review: read the users: %w", err)
	}
	return s.once(ctx, u, id, key, []string{string(kind), strconv.Itoa(number), text}, func(r coding.ItemRecord) (coding.ItemChange, error) {
		i := slices.IndexFunc(r.Queries, func(q coding.Query) bool { return q.Number == number })
		if i < 0 {
			return coding.ItemChange{}, ErrInput
		}
		if r.Queries[i].Status != coding.QueryOpen {
			return coding.ItemChange{}, ErrAlready
		}
		c := coding.ItemChange{
			State: coding.ItemOpen, Closed: []coding.Query{p.closed(r.Queries[i], status, text)},
			Events: p.said(kind, id, strconv.Itoa(number), ""),
		}
		for _, q := range r.Queries {
			if q.Status == coding.QueryOpen && q.Number != number {
				c.State, c.Reason = coding.ItemQueried, short(q.Text)
			}
		}
		asker := r.Queries[i].AskedBy
		if c.State == coding.ItemOpen && slices.ContainsFunc(users, func(x coding.User) bool { return x.Login == asker && !x.Disabled && x.Role != coding.RoleService }) {
			c.Sent = &coding.Sent{Login: asker}
		}
		return c, nil
	})
}

// Resume takes up a held or queried item again: the user holds it from then on.
// Queries that are still open are withdrawn.
func (s *Service) Resume(ctx context.Context, u coding.User, id int64, key string) error {
	p := s.planner(u)
	return s.once(ctx, u, id, key, []string{"resume"}, func(r coding.ItemRecord) (coding.ItemChange, error) {
		switch {
		case !u.Role.MayReview():
			return coding.ItemChange{}, ErrForbidden
		case r.Head.State != coding.ItemHeld && r.Head.State != coding.ItemQueried:
			return coding.ItemChange{}, ErrState
		}
		c := coding.ItemChange{State: coding.ItemClaimed, Claim: p.claim()}
		for _, q := range r.Queries {
			if q.Status == coding.QueryOpen {
				c.Closed = append(c.Closed, p.closed(q, coding.QueryWithdrawn, ""))
				c.Events = append(c.Events, p.said(coding.EventWithdrew, id, strconv.Itoa(q.Number), "")...)
			}
		}
		c.Events = append(c.Events, p.events(coding.EventResumed, id)...)
		return c, nil
	})
}

func (p planner) closed(q coding.Query, status coding.QueryStatus, text string) coding.Query {
	q.Status, q.Answer, q.ClosedBy, q.ClosedAt = status, text, p.user.Login, p.now
	return q
}

// asked gives the person whom a query is to; ok is false when it names a note
// that the item does not have. The name may be missing in the notes.
func asked(notes []coding.ItemNote, q QueryRequest) (person coding.Person, ok bool) {
	for _, n := range slices.Backward(notes) { // the latest first
		if q.NoteID != "" && n.Note.NoteID != q.NoteID {
			continue
		}
		ok = true
		who := n.Note.Attending
		if q.To == coding.ToAuthor {
			who = n.Note.Author
		}
		if who != (coding.Person{}) {
			return who, true
		}
	}
	return coding.Person{}, ok
}

func queryText(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" || utf8.RuneCountInString(text) > maxQuery || (Act{Remark: text}).badText() {
		return "", ErrInput
	}
	return text, nil
}

// short is the beginning of a text, as lists show it.
func short(text string) string {
	runes := []rune(text)
	if len(runes) <= maxReason {
		return text
	}
	return string(runes[:maxReason-1]) + "…"
}
