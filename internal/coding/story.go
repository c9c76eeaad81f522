package coding

import "time"

// Story is an invented item with all that happened to it, as simulate writes it.
type Story struct {
	Source      string
	EncounterID string // empty: its only note is the encounter
	Setting     Setting
	Specialty   string
	Notes       []StoryNote // in order of receipt
	Decisions   []Decision
	Events      []AuditEvent // without the item's number
	Queries     []Query

	State        ItemState
	ClaimedBy    string // login; only of a claimed item
	ClaimedUntil time.Time
	Reason       string // why it waits
	Reopened     string // why it was reopened; empty once finished again
	MovedAt      time.Time
}

// StoryNote is a note of a story with its suggestions.
type StoryNote struct {
	Note       Note
	ReceivedAt time.Time
	StoredAt   time.Time
	Set        SuggestionSet
}
