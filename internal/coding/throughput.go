package coding

import "time"

// ItemHistory is what figures are counted from: all that happened to one item.
type ItemHistory struct {
	ID         int64
	Source     string
	Setting    Setting
	Specialty  string
	State      ItemState
	ReceivedAt time.Time // its first note
	NoteCount  int
	Notes      []HistoryNote
	Sets       []HistorySet
	Acts       []HistoryAct // in order of time
	Decisions  []Decision   // in order; with what says which code became what
}

// HistoryNote is a note of an item.
type HistoryNote struct {
	AddedAt time.Time // to the item
	Bytes   int64     // of its text
}

// HistorySet is a suggestion set for a note of an item.
type HistorySet struct {
	ID, NoteID int64
	ReceivedAt time.Time // the body
	CreatedAt  time.Time
	Model      string // without an LLM the ranker
	Degraded   bool
	NanoUSD    int64
}

// HistoryAct is an event of the audit trail.
type HistoryAct struct {
	At            time.Time
	Actor, Action string
}

// ItemFacts is what is counted of one item.
type ItemFacts struct {
	Rounds []Round
	Notes  []NoteFact
}

// Round is one stay of an item with the coders: from its receipt, or its
// reopening, to its finishing.
type Round struct {
	Item       int64
	Number     int // from 1
	Source     string
	Setting    Setting
	Specialty  string
	State      ItemState // of the item
	StartedAt  time.Time
	LookedAt   time.Time // zero: nobody has
	FinishedAt time.Time // zero: open
	Coder      string    // login of who finished it
	Returned   bool
	Notes      int           // that were finished with it for the first time; of an open one: that wait
	Bytes      int64         // of the texts of the item's notes
	Active     time.Duration // of who finished it
	Others     time.Duration // the active time of others
	Work       time.Duration // from start to finish, on working days
	Accepted   int
	Modified   int
	Added      int
	Rejected   []ReasonCode // the reasons, one for each; empty: none given
}

// NoteFact is one suggestion set.
type NoteFact struct {
	Set, Item, Note int64
	Source          string
	Setting         Setting
	Specialty       string
	First           bool      // of the note's body that was received first
	ReceivedAt      time.Time // the body
	SuggestedAt     time.Time
	Model           string // without an LLM the ranker
	Degraded        bool
	NanoUSD         int64
}

// ThroughputRules say how items are counted for the figures.
type ThroughputRules struct {
	Name  string // what is counted by other rules must be counted anew
	Facts func(ItemHistory) ItemFacts
	Cells func(ItemFacts) Cells
}
