package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"chartcode/internal/coding"
)

// What a caller must tell apart. Each message may be shown to the user.
var (
	ErrSignIn    = errors.New("the user name or the password is not right")
	ErrSignedOut = errors.New("sign in first")
	ErrLink      = errors.New("this sign-in link is not valid; take the one that the running demo printed")
	ErrLogin     = errors.New("a user name has 1 to 64 of the characters a-z, 0-9, dot, underscore and hyphen, and starts with a letter or digit")
	ErrTaken     = errors.New("there is a user of that name already")
	ErrNoUser    = errors.New("there is no user of that name")
	ErrNoToken   = errors.New("there is no such token")
	ErrRole      = errors.New("the role must be one of coder, auditor, manager, admin, service")
	ErrPassword  = errors.New("a password has at least 12 characters, at most 1024 bytes, and is not the user name")
	ErrName      = errors.New("a name or label has at most 200 characters and no control characters")
)

// ThrottledError says that there were too many attempts to sign in.
type ThrottledError struct{ Wait time.Duration }

func (e *ThrottledError) Error() string {
	return fmt.Sprintf("too many attempts; try again in %d seconds", int(e.Wait.Round(time.Second)/time.Second)+1)
}

// Users keeps the accounts. Found is false where there is no such user.
type Users interface {
	AddUser(ctx context.Context, u coding.User, passwordHash string, ev coding.AuditEvent) (added coding.User, ok bool, err error)
	UserByLogin(ctx context.Context, login string) (u coding.User, passwordHash string, found bool, err error)
	Users(ctx context.Context) ([]coding.User, error)
	// SetPassword also ends the user's sessions, unless keepSessions.
	SetPassword(ctx context.Context, login, passwordHash string, keepSessions bool, ev coding.AuditEvent) (found bool, err error)
	// SetUserDisabled also ends the sessions of a user that it disables.
	SetUserDisabled(ctx context.Context, login string, disabled bool, ev coding.AuditEvent) (found bool, err error)
	SetUserRole(ctx context.Context, login string, role coding.UserRole, ev coding.AuditEvent) (found bool, err error)
}

// Sessions keeps who is signed in.
type Sessions interface {
	// AddSession also removes sessions that ended before now - 30 days.
	AddSession(ctx context.Context, s coding.Session, ev coding.AuditEvent) error
	SessionByDigest(ctx context.Context, digest [32]byte) (s coding.Session, found bool, err error)
	TouchSession(ctx context.Context, digest [32]byte, at time.Time) error
	EndSession(ctx context.Context, digest [32]byte, ev coding.AuditEvent) error
}

// Tokens keeps the keys of programs.
type Tokens interface {
	AddToken(ctx context.Context, t coding.Token, ev coding.AuditEvent) (id int64, err error)
	TokenByDigest(ctx context.Context, digest [32]byte) (t coding.Token, found bool, err error)
	TouchToken(ctx context.Context, id int64, at time.Time) error
	Tokens(ctx context.Context) ([]coding.Token, error)
	RevokeToken(ctx context.Context, id int64, at time.Time, ev coding.AuditEvent) (found bool, err error)
}

// Store is all of it; store.Store has these methods.
type Store interface {
	Users
	Sessions
	Tokens
}

// Config is what a Service needs.
type Config struct {
	Store  Store
	Logger *slog.Logger
	Now    func() time.Time // time.Now when nil
	// IdleTimeout ends a session that was not used for so long; 12 h when 0.
	IdleTimeout time.Duration
	// AbsoluteTimeout ends every session; 7 days when 0.
	AbsoluteTimeout time.Duration
	// Cost is the work that a password takes; DefaultCost when zero.
	Cost Cost
}

// Service signs users in and out and tells who is behind a request. It is safe
// for use by several goroutines.
type Service struct {
	store    Store
	log      *slog.Logger
	now      func() time.Time
	idle     time.Duration
	absolute time.Duration
	cost     Cost
	decoy    string        // a hash that no password has, for users that do not exist
	slots    chan struct{} // limits how much memory hashing takes at once
	throttle *throttle

	mu    sync.Mutex
	links map[[32]byte]string // digest of a link's token -> login
}

// hashSlots is how many passwords are hashed at the same time.
const hashSlots = 4

// New checks the configuration and gives the service.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil || cfg.Logger == nil {
		return nil, errors.New("auth: a store and a logger are needed")
	}
	if cfg.IdleTimeout < 0 || cfg.AbsoluteTimeout < 0 {
		return nil, errors.New("auth: a session cannot last less than nothing")
	}
	s := &Service{
		store: cfg.Store, log: cfg.Logger, now: cfg.Now,
		idle: cfg.IdleTimeout, absolute: cfg.AbsoluteTimeout, cost: cfg.Cost,
		slots: make(chan struct{}, hashSlots), throttle: newThrottle(),
		links: make(map[[32]byte]string),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.idle == 0 {
		s.idle = 12 * time.Hour
	}
	if s.absolute == 0 {
		s.absolute = 7 * 24 * time.Hour
	}
	if s.cost == (Cost{}) {
		s.cost = DefaultCost
	}
	if err := s.cost.check(); err != nil {
		return nil, err
	}
	s.decoy = hashPassword(rand.Text(), s.cost)
	return s, nil
}

// newSecret gives 256 random bits as text for cookies and URLs, and the digest
// under which they are known here.
func newSecret() (text string, digest [32]byte) {
	var b [32]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	text = base64.RawURLEncoding.EncodeToString(b[:])
	return text, sha256.Sum256([]byte(text))
}
