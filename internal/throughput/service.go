package throughput

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"chartcode/internal/coding"
)

// Store keeps facts and sums; store.Store has these methods.
type Store interface {
	RefreshThroughput(ctx context.Context, rules coding.ThroughputRules, limit int) (taken int, current bool, err error)
	RebuildThroughput(ctx context.Context, rules coding.ThroughputRules, progress func(n, total int)) (items int, err error)
	ReadThroughput(ctx context.Context, read func(coding.ThroughputReader) error) error // at one moment
	ThroughputEntries(ctx context.Context, q coding.ThroughputListQuery) ([]coding.ThroughputEntry, error)
	Users(ctx context.Context) ([]coding.User, error)
}

// Config is what a Service needs.
type Config struct {
	Store    Store
	Logger   *slog.Logger
	Calendar Calendar
	Levels   coding.ServiceLevels
	// Dead gives the number of dead letters and when the oldest came; nil: not told.
	Dead  func(context.Context) (n int, oldest time.Time, err error)
	Now   func() time.Time // time.Now when nil
	Every time.Duration    // how often Run counts; 1 s when 0
}

// Service counts and reports. It is safe for use by several goroutines.
type Service struct{ Config }

// New checks the configuration and gives the service.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil || cfg.Logger == nil || cfg.Calendar.Zone == nil {
		return nil, errors.New("throughput: a store, a logger and a time zone are needed")
	}
	if cfg.Calendar.Work == ([7]bool{}) {
		cfg.Calendar.Work = Weekdays()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Every == 0 {
		cfg.Every = time.Second
	}
	return &Service{cfg}, nil
}

func (s *Service) rules() coding.ThroughputRules {
	return coding.ThroughputRules{Name: s.Calendar.rules(), Facts: s.Calendar.FactsOf, Cells: s.Calendar.CellsOf}
}

// refreshBatch is how many changes are counted in one transaction.
const refreshBatch = 2000

// ErrOtherRules says that the figures were counted by other rules, or never.
var ErrOtherRules = errors.New("the figures were counted by other rules; run `chartcode metrics rebuild`")

// Refresh counts the items that changed. Where another process is at it, it leaves
// the rest to that one. The error is ErrOtherRules where Rebuild is needed.
func (s *Service) Refresh(ctx context.Context) error {
	for {
		n, current, err := s.Store.RefreshThroughput(ctx, s.rules(), refreshBatch)
		switch {
		case err != nil:
			return fmt.Errorf("throughput: %w", err)
		case !current:
			return ErrOtherRules
		case n < refreshBatch:
			return nil
		}
	}
}

// Rebuild counts everything anew and gives the number of items. Progress may be nil.
func (s *Service) Rebuild(ctx context.Context, progress func(n, total int)) (int, error) {
	n, err := s.Store.RebuildThroughput(ctx, s.rules(), progress)
	if err != nil {
		return 0, fmt.Errorf("throughput: %w", err)
	}
	return n, nil
}

// Run counts until ctx ends. What was counted by other rules, by another version of
// the program or in another time zone, is counted anew once; when processes
// disagree after that, this one leaves it and says so.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(s.Every)
	defer tick.Stop()
	rebuilt, said := false, ""
	for {
		err := s.Refresh(ctx)
		if errors.Is(err, ErrOtherRules) && !rebuilt {
			if _, err = s.Rebuild(ctx, nil); err == nil {
				rebuilt = true
			}
		}
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			said = ""
		case err.Error() != said:
			said = err.Error()
			s.Logger.Error("figures cannot be counted; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
