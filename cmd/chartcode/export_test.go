package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"chartcode/internal/auth"
	"chartcode/internal/coding"
	"chartcode/internal/review"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// Days are the site's, both included.
func TestExportPeriod(t *testing.T) {
	t.Parallel()
	chicago, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	from, to, err := exportOptions{format: "csv", from: "2026-03-01", to: "2026-03-31"}.period(chicago)
	if err != nil || from.UTC().Format(time.RFC3339) != "2026-03-01T06:00:00Z" || to.UTC().Format(time.RFC3339) != "2026-04-01T05:00:00Z" {
		t.Errorf("from %v to %v, %v", from, to, err)
	}
	if from, to, err := (exportOptions{format: "fhir"}).period(chicago); err != nil || from.Year() != 1 || to.Year() != 9999 {
		t.Errorf("without days: from %v to %v, %v", from, to, err)
	}
	for _, x := range []exportOptions{
		{format: "xml"}, {format: "csv", from: "1 March"}, {format: "csv", to: "2026-3-1"}, {format: "json", source: "north", items: []int64{1}},
		{format: "json", notes: []string{"D-1"}, from: "2026-03-01"},
	} {
		_, _, err := x.period(chicago)
		var exit *exitError
		if !errors.As(err, &exit) || exit.status != exitUsage {
			t.Errorf("%+v gives %v", x, err)
		}
	}
	if _, _, err := (exportOptions{format: "fhir", source: "north", notes: []string{"D-1"}}).period(chicago); err != nil {
		t.Errorf("a note of a source: %v", err)
	}
	for want, x := range map[string]exportOptions{
		"all": {}, "source north from 2026-03-01": {source: "north", from: "2026-03-01"}, "items [4 5]": {items: []int64{4, 5}},
	} {
		if got := x.target(); got != want || strings.HasPrefix(got, " ") {
			t.Errorf("the audit trail says %q, want %q", got, want)
		}
	}
}

// --note writes the item that holds a note of a source, decided on or not, once for
// all notes of one encounter.
func TestExportOfNotes(t *testing.T) {
	t.Parallel()
	url := storetest.MigratedURL(t)
	db := storetest.Open(t, url)
	add := func(seq uint64, source, id, encounter string) {
		n := coding.Note{NoteID: id, Source: source, EncounterID: encounter, Setting: coding.Outpatient, Priority: coding.PriorityUsual, Text: "Essential hypertension."}
		set := coding.SuggestionSet{Schema: 1, SetID: source + id, NoteID: id, Source: source, NoteSHA256: n.SHA256(), Setting: coding.Outpatient, CodingStyle: coding.Billing, Pipeline: "test", CreatedAt: time.Now(),
			Suggestions: []coding.Suggestion{{System: coding.ICD10CM, Code: "I10", Display: "Essential (primary) hypertension", Rank: 1, Role: coding.RoleFirstListed, Confidence: 0.8,
				Evidence: []coding.Evidence{{Span: coding.Span{Start: 0, End: 22}, Text: n.Text[:22]}}}}}
		if _, err := db.SaveResult(t.Context(), store.Result{Note: n, SHA256: n.SHA256(), ReceivedAt: time.Now(), StreamSeq: seq, Set: set}); err != nil {
			t.Fatal(err)
		}
	}
	add(1, "north", "X-1", "E-1")
	add(2, "north", "X-2", "E-1")
	add(3, "north", "X-3", "E-3")
	add(4, coding.DefaultSource, "X-1", "")
	accounts, err := auth.New(auth.Config{Store: db, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ann, err := accounts.AddUser(t.Context(), auth.ByConsole, auth.NewUser{Login: "ann", Name: "Ann", Role: coding.RoleCoder})
	if err != nil {
		t.Fatal(err)
	}
	reviews, err := review.New(review.Config{Store: db, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	item, err := db.ItemHoldingNote(t.Context(), "north", "X-3")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []review.Act{{Kind: coding.Accept, Code: coding.CodeKey{System: coding.ICD10CM, Code: "I10"}}, {Kind: coding.Finish}} {
		if _, err := reviews.Decide(t.Context(), ann, item, a); err != nil {
			t.Fatal(err)
		}
	}
	before, err := db.AuditCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, "CHARTCODE_DATABASE_URL="+url)
	for _, c := range []struct {
		args []string
		want []string // notes of each review, and who finished it
	}{
		{[]string{"--source", "north", "--note", "X-2", "--note", "X-1"}, []string{"X-1 X-2 by "}},
		{[]string{"--source", "north", "--note", "X-3", "--note", "X-2"}, []string{"X-3 by ann", "X-1 X-2 by "}},
		{[]string{"--note", "X-1"}, []string{"X-1 by "}},
	} {
		out, code := s.run(append([]string{"export", "--format", "json"}, c.args...)...)
		var list []coding.Review
		if err := json.Unmarshal([]byte(out), &list); err != nil || code != exitGood {
			t.Fatalf("%v: status %d, %v", c.args, code, err)
		}
		var got []string
		for _, r := range list {
			got = append(got, strings.Join(r.NoteIDs, " ")+" by "+r.Coder)
			if len(r.Codes) != 1 || r.Codes[0].Code != "I10" || (r.Codes[0].Origin == "") != (r.Coder == "") {
				t.Errorf("%v: the codes of %v are %+v", c.args, r.NoteIDs, r.Codes)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v wrote %q, want %q", c.args, got, c.want)
		}
	}
	if _, code := s.run("export", "--note", "X-3"); code == exitGood {
		t.Error("a note of another source was written")
	}
	after, err := db.AuditCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if events := after.Events - before.Events; events != 3 {
		t.Errorf("the audit trail tells of %d exports, want 3", events)
	}
}
