package localpg

import (
	"context"
	"time"
)

const (
	keepEvery   = 500 * time.Millisecond
	keepBackoff = 30 * time.Second // at most, between attempts that fail
)

// Keep starts the server again whenever it has ended by itself, after a kill -9 for instance, until ctx ends.
// The address stays the same. A server must not be stopped while somebody keeps it.
func (s *Server) Keep(ctx context.Context) {
	wait := keepEvery
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = keepEvery
		if _, ok := running(s.data); ok {
			continue
		}
		s.config.Logger.Warn("the database has ended; starting it again")
		again, err := Start(ctx, s.config)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			wait = min(wait*8, keepBackoff)
			s.config.Logger.Error("the database does not start", "error", err)
		case again.URL() != s.URL():
			s.config.Logger.Error("the database's address has changed: restart this program")
		}
	}
}
