package web_test

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	evalreport "chartcode/eval/report"
	"chartcode/internal/coding"
	"chartcode/internal/web"
)

// link signs a named user in.
func (b *tab) link(login string) {
	b.t.Helper()
	link, err := b.auth.NewLink(b.t.Context(), login)
	if err != nil {
		b.t.Fatal(err)
	}
	b.open("/sign-in?link=" + link)
}

// qaPaths are the pages about quality with their names, for a user.
var qaPaths = map[string][][2]string{
	"olga": {{"/qa", "quality"}, {"/qa/audits", "audits"}, {"/qa/cases/5", "case"}, {"/qa/cases/1", "case-judged"}, {"/qa/cases/7", "case-waiting"}, {"/qa/people", "people"}, {"/qa/drift", "drift"},
		{"/qa/runs", "runs"}, {"/qa/runs/baseline", "run"}, {"/qa/runs/baseline/notes?kind=missed", "run-notes"}, {"/qa/runs/baseline/notes/2", "run-note"}, {"/qa/compare?a=baseline&b=candidate", "compare"}, {"/qa/runs/none", "run-missing"}},
	"lee": {{"/qa", "quality-coder"}, {"/qa/findings", "findings"}},
}

// TestQualityAccessibility looks at every page about quality, as TestAccessibility
// does at the others.
func TestQualityAccessibility(t *testing.T) {
	t.Parallel()
	script := axe(t)
	s := seen(t)
	b := s.tab()
	for _, login := range []string{"olga", "lee"} {
		b.link(login)
		for _, p := range qaPaths[login] {
			b.open(p[0])
			b.accessible(script, p[0])
		}
	}
	for _, section := range []string{"again", "practice"} { // lee's
		b.open("/qa")
		b.run(chromedp.Click(`section[aria-labelledby=` + section + `] :is(form button, a.button)`))
		b.until(`document.querySelector("#item") !== null`)
		b.accessible(script, "coding: "+section)
	}
}

// A case is coded with the keyboard: words are selected, a code is looked for, taken,
// and the coding finished.
func TestCodeAgainByKeyboard(t *testing.T) {
	t.Parallel()
	s, _ := audited(t)
	s.named("ben", coding.RoleCoder)
	b := s.tab()
	b.link("ben")
	b.open("/qa")
	b.run(chromedp.Click(`button[value="case"]`))
	b.until(`document.querySelector("#add-code") !== null && document.documentElement.dataset.started === "true"`)
	b.run(chromedp.Evaluate[chromedp.Void](`{ const t = document.querySelector(".note-text").firstChild; const at = t.data.indexOf("Essential hypertension"); getSelection().setBaseAndExtent(t, at, t, at + 22); null }`))
	b.press("c")
	b.until(`document.querySelectorAll(".offers [role=option]").length > 0`)
	b.press("\r\r")
	b.until(`document.querySelector(".code .id")?.textContent === "I10" && document.querySelector("mark.ev")?.textContent === "Essential hypertension" && document.documentElement.dataset.started === "true"`)
	b.press("f")
	b.until(`document.querySelector(".notice.good") !== null`)
	cases, err := s.store.AuditCases(t.Context(), 0, "ben")
	if err != nil || len(cases) != 1 || len(cases[0].Recodings) != 1 || len(cases[0].Recodings[0].Given) != 1 || cases[0].Recodings[0].Given[0].Evidence[0].Text != "Essential hypertension" {
		t.Errorf("what was kept is %+v, %v", cases, err)
	}
}

// report writes the report of the repository's stored run and gives its address.
func report(t *testing.T) string {
	t.Helper()
	var c web.Config
	baselineRuns(t)(&c)
	in, err := c.Results.Run("baseline")
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := evalreport.Write(&page, in); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

// A report opens from its file, draws its charts, and asks nobody for anything.
func TestReportLoadsNothing(t *testing.T) {
	t.Parallel()
	b := newSite(t).tab()
	b.run(chromedp.Navigate(report(t)))
	if n := value[int](b, `document.querySelectorAll("svg").length`); n < 5 {
		t.Errorf("%d drawings", n)
	}
	if n := value[int](b, `performance.getEntriesByType("resource").length`); n != 0 {
		t.Errorf("%d requests beside the file's own", n)
	}
}

// TestScreenshotsOfQuality takes pictures of the pages about quality, as
// TestScreenshots does of the others.
func TestScreenshotsOfQuality(t *testing.T) {
	t.Parallel()
	dir := *screenshots
	if dir == "" {
		t.Skip("takes pictures only with -screenshots; the tests of accessibility open the same pages")
	}
	s := seen(t)
	b := s.tab()
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		shot := func(name string) {
			t.Helper()
			picture := b.picture()
			if err := os.WriteFile(filepath.Join(dir, name+"-"+scheme+".png"), picture, 0o644); err != nil {
				t.Fatal(err)
			}
			if im, err := png.Decode(bytes.NewReader(picture)); err != nil || im.Bounds().Dx() != 1280 {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, login := range []string{"olga", "lee"} {
			b.link(login)
			for _, p := range qaPaths[login] {
				b.open(p[0])
				shot("qa-" + p[1])
			}
		}
		for _, section := range []string{"again", "practice"} {
			b.open("/qa")
			b.run(chromedp.Click(`section[aria-labelledby=` + section + `] :is(form button, a.button)`))
			b.until(`document.querySelector("#item") !== null`)
			shot("qa-coding-" + section)
		}
		b.run(chromedp.Navigate(report(t)))
		shot("qa-report")
		b.link("olga")
		b.open("/qa/runs/baseline")
		b.run(chromedp.Evaluate[chromedp.Void](`document.querySelector("#confusion").scrollIntoView(); null`))
		shot("qa-confusion")
		b.open("/qa/people")
		b.run(chromedp.Evaluate[chromedp.Void](`document.querySelector("#bias").scrollIntoView(); null`))
		shot("qa-bias")
	}
}
