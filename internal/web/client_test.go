package web_test

import (
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"chartcode/internal/auth"
	"chartcode/internal/coding"
)

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
			t.Errorf("%s\n%s %s, shown above, does not have %q", excerpt(a.body), a.Request.Method, a.Request.URL.Path, w)
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

// decoded reads a JSON answer.
func decoded[T any](t testing.TB, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%s %s: not JSON: %s", a.Request.Method, a.Request.URL.Path, excerpt(a.body))
	}
	return v
}
