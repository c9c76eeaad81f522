package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
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

// InTx lets do work in a transaction.
func InTx(s *Store, ctx context.Context, op string, do func(tx pgx.Tx) error) error {
	return s.inTx(ctx, op, do)
}

// ListStatement gives the statement for a page of a worklist and its arguments.
func ListStatement(q coding.WorklistQuery, now time.Time) (string, []any) {
	sql, args, _ := listStatement(q, now)
	return sql, args
}

// TakeStatement gives the statement that finds the next item and its arguments.
func TakeStatement(q coding.WorklistQuery, login, waitsFor string, now time.Time) (string, []any) {
	t := &taking{except: []int64{}, claim: coding.Claim{Login: login, Until: now}, now: now, event: coding.AuditEvent{At: now, Actor: login, Action: "claimed"}}
	sql, args, _ := t.statement(q, waitsFor, true)
	return sql, args
}

// TakeSeveralStatement gives the statement that takes items for several and its arguments.
func TakeSeveralStatement(q coding.WorklistQuery, login string, now time.Time) (string, []any) {
	t := &taking{query: q, claim: coding.Claim{Login: login, Until: now}, now: now, event: coding.AuditEvent{At: now, Actor: login, Action: "claimed"}}
	return takeSeveralStatement([]*taking{t, t})
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

// Together lets tests do things together.
type Together[T any] struct{ g *together[T] }

// NewTogether gives one that has nothing under way.
func NewTogether[T any](do func(ctx context.Context, some []T)) Together[T] {
	return Together[T]{newTogether(do)}
}

// Wait has something done.
func (g Together[T]) Wait(ctx context.Context, what T) error { return g.g.wait(ctx, what) }

// End waits until nothing is under way.
func (g Together[T]) End() { g.g.end() }

// WriteWithin says how long decisions may take that are written together.
func WriteWithin(s *Store, most time.Duration) { s.decisions.within = most }

// Waiting is how many decisions, wishes for items and for knowing one wait for those that are under way.
func Waiting(s *Store) int { return lengthOf(s.decisions) + lengthOf(s.takes) + lengthOf(s.reads) }

func lengthOf[T any](g *together[T]) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}

// ExplainDecide has PostgreSQL tell how it would write decisions on items.
func ExplainDecide(records []coding.ItemRecord, change func(coding.ItemRecord) coding.ItemChange) (string, []any, error) {
	var some []*deciding
	for _, r := range records {
		d, err := newDeciding(r, change(r))
		if err != nil {
			return "", nil, err
		}
		some = append(some, d)
	}
	return "EXPLAIN " + sqlDecide, decideArgs(some), nil
}
