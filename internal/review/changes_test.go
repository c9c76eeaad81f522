package review_test

import (
	"slices"
	"strings"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// What the pipeline does to an item while people work on it.

func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	id := f.one()
	seen := f.item(casey, id)
	a := accept("I10")
	a.Content = seen.Content
	f.do(casey, id, a)

	// The note comes again with another text: I10 stays, E11.40 becomes E11.9.
	revised := note("D-1", "E-1", "Type 2 diabetes. Essential hypertension, well controlled.")
	f.save(revised,
		sug{code: "E11.9", words: "Type 2 diabetes", confidence: 0.9},
		sug{code: "I10", words: "Essential hypertension", confidence: 0.8})
	b := accept("E11.9")
	b.Content = seen.Content
	_, err := f.Decide(t.Context(), casey, id, b)
	wantErr(t, "deciding on what was seen before", err, review.ErrChanged)

	it := f.item(casey, id)
	if !it.Changed || !it.Notes[0].Changed || it.Notes[0].Revision != 2 || it.Notes[0].Text != revised.Text || !it.Mine {
		t.Errorf("the change does not show: %+v, note %d changed %v", it.ItemHead, it.Notes[0].Revision, it.Notes[0].Changed)
	}
	f.wantCodes(casey, id, "0 E11.9 undecided; 1 I10 accepted first_listed accepted")
	b.Content = it.Content
	if out := f.do(casey, id, b); out.Item.Changed {
		t.Error("after a decision on the new suggestions it still counts as changed")
	}
}

// What was accepted stays in the list when it is suggested no longer, and says so.
func TestAcceptedButNoLongerSuggested(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	id := f.one()
	f.do(casey, id, accept("E78.5"))
	f.do(casey, id, reject("I10"))
	f.save(note("D-1", "E-1", "Type 2 diabetes with neuropathy. No more to say."),
		sug{code: "E11.40", words: "Type 2 diabetes with neuropathy", confidence: 0.9})
	f.wantCodes(casey, id, "0 E11.40 undecided; 1 E78.5 accepted first_listed accepted outdated; 0 I10 rejected outdated")
	it := f.item(casey, id)
	if len(it.Codes[1].Evidence) != 0 || it.Codes[1].Title != "Title of E78.5" || it.Codes[1].Suggested {
		t.Errorf("evidence that no longer stands in the text is shown: %+v", it.Codes[1])
	}
	// The words are still there, elsewhere nothing changed: the evidence stands.
	f.save(note("D-1", "E-1", visit+" Follow-up in June."))
	if it := f.item(casey, id); len(it.Codes) != 2 || len(it.Codes[0].Evidence) != 1 || it.Codes[0].Evidence[0].Text != "Hyperlipidemia" {
		t.Errorf("got %s", show(it.Codes))
	}
}

func TestReopenedByChangedNote(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	id := f.one()
	f.do(casey, id, accept("I10"))
	f.announced()
	f.do(casey, id, review.Act{Kind: coding.Finish, Confirm: true})
	f.save(note("D-1", "E-1", visit+" Addendum: none."),
		sug{code: "I10", words: "Essential hypertension", confidence: 0.8})
	it := f.item(casey, id)
	if it.State != coding.ItemOpen || it.ReopenedReason != coding.ReopenedNoteChanged || !it.Changed || it.CanUndo {
		t.Errorf("after the change: %+v", it.ItemHead)
	}
	last := it.Timeline[len(it.Timeline)-1]
	if last.Actor != coding.ByPipeline || last.Action != "reopen" || last.Detail != coding.ReopenedNoteChanged {
		t.Errorf("the timeline ends with %+v", last)
	}
	f.wantCodes(casey, id, "1 I10 accepted first_listed accepted")
	out := f.do(casey, id, review.Act{Kind: coding.Finish})
	if out.Item.ReopenedReason != "" {
		t.Error("finished again, it still says why it was reopened")
	}
	if got := f.announced(); len(got) != 2 || got[0].ReviewID == got[1].ReviewID {
		t.Errorf("announced %+v", got)
	}
	if it := f.item(casey, id); it.ReopenedReason != "" || it.ReviewID != out.Decision.ReviewID {
		t.Errorf("stored: %+v", it.ItemHead)
	}
}

func TestEncounterOfSeveralNotes(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	in := func(id, text string, day int) coding.Note {
		n := note(id, "E-7", text)
		n.Setting, n.ServiceDate = coding.Inpatient, coding.NewDate(2026, 3, day)
		return n
	}
	warn := []coding.Finding{{Rule: "laterality", Severity: coding.SeverityWarning, Codes: []string{"J18.9"}, Message: "m", Source: "s"}}
	f.save(in("N-2", "Pneumonia, improving. Hypertension.", 12),
		sug{code: "J18.9", words: "Pneumonia", confidence: 0.95, warnings: warn},
		sug{code: "I10", words: "Hypertension", confidence: 0.6})
	f.save(in("N-1", "Chest pain. Hypertension known. Pneumonia.", 10),
		sug{code: "R07.9", words: "Chest pain", confidence: 0.7},
		sug{code: "I10", words: "Hypertension known", confidence: 0.8},
		sug{code: "J18.9", words: "Pneumonia", confidence: 0.4, warnings: warn})
	id := f.only()
	it := f.item(casey, id)
	if len(it.Notes) != 2 || it.Notes[0].NoteID != "N-1" || it.ItemHead.Notes != 2 {
		t.Fatalf("notes are not in order of service: %+v", it.ItemHead)
	}
	// One principal code: the one that leads a note with the highest confidence.
	f.wantCodes(casey, id, "0 J18.9 undecided; 0 R07.9 undecided; 0 I10 undecided")
	j, i := it.Codes[0], it.Codes[2]
	if j.Role != coding.RolePrincipal || it.Codes[1].Role != coding.RoleSecondary {
		t.Errorf("roles: %s, %s", j.Role, it.Codes[1].Role)
	}
	if i.Confidence != 0.8 || !slices.Equal(i.NoteIDs, []string{"N-1", "N-2"}) || len(i.Evidence) != 2 || i.Evidence[0].NoteID != "N-1" || i.Evidence[1].Text != "Hypertension" {
		t.Errorf("I10 is merged to %+v", i)
	}
	if len(j.Warnings) != 1 {
		t.Errorf("the same warning of two notes is shown %d times", len(j.Warnings))
	}
	for _, c := range []string{"I10", "J18.9"} {
		a := accept(c)
		a.POA = coding.POAYes
		f.do(casey, id, a)
	}
	f.do(casey, id, review.Act{Kind: coding.Finish, Confirm: true})
	// A later note of the encounter reopens it.
	f.save(in("N-3", "Discharged. Pneumonia resolved.", 14), sug{code: "J18.9", words: "Pneumonia", confidence: 0.9})
	it = f.item(casey, id)
	if it.State != coding.ItemOpen || it.ReopenedReason != coding.ReopenedNewNote || len(it.Notes) != 3 || !it.Notes[2].Changed || it.Notes[0].Changed {
		t.Errorf("after a new note: %+v", it.ItemHead)
	}
	f.announced()
	f.do(casey, id, review.Act{Kind: coding.Finish, Confirm: true})
	got := f.announced()
	if len(got) != 1 || !slices.Equal(got[0].NoteIDs, []string{"N-1", "N-2", "N-3"}) || got[0].Codes[0].Code != "J18.9" || got[0].Codes[0].Role != coding.RolePrincipal {
		t.Errorf("announced %+v", got)
	}
	var notes []string
	for _, ev := range got[0].Codes[0].Evidence {
		notes = append(notes, ev.NoteID)
	}
	if !slices.Equal(notes, []string{"N-1", "N-2", "N-3"}) {
		t.Errorf("the evidence names notes %v", notes)
	}
}

// An external cause never leads, even if it is all that was accepted first.
func TestExternalCauseDoesNotLead(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	f.save(note("D-1", "", "Fell from ladder. Wrist sprain."),
		sug{code: "W11.XXXA", words: "Fell from ladder", confidence: 0.9},
		sug{code: "S63.501A", words: "Wrist sprain", confidence: 0.8})
	id := f.only()
	f.do(casey, id, accept("W11.XXXA"))
	f.wantCodes(casey, id, "1 W11.XXXA accepted secondary accepted; 0 S63.501A undecided")
	f.do(casey, id, accept("S63.501A"))
	f.wantCodes(casey, id, "2 W11.XXXA accepted secondary accepted; 1 S63.501A accepted first_listed accepted")
}

// Errors and the audit trail never have the words of a note.
func TestNoNoteTextLeaks(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	id := f.one()
	f.codes("Z79.4")
	for _, a := range []review.Act{
		accept("I10"), accept("nope"), {Kind: coding.Add, Code: key("Z79.4"), Evidence: []coding.Evidence{{Span: coding.Span{Start: 0, End: 31}, Text: "Hyperlipidemia"}}},
		{Kind: coding.Add, Code: key("Z79.4"), Evidence: []coding.Evidence{{NoteID: "D-1", Span: coding.Span{Start: 0, End: 31}}}},
		{Kind: coding.Reject, Code: key("I10"), Reason: "Hyperlipidemia is enough"}, {Kind: coding.Finish},
	} {
		_, err := f.Decide(t.Context(), casey, id, a)
		for _, word := range []string{"diabetes", "ypertension", "yperlipidemia", "D-1"} {
			if err != nil && strings.Contains(err.Error(), word) {
				t.Errorf("%s: the error has %q: %v", a.Kind, word, err)
			}
		}
	}
	if err := f.Hold(t.Context(), casey, id, "Hyperlipidemia unclear", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := f.store.SealAudit(t.Context(), 1000, func(b [32]byte, _ coding.AuditEvent) [32]byte { return b }); err != nil {
		t.Fatal(err)
	}
	events := 0
	for l, err := range f.store.AuditChain(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		events++
		e := l.Event
		if strings.Contains(e.Actor+e.Action+e.Target+e.Digest, "ipidemia") || strings.Contains(e.Target, "D-1") {
			t.Errorf("the trail has note text: %+v", e)
		}
	}
	if events < 4 {
		t.Errorf("only %d events", events)
	}
}
