package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartcode/eval/dataset"
	"chartcode/eval/results"
	"chartcode/eval/runs"
	"chartcode/internal/codebook/booktest"
	"chartcode/internal/coding"
	"chartcode/internal/qa"
	"chartcode/internal/review"
	"chartcode/internal/web"
)

// audited is a site on which the demo's coder finished an item, that an
// administrator drew as case 1, and that waits to be coded again.
func audited(t *testing.T, change ...func(*web.Config)) (s *site, item int64) {
	t.Helper()
	s = newSite(t, change...)
	booktest.Load(t, s.store)
	item = s.finish(s.as(coding.RoleCoder), "D-1")
	s.draw()
	return s, item
}

// finish stores the usual note under an id and finishes it, E11.40 accepted.
func (s *site) finish(b *browser, id string) int64 {
	s.t.Helper()
	n := note(id, "E-"+id, visit)
	s.save(n, s.set(n, visitCodes...))
	item := s.itemOf(id)
	b.act(b.get(itemPath(item)), "accept", "E11.40").wants(s.t, http.StatusSeeOther)
	b.act(b.get(itemPath(item)), "reject", "I10").wants(s.t, http.StatusSeeOther)
	b.act(b.get(itemPath(item)), "finish", "", "confirm", "true").wants(s.t, http.StatusSeeOther)
	return item
}

// draw draws all finished reviews.
func (s *site) draw() {
	s.t.Helper()
	_, err := s.quality.Sample(s.t.Context(), "console", qa.Draw{Rate: 1, From: s.now().Add(-time.Hour), Before: s.now().Add(time.Hour)})
	if err != nil {
		s.t.Fatal(err)
	}
}

// take takes what waits and gives its page's path.
func (b *browser) take(kind string) string {
	b.t.Helper()
	a := b.post("/qa/codings", url.Values{"kind": {kind}})
	a.wants(b.t, http.StatusSeeOther)
	return a.Header.Get("Location")
}

func practiceNotes() []coding.PracticeNote {
	s := func(code string, seeded bool, confidence float64) coding.PracticeSuggestion {
		return coding.PracticeSuggestion{Seeded: seeded, Suggestion: coding.Suggestion{System: coding.ICD10CM, Code: code, Display: "Title of " + code, Confidence: confidence,
			Evidence: []coding.Evidence{{NoteID: "PR-1", Span: coding.Span{Start: 0, End: 15}, Text: visit[:15]}}, Warnings: []coding.Finding{}}}
	}
	return []coding.PracticeNote{{Run: "run-1", Rate: 0.5, Note: note("PR-1", "", visit), Suggested: []coding.PracticeSuggestion{s("E11.40", false, 0.9), s("H25.9", true, 0.8)},
		Gold: []coding.GivenCode{{CodeKey: coding.CodeKey{System: coding.ICD10CM, Code: "E11.40"}, Display: "Title of E11.40"}, {CodeKey: coding.CodeKey{System: coding.ICD10CM, Code: "I10"}, Display: "Title of I10"}}}}
}

// addDataset keeps gold notes in a folder of evaluations.
func addDataset(t testing.TB, dir, name string, notes []byte) dataset.About {
	t.Helper()
	about, err := dataset.NewRegistry(filepath.Join(dir, "datasets")).Add(notes, dataset.About{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return about
}

// serveRuns serves a folder of evaluations, the figures of one run computed.
func serveRuns(t testing.TB, dir, scored string) func(*web.Config) {
	t.Helper()
	r := results.New(dataset.NewRegistry(filepath.Join(dir, "datasets")), runs.NewStore(filepath.Join(dir, "runs")))
	in, err := r.Run(scored)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Runs.PutScores(scored, &in.Scores); err != nil {
		t.Fatal(err)
	}
	return func(c *web.Config) { c.Results = r }
}

// withRuns makes two runs over the same notes, one of which is an item's.
func withRuns(t testing.TB, dir string) func(*web.Config) {
	t.Helper()
	notes := []dataset.Note{
		{Note: note("D-1", "E-D-1", visit), First: []string{"E11.40"}, Codes: []dataset.Code{{System: coding.ICD10CM, Code: "E11.40", Evidence: []coding.Span{{Start: 0, End: 31}}}, {System: coding.ICD10CM, Code: "I10", Evidence: []coding.Span{{Start: 33, End: 55}}}}},
		{Note: note("G-2", "", "Cough since Monday. No fever."), Codes: []dataset.Code{{System: coding.ICD10CM, Code: "R05.9"}}},
	}
	var b bytes.Buffer
	for i := range notes {
		if err := json.NewEncoder(&b).Encode(&notes[i]); err != nil {
			t.Fatal(err)
		}
	}
	about := addDataset(t, dir, "site-2026", b.Bytes())
	write := func(id string, started time.Time, predictions []runs.Prediction) {
		r := runs.Run{Schema: 1, ID: id, Config: runs.Config{Dataset: runs.DatasetRef{Name: about.Name, SHA256: about.SHA256}, NoteIDs: []string{"D-1", "G-2"}, Ranker: "local", CodingStyle: coding.Billing, Judged: 150, Candidates: 400},
			Started: started, Finished: started.Add(time.Minute)}
		folder := filepath.Join(dir, "runs", id)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		put := func(name string, lines ...any) {
			var b bytes.Buffer
			for _, l := range lines {
				if err := json.NewEncoder(&b).Encode(l); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(folder, name), b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		put("run.json", r)
		put("codes.json", map[string]runs.Title{"E11.40": {Title: "Diabetes with neuropathy", Billable: true}, "I10": {Title: "Essential hypertension", Billable: true}, "I11.9": {Title: "Hypertensive heart disease", Billable: true}, "R05.9": {Title: "Cough", Billable: true}})
		put("predictions.jsonl", predictions[0], predictions[1])
	}
	sug := func(code string, confidence float64, at ...int) runs.Suggested {
		s := runs.Suggested{Code: code, Confidence: confidence, Evidence: []coding.Span{}}
		if len(at) == 2 {
			s.Evidence = append(s.Evidence, coding.Span{Start: at[0], End: at[1]})
		}
		return s
	}
	predict := func(i int, s ...runs.Suggested) runs.Prediction {
		return runs.Prediction{NoteID: notes[i].NoteID, NoteSHA256: notes[i].SHA256(), Setting: coding.Outpatient, Ranker: "local@3", Suggestions: s, Candidates: []string{"E11.40", "I10", "I11.9", "R05.9"}, Removed: []string{}}
	}
	day := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	bad := sug("I11.9", 0.6, 43, 55)
	bad.Invalid = true
	write("run-a", day, []runs.Prediction{predict(0, sug("E11.40", 0.9, 0, 15), bad), predict(1)})
	write("run-b", day.Add(time.Hour), []runs.Prediction{predict(0, sug("E11.40", 0.9, 0, 15), sug("I10", 0.7, 33, 55)), predict(1, sug("R05.9", 0.8))})
	return serveRuns(t, dir, "run-a")
}

// baselineRuns serves the repository's stored run on its sample notes, and beside it
// one that finds less.
func baselineRuns(t testing.TB) func(*web.Config) {
	t.Helper()
	dir := t.TempDir()
	notes, err := os.ReadFile("../../eval/datasets/sample-notes.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	addDataset(t, dir, "sample-notes", notes)
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
	return serveRuns(t, dir, "baseline")
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
			present := coding.POA("")
			if i != 3 {
				n.Setting, present = coding.Inpatient, coding.POAYes
			}
			set := s.set(n, visitCodes...)
			for k := range set.Suggestions {
				set.Suggestions[k].RetrievalRank = 1 + 2*k + week/3
			}
			s.save(n, set)
			u, item := users[[]string{"ann", "ben"}[i%2]], s.itemOf(id)
			for k, c := range visitCodes {
				a := review.Act{Kind: coding.Accept, Code: coding.CodeKey{System: coding.ICD10CM, Code: c.code}, POA: present}
				if k == 2 && (i == 0 || week > 5) || k == 1 && week > 5 && i < 2 {
					a.Kind, a.POA, a.ReasonCode = coding.Reject, "", []coding.ReasonCode{coding.RejectNotInNote, coding.RejectHistory}[(week+i)%2]
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
	for i := range 7 {
		id, err := s.quality.TakeCase(t.Context(), users["lee"])
		must(err)
		if i == 6 { // begun
			i10 := coding.CodeKey{System: coding.ICD10CM, Code: "I10"}
			must(s.quality.Recode(t.Context(), users["lee"], id, qa.RecodeAct{Kind: qa.Give, Code: i10}))
			must(s.quality.Recode(t.Context(), users["lee"], id, qa.RecodeAct{Kind: qa.Detail, Code: i10, POA: coding.POANo}))
			continue
		}
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
					v = append(v, qa.Verdict{Code: r.CodeKey, Lead: r.Code == "E11.40", Acceptable: r.Code == "E78.5", POA: r.POAs[slices.Index(r.In, true)]})
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
