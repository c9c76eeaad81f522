package llm

import (
	"context"
	"sync"
	"time"
)

// note is what the questions about one note share.
type note struct {
	began time.Time
	mu    sync.Mutex
	miss  *Miss
}

type noteKey struct{}

// WithNote marks the beginning of the work on one note: the longest time that
// its questions may take (Config.Deadline) is counted from here. Without it each
// question has that time.
func WithNote(ctx context.Context) context.Context {
	return context.WithValue(ctx, noteKey{}, &note{began: time.Now()})
}

// Missed is the *Miss that a question met on a context of WithNote, or nil. The
// pipeline ranks a note locally whatever its ranker's error is; who replays
// recordings must not take that for the answer of the LLM.
func Missed(ctx context.Context) error {
	n, ok := ctx.Value(noteKey{}).(*note)
	if !ok {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.miss == nil {
		return nil
	}
	return n.miss
}

func began(ctx context.Context) time.Time {
	if n, ok := ctx.Value(noteKey{}).(*note); ok {
		return n.began
	}
	return time.Now()
}

func missed(ctx context.Context, m *Miss) {
	if n, ok := ctx.Value(noteKey{}).(*note); ok {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.miss = m
	}
}
