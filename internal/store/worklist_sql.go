package store

import (
	"reflect"
	"time"

	"chartcode/internal/coding"
)

// The worklist's statements are put together from these constants: one for
// each order and each kind of state asked for, so that each has an index that
// gives its rows in order. They are planned anew each time (planned), because
// the index that is right depends on the values: a filter on one specialty goes
// along that one's rows, without a filter along all.
//
// $1-$5 are filters of several values and $7-$10 the same of one value, which an
// index can be walked by; $6 and $17 are whether it is degraded and has invalid
// codes, $11-$16 bounds, $18 for whom an item waits. All are NULL where they do
// not restrict. $19 is the moment.
const (
	worklistFilter = ` WHERE i.note_count > 0
		AND ($1::text[] IS NULL OR i.setting = ANY ($1)) AND ($7::text IS NULL OR i.setting = $7)
		AND ($2::text[] IS NULL OR i.source = ANY ($2)) AND ($8::text IS NULL OR i.source = $8)
		AND ($3::text[] IS NULL OR i.specialty = ANY ($3)) AND ($9::text IS NULL OR i.specialty = $9)
		AND ($4::text[] IS NULL OR i.ranker = ANY ($4)) AND ($10::text IS NULL OR i.ranker = $10)
		AND ($5::text[] IS NULL OR i.coder <> '' AND i.coder = ANY ($5))
		AND ($6::boolean IS NULL OR i.degraded = $6) AND ($17::boolean IS NULL OR (i.invalid_count > 0) = $17)
		AND ($11::int IS NULL OR i.priority >= $11) AND ($12::int IS NULL OR i.priority <= $12)
		AND ($13::float8 IS NULL OR i.confidence >= $13) AND ($14::float8 IS NULL OR i.confidence < $14)
		AND ($15::timestamptz IS NULL OR i.received_at <= $15) AND ($16::timestamptz IS NULL OR i.received_at >= $16)`

	// A claim that ran out counts as none. $20 is the state, or the states, $21 the
	// holder.
	waitsFor      = ` AND ($18::text IS NULL OR i.sent_to <> '' AND i.sent_to = $18)`
	heldBy        = ` AND ($21 = '' OR i.claimed_by <> '' AND i.claimed_by = $21 AND i.claimed_until > $19)`
	canBeTaken    = ` AND i.state IN ('open', 'claimed') AND (i.state = 'open' OR i.claimed_until <= $19)`
	stateOpen     = waitsFor + heldBy + canBeTaken + ` AND $20::text[] IS NOT NULL`
	stateClaimed  = waitsFor + heldBy + ` AND i.state IN ('open', 'claimed') AND i.claimed_by <> '' AND i.claimed_until > $19 AND $20::text[] IS NOT NULL`
	stateOne      = waitsFor + heldBy + ` AND i.state = $20::text`
	stateWhatever = waitsFor + heldBy + ` AND ($20::text[] IS NULL OR
			CASE WHEN i.state = 'claimed' AND i.claimed_until <= $19 THEN 'open' ELSE i.state END = ANY ($20))`

	// $22-$24 are the place to go on from, $25 the limit.
	byPriority = ` AND i.priority <= $22::int AND (i.priority < $22 OR (i.received_at, i.id) > ($23, $24))
		ORDER BY i.priority DESC, i.received_at, i.id LIMIT $25`
	byNeed = ` AND i.need <= $22::float8 AND (i.need < $22 OR (i.received_at, i.id) > ($23, $24))
		ORDER BY i.need DESC, i.received_at, i.id LIMIT $25`
	byOldest = ` AND $22::int IS NOT NULL AND (i.received_at, i.id) > ($23, $24)
		ORDER BY i.received_at, i.id LIMIT $25`
	byNewest = ` AND $22::int IS NOT NULL AND (i.received_at, i.id) < ($23, $24)
		ORDER BY i.received_at DESC, i.id DESC LIMIT $25`
	byUpdated = ` AND $22::int IS NOT NULL AND (i.moved_at, i.id) < ($23, $24)
		ORDER BY i.moved_at DESC, i.id DESC LIMIT $25`

	worklist = itemColumns + worklistFilter

	sqlListOpenPriority    = worklist + stateOpen + byPriority
	sqlListOpenNeed        = worklist + stateOpen + byNeed
	sqlListOpenOldest      = worklist + stateOpen + byOldest
	sqlListOpenNewest      = worklist + stateOpen + byNewest
	sqlListOpenUpdated     = worklist + stateOpen + byUpdated
	sqlListClaimedPriority = worklist + stateClaimed + byPriority
	sqlListClaimedNeed     = worklist + stateClaimed + byNeed
	sqlListClaimedOldest   = worklist + stateClaimed + byOldest
	sqlListClaimedNewest   = worklist + stateClaimed + byNewest
	sqlListClaimedUpdated  = worklist + stateClaimed + byUpdated
	sqlListOnePriority     = worklist + stateOne + byPriority
	sqlListOneNeed         = worklist + stateOne + byNeed
	sqlListOneOldest       = worklist + stateOne + byOldest
	sqlListOneNewest       = worklist + stateOne + byNewest
	sqlListOneUpdated      = worklist + stateOne + byUpdated
	sqlListAllPriority     = worklist + stateWhatever + byPriority
	sqlListAllNeed         = worklist + stateWhatever + byNeed
	sqlListAllOldest       = worklist + stateWhatever + byOldest
	sqlListAllNewest       = worklist + stateWhatever + byNewest
	sqlListAllUpdated      = worklist + stateWhatever + byUpdated

	// What takes an item is one statement: t is who takes it, free the first item that
	// can be taken, whose row is locked. Nothing is taken with a key that was used, nor,
	// where those that wait for the taker go first, while any does: then mine is true.
	takers = `, w AS (
			SELECT EXISTS (SELECT FROM act_keys k WHERE k.login = t.login AND k.key = t.key) AS used,
				t.mine_first AND EXISTS (SELECT FROM items WHERE sent_to <> '' AND sent_to = t.login) AS mine
			FROM t),
		free AS (SELECT i.id, i.claimed_by FROM items i`
	mayTake = ` AND NOT (SELECT w.used OR w.mine FROM w)`
	take    = ` LIMIT 1 FOR NO KEY UPDATE OF i SKIP LOCKED),
		c AS (` + setItem + ` FROM (
				SELECT free.id, free.claimed_by AS before, 'claimed'::text AS state, t.login, t.until, ''::text AS reason,
					NULL::integer AS invalid, ''::text AS sent_to, ''::text AS sent_by, ''::text AS coder
				FROM free, t) AS a
			WHERE items.id = a.id
			RETURNING items.id, a.before),
		e AS (
			INSERT INTO audit_events (at, actor, action, item_id, target, digest)
			SELECT t.at, t.actor, CASE WHEN c.before <> '' AND c.before <> t.login THEN t.taken_over ELSE t.action END, c.id, t.target, t.digest
			FROM c, t),
		k AS (
			INSERT INTO act_keys (login, key, item_id, digest)
			SELECT t.login, t.key, c.id, t.key_digest FROM c, t WHERE t.key <> '')
		SELECT coalesce((SELECT id FROM c), 0), w.mine FROM w`

	// $18 is for whom it waits, empty for nobody; $20 the items to pass over, $21
	// who takes it.
	takeNext = `WITH t AS (
			SELECT $21::text AS login, $22::timestamptz AS until, $23::timestamptz AS at, $24::text AS actor, $25::text AS action,
				$26::text AS taken_over, $27::text AS target, $28::text AS digest, $29::text AS key, $30::text AS key_digest,
				$31::boolean AS mine_first)` + takers + worklistFilter + canBeTaken + ` AND i.sent_to = $18
		AND i.id <> ALL ($20::bigint[])
		AND NOT EXISTS (SELECT FROM item_skips k WHERE k.login = $21 AND k.item_id = i.id AND k.until > $19)` + mayTake

	sqlTakeNextPriority = takeNext + inPriority + take
	sqlTakeNextNeed     = takeNext + inNeed + take
	sqlTakeNextOldest   = takeNext + inOldest + take
	sqlTakeNextNewest   = takeNext + inNewest + take
	sqlTakeNextUpdated  = takeNext + inUpdated + take

	// The same without any filter, for whom nothing waits: the index to go along is
	// that of the order, whatever the values, so that it need not be planned each time.
	// $1 is the moment, $2 the items to pass over, $3 who takes it.
	isFree = ` WHERE i.note_count > 0
		AND i.state IN ('open', 'claimed') AND (i.state = 'open' OR i.claimed_until <= $1) AND i.sent_to = ''`
	takeAny = `WITH t AS (
			SELECT $3::text AS login, $4::timestamptz AS until, $5::timestamptz AS at, $6::text AS actor, $7::text AS action,
				$8::text AS taken_over, $9::text AS target, $10::text AS digest, $11::text AS key, $12::text AS key_digest,
				$13::boolean AS mine_first)` + takers + isFree + `
		AND i.id <> ALL ($2::bigint[])
		AND NOT EXISTS (SELECT FROM item_skips k WHERE k.login = $3 AND k.item_id = i.id AND k.until > $1)` + mayTake

	sqlTakeAnyPriority = takeAny + inPriority + take
	sqlTakeAnyNeed     = takeAny + inNeed + take
	sqlTakeAnyOldest   = takeAny + inOldest + take
	sqlTakeAnyNewest   = takeAny + inNewest + take
	sqlTakeAnyUpdated  = takeAny + inUpdated + take

	// The same for several, of whom those are left out who used their key before, for
	// whom some wait, or who skipped some: the way to the first free item leads past
	// those that are taken and entries of those that were, and is the same for all. It
	// looks at more items than it takes, as others may have locked some; PostgreSQL,
	// which knows how many it looks at, goes along the order's index.
	takeSeveral = `WITH t AS (
			SELECT a.*, row_number() OVER () AS turn
			FROM unnest((SELECT $2::text[]), $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
				WITH ORDINALITY AS a (login, until, at, actor, action, target, digest, key, key_digest, place)
			WHERE NOT EXISTS (SELECT FROM act_keys k WHERE k.login = a.login AND k.key = a.key)
				AND NOT EXISTS (SELECT FROM items WHERE sent_to <> '' AND sent_to = a.login)
				AND NOT EXISTS (SELECT FROM item_skips k WHERE k.login = a.login AND k.until > $1)),
		f AS (SELECT free.id, free.claimed_by FROM (SELECT i.id FROM items i` + isFree
	takeTurns = ` LIMIT 200) AS few,
				LATERAL (SELECT i.id, i.claimed_by FROM items i` + isFree + ` AND i.id = few.id FOR NO KEY UPDATE SKIP LOCKED) AS free
			LIMIT (SELECT count(*) FROM t)),
		free AS (SELECT id, claimed_by, row_number() OVER () AS turn FROM f),
		c AS (` + setItem + ` FROM (
				SELECT t.*, free.id, free.claimed_by AS before, 'claimed'::text AS state, ''::text AS reason,
					NULL::integer AS invalid, ''::text AS sent_to, ''::text AS sent_by, ''::text AS coder
				FROM free JOIN t ON t.turn = free.turn) AS a
			WHERE items.id = a.id
			RETURNING items.id, a.place, a.login, a.before, a.at, a.actor, a.action, a.target, a.digest, a.key, a.key_digest),
		e AS (
			INSERT INTO audit_events (at, actor, action, item_id, target, digest)
			SELECT at, actor, CASE WHEN before <> '' AND before <> login THEN $11 ELSE action END, id, target, digest FROM c ORDER BY place),
		k AS (
			INSERT INTO act_keys (login, key, item_id, digest)
			SELECT login, key, id, key_digest FROM c WHERE key <> '')
		SELECT place, id FROM c`
	inPriority = ` ORDER BY i.priority DESC, i.received_at, i.id`
	inNeed     = ` ORDER BY i.need DESC, i.received_at, i.id`
	inOldest   = ` ORDER BY i.received_at, i.id`
	inNewest   = ` ORDER BY i.received_at DESC, i.id DESC`
	inUpdated  = ` ORDER BY i.moved_at DESC, i.id DESC`

	sqlTakeSeveralPriority = takeSeveral + inPriority + takeTurns
	sqlTakeSeveralNeed     = takeSeveral + inNeed + takeTurns
	sqlTakeSeveralOldest   = takeSeveral + inOldest + takeTurns
	sqlTakeSeveralNewest   = takeSeveral + inNewest + takeTurns
	sqlTakeSeveralUpdated  = takeSeveral + inUpdated + takeTurns

	// As planned does, for what follows in a transaction.
	sqlPlanForValues = `SET LOCAL plan_cache_mode = force_custom_plan`
)

// stateKind is the way in which a query restricts the state.
type stateKind int

const (
	whatever stateKind = iota // several states, or all
	open
	claimed
	one // held, queried or finished
)

var worklistSQL = map[coding.WorklistSort][4]string{
	coding.SortPriority: {sqlListAllPriority, sqlListOpenPriority, sqlListClaimedPriority, sqlListOnePriority},
	coding.SortNeed:     {sqlListAllNeed, sqlListOpenNeed, sqlListClaimedNeed, sqlListOneNeed},
	coding.SortOldest:   {sqlListAllOldest, sqlListOpenOldest, sqlListClaimedOldest, sqlListOneOldest},
	coding.SortNewest:   {sqlListAllNewest, sqlListOpenNewest, sqlListClaimedNewest, sqlListOneNewest},
	coding.SortUpdated:  {sqlListAllUpdated, sqlListOpenUpdated, sqlListClaimedUpdated, sqlListOneUpdated},
}

// takeSQL are the statements that take an item with and without filters, and several
// without.
type takeSQL struct{ fitting, any, several string }

var takeNextSQL = map[coding.WorklistSort]takeSQL{
	coding.SortPriority: {sqlTakeNextPriority, sqlTakeAnyPriority, sqlTakeSeveralPriority},
	coding.SortNeed:     {sqlTakeNextNeed, sqlTakeAnyNeed, sqlTakeSeveralNeed},
	coding.SortOldest:   {sqlTakeNextOldest, sqlTakeAnyOldest, sqlTakeSeveralOldest},
	coding.SortNewest:   {sqlTakeNextNewest, sqlTakeAnyNewest, sqlTakeSeveralNewest},
	coding.SortUpdated:  {sqlTakeNextUpdated, sqlTakeAnyUpdated, sqlTakeSeveralUpdated},
}

// statement gives the statement that takes the first free item, its arguments, and
// whether it has to be planned for them.
func (t *taking) statement(q coding.WorklistQuery, waitsFor string, mineFirst bool) (sql string, args []any, forValues bool) {
	by := []any{t.claim.Until, t.event.At, t.event.Actor, t.event.Action, string(coding.EventTaken), t.event.Target, t.event.Digest, t.key.Key, t.key.Digest, mineFirst}
	if waitsFor == "" && isPlain(q) {
		return takeNextSQL[q.Sort].any, append([]any{t.now, t.except, t.claim.Login}, by...), false
	}
	args = filters(q, t.now)
	args[17] = waitsFor
	return takeNextSQL[q.Sort].fitting, append(append(args, t.except, t.claim.Login), by...), true
}

// takeSeveralStatement gives the statement for several wishes of one order, and its arguments.
func takeSeveralStatement(some []*taking) (sql string, args []any) {
	now := some[0].now
	for _, t := range some {
		if t.now.Before(now) {
			now = t.now
		}
	}
	args = append(args, now)
	args = append(args, columns(some, func(t *taking) []any {
		return []any{t.claim.Login, t.claim.Until, t.event.At, t.event.Actor, t.event.Action, t.event.Target, t.event.Digest, t.key.Key, t.key.Digest}
	})...)
	return takeNextSQL[some[0].query.Sort].several, append(args, string(coding.EventTaken))
}

// isPlain reports whether a query has no filter.
func isPlain(q coding.WorklistQuery) bool {
	return reflect.DeepEqual(q, coding.WorklistQuery{Sort: q.Sort, Limit: q.Limit})
}

func stateKindOf(q coding.WorklistQuery) stateKind {
	if len(q.States) != 1 {
		return whatever
	}
	switch q.States[0] {
	case coding.ItemOpen:
		return open
	case coding.ItemClaimed:
		return claimed
	}
	return one
}

// listStatement gives the statement for a page of a worklist, and its arguments
// behind the first, which says how to plan.
func listStatement(q coding.WorklistQuery, now time.Time) (sql string, args []any, ok bool) {
	kinds, ok := worklistSQL[q.Sort]
	if !ok || q.Limit < 1 {
		return "", nil, false
	}
	kind := stateKindOf(q)
	var states any = texts(q.States)
	if kind == one {
		states = string(q.States[0])
	}
	at := startOf(q)
	var from any = at.Priority
	if q.Sort == coding.SortNeed {
		from = at.Need
	}
	args = append(filters(q, now), states, q.Holder, from, time.UnixMicro(at.Micros), at.ID, q.Limit+1)
	return kinds[kind], args, true
}

// filters are the arguments $1-$19.
func filters(q coding.WorklistQuery, now time.Time) []any {
	settings, setting := oneOrMore(q.Settings)
	sources, source := oneOrMore(q.Sources)
	specialties, specialty := oneOrMore(q.Specialties)
	rankers, ranker := oneOrMore(q.Rankers)
	var older, younger *time.Time
	if q.OlderHours > 0 {
		older = ago(now, q.OlderHours)
	}
	if q.YoungerHours > 0 {
		younger = ago(now, q.YoungerHours)
	}
	return []any{
		settings, sources, specialties, rankers, texts(q.Coders), q.Degraded,
		setting, source, specialty, ranker,
		orNull(q.PriorityFrom), orNull(q.PriorityTo), orNull(q.ConfidenceFrom), orNull(q.ConfidenceBelow), older, younger,
		q.Invalid, orNull(q.SentTo), now,
	}
}

// ago is some hours before now, at most a hundred years.
func ago(now time.Time, hours float64) *time.Time {
	const most = 24 * 365 * 100 // a time.Duration holds 292 years
	t := now.Add(-time.Duration(min(hours, most) * float64(time.Hour)))
	return &t
}

// oneOrMore gives values as several or as the only one; the other is NULL.
func oneOrMore[T ~string](values []T) (several []string, only *string) {
	if len(values) == 1 {
		v := string(values[0])
		return nil, &v
	}
	return texts(values), nil
}

// texts gives NULL for no values: no restriction.
func texts[T ~string](values []T) []string {
	var out []string
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}

// orNull gives NULL for the zero value: no restriction.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
