package coding

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
