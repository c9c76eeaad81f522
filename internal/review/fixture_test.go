package review_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/auth"
	"chartcode/internal/coding"
	"chartcode/internal/review"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

const lease = 10 * time.Minute

// fixture is a review service on a real store, with a clock that tests move.
type fixture struct {
	url string
	*review.Service
	t     testing.TB
	store *store.Store

	mu     sync.Mutex
	offset time.Duration // of the service's clock from the database's
	sets   int
}

func (f *fixture) log() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (f *fixture) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Add(f.offset)
}

func (f *fixture) move(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.offset += d
}

func setUp(t testing.TB) *fixture {
	t.Helper()
	url := storetest.MigratedURL(t)
	f := &fixture{t: t, store: storetest.Open(t, url), url: url}
	var err error
	f.Service, err = review.New(review.Config{Store: f.store, Logger: slog.New(slog.DiscardHandler), Now: f.now, Lease: lease})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// analyze brings up to date what the database knows of its tables, as it does by
// itself from time to time.
func (f *fixture) analyze() {
	f.t.Helper()
	conn, err := pgx.Connect(f.t.Context(), f.url)
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close(f.t.Context())
	if _, err := conn.Exec(f.t.Context(), "VACUUM ANALYZE items, notes, item_notes, note_revisions, suggestion_sets, decisions"); err != nil {
		f.t.Fatal(err)
	}
}

// users makes accounts, because claims show the name of who holds them.
func (f *fixture) users(role coding.UserRole, logins ...string) []coding.User {
	f.t.Helper()
	a, err := auth.New(auth.Config{Store: f.store, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.t.Fatal(err)
	}
	var out []coding.User
	for _, l := range logins {
		u, err := a.AddUser(f.t.Context(), auth.ByConsole, auth.NewUser{Login: l, Name: strings.ToUpper(l[:1]) + l[1:], Role: role})
		if err != nil {
			f.t.Fatal(err)
		}
		out = append(out, u)
	}
	return out
}

// sug is a suggestion of a code for words of a note.
type sug struct {
	code       string
	words      string
	confidence float64
	warnings   []coding.Finding
}

// note is a note to be stored with its suggestions.
func note(id, encounter, text string) coding.Note {
	return coding.Note{
		NoteID: id, Source: "north", EncounterID: encounter, Setting: coding.Outpatient, Specialty: "Cardiology",
		NoteType: "progress note", ServiceDate: coding.NewDate(2026, 3, 14), Priority: coding.PriorityUsual, Text: text,
	}
}

// save stores a note as the pipeline does.
func (f *fixture) save(n coding.Note, suggestions ...sug) {
	f.t.Helper()
	f.mu.Lock()
	f.sets++
	id := f.sets
	f.mu.Unlock()
	set := coding.SuggestionSet{
		Schema: 1, SetID: fmt.Sprint("set-", id), NoteID: n.NoteID, Source: n.Source, NoteSHA256: n.SHA256(), Setting: n.Setting,
		CodingStyle: coding.Billing, Ranker: "local@1", Pipeline: "test", CreatedAt: f.now(), Notices: []coding.Notice{},
		Suggestions: []coding.Suggestion{}, Candidates: []coding.Candidate{},
	}
	for i, s := range suggestions {
		role := coding.RoleSecondary
		if i == 0 {
			role = coding.RoleFirstListed
			if n.Setting == coding.Inpatient {
				role = coding.RolePrincipal
			}
		}
		at := strings.Index(n.Text, s.words)
		if at < 0 {
			f.t.Fatalf("the note has no %q", s.words)
		}
		set.Suggestions = append(set.Suggestions, coding.Suggestion{
			System: coding.ICD10CM, Code: s.code, Display: "Title of " + s.code, Rank: i + 1, Role: role, Confidence: s.confidence,
			Evidence:  []coding.Evidence{{Span: coding.Span{Start: at, End: at + len(s.words)}, Text: s.words}},
			Rationale: "because of " + s.code, Warnings: s.warnings,
		})
	}
	_, err := f.store.SaveResult(context.WithoutCancel(f.t.Context()), store.Result{
		Note: n, SHA256: n.SHA256(), ReceivedAt: time.Now(), StreamSeq: uint64(id), Set: set,
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

const visit = "Type 2 diabetes with neuropathy. Essential hypertension, well controlled. Hyperlipidemia on statin."

// one stores the usual note and gives its item's id.
func (f *fixture) one() int64 {
	f.t.Helper()
	f.save(note("D-1", "E-1", visit),
		sug{code: "E11.40", words: "Type 2 diabetes with neuropathy", confidence: 0.9},
		sug{code: "I10", words: "Essential hypertension", confidence: 0.8},
		sug{code: "E78.5", words: "Hyperlipidemia", confidence: 0.7})
	return f.only()
}

// only gives the id of the only item.
func (f *fixture) only() int64 {
	f.t.Helper()
	page, err := f.Worklist(f.t.Context(), coding.WorklistQuery{})
	if err != nil || len(page.Items) != 1 {
		f.t.Fatalf("the worklist has %d items, %v; want one", len(page.Items), err)
	}
	return page.Items[0].ID
}

// codes loads a little code set.
func (f *fixture) codes(codes ...string) {
	f.t.Helper()
	in := store.ReleaseImport{
		Release: coding.Release{ID: "icd10cm-2026", System: coding.ICD10CM, Kind: "order", Version: "2026",
			EffectiveFrom: coding.NewDate(2025, 10, 1), Rows: len(codes), Billable: len(codes)},
		SHA256: strings.Repeat("a", 64),
	}
	for _, c := range codes {
		in.Codes = append(in.Codes, coding.Code{System: coding.ICD10CM, Code: c, Title: "Title of " + c, Short: c, Billable: true})
	}
	if _, err := f.store.ImportRelease(f.t.Context(), in); err != nil {
		f.t.Fatal(err)
	}
}

func key(code string) coding.CodeKey { return coding.CodeKey{System: coding.ICD10CM, Code: code} }

func accept(code string) review.Act { return review.Act{Kind: coding.Accept, Code: key(code)} }
func reject(code string) review.Act { return review.Act{Kind: coding.Reject, Code: key(code)} }

// do is an act that must succeed.
func (f *fixture) do(u coding.User, id int64, a review.Act) review.Outcome {
	f.t.Helper()
	out, err := f.Decide(f.t.Context(), u, id, a)
	if err != nil {
		f.t.Fatalf("%s %s by %s: %v", a.Kind, a.Code.Code, u.Login, err)
	}
	return out
}

// item looks at an item.
func (f *fixture) item(u coding.User, id int64) review.Item {
	f.t.Helper()
	it, err := f.Item(f.t.Context(), u, id)
	if err != nil {
		f.t.Fatal(err)
	}
	return it
}

// show writes the list of codes in one line: sequence in the review, code,
// state, role and origin.
func show(codes []review.Code) string {
	var parts []string
	for _, c := range codes {
		s := fmt.Sprintf("%d %s %s", c.Final, c.Code, c.State)
		if c.Listed() {
			s += fmt.Sprintf(" %s %s", c.Role, c.Origin)
		}
		if c.Outdated {
			s += " outdated"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}

func (f *fixture) wantCodes(u coding.User, id int64, want string) {
	f.t.Helper()
	if got := show(f.item(u, id).Codes); got != want {
		f.t.Errorf("the codes are\n  %s\nwant\n  %s", got, want)
	}
}

// announced gives the reviews in the outbox, oldest first, and takes them out.
func (f *fixture) announced() []coding.Review {
	f.t.Helper()
	var out []coding.Review
	for {
		sent, err := f.store.RelayOutbox(f.t.Context(), 1000, func(_ context.Context, row store.OutboxRow) error {
			if !strings.HasPrefix(row.Subject, "reviews.completed.") {
				return nil
			}
			var r coding.Review
			if err := json.Unmarshal(row.Payload, &r); err != nil {
				return err
			}
			if row.Subject != "reviews.completed."+r.Source || row.MessageID != r.ReviewID {
				return fmt.Errorf("subject %s and message id %s do not fit", row.Subject, row.MessageID)
			}
			out = append(out, r)
			return nil
		})
		if err != nil {
			f.t.Fatal(err)
		}
		if sent == 0 {
			return out
		}
	}
}
