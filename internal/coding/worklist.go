package coding

import "time"

// Claim is a lease on an item: who holds it and until when it is theirs.
type Claim struct {
	Login string    `json:"login"`
	Name  string    `json:"name"`
	Until time.Time `json:"until"`
}

// Held reports whether the claim is in force at the time now.
func (c *Claim) Held(now time.Time) bool { return c != nil && now.Before(c.Until) }

// ItemHead is what a worklist shows of an item.
type ItemHead struct {
	ID             int64     `json:"id"`
	State          ItemState `json:"state"`
	Source         string    `json:"source"`
	EncounterID    string    `json:"encounter_id,omitempty"`
	Setting        Setting   `json:"setting"`
	Specialty      string    `json:"specialty"`
	NoteTypes      []string  `json:"note_types"` // of its notes, in order of service
	ServiceDate    Date      `json:"service_date"`
	Priority       int       `json:"priority"` // the highest of its notes
	ReceivedAt     time.Time `json:"received_at"`
	DueAt          time.Time `json:"due_at,omitzero"`
	UpdatedAt      time.Time `json:"updated_at"`
	Notes          int       `json:"notes"`
	Codes          int       `json:"codes"`      // different codes suggested
	Confidence     float64   `json:"confidence"` // the lowest of them; 0 without any
	Degraded       bool      `json:"degraded"`   // at least one note has only fallback suggestions
	ReopenedReason string    `json:"reopened_reason,omitempty"`
	Version        int64     `json:"version"`       // counts every change of the item
	Content        int64     `json:"content"`       // counts changes of notes and suggestions only
	Invalid        int       `json:"invalid_codes"` // codes in its list that the releases do not have, as last checked
	Edition        string    `json:"-"`             // the releases that its codes were looked up in; empty: to be looked up
	Claim          *Claim    `json:"claim,omitempty"`
	Reason         string    `json:"reason,omitempty"` // why it is held or queried

	Ranker      string  `json:"ranker,omitempty"` // of its latest note's suggestions, name@version
	Need        float64 `json:"need"`             // how much it needs a person, 0 to 1: the highest of its notes' suggestion sets
	Coder       string  `json:"coder,omitempty"`  // login of the person who decided on it last
	SentTo      *Sent   `json:"sent_to,omitempty"`
	OpenQueries int     `json:"open_queries"`

	// MovedAt is when state, holder, for whom it waits, or content changed last:
	// decisions of who holds it do not count.
	MovedAt time.Time `json:"-"`
}

// Sent says for whom an item waits: somebody sent it to them, or their query was
// answered. Others may still take it; Next does not give it to them.
type Sent struct {
	Login string `json:"login"`
	Name  string `json:"name"`
	By    string `json:"by"` // login; empty: an answered query
}

// WorklistSort is an order of the worklist.
type WorklistSort string

// The orders. Ties are broken by id, so that paging neither repeats nor skips.
const (
	SortPriority WorklistSort = "priority" // priority 9 first, then the oldest
	SortOldest   WorklistSort = "oldest"
	SortNewest   WorklistSort = "newest"
	SortUpdated  WorklistSort = "updated" // last moved first; see ItemHead.MovedAt
	SortNeed     WorklistSort = "need"    // what most needs a person first, then the oldest
)

// WorklistQuery chooses items; an empty field does not restrict. Its JSON is what
// saved filters keep.
type WorklistQuery struct {
	States      []ItemState `json:"states,omitempty"`
	Settings    []Setting   `json:"settings,omitempty"`
	Sources     []string    `json:"sources,omitempty"`
	Specialties []string    `json:"specialties,omitempty"`
	Rankers     []string    `json:"rankers,omitempty"` // name@version
	Coders      []string    `json:"coders,omitempty"`  // logins of who decided on it last
	Holder      string      `json:"holder,omitempty"`  // login of who holds it now
	SentTo      string      `json:"sent_to,omitempty"` // login of whom it waits for
	Degraded    *bool       `json:"degraded,omitempty"`
	Invalid     *bool       `json:"invalid,omitempty"` // with or without codes that the releases do not have

	PriorityFrom    int     `json:"priority_from,omitempty"`    // 1-9
	PriorityTo      int     `json:"priority_to,omitempty"`      // 1-9
	ConfidenceFrom  float64 `json:"confidence_from,omitempty"`  // of the item's least certain code
	ConfidenceBelow float64 `json:"confidence_below,omitempty"` // of the item's least certain code
	OlderHours      float64 `json:"older_hours,omitempty"`      // received at least so long ago
	YoungerHours    float64 `json:"younger_hours,omitempty"`    // received at most so long ago

	Sort   WorklistSort `json:"sort,omitempty"` // SortPriority when empty
	Cursor string       `json:"-"`              // Next of the page before
	Limit  int          `json:"-"`              // 50 when 0; at most 200
}

// SavedFilter is a worklist that somebody named. A shared one is seen by all, and
// changed by its owner, managers and administrators.
type SavedFilter struct {
	ID        int64         `json:"id"`
	Owner     string        `json:"owner"` // login
	OwnerName string        `json:"owner_name"`
	Name      string        `json:"name"` // unique for its owner; 1-80 characters
	Shared    bool          `json:"shared"`
	Query     WorklistQuery `json:"query"`
}

// WorklistPage is one page of the worklist; Next is empty on the last.
type WorklistPage struct {
	Items []ItemHead `json:"items"`
	Next  string     `json:"next,omitempty"`
}

// WorklistCounts says how many items there are in each state, and which values
// the filters can take, with the number of unfinished items of each. Counting
// stops at a bound, so that it takes no longer with a million items: a number of
// States, ForMe or Notes that is CountBound, or of a value that is ValueBound,
// means that many or more.
type WorklistCounts struct {
	States      map[ItemState]int `json:"states"`
	Notes       int               `json:"notes"` // different notes behind the items
	Settings    []ValueCount      `json:"settings"`
	Sources     []ValueCount      `json:"sources"`
	Specialties []ValueCount      `json:"specialties"`
	Rankers     []ValueCount      `json:"rankers"`
	OpenQueries int               `json:"open_queries"`
	ForMe       int               `json:"for_me"` // items that wait for the one who asks
}

// The bounds of WorklistCounts.
const (
	CountBound = 10_000
	ValueBound = 1_000
)

// ValueCount is a value of a filter and the number of items that have it.
type ValueCount struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// ItemNote is one note of an item in its current revision, with the current
// suggestions for it. Set is nil while there are none.
type ItemNote struct {
	ID         int64 // of the note in the database; fit for anchors and URLs
	Note       Note
	Revision   int       // from 1
	ReceivedAt time.Time // by the stream
	StoredAt   time.Time // when this revision was written here
	Set        *SuggestionSet
	// Traceparent is where in a trace a worker stored this revision; empty without one.
	Traceparent string
}

// ItemEventKind is something that happened to an item and is no decision.
type ItemEventKind string

// The events of an item.
const (
	EventLooked   ItemEventKind = "looked"
	EventClaimed  ItemEventKind = "claimed"
	EventTaken    ItemEventKind = "taken_over" // from somebody whose claim had run out
	EventReleased ItemEventKind = "released"
	EventHeld     ItemEventKind = "held"
	EventQueried  ItemEventKind = "queried"
	EventResumed  ItemEventKind = "resumed"
	EventSkipped  ItemEventKind = "skipped" // given back by somebody whom Next does not give it again for a while
	EventSent     ItemEventKind = "sent"    // Target: to whom
	EventUnsent   ItemEventKind = "unsent"  // waits for nobody in particular any more
	EventAnswered ItemEventKind = "answered"
	EventWithdrew ItemEventKind = "withdrew" // a query
	EventExported ItemEventKind = "exported"
)

// AuditDecision, before a DecisionKind, is the action of a decision's event.
const AuditDecision = "decision."
