package store

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	cellKeyColumns = `by_what, narrow, placed, specialty, day, source, setting, name`

	// In the order of coding.CellCount and coding.CellSpread.
	cellCountColumns = `notes_in, items_in, reopened, notes_out, items_out, returned, active_us, others_us, accepted, modified,
		rejected, added, suggested, degraded, nano_usd`
	cellSumColumns = cellCountColumns + `, notes_in_hours, items_in_hours, notes_out_hours, items_out_hours,
		to_suggestion, to_look, to_finish, to_finish_work, active`

	cellColumns = cellKeyColumns + `, ` + cellSumColumns

	sqlCellsOf = `SELECT ` + cellColumns + ` FROM throughput_cells
		JOIN unnest($1::text[], $2::boolean[], $3::boolean[], $4::text[], $5::date[], $6::text[], $7::text[], $8::text[])
			AS k (by_what, narrow, placed, specialty, day, source, setting, name) USING (` + cellKeyColumns + `)`

	sqlDeleteCell = `DELETE FROM throughput_cells WHERE by_what = $1 AND narrow = $2 AND placed = $3 AND specialty = $4
		AND day = $5 AND source = $6 AND setting = $7 AND name = $8`

	sqlUpdateCell = `UPDATE throughput_cells SET (` + cellSumColumns + `)
			= ($9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)
		WHERE by_what = $1 AND narrow = $2 AND placed = $3 AND specialty = $4 AND day = $5 AND source = $6 AND setting = $7 AND name = $8`
)

// writeCells adds what was counted to the cells and forgets it. Only who holds the
// lock of the figures changes cells, so they may be read first.
func (c *counting) writeCells(ctx context.Context) error {
	keys := slices.Collect(maps.Keys(c.cells))
	for batch := range slices.Chunk(keys, 10_000) {
		if err := c.writeSome(ctx, batch); err != nil {
			return err
		}
	}
	c.cells = coding.Cells{}
	return nil
}

func (c *counting) writeSome(ctx context.Context, keys []coding.CellKey) error {
	old, err := c.cellsOf(ctx, keys)
	if err != nil {
		return err
	}
	var fresh [][]any
	var b pgx.Batch
	for _, k := range keys {
		sums := c.cells[k]
		had := old[k]
		switch {
		case had != nil:
			if sums.Empty() {
				continue
			}
			if had.Merge(sums, 1); had.Empty() {
				b.Queue(sqlDeleteCell, cellKey(k)...)
				continue
			}
			b.Queue(sqlUpdateCell, cellRow(k, had)...)
		case !sums.Empty():
			fresh = append(fresh, cellRow(k, sums))
		}
	}
	if b.Len() > 0 {
		if err := c.tx.SendBatch(ctx, &b).Close(); err != nil {
			return err
		}
	}
	return copyRows(ctx, c.tx, "throughput_cells", cellColumns, fresh)
}

func (c *counting) cellsOf(ctx context.Context, keys []coding.CellKey) (coding.Cells, error) {
	n := len(keys)
	by, specialties, sources := make([]string, n), make([]string, n), make([]string, n)
	settings, names := make([]string, n), make([]string, n)
	narrow, placed, days := make([]bool, n), make([]bool, n), make([]time.Time, n)
	for i, k := range keys {
		by[i], narrow[i], placed[i], specialties[i], days[i] = string(k.By), k.Narrow, k.Placed, k.Specialty, k.Day.Time()
		sources[i], settings[i], names[i] = k.Source, string(k.Setting), k.Name
	}
	rows, err := c.tx.Query(ctx, sqlCellsOf, by, narrow, placed, specialties, days, sources, settings, names)
	if err != nil {
		return nil, err
	}
	return collectCells(rows)
}

// collectCells reads rows of cellColumns.
func collectCells(rows pgx.Rows) (coding.Cells, error) {
	defer rows.Close()
	out := coding.Cells{}
	var k coding.CellKey
	var day time.Time
	var counts [coding.CellCounts]int64
	var spreads [coding.CellSpreads][]int32
	into := []any{&k.By, &k.Narrow, &k.Placed, &k.Specialty, &day, &k.Source, &k.Setting, &k.Name}
	for i := range counts {
		into = append(into, &counts[i])
	}
	for i := range spreads {
		into = append(into, &spreads[i])
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		k.Day = coding.DateOf(day)
		sums := &coding.CellSums{Counts: counts}
		for i, pairs := range spreads {
			sums.Spreads[i] = spreadOf(pairs)
		}
		out[k] = sums
	}
	return out, rows.Err()
}

// spreadOf reads pairs of a step and a count.
func spreadOf(pairs []int32) coding.Spread {
	if len(pairs) == 0 {
		return nil
	}
	spread := make(coding.Spread, len(pairs)/2)
	for j := 0; j+1 < len(pairs); j += 2 {
		spread[int(pairs[j])] = int64(pairs[j+1])
	}
	return spread
}

func cellKey(k coding.CellKey) []any {
	return []any{string(k.By), k.Narrow, k.Placed, k.Specialty, k.Day.Time(), k.Source, string(k.Setting), k.Name}
}

func cellRow(k coding.CellKey, sums *coding.CellSums) []any {
	row := cellKey(k)
	for _, n := range sums.Counts {
		row = append(row, n)
	}
	for _, spread := range sums.Spreads {
		pairs := make([]int32, 0, 2*len(spread))
		for _, step := range slices.Sorted(maps.Keys(spread)) {
			pairs = append(pairs, int32(step), int32(spread[step]))
		}
		row = append(row, pairs)
	}
	return row
}

// copyRows writes many rows at once.
func copyRows(ctx context.Context, tx pgx.Tx, table, columns string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	names := strings.FieldsFunc(columns, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' })
	_, err := tx.CopyFrom(ctx, pgx.Identifier{table}, names, pgx.CopyFromRows(rows))
	return err
}
