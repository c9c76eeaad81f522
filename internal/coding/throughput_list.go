package coding

import "time"

// ThroughputList names what encounters are listed for.
type ThroughputList string

// The lists.
const (
	ListBacklog   ThroughputList = "backlog"
	ListLate      ThroughputList = "late"
	ListReceived  ThroughputList = "received"
	ListReopened  ThroughputList = "reopened"
	ListFinished  ThroughputList = "finished"
	ListInTime    ThroughputList = "in_time"
	ListTooLate   ThroughputList = "too_late"
	ListReturned  ThroughputList = "returned"
	ListAccepted  ThroughputList = "accepted"
	ListModified  ThroughputList = "modified"
	ListRejected  ThroughputList = "rejected"
	ListAdded     ThroughputList = "added"
	ListNotes     ThroughputList = "notes"
	ListSuggested ThroughputList = "suggested"
	ListDegraded  ThroughputList = "degraded"
	ListQueries   ThroughputList = "queries"
)

// ThroughputListQuery asks for a page of a list, the latest first.
type ThroughputListQuery struct {
	ThroughputQuery
	List     ThroughputList
	From, To time.Time // the moments of the days
	Reason   *string   // of rejected ones
	Model    string    // of suggestion sets
	MinBytes int64     // of finished ones
	MaxBytes int64
	Limits   []Limit       // for late ones
	Usual    time.Duration // where no limit says something else
	UsualAt  time.Time
	Before   time.Time // of the last entry of the page before; zero: the first page
	BeforeID int64
	Limit    int
}

// ThroughputEntry is one line of a list.
type ThroughputEntry struct {
	ID        int64 // with At it orders the list
	Item      int64
	Source    string
	Setting   Setting
	Specialty string
	At        time.Time // what the list is ordered by
	Coder     string
	Model     string
	State     ItemState
	Took      time.Duration // until At, from receipt or reopening
	Active    time.Duration
	Count     int64 // notes, or codes of the kind that the list is about
}
