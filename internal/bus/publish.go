package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"chartcode/internal/tracing"
)

var (
	// ErrTooLarge: the body is larger than MaxBody.
	ErrTooLarge = errors.New("the note is larger than 8 MiB and is not sent")
	// ErrInvalidSource: the source is not [A-Za-z0-9_-]{1,64}.
	ErrInvalidSource = errors.New("the source must be 1 to 64 letters, digits, hyphens or underscores")
)

// Submission is a note on its way in. NoteID keeps the order of two bodies of
// one note; it is not sent anywhere.
type Submission struct {
	Source   string
	Priority int
	NoteID   string
	Body     []byte
}

func (s Submission) message() (*nats.Msg, error) {
	if !validSource(s.Source) {
		return nil, ErrInvalidSource
	}
	if len(s.Body) > MaxBody {
		return nil, ErrTooLarge
	}
	h := sha256.New()
	_, _ = io.WriteString(h, s.Source+"\x00")
	h.Write(s.Body)
	msg := nats.NewMsg(SubjectOf(s.Source, s.Priority))
	msg.Header.Set(jetstream.MsgIDHeader, "note-"+hex.EncodeToString(h.Sum(nil)))
	msg.Data = s.Body
	return msg, nil
}

// submitPatience bounds how long a submission is retried.
const submitPatience = 2 * time.Minute

// Submit publishes a note and returns when the server has stored it; duplicate
// says that it dropped the same bytes, received moments ago. A lost connection
// or acknowledgement is tried again until ctx ends, at most two minutes; the
// same message id is used, so that this stores nothing twice.
func (b *Bus) Submit(ctx context.Context, s Submission) (duplicate bool, err error) {
	msg, err := s.message()
	if err != nil {
		return false, err
	}
	ctx, span := b.trace.Begin(ctx, "submit note", tracing.Producer)
	traced(ctx, msg)
	ack, err := b.publishPatiently(ctx, msg)
	span.End(err)
	if err != nil {
		return false, fmt.Errorf("submit: %w", err)
	}
	return ack.Duplicate, nil
}

// Publish announces payload on subject, once: the relay that calls it tries
// again. msgID lets the server drop what it has already. In a trace that ctx is in
// it is a step.
func (b *Bus) Publish(ctx context.Context, subject, msgID string, payload []byte) error {
	msg := nats.NewMsg(subject)
	msg.Header.Set(jetstream.MsgIDHeader, msgID)
	msg.Data = payload
	var span tracing.Span
	if tracing.Traceparent(ctx) != "" {
		ctx, span = b.trace.Begin(ctx, announcing(subject), tracing.Producer)
		traced(ctx, msg)
	}
	_, err := b.publishOnce(ctx, msg)
	span.End(err)
	if err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	return nil
}

func announcing(subject string) string {
	if strings.HasPrefix(subject, prefixReviews) {
		return "announce review"
	}
	return "announce suggestions"
}

// traced gives a message the place in the trace that ctx is in.
func traced(ctx context.Context, msg *nats.Msg) {
	if place := tracing.Traceparent(ctx); place != "" {
		msg.Header.Set(tracing.Header, place)
	}
}

func (b *Bus) publishOnce(ctx context.Context, msg *nats.Msg) (*jetstream.PubAck, error) {
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	return b.js.PublishMsg(ctx, msg)
}

func (b *Bus) publishPatiently(ctx context.Context, msg *nats.Msg) (*jetstream.PubAck, error) {
	ctx, cancel := context.WithTimeout(ctx, submitPatience)
	defer cancel()
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		ack, err := b.publishOnce(ctx, msg)
		if err == nil || hopeless(err) {
			return ack, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the server did not confirm it (%w)", err)
		case <-time.After(jitter(wait)):
		}
	}
}

// hopeless reports errors that a second attempt meets again.
func hopeless(err error) bool {
	return errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, nats.ErrBadSubject) ||
		errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrPermissionViolation) ||
		errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum)
}
