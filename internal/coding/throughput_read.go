package coding

import (
	"context"
	"time"
)

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

// ThroughputReader reads what was counted, and what waits.
type ThroughputReader interface {
	ThroughputCells(ctx context.Context, by CellBy, q ThroughputQuery) (Cells, error)
	PlacedCells(ctx context.Context, q ThroughputQuery) (Cells, error)
	ThroughputTotals(ctx context.Context, by CellBy, q ThroughputQuery, daily bool) (Cells, error)
	RoundsOfCoder(ctx context.Context, from, to time.Time, q ThroughputQuery) ([]Round, error)
	Backlog(ctx context.Context, q ThroughputQuery, edges []time.Time, limits []Limit, since time.Time) ([]BacklogRow, error)
	OpenQueries(ctx context.Context, q ThroughputQuery) (OpenQueries, error)
	ThroughputValues(ctx context.Context, from, to Date) (ThroughputValues, error)
	ThroughputState(ctx context.Context) (ThroughputState, error)
	LLMSpendDays(ctx context.Context, from, to Date) (map[Date]LLMSpend, error)
}
