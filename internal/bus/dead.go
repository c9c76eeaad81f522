package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"chartcode/internal/tracing"
)

// ErrNoDeadLetter: there is no dead letter of that number (any more).
var ErrNoDeadLetter = errors.New("there is no dead letter of that number")

// headerSize is set by the server where it leaves the body out.
const headerSize = "Nats-Msg-Size"

// DeadLetter is a note that could not succeed.
type DeadLetter struct {
	Seq      uint64 // its number
	Source   string
	Reason   string // a code, empty for a message that did not come from a worker
	Stage    string
	Attempts int
	Received time.Time // when the note was first stored
	Died     time.Time // when it was dead-lettered
	Size     int       // of the body, bytes
	Body     []byte    // the original bytes; nil in lists
	subject  string    // that the note came by; "" when that was not a proper one
	trace    string    // the place in a trace that the note came from
}

// publishDead stores the note's bytes with the reason. The message id is made
// of place and bytes: a second delivery of the same note adds nothing.
func (b *Bus) publishDead(ctx context.Context, j *job, reason, stage string) error {
	sum := sha256.Sum256(j.Body)
	msg := nats.NewMsg(prefixDead + j.Source)
	msg.Header.Set(jetstream.MsgIDHeader, fmt.Sprintf("dead-%d-%s", j.Seq, hex.EncodeToString(sum[:12])))
	msg.Header.Set(HeaderReason, reason)
	msg.Header.Set(HeaderStage, stage)
	msg.Header.Set(HeaderAttempts, strconv.Itoa(j.Attempt))
	msg.Header.Set(HeaderReceived, j.Received.UTC().Format(time.RFC3339Nano))
	if j.valid {
		msg.Header.Set(HeaderSubject, j.Subject)
	}
	if j.place != "" {
		msg.Header.Set(tracing.Header, j.place) // a replay goes on in the same trace
	}
	msg.Data = j.Body
	_, err := b.publishOnce(ctx, msg)
	return err
}

// ListDead gives up to limit dead letters with a number above after, oldest
// first, without their bodies. The last number is where the next list goes on.
func (b *Bus) ListDead(ctx context.Context, limit int, after uint64) ([]DeadLetter, error) {
	if limit <= 0 {
		return nil, nil
	}
	cons, err := b.js.OrderedConsumer(ctx, StreamDeadLetter, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{prefixDead + ">"}, DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq: after + 1, HeadersOnly: true, InactiveThreshold: 30 * time.Second,
	})
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	n := min(limit, int(min(cons.CachedInfo().NumPending, 1<<30)))
	list := make([]DeadLetter, 0, min(n, 1000))
	if n == 0 {
		return list, nil
	}
	batch, err := cons.Fetch(n, jetstream.FetchContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	for msg := range batch.Messages() {
		meta, err := msg.Metadata()
		if err != nil {
			return nil, fmt.Errorf("list dead letters: %w", err)
		}
		d := readDead(meta.Sequence.Stream, meta.Timestamp, msg.Subject(), msg.Headers())
		d.Size, _ = strconv.Atoi(msg.Headers().Get(headerSize))
		list = append(list, d)
	}
	if err := batch.Error(); err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	return list, nil
}

func readDead(seq uint64, at time.Time, subject string, h nats.Header) DeadLetter {
	d := DeadLetter{Seq: seq, Died: at, Source: strings.TrimPrefix(subject, prefixDead), Reason: h.Get(HeaderReason), Stage: h.Get(HeaderStage)}
	d.Attempts, _ = strconv.Atoi(h.Get(HeaderAttempts))
	d.Received, _ = time.Parse(time.RFC3339Nano, h.Get(HeaderReceived))
	d.subject, d.trace = h.Get(HeaderSubject), h.Get(tracing.Header)
	return d
}

// GetDead gives one dead letter with its body, or ErrNoDeadLetter.
func (b *Bus) GetDead(ctx context.Context, seq uint64) (DeadLetter, error) {
	s, err := b.js.Stream(ctx, StreamDeadLetter)
	if err != nil {
		return DeadLetter{}, fmt.Errorf("dead letter %d: %w", seq, err)
	}
	m, err := s.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return DeadLetter{}, ErrNoDeadLetter
	}
	if err != nil {
		return DeadLetter{}, fmt.Errorf("dead letter %d: %w", seq, err)
	}
	d := readDead(m.Sequence, m.Time, m.Subject, m.Header)
	d.Body, d.Size = m.Data, len(m.Data)
	return d, nil
}

// ReplayDead submits a dead letter again and then removes it: its original
// bytes under the subject they came by, or repaired when that is not nil. When
// it is interrupted in between, replaying once more is safe: the server drops
// the second copy, and after its duplicate window the note's own identity does.
func (b *Bus) ReplayDead(ctx context.Context, seq uint64, repaired *Submission) error {
	d, err := b.GetDead(ctx, seq)
	if err != nil {
		return err
	}
	if err := b.republish(ctx, d, repaired); err != nil {
		return err
	}
	s, err := b.js.Stream(ctx, StreamDeadLetter)
	if err == nil {
		err = s.SecureDeleteMsg(ctx, seq) // it is a patient's note
	}
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("dead letter %d was replayed but not removed: %w", seq, err)
	}
	return nil
}

// republish submits under a message id of the dead letter's own.
func (b *Bus) republish(ctx context.Context, d DeadLetter, repaired *Submission) error {
	msg := nats.NewMsg(originalSubject(d))
	msg.Data = d.Body
	if repaired != nil {
		var err error
		if msg, err = repaired.message(); err != nil {
			return err
		}
	}
	ctx, span := b.trace.Begin(tracing.From(ctx, d.trace), "replay dead letter", tracing.Producer)
	traced(ctx, msg)
	sum := sha256.Sum256(msg.Data)
	msg.Header.Set(jetstream.MsgIDHeader, fmt.Sprintf("replay-%d-%s", d.Seq, hex.EncodeToString(sum[:12])))
	_, err := b.publishPatiently(ctx, msg)
	span.End(err)
	if err != nil {
		return fmt.Errorf("replay dead letter %d: %w", d.Seq, err)
	}
	return nil
}

func originalSubject(d DeadLetter) string {
	if _, _, ok := sourceOf(d.subject); ok && (strings.HasPrefix(d.subject, prefixSubmitted) || strings.HasPrefix(d.subject, prefixUrgent)) {
		return d.subject
	}
	if validSource(d.Source) {
		return prefixSubmitted + d.Source
	}
	return prefixSubmitted + defaultSource
}
