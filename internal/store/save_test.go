package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// note is a full note; tests change what they need.
func note(id, encounter string) coding.Note {
	return coding.Note{
		NoteID: id, Source: "north", EncounterID: encounter,
		Patient: coding.Patient{ID: "P9", Sex: "female", BirthDate: coding.NewDate(1958, 4, 2)},
		Author:  coding.Person{ID: "A1", Name: "Dr. One"}, Attending: coding.Person{ID: "A2", Name: "Dr. Two"},
		Payer: "medicare", Setting: coding.Outpatient, Specialty: "Cardiology", NoteType: "progress note",
		ServiceDate: coding.NewDate(2026, 3, 14), AdmitDate: coding.NewDate(2026, 3, 12), DueAt: noon.Add(48 * time.Hour),
		Priority: 5, Text: "Chest pain. Hypertension.",
	}
}

func suggestion(code string, rank int, confidence float64) coding.Suggestion {
	role := coding.RoleSecondary
	if rank == 1 {
		role = coding.RoleFirstListed
	}
	return coding.Suggestion{
		System: coding.ICD10CM, Code: code, Display: "title of " + code, Rank: rank, Role: role, Confidence: confidence,
		Evidence: []coding.Evidence{{Span: coding.Span{Start: 0, End: 10}, Text: "Chest pain"}}, Rationale: "matches",
		Warnings: []coding.Finding{},
	}
}

// result is what the pipeline would hand over; seq says when it was received.
func result(n coding.Note, seq int, suggestions ...coding.Suggestion) store.Result {
	sha := n.SHA256()
	if suggestions == nil {
		suggestions = []coding.Suggestion{}
	}
	return store.Result{
		Note: n, SHA256: sha, ReceivedAt: noon.Add(time.Duration(seq) * time.Second), StreamSeq: uint64(seq),
		Set: coding.SuggestionSet{
			Schema: 1, SetID: fmt.Sprintf("set-%s-%d-%s", n.NoteID, seq, sha[:8]), NoteID: n.NoteID, Source: n.Source, NoteSHA256: sha,
			Releases: map[coding.System]string{coding.ICD10CM: "2026"}, Setting: coding.Outpatient, CodingStyle: coding.Billing,
			Ranker: "local@1", Pipeline: "test+1", Notices: []coding.Notice{}, CreatedAt: noon, Suggestions: suggestions,
			Candidates: []coding.Candidate{},
		},
	}
}

func save(t testing.TB, s *store.Store, r store.Result, want store.Outcome) {
	t.Helper()
	got, err := s.SaveResult(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("saving %s: %s, want %s", r.Note.NoteID, got, want)
	}
}

// itemRow is an item as tests look at it.
type itemRow struct {
	ID             int64
	Key, Encounter string
	State          string
	Priority       int
	ReceivedAt     time.Time
	DueAt          *time.Time
	Setting        string
	Specialty      string
	NoteTypes      []string
	ServiceDate    *time.Time
	Notes, Codes   int
	Confidence     float64
	Degraded       bool
	Reopened       string
	Changed        string
	Content        int64
	Version        int64
}

// items gives the items that have notes, by key.
func items(t testing.TB, s *store.Store) map[string]itemRow {
	t.Helper()
	rows, err := store.Pool(s).Query(t.Context(), `SELECT id, encounter_key, encounter_id, state, priority, received_at, due_at,
		setting, specialty, note_types, service_date, note_count, code_count, confidence, degraded,
		reopened_reason, changed_reason, content, version FROM items WHERE note_count > 0`)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[itemRow])
	if err != nil {
		t.Fatal(err)
	}
	byKey := map[string]itemRow{}
	for _, it := range list {
		it.ReceivedAt = it.ReceivedAt.UTC()
		if it.DueAt != nil {
			due := it.DueAt.UTC()
			it.DueAt = &due
		}
		byKey[it.Key] = it
	}
	return byKey
}

func itemNotes(t testing.TB, s *store.Store, itemID int64) ([]coding.ItemNote, error) {
	t.Helper()
	r, found, err := s.ItemRecord(t.Context(), itemID, nil)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return r.Notes, err
}

func TestSaveResult(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := storetest.New(t)
	n := note("D-1", "E7")
	n.Text = "Chest pain.\t“Quoted” – naïve 日本"
	r := result(n, 1, suggestion("I10", 1, 0.9), suggestion("R07.9", 2, 0.4))
	seen, err := s.Seen(ctx, "north", "D-1", r.SHA256)
	if err != nil || seen {
		t.Errorf("seen before it came: %v, %v", seen, err)
	}
	save(t, s, r, store.Created)
	if seen, err := s.Seen(ctx, "north", "D-1", r.SHA256); err != nil || !seen {
		t.Errorf("seen: %v, %v", seen, err)
	}
	if seen, err := s.Seen(ctx, "south", "D-1", r.SHA256); err != nil || seen {
		t.Errorf("seen from another source: %v, %v", seen, err)
	}

	it := items(t, s)["e:E7"]
	service, due := n.ServiceDate.Time(), n.DueAt
	want := itemRow{
		ID: it.ID, Key: "e:E7", Encounter: "E7", State: "open", Priority: 5, ReceivedAt: r.ReceivedAt, DueAt: &due,
		Setting: "outpatient", Specialty: "Cardiology", NoteTypes: []string{"progress note"}, ServiceDate: &service,
		Notes: 1, Codes: 2, Confidence: 0.4, Content: 1, Version: 1,
	}
	if diff := cmp.Diff(want, it); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}

	notes, err := itemNotes(t, s, it.ID)
	if err != nil || len(notes) != 1 {
		t.Fatalf("%d notes: %v", len(notes), err)
	}
	if notes[0].Note != n {
		t.Errorf("note (-want +got):\n%s", cmp.Diff(n, notes[0].Note, sameDate))
	}
	if notes[0].Revision != 1 || !notes[0].ReceivedAt.Equal(r.ReceivedAt) {
		t.Errorf("revision %d received at %v", notes[0].Revision, notes[0].ReceivedAt)
	}
	if diff := cmp.Diff(&r.Set, notes[0].Set); diff != "" {
		t.Errorf("set (-want +got):\n%s", diff)
	}
	set, err := s.SetForNote(ctx, "north", "D-1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Set, set); diff != "" {
		t.Errorf("set (-want +got):\n%s", diff)
	}
	if _, err := s.SetForNote(ctx, "north", "D-2"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("set of no note: %v", err)
	}
	if sha, err := s.NoteSHA256(ctx, "north", "D-1"); err != nil || sha != r.SHA256 {
		t.Errorf("hash %s: %v", sha, err)
	}
	if id, err := s.ItemHoldingNote(ctx, "north", "D-1"); err != nil || id == 0 {
		t.Errorf("the note is in item %d, %v", id, err)
	}
	if _, err := s.ItemHoldingNote(ctx, "south", "D-1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the item of a note that is not there: %v", err)
	}
	wantCounts(t, s, store.Counts{NotesReceived: 1, Items: 1, SuggestionSets: 1, Current: 1})

	// The same body again, of the same or another version of the program.
	again := r
	again.Set.SetID, again.Set.Pipeline, again.StreamSeq = "other", "test+2", 9
	save(t, s, again, store.Duplicate)
	wantCounts(t, s, store.Counts{NotesReceived: 1, Items: 1, SuggestionSets: 1, Current: 1})
	if diff := cmp.Diff(want, items(t, s)["e:E7"]); diff != "" {
		t.Errorf("item after a duplicate (-want +got):\n%s", diff)
	}
}

func wantCounts(t testing.TB, s *store.Store, want store.Counts) {
	t.Helper()
	got, err := s.Counts(t.Context())
	if err != nil || got != want {
		t.Errorf("counts %+v, want %+v: %v", got, want, err)
	}
}

// A note with nothing but what is required, and no suggestions.
func TestSaveSparseNote(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	n := coding.Note{NoteID: "D 1/é", Source: "default", Priority: 5, Text: "x"}
	save(t, s, result(n, 1), store.Created)
	it, ok := items(t, s)["n:D 1/é"]
	if !ok || it.Codes != 0 || it.Confidence != 0 || it.DueAt != nil || it.ServiceDate != nil || it.Encounter != "" {
		t.Errorf("item %+v", it)
	}
	notes, err := itemNotes(t, s, it.ID)
	if err != nil || len(notes) != 1 || notes[0].Note != n || len(notes[0].Set.Suggestions) != 0 {
		t.Errorf("notes %+v: %v", notes, err)
	}
}

// An encounter and a note may have the same name without being one.
func TestEncounterIsNotNote(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	save(t, s, result(note("X", ""), 1), store.Created)
	save(t, s, result(note("D-1", "X"), 2), store.Created)
	other := note("X", "")
	other.Source = "south"
	save(t, s, result(other, 3), store.Created)
	wantCounts(t, s, store.Counts{NotesReceived: 3, Items: 3, SuggestionSets: 3, Current: 3})
}

func TestRevision(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := storetest.New(t)
	first := note("D-1", "")
	save(t, s, result(first, 1, suggestion("I10", 1, 0.9)), store.Created)
	second := first
	second.Text, second.Priority, second.Setting = "No chest pain.", 8, coding.Inpatient
	r := result(second, 2, suggestion("E11.9", 1, 0.7), suggestion("I10", 2, 0.6), suggestion("Z00.00", 3, 0.5))
	r.Set.Setting, r.Set.Degraded = coding.Inpatient, true
	save(t, s, r, store.Revised)

	it := items(t, s)["n:D-1"]
	if it.State != "open" || it.Priority != 8 || it.Setting != "inpatient" || it.Codes != 3 || it.Confidence != 0.5 || !it.Degraded ||
		it.Changed != "note changed" || it.Reopened != "" || it.Content != 2 || it.Version != 2 || it.Notes != 1 ||
		!it.ReceivedAt.Equal(noon.Add(time.Second)) {
		t.Errorf("item %+v", it)
	}
	notes, err := itemNotes(t, s, it.ID)
	if err != nil || len(notes) != 1 || notes[0].Note != second || notes[0].Revision != 2 || notes[0].Set.SetID != r.Set.SetID {
		t.Errorf("notes %+v: %v", notes, err)
	}
	wantCounts(t, s, store.Counts{NotesReceived: 1, Items: 1, SuggestionSets: 2, Current: 1})

	// The first body again is no revision: it was seen before.
	save(t, s, result(first, 3), store.Duplicate)

	// One received between the two came late.
	late := first
	late.Text, late.EncounterID, late.Priority = "Late.", "E9", 9
	lateResult := result(late, 1, suggestion("A00.0", 1, 0.1))
	lateResult.StreamSeq = 2
	save(t, s, lateResult, store.Superseded)
	if diff := cmp.Diff(it, items(t, s)["n:D-1"]); diff != "" {
		t.Errorf("a superseded body changed the item (-want +got):\n%s", diff)
	}
	wantCounts(t, s, store.Counts{NotesReceived: 1, Items: 1, SuggestionSets: 3, Current: 1})
	set, err := s.SetForNote(ctx, "north", "D-1")
	if err != nil || set.SetID != r.Set.SetID {
		t.Errorf("current is %s: %v", set.SetID, err)
	}
	var announced []string
	if _, err := s.RelayOutbox(ctx, 10, func(_ context.Context, row store.OutboxRow) error {
		announced = append(announced, row.MessageID)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if want := []string{result(first, 1).Set.SetID, r.Set.SetID}; !cmp.Equal(want, announced) {
		t.Errorf("announced %q, want %q", announced, want)
	}
}

// A later received body of the same moment is told by its place in the stream.
func TestRevisionsOfOneMoment(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	at := noon.Add(1500 * time.Nanosecond)
	for i, step := range []struct {
		seq  uint64
		want store.Outcome
	}{{7, store.Created}, {9, store.Revised}, {8, store.Superseded}, {10, store.Revised}} {
		n := note("D-1", "")
		n.Text = fmt.Sprint("body ", i)
		r := result(n, i)
		r.ReceivedAt, r.StreamSeq = at, step.seq
		save(t, s, r, step.want)
	}
}

func TestEncounterOfSeveralNotes(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	admission := note("A", "E7")
	admission.NoteType, admission.ServiceDate, admission.Priority = "admission note", coding.NewDate(2026, 3, 12), 3
	admission.DueAt = noon.Add(time.Hour)
	discharge := note("B", "E7")
	discharge.NoteType, discharge.ServiceDate, discharge.Specialty, discharge.DueAt = "discharge summary", coding.NewDate(2026, 3, 16), "", time.Time{}
	r := result(discharge, 1, suggestion("I10", 1, 0.5), suggestion("E11.9", 2, 0.8))
	r.Set.Setting = coding.Inpatient
	save(t, s, r, store.Created)
	save(t, s, result(admission, 2, suggestion("R07.9", 1, 0.7), suggestion("I10", 2, 0.6)), store.Created)

	it := items(t, s)["e:E7"]
	service, due := discharge.ServiceDate.Time(), admission.DueAt
	want := itemRow{
		ID: it.ID, Key: "e:E7", Encounter: "E7", State: "open", Priority: 5, ReceivedAt: noon.Add(time.Second), DueAt: &due,
		Setting: "inpatient", Specialty: "Cardiology", NoteTypes: []string{"admission note", "discharge summary"}, ServiceDate: &service,
		Notes: 2, Codes: 3, Confidence: 0.6, Changed: "new note", Content: 2, Version: 2,
	}
	if diff := cmp.Diff(want, it); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
	notes, err := itemNotes(t, s, it.ID)
	if err != nil || len(notes) != 2 || notes[0].Note.NoteID != "A" || notes[1].Note.NoteID != "B" {
		t.Errorf("notes %+v: %v", notes, err)
	}
}

// finish is what a coder's finishing leaves.
func finish(t testing.TB, s *store.Store, itemID int64) {
	t.Helper()
	for _, sql := range []string{
		`INSERT INTO decisions (item_id, seq, kind, coder, at, content, detail)
			SELECT $1, count(*) + 1, 'finish', 'ann', now(), 1, '{"disposition":"completed"}' FROM decisions WHERE item_id = $1`,
		`UPDATE items SET state = 'finished', reopened_reason = '' WHERE id = $1`,
	} {
		if _, err := store.Pool(s).Exec(t.Context(), sql, itemID); err != nil {
			t.Fatal(err)
		}
	}
}

func decisions(t testing.TB, s *store.Store, itemID int64) []string {
	t.Helper()
	rows, err := store.Pool(s).Query(t.Context(),
		`SELECT format('%s %s %s %s %s', seq, kind, coder, content, detail->>'reason') FROM decisions WHERE item_id = $1 ORDER BY seq`, itemID)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestFinishedItemIsReopened(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	save(t, s, result(note("A", "E7"), 1), store.Created)
	id := items(t, s)["e:E7"].ID
	finish(t, s, id)

	// What was seen before reopens nothing.
	save(t, s, result(note("A", "E7"), 1), store.Duplicate)
	if it := items(t, s)["e:E7"]; it.State != "finished" {
		t.Errorf("a duplicate left the item %s", it.State)
	}
	changed := note("A", "E7")
	changed.Text = "Changed."
	save(t, s, result(changed, 2), store.Revised)
	it := items(t, s)["e:E7"]
	if it.State != "open" || it.Reopened != "note changed" || it.Changed != "note changed" || it.Content != 2 {
		t.Errorf("item %+v", it)
	}
	finish(t, s, id)
	save(t, s, result(note("B", "E7"), 3), store.Created)
	it = items(t, s)["e:E7"]
	if it.State != "open" || it.Reopened != "new note" || it.Notes != 2 {
		t.Errorf("item %+v", it)
	}
	want := []string{"1 finish ann 1 ", "2 reopen pipeline 2 note changed", "3 finish ann 1 ", "4 reopen pipeline 3 new note"}
	if diff := cmp.Diff(want, decisions(t, s, id)); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
}

// Other states stay: somebody is at it, and is told by the item's content.
func TestStateIsKept(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for i, state := range []string{"held", "queried"} {
		id := fmt.Sprint("D-", i)
		save(t, s, result(note(id, ""), 1), store.Created)
		setState(t, s, items(t, s)["n:"+id].ID, state)
		changed := note(id, "")
		changed.Text = "Changed."
		save(t, s, result(changed, 2), store.Revised)
		if it := items(t, s)["n:"+id]; it.State != state || it.Changed != "note changed" || it.Content != 2 || it.Reopened != "" {
			t.Errorf("item %+v", it)
		}
	}
}

func setState(t testing.TB, s *store.Store, itemID int64, state string) {
	t.Helper()
	if _, err := store.Pool(s).Exec(t.Context(), "UPDATE items SET state = $2, open_queries = CASE $2 WHEN 'queried' THEN 1 ELSE 0 END WHERE id = $1", itemID, state); err != nil {
		t.Fatal(err)
	}
}

func TestNoteMovesToAnotherEncounter(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	save(t, s, result(note("A", "E1"), 1, suggestion("I10", 1, 0.9)), store.Created)
	save(t, s, result(note("B", "E1"), 2, suggestion("R07.9", 1, 0.5)), store.Created)
	save(t, s, result(note("C", "E2"), 3), store.Created)
	before := items(t, s)
	finish(t, s, before["e:E1"].ID)
	finish(t, s, before["e:E2"].ID)

	save(t, s, result(note("B", "E2"), 4, suggestion("R07.9", 1, 0.5)), store.Revised)
	after := items(t, s)
	if it := after["e:E1"]; it.State != "open" || it.Reopened != "note changed" || it.Notes != 1 || it.Codes != 1 {
		t.Errorf("the item that it left: %+v", it)
	}
	if it := after["e:E2"]; it.State != "open" || it.Reopened != "new note" || it.Notes != 2 || it.Codes != 1 {
		t.Errorf("the item that it came to: %+v", it)
	}

	// The last note leaves: the item is in no list any more, and comes back with the next note.
	finish(t, s, before["e:E1"].ID)
	save(t, s, result(note("A", "E2"), 5), store.Revised)
	after = items(t, s)
	if _, there := after["e:E1"]; there || after["e:E2"].Notes != 3 {
		t.Errorf("items %+v", after)
	}
	wantCounts(t, s, store.Counts{NotesReceived: 3, Items: 1, SuggestionSets: 5, Current: 3})
	save(t, s, result(note("D", "E1"), 6), store.Created)
	if it := items(t, s)["e:E1"]; it.ID != before["e:E1"].ID || it.State != "open" || it.Notes != 1 || it.Reopened != "new note" {
		t.Errorf("the item that came back: %+v", it)
	}
}

func TestSaveRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for name, spoil := range map[string]func(*store.Result){
		"no hash":                   func(r *store.Result) { r.SHA256 = "" },
		"no time":                   func(r *store.Result) { r.ReceivedAt = time.Time{} },
		"no set id":                 func(r *store.Result) { r.Set.SetID = "" },
		"set of another note":       func(r *store.Result) { r.Set.NoteID = "D-2" },
		"set of another body":       func(r *store.Result) { r.Set.NoteSHA256 = "x" },
		"confidence over 1":         func(r *store.Result) { r.Set.Suggestions[0].Confidence = 1.5 },
		"two suggestions of a code": func(r *store.Result) { r.Set.Suggestions = append(r.Set.Suggestions, suggestion("I10", 2, 0.3)) },
		"priority 0":                func(r *store.Result) { r.Note.Priority = 0 },
	} {
		r := result(note("D-1", ""), 1, suggestion("I10", 1, 0.9))
		spoil(&r)
		if out, err := s.SaveResult(t.Context(), r); err == nil || out != "" {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
	wantCounts(t, s, store.Counts{})
	if n, _, err := s.OutboxAge(t.Context()); err != nil || n != 0 {
		t.Errorf("%d announcements: %v", n, err)
	}
}
