package store

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	sqlHasNotes = `SELECT EXISTS (SELECT FROM notes)`

	sqlNumbersOfNotes = `SELECT n.id FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (source, note_id, place)
		JOIN notes n USING (source, note_id) ORDER BY place`
	sqlNumbersOfItems = `SELECT i.id FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (source, encounter_key, place)
		JOIN items i USING (source, encounter_key) ORDER BY place`
	sqlNumbersOfRevisions = `SELECT r.id FROM unnest($1::bigint[]) WITH ORDINALITY AS k (note_id, place)
		JOIN note_revisions r USING (note_id) ORDER BY place`
	sqlNumbersOfSets = `SELECT s.id FROM unnest($1::text[]) WITH ORDINALITY AS k (set_id, place)
		JOIN suggestion_sets s USING (set_id) ORDER BY place`

	sqlSetRevisions = `UPDATE notes n SET current_revision_id = k.revision_id
		FROM unnest($1::bigint[], $2::bigint[]) AS k (note_id, revision_id) WHERE n.id = k.note_id`

	// Before they are written: the application may not change a set's need.
	sqlNeedOfSets = `SELECT set_need(body) FROM unnest($1::json[]) WITH ORDINALITY AS b (body, place) ORDER BY place`

	sqlSetNeedOfItems = `UPDATE items SET need = ` + itemNeed + `
		FROM (SELECT m.item_id, max(s.need) AS need FROM item_notes m JOIN suggestion_sets s USING (note_id)
				WHERE m.item_id = ANY ($1) GROUP BY m.item_id) t
			JOIN (SELECT m.item_id, count(DISTINCT g.code) FILTER (WHERE g.role IN ('principal', 'first_listed')) AS leaders
				FROM item_notes m JOIN suggestion_sets s USING (note_id) LEFT JOIN suggestions g ON g.set_id = s.id
				WHERE m.item_id = ANY ($1) GROUP BY m.item_id) l USING (item_id)
		WHERE items.id = t.item_id`

	storyItemColumns = `source, encounter_key, encounter_id, state, priority, received_at, setting, specialty, note_types, service_date,
		note_count, code_count, confidence, degraded, reopened_reason, content, version, created_at, updated_at,
		claimed_by, claimed_until, wait_reason, ranker, coder, open_queries, moved_at`
	storyRevisionColumns = `note_id, number, sha256, received_at, stream_seq, encounter_id, patient_id, patient_sex, patient_birth,
		author_id, author_name, attending_id, attending_name, payer, setting, specialty, note_type, service_date, admit_date, due_at, priority, text, stored_at`
	storySetColumns = `set_id, note_id, revision_id, pipeline, is_current, setting, coding_style, ranker, model, degraded, degraded_reason,
		cost_usd, created_at, body, need`
	storyQueryColumns = `item_id, number, to_whom, person_id, person_name, note_id, template, question, asked_by, asked_at, status, answer, closed_by, closed_at`
)

// HasNotes reports whether any note was ever stored.
func (s *Store) HasNotes(ctx context.Context) (has bool, err error) {
	err = s.pool.QueryRow(ctx, sqlHasNotes).Scan(&has)
	return has, wrap("look for notes", err)
}

// WriteStories writes invented items in one transaction, many rows at a time.
// Nothing is announced of them. Note and encounter ids must be new.
func (s *Store) WriteStories(ctx context.Context, stories []coding.Story) error {
	return s.inTx(ctx, "write invented items", func(tx pgx.Tx) error {
		w := storyWriter{tx: tx, stories: stories}
		for _, step := range []func(context.Context) error{w.notes, w.items, w.bodies, w.sets, w.needs, w.acts} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

type storyWriter struct {
	tx        pgx.Tx
	stories   []coding.Story
	noteIDs   []int64 // of all notes in order
	itemIDs   []int64
	revisions []int64
}

// numbers asks for the numbers that rows were given.
func (w *storyWriter) numbers(ctx context.Context, want int, sql string, args ...any) ([]int64, error) {
	rows, err := w.tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err == nil && len(ids) != want {
		return nil, plainf("%d of %d invented rows are there", len(ids), want)
	}
	return ids, err
}

func (w *storyWriter) notes(ctx context.Context) (err error) {
	var rows [][]any
	var sources, names []string
	for _, st := range w.stories {
		for _, n := range st.Notes {
			rows = append(rows, []any{st.Source, n.Note.NoteID, n.StoredAt})
			sources, names = append(sources, st.Source), append(names, n.Note.NoteID)
		}
	}
	if err := copyRows(ctx, w.tx, "notes", "source, note_id, created_at", rows); err != nil {
		return err
	}
	w.noteIDs, err = w.numbers(ctx, len(rows), sqlNumbersOfNotes, sources, names)
	return err
}

func (w *storyWriter) items(ctx context.Context) (err error) {
	var rows, members [][]any
	var sources, keys []string
	for _, st := range w.stories {
		row := itemRow(st)
		rows = append(rows, row)
		sources, keys = append(sources, st.Source), append(keys, row[1].(string)) //nolint:forcetypeassert // itemRow puts it there
	}
	if err := copyRows(ctx, w.tx, "items", storyItemColumns, rows); err != nil {
		return err
	}
	if w.itemIDs, err = w.numbers(ctx, len(rows), sqlNumbersOfItems, sources, keys); err != nil {
		return err
	}
	k := 0
	for i, st := range w.stories {
		for _, n := range st.Notes {
			members = append(members, []any{w.noteIDs[k], w.itemIDs[i], n.StoredAt})
			k++
		}
	}
	return copyRows(ctx, w.tx, "item_notes", "note_id, item_id, added_at", members)
}

// itemRow is what the pipeline and the acts would have left of an item.
func itemRow(st coding.Story) []any {
	first, last := st.Notes[0], st.Notes[len(st.Notes)-1]
	best := map[coding.CodeKey]float64{}
	var types []string
	priority, degraded := 1, false
	var service coding.Date
	for _, n := range st.Notes {
		priority, degraded = max(priority, n.Note.Priority), degraded || n.Set.Degraded
		types = append(types, n.Note.NoteType)
		if service.Before(n.Note.ServiceDate) {
			service = n.Note.ServiceDate
		}
		for _, g := range n.Set.Suggestions {
			k := coding.CodeKey{System: g.System, Code: g.Code}
			best[k] = max(best[k], g.Confidence)
		}
	}
	confidence := 0.0
	if len(best) > 0 {
		confidence = 1
	}
	for _, c := range best {
		confidence = min(confidence, c)
	}
	coder, open := "", 0
	for _, d := range st.Decisions {
		if d.Coder != coding.ByPipeline {
			coder = d.Coder
		}
	}
	for _, q := range st.Queries {
		if q.Status == coding.QueryOpen {
			open++
		}
	}
	return []any{
		st.Source, encounterKey(first.Note), st.EncounterID, string(st.State), priority, first.ReceivedAt, string(st.Setting), st.Specialty, types, dateArg(service),
		len(st.Notes), len(best), confidence, degraded, st.Reopened, len(st.Notes), len(st.Notes) + len(st.Events), first.StoredAt, st.MovedAt,
		st.ClaimedBy, timeArg(st.ClaimedUntil), st.Reason, last.Set.Ranker, coder, open, st.MovedAt,
	}
}

func (w *storyWriter) bodies(ctx context.Context) (err error) {
	var rows [][]any
	for _, st := range w.stories {
		for _, sn := range st.Notes {
			n := sn.Note
			rows = append(rows, []any{
				w.noteIDs[len(rows)], 1, n.SHA256(), sn.ReceivedAt, int64(0), n.EncounterID, n.Patient.ID, n.Patient.Sex, dateArg(n.Patient.BirthDate),
				n.Author.ID, n.Author.Name, n.Attending.ID, n.Attending.Name, n.Payer, string(n.Setting), n.Specialty, n.NoteType,
				dateArg(n.ServiceDate), dateArg(n.AdmitDate), timeArg(n.DueAt), n.Priority, n.Text, sn.StoredAt,
			})
		}
	}
	if err := copyRows(ctx, w.tx, "note_revisions", storyRevisionColumns, rows); err != nil {
		return err
	}
	if w.revisions, err = w.numbers(ctx, len(rows), sqlNumbersOfRevisions, w.noteIDs); err != nil {
		return err
	}
	_, err = w.tx.Exec(ctx, sqlSetRevisions, w.noteIDs, w.revisions)
	return err
}

func (w *storyWriter) sets(ctx context.Context) error {
	var rows, suggestions [][]any
	var names, bodies []string
	k := 0
	for _, st := range w.stories {
		for _, n := range st.Notes {
			body, err := json.Marshal(n.Set)
			if err != nil {
				return plainf("the suggestion set cannot be written as JSON")
			}
			set := n.Set
			rows = append(rows, []any{
				set.SetID, w.noteIDs[k], w.revisions[k], set.Pipeline, true, string(set.Setting), string(set.CodingStyle), set.Ranker, orEmpty(set.Model),
				set.Degraded, orEmpty(set.DegradedReason), set.Usage.CostUSD, set.CreatedAt, json.RawMessage(body),
			})
			bodies = append(bodies, string(body))
			names = append(names, set.SetID)
			k++
		}
	}
	found, err := w.tx.Query(ctx, sqlNeedOfSets, bodies)
	if err != nil {
		return err
	}
	needs, err := pgx.CollectRows(found, pgx.RowTo[float64])
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i] = append(rows[i], needs[i])
	}
	if err := copyRows(ctx, w.tx, "suggestion_sets", storySetColumns, rows); err != nil {
		return err
	}
	ids, err := w.numbers(ctx, len(rows), sqlNumbersOfSets, names)
	if err != nil {
		return err
	}
	k = 0
	for _, st := range w.stories {
		for _, n := range st.Notes {
			for _, g := range n.Set.Suggestions {
				suggestions = append(suggestions, []any{ids[k], int16(g.Rank), string(g.System), g.Code, string(g.Role), g.Confidence})
			}
			k++
		}
	}
	return copyRows(ctx, w.tx, "suggestions", "set_id, rank, system, code, role, confidence", suggestions)
}

// needs lets the database say how much items need a person, from their sets.
func (w *storyWriter) needs(ctx context.Context) error {
	_, err := w.tx.Exec(ctx, sqlSetNeedOfItems, w.itemIDs)
	return err
}

func (w *storyWriter) acts(ctx context.Context) error {
	var decisions, events, queries [][]any
	for i, st := range w.stories {
		id := w.itemIDs[i]
		for _, d := range st.Decisions {
			detail, err := json.Marshal(d.DecisionDetail)
			if err != nil {
				return plainf("a decision cannot be written as JSON")
			}
			decisions = append(decisions, []any{id, d.Seq, string(d.Kind), d.Coder, d.At, d.Content, json.RawMessage(detail)})
		}
		for _, ev := range st.Events {
			events = append(events, []any{ev.At, ev.Actor, ev.Action, id, ev.Target, ev.Digest})
		}
		for _, q := range st.Queries {
			queries = append(queries, []any{
				id, q.Number, string(q.To), q.Person.ID, q.Person.Name, q.NoteID, q.Template, q.Text, q.AskedBy, q.AskedAt,
				string(q.Status), q.Answer, q.ClosedBy, timeArg(q.ClosedAt),
			})
		}
	}
	if err := copyRows(ctx, w.tx, "decisions", "item_id, seq, kind, coder, at, content, detail", decisions); err != nil {
		return err
	}
	if err := copyRows(ctx, w.tx, "audit_events", "at, actor, action, item_id, target, digest", events); err != nil {
		return err
	}
	return copyRows(ctx, w.tx, "item_queries", storyQueryColumns, queries)
}
