package web_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"chartcode/internal/auth"
	"chartcode/internal/coding"
	"chartcode/internal/web"
)

func TestSignInWithPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const password = "correct horse battery"
	if _, err := s.auth.AddUser(t.Context(), auth.ByConsole, auth.NewUser{Login: "kim", Name: "Kim", Role: coding.RoleCoder, Password: password}); err != nil {
		t.Fatal(err)
	}
	b := s.anonymous()
	b.get("/sign-in").wants(t, http.StatusOK, `name="password"`, codeSet)

	bad := b.post("/sign-in", url.Values{"login": {"kim"}, "password": {"wrong"}})
	bad.wants(t, http.StatusUnauthorized, "The user name or the password is not right.", `value="kim"`)
	bad.lacks(t, "wrong")
	unknown := b.post("/sign-in", url.Values{"login": {"nobody"}, "password": {"wrong"}})
	unknown.wants(t, http.StatusUnauthorized, "The user name or the password is not right.")
	if len(bad.Cookies())+len(unknown.Cookies()) > 0 {
		t.Error("a failed sign-in set a cookie")
	}

	good := b.post("/sign-in", url.Values{"login": {" Kim "}, "password": {password}, "to": {"/items/7"}})
	good.wants(t, http.StatusSeeOther)
	if to := good.Header.Get("Location"); to != "/items/7" {
		t.Errorf("signing in led to %q", to)
	}
	c := good.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure {
		t.Errorf("over plain HTTP the cookie is %v", c)
	}
	b.get("/").wants(t, http.StatusOK, "Worklist", "Kim")

	b.post("/sign-out", nil).wants(t, http.StatusSeeOther)
	if a := b.get("/"); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/sign-in" {
		t.Errorf("after signing out the worklist gave %d to %q", a.StatusCode, a.Header.Get("Location"))
	}
	if strings.Contains(s.logs.String(), "kim") || strings.Contains(s.logs.String(), password) {
		t.Error("the log holds the user name or the password")
	}
}

func TestCookieOverTLS(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.anonymous()
	b.header.Set("X-Forwarded-Proto", "https")
	c := b.get("/sign-in?link=" + s.links[coding.RoleCoder]).Cookies()[0]
	if !c.Secure || !strings.HasPrefix(c.Name, "__Host-") {
		t.Errorf("over TLS the cookie is %v", c)
	}
}

func TestGuessingIsThrottled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.anonymous()
	form := url.Values{"login": {"kim"}, "password": {"wrong"}}
	for range 5 {
		b.post("/sign-in", form).wants(t, http.StatusUnauthorized)
	}
	a := b.post("/sign-in", form)
	a.wants(t, http.StatusTooManyRequests, "Too many attempts")
	if a.Header.Get("Retry-After") == "" {
		t.Error("it is not said when to try again")
	}
	s.move(time.Hour)
	b.post("/sign-in", form).wants(t, http.StatusUnauthorized)
}

func TestSignInByLink(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, role := range []coding.UserRole{coding.RoleCoder, coding.RoleAuditor, coding.RoleManager, coding.RoleAdmin} {
		for range 2 { // it works as often as it is used
			b := s.as(role)
			b.get("/").wants(t, http.StatusOK, "· "+string(role))
		}
	}
	s.anonymous().get("/sign-in?link=wrong").wants(t, http.StatusUnauthorized, "This sign-in link is not valid")
	if strings.Contains(s.logs.String(), s.links[coding.RoleCoder]) {
		t.Error("the log holds a link")
	}
}

func TestSigningInGoesNowhereElse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, to := range []string{
		"https://evil.example", "//evil.example", "///evil.example", "/%2Fevil.example", "/%2f%2fevil.example", `/\evil.example`,
		"/\t/evil.example", "javascript:alert(1)", "/sign-in", "/sign-out", "/items/1?x=//evil.example", "items/1", "/items/1#x", "",
	} {
		a := s.anonymous().get("/sign-in?link=" + s.links[coding.RoleCoder] + "&to=" + url.QueryEscape(to))
		if got := a.Header.Get("Location"); a.StatusCode != http.StatusSeeOther || got != "/" {
			t.Errorf("to=%q led to %q with %d", to, got, a.StatusCode)
		}
		page := s.anonymous().get("/sign-in?to=" + url.QueryEscape(to))
		page.wants(t, http.StatusOK, `name="to" value="/"`)
	}
}

func TestSignedOutIsSentToSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.anonymous()
	for _, c := range []struct{ method, path, to string }{
		{"GET", "/", "/sign-in"},
		{"GET", "/items/3", "/sign-in?to=%2Fitems%2F3"},
		{"POST", "/items/3/act", "/sign-in?to=%2Fitems%2F3"},
		{"POST", "/next", "/sign-in"},
		{"GET", "/nothing", "/sign-in?to=%2Fnothing"},
	} {
		a := b.do(c.method, c.path, "", nil)
		if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != c.to {
			t.Errorf("%s %s gave %d to %q, want %q", c.method, c.path, a.StatusCode, a.Header.Get("Location"), c.to)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(coding.RoleCoder)
	s.move(13 * time.Hour)
	b.get("/").wants(t, http.StatusSeeOther)
}

func TestOtherSitesMayNotPost(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.as(coding.RoleCoder)
	page := b.get(itemPath(id))
	for _, header := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}},
		{"Sec-Fetch-Site": {"same-site"}},
		{"Origin": {"https://evil.example"}},
		{"Origin": {"null"}},
	} {
		b.header = header
		b.act(page, "accept", "I10").wants(t, http.StatusForbidden, "came from another site")
		b.post("/sign-out", nil).wants(t, http.StatusForbidden)
		a := b.do(http.MethodPost, "/api/v1"+itemPath(id)+"/decisions", "text/plain", strings.NewReader(`{"kind":"accept","system":"ICD-10-CM","code":"I10"}`))
		a.wants(t, http.StatusForbidden, `"code":"cross_origin"`)
	}
	if got := s.codeStates(id); strings.Contains(got, "accepted") {
		t.Errorf("another site decided: %s", got)
	}
	b.header = http.Header{"Sec-Fetch-Site": {"same-origin"}}
	b.act(page, "accept", "I10").wants(t, http.StatusSeeOther)
}

func TestEveryAnswerIsSecured(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.as(coding.RoleCoder)
	for _, path := range []string{"/", "/sign-in", itemPath(id), "/nothing", "/api/v1/items", "/api/v1/nothing", "/healthz", "/static/chartcode.css"} {
		h := b.get(path).Header
		policy := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy %q lacks %s", path, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers are %v", path, h)
		}
		if !strings.HasPrefix(path, "/static/") && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept: %s", path, h.Get("Cache-Control"))
		}
	}
}

// TestNoInlineScriptOrStyle looks at the templates: what the policy would
// block must not be there.
func TestNoInlineScriptOrStyle(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(os.DirFS("templates"), "*.html")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d templates, %v", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile("templates/" + f)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{" style=", " onclick=", " onsubmit=", "<style", "<script>", "javascript:", "http://", "https://"} {
			if strings.Contains(string(b), bad) {
				t.Errorf("%s has %q", f, bad)
			}
		}
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.anonymous()
	page := b.get("/sign-in").body
	i := strings.Index(page, "/static/chartcode.css?v=")
	address := page[i : i+strings.IndexByte(page[i:], '"')]
	a := b.get(address)
	a.wants(t, http.StatusOK, ".badge")
	if a.Header.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(a.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("the style sheet came as %v", a.Header)
	}
	if c := b.get("/static/chartcode.css?v=old").Header.Get("Cache-Control"); c != "no-cache" {
		t.Errorf("another version may be kept: %s", c)
	}
	b.get("/static/item.css").wants(t, http.StatusOK, ".codes-list")
	scripts := regexp.MustCompile(`<script src="(/static/[a-z]+\.js\?v=[0-9a-f]+)"`).FindAllStringSubmatch(page, -1)
	if len(scripts) != 13 {
		t.Errorf("the page has %d scripts", len(scripts))
	}
	for _, m := range scripts {
		b.get(m[1]).wants(t, http.StatusOK, `"use strict"`)
	}
	b.get("/static/none.css").wants(t, http.StatusNotFound)
	b.get("/static/").wants(t, http.StatusSeeOther)
}

func TestUnknownPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(coding.RoleCoder)
	for _, path := range []string{"/nothing", "/items/999999", "/items/x", "/items/-1", "/items/99999999999999999999", "/items/1/act/x"} {
		b.get(path).wants(t, http.StatusNotFound, "There is no such page", `href="/"`)
	}
	b.post("/items/999999/act", url.Values{"kind": {"accept"}, "content": {"1"}, "system": {"ICD-10-CM"}, "code": {"I10"}}).wants(t, http.StatusNotFound)
	b.post("/nothing", nil).wants(t, http.StatusNotFound)
	b.do(http.MethodDelete, "/", "", nil).wants(t, http.StatusNotFound)
}

const hostile = `<script>alert("x")</script> & <img src=x onerror=alert(1)> "quoted" 'single' {{.User}} </div></main> ` +
	"\u202eesrever\u202c a\u0007b \u2066isolate\u2069 <b>bold</b>"

func TestHostileTextIsShownAsText(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := note("D-<b>1</b>", "E-1", hostile)
	n.NoteType, n.Specialty, n.Author.Name = `<i>type</i>`, `<i>specialty</i>"`, "Dr. \u202eEvil<br>"
	words := `<img src=x onerror=alert(1)>`
	set := s.set(n, sug{code: "I10", title: `<u>title</u>`, words: []string{words, "\u202eesrever\u202c"}, rationale: `<s>rationale</s>`,
		warnings: []coding.Finding{{Rule: "r", Severity: coding.SeverityWarning, Codes: []string{"I10"}, Message: `<em>message</em>`, Source: `<q>source</q>`}}})
	set.Notices = []coding.Notice{{Code: "x", Message: "<u>notice</u>"}}
	s.save(n, set)
	b := s.as(coding.RoleCoder)
	id := s.itemOf(n.NoteID)
	for _, path := range []string{itemPath(id), "/", "/?specialty=" + url.QueryEscape(`<i>x</i>"`)} {
		a := b.get(path)
		a.wants(t, http.StatusOK)
		a.lacks(t, "<script>alert", "<img src=x", "<i>", "<b>bold", "<u>", "<s>", "<em>", "<q>", "<br>", "\u202e", "\u2066", "\u0007")
	}
	a := b.get(itemPath(id))
	a.wants(t, http.StatusOK, "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;", "{{.User}}", "U&#43;202E", "U&#43;0007", "U&#43;2066", "<mark")
	if title := between(a.body, "<title>", "</title>"); title != "Item "+a.Request.URL.Path[len("/items/"):]+" · chartcode" {
		t.Errorf("the title is %q", title)
	}
	if strings.Contains(s.logs.String(), "onerror") || strings.Contains(s.logs.String(), n.NoteID) {
		t.Error("the log holds text of the note")
	}
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

func TestPanicIsLoggedWithoutItsValue(t *testing.T) {
	t.Parallel()
	const secret = "SECRET-NOTE-TEXT"
	s := newSite(t, func(c *web.Config) {
		c.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(secret) })
		c.Parse = func([]byte) (coding.Note, error) { panic(errors.New(secret)) }
	})
	b := s.as(coding.RoleAdmin)
	b.get("/metrics").wants(t, http.StatusInternalServerError, "Something went wrong here.")
	b.do(http.MethodPost, "/api/v1/notes", "application/json", strings.NewReader(`{}`)).wants(t, http.StatusInternalServerError, `"code":"internal"`)
	logs := s.logs.String()
	if strings.Contains(logs, secret) || strings.Contains(between(logs, "stack=", "\n"), "0x") {
		t.Errorf("the log has the panic's value:\n%s", logs)
	}
	for _, want := range []string{"a request failed unexpectedly", "pages_test.go", "POST /api/v1/notes"} {
		if !strings.Contains(logs, want) {
			t.Errorf("the log does not say %q:\n%s", want, logs)
		}
	}
}

func TestDatabaseThatIsGone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.as(coding.RoleCoder)
	s.store.Close()
	b.get(itemPath(id)).wants(t, http.StatusServiceUnavailable, "Not available just now")
	b.get("/api/v1/items").wants(t, http.StatusServiceUnavailable, `"code":"unavailable"`)
	b.get("/healthz").wants(t, http.StatusServiceUnavailable, `"ok":false`)
	s.anonymous().post("/sign-in", url.Values{"login": {"kim"}, "password": {"x"}}).wants(t, http.StatusServiceUnavailable)
}

func TestHealth(t *testing.T) {
	t.Parallel()
	ready := web.Readiness{Reason: "no code set is loaded"}
	s := newSite(t, func(c *web.Config) {
		c.Ready = func(context.Context) web.Readiness { return ready }
		c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("up 1\n")) })
	})
	b := s.anonymous()
	b.get("/healthz").wants(t, http.StatusOK, `"ok":true`, `"version":"test"`)
	b.get("/readyz").wants(t, http.StatusServiceUnavailable, `"ready":false`, "no code set is loaded")
	s.as(coding.RoleCoder).get("/").wants(t, http.StatusOK, "Suggestions cannot be made just now: no code set is loaded.")
	ready = web.Readiness{Ready: true, CodeSet: "starter set, 1,600 codes", Starter: true}
	b.get("/readyz").wants(t, http.StatusOK, `"ready":true`, "starter set, 1,600 codes")
	s.as(coding.RoleCoder).get("/").wants(t, http.StatusOK, "Code set: starter set, 1,600 codes", "load the official files")
	b.get("/metrics").wants(t, http.StatusOK, "up 1")
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	if _, err := web.New(web.Config{}); err == nil {
		t.Error("a web without accounts was made")
	}
}
