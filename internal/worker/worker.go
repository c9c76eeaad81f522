// Package worker joins the two durable ends of the pipeline: it takes
// deliveries of notes from the bus, has the pipeline make suggestions, stores
// them in one transaction, and announces from the outbox what was stored.
//
// Its errors follow the delivery contract of package pipeline. It logs reason
// codes, counts and numbers of the database, never a note's text or identifier.
// Each step is one in the note's trace, and an Activity knows what is done just
// now.
package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"chartcode/internal/bus"
	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/tracing"
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
	SaveNote(ctx context.Context, r store.Result) (store.Saved, error)
}

// Config is for Handler. Activity may be nil.
type Config struct {
	Processor Processor
	Store     Store
	Activity  *Activity
	Logger    *slog.Logger
}

// Handler gives the bus's handler of one delivery.
func Handler(cfg Config) bus.Handler {
	if cfg.Activity == nil {
		cfg.Activity = NewActivity(nil)
	}
	return func(ctx context.Context, d bus.Delivery) error {
		ctx, done := cfg.Activity.begin(ctx, d)
		defer done()
		return outage(cfg.handle(ctx, d))
	}
}

func (c Config) handle(ctx context.Context, d bus.Delivery) error {
	result := store.Result{ReceivedAt: d.Received, StreamSeq: d.Seq, Traceparent: tracing.Traceparent(ctx)}
	seen := false
	err := c.Activity.stage(ctx, "intake", func(ctx context.Context) (err error) {
		if result.Note, err = intake.Parse(d.Body, d.Source); err != nil {
			return err
		}
		result.SHA256 = result.Note.SHA256()
		seen, err = c.Store.Seen(ctx, result.Note.Source, result.Note.NoteID, result.SHA256)
		return err
	})
	if err != nil {
		return err
	}
	if seen {
		c.Logger.InfoContext(ctx, "a note came again", "seq", d.Seq, "attempt", d.Attempt)
		return nil
	}
	if result.Set, err = c.Processor.Process(ctx, result.Note); err != nil {
		return err
	}
	if result.Set.DegradedReason != nil {
		c.Activity.degraded(*result.Set.DegradedReason)
	}
	var saved store.Saved
	err = c.Activity.stage(ctx, "save", func(ctx context.Context) (err error) {
		saved, err = c.Store.SaveNote(ctx, result)
		return err
	})
	if err == nil {
		c.Logger.InfoContext(ctx, "stored a note", "note", saved.Note, "item", saved.Item, "outcome", saved.Outcome,
			"seq", d.Seq, "attempt", d.Attempt, "suggestions", len(result.Set.Suggestions), "degraded", result.Set.Degraded)
	}
	return err
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
// Announced, which may be nil, hears of each attempt by subject.
func Relay(ctx context.Context, o Outbox, a Announcer, log *slog.Logger, announced func(subject string, err error)) {
	if announced == nil {
		announced = func(string, error) {}
	}
	wait := relayIdle
	cleaned := time.Now()
	for {
		sent, err := o.RelayOutbox(ctx, relayBatch, func(ctx context.Context, row store.OutboxRow) error {
			err := a.Publish(tracing.From(ctx, row.Traceparent), row.Subject, row.MessageID, row.Payload)
			announced(row.Subject, err)
			return err
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
