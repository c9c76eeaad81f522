package web_test

import (
	"bytes"
	"fmt"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"chartcode/eval/dataset"
	"chartcode/eval/results"
	"chartcode/eval/runs"
	"chartcode/internal/codebook/booktest"
	"chartcode/internal/coding"
	"chartcode/internal/qa"
	"chartcode/internal/review"
	"chartcode/internal/web"
)

// baselineRuns serves the repository's stored run on its sample notes, and beside it
// one that finds less.
func baselineRuns(t testing.TB) func(*web.Config) {
	t.Helper()
	dir := t.TempDir()
	registry := dataset.NewRegistry(filepath.Join(dir, "datasets"))
	notes, err := os.ReadFile("../../eval/datasets/sample-notes.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Add(notes, dataset.About{Name: "sample-notes"}); err != nil {
		t.Fatal(err)
	}
	const stored = "../../eval/datasets/baseline/sample-notes"
	for _, id := range []string{"baseline", "candidate"} {
		if err := os.CopyFS(filepath.Join(dir, "runs", id), os.DirFS(stored)); err != nil {
			t.Fatal(err)
		}
		err := fs.WalkDir(os.DirFS(filepath.Join(dir, "runs", id)), ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			path := filepath.Join(dir, "runs", id, name)
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			switch name {
			case "run.json":
				r, err := runs.NewStore(filepath.Join(dir, "runs")).Get(id)
				if err != nil {
					return err
				}
				b = []byte(strings.Replace(string(b), `"`+r.ID+`"`, `"`+id+`"`, 1))
			case "predictions.jsonl":
				if id == "candidate" {
					b = bytes.ReplaceAll(b, []byte(`"code":"I10"`), []byte(`"code":"I11.9"`))
				}
			case "scores.json":
				return os.Remove(path)
			}
			return os.WriteFile(path, b, 0o644)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r := results.New(registry, runs.NewStore(filepath.Join(dir, "runs")))
	in, err := r.Run("baseline")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Runs.PutScores("baseline", &in.Scores); err != nil {
		t.Fatal(err)
	}
	return func(c *web.Config) { c.Results = r }
}

// seen is a site with ten weeks of finished items, of which some were drawn, coded
// again and judged, and with practice.
func seen(t *testing.T) *site {
	t.Helper()
	s := newSite(t, baselineRuns(t))
	booktest.Load(t, s.store)
	users := map[string]coding.User{}
	for login, role := range map[string]coding.UserRole{"ann": coding.RoleCoder, "ben": coding.RoleCoder, "lee": coding.RoleCoder, "olga": coding.RoleAuditor} {
		s.named(login, role)
		u, err := s.auth.User(t.Context(), login)
		if err != nil {
			t.Fatal(err)
		}
		users[login] = u
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const weeks = 10
	s.move(-7 * weeks * 24 * time.Hour)
	for week := range weeks {
		for i := range 4 {
			id := fmt.Sprintf("W-%d-%d", week, i)
			n := note(id, "E-"+id, visit)
			set := s.set(n, visitCodes...)
			for k := range set.Suggestions {
				set.Suggestions[k].RetrievalRank = 1 + 2*k + week/3
			}
			s.save(n, set)
			u, item := users[[]string{"ann", "ben"}[i%2]], s.itemOf(id)
			for k, c := range visitCodes {
				a := review.Act{Kind: coding.Accept, Code: coding.CodeKey{System: coding.ICD10CM, Code: c.code}}
				if k == 2 && (i == 0 || week > 5) || k == 1 && week > 5 && i < 2 {
					a.Kind, a.ReasonCode = coding.Reject, []coding.ReasonCode{coding.RejectNotInNote, coding.RejectHistory}[(week+i)%2]
				}
				_, err := s.review.Decide(t.Context(), u, item, a)
				must(err)
			}
			_, err := s.review.Decide(t.Context(), u, item, review.Act{Kind: coding.Finish, Confirm: true})
			must(err)
		}
		s.move(7 * 24 * time.Hour)
	}
	_, err := s.quality.Sample(t.Context(), "olga", qa.Draw{Rate: 0.2, From: s.now().AddDate(-1, 0, 0), Before: s.now(), Seed: 3})
	must(err)
	for i := range 6 {
		id, err := s.quality.TakeCase(t.Context(), users["lee"])
		must(err)
		codes := []string{"E11.22", "I10", "E11.9"}[:1+i%3]
		if i == 5 {
			codes = nil
		}
		for _, c := range codes {
			must(s.quality.Recode(t.Context(), users["lee"], id, qa.RecodeAct{Kind: qa.Give, Code: coding.CodeKey{System: coding.ICD10CM, Code: c}}))
		}
		must(s.quality.Recode(t.Context(), users["lee"], id, qa.RecodeAct{Kind: qa.Finish}))
		if i < 4 {
			sides, err := s.quality.Case(t.Context(), users["olga"], int64(i+1))
			must(err)
			var v []qa.Verdict
			for _, r := range sides.Rows {
				if r.Code != "E11.9" && r.Code != "E11.22" {
					v = append(v, qa.Verdict{Code: r.CodeKey, Lead: r.Code == "E11.40", Acceptable: r.Code == "E78.5"})
				}
			}
			if !slices.ContainsFunc(v, func(x qa.Verdict) bool { return x.Code.Code == "I10" }) {
				v = append(v, qa.Verdict{Code: coding.CodeKey{System: coding.ICD10CM, Code: "I10"}})
			}
			must(s.quality.Judge(t.Context(), users["olga"], int64(i+1), v, "The neuropathy is stated in the assessment."))
		}
	}
	must(s.quality.Answer(t.Context(), users["lee"], coding.FindingAnswer{Case: 1, Kind: coding.FindingWrong, Code: coding.CodeKey{System: coding.ICD10CM, Code: "E11.22"}, Text: "I took the neuropathy for a nephropathy.", Agrees: true}))
	practice := practiceNotes()
	second := practice[0]
	second.Note.NoteID, second.Note.Text = "PR-2", second.Note.Text+" Seen with her daughter."
	_, err = s.quality.AddPractice(t.Context(), "console", append(practice, second))
	must(err)
	for _, login := range []string{"ann", "ben"} {
		id, err := s.quality.TakePractice(t.Context(), users[login])
		must(err)
		for _, c := range []string{"E11.40", "H25.9"} {
			kind := qa.Accept
			if c == "H25.9" && login == "ann" {
				kind = qa.Reject
			}
			must(s.quality.Recode(t.Context(), users[login], id, qa.RecodeAct{Kind: kind, Code: coding.CodeKey{System: coding.ICD10CM, Code: c}}))
		}
		must(s.quality.Recode(t.Context(), users[login], id, qa.RecodeAct{Kind: qa.Finish}))
	}
	return s
}

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
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for _, login := range []string{"olga", "lee"} {
			b.link(login)
			for _, p := range qaPaths[login] {
				b.open(p[0])
				b.accessible(script, scheme+" "+p[0])
			}
		}
		for _, section := range []string{"again", "practice"} { // lee's, begun with the first scheme
			b.open("/qa")
			b.run(chromedp.Click(`section[aria-labelledby=` + section + `] :is(form button, a.button)`))
			b.until(`document.querySelector("#item") !== null`)
			b.accessible(script, scheme+" coding: "+section)
		}
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
		b.link("olga")
		b.open("/qa/runs/baseline")
		b.run(chromedp.Evaluate[chromedp.Void](`document.querySelector("#confusion").scrollIntoView(); null`))
		shot("qa-confusion")
		b.open("/qa/people")
		b.run(chromedp.Evaluate[chromedp.Void](`document.querySelector("#bias").scrollIntoView(); null`))
		shot("qa-bias")
	}
}
