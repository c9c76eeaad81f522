package store

import (
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"chartcode/internal/coding"
)

// MigrationFiles are the embedded migrations.
var MigrationFiles = migrationFiles

// Pool gives tests the connections that the store works with.
func Pool(s *Store) *pgxpool.Pool { return s.pool }

// SQLSearchVectors is the search's statement, with places for model and dimensions.
const SQLSearchVectors = sqlfSearchVectors

// Wrap makes an error fit to leave the package.
func Wrap(op string, err error) error { return wrap(op, err) }

// ListStatement gives the statement for a page of a worklist and its arguments.
func ListStatement(q coding.WorklistQuery, now time.Time) (string, []any) {
	sql, args, _ := listStatement(q, now)
	return sql, args
}

// TakeStatement gives the statement that finds the next item and its arguments.
func TakeStatement(q coding.WorklistQuery, login, waitsFor string, now time.Time) (string, []any) {
	sql, args := takeStatement(q, now, waitsFor, []int64{}, login)
	if args[0] == planned {
		args = args[1:]
	}
	return sql, args
}

// CountStatements are those of WorklistCounts that need no arguments.
var CountStatements = []string{sqlCountSettings, sqlCountSources, sqlCountSpecialties, sqlCountRankers}

// SQLRefreshItem brings what an item repeats of its notes up to date.
const SQLRefreshItem = sqlRefreshItem

// Summary is the name of a statement for metrics and traces.
func Summary(sql string) string { return summary(sql) }

// Recent keeps items that were seen last, as a store does.
type Recent struct{ c *recentItems }

// NewRecent gives one that has none.
func NewRecent() Recent { return Recent{newRecentItems()} }

// Put keeps an item.
func (r Recent) Put(rec coding.ItemRecord) { r.c.put(rec) }

// Close forgets all.
func (r Recent) Close() { r.c.close() }

// Get gives an item that is kept.
func (r Recent) Get(id int64) (coding.ItemRecord, bool) { return r.c.get(id) }

// Size is how many items it has and how many bytes they count as.
func (r Recent) Size() (items, bytes int) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return len(r.c.items), r.c.size
}
