package qa_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/qa"
	"chartcode/internal/review"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// fixture is quality on a real store, beside the reviews that it is about.
type fixture struct {
	*qa.Service
	t      testing.TB
	store  *store.Store
	review *review.Service
	sets   int
	clock  time.Time // of reviews and quality, when a test sets it
}

func (f *fixture) now() time.Time {
	if f.clock.IsZero() {
		return time.Now()
	}
	return f.clock
}

func setUp(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{t: t, store: storetest.New(t)}
	var err error
	if f.Service, err = qa.New(qa.Config{Store: f.store, Now: f.now}); err != nil {
		t.Fatal(err)
	}
	f.review, err = review.New(review.Config{Store: f.store, Logger: slog.New(slog.DiscardHandler), Now: f.now, Blind: f.store.Blind})
	if err != nil {
		t.Fatal(err)
	}
	in := store.ReleaseImport{SHA256: strings.Repeat("a", 64), Release: coding.Release{ID: "icd10cm-2026", System: coding.ICD10CM, Kind: "order", Version: "2026",
		EffectiveFrom: coding.NewDate(2025, 10, 1), Rows: 5, Billable: 5}}
	for _, c := range []string{"E11.40", "E11.9", "E78.5", "I10", "J45.909"} {
		in.Codes = append(in.Codes, coding.Code{System: coding.ICD10CM, Code: c, Title: "Title of " + c, Short: c, Billable: true})
	}
	if _, err := f.store.ImportRelease(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	return f
}

func user(login string, role coding.UserRole) coding.User {
	return coding.User{Login: login, Name: login, Role: role}
}

func coder(login string) coding.User   { return user(login, coding.RoleCoder) }
func auditor(login string) coding.User { return user(login, coding.RoleAuditor) }

const visit = "Type 2 diabetes with neuropathy. Essential hypertension, well controlled. Hyperlipidemia on statin."

// words are where the codes of the usual note are said.
var words = map[string]string{"E11.40": "Type 2 diabetes with neuropathy", "I10": "Essential hypertension", "E78.5": "Hyperlipidemia"}

func key(code string) coding.CodeKey { return coding.CodeKey{System: coding.ICD10CM, Code: code} }

func note(id string) coding.Note {
	return coding.Note{NoteID: id, Source: "north", EncounterID: "E-" + id, Setting: coding.Outpatient, Specialty: "Cardiology", NoteType: "progress note",
		Patient: coding.Patient{ID: "P-" + id}, ServiceDate: coding.NewDate(2026, 3, 14), Priority: coding.PriorityUsual, Text: visit}
}

func (f *fixture) save(n coding.Note) {
	f.t.Helper()
	f.sets++
	set := coding.SuggestionSet{Schema: 1, SetID: fmt.Sprint("set-", f.sets), NoteID: n.NoteID, Source: n.Source, NoteSHA256: n.SHA256(), Setting: n.Setting,
		CodingStyle: coding.Billing, Ranker: "local@1", Pipeline: "test", CreatedAt: time.Now(), Notices: []coding.Notice{}, Candidates: []coding.Candidate{}}
	for i, code := range []string{"E11.40", "I10", "E78.5"} {
		at := strings.Index(n.Text, words[code])
		if at < 0 {
			continue
		}
		set.Suggestions = append(set.Suggestions, coding.Suggestion{System: coding.ICD10CM, Code: code, Display: "Title of " + code, Rank: i + 1, Role: coding.RoleSecondary,
			Confidence: 0.9 - 0.2*float64(i), RetrievalRank: 3 * (i + 1), Evidence: []coding.Evidence{{Span: coding.Span{Start: at, End: at + len(words[code])}, Text: words[code]}}, Warnings: []coding.Finding{}})
	}
	_, err := f.store.SaveResult(context.WithoutCancel(f.t.Context()), store.Result{Note: n, SHA256: n.SHA256(), ReceivedAt: time.Now(), StreamSeq: uint64(f.sets), Set: set})
	if err != nil {
		f.t.Fatal(err)
	}
}

// finished stores a note and finishes its item as a coder would, who accepts the
// codes named and rejects the others; it gives the item's number.
func (f *fixture) finished(id string, u coding.User, accepted ...string) int64 {
	f.t.Helper()
	f.save(note(id))
	item := f.item(id)
	for _, code := range []string{"E11.40", "I10", "E78.5"} {
		a := review.Act{Kind: coding.Reject, Code: key(code), ReasonCode: coding.RejectNotInNote}
		if strings.Contains(strings.Join(accepted, " "), code) {
			a = review.Act{Kind: coding.Accept, Code: key(code)}
		}
		f.do(u, item, a)
	}
	f.do(u, item, review.Act{Kind: coding.Finish, Confirm: true})
	return item
}

func (f *fixture) do(u coding.User, item int64, a review.Act) {
	f.t.Helper()
	if _, err := f.review.Decide(f.t.Context(), u, item, a); err != nil {
		f.t.Fatalf("%s %s by %s: %v", a.Kind, a.Code.Code, u.Login, err)
	}
}

func (f *fixture) item(noteID string) int64 {
	f.t.Helper()
	page, err := f.store.Worklist(f.t.Context(), coding.WorklistQuery{Sort: coding.SortUpdated, Limit: 200}, time.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	for _, h := range page.Items {
		if h.EncounterID == "E-"+noteID {
			return h.ID
		}
	}
	f.t.Fatalf("no item has note %s", noteID)
	return 0
}

func (f *fixture) sample(d qa.Draw) coding.AuditSample {
	f.t.Helper()
	if d.From.IsZero() {
		d.From, d.Before = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	s, err := f.Sample(f.t.Context(), "console", d)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

// recode takes a case, gives codes in order, and finishes.
func (f *fixture) recode(u coding.User, codes ...string) int64 {
	f.t.Helper()
	id, err := f.TakeCase(f.t.Context(), u)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, c := range codes {
		f.act(u, id, qa.RecodeAct{Kind: qa.Give, Code: key(c)})
	}
	f.act(u, id, qa.RecodeAct{Kind: qa.Finish})
	return id
}

func (f *fixture) act(u coding.User, id int64, a qa.RecodeAct) {
	f.t.Helper()
	if err := f.Recode(f.t.Context(), u, id, a); err != nil {
		f.t.Fatalf("%s %s by %s: %v", a.Kind, a.Code.Code, u.Login, err)
	}
}

func (f *fixture) judge(u coding.User, id int64, right ...string) {
	f.t.Helper()
	var v []qa.Verdict
	for i, c := range right {
		v = append(v, qa.Verdict{Code: key(c), Lead: i == 0})
	}
	if err := f.Judge(f.t.Context(), u, id, v, "see the guideline"); err != nil {
		f.t.Fatal(err)
	}
}
