package llm

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"chartcode/internal/coding"
)

// Spending keeps what is spent on a day, shared by all processes of a site.
type Spending interface {
	// ReserveLLM adds nano to what was spent on day unless that would exceed limit,
	// and gives the new sum.
	ReserveLLM(ctx context.Context, day string, nano, limit int64) (spent int64, ok bool, err error)
	// SettleLLM adds to day; NanoUSD is the difference to what was reserved.
	SettleLLM(ctx context.Context, day string, add coding.LLMSpend) error
}

// settleTime is how long the ledger may take after a call, even of a note that
// is not wanted any more.
const settleTime = 5 * time.Second

// purse enters calls in the ledger.
type purse struct {
	keep  Spending // nil: nothing is entered
	limit int64    // of a day, in billionths of a dollar; 0: none
	zone  *time.Location
	now   func() time.Time
	spent func(usd float64) // hears the day's sum

	mean atomic.Int64 // tokens of an answer, as of late
}

// firstGuess is how many tokens an answer has before one was seen.
const firstGuess = 800

func (p *purse) guess() int {
	if n := p.mean.Load(); n > 0 {
		return int(n)
	}
	return firstGuess
}

func (p *purse) day() string { return p.now().In(p.zone).Format(time.DateOnly) }

// reservation is a call that was entered before it was made.
type reservation struct {
	day  string
	nano int64
}

// reserve enters the expected cost of a call.
func (p *purse) reserve(ctx context.Context, price Price, promptTokens int) (reservation, *Error) {
	r := reservation{day: p.day(), nano: price.nano(promptTokens, 0, p.guess())}
	if p.keep == nil || p.limit == 0 {
		r.nano = 0
		return r, nil
	}
	spent, ok, err := p.keep.ReserveLLM(ctx, r.day, r.nano, p.limit)
	if err != nil {
		return r, &Error{Code: Ledger}
	}
	p.spent(usd(spent))
	if !ok {
		return r, &Error{Code: Budget}
	}
	return r, nil
}

// settle enters what a call has cost in place of what was expected. A call that
// broke off may be billed though nothing was received: what was expected stands.
func (p *purse) settle(ctx context.Context, r reservation, price Price, used coding.Usage, brokeOff bool) error {
	if used.CompletionTokens > 0 {
		// Processes of different answers pass each other here; it is a guess.
		p.mean.Store((7*int64(p.guess()) + int64(used.CompletionTokens)) / 8)
	}
	if p.keep == nil {
		return nil
	}
	add := coding.LLMSpend{Calls: used.Calls, PromptTokens: used.PromptTokens, CachedTokens: used.CachedTokens, CompletionTokens: used.CompletionTokens}
	if !brokeOff || used.PromptTokens > 0 {
		add.NanoUSD = price.usage(used) - r.nano
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	return p.keep.SettleLLM(ctx, r.day, add)
}

func usd(nano int64) float64 { return float64(nano) / 1e9 }

// nanoOf makes billionths of dollars.
func nanoOf(usd float64) int64 { return int64(math.Round(min(usd, 1e9) * 1e9)) }
