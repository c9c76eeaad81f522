package store

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/tracing"
)

// Observer hears of each statement, from several goroutines. Its name is made of
// verb and first table: nothing of its arguments.
type Observer interface {
	Statement(ctx context.Context, name string, took time.Duration, failed bool)
}

// watcher tells the Observer, and the trace that a context is in, of statements.
type watcher struct {
	to    Observer // may be nil
	names sync.Map // SQL -> name: statements are constants, so there are few
}

type watchKey struct{}

// watched is one statement under way.
type watched struct {
	name  string
	began time.Time
	span  tracing.Span
}

func (w *watcher) begin(ctx context.Context, name string) context.Context {
	ctx, span := tracing.Start(ctx, name)
	if w.to == nil && !span.On() {
		return ctx
	}
	return context.WithValue(ctx, watchKey{}, &watched{name: name, began: time.Now(), span: span})
}

func (w *watcher) end(ctx context.Context, err error) {
	at, ok := ctx.Value(watchKey{}).(*watched)
	if !ok {
		return
	}
	failed := err != nil && !errors.Is(err, pgx.ErrNoRows)
	if w.to != nil {
		w.to.Statement(ctx, at.name, time.Since(at.began), failed)
	}
	if failed {
		code := "failed"
		if pg := pgError(err); pg != nil {
			code = pg.Code
		}
		at.span.Fail(code)
	}
	at.span.End(nil)
}

// TraceQueryStart is pgx's.
func (w *watcher) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	return w.begin(ctx, w.name(q.SQL))
}

// TraceQueryEnd is pgx's.
func (w *watcher) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryEndData) {
	w.end(ctx, d.Err)
}

// TraceBatchStart is pgx's.
func (w *watcher) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return w.begin(ctx, "BATCH")
}

// TraceBatchQuery is pgx's.
func (w *watcher) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd is pgx's.
func (w *watcher) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchEndData) {
	w.end(ctx, d.Err)
}

// TraceCopyFromStart is pgx's.
func (w *watcher) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceCopyFromStartData) context.Context {
	return w.begin(ctx, "COPY "+d.TableName[len(d.TableName)-1])
}

// TraceCopyFromEnd is pgx's.
func (w *watcher) TraceCopyFromEnd(ctx context.Context, _ *pgx.Conn, d pgx.TraceCopyFromEndData) {
	w.end(ctx, d.Err)
}

// name is that of a statement. Statements are constants, and the few that are made
// of them hold numbers of models: there is an end to them.
func (w *watcher) name(sql string) string {
	if name, ok := w.names.Load(sql); ok {
		return name.(string)
	}
	name := summary(sql)
	w.names.Store(sql, name)
	return name
}

var (
	verbs    = regexp.MustCompile(`(?i)^\s*([a-z]+)`)
	relation = regexp.MustCompile(`(?i)\b(?:FROM|INTO|UPDATE|JOIN|TABLE)\s+(?:ONLY\s+|IF NOT EXISTS\s+)?([a-z_][a-z0-9_.]*)`)
	writes   = regexp.MustCompile(`(?i)\b(INSERT INTO|UPDATE|DELETE FROM)\s+([a-z_][a-z0-9_.]*)`)
)

// extracts is the beginning of extract(epoch FROM x): this FROM has no table.
var extracts = regexp.MustCompile(`(?i)\bextract\s*\(\s*[a-z]+\s+FROM\b`)

// notTables are words that stand where a table's name may.
var notTables = map[string]bool{"select": true, "unnest": true, "generate_series": true, "jsonb_array_elements": true, "only": true, "set": true, "of": true, "nowait": true, "skip": true, "lateral": true}

// summary is verb and first table: of a WITH the first that is written to, else
// the first that is read.
func summary(sql string) string {
	sql = extracts.ReplaceAllString(sql, "extract(")
	m := verbs.FindStringSubmatch(sql)
	if m == nil {
		return "OTHER"
	}
	verb := strings.ToUpper(m[1])
	if verb == "WITH" {
		for _, m := range writes.FindAllStringSubmatch(sql, -1) {
			if table := strings.ToLower(m[2]); !notTables[table] { // such as FOR UPDATE SKIP LOCKED
				return strings.ToUpper(strings.Fields(m[1])[0]) + " " + table
			}
		}
		verb = "SELECT"
	}
	for _, m := range relation.FindAllStringSubmatch(sql, -1) {
		if table := strings.ToLower(m[1]); !notTables[table] && !strings.HasPrefix(table, "pg_") {
			return verb + " " + table
		}
	}
	return verb
}
