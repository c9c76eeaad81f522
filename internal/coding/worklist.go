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
}

// WorklistSort is an order of the worklist.
type WorklistSort string

// The orders. Ties are broken by id, so that paging neither repeats nor skips.
const (
	SortPriority WorklistSort = "priority" // priority 9 first, then the oldest
	SortOldest   WorklistSort = "oldest"
	SortNewest   WorklistSort = "newest"
	SortUpdated  WorklistSort = "updated" // last changed first
)

// WorklistQuery chooses items; an empty field does not restrict.
type WorklistQuery struct {
	States      []ItemState
	Settings    []Setting
	Sources     []string
	Specialties []string
	Holder      string // login of who holds it now
	Degraded    *bool
	Invalid     *bool        // with or without codes that the releases do not have
	Sort        WorklistSort // SortPriority when empty
	Cursor      string       // Next of the page before
	Limit       int          // 50 when 0; at most 200
}

// WorklistPage is one page of the worklist; Next is empty on the last.
type WorklistPage struct {
	Items []ItemHead `json:"items"`
	Next  string     `json:"next,omitempty"`
}

// WorklistCounts says how many items there are in each state, and which values
// the filters can take, with the number of unfinished items of each.
type WorklistCounts struct {
	States      map[ItemState]int `json:"states"`
	Notes       int               `json:"notes"` // different notes behind the items
	Settings    []ValueCount      `json:"settings"`
	Sources     []ValueCount      `json:"sources"`
	Specialties []ValueCount      `json:"specialties"`
}

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
)

// AuditDecision, before a DecisionKind, is the action of a decision's event.
const AuditDecision = "decision."
