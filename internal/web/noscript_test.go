package web_test

import (
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"

	"chartcode/internal/codebook/booktest"
	"chartcode/internal/coding"
	"chartcode/internal/throughput"
	"chartcode/internal/web"
)

var (
	linkPattern = regexp.MustCompile(`<a [^>]*href="(/[^"#]*)`)
	numbers     = regexp.MustCompile(`[0-9]+`)
	codePage    = regexp.MustCompile(`^/codes/.+`)
)

// kindOf is what a path has in common with those of pages that are made alike.
func kindOf(path string) string {
	path, _, _ = strings.Cut(path, "?")
	path = codePage.ReplaceAllString(path, "/codes/SYSTEM/CODE")
	path = strings.NewReplacer("run-a", "RUN", "run-b", "RUN").Replace(path)
	return numbers.ReplaceAllString(path, "N")
}

// unseen gives the words of a page's main part that nobody sees: outside of what
// can be opened without scripts, and of what only scripts are for, as keys are.
const unseen = `[...document.querySelectorAll("#main *")].filter((e) =>
	[...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim() !== "") && !e.checkVisibility() &&
	!e.closest("details:not([open]), .needs-script, #find, kbd, dialog, template, option, datalist, script, style, title, desc")).map((e) => e.outerHTML.slice(0, 200))`

// Every page that a link leads to can be read with scripts switched off, by each role.
// All links are followed for each role; one page of each kind is looked at in a browser.
func TestPagesWithoutScripts(t *testing.T) {
	t.Parallel()
	var figures *throughput.Service
	s, _, _ := systemSite(t, withRuns(t, t.TempDir()), func(c *web.Config) {
		c.Zone = time.UTC
		figures = figuresOf(t, c)
		c.Figures = figures
	})
	booktest.Load(t, s.store)
	s.finish(s.as(coding.RoleCoder), "D-1")
	s.draw()
	for _, id := range []string{"D-2", "D-3"} {
		n := note(id, "", visit)
		s.save(n, s.set(n, visitCodes...))
	}
	if _, err := figures.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	b := s.tab()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	look := func(path string) {
		t.Helper()
		b.open(path)
		if h := value[string](b, `document.querySelector("h1")?.innerText ?? ""`); h == "" {
			t.Errorf("%s has no heading", path)
		}
		for _, e := range value[[]string](b, unseen) {
			t.Errorf("%s has what cannot be seen without scripts: %s", path, e)
		}
	}
	look("/sign-in")
	var kinds []string
	for _, role := range []coding.UserRole{coding.RoleCoder, coding.RoleAuditor, coding.RoleManager, coding.RoleAdmin} {
		client := s.as(role)
		b.signIn(role)
		todo := []string{"/", "/codes/ICD-10-CM/E11.22"} // a code that is loaded
		followed := map[string]bool{}
		for _, path := range todo {
			followed[kindOf(path)] = true
		}
		for ; len(todo) > 0; todo = todo[1:] {
			a := client.get(todo[0])
			if a.StatusCode == http.StatusSeeOther {
				continue
			}
			a.wants(t, http.StatusOK)
			if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
				continue
			}
			for _, m := range linkPattern.FindAllStringSubmatch(a.body, -1) {
				if kind := kindOf(m[1]); !followed[kind] {
					followed[kind] = true
					todo = append(todo, html.UnescapeString(m[1]))
				}
			}
			if kind := kindOf(todo[0]); !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
				look(todo[0])
			}
		}
	}
	ben := s.named("ben", coding.RoleCoder)
	coded := ben.take("case")
	b.link("ben")
	look(coded)
	kinds = append(kinds, kindOf(coded))
	slices.Sort(kinds)
	want := []string{
		"/", "/codes", "/codes/SYSTEM/CODE", "/items/N", "/items/N/timeline", "/qa", "/qa/audits", "/qa/cases/N", "/qa/codings/N", "/qa/compare", "/qa/drift", "/qa/findings",
		"/qa/people", "/qa/runs", "/qa/runs/RUN", "/qa/runs/RUN/notes", "/qa/runs/RUN/notes/N", "/system", "/throughput", "/throughput/items",
	}
	if !slices.Equal(kinds, want) {
		t.Errorf("the links led to\n%q\nwant\n%q", kinds, want)
	}
}
