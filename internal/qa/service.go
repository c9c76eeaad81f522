package qa

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"chartcode/internal/coding"
)

// What a caller must tell apart. Each message may be shown to the user.
var (
	ErrNotFound  = errors.New("there is no such case or coding")
	ErrForbidden = errors.New("your role may not do this")
	ErrNone      = errors.New("nothing is waiting for you")
	ErrFinished  = errors.New("this coding is finished and stays as it is")
	ErrUnknown   = errors.New("the loaded code set has no such code that may be reported on the date of service")
	ErrInput     = errors.New("the request cannot be understood")
	ErrUndecided = errors.New("decide on each suggestion first")
	ErrOwn       = errors.New("you coded this case yourself; somebody else judges it")
	ErrEarly     = errors.New("this case is not yet coded again; it is judged after that")
	ErrJudged    = errors.New("this case has been judged already")
	ErrNoReviews = errors.New("no finished review of that period is left to draw from")
)

// inputError is an ErrInput that says what is amiss.
type inputError string

func (e inputError) Error() string { return string(e) }

// Is makes it an ErrInput.
func (e inputError) Is(target error) bool { return target == ErrInput }

// What is wrong with a judgement or an answer; each is an ErrInput.
const (
	ErrNoLead    = inputError("say which of the right ICD-10-CM codes leads")
	ErrWrongLead = inputError("the code chosen to lead is not among those judged right or acceptable")
	ErrNoReason  = inputError("an answer that does not agree needs a sentence")
	ErrTooLong   = inputError("a remark or answer has at most 2000 characters")
)

// Samples keeps samples with their cases; found and ok are false where there is
// none, or one already.
type Samples interface {
	FinishedReviews(ctx context.Context, from, to time.Time, source string, coders []string) ([]coding.FinishedReview, error)
	// ItemRecords gives items in the order of their ids as given; after an error it ends.
	ItemRecords(ctx context.Context, ids []int64) iter.Seq2[coding.ItemRecord, error]
	AddAuditSample(ctx context.Context, a coding.AuditSample, cases []coding.AuditCase, ev coding.AuditEvent) (id int64, n int, err error)
	AuditSamples(ctx context.Context) ([]coding.AuditSample, error)
	AuditCases(ctx context.Context, sample int64, login string) ([]coding.AuditCase, error)
	AuditCaseLines(ctx context.Context, sample int64) ([]coding.AuditCase, error)
	AuditCase(ctx context.Context, id int64) (c coding.AuditCase, found bool, err error)
	Judge(ctx context.Context, j coding.Judgement, ev coding.AuditEvent) (ok bool, err error)
	AnswerFinding(ctx context.Context, a coding.FindingAnswer, ev coding.AuditEvent) error
	FindingAnswers(ctx context.Context, cases []int64) ([]coding.FindingAnswer, error)
	AppendAudit(ctx context.Context, ev coding.AuditEvent) error
	QualityCounts(ctx context.Context) (coding.QualityCounts, error)
}

// Recodings keeps what is coded again and practised.
type Recodings interface {
	Blind(ctx context.Context, login string, item int64) (bool, error)
	BlindNotes(ctx context.Context, login string) ([]coding.NoteName, error)
	OpenRecodings(ctx context.Context, login string) (ofCase, practice int64, err error)
	CasesFree(ctx context.Context, login string) (int, error)
	TakeCase(ctx context.Context, login string, ev coding.AuditEvent) (id int64, found bool, err error)
	Recoding(ctx context.Context, id int64, ev *coding.AuditEvent) (r coding.Recoding, found bool, err error)
	ChangeRecoding(ctx context.Context, id int64, change func(r *coding.Recoding) (*coding.AuditEvent, error)) (found bool, err error)
	ReturnRecoding(ctx context.Context, id int64, login string, ev coding.AuditEvent) (found bool, err error)

	AddPractice(ctx context.Context, notes []coding.PracticeNote, ev coding.AuditEvent) (added int, err error)
	PracticeCounts(ctx context.Context) (notes, seeded int, err error)
	PracticeFree(ctx context.Context, login string) (int, error)
	TakePractice(ctx context.Context, login string, ev coding.AuditEvent) (id int64, found bool, err error)
	Practised(ctx context.Context, login string) ([]coding.Recoding, error)
}

// Reviewed gives what was finished, for drift.
type Reviewed interface {
	// SampledReviews gives the items finished within a period, at most perWeek of
	// each week, drawn at random but always the same; 0: all.
	SampledReviews(ctx context.Context, from, to time.Time, perWeek int) iter.Seq2[coding.ItemRecord, error]
}

// Codes looks codes up that a coder names.
type Codes interface {
	ReportableCode(ctx context.Context, key coding.CodeKey, on coding.Date) (c coding.Code, found bool, err error)
}

// Store is all of it; store.Store has these methods.
type Store interface {
	Samples
	Recodings
	Reviewed
	Codes
}

// Config is what a Service needs.
type Config struct {
	Store Store
	Now   func() time.Time // time.Now when nil
}

// Service is what auditors and coders do about quality. It is safe for use by
// several goroutines.
type Service struct {
	store Store
	now   func() time.Time

	drift  kept[int, keptDrift]    // by weeks
	people kept[int64, keptPeople] // by sample
}

// New checks the configuration and gives the service.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil {
		return nil, errors.New("qa: a store is needed")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Service{store: cfg.Store, now: cfg.Now}, nil
}

// moment is now as the database keeps it.
func (s *Service) moment() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

func (s *Service) event(by, action, target string) coding.AuditEvent {
	return coding.AuditEvent{At: s.moment(), Actor: by, Action: action, Target: target}
}

func failed(doing string, err error) error { return fmt.Errorf("qa: %s: %w", doing, err) }
