// Package system is what an administrator sees and does about the running system:
// who works and on what, what waits, what is loaded, what went wrong; pausing and
// resuming the intake, and sending dead letters to the workers again.
//
// It gathers what others know through the small interfaces that it declares; one
// that does not answer leaves its part of the Overview out, with a sentence why.
// Nothing that it gives is of a note: numbers, codes, sizes and times.
package system

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"chartcode/internal/coding"
	"chartcode/internal/health"
)

// What a caller must tell apart. Each message may be shown to the user.
var (
	ErrForbidden = errors.New("only administrators may do this")
	ErrInput     = errors.New("the reason must be at most 200 characters on one line")
	ErrGone      = errors.New("there is no dead letter of that number any more: somebody replayed it")
	ErrAlready   = errors.New("this is how it stands already")
	ErrUnsure    = errors.New("NATS did not answer, and the dead letter may have been sent to the workers: look again before you repeat it")
)

// The audit trail's names for what is done here.
const (
	EventPaused   = "intake.paused"
	EventResumed  = "intake.resumed"
	EventReplayed = "deadletter.replay" // that it was asked for
)

// Store is what the database knows; store.Store has these methods.
type Store interface {
	Processes(ctx context.Context) (list []coding.Process, now time.Time, err error)
	ProcessErrors(ctx context.Context, limit int) ([]coding.ProcessError, error)
	Intake(ctx context.Context) (coding.Intake, error)
	SwitchIntake(ctx context.Context, in coding.Intake, ev coding.AuditEvent) error
	AppendAudit(ctx context.Context, ev coding.AuditEvent) error
}

// Queue is what NATS knows.
type Queue interface {
	Lag(ctx context.Context) (Lag, error)
	// DeadLetters gives the oldest ones.
	DeadLetters(ctx context.Context, limit int) ([]DeadLetter, error)
	// Replay sends a dead letter to the workers again. The error is ErrGone when it
	// is not there.
	Replay(ctx context.Context, number uint64) error
}

// Lag is what waits in NATS.
type Lag struct {
	Consumers []Consumer
	Streams   []Stream
	Oldest    time.Duration // that the oldest note which is not done waits; 0: none does
	Dead      uint64        // dead letters, all of them
}

// Consumer is how far workers are behind.
type Consumer struct {
	Name     string
	Waiting  uint64
	UnderWay int
}

// Stream is how much a stream holds.
type Stream struct {
	Name     string
	Messages uint64
	Bytes    int64
}

// DeadLetter is a note that could not succeed, without anything of it.
type DeadLetter struct {
	Number   uint64
	Source   string
	Reason   string // a code
	Stage    string
	Attempts int
	Received time.Time
	Died     time.Time
	Bytes    int64
}

// Models are what suggestions are made with.
type Models struct {
	LLM     string // empty: none is configured here
	Rankers []RankerModel
	Vectors []VectorModel
	Prompts string // hash of the prompts
}

// RankerModel is a set of learned models of the local ranker.
type RankerModel struct {
	Version int // 0: those of the program
	Active  bool
	MadeAt  time.Time
	MadeBy  string
	Items   int
}

// VectorModel is an embedding model with vectors.
type VectorModel struct {
	Name    string
	Set     bool // it is the one that is configured
	InUse   bool
	Vectors int
	Missing int
}

// Storage is how much is kept where.
type Storage struct {
	Database int64 // bytes
	Version  string
	Vector   string // version of pgvector
	Tables   []Table
	PoolUsed int
	PoolMax  int
}

// Table is one of the largest tables.
type Table struct {
	Name  string
	Bytes int64
	Rows  int64 // about
}

// Migrations is how far the schema is.
type Migrations struct{ Applied, Known int }

// Outbox is what waits to be announced.
type Outbox struct {
	Waiting int
	Oldest  time.Duration
}

// Config is what a Service needs. The functions give what the program knows of
// itself.
type Config struct {
	Store      Store
	Queue      Queue
	Parts      func() []health.Part
	Releases   func(ctx context.Context) ([]coding.Release, error)
	Models     func(ctx context.Context) (Models, error)
	Storage    func(ctx context.Context) (Storage, error)
	Migrations func(ctx context.Context) (Migrations, error)
	Outbox     func(ctx context.Context) (Outbox, error)
	Version    string
	Logger     *slog.Logger
	Now        func() time.Time // time.Now when nil
}

// Service answers administrators. It is safe for use by several goroutines.
type Service struct{ cfg Config }

// New checks the configuration.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil || cfg.Queue == nil || cfg.Parts == nil || cfg.Releases == nil || cfg.Models == nil ||
		cfg.Storage == nil || cfg.Migrations == nil || cfg.Outbox == nil || cfg.Logger == nil {
		return nil, errors.New("system: everything but Now and Version is required")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Service{cfg}, nil
}

// MaySee reports whether a role may look at the system and act on it.
func MaySee(r coding.UserRole) bool { return r == coding.RoleAdmin }

const maxReason = 200

// Pause stops workers from taking notes, those running and those started later,
// until Resume. What they have in hand they finish.
func (s *Service) Pause(ctx context.Context, u coding.User, reason string) error {
	reason = strings.TrimSpace(reason)
	if utf8.RuneCountInString(reason) > maxReason || !utf8.ValidString(reason) || strings.ContainsFunc(reason, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ErrInput
	}
	return s.change(ctx, u, true, reason)
}

// Resume lets workers take notes again.
func (s *Service) Resume(ctx context.Context, u coding.User) error {
	return s.change(ctx, u, false, "")
}

func (s *Service) change(ctx context.Context, u coding.User, paused bool, reason string) error {
	if !MaySee(u.Role) {
		return ErrForbidden
	}
	now, err := s.cfg.Store.Intake(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("system: %w", err)
	case now.Paused == paused:
		return ErrAlready
	}
	at, action := s.cfg.Now().UTC().Truncate(time.Microsecond), EventResumed
	if paused {
		action = EventPaused
	}
	err = s.cfg.Store.SwitchIntake(ctx, coding.Intake{Paused: paused, At: at, By: u.Login, Reason: reason}, coding.AuditEvent{At: at, Actor: u.Login, Action: action})
	if err != nil {
		return fmt.Errorf("system: %w", err)
	}
	return nil
}

// Replay sends a dead letter to the workers again, its bytes as they are. With
// ErrUnsure it may have been sent, and still be there.
func (s *Service) Replay(ctx context.Context, u coding.User, number uint64) error {
	if !MaySee(u.Role) {
		return ErrForbidden
	}
	// What is not on record is not done: the event comes first.
	ev := coding.AuditEvent{At: s.cfg.Now().UTC().Truncate(time.Microsecond), Actor: u.Login, Action: EventReplayed, Target: strconv.FormatUint(number, 10)}
	if err := s.cfg.Store.AppendAudit(ctx, ev); err != nil {
		return fmt.Errorf("system: %w", err)
	}
	switch err := s.cfg.Queue.Replay(ctx, number); {
	case errors.Is(err, ErrGone):
		return fmt.Errorf("system: %w", err)
	case err != nil:
		return fmt.Errorf("system: %w: %w", ErrUnsure, err)
	}
	return nil
}
