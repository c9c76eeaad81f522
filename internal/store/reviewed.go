package store

import (
	"context"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const sqlReviewedItems = `SELECT d.at, d.item_id FROM decisions d JOIN items i ON i.id = d.item_id
	WHERE d.kind = 'finish' AND d.at >= $1 AND d.at < $2 AND (d.at, d.item_id) > ($3, $4)
		AND i.state = 'finished' AND i.note_count > 0 AND ($5 = '' OR i.source = $5)
		AND NOT EXISTS (SELECT FROM decisions l WHERE l.item_id = d.item_id AND l.kind = 'finish' AND l.seq > d.seq)
	ORDER BY d.at, d.item_id LIMIT 200`

// ReviewedItems gives the items that are finished and were so last within a
// period (from inclusive, to exclusive), of one source or with an empty one of
// all, in the order of finishing. After an error it ends.
func (s *Store) ReviewedItems(ctx context.Context, from, to time.Time, source string) iter.Seq2[coding.ItemRecord, error] {
	const op = "read finished items"
	return func(yield func(coding.ItemRecord, error) bool) {
		at, id := earliest, int64(0)
		for {
			rows, err := s.pool.Query(ctx, sqlReviewedItems, from, to, at, id, source)
			var ids []int64
			if err == nil {
				_, err = pgx.ForEachRow(rows, []any{&at, &id}, func() error {
					ids = append(ids, id)
					return nil
				})
			}
			if err != nil {
				yield(coding.ItemRecord{}, wrap(op, err))
				return
			}
			if len(ids) == 0 {
				return
			}
			for r, err := range s.ItemRecords(ctx, ids) {
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
	}
}
