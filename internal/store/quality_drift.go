package store

import (
	"context"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

// Of each week the items whose numbers have the lowest hashes: at random, and the
// same again.
const sqlSampledReviews = `SELECT item_id FROM (
		SELECT d.item_id, d.at, row_number() OVER (PARTITION BY date_trunc('week', d.at AT TIME ZONE 'UTC') ORDER BY md5(d.item_id::text)) AS place
		FROM decisions d JOIN items i ON i.id = d.item_id
		WHERE d.kind = 'finish' AND d.at >= $1 AND d.at < $2 AND i.state = 'finished' AND i.note_count > 0
			AND NOT EXISTS (SELECT FROM decisions l WHERE l.item_id = d.item_id AND l.kind = 'finish' AND l.seq > d.seq)
	) AS finished WHERE $3 = 0 OR place <= $3 ORDER BY at, item_id`

// SampledReviews gives the items that are finished and were so last within a period
// (to exclusive), in the order of finishing: at most perWeek of each week (Monday
// to Sunday, UTC), drawn at random but always the same; with 0 all. After an error
// it ends.
func (s *Store) SampledReviews(ctx context.Context, from, to time.Time, perWeek int) iter.Seq2[coding.ItemRecord, error] {
	return func(yield func(coding.ItemRecord, error) bool) {
		rows, err := s.pool.Query(ctx, sqlSampledReviews, from, to, perWeek)
		var ids []int64
		if err == nil {
			ids, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		}
		if err != nil {
			yield(coding.ItemRecord{}, wrap("read finished items", err))
			return
		}
		for r, err := range s.ItemRecords(ctx, ids) {
			if !yield(r, err) {
				return
			}
		}
	}
}
