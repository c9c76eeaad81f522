package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	sqlLLMAnswer = `SELECT answer FROM llm_answers WHERE hash = $1 AND expires_at > $2`

	sqlForgetLLMAnswer = `DELETE FROM llm_answers WHERE hash = $1 AND expires_at <= $2`

	sqlInsertLLMAnswer = `INSERT INTO llm_answers (hash, answer, created_at, expires_at)
		VALUES ($1, $2, $3, $4) ON CONFLICT (hash) DO NOTHING`

	sqlForgetLLMAnswers = `DELETE FROM llm_answers WHERE hash IN
		(SELECT hash FROM llm_answers WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`
)

// LLMAnswer gives the answer kept for the question with the hash, unless it has
// expired.
func (s *Store) LLMAnswer(ctx context.Context, hash [32]byte, now time.Time) (answer []byte, found bool, err error) {
	err = s.pool.QueryRow(ctx, sqlLLMAnswer, hash[:], now).Scan(&answer)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	return answer, err == nil, wrap("read LLM answer", err)
}

// SaveLLMAnswer keeps an answer until expires. One that is there and has not
// expired stays.
func (s *Store) SaveLLMAnswer(ctx context.Context, hash [32]byte, answer []byte, now, expires time.Time) error {
	return s.inTx(ctx, "keep LLM answer", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlForgetLLMAnswer, hash[:], now); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, sqlInsertLLMAnswer, hash[:], answer, now, expires)
		return err
	})
}

// ForgetLLMAnswers removes answers that have expired, at most limit of them, and
// says how many.
func (s *Store) ForgetLLMAnswers(ctx context.Context, now time.Time, limit int) (removed int, err error) {
	tag, err := s.pool.Exec(ctx, sqlForgetLLMAnswers, now, limit)
	return int(tag.RowsAffected()), wrap("remove LLM answers", err)
}
