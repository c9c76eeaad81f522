package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"chartcode/internal/codebook/booktest"
	"chartcode/internal/coding"
	"chartcode/internal/review"
	"chartcode/internal/web"
)

// What the coder of an item gave stands neither on the page nor in the API of who
// codes it again.
func TestRecoderSeesNoCode(t *testing.T) {
	t.Parallel()
	s, item := audited(t)
	ben := s.named("ben", coding.RoleCoder)
	ben.get("/qa").wants(t, http.StatusOK, "<b>1 case</b>")
	page := ben.take("case")
	secrets := []string{"E11.40", "I10", "E78.5", "Title of", "Named with its complication"}

	p := ben.get(page)
	p.wants(t, http.StatusOK, "Type 2 diabetes with neuropathy", "No codes yet", "Return it uncoded")
	p.lacks(t, secrets...)
	for _, path := range []string{itemPath(item), itemPath(item) + "/timeline", "/api/v1" + itemPath(item), "/qa"} {
		a := ben.get(path)
		a.lacks(t, secrets...)
		if path != "/qa" && a.StatusCode != http.StatusConflict {
			t.Errorf("%s gave %d", path, a.StatusCode)
		}
	}
	body := `{"kind":"reopen","content":1}`
	a := ben.do(http.MethodPost, "/api/v1"+itemPath(item)+"/decisions", "application/json", strings.NewReader(body))
	a.wants(t, http.StatusConflict, `"blind"`)
	a.lacks(t, secrets...)
	ben.get("/qa/cases/1").wants(t, http.StatusForbidden)
	s.as(coding.RoleCoder).get(page).wants(t, http.StatusNotFound)
	s.as(coding.RoleManager).post("/qa/codings", url.Values{"kind": {"case"}}).wants(t, http.StatusForbidden)

	// He codes, and the item is open to him again when he has finished.
	give := func(code string, more ...string) answer {
		f := url.Values{"kind": {"add"}, "system": {"ICD-10-CM"}, "code": {code}}
		for i := 0; i+1 < len(more); i += 2 {
			f.Set(more[i], more[i+1])
		}
		return ben.post(page, f)
	}
	give("e119", "evidence_note", "D-1", "evidence_start", "0", "evidence_end", "15").wants(t, http.StatusSeeOther)
	give("Q99.99").wants(t, http.StatusUnprocessableEntity, "has no such code", `value="Q99.99"`)
	ben.get(page).wants(t, http.StatusOK, "E11.9", `data-codes="0"`, "first")
	ben.post(page, url.Values{"kind": {"finish"}}).wants(t, http.StatusSeeOther)
	ben.get(page).wants(t, http.StatusOK, "It stays as it is")
	give("I10").wants(t, http.StatusConflict, "stays as it is")
	ben.get(itemPath(item)).wants(t, http.StatusOK, "E11.40")
	ben.post("/qa/codings", url.Values{"kind": {"case"}}).wants(t, http.StatusConflict, "Nothing is waiting")
}

// An auditor judges without names; the coders see the findings and answer.
func TestJudgeAndAnswer(t *testing.T) {
	t.Parallel()
	s, _ := audited(t)
	ben, auditor := s.named("ben", coding.RoleCoder), s.as(coding.RoleAuditor)
	early := auditor.get("/qa/cases/1")
	early.wants(t, http.StatusOK, "Nothing to see yet")
	early.lacks(t, "E11.40", "demo-coder")
	page := ben.take("case")
	ben.post(page, url.Values{"kind": {"add"}, "system": {"ICD-10-CM"}, "code": {"E11.9"}}).wants(t, http.StatusSeeOther)
	ben.post(page, url.Values{"kind": {"finish"}}).wants(t, http.StatusSeeOther)

	auditor.get("/qa/audits").wants(t, http.StatusOK, "a judgement", "demo-coder", "ben")
	sides := auditor.get("/qa/cases/1")
	sides.wants(t, http.StatusOK, "E11.40", "E11.9", "Judge", `name="verdict-1"`)
	sides.lacks(t, "demo-coder", "ben")
	s.as(coding.RoleManager).get("/qa/cases/1").lacks(t, `name="verdict-1"`)
	f := url.Values{"code": {"ICD-10-CM E11.40", "ICD-10-CM E11.9"}, "verdict-0": {"right"}}
	auditor.post("/qa/cases/1", f).wants(t, http.StatusUnprocessableEntity, "Say of each code")
	f.Set("verdict-1", "wrong")
	f.Set("remark", "As I wrote it.")
	kept := []string{`value="right" required checked`, `value="wrong" checked`, "As I wrote it."}
	auditor.post("/qa/cases/1", f).wants(t, http.StatusUnprocessableEntity, append(kept, "which of the right ICD-10-CM codes leads")...)
	for lead, value := range map[string]string{"ICD-10-CM E11.9": "ICD-10-CM E11.9", "more": "more"} { // judged wrong; nothing typed
		f.Set("lead", lead)
		auditor.post("/qa/cases/1", f).wants(t, http.StatusUnprocessableEntity, append(kept, "chosen to lead is not among", `value="`+value+`" checked`)...)
	}
	f.Set("remark", strings.Repeat("é", 2001))
	f.Set("lead", "ICD-10-CM E11.40")
	auditor.post("/qa/cases/1", f).wants(t, http.StatusUnprocessableEntity, "at most 2000 characters", strings.Repeat("é", 2001))
	f.Set("more", "q99.99")
	f.Set("remark", "Neuropathy is stated.")
	auditor.post("/qa/cases/1", f).wants(t, http.StatusUnprocessableEntity, "no such code", `value="q99.99"`, "Neuropathy is stated.", `value="right" required checked`, `value="wrong" checked`, `value="ICD-10-CM E11.40" checked`)
	f.Set("more", "i10")
	auditor.post("/qa/cases/1", f).wants(t, http.StatusSeeOther)
	auditor.post("/qa/cases/1", f).wants(t, http.StatusConflict, "judged already")
	auditor.get("/qa/cases/1").wants(t, http.StatusOK, "demo-coder", "ben", "right, leads", "No answer yet")

	coder := s.as(coding.RoleCoder)
	own := coder.get("/qa/findings")
	own.wants(t, http.StatusOK, "missed", "I10", "Neuropathy is stated.")
	own.lacks(t, "E11.9")
	ben.get("/qa/findings").wants(t, http.StatusOK, "not right", "E11.9", "missed", "E11.40")
	say := url.Values{"case": {"1"}, "finding": {"missed"}, "system": {"ICD-10-CM"}, "code": {"I10"}, "answer": {"disagree"}}
	coder.post("/qa/findings", say).wants(t, http.StatusUnprocessableEntity, "needs a sentence")
	say.Set("text", strings.Repeat("é", 2001))
	coder.post("/qa/findings", say).wants(t, http.StatusUnprocessableEntity, "at most 2000 characters", ">"+strings.Repeat("é", 2001)+"</textarea>")
	say.Set("text", "It was <not> treated.")
	coder.post("/qa/findings", say).wants(t, http.StatusSeeOther)
	say.Set("code", "E11.9")
	coder.post("/qa/findings", say).wants(t, http.StatusNotFound)
	auditor.get("/qa/cases/1").wants(t, http.StatusOK, "disagreed", "It was &lt;not&gt; treated.")

	people := auditor.get("/qa/people")
	people.wants(t, http.StatusOK, "reviews and blind codings", "demo-coder", "blind codings", "E00-E89 Endocrine and metabolic", "below 95%")
	auditor.get("/qa/people?sample=1").wants(t, http.StatusOK, "of sample 1", "1 judged")
	auditor.get("/qa/people?sample=2").wants(t, http.StatusNotFound)
	coder.get("/qa/people").wants(t, http.StatusForbidden)
	coder.get("/qa/audits").wants(t, http.StatusForbidden)
}

// A code that all codings missed can lead.
func TestMissedCodeLeads(t *testing.T) {
	t.Parallel()
	s, _ := audited(t)
	ben, auditor := s.named("ben", coding.RoleCoder), s.as(coding.RoleAuditor)
	ben.post(ben.take("case"), url.Values{"kind": {"finish"}}).wants(t, http.StatusSeeOther)
	auditor.get("/qa/cases/1").wants(t, http.StatusOK, "one of these leads (the first)")
	f := url.Values{"code": {"ICD-10-CM E11.40"}, "verdict-0": {"right"}, "lead": {"more"}, "more": {"i10 e11.9"}, "remark": {strings.Repeat("é", 2000)}}
	auditor.post("/qa/cases/1", f).wants(t, http.StatusSeeOther)
	cases, err := s.store.AuditCases(t.Context(), 0, "")
	if err != nil || len(cases) != 1 || cases[0].Judgement == nil || cases[0].Judgement.Lead().Code != "I10" || len(cases[0].Judgement.Codes) != 3 {
		t.Errorf("cases %+v, %v", cases, err)
	}
}

// An auditor draws through the page; others may not.
func TestDrawOnThePage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.finish(s.as(coding.RoleCoder), "D-1")
	today := s.now().UTC().Format(time.DateOnly)
	f := url.Values{"rate": {"100"}, "at_least": {"1"}, "from": {today}, "to": {today}, "recodings": {"2"}}
	s.as(coding.RoleCoder).post("/qa/audits", f).wants(t, http.StatusForbidden)
	s.as(coding.RoleManager).post("/qa/audits", f).wants(t, http.StatusForbidden)
	auditor := s.as(coding.RoleAuditor)
	auditor.get("/qa/audits").wants(t, http.StatusOK, "No sample yet")
	bad := url.Values{"rate": {"none"}}
	auditor.post("/qa/audits", bad).wants(t, http.StatusUnprocessableEntity, "Give a share")
	auditor.follow(auditor.post("/qa/audits", f)).wants(t, http.StatusOK, "Cases of sample 1", "a blind coding", "demo-coder")
	auditor.post("/qa/audits", f).wants(t, http.StatusConflict, "No finished review")

	// Who does not finish can be relieved.
	ben := s.named("ben", coding.RoleCoder)
	ben.take("case")
	auditor.get("/qa/audits").wants(t, http.StatusOK, "ben since")
	ben.post("/qa/audits/release", url.Values{"recoding": {"1"}}).wants(t, http.StatusForbidden)
	auditor.follow(auditor.post("/qa/audits/release", url.Values{"recoding": {"1"}})).lacks(t, "ben since")
}

// Practice does not tell what was seeded before it is finished, and is no item.
func TestPracticeOnThePage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if _, err := s.quality.AddPractice(t.Context(), "console", practiceNotes()); err != nil {
		t.Fatal(err)
	}
	coder := s.as(coding.RoleCoder)
	coder.get("/qa").wants(t, http.StatusOK, "<b>1 note</b> left")
	page := coder.take("practice")
	p := coder.get(page)
	p.wants(t, http.StatusOK, "Practice:", "H25.9", "2 suggested, undecided")
	p.lacks(t, "<span class=\"badge warn\">wrong on purpose", "I10", "badge good\">right")
	coder.post(page, url.Values{"kind": {"finish"}}).wants(t, http.StatusConflict, "Decide on each")
	for _, code := range []string{"E11.40", "H25.9"} {
		coder.post(page, url.Values{"kind": {"accept"}, "system": {"ICD-10-CM"}, "code": {code}}).wants(t, http.StatusSeeOther)
	}
	coder.follow(coder.post(page, url.Values{"kind": {"finish"}})).wants(t, http.StatusOK, "badge warn\">wrong on purpose", "badge good\">right", "Right, and not given", "I10")
	coder.get("/qa").wants(t, http.StatusOK, "you accepted <b>1 of 1</b>")
	s.as(coding.RoleManager).get("/qa/people").wants(t, http.StatusOK, "Automation bias", "1 of 1", "everybody")
	coder.get("/").wants(t, http.StatusOK, "0 notes")
	if n, _, err := s.store.OutboxAge(t.Context()); err != nil || n != 0 {
		t.Errorf("%d messages wait, %v", n, err)
	}
}

func TestRunsOnThePage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var s *site
	s = newSite(t, withRuns(t, dir), func(c *web.Config) {
		c.ItemOf = func(ctx context.Context, n coding.Note) (int64, bool, error) { return s.store.ItemOfNote(ctx, n) }
	})
	item := s.one() // the note D-1, but of another encounter: another body
	auditor := s.as(coding.RoleManager)
	auditor.get("/qa/runs").wants(t, http.StatusOK, `href="/qa/runs/run-a"`, "site-2026", "0.500", "open it to compute")
	run := auditor.get("/qa/runs/run-a")
	run.wants(t, http.StatusOK, "<svg ", "The numbers", "Confusion between codes", "I11.9", `href="/qa/runs/run-a/notes/1"`, "micro F1")
	if a, b := strings.Count(run.body, "<svg viewBox=\"0 0 "), strings.Count(run.body, "<summary>The numbers</summary>"); a < 5 || a-1 > b {
		t.Errorf("%d drawings, %d tables", a, b)
	}
	auditor.get("/qa/runs/run-a/notes?kind=missed").wants(t, http.StatusOK, "D-1", "G-2")
	invalid := auditor.get("/qa/runs/run-a/notes?kind=invalid")
	invalid.wants(t, http.StatusOK, "D-1")
	invalid.lacks(t, "notes/2?")
	auditor.get("/qa/runs/run-b/notes?kind=missed").wants(t, http.StatusOK, "No note has this kind of error")
	one := auditor.get("/qa/runs/run-a/notes/1")
	one.wants(t, http.StatusOK, `class="qa-both"`, `class="qa-gold"`, "not valid on the date of service", "below threshold, retrieved at rank 2", `rel="next"`)
	one.lacks(t, "Open in the workspace")
	c := auditor.get("/qa/compare?a=run-a&b=run-b")
	c.wants(t, http.StatusOK, "Side by side", "McNemar", `href="/qa/runs/run-b/notes/1"`)
	auditor.get("/qa/compare").wants(t, http.StatusOK, "Run B, measured against A")
	for path, status := range map[string]int{"/qa/runs/none": 404, "/qa/runs/run-a/notes/3": 404, "/qa/runs/run-a/notes/x": 404, "/qa/compare?a=run-a&b=..": 404, "/qa/runs/..%2Fruns%2Frun-a": 404} {
		auditor.get(path).wants(t, status)
	}
	auditor.get("/qa/runs/none").wants(t, 404, "from the folder of runs")
	s.as(coding.RoleCoder).get("/qa/runs").wants(t, http.StatusForbidden)

	// The note as it is in the dataset is an item: a link opens it.
	n := note("D-1", "E-D-1", visit)
	s.save(n, s.set(n, visitCodes...))
	if now := s.itemOf("D-1"); now == item {
		t.Fatal("the note did not move")
	}
	auditor.get("/qa/runs/run-a/notes/1").wants(t, http.StatusOK, "Open in the workspace", fmt.Sprintf(`href="/items/%d"`, s.itemOf("D-1")))
}

// Who is coding a note again blind sees none of its codes on the pages of runs,
// whatever text it had in the dataset.
func TestRunsHideWhatIsCodedBlind(t *testing.T) {
	t.Parallel()
	s, _ := audited(t, withRuns(t, t.TempDir()))
	n := note("D-1", "E-D-1", visit+" Seen again.")
	s.save(n, s.set(n, visitCodes...))
	pages := map[string]string{"/qa/runs/run-a": "I11.9", "/qa/runs/run-a/notes": ">D-1", "/qa/runs/run-a/notes?kind=missed": "missed I10", "/qa/compare?a=run-a&b=run-b": `<td class="mono">I10`}
	const said = "1 note is left out"
	auditor := s.as(coding.RoleAuditor)
	for path, secret := range pages {
		a := auditor.get(path)
		a.wants(t, http.StatusOK, secret)
		a.lacks(t, said)
	}
	page := auditor.take("case")
	for path, secret := range pages {
		a := auditor.get(path)
		a.wants(t, http.StatusOK, said, "blind just now")
		a.lacks(t, secret, ">D-1", "I10", "/notes/1")
	}
	auditor.get("/qa/runs/run-a/notes").wants(t, http.StatusOK, "/qa/runs/run-a/notes/2", "all notes <b>1</b>")
	one := auditor.get("/qa/runs/run-a/notes/1")
	one.wants(t, http.StatusConflict, "coding this encounter blind")
	one.lacks(t, "E11.40", "I10")
	auditor.get("/qa/runs/run-a/notes/2").lacks(t, `rel="prev"`)
	auditor.post(page, url.Values{"kind": {"finish"}}).wants(t, http.StatusSeeOther)
	auditor.get("/qa/runs/run-a/notes/1").wants(t, http.StatusOK, "E11.40")
}

func TestDriftOnThePage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	manager := s.as(coding.RoleManager)
	manager.get("/qa/drift").wants(t, http.StatusOK, "Nothing was finished")
	s.finish(s.as(coding.RoleCoder), "D-1")
	manager.get("/qa/drift?weeks=26").wants(t, http.StatusOK, "1 finished item", "Share accepted", "Reasons of rejections", "Retrieval depth", "Fewer than four weeks")
	s.as(coding.RoleCoder).get("/qa/drift").wants(t, http.StatusForbidden)
}

// Of a stay, both codings and the judge say what was present on admission.
func TestPresentOnAdmissionOnThePage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	booktest.Load(t, s.store)
	n := note("D-1", "E-D-1", visit)
	n.Setting = coding.Inpatient
	s.save(n, s.set(n, visitCodes[1]))
	s.named("ann", coding.RoleCoder)
	ann, err := s.auth.User(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	i10 := coding.CodeKey{System: coding.ICD10CM, Code: "I10"}
	for _, a := range []review.Act{{Kind: coding.Accept, Code: i10, POA: coding.POAYes}, {Kind: coding.Finish, Confirm: true}} {
		if _, err := s.review.Decide(t.Context(), ann, s.itemOf("D-1"), a); err != nil {
			t.Fatal(err)
		}
	}
	s.draw()
	ben, auditor := s.named("ben", coding.RoleCoder), s.as(coding.RoleAuditor)
	page := ben.take("case")
	form := func(kind string, more ...string) url.Values {
		f := url.Values{"kind": {kind}, "system": {"ICD-10-CM"}, "code": {"I10"}}
		for i := 0; i+1 < len(more); i += 2 {
			f.Set(more[i], more[i+1])
		}
		return f
	}
	ben.post(page, form("add")).wants(t, http.StatusSeeOther)
	ben.get(page).wants(t, http.StatusOK, `name="poa"`, "not stated")
	ben.post(page, form("detail", "poa", "X")).wants(t, http.StatusUnprocessableEntity)
	ben.post(page, form("detail", "units", "many")).wants(t, http.StatusUnprocessableEntity, "Units are a whole number")
	ben.follow(ben.post(page, form("detail", "poa", "N"))).wants(t, http.StatusOK, "present on admission: N", `value="N" selected`)
	ben.post(page, url.Values{"kind": {"finish"}}).wants(t, http.StatusSeeOther)

	auditor.get("/qa/cases/1").wants(t, http.StatusOK, `name="poa-0"`, ">POA</abbr> Y<", ">POA</abbr> N<")
	f := url.Values{"code": {"ICD-10-CM I10"}, "verdict-0": {"right"}, "poa-0": {"Y"}}
	auditor.post("/qa/cases/1", f).wants(t, http.StatusUnprocessableEntity, "leads", `value="Y" selected`)
	f.Set("lead", "ICD-10-CM I10")
	auditor.follow(auditor.post("/qa/cases/1", f)).wants(t, http.StatusOK, "right, leads", "stated otherwise")
	ben.get("/qa/findings").wants(t, http.StatusOK, "stated otherwise", "I10", "present on admission: Y")
	s.as(coding.RoleManager).get("/qa/people").wants(t, http.StatusOK, "POA and units right", "100% (21 to 100)", "0% (0 to 79)")
}
