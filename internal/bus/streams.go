package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrStreamClash: a stream of ours is there with properties that ours cannot have.
var ErrStreamClash = errors.New("an existing NATS stream stands in the way")

const (
	// A duplicate submission within this time is dropped by the server.
	notesDuplicates = 2 * time.Minute
	// A dead letter is published again only if its note was not acknowledged
	// afterwards, which comes to light at the next delivery: a day is plenty.
	deadDuplicates = 24 * time.Hour
	// Announcements are published again by a relay that died in between.
	announceDuplicates = 10 * time.Minute

	suggestionsAge = 30 * 24 * time.Hour
	reviewsAge     = 90 * 24 * time.Hour
)

func streams() []jetstream.StreamConfig {
	return []jetstream.StreamConfig{
		{
			Name: StreamNotes, Description: "clinical notes that wait for suggestions",
			Subjects:  []string{prefixSubmitted + ">", prefixUrgent + ">"},
			Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage,
			// What is accepted here must fit DEADLETTER with its headers.
			MaxMsgSize: MaxPayload - headerRoom/2,
			Duplicates: notesDuplicates,
		},
		{
			Name: StreamSuggestions, Description: "suggestion sets, announced after they were stored",
			Subjects: []string{prefixSuggestions + ">"}, Storage: jetstream.FileStorage,
			MaxAge: suggestionsAge, Duplicates: announceDuplicates,
		},
		{
			Name: StreamReviews, Description: "finished reviews",
			Subjects: []string{prefixReviews + ">"}, Storage: jetstream.FileStorage,
			MaxAge: reviewsAge, Duplicates: announceDuplicates,
		},
		{
			Name: StreamDeadLetter, Description: "notes that can never succeed, with their reason",
			Subjects: []string{prefixDead + ">"}, Storage: jetstream.FileStorage,
			Duplicates: deadDuplicates,
		},
	}
}

// EnsureStreams creates the streams that are missing and adds missing subjects
// to existing ones; limits, ages and replicas that an operator has set stay. It
// fails with ErrStreamClash, naming what to change, when an existing stream
// cannot serve, and with ErrNoJetStream.
func (b *Bus) EnsureStreams(ctx context.Context) error {
	for _, want := range streams() {
		if err := b.ensure(ctx, want); err != nil {
			if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) || errors.Is(err, nats.ErrNoResponders) {
				return fmt.Errorf("%w: start it with -js; if it was, its disk may be full", ErrNoJetStream)
			}
			return err
		}
	}
	return nil
}

func (b *Bus) ensure(ctx context.Context, want jetstream.StreamConfig) error {
	for range 5 { // another process may create it at the same moment
		s, err := b.js.Stream(ctx, want.Name)
		if err == nil {
			return b.adapt(ctx, want, s.CachedInfo().Config)
		}
		if !errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("stream %s: %w", want.Name, err)
		}
		_, err = b.js.CreateStream(ctx, want)
		var api *jetstream.APIError
		switch {
		case err == nil:
			b.log.Info("created a NATS stream", "stream", want.Name)
			return nil
		case errors.Is(err, jetstream.ErrStreamNameAlreadyInUse):
			continue
		case errors.As(err, &api) && api.ErrorCode == codeSubjectOverlap:
			return fmt.Errorf("%w: the subjects of %s (%v) belong to another stream; give them free", ErrStreamClash, want.Name, want.Subjects)
		default:
			return fmt.Errorf("create stream %s: %w", want.Name, err)
		}
	}
	return fmt.Errorf("%w: stream %s comes and goes", ErrStreamClash, want.Name)
}

// codeSubjectOverlap is the server's JSStreamSubjectOverlapErr.
const codeSubjectOverlap jetstream.ErrorCode = 10065

// unfit says why an existing stream cannot serve; nil when it can.
func unfit(want, have jetstream.StreamConfig) error {
	switch {
	case have.Retention != want.Retention:
		return fmt.Errorf("%w: %s has retention %s and needs %s; delete it or use another account", ErrStreamClash, want.Name, have.Retention, want.Retention)
	case have.Storage != want.Storage:
		return fmt.Errorf("%w: %s keeps its messages in memory and must keep them in files", ErrStreamClash, want.Name)
	case have.Mirror != nil || have.Sealed || have.NoAck:
		return fmt.Errorf("%w: %s is a mirror, sealed or without acknowledgements", ErrStreamClash, want.Name)
	case have.MaxMsgSize > 0 && have.MaxMsgSize < MaxBody:
		return fmt.Errorf("%w: %s takes messages of at most %d bytes and must take %d", ErrStreamClash, want.Name, have.MaxMsgSize, MaxBody)
	}
	return nil
}

func (b *Bus) adapt(ctx context.Context, want, have jetstream.StreamConfig) error {
	if err := unfit(want, have); err != nil {
		return err
	}
	change := have
	for _, s := range want.Subjects {
		if !slices.Contains(change.Subjects, s) {
			change.Subjects = append(slices.Clone(change.Subjects), s)
		}
	}
	if want.MaxMsgSize > 0 && (have.MaxMsgSize <= 0 || have.MaxMsgSize > want.MaxMsgSize) {
		change.MaxMsgSize = want.MaxMsgSize
	}
	if len(change.Subjects) == len(have.Subjects) && change.MaxMsgSize == have.MaxMsgSize {
		return nil
	}
	if _, err := b.js.UpdateStream(ctx, change); err != nil {
		return fmt.Errorf("%w: %s could not be given its subjects: %w", ErrStreamClash, want.Name, err)
	}
	b.log.Info("adapted a NATS stream", "stream", want.Name)
	return nil
}
