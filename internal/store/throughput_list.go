package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	// $1 and $2 are the period, $3-$5 filters, $6 the coder, $7 and $8 the last entry of
	// the page before, $9 how many.
	listFilter = roundFilter + ` AND ($6::text IS NULL OR coder = $6)`

	roundEntry = `SELECT item_id, item_id, source, setting, specialty, `

	// $10 is the list; $11-$14 say what is too late, $15 is a reason, $16 and $17 bound the length.
	sqlListFinishedRounds = roundEntry + `finished_at, coder, '', state,
			(extract(epoch FROM finished_at - started_at) * 1e6)::bigint, active_us,
			CASE $10 WHEN 'accepted' THEN accepted WHEN 'modified' THEN modified WHEN 'added' THEN added
				WHEN 'rejected' THEN CASE WHEN $15::text IS NULL THEN cardinality(reasons) ELSE cardinality(array_positions(reasons, $15::text)) END
				ELSE notes END
		FROM throughput_rounds LEFT JOIN unnest($11::text[], $12::text[], $13::bigint[]) AS l (source, setting, within) USING (source, setting)
		WHERE finished_at >= $1 AND finished_at < $2` + listFilter + `
			AND ($7::timestamptz IS NULL OR (finished_at, item_id) < ($7, $8::bigint))
			AND CASE $10::text WHEN 'finished' THEN true WHEN 'returned' THEN returned
				WHEN 'in_time' THEN work_us <= coalesce(l.within, $14::bigint) WHEN 'too_late' THEN work_us > coalesce(l.within, $14::bigint)
				WHEN 'accepted' THEN accepted > 0 WHEN 'modified' THEN modified > 0 WHEN 'added' THEN added > 0
				WHEN 'rejected' THEN cardinality(reasons) > 0 AND ($15::text IS NULL OR $15 = ANY (reasons)) ELSE false END
			AND bytes >= $16 AND bytes < $17
		ORDER BY finished_at DESC, item_id DESC LIMIT $9`

	sqlListStartedRounds = roundEntry + `started_at, coder, '', state,
			coalesce((extract(epoch FROM finished_at - started_at) * 1e6)::bigint, 0), active_us, notes
		FROM throughput_rounds
		WHERE started_at >= $1 AND started_at < $2` + listFilter + `
			AND ($7::timestamptz IS NULL OR (started_at, item_id) < ($7, $8::bigint))
			AND CASE $10::text WHEN 'received' THEN number = 1 WHEN 'reopened' THEN number > 1 ELSE false END
		ORDER BY started_at DESC, item_id DESC LIMIT $9`

	// The oldest first. $11-$14 say since when one may have waited.
	sqlListOpenRounds = roundEntry + `started_at, '', '', state, (extract(epoch FROM now() - started_at) * 1e6)::bigint, 0::bigint, notes
		FROM throughput_rounds LEFT JOIN unnest($11::text[], $12::text[], $13::timestamptz[]) AS l (source, setting, since) USING (source, setting)
		WHERE finished_at IS NULL AND started_at >= $1 AND started_at < $2` + listFilter + `
			AND ($7::timestamptz IS NULL OR (started_at, item_id) > ($7, $8::bigint))
			AND ($10::text <> 'late' OR started_at < coalesce(l.since, $14::timestamptz))
		ORDER BY started_at, item_id LIMIT $9`

	noteEntry = `SELECT set_id, item_id, source, setting, specialty, `

	sqlListFirstNotes = noteEntry + `received_at, '', model, '', (extract(epoch FROM suggested_at - received_at) * 1e6)::bigint, 0::bigint, 1::bigint
		FROM throughput_notes WHERE is_first AND received_at >= $1 AND received_at < $2` + roundFilter + ` AND $6::text IS NULL
			AND ($7::timestamptz IS NULL OR (received_at, set_id) < ($7, $8::bigint))
		ORDER BY received_at DESC, set_id DESC LIMIT $9`

	sqlListSets = noteEntry + `suggested_at, '', model, '', (extract(epoch FROM suggested_at - received_at) * 1e6)::bigint, 0::bigint, 1::bigint
		FROM throughput_notes WHERE suggested_at >= $1 AND suggested_at < $2` + roundFilter + ` AND $6::text IS NULL
			AND ($7::timestamptz IS NULL OR (suggested_at, set_id) < ($7, $8::bigint))
			AND ($10::text <> 'degraded' OR degraded) AND ($11::text IS NULL OR model = $11)
		ORDER BY suggested_at DESC, set_id DESC LIMIT $9`

	sqlListQueries = `SELECT q.item_id * 1000 + q.number, q.item_id, i.source, i.setting, i.specialty, q.asked_at, q.asked_by, '', i.state,
			(extract(epoch FROM now() - q.asked_at) * 1e6)::bigint, 0::bigint, 1::bigint
		FROM item_queries q JOIN items i ON i.id = q.item_id
		WHERE q.status = 'open' AND ($1::text IS NULL OR i.source = $1) AND ($2::text IS NULL OR i.setting = $2)
			AND ($3::text IS NULL OR i.specialty = $3) AND ($4::text IS NULL OR q.asked_by = $4)
			AND ($5::timestamptz IS NULL OR (q.asked_at, q.item_id * 1000 + q.number) > ($5, $6::bigint))
		ORDER BY q.asked_at, q.item_id, q.number LIMIT $7`
)

// ThroughputEntries gives a page of what is behind a figure: the latest first, of
// what waits the oldest.
func (s *Store) ThroughputEntries(ctx context.Context, q coding.ThroughputListQuery) ([]coding.ThroughputEntry, error) {
	const op = "list what is behind a figure"
	filters := []any{orNull(q.Source), orNull(string(q.Setting)), q.Specialty, orNull(q.Coder)}
	page := []any{timeArg(q.Before), q.BeforeID, q.Limit}
	args := append(append([]any{planned, q.From, q.To}, filters...), page...)
	sources, settings, since, within := limitArgs(q.Limits)
	var sql string
	switch q.List {
	case coding.ListBacklog, coding.ListLate:
		sql, args = sqlListOpenRounds, append(args, string(q.List), sources, settings, since, q.UsualAt)
	case coding.ListReceived, coding.ListReopened:
		sql, args = sqlListStartedRounds, append(args, string(q.List))
	case coding.ListNotes:
		sql = sqlListFirstNotes
	case coding.ListSuggested, coding.ListDegraded:
		sql, args = sqlListSets, append(args, string(q.List), orNull(q.Model))
	case coding.ListQueries:
		sql, args = sqlListQueries, append(append([]any{planned}, filters...), page...)
	default:
		longest := q.MaxBytes
		if longest == 0 {
			longest = 1 << 62
		}
		sql, args = sqlListFinishedRounds, append(args, string(q.List), sources, settings, within, q.Usual.Microseconds(), q.Reason, q.MinBytes, longest)
	}
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, wrap(op, err)
	}
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e coding.ThroughputEntry, err error) {
		var took, active int64
		err = row.Scan(&e.ID, &e.Item, &e.Source, &e.Setting, &e.Specialty, &e.At, &e.Coder, &e.Model, &e.State, &took, &active, &e.Count)
		e.At, e.Took, e.Active = e.At.UTC(), micros(took), micros(active)
		return e, err
	})
	return entries, wrap(op, err)
}
