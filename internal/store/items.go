package store

import "chartcode/internal/coding"

// encounterKey tells a source's items apart. A note without an encounter is one.
func encounterKey(n coding.Note) string {
	if n.EncounterID == "" {
		return "n:" + n.NoteID
	}
	return "e:" + n.EncounterID
}

const (
	// Of the notes' sets (t) and of the codes that lead (l).
	itemNeed = `1 - (1 - coalesce(t.need, 0)) * (CASE WHEN l.leaders > 1 THEN 0.8 ELSE 1 END)`

	// Brings what an item repeats of its notes up to date. It depends on the
	// notes alone, not on the order in which they came. A reason says what changed;
	// an empty one is for an item just made. An item left without notes keeps what
	// it showed last. Need is that of the neediest set (set_need in migration 060
	// has the formula), and more where notes disagree on the code that leads: 0.2
	// together with the rest as there.
	sqlRefreshItem = `WITH n AS (
			SELECT nt.note_id, r.priority, r.due_at, r.specialty, r.note_type, r.service_date, r.received_at, r.stream_seq,
				s.id AS set_id, s.setting, s.degraded, s.ranker, s.need,
				(SELECT min(f.received_at) FROM note_revisions f WHERE f.note_id = nt.id) AS first_received
			FROM item_notes i
			JOIN notes nt ON nt.id = i.note_id
			JOIN note_revisions r ON r.id = nt.current_revision_id
			JOIN suggestion_sets s ON s.note_id = nt.id AND s.is_current
			WHERE i.item_id = $1),
		c AS (
			SELECT g.system, g.code, max(g.confidence) AS confidence
			FROM n JOIN suggestions g ON g.set_id = n.set_id GROUP BY g.system, g.code),
		l AS (
			SELECT count(DISTINCT g.code) AS leaders
			FROM n JOIN suggestions g ON g.set_id = n.set_id WHERE g.role IN ('principal', 'first_listed')),
		t AS (
			SELECT count(*) AS notes, max(priority) AS priority, min(first_received) AS received_at, min(due_at) AS due_at,
				max(service_date) AS service_date, bool_or(degraded) AS degraded,
				(array_agg(setting ORDER BY service_date DESC NULLS LAST, received_at DESC, stream_seq DESC, note_id))[1] AS setting,
				(array_agg(specialty ORDER BY service_date DESC NULLS LAST, received_at DESC, stream_seq DESC, note_id)
					FILTER (WHERE specialty <> ''))[1] AS specialty,
				(array_agg(ranker ORDER BY service_date DESC NULLS LAST, received_at DESC, stream_seq DESC, note_id))[1] AS ranker,
				max(need) AS need,
				array_agg(note_type ORDER BY service_date, received_at, stream_seq, note_id)
					FILTER (WHERE note_type <> '') AS note_types
			FROM n)
		UPDATE items SET
			note_count = t.notes,
			priority = coalesce(t.priority, items.priority),
			received_at = coalesce(t.received_at, items.received_at),
			due_at = t.due_at,
			setting = coalesce(t.setting, items.setting),
			specialty = coalesce(t.specialty, ''),
			note_types = coalesce(t.note_types, '{}'),
			service_date = t.service_date,
			degraded = coalesce(t.degraded, false),
			code_count = (SELECT count(*) FROM c),
			confidence = coalesce((SELECT min(confidence) FROM c), 0),
			ranker = coalesce(t.ranker, ''),
			need = ` + itemNeed + `,
			content = items.content + CASE WHEN $2 = '' THEN 0 ELSE 1 END,
			version = items.version + CASE WHEN $2 = '' THEN 0 ELSE 1 END,
			edition = CASE WHEN $2 = '' THEN items.edition ELSE '' END,
			changed_reason = $2,
			changed_at = CASE WHEN $2 = '' THEN NULL ELSE now() END,
			moved_at = now(), updated_at = now()
		FROM t, l WHERE items.id = $1`

	// A body that comes late changes nothing of its item but since when it waits.
	sqlReceivedEarlier = `UPDATE items SET received_at = $2 WHERE id = $1 AND received_at > $2`

	// Does nothing to an item that is not finished or has no notes.
	sqlReopenItem = `WITH reopened AS (
			UPDATE items SET state = 'open', reopened_reason = $2, moved_at = now()
			WHERE id = $1 AND state = 'finished' AND note_count > 0
			RETURNING id, content)
		INSERT INTO decisions (item_id, seq, kind, coder, at, content, detail)
		SELECT r.id, coalesce((SELECT max(d.seq) FROM decisions d WHERE d.item_id = r.id), 0) + 1,
			'reopen', $3, now(), r.content, jsonb_build_object('reason', $2::text)
		FROM reopened r`
)
