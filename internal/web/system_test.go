package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"chartcode/internal/coding"
	"chartcode/internal/health"
	"chartcode/internal/system"
	"chartcode/internal/web"
)

// letters stands for NATS, which belongs to another package: the page's way to
// the real one is tested with the program.
type letters struct {
	mu   sync.Mutex
	list []system.DeadLetter
	lost bool
}

var errAway = errors.New("away")

func (l *letters) Lag(context.Context) (system.Lag, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost {
		return system.Lag{}, errAway
	}
	return system.Lag{
		Consumers: []system.Consumer{{Name: "workers", Waiting: 41, UnderWay: 3}, {Name: "workers-urgent"}},
		Streams:   []system.Stream{{Name: "NOTES", Messages: 44, Bytes: 190_000}, {Name: "DEADLETTER", Messages: uint64(len(l.list)), Bytes: 4096}},
		Oldest:    7 * time.Minute,
		Dead:      uint64(len(l.list)),
	}, nil
}

func (l *letters) DeadLetters(context.Context, int) ([]system.DeadLetter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost {
		return nil, errAway
	}
	return append([]system.DeadLetter(nil), l.list...), nil
}

func (l *letters) Replay(_ context.Context, number uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost {
		return errAway
	}
	for i, d := range l.list {
		if d.Number == number {
			l.list = append(l.list[:i], l.list[i+1:]...)
			return nil
		}
	}
	return system.ErrGone
}

// systemSite is a site with the page about the system, as a program with workers
// and troubles would have it.
func systemSite(t *testing.T, change ...func(*web.Config)) (*site, *letters, *[]health.Part) {
	t.Helper()
	now := time.Now()
	queue := &letters{list: []system.DeadLetter{
		{Number: 3, Source: "north", Reason: "invalid_json", Stage: "intake", Attempts: 1, Received: now.Add(-3 * time.Hour), Died: now.Add(-3 * time.Hour), Bytes: 812},
		{Number: 7, Source: "north", Reason: "attempts_exhausted", Stage: "delivery", Attempts: 26, Received: now.Add(-30 * time.Hour), Died: now.Add(-2 * time.Hour), Bytes: 5120},
	}}
	parts := &[]health.Part{{Name: "database", OK: true}, {Name: "migrations", OK: true}, {Name: "code_set", OK: true}, {Name: "nats", OK: true}, {Name: "lag", OK: true}}
	s := newSite(t, append(change, func(c *web.Config) {
		st := c.Versions.(interface {
			system.Store
			Releases(ctx context.Context) ([]coding.Release, error)
			Version(ctx context.Context) (applied, known int, err error)
			OutboxAge(ctx context.Context) (int, time.Duration, error)
		})
		about, err := system.New(system.Config{
			Store: st, Queue: queue, Parts: func() []health.Part { return *parts }, Version: "2026.4", Logger: c.Logger, Releases: st.Releases,
			Models: func(context.Context) (system.Models, error) {
				return system.Models{LLM: "some-model", Prompts: strings.Repeat("ab", 32), Rankers: []system.RankerModel{{}, {Version: 1001, Active: true, MadeAt: now, MadeBy: "console", Items: 412}},
					Vectors: []system.VectorModel{{Name: "local-256@3", Set: true, InUse: true, Vectors: 236014}}}, nil
			},
			Storage: func(context.Context) (system.Storage, error) {
				return system.Storage{Database: 912_345_678, Version: "17.2", Vector: "0.8.0", PoolUsed: 2, PoolMax: 24,
					Tables: []system.Table{{Name: "term_vectors", Bytes: 412_000_000, Rows: 236014}, {Name: "notes", Bytes: 80_000, Rows: 120}}}, nil
			},
			Migrations: func(ctx context.Context) (m system.Migrations, err error) {
				m.Applied, m.Known, err = st.Version(ctx)
				return m, err
			},
			Outbox: func(ctx context.Context) (o system.Outbox, err error) {
				o.Waiting, o.Oldest, err = st.OutboxAge(ctx)
				return o, err
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		c.System = about
	})...)
	beat := func(p coding.Process, errs ...coding.ProcessError) {
		t.Helper()
		p.StartedAt = now.Add(-5 * time.Hour)
		if _, err := s.store.Beat(t.Context(), p, errs); err != nil {
			t.Fatal(err)
		}
	}
	beat(coding.Process{ID: "a", Role: "work", Host: "host-1", PID: 4711, Version: "2026.4", Ranker: "LLM some-model", Concurrency: 4, Done: 1240, Jobs: []coding.ProcessJob{
		{Seq: 9, Stage: "rank_llm", Lasted: 12*time.Minute + 5*time.Second, Attempt: 1}, {Seq: 10, Stage: "rank_llm", Lasted: 2 * time.Second, Attempt: 1}, {Seq: 11, Stage: "retrieve", Attempt: 2}}},
		coding.ProcessError{At: now, Level: "warn", Message: "dead-lettered a note", Detail: "seq=7 attempt=26 reason=attempts_exhausted stage=delivery"},
		coding.ProcessError{At: now, Level: "error", Message: "the LLM endpoint failed several times in a row; it is tried again from time to time", Detail: "endpoint=primary reason=llm_unavailable status=503"})
	beat(coding.Process{ID: "b", Role: "work", Host: "host-2", PID: 99, Version: "2026.3", Ranker: "local", Concurrency: 2})
	beat(coding.Process{ID: "c", Role: "serve", Host: "host-1", PID: 4712, Version: "2026.4"})
	beat(coding.Process{ID: "d", Role: "work", Host: "host-3", PID: 5, Version: "2026.4", Ranker: "local", Concurrency: 2})
	if err := s.store.Leave(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	return s, queue, parts
}

func TestSystemPage(t *testing.T) {
	t.Parallel()
	s, queue, parts := systemSite(t)
	admin := s.as(coding.RoleAdmin)
	admin.get("/").wants(t, http.StatusOK, `href="/system"`)
	page := admin.get("/system")
	page.wants(t, http.StatusOK, "ready: suggestions can be made", "2 workers alive", "3 notes of 4: rank llm 2, retrieve 1; the longest for 12 min", "waiting for notes",
		"another than this page's", "stopped", "41", "7 min", "invalid_json", "attempts_exhausted", "local@1001", "236014 vectors", "870 MiB", "up to date",
		"seq=7 attempt=26 reason=attempts_exhausted stage=delivery", "everything is announced")

	// A part that is not well, and one that does not answer.
	*parts = append((*parts)[:3:3], health.Part{Name: "nats", Reason: "NATS does not answer"})
	queue.mu.Lock()
	queue.lost = true
	queue.mu.Unlock()
	page = admin.get("/system")
	page.wants(t, http.StatusOK, "not ready", "NATS does not answer", "This could not be asked for just now", "2 workers alive")
	page.lacks(t, "invalid_json")
	page = admin.post("/system/deadletters/3/replay", nil)
	page.wants(t, http.StatusServiceUnavailable, "may have been sent to the workers: look again before")
	page.lacks(t, "nothing was changed") // nobody knows
	queue.mu.Lock()
	queue.lost = false
	queue.mu.Unlock()

	// Replay sends one, once.
	admin.follow(admin.post("/system/deadletters/3/replay", nil)).wants(t, http.StatusOK, "was sent to the workers", "attempts_exhausted")
	admin.get("/system").lacks(t, "invalid_json")
	admin.post("/system/deadletters/3/replay", nil).wants(t, http.StatusNotFound, "somebody replayed it")
	admin.post("/system/deadletters/x/replay", nil).wants(t, http.StatusNotFound, "no such page")
}

func TestSystemPause(t *testing.T) {
	t.Parallel()
	s, _, _ := systemSite(t)
	admin := s.as(coding.RoleAdmin)
	intake := func() coding.Intake {
		t.Helper()
		in, err := s.store.Intake(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	admin.follow(admin.post("/system/intake", url.Values{"to": {"paused"}, "reason": {" <b>new disks</b> "}})).
		wants(t, http.StatusOK, "The intake is paused", "&lt;b&gt;new disks&lt;/b&gt;", "demo-admin paused the intake", "Resume the intake")
	if in := intake(); !in.Paused || in.By != "demo-admin" || in.Reason != "<b>new disks</b>" {
		t.Errorf("%+v", in)
	}
	// A second press changes nothing, and who paused it first stays.
	s.named("second", coding.RoleAdmin).post("/system/intake", url.Values{"to": {"paused"}}).wants(t, http.StatusSeeOther)
	if in := intake(); in.By != "demo-admin" {
		t.Errorf("%+v", in)
	}
	// Every process hears of it with its next sign of life.
	if in, err := s.store.Beat(t.Context(), coding.Process{ID: "a", Role: "work"}, nil); err != nil || !in.Paused {
		t.Errorf("a worker hears %+v, %v", in, err)
	}
	for _, to := range []string{"", "pause", "resumed"} {
		admin.post("/system/intake", url.Values{"to": {to}}).wants(t, http.StatusBadRequest, "nothing was changed")
	}
	if !intake().Paused {
		t.Error("a word that says nothing resumed it")
	}
	admin.follow(admin.post("/system/intake", url.Values{"to": {"running"}})).wants(t, http.StatusOK, "The intake is resumed", "Pause the intake")
	if intake().Paused {
		t.Error("it is still paused")
	}
	admin.post("/system/intake", url.Values{"to": {"paused"}, "reason": {strings.Repeat("ä", 201)}}).wants(t, http.StatusUnprocessableEntity, "at most 200 characters")
	admin.post("/system/intake", url.Values{"to": {"paused"}, "reason": {"two\nlines"}}).wants(t, http.StatusUnprocessableEntity, "on one line")
	if intake().Paused {
		t.Error("a refused reason paused it")
	}
	events := map[string]int{}
	if _, err := s.store.SealAudit(t.Context(), 1000, func(before [32]byte, ev coding.AuditEvent) [32]byte {
		events[ev.Action]++
		return before
	}); err != nil {
		t.Fatal(err)
	}
	if events[system.EventPaused] != 1 || events[system.EventResumed] != 1 {
		t.Errorf("%v", events)
	}
}

// TestSystemIsForAdministrators: others see neither page nor link, and their posts
// change nothing.
func TestSystemIsForAdministrators(t *testing.T) {
	t.Parallel()
	s, queue, _ := systemSite(t)
	s.anonymous().get("/system").wants(t, http.StatusSeeOther)
	for _, role := range []coding.UserRole{coding.RoleCoder, coding.RoleAuditor, coding.RoleManager} {
		b := s.as(role)
		b.get("/").lacks(t, `href="/system"`)
		b.get("/system").wants(t, http.StatusForbidden, "Not for your role")
		b.post("/system/intake", url.Values{"to": {"paused"}}).wants(t, http.StatusForbidden, "Not for your role")
		b.post("/system/deadletters/3/replay", nil).wants(t, http.StatusForbidden, "Not for your role")
	}
	if in, err := s.store.Intake(t.Context()); err != nil || in.Paused || len(queue.list) != 2 {
		t.Errorf("%+v, %v, %d dead letters", in, err, len(queue.list))
	}
}

// TestSystemEmpty: a program that has just been set up.
func TestSystemEmpty(t *testing.T) {
	t.Parallel()
	s, queue, _ := systemSite(t)
	queue.list = nil
	for _, id := range []string{"a", "b", "c"} {
		if err := s.store.Leave(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	s.as(coding.RoleAdmin).get("/system").wants(t, http.StatusOK, "No worker is alive", "chartcode work", "None: every note that came in has suggestions", "No code set is loaded")
}

// TestSystemAccessible looks at the page as TestAccessibility does at the others,
// and takes its pictures.
func TestSystemAccessible(t *testing.T) {
	t.Parallel()
	script := axe(t)
	s, queue, parts := systemSite(t)
	b := s.tab()
	dir := *screenshots
	if dir == "" {
		dir = t.TempDir()
	}
	b.signIn(coding.RoleAdmin)
	see := func(what string) {
		t.Helper()
		b.open("/system")
		b.accessible(script, what)
		for _, scheme := range []string{"dark", "light"} {
			b.scheme(scheme)
			if err := os.WriteFile(filepath.Join(dir, what+"-"+scheme+".png"), b.whole(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	see("system")
	queue.mu.Lock()
	queue.lost = true
	queue.mu.Unlock()
	*parts = []health.Part{{Name: "database", OK: true}, {Name: "nats", Reason: "NATS does not answer"}}
	if err := s.store.SwitchIntake(t.Context(), coding.Intake{Paused: true, At: time.Now(), By: "ada", Reason: "new disks"}, coding.AuditEvent{At: time.Now(), Actor: "ada", Action: system.EventPaused}); err != nil {
		t.Fatal(err)
	}
	see("system-lost")
}

// whole is the whole page, however long, as PNG.
func (b *tab) whole() []byte {
	b.t.Helper()
	p, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}
