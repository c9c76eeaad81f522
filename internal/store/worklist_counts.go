package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

// Counts stop at a bound. Counters that every act would keep up to date were the
// other way: exact, but all acts would queue for the few rows that hold them, and
// nobody works differently with 812,345 items than with more than 10,000. Up to
// the bound the numbers are exact, and come out of indexes alone.
const (
	// $1 is the moment, $2 who asks; the bound is written out, so that any plan knows
	// it. Dimension 1 are states, 2 notes, 3
	// open queries, 4 items that wait for who asks. Claims are as many as coders, so
	// those that ran out are counted apart, as open.
	sqlCountStates = `SELECT 1, st, (SELECT count(*) FROM (
				SELECT FROM items i WHERE i.state = st AND i.note_count > 0 LIMIT 10000) AS few)
			FROM unnest(ARRAY['open', 'held', 'queried', 'finished']) AS st
		UNION ALL
		SELECT 1, CASE WHEN claimed_until <= $1 THEN 'lapsed' ELSE 'claimed' END, count(*)
			FROM items WHERE claimed_by <> '' AND note_count > 0 GROUP BY 2
		UNION ALL SELECT 2, '', (SELECT count(*) FROM (SELECT FROM item_notes LIMIT 10000) AS few)
		UNION ALL SELECT 3, '', (SELECT count(*) FROM (SELECT FROM item_queries WHERE status = 'open' LIMIT 10000) AS few)
		UNION ALL SELECT 4, '', (SELECT count(*) FROM (SELECT FROM items WHERE sent_to <> '' AND sent_to = $2 LIMIT 10000) AS few)`

	// The values are found by jumping from one to the next in the index, and the
	// items of each counted up to the bound. Items that are held or queried are added
	// by value.
	countable = `i.state IN ('open', 'claimed') AND i.note_count > 0`
	bound     = ` LIMIT 1000) AS few)`

	sqlCountWaiting = `SELECT i.setting, i.source, i.specialty, i.ranker FROM items i
		WHERE i.state IN ('held', 'queried') AND i.note_count > 0 LIMIT 1000`

	sqlCountSettings = `WITH RECURSIVE v AS (
			(SELECT min(i.setting) AS x FROM items i WHERE ` + countable + `)
			UNION ALL SELECT (SELECT min(i.setting) FROM items i WHERE i.setting > v.x AND ` + countable + `) FROM v WHERE v.x IS NOT NULL)
		SELECT v.x, (SELECT count(*) FROM (SELECT FROM items i WHERE i.setting = v.x AND ` + countable + bound + ` FROM v WHERE v.x IS NOT NULL`

	sqlCountSources = `WITH RECURSIVE v AS (
			(SELECT min(i.source) AS x FROM items i WHERE ` + countable + `)
			UNION ALL SELECT (SELECT min(i.source) FROM items i WHERE i.source > v.x AND ` + countable + `) FROM v WHERE v.x IS NOT NULL)
		SELECT v.x, (SELECT count(*) FROM (SELECT FROM items i WHERE i.source = v.x AND ` + countable + bound + ` FROM v WHERE v.x IS NOT NULL`

	sqlCountSpecialties = `WITH RECURSIVE v AS (
			(SELECT min(i.specialty) AS x FROM items i WHERE ` + countable + `)
			UNION ALL SELECT (SELECT min(i.specialty) FROM items i WHERE i.specialty > v.x AND ` + countable + `) FROM v WHERE v.x IS NOT NULL)
		SELECT v.x, (SELECT count(*) FROM (SELECT FROM items i WHERE i.specialty = v.x AND ` + countable + bound + ` FROM v WHERE v.x IS NOT NULL`

	sqlCountRankers = `WITH RECURSIVE v AS (
			(SELECT min(i.ranker) AS x FROM items i WHERE ` + countable + `)
			UNION ALL SELECT (SELECT min(i.ranker) FROM items i WHERE i.ranker > v.x AND ` + countable + `) FROM v WHERE v.x IS NOT NULL)
		SELECT v.x, (SELECT count(*) FROM (SELECT FROM items i WHERE i.ranker = v.x AND ` + countable + bound + ` FROM v WHERE v.x IS NOT NULL`
)

// WorklistCounts counts items by state, and unfinished ones by what lists are
// filtered by, up to the bounds of coding.WorklistCounts. Values without
// unfinished items are left out. Login is who asks.
func (s *Store) WorklistCounts(ctx context.Context, login string, now time.Time) (coding.WorklistCounts, error) {
	c := coding.WorklistCounts{States: make(map[coding.ItemState]int)}
	var b pgx.Batch
	b.Queue(sqlCountStates, now, login).Query(func(rows pgx.Rows) error {
		var dimension, n int
		var value string
		_, err := pgx.ForEachRow(rows, []any{&dimension, &value, &n}, func() error {
			switch dimension {
			case 1:
				if value == "lapsed" {
					value = string(coding.ItemOpen)
				}
				if n += c.States[coding.ItemState(value)]; n > 0 {
					c.States[coding.ItemState(value)] = min(n, coding.CountBound)
				}
			case 2:
				c.Notes = n
			case 3:
				c.OpenQueries = n
			default:
				c.ForMe = n
			}
			return nil
		})
		return err
	})
	dimensions := []struct {
		sql string
		to  *[]coding.ValueCount
	}{{sqlCountSettings, &c.Settings}, {sqlCountSources, &c.Sources}, {sqlCountSpecialties, &c.Specialties}, {sqlCountRankers, &c.Rankers}}
	counts := make([]map[string]int, len(dimensions))
	for k, d := range dimensions {
		counts[k] = make(map[string]int)
		b.Queue(d.sql).Query(func(rows pgx.Rows) error {
			var value string
			var n int
			_, err := pgx.ForEachRow(rows, []any{&value, &n}, func() error {
				counts[k][value] += n
				return nil
			})
			return err
		})
	}
	b.Queue(sqlCountWaiting).Query(func(rows pgx.Rows) error {
		var values [4]string
		_, err := pgx.ForEachRow(rows, []any{&values[0], &values[1], &values[2], &values[3]}, func() error {
			for k, v := range values {
				counts[k][v]++
			}
			return nil
		})
		return err
	})
	err := s.pool.SendBatch(ctx, &b).Close()
	for k, d := range dimensions {
		*d.to = valueCounts(counts[k])
	}
	return c, wrap("count worklist", err)
}

// valueCounts gives the counts in the order of their values, without that of no
// value.
func valueCounts(counts map[string]int) []coding.ValueCount {
	var out []coding.ValueCount
	for v, n := range counts {
		if v != "" {
			out = append(out, coding.ValueCount{Value: v, Count: min(n, coding.ValueBound)})
		}
	}
	slices.SortFunc(out, func(a, b coding.ValueCount) int { return strings.Compare(a.Value, b.Value) })
	return out
}
