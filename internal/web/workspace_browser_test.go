package web_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"chartcode/internal/codebook/booktest"
	"chartcode/internal/coding"
)

// TestTenCodesInFourteenKeys finishes a note of ten suggestions that are all
// right, from the worklist to the next item.
func TestTenCodesInFourteenKeys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.saveSamples()
	id := s.itemOf("N-1001")
	if got := len(s.state(id).Codes); got != 10 {
		t.Fatalf("the note has %d suggestions", got)
	}
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.open("/?specialty=Internal+Medicine&sort=oldest")
	b.keys = 0
	b.press("n")
	b.until(fmt.Sprintf(`location.pathname === "/items/%d"`, id))
	b.focused("E11.22")
	b.press("aaaaaaaaaa")
	b.until(`document.querySelectorAll(".code.accepted").length === 10`)
	b.press("f")
	b.until(`document.querySelector("#problem") !== null`) // a warning asks once
	b.press("f")
	b.until(fmt.Sprintf(`location.pathname !== "/items/%d"`, id))
	if b.keys > 14 {
		t.Errorf("it took %d keys", b.keys)
	}
	t.Logf("%d keys", b.keys)
	got := s.state(id)
	if got.State != coding.ItemFinished || got.Undecided != 0 || len(got.Codes) != 10 {
		t.Errorf("the item is %s with %d of %d codes undecided", got.State, got.Undecided, len(got.Codes))
	}
}

func TestAcceptAllByKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.open(itemPath(id))
	b.press("A")
	b.focused("I10")
	s.wantCodes(id, "E11.40 accepted, I10 undecided, E78.5 undecided")
	b.press("z")
	b.focused("E11.40")
	s.wantCodes(id, "E11.40 undecided, I10 undecided, E78.5 undecided")
	b.press("Z")
	b.until(`document.querySelector("#code-0.accepted") !== null`)
}

// TestAddFromSelectedWords selects words in the note: they are what is searched
// for, and become the evidence.
func TestAddFromSelectedWords(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	booktest.Load(t, s.store)
	text := "Naïve café note.\r\nPlan: heart attack\u202e last year – see below.\nEssential hypertension."
	n := note("D-1", "E-1", text)
	s.save(n, s.set(n, sug{code: "I10", words: []string{"Essential hypertension"}, confidence: 0.9}))
	id := s.itemOf("D-1")
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.open(itemPath(id))
	b.focused("I10")
	b.run(chromedp.Evaluate[chromedp.Void](`{
		const walk = document.createTreeWalker(document.querySelector(".note-text"), NodeFilter.SHOW_TEXT);
		const range = document.createRange();
		while (walk.nextNode()) {
			const at = walk.currentNode.data.indexOf("heart attack");
			if (at >= 0) { range.setStart(walk.currentNode, at); range.setEnd(walk.currentNode, at + 12); }
		}
		getSelection().removeAllRanges();
		getSelection().addRange(range);
	} null`))
	b.press("c")
	b.until(`document.activeElement.id === "add-code" && document.activeElement.value === "heart attack" && document.querySelectorAll(".offers [role=option]").length > 0`)
	b.press(kb.Enter) // chooses the first
	b.until(`document.querySelector(".offers [aria-selected=true]") !== null`)
	if got := value[string](b, `document.querySelector(".offers [aria-selected=true]").dataset.code`); got != "I21.9" {
		t.Fatalf("the first code is %s", got)
	}
	b.press(kb.Enter)
	b.focused("I21.9")
	added := s.state(id).Codes[1]
	if added.State != "added" || added.Origin != coding.OriginAdded || len(added.Evidence) != 1 || added.Evidence[0].Text != "heart attack" {
		t.Errorf("it was added as %+v", added)
	}
	if got := b.highlighted(); got != "heart attack" {
		t.Errorf("highlighted is %q", got)
	}
	if got := value[string](b, `location.href`); len(got) > 200 || got != s.URL+itemPath(id)+"?at=1#code-1" && got != s.URL+itemPath(id)+"?at=1" {
		t.Errorf("the address is %s", got)
	}
}

// TestModifyWithinTheFamily walks the hierarchy with the keyboard.
func TestModifyWithinTheFamily(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	booktest.Load(t, s.store)
	n := note("D-1", "E-1", visit)
	s.save(n, s.set(n, sug{code: "E11.9", words: []string{"Type 2 diabetes"}, confidence: 0.9}))
	id := s.itemOf("D-1")
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.open(itemPath(id))
	b.focused("E11.9")
	b.press("m")
	b.until(`document.querySelectorAll(".offers [role=option]").length > 1`)
	b.until(`document.querySelector(".offers [role=group]").getAttribute("aria-label") === "Beside E11.9"`)
	// E11.2 is a header beside it: taking it leads to what is below.
	b.press(kb.ArrowDown)
	for value[string](b, `document.querySelector(".offers [aria-selected=true]").dataset.code`) != "E11.2" {
		b.press(kb.ArrowDown)
	}
	b.press(kb.Enter)
	b.until(`document.querySelector(".offers [role=group]").getAttribute("aria-label") === "More specific than E11.2"`)
	b.press(kb.ArrowDown)
	b.until(`document.querySelector(".offers [aria-selected=true]").dataset.code === "E11.21"`)
	b.press(kb.ArrowDown + kb.Enter)
	b.until(`document.querySelector("#code-1.added") !== null`)
	s.wantCodes(id, "E11.9 modified, E11.22 added")
}

// TestReorder moves codes by key and by button; the first leads.
func TestReorder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.open(itemPath(id))
	b.focused("E11.40")
	b.press("K") // nothing is above it
	b.press("J")
	b.until(`document.querySelector("#code-1 .id").textContent === "E11.40"`)
	b.focused("E11.40")
	s.wantCodes(id, "I10 undecided, E11.40 undecided, E78.5 undecided")
	b.press("J")
	b.until(`document.querySelector("#code-2 .id").textContent === "E11.40"`)
	b.focused("E11.40")
	b.press("K")
	b.until(`document.querySelector("#code-1 .id").textContent === "E11.40"`)
	s.wantCodes(id, "I10 undecided, E11.40 undecided, E78.5 undecided")
	// By dragging: the last before the first.
	b.run(chromedp.Evaluate[chromedp.Void](`{
		const data = new DataTransfer();
		const fire = (el, type, y) => el.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data, clientY: y }));
		const first = document.querySelector("#code-0"), last = document.querySelector("#code-2 .line");
		fire(last, "dragstart", 0);
		fire(first, "dragover", first.getBoundingClientRect().top + 2);
		fire(first, "drop", first.getBoundingClientRect().top + 2);
		fire(last, "dragend", 0);
	} null`))
	b.until(`document.querySelector("#code-0 .id").textContent === "E78.5"`)
	s.wantCodes(id, "E78.5 undecided, I10 undecided, E11.40 undecided")
	b.press("u")
	b.until(`document.querySelector("#code-0 .id").textContent === "I10"`)
}

// TestPresentOnAdmission finishes a stay by keyboard: each diagnosis must say
// whether it was there on admission.
func TestPresentOnAdmission(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := note("D-1", "E-1", visit)
	n.Setting = coding.Inpatient
	s.save(n, s.set(n, visitCodes[:2]...))
	id := s.itemOf("D-1")
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.open(itemPath(id))
	b.focused("E11.40")
	b.press("aa")
	b.until(`document.querySelectorAll(".code.accepted").length === 2`)
	b.press("f")
	b.until(`document.querySelector("#problem").textContent.includes("present on admission")`)
	b.press("k")
	b.focused("E11.40")
	b.press("py")
	b.until(`document.querySelector("#code-0 .tags").textContent.includes("POA Y")`)
	b.focused("E11.40")
	b.press("jpn")
	b.until(`document.querySelector("#code-1 .tags").textContent.includes("POA N")`)
	b.press("jd") // details: the role
	b.until(`document.activeElement.id === "role-1"`)
	b.run(chromedp.SetValue("#role-1", "admitting"))
	b.run(chromedp.Click(chromedp.CSS("#code-1 .details [value=detail]")))
	b.until(`document.querySelector("#code-1 .tags").textContent.includes("admitting")`)
	b.focused("I10")
	b.press("f")
	b.until(`location.pathname === "/"`)
	got := s.state(id)
	if got.State != coding.ItemFinished || got.Codes[0].POA != coding.POAYes || got.Codes[1].POA != coding.POANo || got.Codes[1].Role != coding.RoleAdmitting {
		t.Errorf("the item is %s: %+v", got.State, got.Codes)
	}
}

// at waits until the page shows an item whose first code is selected.
func (b *tab) at(id int64) {
	b.t.Helper()
	b.until(fmt.Sprintf(`location.pathname === "/items/%d"`, id))
	b.focused("E11.40")
}

// TestAsideByKey holds, skips, sends and queries with the keyboard alone.
func TestAsideByKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := s.several(5)
	s.named("bob", coding.RoleCoder)
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.press("n")
	b.at(ids[0])
	b.press("h")
	b.until(`document.activeElement.id === "aside-reason"`)
	b.press("Waiting for a result" + kb.Enter)
	b.at(ids[1])
	b.press("l")
	b.until(`document.activeElement.id === "skip-reason"`)
	b.press("Not my specialty" + kb.Enter)
	b.at(ids[2])
	b.press("g")
	b.until(`document.activeElement.id === "send-to"`)
	b.press("bob" + kb.Tab + "look at the second code" + kb.Enter)
	b.at(ids[3])
	b.press("q")
	b.until(`document.activeElement.id === "query-to" && document.querySelector("#query-text").value.includes("[diagnosis]")`)
	b.run(chromedp.SetValue("#query-template", "other"))
	b.run(chromedp.Evaluate[chromedp.Void](`document.querySelector("#query-text").value = ""; document.querySelector("#query-text").focus(); null`))
	b.press("Which type of diabetes?" + kb.Tab + kb.Enter)
	b.at(ids[4])
	for i, want := range []coding.ItemState{coding.ItemHeld, coding.ItemOpen, coding.ItemOpen, coding.ItemQueried} {
		if got := s.state(ids[i]); got.State != want {
			t.Errorf("item %d is %s, want %s", ids[i], got.State, want)
		}
	}
	if got := s.state(ids[2]).SentTo; got == nil || got.Login != "bob" {
		t.Errorf("it was sent to %v", got)
	}
	if got := s.state(ids[3]).Queries; len(got) != 1 || got[0].Text != "Which type of diabetes?" {
		t.Errorf("the queries are %v", got)
	}

	// A remark, and Escape out of the menu.
	b.press("b")
	b.until(`document.activeElement.id === "remark"`)
	b.press("see the scan" + kb.Tab + kb.Enter)
	b.until(`document.querySelector("#remark").defaultValue === "see the scan"`)
	b.focused("E11.40")
	b.press("xx")
	b.until(`!document.querySelector(".menu").open`)
	b.press("x" + kb.Escape)
	b.until(`!document.querySelector(".menu").open`)
	b.focused("E11.40")

	// The answer comes in; the item waits for who asked.
	b.open(itemPath(ids[3]))
	b.until(`document.querySelector("#answer-1") !== null && document.documentElement.dataset.started === "true"`)
	b.press("Q")
	b.until(`document.activeElement.id === "answer-1"`)
	b.press("Type 2" + kb.Enter)
	b.until(`document.body.innerText.includes("Answer: Type 2")`)
	if got := s.state(ids[3]); got.State != coding.ItemOpen || got.SentTo == nil {
		t.Errorf("the answered item is %s for %v", got.State, got.SentTo)
	}

	// It goes to anybody; worked on, it goes back to the list; closed, it is done with.
	b.focused("E11.40")
	b.press("W")
	b.until(`!document.body.innerText.includes("Waits for")`)
	if got := s.state(ids[3]); got.SentTo != nil {
		t.Errorf("it still waits for %v", got.SentTo)
	}
	b.focused("E11.40")
	b.press("a")
	b.focused("I10")
	b.press("W")
	b.until(`location.pathname === "/" && document.body.innerText.includes("The item is back in the list.")`)
	b.open(itemPath(ids[3]))
	b.focused("I10")
	b.press("X")
	b.until(`document.activeElement.id === "back-reason"`)
	b.press("Two patients in one note" + kb.Enter)
	b.until(`location.pathname !== ` + fmt.Sprintf("%q", itemPath(ids[3])))
	if got := s.state(ids[3]); got.State != coding.ItemFinished {
		t.Errorf("the item that cannot be coded is %s", got.State)
	}
}

// TestOverrideByKey finishes against an error of the rules, with a reason.
func TestOverrideByKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := note("D-1", "E-1", visit)
	clash := []coding.Finding{{Rule: "excludes1", Severity: coding.SeverityError, Codes: []string{"E11.40", "I10"}, Message: "These two are not coded together.", Source: "Tabular list 2026, E11"}}
	list := append([]sug(nil), visitCodes[:2]...)
	list[0].warnings, list[1].warnings = clash, clash
	s.save(n, s.set(n, list...))
	id := s.itemOf("D-1")
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.open(itemPath(id))
	b.focused("E11.40")
	b.press("aa")
	b.until(`document.querySelectorAll(".code.accepted").length === 2`)
	b.press("f")
	b.until(`document.querySelector("#problem") !== null`)
	b.press("O")
	b.until(`document.activeElement.id === "override-0"`)
	b.press("unrelated conditions" + kb.Enter)
	b.until(`document.body.innerText.includes("Overridden: unrelated conditions")`)
	b.press("f")
	b.until(`location.pathname === "/"`)
	if got := s.state(id); got.State != coding.ItemFinished {
		t.Errorf("the item is %s", got.State)
	}
}

// TestFindInTheNote counts and walks the places of words.
func TestFindInTheNote(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n, list := longNote()
	s.save(n, s.set(n, list...))
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.open(itemPath(s.itemOf("D-1")))
	b.press("/")
	b.until(`document.activeElement.id === "find-text"`)
	b.press("NUMBER 3")
	b.until(`document.querySelector("#find-count").textContent === "1 of 11"`) // 3 and 30 to 39
	b.press(kb.Enter)
	b.until(`document.querySelector("#find-count").textContent === "2 of 11" && document.querySelector("#notes").scrollTop > 0`)
	if got := value[int](b, `Array.from(CSS.highlights.get("found")).length`); got != 11 {
		t.Errorf("%d places are marked", got)
	}
	b.press(kb.Escape)
	b.focused("A00.0")
	b.until(`CSS.highlights.get("found") === undefined && document.querySelector("#find").hidden`)

	// The table of contents, and the size of the text.
	b.press("t")
	b.until(`document.activeElement.textContent === "PLAN"`)
	b.press(kb.ArrowRight + kb.ArrowRight + kb.Enter)
	b.until(`(() => { const h = document.getElementById(document.querySelectorAll(".contents nav a")[2].hash.slice(1)).getBoundingClientRect(), p = document.querySelector("#notes").getBoundingClientRect(); return h.top >= p.top && h.top < p.top + 120; })()`)
	size := value[float64](b, `parseFloat(getComputedStyle(document.querySelector(".note-text")).fontSize)`)
	b.press("++")
	if got := value[float64](b, `parseFloat(getComputedStyle(document.querySelector(".note-text")).fontSize)`); got <= size*1.3 {
		t.Errorf("the text grew from %v to %v", size, got)
	}
	b.open("/")
	b.open(itemPath(s.itemOf("D-1")))
	if got := value[string](b, `document.documentElement.dataset.text`); got != "5" {
		t.Errorf("the size that was kept is %s", got)
	}
}

func TestThemeSwitch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.tab()
	b.signIn(coding.RoleCoder)
	ground := `getComputedStyle(document.documentElement).backgroundColor`
	light := value[string](b, ground)
	b.run(chromedp.Click("#theme"), chromedp.Click("#theme"))
	b.until(`document.querySelector("#theme").textContent === "Theme: dark"`)
	dark := value[string](b, ground)
	if dark == light {
		t.Errorf("dark and light are %s", dark)
	}
	b.open("/?state=held")
	if got := value[string](b, ground); got != dark {
		t.Errorf("the next page is %s", got)
	}
	b.run(chromedp.Click("#theme"))
	b.until(`document.querySelector("#theme").textContent === "Theme: auto" && ` + ground + ` === ` + fmt.Sprintf("%q", light))
}

// TestTour is offered once, goes through five steps, and can be left.
func TestTour(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.until(`!document.querySelector("#tour-offer").hidden`)
	b.run(chromedp.Click("#tour-take"))
	for i := 1; i <= 5; i++ {
		b.until(fmt.Sprintf(`document.querySelector("#tour").open && document.querySelector("#tour-step").textContent === "Step %d of 5"`, i))
		b.press(kb.Enter)
	}
	b.until(`!document.querySelector("#tour").open`)
	b.open("/")
	b.until(`document.documentElement.dataset.started === "true"`)
	if value[bool](b, `!document.querySelector("#tour-offer").hidden`) {
		t.Error("the tour is offered again")
	}
	b.open(itemPath(id))
	b.press("?")
	b.until(`document.querySelector("#keys").open`)
	b.run(chromedp.Click("#tour-again"))
	b.until(`document.querySelector("#tour").open && document.querySelectorAll(".toured").length === 0`)
	b.press(kb.Escape)
	b.until(`!document.querySelector("#tour").open`)
	b.press("a")
	b.focused("I10")
}
