// Package audit keeps the trail of who did what: every look at a note, every
// decision, every change of an account. Events hold no note text and nothing
// that names a patient.
//
// Whoever changes something writes its event in the same transaction (the
// store sees to that). This package links the events to a hash chain: each
// link's hash covers its event and the hash before, so an event that was
// changed, removed or put in later breaks every link after it. Seal does the
// linking, Verify checks it, VerifyFile checks what Export wrote, without a
// database. A chain alone cannot show that its newest links were cut off: keep
// the head that Verify prints, and give it to a later Verify.
//
// The package touches the trail through the Store that it declares.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"chartcode/internal/coding"
)

// Store keeps the trail; store.Store has these methods.
type Store interface {
	SealAudit(ctx context.Context, limit int, link func(before [32]byte, ev coding.AuditEvent) [32]byte) (sealed int, err error)
	AuditChain(ctx context.Context) iter.Seq2[coding.AuditLink, error]
	AuditedDecisions(ctx context.Context) iter.Seq2[coding.AuditedDecision, error]
	AuditCounts(ctx context.Context) (coding.AuditCounts, error)
}

// Config is what a Trail needs.
type Config struct {
	Store  Store
	Logger *slog.Logger
	// Every is how often Run seals; 1 s when 0.
	Every time.Duration
}

// Trail seals and verifies. It is safe for use by several goroutines.
type Trail struct {
	store Store
	log   *slog.Logger
	every time.Duration
}

// New checks the configuration and gives the trail.
func New(cfg Config) (*Trail, error) {
	if cfg.Store == nil || cfg.Logger == nil {
		return nil, errors.New("audit: a store and a logger are needed")
	}
	if cfg.Every < 0 {
		return nil, errors.New("audit: the time between seals cannot be less than nothing")
	}
	if cfg.Every == 0 {
		cfg.Every = time.Second
	}
	return &Trail{store: cfg.Store, log: cfg.Logger, every: cfg.Every}, nil
}

// sealBatch is how many events are linked in one transaction.
const sealBatch = 1000

// Seal links all waiting events and gives their number. Where another process
// is at it, it leaves the rest to that one.
func (t *Trail) Seal(ctx context.Context) (int, error) {
	total := 0
	for {
		n, err := t.store.SealAudit(ctx, sealBatch, Link)
		if err != nil {
			return total, fmt.Errorf("audit: seal: %w", err)
		}
		total += n
		if n < sealBatch {
			return total, nil
		}
	}
}

// Run seals until ctx ends, and once more then, for what the last acts of the
// process left. A failure is logged and tried again: the events themselves are
// safe by then.
func (t *Trail) Run(ctx context.Context) {
	tick := time.NewTicker(t.every)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if _, err := t.Seal(last); err != nil {
				t.log.Warn("the audit trail could not be sealed at the end; the next start does it", "error", err)
			}
			return
		case <-tick.C:
			_, err := t.Seal(ctx)
			if err != nil && !failing && ctx.Err() == nil {
				t.log.Error("the audit trail cannot be sealed; trying again", "error", err)
			}
			failing = err != nil
		}
	}
}

// Link is the hash of a link: SHA-256 over the hash before it (32 zero bytes
// before the first) and the event's fields, each with its length in front, so
// that nothing can move from one field to the next. The time is in
// microseconds since 1970, as the database keeps it.
func Link(before [32]byte, ev coding.AuditEvent) [32]byte {
	h := sha256.New()
	h.Write([]byte("chartcode audit 1\n"))
	h.Write(before[:])
	number := func(n int64) {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(n))
		h.Write(b[:])
	}
	number(ev.ID)
	number(ev.At.UnixMicro())
	for _, s := range []string{ev.Actor, ev.Action, ev.Target, ev.Digest} {
		number(int64(len(s)))
		h.Write([]byte(s))
	}
	number(ev.Item)
	return [32]byte(h.Sum(nil))
}

// Report is what Verify found.
type Report struct {
	coding.AuditCounts
	Links     int64    // checked
	Decisions int64    // compared with their events
	Head      [32]byte // hash of the last link
	// BadSeq is the first link that does not fit; 0 when all do. Problem says
	// what is wrong with it, or with the trail as a whole.
	BadSeq  int64
	Problem string
}

// OK reports whether nothing was found.
func (r Report) OK() bool { return r.Problem == "" }

// HeadText is the head as hex, or "empty".
func (r Report) HeadText() string {
	if r.Links == 0 {
		return "empty"
	}
	return hex.EncodeToString(r.Head[:])
}

// Verify checks the whole chain in the database, and each decision against the
// digest in its event. Known, unless empty, is the hex head of an earlier
// verification: it must still be in the chain.
func (t *Trail) Verify(ctx context.Context, known string) (Report, error) {
	r, err := verify(t.store.AuditChain(ctx), known)
	if err != nil {
		return Report{}, fmt.Errorf("audit: verify: %w", err)
	}
	// Counted afterwards: an event that is sealed meanwhile is not lost.
	if r.AuditCounts, err = t.store.AuditCounts(ctx); err != nil {
		return Report{}, fmt.Errorf("audit: verify: %w", err)
	}
	switch {
	case r.Problem != "":
	case r.Lost > 0:
		r.Problem = fmt.Sprintf("%d events are neither in the chain nor waiting for it", r.Lost)
	case r.Sealed < r.Links || r.Sealed+r.Waiting > r.Events:
		r.Problem = "links have no events"
	default:
		err = t.verifyDecisions(ctx, &r)
	}
	if err != nil {
		return Report{}, fmt.Errorf("audit: verify: %w", err)
	}
	return r, nil
}

func (t *Trail) verifyDecisions(ctx context.Context, r *Report) error {
	for a, err := range t.store.AuditedDecisions(ctx) {
		if err != nil {
			return err
		}
		what := ""
		switch {
		case a.Decision.Seq == 0:
			what = "a decision on item %d is missing"
		case a.Digest == "":
			what = "a decision on item %d has no event"
		case a.Digest != a.Decision.Digest():
			what = "a decision on item %d was changed"
		}
		if what != "" {
			r.Problem = fmt.Sprintf(what, a.Item)
			return nil
		}
		r.Decisions++
	}
	return nil
}

// verify walks a chain.
func verify(chain iter.Seq2[coding.AuditLink, error], known string) (Report, error) {
	var r Report
	seen := known == ""
	for l, err := range chain {
		if err != nil {
			return Report{}, err
		}
		want := Link(r.Head, l.Event)
		switch {
		case l.Seq != r.Links+1:
			r.BadSeq, r.Problem = r.Links+1, "a link is missing"
		case l.Hash != want:
			r.BadSeq, r.Problem = l.Seq, "the event or a link before it was changed"
		}
		if r.Problem != "" {
			return r, nil
		}
		r.Links, r.Head = l.Seq, l.Hash
		seen = seen || hex.EncodeToString(l.Hash[:]) == known
	}
	if !seen {
		r.Problem = "the head that was given is not in the chain: links were removed or forged anew"
	}
	return r, nil
}
