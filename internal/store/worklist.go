package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

// planned makes PostgreSQL plan a statement for the values at hand. A prepared
// statement would after a few uses be planned for any values, which for lists
// with filters means to look through all items.
const planned = pgx.QueryExecModeCacheDescribe

// place is where a page of the worklist ended.
type place struct {
	Sort     coding.WorklistSort `json:"s"`
	Priority int                 `json:"p"`
	Need     float64             `json:"n"`
	Micros   int64               `json:"t"` // of the time that the order goes by
	ID       int64               `json:"i"`
}

// The moments before and after all others that the worklist can hold.
var (
	earliest = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
)

// Worklist gives one page of items. Claims that ran out before now count as
// none. A cursor that is not one of this order starts at the beginning.
func (s *Store) Worklist(ctx context.Context, q coding.WorklistQuery, now time.Time) (coding.WorklistPage, error) {
	statement, args, ok := listStatement(q, now)
	if !ok {
		return coding.WorklistPage{}, wrap("read worklist", plainf("an order and a limit are needed"))
	}
	rows, err := s.pool.Query(ctx, statement, append([]any{planned}, args...)...)
	if err != nil {
		return coding.WorklistPage{}, wrap("read worklist", err)
	}
	heads, err := pgx.CollectRows(rows, scanHead)
	if err != nil {
		return coding.WorklistPage{}, wrap("read worklist", err)
	}
	page := coding.WorklistPage{Items: heads}
	if len(heads) > q.Limit {
		page.Items = heads[:q.Limit]
		page.Next = placeOf(heads[q.Limit-1], q.Sort)
	}
	return page, nil
}

func startOf(q coding.WorklistQuery) place {
	if b, err := base64.RawURLEncoding.DecodeString(q.Cursor); err == nil && q.Cursor != "" {
		var at place
		if json.Unmarshal(b, &at) == nil && at.Sort == q.Sort &&
			at.Micros >= earliest.UnixMicro() && at.Micros <= latest.UnixMicro() && at.Priority >= 0 && at.Priority <= 10 && !math.IsNaN(at.Need) {
			return at
		}
	}
	switch q.Sort {
	case coding.SortNewest, coding.SortUpdated:
		return place{Priority: 10, Micros: latest.UnixMicro()}
	}
	return place{Priority: 10, Need: math.MaxFloat64, Micros: earliest.UnixMicro()}
}

func placeOf(h coding.ItemHead, sort coding.WorklistSort) string {
	at := place{Sort: sort, Priority: h.Priority, Need: h.Need, Micros: h.ReceivedAt.UnixMicro(), ID: h.ID}
	if sort == coding.SortUpdated {
		at.Micros = h.MovedAt.UnixMicro()
	}
	b, err := json.Marshal(at)
	if err != nil {
		return "" // five plain values: cannot happen
	}
	return base64.RawURLEncoding.EncodeToString(b)
}
