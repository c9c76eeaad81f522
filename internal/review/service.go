package review

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"chartcode/internal/coding"
)

// What a caller must tell apart. Each message may be shown to the user.
var (
	ErrNotFound  = errors.New("there is no such item; go back to the worklist")
	ErrForbidden = errors.New("your role may not do this")
	ErrChanged   = errors.New("the notes or suggestions changed meanwhile; look at the item again and then decide")
	ErrFinished  = errors.New("this item is finished; reopen it first")
	ErrState     = errors.New("this cannot be done in the item's present state; look at it again")
	ErrInput     = errors.New("the request cannot be understood")
	ErrNoCode    = errors.New("this code is not among the item's codes, or not where this act could be done to it")
	ErrAlready   = errors.New("this is how it stands already")
	ErrNothing   = errors.New("there is nothing left to undo or redo")
	ErrKeyReused = errors.New("this idempotency key was used for another act on the item")
	ErrNoneLeft  = errors.New("no item is waiting that fits")
	ErrMustGo    = errors.New("a code that may not be reported on the date of service cannot be overridden; change or reject it")
	ErrTooLow    = errors.New("so low a confidence does not do for accepting all; decide on the codes one by one")
	ErrBlind     = errors.New("you are coding this encounter again blind; finish or return that first, under Quality")
	ErrUnknown   = errors.New("the loaded code set has no such code that may be reported on the date of service")
)

// ClaimedError says that somebody else holds the item.
type ClaimedError struct{ Claim coding.Claim }

func (e *ClaimedError) Error() string {
	return fmt.Sprintf("%s is working on this item; it is free again at %s at the latest", e.Claim.Name, e.Claim.Until.UTC().Format("15:04 UTC"))
}

// Worklist gives the list of items. Now decides which claims are still in force.
type Worklist interface {
	Worklist(ctx context.Context, q coding.WorklistQuery, now time.Time) (coding.WorklistPage, error)
	WorklistCounts(ctx context.Context, login string, now time.Time) (coding.WorklistCounts, error)
	// TakeNext finds the first free item that fits q, except those named, those that
	// wait for others and those that the claim's holder skipped, and enters claim and
	// ev for it, in one step; id is 0 when there is none. With a key that was used
	// before it does nothing and gives what it was used for.
	TakeNext(ctx context.Context, q coding.WorklistQuery, except []int64, claim coding.Claim, now time.Time, ev coding.AuditEvent, key coding.ActKey) (id int64, done *coding.ActKey, err error)
}

// Items gives and changes single items; found is false where there is none.
type Items interface {
	// ItemRecord enters ev, unless nil, in the audit trail before it returns;
	// the record does not have it yet.
	ItemRecord(ctx context.Context, id int64, ev *coding.AuditEvent) (r coding.ItemRecord, found bool, err error)
	// ActOnItem locks an item, asks act what to change, and writes that and the key, all
	// in one transaction; the record's Done says what a key was used for before. An error
	// of act changes nothing and is returned as it is.
	ActOnItem(ctx context.Context, id int64, key coding.ActKey, act func(coding.ItemRecord) (coding.ItemChange, error)) (found bool, err error)
	// ActOnRecent does the same if act has decisions to write and the item is still as
	// it was when it was last read or changed here; else it does nothing, and done is
	// false. It holds no connection while it asks act.
	ActOnRecent(ctx context.Context, id int64, act func(coding.ItemRecord) (coding.ItemChange, error)) (done bool, err error)
	// Know reads an item for ActOnRecent, unless it is known here.
	Know(ctx context.Context, id int64) error
	// ItemEvents gives all events of an item but those of decisions, oldest first.
	ItemEvents(ctx context.Context, id int64) ([]coding.AuditEvent, error)
}

// Claims lets a claim last longer.
type Claims interface {
	// RenewClaim does so for the claim's login, also if it ran out and nobody else
	// took the item; renewed is false where the login has no claim.
	RenewClaim(ctx context.Context, id int64, claim coding.Claim) (renewed bool, err error)
}

// Filters keeps worklists that people named.
type Filters interface {
	SavedFilters(ctx context.Context, login string) ([]coding.SavedFilter, error)
	// PutFilter replaces a filter to which its owner gave the same name.
	PutFilter(ctx context.Context, f coding.SavedFilter) (id int64, err error)
	// DeleteFilter removes a filter of the login, or with anyShared any shared one.
	DeleteFilter(ctx context.Context, id int64, login string, anyShared bool) (found bool, err error)
}

// People tells who there is.
type People interface {
	Users(ctx context.Context) ([]coding.User, error)
}

// Codes looks codes up that a coder names.
type Codes interface {
	// ReportableCode gives a code that may be reported on the date of service;
	// no date means the newest release.
	ReportableCode(ctx context.Context, key coding.CodeKey, on coding.Date) (c coding.Code, found bool, err error)
}

// Store is all of it; store.Store has these methods.
type Store interface {
	Worklist
	Items
	Claims
	Filters
	People
	Codes
}

// Config is what a Service needs.
type Config struct {
	Store  Store
	Logger *slog.Logger
	Now    func() time.Time // time.Now when nil
	// Lease is how long an item stays with who works on it after their last
	// act; 10 minutes when 0.
	Lease time.Duration
	// SkipFor is how long Next does not give an item to who skipped it; 12 hours
	// when 0.
	SkipFor time.Duration
	// AcceptAllFrom is the lowest confidence from which all suggestions may be
	// accepted at once; 0.9 when 0, and above 1 never.
	AcceptAllFrom float64
	// Rules looks at the codes of an item whenever it is shown or decided on; when
	// nil, the findings made with the suggestions stand.
	Rules RulesOn
	// Sections, which may be nil, finds a note's sections for the page.
	Sections func(text string, setting coding.Setting) []coding.Section
	// Blind, which may be nil, reports whether a login is coding an item again and
	// must not see what others gave.
	Blind func(ctx context.Context, login string, item int64) (bool, error)
	// Check, which may be nil, looks the codes of an item up again if the releases
	// that hold on its date of service have changed. It is asked before an item is
	// shown and before it is finished.
	Check func(ctx context.Context, id int64) error
}

// Service is the worklist and what people do with it. It is safe for use by
// several goroutines.
type Service struct {
	store    Store
	log      *slog.Logger
	now      func() time.Time
	lease    time.Duration
	skipFor  time.Duration
	allFrom  float64
	sections func(string, coding.Setting) []coding.Section
	check    func(context.Context, int64) error
	rules    RulesOn
	blind    func(context.Context, string, int64) (bool, error)
}

// New checks the configuration and gives the service.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil || cfg.Logger == nil {
		return nil, errors.New("review: a store and a logger are needed")
	}
	if cfg.Lease < 0 || cfg.SkipFor < 0 || cfg.AcceptAllFrom < 0 {
		return nil, errors.New("review: a claim or skip cannot last less than nothing, nor a confidence be less")
	}
	s := &Service{store: cfg.Store, log: cfg.Logger, now: cfg.Now, lease: cfg.Lease, skipFor: cfg.SkipFor, allFrom: cfg.AcceptAllFrom, sections: cfg.Sections, check: cfg.Check, rules: cfg.Rules, blind: cfg.Blind}
	if s.now == nil {
		s.now = time.Now
	}
	if s.blind == nil {
		s.blind = func(context.Context, string, int64) (bool, error) { return false, nil }
	}
	if s.check == nil {
		s.check = func(context.Context, int64) error { return nil }
	}
	if s.lease == 0 {
		s.lease = 10 * time.Minute
	}
	if s.skipFor == 0 {
		s.skipFor = 12 * time.Hour
	}
	if s.allFrom == 0 {
		s.allFrom = 0.9
	}
	return s, nil
}

// Act is one decision as a user asks for it; see coding.DecisionDetail for
// which fields a kind takes.
type Act struct {
	Kind coding.DecisionKind
	// Key makes the act safe to repeat: the same act with the same key counts
	// once, and the repetition gets the first one's outcome. At most 128
	// characters; empty: not repeatable.
	Key string
	// Content is the item's Content that the user was shown. If it is no
	// longer that, the act is refused with ErrChanged. 0: not compared.
	Content int64

	Code        coding.CodeKey
	To          coding.CodeKey    // modify
	Role        coding.Role       // accept, modify, add: empty means by place in the list; detail: empty leaves it
	POA         coding.POA        // accept, modify, add, detail: present on admission; empty leaves it, POAClear takes it away
	Units       *int              // detail of a HCPCS or CPT code, 0-9999; nil leaves them, 0 takes them away
	Modifiers   *[]string         // detail of a HCPCS or CPT code, at most 4; nil leaves them
	Pointers    *[]coding.CodeKey // detail of a HCPCS or CPT code: diagnoses in the list, at most 4; nil leaves them
	Remark      string            // remark: on the item, at most 2000 characters; empty takes it away
	Above       float64           // AcceptAll: from this confidence on
	Evidence    []coding.Evidence // add, modify: spans of the item's notes; Text may be empty
	Order       []coding.CodeKey  // reorder: codes in their new order; others follow as they were
	Rule        string            // override
	Codes       []string          // override: those of the finding
	ReasonCode  coding.ReasonCode // reject: one of coding.RejectReasons, or empty
	Reason      string            // reject, modify, override, finish, reopen; at most 500 characters
	Disposition string            // finish: completed when empty, or returned
	Confirm     bool              // finish: although codes are undecided or have warnings, or without any code
}

// AcceptAll is the Kind of an act that accepts every undecided suggestion whose
// confidence is at least Above and that no error stands against. It becomes one
// decision for each, which are undone together.
const AcceptAll coding.DecisionKind = "accept_all"

// Outcome is what became of an act; Decision is the first of several. Item is as after it, with the notes' text
// and without its timeline.
type Outcome struct {
	Decision coding.Decision
	Repeated bool // it had been done before with the same key
	Item     Item
}
