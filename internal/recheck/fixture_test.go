package recheck_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartcode/internal/auth"
	"chartcode/internal/catalog"
	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/recheck"
	"chartcode/internal/review"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// fixture is reviews with checks on a real store.
type fixture struct {
	t       testing.TB
	url     string
	store   *store.Store
	checker *recheck.Checker
	review  *review.Service
	coder   coding.User

	mu   sync.Mutex
	sets int
}

func newChecker(t testing.TB, s recheck.Store, batch int) *recheck.Checker {
	t.Helper()
	c, err := recheck.New(recheck.Config{Store: s, Logger: slog.New(slog.DiscardHandler), Batch: batch})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newReview(t testing.TB, s review.Store, check func(context.Context, int64) error) *review.Service {
	t.Helper()
	r, err := review.New(review.Config{Store: s, Logger: slog.New(slog.DiscardHandler), Check: check})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func setUp(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{t: t, url: storetest.MigratedURL(t)}
	f.store = storetest.Open(t, f.url)
	f.checker = newChecker(t, f.store, 2)
	f.review = newReview(t, f.store, nil) // no check on the way: tests say when
	accounts, err := auth.New(auth.Config{Store: f.store, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if f.coder, err = accounts.AddUser(t.Context(), auth.ByConsole, auth.NewUser{Login: "ann", Name: "Ann", Role: coding.RoleCoder}); err != nil {
		t.Fatal(err)
	}
	return f
}

// row is one line of an order file; a header begins with a minus sign.
type row struct{ code, title string }

// orderFile writes a release in the official form and gives its path.
func orderFile(t testing.TB, name string, rows ...row) string {
	t.Helper()
	var b strings.Builder
	for i, r := range rows {
		code, header := strings.CutPrefix(r.code, "-")
		flag := 1
		if header {
			flag = 0
		}
		fmt.Fprintf(&b, "%05d %-7s %d %-60.60s %s\n", i+1, coding.UndotCode(code), flag, r.title, r.title)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// load imports a release file as the program does.
func (f *fixture) load(path string, o codeset.ReadOptions) {
	f.t.Helper()
	l := catalog.Loader{DB: f.store}
	got, err := l.ImportFiles(context.WithoutCancel(f.t.Context()), []string{path}, o)
	if err != nil || len(got) != 1 {
		f.t.Fatalf("importing %s: %v, %v", filepath.Base(path), got, err)
	}
}

// The rows of the small releases. Of 2026's codes, 2027 lacks J98.1, makes a
// header of K52.9 and has another title for M25.5; it has I10 as it was.
var (
	rows2026 = []row{
		{"I10", "Essential (primary) hypertension"},
		{"-J98", "Other respiratory disorders"},
		{"J98.1", "Pulmonary collapse and atelectasis"},
		{"J98.2", "Interstitial emphysema of lung"},
		{"-K52", "Other and unspecified noninfective gastroenteritis and colitis"},
		{"K52.9", "Noninfective gastroenteritis and colitis, unspecified"},
		{"-M25", "Other joint disorder"},
		{"M25.5", "Pain in joint"},
		{"-Z99", "Dependence on machines"},
		{"Z99.9", "Qqq zzz of nothing known"},
	}
	rows2027 = []row{
		{"I10", "Essential (primary) hypertension"},
		{"-J98", "Other respiratory disorders"},
		{"J98.11", "Pulmonary atelectasis and collapse"},
		{"J98.2", "Interstitial emphysema of lung"},
		{"-K52", "Other and unspecified noninfective gastroenteritis and colitis"},
		{"-K52.9", "Noninfective gastroenteritis and colitis, unspecified"},
		{"K52.91", "Noninfective gastroenteritis, unspecified"},
		{"K52.92", "Noninfective colitis, unspecified"},
		{"-M25", "Other joint disorder"},
		{"M25.5", "Arthralgia"},
		{"-Z99", "Dependence on machines"},
		{"Z99.1", "Dependence on respirator"},
	}
)

var november = coding.NewDate(2026, 11, 2)

// save stores a note of an encounter with codes as the pipeline would have
// suggested them with the releases that are loaded, or, with an edition, were.
func (f *fixture) save(id, encounter string, on coding.Date, edition string, codes ...string) {
	f.t.Helper()
	if err := f.trySave(id, encounter, on, edition, codes...); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) trySave(id, encounter string, on coding.Date, edition string, codes ...string) error {
	ctx := context.WithoutCancel(f.t.Context())
	f.mu.Lock()
	f.sets++
	n := f.sets
	f.mu.Unlock()
	releases, err := f.store.Releases(ctx)
	if err != nil {
		return err
	}
	rel, notices, _ := codeset.Releases(releases).Pick(coding.ICD10CM, on)
	if edition == "" {
		edition = codeset.Releases(releases).Edition(on)
	}
	known, err := f.store.Codes(ctx, rel.ID)
	if err != nil {
		return err
	}
	table := codeset.NewTable(rel, known)
	note := coding.Note{NoteID: id, Source: "north", EncounterID: encounter, Setting: coding.Outpatient, ServiceDate: on, Priority: 5,
		Text: fmt.Sprintf("Note %d names %s.", n, strings.Join(codes, ", "))}
	set := coding.SuggestionSet{
		Schema: 1, SetID: fmt.Sprint("set-", n), NoteID: id, Source: "north", NoteSHA256: note.SHA256(), Setting: note.Setting,
		Releases: map[coding.System]string{coding.ICD10CM: rel.Version}, Edition: edition,
		Notices:     append([]coding.Notice{{Code: coding.NoticeSettingAssumed, Message: "assumed"}}, notices...),
		CodingStyle: coding.Billing, Ranker: "local@1", Pipeline: fmt.Sprint("test-", n), CreatedAt: time.Now(), Candidates: []coding.Candidate{},
	}
	for i, code := range codes {
		at := strings.Index(note.Text, code)
		c, _ := table.Lookup(code)
		set.Suggestions = append(set.Suggestions, coding.Suggestion{
			System: coding.ICD10CM, Code: code, Display: c.Title, Rank: i + 1, Role: coding.RoleSecondary, Confidence: 0.5,
			Evidence: []coding.Evidence{{Span: coding.Span{Start: at, End: at + len(code)}, Text: code}},
		})
	}
	_, err = f.store.SaveResult(ctx, store.Result{Note: note, SHA256: note.SHA256(), ReceivedAt: time.Now(), StreamSeq: uint64(n), Set: set})
	return err
}

// due checks what is due.
func (f *fixture) due() int {
	f.t.Helper()
	n, err := f.checker.Due(f.t.Context(), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

// heads gives the items by encounter.
func (f *fixture) heads() map[string]coding.ItemHead {
	f.t.Helper()
	out := map[string]coding.ItemHead{}
	q := coding.WorklistQuery{Limit: 200, Sort: coding.SortOldest}
	for {
		page, err := f.review.Worklist(f.t.Context(), q)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, h := range page.Items {
			out[h.EncounterID] = h
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return out
		}
	}
}

func (f *fixture) id(encounter string) int64 {
	f.t.Helper()
	h, ok := f.heads()[encounter]
	if !ok {
		f.t.Fatalf("no item of encounter %s", encounter)
	}
	return h.ID
}

func (f *fixture) item(encounter string) review.Item {
	f.t.Helper()
	it, err := f.review.Item(f.t.Context(), f.coder, f.id(encounter))
	if err != nil {
		f.t.Fatal(err)
	}
	return it
}

func (f *fixture) try(encounter string, a review.Act) error {
	_, err := f.review.Decide(f.t.Context(), f.coder, f.id(encounter), a)
	return err
}

func (f *fixture) do(encounter string, a review.Act) {
	f.t.Helper()
	if err := f.try(encounter, a); err != nil {
		f.t.Fatalf("%s %s of %s: %v", a.Kind, a.Code.Code, encounter, err)
	}
}

func key(code string) coding.CodeKey { return coding.CodeKey{System: coding.ICD10CM, Code: code} }

// said writes what an item's check says in one line: each code with its status
// and replacements.
func said(it review.Item) string {
	if it.Check == nil {
		return "nothing"
	}
	var parts []string
	for _, c := range it.Check.Codes {
		s := c.Code + " " + string(c.Status)
		for _, r := range c.Replacements {
			s += " " + r.Code
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}

func (f *fixture) wants(encounter, want string, invalid int) {
	f.t.Helper()
	it := f.item(encounter)
	if got := said(it); got != want || it.Invalid != invalid {
		f.t.Errorf("%s: %q with %d not valid, want %q with %d", encounter, got, it.Invalid, want, invalid)
	}
}

// notices are the codes of the notices of an item's notes.
func notices(it review.Item) string {
	var out []string
	for _, n := range it.Notes {
		for _, x := range n.Notices {
			out = append(out, x.Code)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
