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

// CellBy says what the name of a cell is.
type CellBy string

// What cells are told apart by.
const (
	ByAll    CellBy = "all"
	ByCoder  CellBy = "coder"
	ByModel  CellBy = "model"
	ByLength CellBy = "length"
	ByReason CellBy = "reason"
)

// CellKey says what a cell counts.
type CellKey struct {
	By        CellBy
	Narrow    bool   // one specialty; otherwise all
	Placed    bool   // one source and setting; otherwise all
	Specialty string // of a narrow cell
	Day       Date   // of the site
	Source    string // of a placed cell
	Setting   Setting
	Name      string // of the coder, model ...
}

// CellCount names one of a cell's counters.
type CellCount int

// The counters, in the order of the columns.
const (
	NotesIn CellCount = iota
	ItemsIn
	ReopenedCount
	NotesOut
	ItemsOut
	ReturnedCount
	ActiveMicros
	OthersMicros
	AcceptedCount
	ModifiedCount
	RejectedCount
	AddedCount
	SuggestedSets
	DegradedSets
	NanoUSD
	CellCounts int = iota
)

// CellSpread names one of a cell's distributions.
type CellSpread int

// The distributions, in the order of the columns: over hours of the day, then
// over steps of time.
const (
	NotesInHours CellSpread = iota
	ItemsInHours
	NotesOutHours
	ItemsOutHours
	ToSuggestion
	ToLook
	ToFinish
	ToFinishWork     // on working days
	ActiveEach       // of each note
	CellSpreads  int = iota
)

// Spread is a distribution: the count of each step that has one.
type Spread map[int]int64

// CellSums is what a cell counts.
type CellSums struct {
	Counts  [CellCounts]int64
	Spreads [CellSpreads]Spread
}

// Add adds n to a counter.
func (c *CellSums) Add(to CellCount, n int64) { c.Counts[to] += n }

// Step adds n to a step of a distribution.
func (c *CellSums) Step(of CellSpread, step int, n int64) {
	if c.Spreads[of] == nil {
		c.Spreads[of] = Spread{}
	}
	c.Spreads[of][step] += n
	if c.Spreads[of][step] == 0 {
		delete(c.Spreads[of], step)
	}
}

// Merge adds what another counts, times a factor.
func (c *CellSums) Merge(o *CellSums, times int64) {
	for i, n := range o.Counts {
		c.Counts[i] += times * n
	}
	for i, spread := range o.Spreads {
		for step, n := range spread {
			c.Step(CellSpread(i), step, times*n)
		}
	}
}

// Empty reports whether all counts are 0.
func (c *CellSums) Empty() bool {
	for _, s := range c.Spreads {
		if len(s) > 0 {
			return false
		}
	}
	return c.Counts == [CellCounts]int64{}
}

// Cells are cells by their keys.
type Cells map[CellKey]*CellSums

// At gives a cell, which is made if need be.
func (c Cells) At(k CellKey) *CellSums {
	s := c[k]
	if s == nil {
		s = new(CellSums)
		c[k] = s
	}
	return s
}

// ThroughputRules say how items are counted for the figures.
type ThroughputRules struct {
	Name  string // what is counted by other rules must be counted anew
	Facts func(ItemHistory) ItemFacts
	Cells func(ItemFacts) Cells
}

// ThroughputQuery chooses what figures are about; an empty field does not
// restrict. Specialty is a pointer because a note may have none.
type ThroughputQuery struct {
	From, To  Date // days of the site, the end exclusive
	Source    string
	Setting   Setting
	Specialty *string
	Coder     string // login
}

// Limit is a source and setting with a time: how long something may take there,
// or since when it may have waited.
type Limit struct {
	Source  string
	Setting Setting
	Within  time.Duration
	Since   time.Time
}

// BacklogRow counts open encounters of one source and setting.
type BacklogRow struct {
	Source       string
	Setting      Setting
	Age          int // how many of the edges it is older than
	Items, Notes int64
	Late         int64 // older than the limit
	Oldest       time.Time
}

// OpenQueries counts questions that wait for an answer.
type OpenQueries struct {
	Count  int64
	Oldest time.Time
}

// ThroughputValues are what figures can be filtered by.
type ThroughputValues struct {
	Places      []Limit // sources with settings
	Specialties []string
}

// ThroughputState says how far counting is.
type ThroughputState struct {
	CountedAt time.Time // zero: never
	Waiting   int       // changes that are not counted yet
}

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
