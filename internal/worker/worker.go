// Package worker joins the two durable ends of the pipeline: it takes
// deliveries of notes from the bus, has the pipeline make suggestions, stores
// them in one transaction, and announces from the outbox what was stored.
//
// Its errors follow the delivery contract of package pipeline. It logs reason
// codes and counts, never a note's text or identifier.
package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"chartcode/internal/bus"
	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/pipeline"
	"chartcode/pipeline/intake"
)

// Processor makes the suggestion set of a note.
type Processor interface {
	Process(ctx context.Context, note coding.Note) (coding.SuggestionSet, error)
}

// Store keeps results.
type Store interface {
	Seen(ctx context.Context, source, noteID, sha256 string) (bool, error)
	SaveResult(ctx context.Context, r store.Result) (store.Outcome, error)
}

// Handler gives the bus's handler of one delivery.
func Handler(p Processor, s Store) bus.Handler {
	return func(ctx context.Context, d bus.Delivery) error {
		note, err := intake.Parse(d.Body, d.Source)
		if err != nil {
			return err
		}
		sha := note.SHA256()
		seen, err := s.Seen(ctx, note.Source, note.NoteID, sha)
		if err != nil {
			return outage(err)
		}
		if seen {
			return nil
		}
		set, err := p.Process(ctx, note)
		if err != nil {
			return outage(err)
		}
		_, err = s.SaveResult(ctx, store.Result{Note: note, SHA256: sha, ReceivedAt: d.Received, StreamSeq: d.Seq, Set: set})
		return outage(err)
	}
}

// outage marks errors of a database that does not answer or holds no codes
// yet: the fault is not the note's, so its attempts must not run out.
func outage(err error) error {
	if errors.Is(err, store.ErrUnavailable) || errors.Is(err, pipeline.ErrNoCodes) {
		return outageError{err}
	}
	return err
}

type outageError struct{ error }

func (outageError) Outage() bool    { return true }
func (e outageError) Unwrap() error { return e.error }

// Outbox holds announcements.
type Outbox interface {
	RelayOutbox(ctx context.Context, limit int, publish func(ctx context.Context, row store.OutboxRow) error) (sent int, err error)
	CleanOutbox(ctx context.Context, before time.Time, limit int) (removed int, err error)
}

// Announcer publishes announcements.
type Announcer interface {
	Publish(ctx context.Context, subject, msgID string, payload []byte) error
}

const (
	relayBatch = 100
	relayIdle  = 250 * time.Millisecond
	relayWait  = 5 * time.Second // after an error, at most
	cleanEvery = 10 * time.Minute
	keepSent   = 24 * time.Hour
)

// Relay announces what the outbox holds until ctx ends, at least once each.
func Relay(ctx context.Context, o Outbox, a Announcer, log *slog.Logger) {
	wait := relayIdle
	cleaned := time.Now()
	for {
		sent, err := o.RelayOutbox(ctx, relayBatch, func(ctx context.Context, row store.OutboxRow) error {
			return a.Publish(ctx, row.Subject, row.MessageID, row.Payload)
		})
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Warn("announcing waits", "error", err)
			wait = min(2*wait, relayWait)
		case sent == relayBatch:
			wait = 0
		default:
			wait = relayIdle
		}
		if time.Since(cleaned) >= cleanEvery {
			cleaned = time.Now()
			if _, err := o.CleanOutbox(ctx, cleaned.Add(-keepSent), 10000); err != nil && ctx.Err() == nil {
				log.Warn("the outbox was not cleaned", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if wait == 0 {
			wait = relayIdle
		}
	}
}
