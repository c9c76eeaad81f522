package auth_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"chartcode/internal/audit"
	"chartcode/internal/auth"
	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// quick is a cost that only tests may use.
var quick = auth.Cost{Memory: 64, Passes: 1, Threads: 1}

const password = "correct horse battery"

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type fixture struct {
	*auth.Service
	store *store.Store
	clock *clock
	log   *bytes.Buffer
}

func setUp(t *testing.T) fixture {
	t.Helper()
	f := fixture{store: storetest.New(t), clock: &clock{t: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)}, log: new(bytes.Buffer)}
	f.Service = another(t, f, quick)
	return f
}

// another gives a second service on the same store, as another process is.
func another(t *testing.T, f fixture, cost auth.Cost) *auth.Service {
	t.Helper()
	s, err := auth.New(auth.Config{
		Store: f.store, Logger: slog.New(slog.NewTextHandler(f.log, nil)), Now: f.clock.now,
		IdleTimeout: time.Hour, AbsoluteTimeout: 10 * time.Hour, Cost: cost,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (f fixture) add(t *testing.T, login string, role coding.UserRole) coding.User {
	t.Helper()
	u, err := f.AddUser(t.Context(), auth.ByConsole, auth.NewUser{Login: login, Name: "Casey Coder", Role: role, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (f fixture) actions(t *testing.T) []string {
	t.Helper()
	trail, err := audit.New(audit.Config{Store: f.store, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trail.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	var out []string
	for l, err := range f.store.AuditChain(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, l.Event.Actor+" "+l.Event.Action)
	}
	return out
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ctx := t.Context()
	f.add(t, "casey", coding.RoleCoder)

	token, u, err := f.SignIn(ctx, " Casey ", password, "192.0.2.1:1234")
	if err != nil || u.Login != "casey" || u.Role != coding.RoleCoder || u.Name != "Casey Coder" {
		t.Fatalf("got %+v, %v", u, err)
	}
	who, err := f.Authenticate(ctx, token)
	if err != nil || who.ID != u.ID || who.LastSeenAt.IsZero() {
		t.Fatalf("the session is not known: %+v, %v", who, err)
	}
	// Another process knows it too, and survives a restart.
	if _, err := another(t, f, quick).Authenticate(ctx, token); err != nil {
		t.Errorf("another process does not know the session: %v", err)
	}
	if err := f.SignOut(ctx, u, token); err != nil {
		t.Fatal(err)
	}
	_, err = f.Authenticate(ctx, token)
	wantErr(t, "after signing out", err, auth.ErrSignedOut)
	_, err = f.Authenticate(ctx, "")
	wantErr(t, "without a token", err, auth.ErrSignedOut)

	got := strings.Join(f.actions(t), "; ")
	if want := "console user.added; casey user.signed_in; casey user.signed_out"; got != want {
		t.Errorf("the audit trail is %q, want %q", got, want)
	}
	if strings.Contains(f.log.String(), password) || strings.Contains(f.log.String(), token) {
		t.Error("the log has a secret")
	}
}

func TestSignInRefusals(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ctx := t.Context()
	f.add(t, "casey", coding.RoleCoder)
	f.add(t, "gone", coding.RoleCoder)
	f.add(t, "robot", coding.RoleService)
	if _, err := f.AddUser(ctx, "casey", auth.NewUser{Login: "linkonly", Role: coding.RoleCoder}); err != nil {
		t.Fatal(err)
	}
	if err := f.SetDisabled(ctx, auth.ByConsole, "gone", true); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{"casey", "wrong"}, {"casey", ""}, {"nobody", password}, {"", ""}, {"gone", password}, {"robot", password},
		{"linkonly", ""}, {"linkonly", password}, {strings.Repeat("x", 1000), password}, {"casey", strings.Repeat("x", 1<<16)},
	} {
		_, _, err := f.SignIn(ctx, c[0], c[1], "192.0.2."+c[0])
		wantErr(t, c[0], err, auth.ErrSignIn)
	}
}

func TestSignInIsThrottled(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.add(t, "casey", coding.RoleCoder)
	var throttled *auth.ThrottledError
	for i := 0; throttled == nil; i++ {
		_, _, err := f.SignIn(t.Context(), "casey", "wrong", "192.0.2.1")
		if !errors.As(err, &throttled) {
			wantErr(t, "a wrong password", err, auth.ErrSignIn)
		}
		if i == 20 {
			t.Fatal("20 wrong passwords and no wait")
		}
	}
	_, _, err := f.SignIn(t.Context(), "casey", password, "192.0.2.1")
	if !errors.As(err, &throttled) {
		t.Errorf("the right password goes around the wait: %v", err)
	}
	if msg := throttled.Error(); !strings.Contains(msg, "seconds") {
		t.Errorf("the message is %q", msg)
	}
	f.clock.move(throttled.Wait)
	if _, _, err := f.SignIn(t.Context(), "casey", password, "192.0.2.1"); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ctx := t.Context()
	f.add(t, "casey", coding.RoleCoder)
	signIn := func() string {
		token, _, err := f.SignIn(ctx, "casey", password, "192.0.2.1")
		if err != nil {
			t.Fatal(err)
		}
		return token
	}

	idle := signIn()
	f.clock.move(time.Hour + time.Second)
	_, err := f.Authenticate(ctx, idle)
	wantErr(t, "after an idle hour", err, auth.ErrSignedOut)

	busy := signIn()
	for range 20 {
		f.clock.move(29 * time.Minute)
		if _, err := f.Authenticate(ctx, busy); err != nil {
			t.Fatalf("a session in use ended: %v", err)
		}
	}
	f.clock.move(29 * time.Minute) // ten hours and more since it began
	_, err = f.Authenticate(ctx, busy)
	wantErr(t, "after its longest time", err, auth.ErrSignedOut)

	for what, end := range map[string]func() error{
		"disabled":         func() error { return f.SetDisabled(ctx, auth.ByConsole, "casey", true) },
		"another password": func() error { return f.SetPassword(ctx, auth.ByConsole, "casey", password+"!") },
	} {
		if err := f.SetDisabled(ctx, auth.ByConsole, "casey", false); err != nil {
			t.Fatal(err)
		}
		if err := f.SetPassword(ctx, auth.ByConsole, "casey", password); err != nil {
			t.Fatal(err)
		}
		token := signIn()
		if err := end(); err != nil {
			t.Fatal(err)
		}
		_, err := f.Authenticate(ctx, token)
		wantErr(t, what, err, auth.ErrSignedOut)
	}
}

func TestRoleChangesAtOnce(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ctx := t.Context()
	f.add(t, "casey", coding.RoleCoder)
	token, _, err := f.SignIn(ctx, "casey", password, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetRole(ctx, auth.ByConsole, "casey", coding.RoleAuditor); err != nil {
		t.Fatal(err)
	}
	if u, err := f.Authenticate(ctx, token); err != nil || u.Role != coding.RoleAuditor {
		t.Errorf("got role %q, %v", u.Role, err)
	}
}

// A password made with less work is made anew when it is next used.
func TestPasswordIsRehashed(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ctx := t.Context()
	f.add(t, "casey", coding.RoleCoder)
	older, _, err := f.SignIn(ctx, "casey", password, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	stronger := another(t, f, auth.Cost{Memory: 128, Passes: 2, Threads: 1})
	if _, _, err := stronger.SignIn(ctx, "casey", password, "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	_, phc, _, err := f.store.UserByLogin(ctx, "casey")
	if err != nil || !strings.Contains(phc, "m=128,t=2") {
		t.Errorf("the hash kept its cost: %v", err)
	}
	if _, err := f.Authenticate(ctx, older); err != nil {
		t.Errorf("the session elsewhere ended: %v", err)
	}
	if _, _, err := stronger.SignIn(ctx, "casey", password, "192.0.2.1"); err != nil {
		t.Error(err)
	}
}

func TestUserInput(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ctx := t.Context()
	f.add(t, "casey", coding.RoleCoder)
	for _, c := range []struct {
		user auth.NewUser
		want error
	}{
		{auth.NewUser{Login: "CASEY", Role: coding.RoleCoder}, auth.ErrTaken},
		{auth.NewUser{Login: "", Role: coding.RoleCoder}, auth.ErrLogin},
		{auth.NewUser{Login: "two words", Role: coding.RoleCoder}, auth.ErrLogin},
		{auth.NewUser{Login: "-x", Role: coding.RoleCoder}, auth.ErrLogin},
		{auth.NewUser{Login: "x\x00", Role: coding.RoleCoder}, auth.ErrLogin},
		{auth.NewUser{Login: strings.Repeat("x", 65), Role: coding.RoleCoder}, auth.ErrLogin},
		{auth.NewUser{Login: "pipeline", Role: coding.RoleCoder}, auth.ErrLogin},
		{auth.NewUser{Login: "console", Role: coding.RoleCoder}, auth.ErrLogin},
		{auth.NewUser{Login: "x", Role: "king"}, auth.ErrRole},
		{auth.NewUser{Login: "x", Role: coding.RoleCoder, Password: "short"}, auth.ErrPassword},
		{auth.NewUser{Login: "x", Role: coding.RoleCoder, Name: "a\nb"}, auth.ErrName},
	} {
		_, err := f.AddUser(ctx, auth.ByConsole, c.user)
		wantErr(t, c.user.Login, err, c.want)
	}
	wantErr(t, "no such user", f.SetPassword(ctx, auth.ByConsole, "nobody", password), auth.ErrNoUser)
	wantErr(t, "no such user", f.SetDisabled(ctx, auth.ByConsole, "nobody", true), auth.ErrNoUser)
	wantErr(t, "no such user", f.SetRole(ctx, auth.ByConsole, "nobody", coding.RoleAdmin), auth.ErrNoUser)
	wantErr(t, "no such role", f.SetRole(ctx, auth.ByConsole, "casey", "king"), auth.ErrRole)
	wantErr(t, "short", f.SetPassword(ctx, auth.ByConsole, "casey", "short"), auth.ErrPassword)
	users, err := f.Users(ctx)
	if err != nil || len(users) != 1 || users[0].Login != "casey" {
		t.Errorf("refused input left users: %+v, %v", users, err)
	}
	if got := f.actions(t); len(got) != 1 {
		t.Errorf("refused input left a trail: %v", got)
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ctx := t.Context()
	links, err := f.DemoLinks(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := f.DemoLinks(ctx); err != nil || len(again) != len(links) {
		t.Fatalf("a second start of the demo: %v", err)
	}
	roles := map[coding.UserRole]bool{}
	for _, l := range links {
		for range 2 { // as often as it is used
			token, u, err := f.SignInWithLink(ctx, l.Token)
			if err != nil || u.Role != l.Role || u.Login != l.Login {
				t.Fatalf("the link of %s gives %+v, %v", l.Role, u, err)
			}
			if _, err := f.Authenticate(ctx, token); err != nil {
				t.Fatal(err)
			}
		}
		roles[l.Role] = true
		_, _, err := another(t, f, quick).SignInWithLink(ctx, l.Token)
		wantErr(t, "in another process", err, auth.ErrLink)
		_, _, err = f.SignIn(ctx, l.Login, "", "192.0.2.1")
		wantErr(t, "without the link", err, auth.ErrSignIn)
	}
	for _, r := range []coding.UserRole{coding.RoleCoder, coding.RoleAuditor, coding.RoleManager, coding.RoleAdmin} {
		if !roles[r] {
			t.Errorf("the demo has no %s", r)
		}
	}
	_, _, err = f.SignInWithLink(ctx, "guess")
	wantErr(t, "a guess", err, auth.ErrLink)
	if err := f.SetDisabled(ctx, auth.ByConsole, links[0].Login, true); err != nil {
		t.Fatal(err)
	}
	_, _, err = f.SignInWithLink(ctx, links[0].Token)
	wantErr(t, "of a disabled user", err, auth.ErrLink)
}

func TestTokens(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	ctx := t.Context()
	f.add(t, "robot", coding.RoleService)
	bearer, made, err := f.NewToken(ctx, auth.ByConsole, "robot", "nightly upload", 24*time.Hour)
	if err != nil || !strings.HasPrefix(bearer, "chartcode_") {
		t.Fatalf("got %v", err)
	}
	if u, err := f.AuthenticateBearer(ctx, bearer); err != nil || u.Login != "robot" || u.Role != coding.RoleService {
		t.Fatalf("got %+v, %v", u, err)
	}
	tokens, err := f.Tokens(ctx)
	if err != nil || len(tokens) != 1 || tokens[0].Label != "nightly upload" || tokens[0].LastUsedAt.IsZero() || tokens[0].ID != made.ID {
		t.Errorf("got %+v, %v", tokens, err)
	}
	for _, guess := range []string{"", "chartcode_", bearer + "x", strings.TrimPrefix(bearer, "chartcode_")} {
		_, err := f.AuthenticateBearer(ctx, guess)
		wantErr(t, "a guess", err, auth.ErrSignedOut)
	}
	// A session's token is no bearer token, and the other way round.
	_, err = f.Authenticate(ctx, bearer)
	wantErr(t, "a bearer token as a session", err, auth.ErrSignedOut)

	f.clock.move(24 * time.Hour)
	_, err = f.AuthenticateBearer(ctx, bearer)
	wantErr(t, "after its end", err, auth.ErrSignedOut)

	lasting, made, err := f.NewToken(ctx, auth.ByConsole, "robot", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	f.clock.move(1000 * 24 * time.Hour)
	if _, err := f.AuthenticateBearer(ctx, lasting); err != nil {
		t.Errorf("a token without end has ended: %v", err)
	}
	if err := f.SetDisabled(ctx, auth.ByConsole, "robot", true); err != nil {
		t.Fatal(err)
	}
	_, err = f.AuthenticateBearer(ctx, lasting)
	wantErr(t, "of a disabled user", err, auth.ErrSignedOut)
	if err := f.SetDisabled(ctx, auth.ByConsole, "robot", false); err != nil {
		t.Fatal(err)
	}
	if err := f.RevokeToken(ctx, auth.ByConsole, made.ID); err != nil {
		t.Fatal(err)
	}
	_, err = f.AuthenticateBearer(ctx, lasting)
	wantErr(t, "revoked", err, auth.ErrSignedOut)
	wantErr(t, "no such token", f.RevokeToken(ctx, auth.ByConsole, 99), auth.ErrNoToken)
	_, _, err = f.NewToken(ctx, auth.ByConsole, "nobody", "", 0)
	wantErr(t, "no such user", err, auth.ErrNoUser)
}

func TestCookie(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	for _, secure := range []bool{true, false} {
		c := f.Cookie("tok", secure)
		if !c.HttpOnly || c.Secure != secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("secure %v: %+v", secure, c)
		}
		if secure != strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("secure %v: the name is %s", secure, c.Name)
		}
		if err := c.Valid(); err != nil {
			t.Error(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(c)
		if got := f.TokenFrom(r, secure); got != "tok" {
			t.Errorf("secure %v: read back %q", secure, got)
		}
		if got := f.TokenFrom(r, !secure); got != "" {
			t.Errorf("secure %v: it counts on the other kind of connection", secure)
		}
		if gone := f.Cookie("", secure); gone.MaxAge >= 0 || gone.Name != c.Name {
			t.Errorf("secure %v: %+v does not delete", secure, gone)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	st := storetest.New(t)
	for name, cfg := range map[string]auth.Config{
		"no store":      {Logger: log},
		"no logger":     {Store: st},
		"negative time": {Store: st, Logger: log, IdleTimeout: -1},
		"no passes":     {Store: st, Logger: log, Cost: auth.Cost{Memory: 64, Threads: 1}},
	} {
		if _, err := auth.New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
