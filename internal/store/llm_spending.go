package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	sqlOpenLLMDay = `INSERT INTO llm_spending (day) VALUES ($1::text::date) ON CONFLICT (day) DO NOTHING`

	// The row's lock orders those who reserve: each sees what the others did. What
	// costs nothing fits in any budget.
	sqlReserveLLM = `UPDATE llm_spending SET nano_usd = nano_usd + $2
		WHERE day = $1::text::date AND (nano_usd + $2 <= $3 OR $2::bigint = 0) RETURNING nano_usd`

	sqlSettleLLM = `INSERT INTO llm_spending (day, calls, prompt_tokens, cached_tokens, completion_tokens, nano_usd)
		VALUES ($1::text::date, $2, $3, $4, $5, $6)
		ON CONFLICT (day) DO UPDATE SET calls = llm_spending.calls + excluded.calls,
			prompt_tokens = llm_spending.prompt_tokens + excluded.prompt_tokens,
			cached_tokens = llm_spending.cached_tokens + excluded.cached_tokens,
			completion_tokens = llm_spending.completion_tokens + excluded.completion_tokens,
			nano_usd = llm_spending.nano_usd + excluded.nano_usd`

	sqlLLMSpend = `SELECT calls, prompt_tokens, cached_tokens, completion_tokens, nano_usd FROM llm_spending WHERE day = $1::text::date`
)

// ReserveLLM adds nano billionths of a dollar to what was spent on day
// (YYYY-MM-DD), unless the sum would exceed limit, and gives the sum as it is now.
func (s *Store) ReserveLLM(ctx context.Context, day string, nano, limit int64) (spent int64, ok bool, err error) {
	for try := range 2 {
		err = s.pool.QueryRow(ctx, sqlReserveLLM, day, nano, limit).Scan(&spent)
		if err == nil {
			return spent, true, nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return 0, false, wrap("reserve LLM budget", err)
		}
		if try == 0 { // no budget left, or the first call of the day
			if _, err := s.pool.Exec(ctx, sqlOpenLLMDay, day); err != nil {
				return 0, false, wrap("reserve LLM budget", err)
			}
		}
	}
	spend, err := s.LLMSpend(ctx, day)
	return spend.NanoUSD, false, err
}

// SettleLLM adds to what was used and spent on day.
func (s *Store) SettleLLM(ctx context.Context, day string, add coding.LLMSpend) error {
	_, err := s.pool.Exec(ctx, sqlSettleLLM, day, add.Calls, add.PromptTokens, add.CachedTokens, add.CompletionTokens, add.NanoUSD)
	return wrap("enter LLM call", err)
}

// LLMSpend is what was used and spent on day (YYYY-MM-DD).
func (s *Store) LLMSpend(ctx context.Context, day string) (u coding.LLMSpend, err error) {
	err = s.pool.QueryRow(ctx, sqlLLMSpend, day).Scan(&u.Calls, &u.PromptTokens, &u.CachedTokens, &u.CompletionTokens, &u.NanoUSD)
	if errors.Is(err, pgx.ErrNoRows) {
		return coding.LLMSpend{}, nil
	}
	return u, wrap("read LLM spending", err)
}
