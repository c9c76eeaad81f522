package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// saveAll saves the results by workers goroutines, in the order of the slice
// as far as that means anything, and counts the outcomes.
func saveAll(t *testing.T, s *store.Store, workers int, results []store.Result) map[store.Outcome]int {
	t.Helper()
	next := make(chan store.Result)
	var mu sync.Mutex
	outcomes := map[store.Outcome]int{}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for r := range next {
				out, err := s.SaveResult(t.Context(), r)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				outcomes[out]++
				mu.Unlock()
			}
		})
	}
	for _, r := range results {
		next <- r
	}
	close(next)
	wg.Wait()
	return outcomes
}

func TestSameNoteFromManyAtOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	var results []store.Result
	for i := range 16 {
		r := result(note("D-1", "E1"), 1, suggestion("I10", 1, 0.9))
		r.Set.SetID = fmt.Sprint("set-", i)
		results = append(results, r)
	}
	got := saveAll(t, s, 16, results)
	if want := map[store.Outcome]int{store.Created: 1, store.Duplicate: 15}; !cmp.Equal(want, got) {
		t.Errorf("outcomes %v, want %v", got, want)
	}
	wantCounts(t, s, store.Counts{NotesReceived: 1, Items: 1, SuggestionSets: 1, Current: 1})
	if n, _, err := s.OutboxAge(t.Context()); err != nil || n != 1 {
		t.Errorf("%d announcements: %v", n, err)
	}
}

func TestNotesOfOneEncounterAtOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	var results []store.Result
	for e := range 20 {
		for n := range 3 {
			results = append(results, result(note(fmt.Sprintf("D-%d-%d", e, n), fmt.Sprint("E", e)), 3*e+n, suggestion("I10", 1, 0.9)))
		}
	}
	got := saveAll(t, s, 16, results)
	if want := map[store.Outcome]int{store.Created: 60}; !cmp.Equal(want, got) {
		t.Errorf("outcomes %v, want %v", got, want)
	}
	wantCounts(t, s, store.Counts{NotesReceived: 60, Items: 20, SuggestionSets: 60, Current: 60})
	for key, it := range items(t, s) {
		if it.Notes != 3 || it.Content != 3 || it.Codes != 1 {
			t.Errorf("item %s: %+v", key, it)
		}
	}
}

// In whatever order and however often revisions come, and by however many, the
// end is as if each had come once, in order.
func TestRevisionsInAnyOrder(t *testing.T) {
	t.Parallel()
	const notesN, revisions, encounters = 12, 6, 4
	r := rand.New(rand.NewPCG(42, 7))
	codes := []string{"I10", "E11.9", "R07.9", "Z00.00", "N39.0", "J18.9"}
	settings := []coding.Setting{coding.Inpatient, coding.Outpatient}
	var inOrder []store.Result
	seq := 0
	for rev := range revisions {
		for i := range notesN {
			seq++
			n := note(fmt.Sprint("D-", i), "")
			if e := r.IntN(encounters + 1); e > 0 {
				n.EncounterID = fmt.Sprint("E", e)
			}
			n.Text = fmt.Sprint("body ", rev)
			n.Priority = 1 + r.IntN(9)
			n.ServiceDate = coding.NewDate(2026, 3, 1+r.IntN(5))
			n.DueAt = noon.Add(time.Duration(r.IntN(100)) * time.Hour)
			n.Specialty = []string{"", "Cardiology", "Surgery"}[r.IntN(3)]
			n.NoteType = []string{"", "progress note", "consult"}[r.IntN(3)]
			var found []coding.Suggestion
			for k, c := range r.Perm(len(codes))[:r.IntN(4)] {
				found = append(found, suggestion(codes[c], k+1, float64(r.IntN(100))/100))
			}
			res := result(n, seq, found...)
			res.Set.Setting, res.Set.Degraded = settings[r.IntN(2)], r.IntN(4) == 0
			inOrder = append(inOrder, res)
		}
	}
	reference := storetest.New(t)
	saveAll(t, reference, 1, inOrder)

	s := storetest.New(t)
	var shuffled []store.Result
	for copies := range 3 {
		for _, res := range inOrder {
			res.Set.SetID += fmt.Sprint("-", copies)
			shuffled = append(shuffled, res)
		}
	}
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	got := saveAll(t, s, 16, shuffled)
	if got[store.Created] != notesN || got[store.Duplicate] != 2*len(inOrder) || got[store.Revised]+got[store.Superseded] != notesN*(revisions-1) {
		t.Errorf("outcomes %v", got)
	}

	if diff := cmp.Diff(items(t, reference), items(t, s),
		cmpopts.IgnoreFields(itemRow{}, "ID", "Content", "Version", "Changed"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("items (-in order +in any order):\n%s", diff)
	}
	if diff := cmp.Diff(currentNotes(t, reference), currentNotes(t, s)); diff != "" {
		t.Errorf("notes (-in order +in any order):\n%s", diff)
	}
	wantCounts(t, s, store.Counts{NotesReceived: notesN, Items: len(items(t, s)), SuggestionSets: len(inOrder), Current: notesN})
}

// currentNotes gives, for each note, its item, its current body and its current set's body.
func currentNotes(t testing.TB, s *store.Store) []string {
	t.Helper()
	rows, err := store.Pool(s).Query(t.Context(), `
		SELECT format('%s in %s: %s at %s, set of %s', n.note_id, i.encounter_key, r.sha256, r.stream_seq, sr.stream_seq)
		FROM notes n JOIN item_notes l ON l.note_id = n.id JOIN items i ON i.id = l.item_id
		JOIN note_revisions r ON r.id = n.current_revision_id
		JOIN suggestion_sets s ON s.note_id = n.id AND s.is_current JOIN note_revisions sr ON sr.id = s.revision_id`)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// A coder who finishes an item at the moment in which a note of it changes:
// whatever comes first, no change stays unseen in a finished item.
func TestFinishingWhileNotesChange(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	save(t, s, result(note("D-1", ""), 0), store.Created)
	id := items(t, s)["n:D-1"].ID
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			n := note("D-1", "")
			n.Text = fmt.Sprint("body ", i)
			if _, err := s.SaveResult(t.Context(), result(n, i+1)); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			err := pgx.BeginFunc(t.Context(), store.Pool(s), func(tx pgx.Tx) error {
				var content int64
				if err := tx.QueryRow(t.Context(), "SELECT content FROM items WHERE id = $1 FOR UPDATE", id).Scan(&content); err != nil {
					return err
				}
				if _, err := tx.Exec(t.Context(), `INSERT INTO decisions (item_id, seq, kind, coder, at, content, detail)
					SELECT $1, count(*) + 1, 'finish', 'ann', now(), $2, '{}' FROM decisions WHERE item_id = $1`, id, content); err != nil {
					return err
				}
				_, err := tx.Exec(t.Context(), "UPDATE items SET state = 'finished' WHERE id = $1", id)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var state, last string
	var content, decided int64
	var gaps bool
	err := store.Pool(s).QueryRow(t.Context(), `SELECT i.state, i.content, d.kind, d.content,
			(SELECT max(seq) <> count(*) FROM decisions WHERE item_id = i.id)
		FROM items i JOIN decisions d ON d.item_id = i.id WHERE i.id = $1 ORDER BY d.seq DESC LIMIT 1`, id).
		Scan(&state, &content, &last, &decided, &gaps)
	if err != nil {
		t.Fatal(err)
	}
	if gaps {
		t.Error("decisions have gaps")
	}
	if state == "finished" && (last != "finish" || decided != content) {
		t.Errorf("finished on content %d by %s, but the content is %d", decided, last, content)
	}
	if state == "open" && last != "reopen" {
		t.Errorf("open, but the last decision is %s", last)
	}
}
