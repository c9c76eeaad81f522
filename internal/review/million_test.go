//go:build long

package review_test

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
	"chartcode/internal/review"
	"chartcode/internal/store/storetest"
)

// fill is a list of a million items of one note each, made at once. Half a
// percent is held, a tenth finished (those of four of forty specialties); one specialty is rare, and found
// only among the lowest priorities, which is the worst case for a filter.
var fill = []string{
	`SET session_replication_role = replica`, // no foreign keys are checked: the statements keep them
	`SET maintenance_work_mem = '256MB'`,
	// Indexes are made at the end, which takes a tenth of the time.
	`CREATE TEMPORARY TABLE made_later AS SELECT indexname, indexdef FROM pg_indexes
		WHERE schemaname = current_schema() AND tablename = 'items' AND indexdef NOT LIKE 'CREATE UNIQUE%'`,
	`DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM made_later LOOP EXECUTE 'DROP INDEX ' || quote_ident(r.indexname); END LOOP; END $$`,
	`INSERT INTO items (source, encounter_key, encounter_id, received_at, note_count, priority, state, wait_reason, setting, specialty,
			service_date, code_count, confidence, need, ranker, degraded, moved_at)
		SELECT 'source' || i % 5, 'e:E' || i, 'E' || i, timestamptz '2026-03-14 09:00Z' - i % 2000000 * interval '3 seconds', 1,
			CASE WHEN i % 5000 = 7 THEN 1 ELSE 1 + i % 9 END,
			CASE WHEN i % 200 = 3 THEN 'held' WHEN i % 10 = 1 THEN 'finished' ELSE 'open' END, CASE WHEN i % 200 = 3 THEN 'why' ELSE '' END,
			CASE i % 4 WHEN 0 THEN 'inpatient' WHEN 1 THEN 'outpatient' WHEN 2 THEN 'emergency' ELSE 'professional' END,
			CASE WHEN i % 5000 = 7 THEN 'Rare' ELSE 'Specialty ' || i % 40 END,
			date '2026-03-14' - i % 90, 1, 0.5 + (i % 50) / 100.0, (i % 997) / 1000.0, 'local@' || i % 2, i % 30 = 0,
			timestamptz '2026-03-14 09:00Z' + i * interval '1 millisecond'
		FROM generate_series(1, 1000000) AS i`,
	`INSERT INTO notes (source, note_id) SELECT source, 'D' || id FROM items ORDER BY id`,
	`ANALYZE items, notes`,
	`INSERT INTO note_revisions (note_id, number, sha256, received_at, stream_seq, encounter_id, patient_id, patient_sex, author_id, author_name,
			attending_id, attending_name, payer, setting, specialty, note_type, priority, text)
		SELECT n.id, 1, encode(sha256(n.note_id::bytea), 'hex'), now(), 0, 'E', '', '', '', '', '', '', '', 'outpatient', '', 'progress note', 5,
			'Essential hypertension, well controlled. ' || n.id FROM notes n ORDER BY n.id`,
	`ANALYZE note_revisions`,
	`UPDATE notes SET current_revision_id = r.id FROM note_revisions r WHERE r.note_id = notes.id`,
	`INSERT INTO item_notes (note_id, item_id) SELECT n.id, i.id FROM notes n JOIN items i ON n.note_id = 'D' || i.id`,
	`INSERT INTO suggestion_sets (set_id, note_id, revision_id, pipeline, is_current, setting, coding_style, ranker, model, degraded, degraded_reason,
			cost_usd, created_at, body)
		SELECT 's' || n.id, n.id, n.current_revision_id, 'test', true, 'outpatient', 'billing', 'local@1', '', false, '', 0, now(),
			json_build_object('schema', 1, 'set_id', 's' || n.id, 'note_id', n.note_id, 'source', n.source, 'setting', 'outpatient', 'ranker', 'local@1',
				'suggestions', json_build_array(json_build_object('system', 'ICD-10-CM', 'code', 'I10', 'display', 'Essential (primary) hypertension',
					'rank', 1, 'role', 'first_listed', 'confidence', 0.8,
					'evidence', json_build_array(json_build_object('start', 0, 'end', 22, 'text', 'Essential hypertension')))))
		FROM notes n ORDER BY n.id`,
	`DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM made_later LOOP EXECUTE r.indexdef; END LOOP; END $$`,
	`VACUUM (ANALYZE) items, notes, note_revisions, item_notes, suggestion_sets`,
}

// TestLongMillion measures what coders do with a million items in the list. It
// prints the 95th percentile of each act.
func TestLongMillion(t *testing.T) {
	url := storetest.MigratedURL(t)
	owner, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(t.Context())
	began := time.Now()
	for _, sql := range fill {
		t.Logf("%3.0f s: %.40s ...", time.Since(began).Seconds(), sql)
		if _, err := owner.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%.40s: %v", sql, err)
		}
	}
	t.Logf("a million items were made in %.0f s", time.Since(began).Seconds())
	f := &fixture{t: t, store: storetest.Open(t, url)}
	f.Service, err = review.New(review.Config{Store: f.store, Logger: slog.New(slog.DiscardHandler), Lease: lease})
	if err != nil {
		t.Fatal(err)
	}
	const coders, rounds = 8, 60
	var logins []string
	for i := range coders {
		logins = append(logins, fmt.Sprint("coder", i))
	}
	users := f.users(coding.RoleCoder, logins...)
	queries := map[string]coding.WorklistQuery{
		"all":            {},
		"need":           {Sort: coding.SortNeed},
		"oldest":         {Sort: coding.SortOldest},
		"rare specialty": {Specialties: []string{"Rare"}},
		"two rare":       {Specialties: []string{"Rare", "None"}},
		"specialty":      {Specialties: []string{"Specialty 3"}, Settings: []coding.Setting{coding.Professional, coding.Emergency}},
		"low confidence": {ConfidenceBelow: 0.55, OlderHours: 48},
		"degraded":       {Degraded: new(true)},
	}
	var tm times
	taken := map[int64]string{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, u := range users {
		wg.Go(func() {
			for n := range rounds {
				name := []string{"all", "need", "oldest", "rare specialty", "two rare", "specialty", "low confidence", "degraded"}[n%8]
				q := queries[name]
				var id int64
				tm.of("next "+name, func() error {
					var err error
					id, err = f.Next(t.Context(), u, q, "")
					return err
				}, t)
				mu.Lock()
				if who, twice := taken[id]; twice {
					t.Errorf("item %d went to %s and %s", id, who, u.Login)
				}
				taken[id] = u.Login
				mu.Unlock()
				tm.of("look", func() error { _, err := f.Item(t.Context(), u, id); return err }, t)
				yes := review.Act{Kind: coding.Accept, Code: key("I10"), POA: coding.POAYes}
				tm.of("accept", func() error { _, err := f.Decide(t.Context(), u, id, yes); return err }, t)
				tm.of("finish", func() error { _, err := f.Decide(t.Context(), u, id, review.Act{Kind: coding.Finish}); return err }, t)
				tm.of("page "+name, func() error {
					q.States = []coding.ItemState{coding.ItemOpen}
					page, err := f.Worklist(t.Context(), q)
					if err == nil && len(page.Items) == 0 {
						err = fmt.Errorf("an empty page of %s", name)
					}
					return err
				}, t)
				state := []coding.ItemState{coding.ItemHeld, coding.ItemFinished, coding.ItemClaimed}[n%3]
				tm.of("page "+string(state), func() error {
					_, err := f.Worklist(t.Context(), coding.WorklistQuery{States: []coding.ItemState{state}})
					return err
				}, t)
				if n%4 == 0 {
					tm.of("counts", func() error {
						c, err := f.Counts(t.Context(), u)
						if err == nil && (c.States[coding.ItemOpen] != coding.CountBound || c.States[coding.ItemHeld] != 5000 || len(c.Specialties) != 37) {
							err = fmt.Errorf("counts are %v and %d specialties", c.States, len(c.Specialties))
						}
						return err
					}, t)
				}
			}
		})
	}
	wg.Wait()
	tm.print(t)
}
