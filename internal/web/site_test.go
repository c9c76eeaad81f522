package web_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartcode/internal/auth"
	"chartcode/internal/codebook"
	"chartcode/internal/coding"
	"chartcode/internal/qa"
	"chartcode/internal/review"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
	"chartcode/internal/web"
	"chartcode/pipeline/intake"
	"chartcode/pipeline/segment"
)

// site is the web on a real store, with a clock that tests move.
type site struct {
	*httptest.Server
	t       testing.TB
	store   *store.Store
	url     string // of the store
	auth    *auth.Service
	review  *review.Service
	quality *qa.Service
	logs    *lockedBuffer
	links   map[coding.UserRole]string
	sent    *submissions
	cut     atomic.Bool // posts are carried out, but their answers never arrive
	down    atomic.Bool // nothing is answered

	mu     sync.Mutex
	offset time.Duration
	sets   int
}

func (s *site) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.offset)
}

func (s *site) move(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
}

// lockedBuffer collects the log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// submissions stands for the queue, which belongs to another package: it keeps
// what was published.
type submissions struct {
	mu     sync.Mutex
	bodies []string
	fail   error
}

func (s *submissions) Submit(_ context.Context, _ coding.Note, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.bodies = append(s.bodies, string(body))
	return nil
}

type known struct{ store *store.Store }

func (k known) NoteHash(ctx context.Context, source, noteID string) (string, bool, error) {
	sha, err := k.store.NoteSHA256(ctx, source, noteID)
	if errors.Is(err, store.ErrNotFound) {
		return "", false, nil
	}
	return sha, err == nil, err
}

const (
	lease   = 10 * time.Minute
	codeSet = "ICD-10-CM 2026, 12 billable codes"
)

// noteReader reads each note once, as the program's does.
type noteReader struct{ known sync.Map }

func (r *noteReader) read(text string, setting coding.Setting) *coding.Document {
	key := string(setting) + text
	if doc, ok := r.known.Load(key); ok {
		return doc.(*coding.Document)
	}
	doc := segment.Segment(coding.Note{Text: text, Setting: setting})
	r.known.Store(key, doc)
	return doc
}

// newSite serves an empty store. Change, unless nil, changes the configuration.
func newSite(t testing.TB, change ...func(*web.Config)) *site {
	t.Helper()
	return newSiteOn(t, storetest.MigratedURL(t), change...)
}

// newSiteOn serves the store at a URL.
func newSiteOn(t testing.TB, databaseURL string, change ...func(*web.Config)) *site {
	t.Helper()
	s := &site{t: t, store: storetest.Open(t, databaseURL), url: databaseURL, logs: &lockedBuffer{}, links: map[coding.UserRole]string{}, sent: &submissions{}}
	logger := slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	// Hashing costs next to nothing here: what it costs is tested in auth.
	s.auth, err = auth.New(auth.Config{Store: s.store, Logger: logger, Now: s.now, Cost: auth.Cost{Memory: 64, Passes: 1, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	quality, err := qa.New(qa.Config{Store: s.store, Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	s.quality = quality
	var reader noteReader
	s.review, err = review.New(review.Config{Store: s.store, Logger: logger, Now: s.now, Lease: lease, Blind: s.store.Blind,
		Sections: func(text string, setting coding.Setting) []coding.Section { return reader.read(text, setting).Sections }})
	if err != nil {
		t.Fatal(err)
	}
	feed, err := review.NewFeed(s.store, logger)
	if err != nil {
		t.Fatal(err)
	}
	listen, stop := context.WithCancel(context.Background())
	closing, listened := make(chan struct{}), make(chan struct{})
	go func() { defer close(listened); feed.Run(listen) }()
	cfg := web.Config{
		Changes: feed, Versions: s.store, Closing: closing,
		Scopes: func(text string, setting coding.Setting) []coding.Scope { return reader.read(text, setting).Scopes },
		Auth:   s.auth, Review: s.review, Logger: logger, Now: s.now, Submit: s.sent, Known: known{s.store},
		Parse: func(body []byte) (coding.Note, error) { return intake.Parse(body, "") },
		Ready: func(context.Context) web.Readiness { return web.Readiness{Ready: true, CodeSet: codeSet} },
		Alive: s.store.Ping, Version: "test", Quality: s.quality,
	}
	if cfg.Codes, err = codebook.New(codebook.Config{Source: s.store, Now: s.now}); err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(&cfg)
	}
	handler, err := web.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	links, err := s.auth.DemoLinks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		s.links[l.Role] = l.Token
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.down.Load() {
			panic(http.ErrAbortHandler)
		}
		if r.Method == http.MethodPost && s.cut.Load() {
			handler.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		close(closing)
		s.Close()
		stop()
		<-listened
		logs := s.logs.String()
		for _, secret := range []string{"Essential hypertension", "diabetes", "P-SECRET", "D-1", s.links[coding.RoleCoder]} {
			if strings.Contains(logs, secret) {
				t.Errorf("the log holds %q", secret)
			}
		}
		for line := range strings.Lines(logs) {
			if t.Failed() && (strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR")) {
				t.Log(strings.TrimSpace(line))
			}
		}
	})
	return s
}

// sug is a suggestion of a code for words of a note.
type sug struct {
	code, title string
	words       []string
	confidence  float64
	rationale   string
	warnings    []coding.Finding
}

// set is what the pipeline would have made of a note.
func (s *site) set(n coding.Note, suggestions ...sug) coding.SuggestionSet {
	s.t.Helper()
	s.mu.Lock()
	s.sets++
	id := s.sets
	s.mu.Unlock()
	set := coding.SuggestionSet{
		Schema: 1, SetID: fmt.Sprint("set-", id), NoteID: n.NoteID, Source: n.Source, NoteSHA256: n.SHA256(), Setting: n.Setting,
		CodingStyle: coding.Billing, Ranker: "local@1", Pipeline: fmt.Sprint("test-", id), CreatedAt: s.now(), Notices: []coding.Notice{},
		Suggestions: []coding.Suggestion{}, Candidates: []coding.Candidate{},
	}
	for i, g := range suggestions {
		role := coding.RoleSecondary
		if i == 0 {
			role = coding.RoleFirstListed
			if n.Setting == coding.Inpatient {
				role = coding.RolePrincipal
			}
		}
		title := g.title
		if title == "" {
			title = "Title of " + g.code
		}
		var evidence []coding.Evidence
		for _, w := range g.words {
			at := strings.Index(n.Text, w)
			if at < 0 {
				s.t.Fatalf("note %s has no %q", n.NoteID, w)
			}
			evidence = append(evidence, coding.Evidence{Span: coding.Span{Start: at, End: at + len(w)}, Text: w})
		}
		set.Suggestions = append(set.Suggestions, coding.Suggestion{
			System: coding.ICD10CM, Code: g.code, Display: title, Rank: i + 1, Role: role, Confidence: g.confidence,
			Evidence: evidence, Rationale: g.rationale, Warnings: g.warnings,
		})
	}
	return set
}

// save stores a note with its set, as the pipeline does.
func (s *site) save(n coding.Note, set coding.SuggestionSet) {
	s.t.Helper()
	s.mu.Lock()
	s.sets++
	seq := s.sets
	s.mu.Unlock()
	_, err := s.store.SaveResult(context.WithoutCancel(s.t.Context()), store.Result{
		Note: n, SHA256: n.SHA256(), ReceivedAt: time.Now(), StreamSeq: uint64(seq), Set: set,
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func note(id, encounter, text string) coding.Note {
	return coding.Note{
		NoteID: id, Source: "north", EncounterID: encounter, Setting: coding.Outpatient, Specialty: "Cardiology",
		NoteType: "progress note", ServiceDate: coding.NewDate(2026, 3, 14), Priority: coding.PriorityUsual, Text: text,
	}
}

const visit = "Type 2 diabetes with neuropathy. Essential hypertension, well controlled. Hyperlipidemia on statin."

// visitCodes are the suggestions for the usual note.
var visitCodes = []sug{
	{code: "E11.40", words: []string{"Type 2 diabetes with neuropathy"}, confidence: 0.93, rationale: "Named with its complication."},
	{code: "I10", words: []string{"Essential hypertension"}, confidence: 0.7},
	{code: "E78.5", words: []string{"Hyperlipidemia"}, confidence: 0.4},
}

// one stores the usual note and gives its item's id.
func (s *site) one() int64 {
	s.t.Helper()
	n := note("D-1", "E-1", visit)
	s.save(n, s.set(n, visitCodes...))
	return s.itemOf("D-1")
}

// several stores n notes like the usual one, each an encounter, and gives the
// items' ids in the order in which they came.
func (s *site) several(n int) []int64 {
	s.t.Helper()
	var ids []int64
	for i := range n {
		id := fmt.Sprintf("D-%d", i+1)
		one := note(id, "E-"+id, visit)
		s.save(one, s.set(one, visitCodes...))
		ids = append(ids, s.itemOf(id))
	}
	return ids
}

// itemOf is the item of a note of source north: the newest one that has it.
func (s *site) itemOf(noteID string) int64 {
	s.t.Helper()
	admin, err := s.auth.User(s.t.Context(), "demo-admin")
	if err != nil {
		s.t.Fatal(err)
	}
	page, err := s.review.Worklist(s.t.Context(), coding.WorklistQuery{Sort: coding.SortUpdated, Limit: 200})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range page.Items {
		it, err := s.review.Item(s.t.Context(), admin, h.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, n := range it.Notes {
			if n.NoteID == noteID {
				return h.ID
			}
		}
	}
	s.t.Fatalf("no item has note %s", noteID)
	return 0
}

// state is the item as an administrator sees it, without a page.
func (s *site) state(id int64) review.Item {
	s.t.Helper()
	admin, err := s.auth.User(s.t.Context(), "demo-admin")
	if err != nil {
		s.t.Fatal(err)
	}
	it, err := s.review.Item(s.t.Context(), admin, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return it
}

// codeStates writes an item's codes and their states in one line.
func (s *site) codeStates(id int64) string {
	s.t.Helper()
	var parts []string
	for _, c := range s.state(id).Codes {
		parts = append(parts, c.CodeKey.Code+" "+string(c.State))
	}
	return strings.Join(parts, ", ")
}

func itemPath(id int64) string { return fmt.Sprintf("/items/%d", id) }

// eventually waits until something is so.
func (s *site) eventually(is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !is(); {
		if time.Now().After(end) {
			s.t.Fatal("waited in vain")
		}
		time.Sleep(20 * time.Millisecond)
	}
}
