package throughput

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"chartcode/internal/coding"
)

// Titles of the lists.
var titles = map[coding.ThroughputList]string{
	coding.ListBacklog: "Waiting encounters", coding.ListLate: "Waiting beyond the service level", coding.ListReceived: "Encounters received",
	coding.ListReopened: "Encounters reopened", coding.ListFinished: "Encounters finished", coding.ListInTime: "Finished in time",
	coding.ListTooLate: "Finished too late", coding.ListReturned: "Returned to the sender", coding.ListAccepted: "With accepted suggestions",
	coding.ListModified: "With modified suggestions", coding.ListRejected: "With rejected suggestions", coding.ListAdded: "With added codes",
	coding.ListNotes: "Notes received", coding.ListSuggested: "Suggestions made", coding.ListDegraded: "Degraded suggestions", coding.ListQueries: "Queries unanswered",
}

// Title names the list.
func (l List) Title() string { return titles[l.Of] }

// Values is the list as a URL's query.
func (l List) Values() url.Values {
	v := l.Filter.Values()
	v.Set("list", string(l.Of))
	if l.EverOpen {
		v.Del("from")
		v.Del("to")
	}
	if l.Reason != nil {
		v.Set("reason", *l.Reason)
	}
	if l.Model != "" {
		v.Set("model", l.Model)
	}
	if l.Length != "" {
		v.Set("length", l.Length)
	}
	return v
}

// ListOf reads a list from a URL's query; ok is false when there is none of that name.
func (s *Service) ListOf(v url.Values) (l List, ok bool) {
	l = List{Of: coding.ThroughputList(v.Get("list")), Filter: s.FilterOf(v), Model: v.Get("model"), Length: v.Get("length")}
	if v.Has("reason") {
		l.Reason = new(v.Get("reason"))
	}
	switch l.Of {
	case coding.ListBacklog, coding.ListLate, coding.ListQueries:
		l.EverOpen = true
	}
	_, ok = titles[l.Of]
	return l, ok
}

// FilterOf reads a filter from a URL's query, see Calendar.FilterOf.
func (s *Service) FilterOf(v url.Values) Filter { return s.Calendar.FilterOf(v, s.Now()) }

// Entries is a page of what is behind a figure. Next is the cursor of the page
// behind, empty on the last.
type Entries struct {
	List    List
	Entries []coding.ThroughputEntry
	Next    string
	Names   map[string]string // of coders by login
}

// pageSize is how many entries a page has.
const pageSize = 100

// Entries gives a page of what is behind a figure, from behind a cursor on.
func (s *Service) Entries(ctx context.Context, l List, cursor string) (Entries, error) {
	f := l.Filter
	q := coding.ThroughputListQuery{
		ThroughputQuery: f.query(), List: l.Of, From: s.Calendar.Start(f.From), To: s.Calendar.Start(f.To.AddDays(1)), Reason: l.Reason, Model: l.Model,
		Usual: s.usual(), UsualAt: s.Calendar.Before(s.Now(), s.usual()), Limit: pageSize + 1,
	}
	if l.EverOpen {
		q.From, q.To = time.Unix(0, 0), s.Now().AddDate(1, 0, 0)
	}
	for i, c := range lengths {
		if c.name == l.Length {
			q.MaxBytes = c.below
			if i > 0 {
				q.MinBytes = lengths[i-1].below
			}
		}
	}
	q.Before, q.BeforeID = readCursor(cursor)
	today := s.Calendar.Day(s.Now())
	from := today.AddDays(-maxDays)
	if f.From.Before(from) {
		from = f.From
	}
	err := s.Store.ReadThroughput(ctx, func(store coding.ThroughputReader) error {
		values, err := store.ThroughputValues(ctx, from, today.AddDays(1))
		q.Limits = s.limitsOf(values.Places, s.Now())
		return err
	})
	out := Entries{List: l, Names: map[string]string{}}
	if err == nil {
		out.Entries, err = s.Store.ThroughputEntries(ctx, q)
	}
	users, uerr := s.Store.Users(ctx)
	if err == nil {
		err = uerr
	}
	if err != nil {
		return Entries{}, fmt.Errorf("throughput: %w", err)
	}
	for _, u := range users {
		out.Names[u.Login] = u.Name
	}
	if len(out.Entries) > pageSize {
		out.Entries = out.Entries[:pageSize]
		last := out.Entries[pageSize-1]
		out.Next = fmt.Sprintf("%d-%d", last.At.UnixMicro(), last.ID)
	}
	return out, nil
}

func readCursor(text string) (at time.Time, id int64) {
	micros, number, _ := strings.Cut(text, "-")
	m, err := strconv.ParseInt(micros, 10, 64)
	n, err2 := strconv.ParseInt(number, 10, 64)
	if err != nil || err2 != nil {
		return time.Time{}, 0
	}
	return time.UnixMicro(m).UTC(), n
}
