package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
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

// newSite serves an empty store. Change, unless nil, changes the configuration.
func newSite(t testing.TB, change ...func(*web.Config)) *site {
	t.Helper()
	databaseURL := storetest.MigratedURL(t)
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
	s.review, err = review.New(review.Config{Store: s.store, Logger: logger, Now: s.now, Lease: lease, Blind: s.store.Blind,
		Sections: func(text string, setting coding.Setting) []coding.Section {
			return segment.Segment(coding.Note{Text: text, Setting: setting}).Sections
		}})
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
		Scopes: func(text string, setting coding.Setting) []coding.Scope {
			return segment.Segment(coding.Note{Text: text, Setting: setting}).Scopes
		},
		Auth: s.auth, Review: s.review, Logger: logger, Now: s.now, Submit: s.sent, Known: known{s.store},
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
	})
	return s
}

// browser is an HTTP client with cookies that does not follow redirects.
type browser struct {
	*site
	client *http.Client
	header http.Header
}

// answer is a response that was read.
type answer struct {
	*http.Response
	body string
}

// anonymous is nobody's browser.
func (s *site) anonymous() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{site: s, header: http.Header{}, client: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// as is the browser of the demo's user of a role.
func (s *site) as(role coding.UserRole) *browser {
	s.t.Helper()
	b := s.anonymous()
	a := b.get("/sign-in?link=" + s.links[role])
	if a.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("signing in by link gave %d", a.StatusCode)
	}
	return b
}

// named is the browser of a new user.
func (s *site) named(login string, role coding.UserRole) *browser {
	s.t.Helper()
	if _, err := s.auth.AddUser(s.t.Context(), auth.ByConsole, auth.NewUser{Login: login, Name: strings.ToUpper(login[:1]) + login[1:], Role: role}); err != nil {
		s.t.Fatal(err)
	}
	link, err := s.auth.NewLink(s.t.Context(), login)
	if err != nil {
		s.t.Fatal(err)
	}
	b := s.anonymous()
	b.get("/sign-in?link=" + link)
	return b
}

func (b *browser) do(method, path, contentType string, body io.Reader) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(b.t.Context()), method, b.URL+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	for k, v := range b.header {
		req.Header[k] = v
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res, string(all)}
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	return b.do(http.MethodGet, path, "", nil)
}

func (b *browser) post(path string, form url.Values) answer {
	b.t.Helper()
	return b.do(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// follow goes where a redirect leads.
func (b *browser) follow(a answer) answer {
	b.t.Helper()
	to := a.Header.Get("Location")
	if a.StatusCode != http.StatusSeeOther || to == "" {
		b.t.Fatalf("%d is no redirect:\n%s", a.StatusCode, excerpt(a.body))
	}
	to, _, _ = strings.Cut(to, "#")
	return b.get(to)
}

func (a answer) wants(t testing.TB, status int, words ...string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s %s gave %d, want %d:\n%s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, excerpt(a.body))
	}
	for _, w := range words {
		if !strings.Contains(a.body, w) {
			t.Errorf("%s %s does not have %q:\n%s", a.Request.Method, a.Request.URL.Path, w, excerpt(a.body))
		}
	}
}

func (a answer) lacks(t testing.TB, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(a.body, w) {
			t.Errorf("%s %s has %q", a.Request.Method, a.Request.URL.Path, w)
		}
	}
}

var blank = regexp.MustCompile(`\s*\n\s*`)

// excerpt is the part of a page between head and foot.
func excerpt(body string) string {
	if i := strings.Index(body, "<main"); i >= 0 {
		body = body[i:]
	}
	body = blank.ReplaceAllString(body, "\n")
	if len(body) > 1500 {
		body = body[:1500] + " ..."
	}
	return body
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

// act sends a form of the item's page as it was shown, found by the kind of
// its button and, for codes, by the code.
func (b *browser) act(page answer, kind, code string, more ...string) answer {
	b.t.Helper()
	f, ok := findForm(page.body, kind, code)
	if !ok {
		b.t.Fatalf("the page has no form to %s %s:\n%s", kind, code, excerpt(page.body))
	}
	f.fields.Set("kind", kind)
	for i := 0; i+1 < len(more); i += 2 {
		f.fields.Set(more[i], more[i+1])
	}
	return b.post(f.action, f.fields)
}

type form struct {
	action string
	fields url.Values
}

var (
	formPattern  = regexp.MustCompile(`(?s)<form[^>]*method="post" action="([^"]*)"[^>]*>(.*?)</form>`)
	fieldPattern = regexp.MustCompile(`<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"`)
)

func findForm(body, kind, code string) (form, bool) {
	for _, m := range formPattern.FindAllStringSubmatch(body, -1) {
		if !strings.Contains(m[2], `name="kind" value="`+kind+`"`) {
			continue
		}
		f := form{html.UnescapeString(m[1]), url.Values{}}
		for _, field := range fieldPattern.FindAllStringSubmatch(m[2], -1) {
			f.fields.Add(field[1], html.UnescapeString(field[2]))
		}
		if code == "" || f.fields.Get("code") == code {
			return f, true
		}
	}
	return form{}, false
}

func itemPath(id int64) string { return fmt.Sprintf("/items/%d", id) }

// decoded reads a JSON answer.
func decoded[T any](t testing.TB, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%s %s: not JSON: %s", a.Request.Method, a.Request.URL.Path, excerpt(a.body))
	}
	return v
}

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
