package presence

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"

	"chartcode/internal/coding"
	"chartcode/internal/tracing"
)

// keptErrors is how many errors wait to be told; older ones are dropped.
const keptErrors = 200

// Errors collects what a process logs as a warning or an error, reduced to what
// cannot hold anything of a note: the message, which is a constant, and the
// attributes that are codes. The zero Errors is ready for use.
type Errors struct {
	mu   sync.Mutex
	list []coding.ProcessError
}

// Handler gives a handler that collects, and passes everything on.
func (e *Errors) Handler(to slog.Handler) slog.Handler { return &handler{to: to, errors: e} }

func (e *Errors) take() []coding.ProcessError {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := e.list
	e.list = nil
	return list
}

// back puts what could not be told before what came since.
func (e *Errors) back(list []coding.ProcessError) {
	if len(list) == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(list, e.list...)
	e.trim()
}

func (e *Errors) add(one coding.ProcessError) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, one)
	e.trim()
}

func (e *Errors) trim() {
	if over := len(e.list) - keptErrors; over > 0 {
		e.list = append(e.list[:0:0], e.list[over:]...)
	}
}

// codes are the attributes whose values are codes, numbers and names of parts of
// the program; all others are left out.
var codes = map[string]bool{
	"reason": true, "stage": true, "code": true, "part": true, "route": true, "status": true, "attempt": true, "seq": true, "endpoint": true,
	"stream": true, "note": true, "item": true, "result": true, "page": true, "migration": true, "trace_id": true, "delay": true, "wait": true,
}

const maxDetail = 80 // of one value

type handler struct {
	to     slog.Handler
	errors *Errors
	attrs  []slog.Attr
}

// Enabled is also true for what is only collected.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || h.to.Enabled(ctx, level)
}

// Handle collects and passes on.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		var b strings.Builder
		enter := func(a slog.Attr) bool {
			if text := detail(a); text != "" {
				if b.Len() > 0 {
					b.WriteByte(' ')
				}
				b.WriteString(text)
			}
			return true
		}
		for _, a := range h.attrs {
			enter(a)
		}
		r.Attrs(enter)
		if id := tracing.ID(ctx); id != "" {
			enter(slog.String("trace_id", id))
		}
		h.errors.add(coding.ProcessError{At: r.Time.UTC(), Level: strings.ToLower(r.Level.String()), Message: r.Message, Detail: b.String()})
	}
	if !h.to.Enabled(ctx, r.Level) {
		return nil
	}
	return h.to.Handle(ctx, r)
}

// detail is an attribute as name=value, or nothing. Of an error no more is kept
// than its code.
func detail(a slog.Attr) string {
	v := a.Value.Resolve()
	if err, ok := v.Any().(error); ok {
		var sql interface{ SQLState() string }
		if errors.As(err, &sql) && sql.SQLState() != "" {
			return "sqlstate=" + sql.SQLState()
		}
		if code := tracing.Reason(err); code != "failed" {
			return "code=" + code
		}
		return ""
	}
	if !codes[a.Key] {
		return ""
	}
	text := v.String()
	if len(text) > maxDetail || strings.ContainsAny(text, "\n\r") {
		return ""
	}
	return a.Key + "=" + text
}

// WithAttrs keeps the attributes.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{to: h.to.WithAttrs(attrs), errors: h.errors, attrs: append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

// WithGroup keeps the collecting; groups are not used in the program.
func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{to: h.to.WithGroup(name), errors: h.errors, attrs: h.attrs}
}
