package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	cellFilter = ` AND day >= $2 AND day < $3 AND ($4::text IS NULL OR source = $4) AND ($5::text IS NULL OR setting = $5)`

	wideCells   = ` FROM throughput_cells WHERE by_what = $1 AND NOT narrow AND placed = $6 AND specialty = '' AND $7::text IS NULL` + cellFilter
	narrowCells = ` FROM throughput_cells WHERE by_what = $1 AND narrow AND placed = $6 AND specialty = $7` + cellFilter

	sqlCellsWide   = `SELECT ` + cellColumns + wideCells
	sqlCellsNarrow = `SELECT ` + cellColumns + narrowCells

	// Of each source and setting no more than what service levels need.
	placeColumns         = `day, source, setting, items_out, to_finish, to_finish_work`
	sqlPlacedCellsWide   = `SELECT ` + placeColumns + wideCells
	sqlPlacedCellsNarrow = `SELECT ` + placeColumns + narrowCells

	// Of each name, or specialty, the counts and the steps of active time.
	namedColumns   = `name, specialty, day, ` + cellCountColumns + `, active`
	sqlNamedWide   = `SELECT ` + namedColumns + wideCells
	sqlNamedNarrow = `SELECT ` + namedColumns + narrowCells
	sqlNamedEach   = `SELECT ` + namedColumns + ` FROM throughput_cells
		WHERE by_what = 'all' AND $1 = 'all' AND narrow AND placed = $6 AND $7::text IS NULL` + cellFilter

	roundFilter = ` AND ($3::text IS NULL OR source = $3) AND ($4::text IS NULL OR setting = $4) AND ($5::text IS NULL OR specialty = $5)`

	sqlRoundsOfCoder = `SELECT ` + roundColumns + ` FROM throughput_rounds
		WHERE finished_at >= $1 AND finished_at < $2 AND coder = $6` + roundFilter

	// Limits ($6-$8) and, for other places, $2 say since when one may have waited.
	sqlBacklog = `SELECT r.source, r.setting, width_bucket(r.started_at, $1::timestamptz[]), count(*), sum(r.notes),
			count(*) FILTER (WHERE r.started_at < coalesce(l.since, $2)), min(r.started_at)
		FROM throughput_rounds r
			LEFT JOIN unnest($6::text[], $7::text[], $8::timestamptz[]) AS l (source, setting, since) USING (source, setting)
		WHERE r.finished_at IS NULL` + roundFilter + ` GROUP BY 1, 2, 3`

	sqlThroughputQueries = `SELECT count(*), min(q.asked_at) FROM item_queries q JOIN items i ON i.id = q.item_id
		WHERE q.status = 'open' AND ($1::text IS NULL OR i.source = $1) AND ($2::text IS NULL OR i.setting = $2)
			AND ($3::text IS NULL OR i.specialty = $3) AND ($4::text IS NULL OR q.asked_by = $4)`

	sqlThroughputPlaces = `SELECT DISTINCT source, setting FROM throughput_cells WHERE by_what = 'all' AND NOT narrow AND placed AND specialty = '' AND day >= $1 AND day < $2
		UNION SELECT source, setting FROM throughput_rounds WHERE finished_at IS NULL ORDER BY 1, 2`
	sqlThroughputSpecialties = `SELECT DISTINCT specialty FROM throughput_cells WHERE by_what = 'all' AND narrow AND NOT placed AND day >= $1 AND day < $2 ORDER BY 1`

	sqlThroughputState = `SELECT (SELECT counted_at FROM throughput_state), (SELECT count(*) FROM (SELECT FROM throughput_changes LIMIT 100000) AS few)`

	sqlLLMSpendDays = `SELECT day, calls, prompt_tokens, cached_tokens, completion_tokens, nano_usd FROM llm_spending WHERE day >= $1 AND day < $2`
)

// throughputReader reads within one transaction.
type throughputReader struct{ tx pgx.Tx }

// ReadThroughput lets figures be read as they are at one moment, however much is
// counted meanwhile.
func (s *Store) ReadThroughput(ctx context.Context, read func(coding.ThroughputReader) error) error {
	var failed error
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := s.transact(ctx, options, func(tx pgx.Tx) error {
		failed = read(throughputReader{tx})
		return failed
	})
	if failed != nil {
		return failed
	}
	return wrap("read figures", err)
}

// ThroughputCells gives the cells of a period, told apart by something, without
// regard to a coder: those of all places together, or of the one that is asked for.
func (r throughputReader) ThroughputCells(ctx context.Context, by coding.CellBy, q coding.ThroughputQuery) (coding.Cells, error) {
	sql := sqlCellsWide
	if q.Specialty != nil {
		sql = sqlCellsNarrow
	}
	const op = "read figures"
	rows, err := r.tx.Query(ctx, sql, cellArgs(by, q, placed(q))...)
	if err != nil {
		return nil, wrap(op, err)
	}
	cells, err := collectCells(rows)
	return cells, wrap(op, err)
}

// placed reports whether a query chooses a source or setting.
func placed(q coding.ThroughputQuery) bool { return q.Source != "" || q.Setting != "" }

func cellArgs(by coding.CellBy, q coding.ThroughputQuery, placed bool) []any {
	return []any{planned, string(by), q.From.Time(), q.To.Time(), orNull(q.Source), orNull(string(q.Setting)), placed, q.Specialty}
}

// PlacedCells gives the cells of each source and setting, of which it knows what
// was finished and how long that took.
func (r throughputReader) PlacedCells(ctx context.Context, q coding.ThroughputQuery) (coding.Cells, error) {
	sql := sqlPlacedCellsWide
	if q.Specialty != nil {
		sql = sqlPlacedCellsNarrow
	}
	const op = "read figures"
	rows, err := r.tx.Query(ctx, sql, cellArgs(coding.ByAll, q, true)...)
	if err != nil {
		return nil, wrap(op, err)
	}
	out := coding.Cells{}
	k := coding.CellKey{By: coding.ByAll, Placed: true}
	var day time.Time
	var n int64
	var took, worked []int32
	_, err = pgx.ForEachRow(rows, []any{&day, &k.Source, &k.Setting, &n, &took, &worked}, func() error {
		k.Day = coding.DateOf(day)
		sums := out.At(k)
		sums.Counts[coding.ItemsOut] = n
		sums.Spreads[coding.ToFinish], sums.Spreads[coding.ToFinishWork] = spreadOf(took), spreadOf(worked)
		return nil
	})
	return out, wrap(op, err)
}

// ThroughputTotals gives the sums of the cells of each name, without a source or
// setting: of the whole period, or of each of its days. Of distributions there is
// the active time alone. By everything, it gives the sums of each specialty.
func (r throughputReader) ThroughputTotals(ctx context.Context, by coding.CellBy, q coding.ThroughputQuery, daily bool) (coding.Cells, error) {
	const op = "read figures"
	sql := sqlNamedWide
	switch {
	case by == coding.ByAll:
		sql = sqlNamedEach
	case q.Specialty != nil:
		sql = sqlNamedNarrow
	}
	rows, err := r.tx.Query(ctx, sql, cellArgs(by, q, placed(q))...)
	if err != nil {
		return nil, wrap(op, err)
	}
	out := coding.Cells{}
	k := coding.CellKey{By: by, Narrow: by == coding.ByAll}
	var day time.Time
	var n [coding.CellCounts]int64
	var active []int32
	into := []any{&k.Name, &k.Specialty, &day}
	for i := range n {
		into = append(into, &n[i])
	}
	_, err = pgx.ForEachRow(rows, append(into, &active), func() error {
		if daily {
			k.Day = coding.DateOf(day)
		}
		sums := out.At(k)
		for i := range n {
			sums.Counts[i] += n[i]
		}
		for i := 0; i+1 < len(active); i += 2 {
			sums.Step(coding.ActiveEach, int(active[i]), int64(active[i+1]))
		}
		return nil
	})
	return out, wrap(op, err)
}

// RoundsOfCoder gives the rounds that somebody finished between two moments.
func (r throughputReader) RoundsOfCoder(ctx context.Context, from, to time.Time, q coding.ThroughputQuery) ([]coding.Round, error) {
	const op = "read a coder's figures"
	rows, err := r.tx.Query(ctx, sqlRoundsOfCoder, planned, from, to, orNull(q.Source), orNull(string(q.Setting)), q.Specialty, q.Coder)
	if err != nil {
		return nil, wrap(op, err)
	}
	rounds, err := pgx.CollectRows(rows, scanRound)
	return rounds, wrap(op, err)
}

// Backlog counts open encounters by source, setting and age. Edges are moments in
// ascending order; late is what began before Since of its place's limit, or before
// since where none is given.
func (r throughputReader) Backlog(ctx context.Context, q coding.ThroughputQuery, edges []time.Time, limits []coding.Limit, since time.Time) ([]coding.BacklogRow, error) {
	const op = "read the backlog"
	sources, settings, moments, _ := limitArgs(limits)
	rows, err := r.tx.Query(ctx, sqlBacklog, planned, edges, since, orNull(q.Source), orNull(string(q.Setting)), q.Specialty, sources, settings, moments)
	if err != nil {
		return nil, wrap(op, err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (b coding.BacklogRow, err error) {
		err = row.Scan(&b.Source, &b.Setting, &b.Age, &b.Items, &b.Notes, &b.Late, &b.Oldest)
		b.Age, b.Oldest = len(edges)-b.Age, b.Oldest.UTC()
		return b, err
	})
	return out, wrap(op, err)
}

func limitArgs(limits []coding.Limit) (sources, settings []string, since []time.Time, within []int64) {
	for _, l := range limits {
		sources, settings = append(sources, l.Source), append(settings, string(l.Setting))
		since, within = append(since, l.Since), append(within, l.Within.Microseconds())
	}
	return sources, settings, since, within
}

// OpenQueries counts the questions that wait for an answer; of a coder those that
// they asked.
func (r throughputReader) OpenQueries(ctx context.Context, q coding.ThroughputQuery) (o coding.OpenQueries, err error) {
	var oldest *time.Time
	err = r.tx.QueryRow(ctx, sqlThroughputQueries, orNull(q.Source), orNull(string(q.Setting)), q.Specialty, orNull(q.Coder)).Scan(&o.Count, &oldest)
	o.Oldest = timeFrom(oldest)
	return o, wrap("count open queries", err)
}

// ThroughputValues gives what there are figures of between two days, and where
// something waits now.
func (r throughputReader) ThroughputValues(ctx context.Context, from, to coding.Date) (v coding.ThroughputValues, err error) {
	const op = "read what figures there are"
	rows, err := r.tx.Query(ctx, sqlThroughputPlaces, from.Time(), to.Time())
	if err != nil {
		return v, wrap(op, err)
	}
	v.Places, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (l coding.Limit, err error) {
		return l, row.Scan(&l.Source, &l.Setting)
	})
	if err != nil {
		return v, wrap(op, err)
	}
	if rows, err = r.tx.Query(ctx, sqlThroughputSpecialties, from.Time(), to.Time()); err != nil {
		return v, wrap(op, err)
	}
	v.Specialties, err = pgx.CollectRows(rows, pgx.RowTo[string])
	return v, wrap(op, err)
}

// ThroughputState says how far counting is.
func (r throughputReader) ThroughputState(ctx context.Context) (st coding.ThroughputState, err error) {
	var at *time.Time
	err = r.tx.QueryRow(ctx, sqlThroughputState).Scan(&at, &st.Waiting)
	st.CountedAt = timeFrom(at)
	return st, wrap("read the state of figures", err)
}

// LLMSpendDays gives what was spent on LLMs by day, evaluations included.
func (r throughputReader) LLMSpendDays(ctx context.Context, from, to coding.Date) (map[coding.Date]coding.LLMSpend, error) {
	const op = "read LLM spending"
	rows, err := r.tx.Query(ctx, sqlLLMSpendDays, from.Time(), to.Time())
	if err != nil {
		return nil, wrap(op, err)
	}
	out := map[coding.Date]coding.LLMSpend{}
	var day time.Time
	var u coding.LLMSpend
	_, err = pgx.ForEachRow(rows, []any{&day, &u.Calls, &u.PromptTokens, &u.CachedTokens, &u.CompletionTokens, &u.NanoUSD}, func() error {
		out[coding.DateOf(day)] = u
		return nil
	})
	return out, wrap(op, err)
}
