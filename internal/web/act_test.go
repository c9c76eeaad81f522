package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/store"
)

func (s *site) wantCodes(id int64, want string) {
	s.t.Helper()
	if got := s.codeStates(id); got != want {
		s.t.Errorf("the codes are %q, want %q", got, want)
	}
}

// codes loads a little code set.
func (s *site) codes(codes ...string) {
	s.t.Helper()
	in := store.ReleaseImport{
		Release: coding.Release{ID: "icd10cm-2026", System: coding.ICD10CM, Kind: "order", Version: "2026",
			EffectiveFrom: coding.NewDate(2025, 10, 1), Rows: len(codes), Billable: len(codes)},
		SHA256: strings.Repeat("a", 64),
	}
	for _, c := range codes {
		in.Codes = append(in.Codes, coding.Code{System: coding.ICD10CM, Code: c, Title: "Title of " + c, Short: c, Billable: true})
	}
	if _, err := s.store.ImportRelease(s.t.Context(), in); err != nil {
		s.t.Fatal(err)
	}
}

// wantSelected checks which code a page has selected.
func wantSelected(t *testing.T, a answer, code string) {
	t.Helper()
	_, rest, ok := strings.Cut(a.body, `selected" id="code-`)
	if got := between(rest, `#code-`, `</a>`); !ok || !strings.HasSuffix(got, ">"+code) {
		t.Errorf("%s has selected %q, want %s", a.Request.URL, got, code)
	}
}

func TestAcceptRejectFinish(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := s.several(2)
	b := s.as(coding.RoleCoder)

	page := b.get(itemPath(ids[0]))
	page.wants(t, http.StatusOK, "3 of 3 undecided", "very likely 93%", "likely 70%", "possible 40%", "first-listed", "Named with its complication.")
	wantSelected(t, page, "E11.40")

	// After a decision comes the next undecided code, around the end.
	a := b.act(page, "accept", "E11.40")
	if to := a.Header.Get("Location"); to != itemPath(ids[0])+"?at=1#code-1" {
		t.Errorf("accepting led to %q", to)
	}
	page = b.follow(a)
	page.wants(t, http.StatusOK, "2 of 3 undecided", "accepted")
	wantSelected(t, page, "I10")
	page = b.follow(b.act(page, "reject", "E78.5"))
	wantSelected(t, page, "I10")
	page = b.follow(b.act(page, "accept", "I10"))
	page.wants(t, http.StatusOK, "all 3 decided")
	wantSelected(t, page, "I10")
	s.wantCodes(ids[0], "E11.40 accepted, I10 accepted, E78.5 rejected")

	// Undo and redo go to the code that they are about.
	page = b.follow(b.act(page, "undo", ""))
	wantSelected(t, page, "I10")
	page = b.follow(b.act(page, "undo", ""))
	wantSelected(t, page, "E78.5")
	s.wantCodes(ids[0], "E11.40 accepted, I10 undecided, E78.5 undecided")
	page = b.follow(b.act(page, "redo", ""))
	wantSelected(t, page, "E78.5")
	page = b.follow(b.act(page, "redo", ""))

	// Finishing goes on to the next item, which is claimed, and says so.
	a = b.act(page, "finish", "")
	if to := a.Header.Get("Location"); to != fmt.Sprintf("/items/%d?finished=%d", ids[1], ids[0]) {
		t.Errorf("finishing led to %q", to)
	}
	next := b.follow(a)
	next.wants(t, http.StatusOK, fmt.Sprintf("Item %d is finished.", ids[0]), "yours")
	if got := s.state(ids[0]); got.State != coding.ItemFinished || got.ReviewID == "" {
		t.Errorf("the item is %s with review %q", got.State, got.ReviewID)
	}
	b.get(itemPath(ids[0])).wants(t, http.StatusOK, "finished", `value="reopen"`, "Next item")
	b.get(itemPath(ids[0])).lacks(t, `value="accept"`)
}

func TestFinishingWithUndecidedCodesAsksOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.as(coding.RoleCoder)
	page := b.follow(b.act(b.get(itemPath(id)), "accept", "I10"))
	first, _ := findForm(page.body, "finish", "")
	asked := b.act(page, "finish", "")
	asked.wants(t, http.StatusConflict, "2 suggested codes are still undecided", "Finish all the same", `name="confirm" value="true"`)
	if n := strings.Count(asked.body, `value="finish"`); n != 1 {
		t.Errorf("the page has %d ways to finish", n)
	}
	second, _ := findForm(asked.body, "finish", "")
	if first.fields.Get("key") == "" || first.fields.Get("key") == second.fields.Get("key") {
		t.Errorf("the keys are %q and %q", first.fields.Get("key"), second.fields.Get("key"))
	}
	if s.state(id).State == coding.ItemFinished {
		t.Fatal("it finished without being asked")
	}
	done := b.act(asked, "finish", "")
	b.follow(done).wants(t, http.StatusOK, "That was the last one. No open item is left.", "All done")
	if s.state(id).State != coding.ItemFinished {
		t.Error("it is not finished")
	}
}

func TestFinishingWithoutAnyCodeAsks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := note("D-1", "E-1", visit)
	s.save(n, s.set(n))
	id := s.itemOf("D-1")
	b := s.as(coding.RoleCoder)
	page := b.get(itemPath(id))
	page.wants(t, http.StatusOK, "No codes suggested", `value="add"`)
	asked := b.act(page, "finish", "")
	asked.wants(t, http.StatusConflict, "No code was accepted.", "Finish all the same")
	b.act(asked, "finish", "").wants(t, http.StatusSeeOther)
}

func TestReopen(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.as(coding.RoleCoder)
	b.act(b.get(itemPath(id)), "finish", "", "confirm", "true").wants(t, http.StatusSeeOther)

	// An auditor may reopen, and the item is then free.
	auditor := s.as(coding.RoleAuditor)
	page := auditor.follow(auditor.act(auditor.get(itemPath(id)), "reopen", "", "reason", "second look"))
	page.wants(t, http.StatusOK, "open", "reopened it", "(second look)")
	page.lacks(t, `value="accept"`)

	b.act(b.get(itemPath(id)), "finish", "", "confirm", "true").wants(t, http.StatusSeeOther)
	again := b.follow(b.act(b.get(itemPath(id)), "reopen", ""))
	again.wants(t, http.StatusOK, "yours", `value="accept"`)
}

func TestActsThatAreRefusedSayWhy(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b, other := s.as(coding.RoleCoder), s.named("robin", coding.RoleCoder)
	before := b.get(itemPath(id))

	// Looking does not claim; deciding does.
	other.get(itemPath(id)).wants(t, http.StatusOK, `value="accept"`)
	if got := s.state(id); got.State != coding.ItemOpen {
		t.Errorf("looking made the item %s", got.State)
	}
	theirs := other.get(itemPath(id))
	b.act(before, "accept", "I10").wants(t, http.StatusSeeOther)
	if got := s.state(id); got.State != coding.ItemClaimed || got.Claim.Login != "demo-coder" {
		t.Errorf("deciding left the item %s", got.State)
	}

	// Claimed by somebody else.
	refused := other.act(theirs, "reject", "I10")
	refused.wants(t, http.StatusConflict, "Casey Coder is working on this item. It is free again at ")
	refused.lacks(t, `value="accept"`)
	other.act(theirs, "finish", "").wants(t, http.StatusConflict, "Casey Coder is working on this item.")
	other.act(theirs, "hold", "", "reason", "x").wants(t, http.StatusConflict, "Casey Coder is working on this item.")

	// Done already; the same form again counts once.
	page := b.get(itemPath(id))
	f, _ := findForm(page.body, "accept", "I10")
	f.fields.Set("kind", "accept")
	b.post(f.action, f.fields).wants(t, http.StatusConflict, "This is how it stands already.")
	twice, _ := findForm(page.body, "accept", "E11.40")
	twice.fields.Set("kind", "accept")
	b.post(twice.action, twice.fields).wants(t, http.StatusSeeOther)
	b.post(twice.action, twice.fields).wants(t, http.StatusSeeOther)
	twice.fields.Set("kind", "reject")
	b.post(twice.action, twice.fields).wants(t, http.StatusConflict, "Another decision was stored at the same moment.")
	s.wantCodes(id, "E11.40 accepted, I10 accepted, E78.5 undecided")

	// Changed meanwhile.
	old := b.get(itemPath(id))
	n := note("D-1", "E-1", visit+" Gout.")
	s.save(n, s.set(n, append(visitCodes[:3:3], sug{code: "M10.9", words: []string{"Gout"}, confidence: 0.6})...))
	changed := b.act(old, "accept", "E78.5")
	changed.wants(t, http.StatusConflict, "The notes or suggestions changed meanwhile, so nothing was done.", "M10.9", "revision 2", "changed")
	b.act(changed, "accept", "M10.9").wants(t, http.StatusSeeOther)
	s.wantCodes(id, "E11.40 accepted, I10 accepted, E78.5 undecided, M10.9 accepted")

	// Finished.
	open := b.get(itemPath(id))
	b.act(open, "finish", "", "confirm", "true").wants(t, http.StatusSeeOther)
	b.act(open, "accept", "E78.5").wants(t, http.StatusConflict, "This item is finished; reopen it first.", `value="reopen"`)

	// Nothing that could be understood.
	b.post(itemPath(id)+"/act", url.Values{"kind": {"explode"}, "content": {"1"}}).wants(t, http.StatusUnprocessableEntity, "This could not be understood.")
	b.post(itemPath(id)+"/act", url.Values{"kind": {"accept"}}).wants(t, http.StatusUnprocessableEntity, "This could not be understood.")
	b.do(http.MethodPost, itemPath(id)+"/act", "application/x-www-form-urlencoded", strings.NewReader("kind=%zz")).wants(t, http.StatusBadRequest)
	b.do(http.MethodPost, itemPath(id)+"/act", "application/x-www-form-urlencoded", strings.NewReader("kind="+strings.Repeat("x", 100<<10))).wants(t, http.StatusBadRequest)

	// A reload after an act that was answered with a page.
	if to := b.get(itemPath(id) + "/act?source=north").Header.Get("Location"); to != itemPath(id)+"?source=north" {
		t.Errorf("the act's address led to %q", to)
	}
}

func TestAddAndChangeCodes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.codes("E11.42", "Z79.4", "E11.40")
	id := s.one()
	b := s.as(coding.RoleCoder)
	page := b.get(itemPath(id))

	// Typed as people type: without the dot, in small letters, with spaces.
	page = b.follow(b.act(page, "add", "", "code", " z79 4 "))
	page.wants(t, http.StatusOK, "Title of Z79.4", "added")
	wantSelected(t, page, "Z79.4")

	wrong := b.act(page, "add", "", "code", "Q99.99")
	wrong.wants(t, http.StatusUnprocessableEntity, "The loaded code set has no such code", `value="Q99.99"`, `aria-invalid="true"`, `data-focus="add-code"`)
	b.act(wrong, "add", "", "code", "Z79.4").wants(t, http.StatusConflict, "This is how it stands already.")
	b.act(wrong, "add", "", "code", "  ").wants(t, http.StatusUnprocessableEntity, "This could not be understood.")

	page = b.follow(b.act(page, "modify", "E11.40", "to", "e1142"))
	page.wants(t, http.StatusOK, "modified to E11.42", "added for E11.40")
	s.wantCodes(id, "E11.40 modified, E11.42 added, I10 undecided, E78.5 undecided, Z79.4 added")
	b.act(page, "modify", "I10", "to", "Q99.99").wants(t, http.StatusUnprocessableEntity, "The loaded code set has no such code", `value="Q99.99"`, "open><summary")
}

func TestSetAside(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := s.several(3)
	b := s.as(coding.RoleCoder)

	page := b.follow(b.post("/next", nil))
	b.act(page, "hold", "", "reason", "  ").wants(t, http.StatusUnprocessableEntity, "This could not be understood.")
	next := b.follow(b.act(page, "hold", "", "reason", "waiting for <pathology>"))
	next.wants(t, http.StatusOK, fmt.Sprintf("Item %d is held.", ids[0]), fmt.Sprintf("Item %d</h1>", ids[1]))
	held := b.get(itemPath(ids[0]))
	held.wants(t, http.StatusOK, "This item is on hold: waiting for &lt;pathology&gt;", `value="resume"`)
	held.lacks(t, `value="accept"`)

	b.follow(b.act(next, "query", "", "reason", "which side?")).wants(t, http.StatusOK, fmt.Sprintf("Item %d is queried.", ids[1]))
	b.get("/?state=queried").wants(t, http.StatusOK, "which side?")
	b.follow(b.act(held, "resume", "")).wants(t, http.StatusOK, "yours", `value="accept"`)

	released := b.follow(b.act(b.get(itemPath(ids[0])), "release", ""))
	released.wants(t, http.StatusOK, "The item is back in the list.")
	if got := s.state(ids[0]).State; got != coding.ItemOpen {
		t.Errorf("the returned item is %s", got)
	}
}

func TestRuleErrorsBlockUntilOverridden(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := note("D-1", "E-1", visit)
	clash := []coding.Finding{{Rule: "excludes1", Severity: coding.SeverityError, Codes: []string{"E11.40", "I10"}, Message: "These two are not coded together.", Source: "Tabular list 2026, E11"}}
	list := append([]sug(nil), visitCodes...)
	list[0].warnings, list[1].warnings = clash, clash
	s.save(n, s.set(n, list...))
	id := s.itemOf("D-1")
	b := s.as(coding.RoleCoder)
	page := b.get(itemPath(id))
	page.wants(t, http.StatusOK, "These two are not coded together.", "Tabular list 2026, E11")
	for _, code := range []string{"E11.40", "I10"} {
		page = b.follow(b.act(page, "accept", code))
	}
	page = b.follow(b.act(page, "reject", "E78.5"))
	page.wants(t, http.StatusOK, `value="override"`)
	b.act(page, "finish", "").wants(t, http.StatusConflict, "A coding rule forbids these codes together")
	b.act(page, "finish", "", "confirm", "true").wants(t, http.StatusConflict, "A coding rule forbids these codes together")
	b.act(page, "override", "").wants(t, http.StatusUnprocessableEntity, "This could not be understood.")
	page = b.follow(b.act(page, "override", "", "reason", "unrelated conditions"))
	page.wants(t, http.StatusOK, "Overridden", "unrelated conditions")
	b.act(page, "finish", "").wants(t, http.StatusSeeOther)
}

func TestEvidenceIsMarked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := note("D-1", "E-1", visit)
	s.save(n, s.set(n,
		sug{code: "E11.40", words: []string{"Type 2 diabetes with neuropathy"}, confidence: 0.9},
		sug{code: "E11.9", words: []string{"diabetes"}, confidence: 0.2},
		sug{code: "I10", words: []string{"Essential hypertension", "well controlled"}, confidence: 0.8}))
	id := s.itemOf("D-1")
	b := s.as(coding.RoleCoder)
	text := func(a answer) string {
		return regexp.MustCompile(`<span id="[^"]*"></span>| title="[^"]*"| data-codes="[^"]*"`).
			ReplaceAllString(between(a.body, `<div class="note-text" dir="auto">`, `</div>`), "")
	}
	if got, want := text(b.get(itemPath(id))), `<mark class="ev on">Type 2 </mark><mark class="ev many on">diabetes</mark><mark class="ev on"> with neuropathy</mark>. `+
		`<mark class="ev">Essential hypertension</mark>, <mark class="ev">well controlled</mark>. Hyperlipidemia on statin.`; got != want {
		t.Errorf("the text is\n%s\nwant\n%s", got, want)
	}
	if got, want := text(b.get(itemPath(id)+"?at=2")), `<mark class="ev">Type 2 </mark><mark class="ev many">diabetes</mark><mark class="ev"> with neuropathy</mark>. `+
		`<mark class="ev on">Essential hypertension</mark>, <mark class="ev on">well controlled</mark>. Hyperlipidemia on statin.`; got != want {
		t.Errorf("with the third code selected the text is\n%s\nwant\n%s", got, want)
	}
	b.get(itemPath(id)).wants(t, http.StatusOK, `data-codes="0 1" title="Evidence for E11.40, E11.9"`, `<a href="#ev-2-1">well controlled</a>`, `<span id="ev-2-1"></span>`)
	wantSelected(t, b.get(itemPath(id)+"?at=99"), "E11.40")
}

func TestEncounterOfSeveralNotes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	types := []string{"ED note", "progress note", "progress note"}
	for i, kind := range types {
		n := note(fmt.Sprint("D-", i+1), "E-1", visit)
		n.NoteType, n.ServiceDate = kind, coding.NewDate(2026, 3, 10+i)
		set := s.set(n, visitCodes...)
		if i == 1 {
			reason := "rate_limited"
			set.Degraded, set.DegradedReason = true, &reason
			set.Notices = []coding.Notice{{Code: coding.NoticeSettingAssumed, Message: "The setting was assumed."}}
		}
		s.save(n, set)
	}
	b := s.as(coding.RoleCoder)
	a := b.get(itemPath(s.itemOf("D-1")))
	a.wants(t, http.StatusOK, `<a class="of-note" href="#note-1">ED note</a>`, "<cite>ED note</cite>", "<cite>progress note D-2</cite>", "<cite>progress note D-3</cite>")
	articles := strings.Split(a.body, "<article ")
	if len(articles) != 4 {
		t.Fatalf("the page has %d notes", len(articles)-1)
	}
	for i, article := range articles[1:] {
		article, _, _ = strings.Cut(article, "</article>")
		if got, want := strings.Contains(article, "The language model could not be used (rate limited)") && strings.Contains(article, "The setting was assumed."), i == 1; got != want {
			t.Errorf("note %d shows its notices: %v, want %v", i+1, got, want)
		}
		if !strings.Contains(article, "<mark") {
			t.Errorf("note %d has no evidence marked", i+1)
		}
	}
}

func TestLaterNoteReopensAndSaysSo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.as(coding.RoleCoder)
	b.act(b.get(itemPath(id)), "finish", "", "confirm", "true").wants(t, http.StatusSeeOther)
	n := note("D-2", "E-1", visit)
	s.save(n, s.set(n, visitCodes...))
	b.get(itemPath(id)).wants(t, http.StatusOK, "Reopened: new note.", "changed after the last decision")
	b.get("/").wants(t, http.StatusOK, "new note")
}

func TestLooksAreAudited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.as(coding.RoleAuditor)
	b.get(itemPath(id)).wants(t, http.StatusOK)
	b.get(itemPath(id)).wants(t, http.StatusOK, "demo-auditor looked at it", itemPath(id)+"/timeline")
	// The item's own page shows looks in a row as one; the timeline every one, that of
	// itemOf and its own included.
	a := b.get(itemPath(id) + "/timeline")
	a.wants(t, http.StatusOK, "4 entries")
	if n := strings.Count(a.body, "looked at it"); n != 4 {
		t.Errorf("the timeline has %d looks of 4", n)
	}
	b.get(itemPath(id)+"/timeline").wants(t, http.StatusOK, "5 entries")
	b.get("/items/999/timeline").wants(t, http.StatusNotFound)
	b.get("/items/x/timeline").wants(t, http.StatusNotFound)
}

func TestPatientOnThePage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for i, c := range []struct{ born, sex, want string }{
		{"1958-04-02", "female", "female, 67 years"}, {"2026-03-04", "male", "male, 10 days"}, {"2025-09-14", "", "5 months"}, {"2026-01-28", "", "6 weeks"}, {"", "male", "male"},
	} {
		n := note(fmt.Sprint("D-", i), fmt.Sprint("E-", i), visit)
		n.Patient.Sex, n.Patient.ID = c.sex, "P-SECRET"
		if c.born != "" {
			at, err := time.Parse(time.DateOnly, c.born)
			if err != nil {
				t.Fatal(err)
			}
			n.Patient.BirthDate = coding.DateOf(at)
		}
		s.save(n, s.set(n))
		a := s.as(coding.RoleCoder).get(itemPath(s.itemOf(n.NoteID)))
		a.wants(t, http.StatusOK, "Cardiology · "+c.want+"</p>")
		a.lacks(t, "P-SECRET")
	}
}

var wholeForm = regexp.MustCompile(`(?s)<form[^>]*method="post" action="(/items/[^"]*|/next[^"]*)"[^>]*>.*?</form>`)

// Every form of an item has a key, so that a lost answer can be asked for again; a
// form that is sent twice counts once.
func TestEveryActHasAKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := s.several(4)
	s.named("robin", coding.RoleCoder)
	b := s.as(coding.RoleCoder)
	keys := map[string]bool{}
	look := func(path string) answer {
		t.Helper()
		a := b.get(path)
		forms := wholeForm.FindAllString(a.body, -1)
		if len(forms) == 0 {
			t.Errorf("%s has no form", path)
		}
		for _, f := range forms {
			key := between(f, `name="key" value="`, `"`)
			if key == "" || keys[key] {
				t.Errorf("%s has a form without a key of its own: %s", path, excerpt(f))
			}
			keys[key] = true
		}
		return a
	}
	look("/")
	page := look(itemPath(ids[0]))
	twice := func(page answer, kind string, more ...string) answer {
		t.Helper()
		f, ok := findForm(page.body, kind, "")
		if !ok {
			t.Fatalf("there is no form to %s", kind)
		}
		f.fields.Set("kind", kind)
		for i := 0; i+1 < len(more); i += 2 {
			f.fields.Set(more[i], more[i+1])
		}
		first, second := b.post(f.action, f.fields), b.post(f.action, f.fields)
		if one, two := first.Header.Get("Location"), second.Header.Get("Location"); one == "" || one != two {
			t.Errorf("%s led to %q, sent again to %q", kind, one, two)
		}
		return b.follow(first)
	}
	twice(page, "hold", "reason", "why") // leads to the second
	twice(look(itemPath(ids[1])), "query", "reason", "which side?")
	look(itemPath(ids[1]))
	twice(look(itemPath(ids[2])), "send", "to", "robin")
	look(itemPath(ids[2]))
	twice(look(itemPath(ids[0])), "resume")
	twice(look(itemPath(ids[3])), "finish", "confirm", "true")
	look(itemPath(ids[3]))
	for i, want := range []coding.ItemState{coding.ItemClaimed, coding.ItemQueried, coding.ItemOpen, coding.ItemFinished} {
		if got := s.state(ids[i]).State; got != want {
			t.Errorf("item %d is %s, want %s", i+1, got, want)
		}
	}
	// The worklist's own.
	f := url.Values{"key": {"one"}}
	for _, id := range []string{"D-8", "D-9"} {
		n := note(id, "", visit)
		s.save(n, s.set(n, visitCodes...))
	}
	b.follow(b.post("/next", f))
	first, again := b.post("/next", f), b.post("/next", url.Values{"key": {"two"}})
	if first.Header.Get("Location") == again.Header.Get("Location") {
		t.Errorf("two keys led to %q", again.Header.Get("Location"))
	}
	b.post("/next", url.Values{"key": {"a\x00b"}}).wants(t, http.StatusBadRequest, "could not be understood")
	// The key of another act takes nothing.
	b.act(b.get(itemPath(ids[0])), "hold", "", "reason", "why", "key", "held").wants(t, http.StatusSeeOther)
	b.post("/next", url.Values{"key": {"held"}}).wants(t, http.StatusConflict, "Something else was sent with the same key.")
}
